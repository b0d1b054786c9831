#!/usr/bin/env python3
"""Adapters that `train` saves, read by PEFT: every kind from tiny models of several architectures, or one run of a real model.

Versions  Python 3.11, torch 2.15.0, transformers 5.23.0, peft 0.21.2, numpy 2.4.6
Run       python3 scripts/parity/peft_adapter.py                         # ten steps of every kind from every tiny model
          python3 scripts/parity/peft_adapter.py base/ runs/NAME         # a run, and the folder of the model that it started from

Compared are logits in float32: of PEFT with the adapter on the base, of `atelier logits base --adapter runs/NAME`, and, of kinds that
weights can hold, of transformers with runs/NAME/model. Bound: 1e-3 between any two; the adapter must change the logits by more than that.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

import common

GOLDEN = common.ROOT / "tests/golden/models"
NAMES = ["llama3", "gpt2", "bloom", "phi3", "gemma3", "qwen3"]
KINDS = {  # recipe settings; the model folder of those in MERGED has the adapter too
    "lora": ["lora.rank=4", "lora.alpha=6"],
    "rslora": ["lora.rank=4", "lora.alpha=6", "lora.rank_stabilized=true"],
    "patterns": ["lora.rank=3", "lora.targets=[q, v, down]", "lora.layers=[1]", "lora.rank_pattern={v: 2}"],
    "embedding": ["lora.rank=3", "lora.targets=[embedding, o]"],
    "tables": ["lora.rank=3", "lora.whole_modules=[embedding, head]"],
    "dora": ["lora.rank=4", "lora.dora=true"],
    "ia3": ["adapter.kind=ia3"],
    "prompt": ["adapter.kind=prompt", "adapter.tokens=5"],
    "prefix": ["adapter.kind=prefix", "adapter.tokens=5"],
}
MERGED = {"lora", "rslora", "patterns", "dora", "ia3"}
TINY_IDS = [3, 1, 4, 1, 5, 9, 2, 6]
REAL_IDS = [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2]
BOUND = 1e-3


def open_model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def logits_of(model, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -len(ids):].numpy()  # none of virtual tokens


def our_logits(options, folder, ids: list[int], *more: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as scratch:
        out = str(Path(scratch) / "logits.npy")
        common.output_of([options.atelier, "logits", str(folder), "--ids", ",".join(map(str, ids)), "--dtype", "f32", "--out", out, *more])
        return np.load(out)


def compare(options, base, run, ids: list[int], is_merged: bool) -> dict:
    with_adapter = PeftModel.from_pretrained(open_model(base), f"{run}/adapter").eval()
    adapted = logits_of(with_adapter, ids)
    effect = float(np.abs(adapted - logits_of(open_model(base), ids)).max())
    ours = our_logits(options, base, ids, "--adapter", str(run))
    differences = {"peft_ours": float(np.abs(adapted - ours).max())}
    if is_merged:
        merged = logits_of(open_model(f"{run}/model"), ids)
        differences["transformers_ours"] = float(np.abs(merged - ours).max())
        differences["merged_ours"] = float(np.abs(our_logits(options, f"{run}/model", ids) - ours).max())
    return {"effect": effect, **differences, "bound": BOUND, "kept": max(differences.values()) <= BOUND < effect}


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("base", nargs="?", help="folder of the model that the run started from")
    parser.add_argument("run", nargs="?", help="folder of the run")
    parser.add_argument("--virtual", action="store_true", help="the run's kind is none that weights can hold")
    parser.add_argument("--models", nargs="*", default=NAMES, help="tiny models (%(default)s)")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), help="kinds (%(default)s)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    if options.run:
        report.say(run=options.run, **compare(options, options.base, options.run, REAL_IDS, not options.virtual))
        return report.exit_status
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in options.models:
            for kind in options.kinds:
                try:
                    run = common.train_ten_steps(options.atelier, folder, GOLDEN / name, f"{name}-{kind}", KINDS[kind])
                    report.say(model=name, adapter=kind, **compare(options, GOLDEN / name, run, TINY_IDS, kind in MERGED))
                except Exception as error:  # the others are still told
                    report.say(model=name, adapter=kind, error=f"{type(error).__name__}: {str(error)[:300]}", kept=False)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
