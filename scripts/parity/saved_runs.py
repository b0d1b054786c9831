#!/usr/bin/env python3
"""What `train` saves, read by transformers: two steps from a tiny model of each architecture, and one with added tokens, then logits of both.

Versions  Python 3.11, torch 2.15.0, transformers 5.23.0, numpy 2.4.6
Run       python3 scripts/parity/saved_runs.py

Bound: 1e-4 between any two logits; tokenizers give the same ids.
"""
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import common

GOLDEN = common.ROOT / "tests/golden/models"
NAMES = ["gpt1", "gpt2", "llama3", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "bloom"]
TEXT = "she sells sea shells by the sea shore <call> and he does not\n" * 40
BOUND = 1e-4


def train(options, folder: Path, name: str, *settings: str) -> Path:
    recipe = folder / "two_steps.yaml"
    recipe.write_text(f"data: {{train: {folder / 'text.txt'}, context: 16}}\ntraining: {{steps: 2, batch: 4}}\nruns: {folder}\nmodel: {{precision: f32}}\n")
    common.output_of([options.atelier, "train", str(recipe), *[word for one in (f"name={name}", *settings) for word in ("--set", one)]])
    return folder / name / "model"


def difference(options, model: Path, ids: list[int], folder: Path) -> float:
    out = folder / "logits.npy"
    common.output_of([options.atelier, "logits", str(model), "--ids", ",".join(map(str, ids)), "--dtype", "f32", "--out", str(out)])
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)(torch.tensor([ids])).logits[0].numpy()
    return float(np.abs(np.load(out) - theirs).max())


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help="architectures (all)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "text.txt").write_text(TEXT)
        for name in options.names:
            model = train(options, folder, name, f"model.from={GOLDEN / name}", "model.tokenizer=character")
            apart = difference(options, model, [3, 1, 4, 1, 5, 9, 2, 6], folder)
            report.say(model=name, largest=apart, bound=BOUND, kept=apart <= BOUND)
        grown = train(options, folder, "added", f"model.from={GOLDEN / 'smollm2'}", "model.add_tokens=[<call>, <result>]")
        tokenizer, text = AutoTokenizer.from_pretrained(grown), TEXT.splitlines()[0]
        ours = json.loads(common.output_of([options.atelier, "tokenize", str(grown), text, "--json"]))["ids"]
        apart = difference(options, grown, ours, folder)
        rows = AutoModelForCausalLM.from_pretrained(grown).get_input_embeddings().num_embeddings
        is_known = tokenizer(text, add_special_tokens=False)["input_ids"] == ours and tokenizer.convert_tokens_to_ids("<call>") in ours
        report.say(model="smollm2 with added tokens", rows=rows, tokens=len(tokenizer), largest=apart, bound=BOUND, kept=apart <= BOUND and is_known and rows == len(tokenizer))
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
