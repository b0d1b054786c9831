#!/usr/bin/env python3
"""A LoRA run read by PEFT: logits of the base with runs/NAME/adapter in PEFT, of runs/NAME/model in transformers, and ours of the same folder.

Versions  Python 3.11, torch 2.15.0, transformers 5.23.0, peft 0.21.0, numpy 2.4.6
Run       atelier convert smollm2-135m-instruct base/                    # what the run started from, as a folder
          atelier train recipes/smollm2_lora.yaml --set data.train=instruction-data.json
          python3 scripts/parity/peft_adapter.py base/ runs/smollm2_lora

Bound: 1e-3 between any two; the adapter must change the logits by more than that.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

import common

IDS = [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47, 2]
BOUND = 1e-3


def logits_of(model) -> np.ndarray:
    with torch.no_grad():
        return model(torch.tensor([IDS])).logits[0].numpy()


def our_logits(options, folder: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as scratch:
        out = str(Path(scratch) / "logits.npy")
        common.output_of([options.atelier, "logits", folder, "--ids", ",".join(map(str, IDS)), "--dtype", "f32", "--out", out])
        return np.load(out)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("base", help="folder of the model that the run started from")
    parser.add_argument("run", help="folder of the run")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    with_adapter = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(options.base, dtype=torch.float32), f"{options.run}/adapter")
    adapted = logits_of(with_adapter)
    with with_adapter.disable_adapter():
        effect = float(np.abs(adapted - logits_of(with_adapter)).max())
    merged = logits_of(AutoModelForCausalLM.from_pretrained(f"{options.run}/model", dtype=torch.float32))
    ours = our_logits(options, f"{options.run}/model")
    differences = {"peft_ours": float(np.abs(adapted - ours).max()), "transformers_ours": float(np.abs(merged - ours).max())}
    report.say(run=options.run, effect=effect, **differences, bound=BOUND, kept=max(differences.values()) <= BOUND < effect)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
