#!/usr/bin/env python3
"""Bottlenecks that `train` saves, read by AdapterHub's library: ten steps from tiny models, then logits of both.

Versions  Python 3.11, adapters 1.3.0, transformers 4.57.6 (an environment of its own), torch 2.15.0, numpy 2.4.6
Run       python3 scripts/parity/adapterhub.py

Bound: 1e-3 between any two logits in float32; the adapter must change them by more than that.
"""
import shutil
import sys
import tempfile
from pathlib import Path

import adapters
import numpy as np
import torch
from transformers import AutoModelForCausalLM

import common

GOLDEN = common.ROOT / "tests/golden/models"
NAMES = ["llama2", "llama3", "gpt2", "mistral"]
KINDS = {
    "pfeiffer": ["adapter.width=6"],
    "houlsby": ["adapter.width=6", "adapter.double=true"],
    "swish": ["adapter.width=5", "adapter.activation=swish"],
    "gelu": ["adapter.width=5", "adapter.double=true", "adapter.activation=gelu"],
}
IDS = [3, 1, 4, 1, 5, 9, 2, 6]
BOUND = 1e-3


def logits_of(model) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([IDS])).logits[0].numpy()


def with_old_config(name: str, folder: Path) -> Path:
    """The model as this older transformers reads it."""
    base = folder / name
    base.mkdir(exist_ok=True)
    shutil.copy(GOLDEN / name / "config_old.json", base / "config.json")
    shutil.copy(GOLDEN / name / "model.safetensors", base)
    return base


def compare(options, folder: Path, name: str, kind: str) -> dict:
    base, out = with_old_config(name, folder), str(folder / "logits.npy")
    run = common.train_ten_steps(options.atelier, folder, base, f"{name}-{kind}", ["adapter.kind=bottleneck", *KINDS[kind]])
    common.output_of([options.atelier, "logits", str(base), "--ids", ",".join(map(str, IDS)), "--dtype", "f32", "--out", out,
                      "--adapter", str(run)])
    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32).eval()
    plain = logits_of(model)
    adapters.init(model)
    model.set_active_adapters(model.load_adapter(f"{run}/adapter", with_head=False, use_safetensors=True))
    theirs = logits_of(model.eval())
    effect, apart = float(np.abs(theirs - plain).max()), float(np.abs(theirs - np.load(out)).max())
    return {"effect": effect, "adapterhub_ours": apart, "bound": BOUND, "kept": apart <= BOUND < effect}


def main() -> int:
    options = common.parser(__doc__).parse_args()
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in NAMES:
            for kind in KINDS:
                report.say(model=name, adapter=kind, **compare(options, folder, name, kind))
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
