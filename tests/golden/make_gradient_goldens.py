#!/usr/bin/env python3
"""Writes gradients.json and gradients.safetensors beside the model goldens: the loss of two packed documents and its gradients, by PyTorch in float64.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_gradient_goldens.py [CASE...]
Result    models/<case>/gradients.json: ids, labels (-100: ignored; labels[t] is what row t predicts), lengths of the documents and the mean
          loss over labelled rows; gradients.safetensors: the gradients, rounded to float32, under the names of model.safetensors

The documents run one after the other, each on its own, so that the golden cannot see anything of packing.
"""

import json
import pathlib
import sys
import zlib

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent / "models"
CASES = ["gpt1", "gpt2", "llama3", "llama-bias", "qwen3", "gemma2", "gemma3", "bloom"]
LENGTHS = [21, 11]


def documents(name: str, vocab_size: int) -> tuple[list[list[int]], list[list[int]]]:
    """Ids and next-token labels; the last row of a document and some others are ignored."""
    rng = np.random.RandomState(zlib.crc32(f"{name}/gradients".encode()))
    ids = [rng.randint(0, min(vocab_size, 70), n).tolist() for n in LENGTHS]
    labels = [row[1:] + [-100] for row in ids]
    for row in labels:
        for t in rng.choice(len(row) - 1, 3, replace=False):
            row[t] = -100
    return ids, labels


def make(name: str) -> None:
    folder = ROOT / name
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    ids, labels = documents(name, model.config.get_text_config().vocab_size)
    count = sum(label != -100 for row in labels for label in row)
    total = 0.0
    for row, targets in zip(ids, labels):
        logits = model(input_ids=torch.tensor([row]), use_cache=False).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets), ignore_index=-100, reduction="sum") / count
        loss.backward()
        total += loss.item()
    gradients = {key: parameter.grad.float() for key, parameter in model.named_parameters()}
    save_file(gradients, folder / "gradients.safetensors", metadata={"format": "pt"})
    body = {"ids": sum(ids, []), "labels": sum(labels, []), "lengths": LENGTHS, "loss": total}
    (folder / "gradients.json").write_text("{\n" + ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in body.items()) + "\n}\n")
    print(f"{name:12} loss {total:.6f}, {sum(gradient.numel() for gradient in gradients.values())} gradients")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in sys.argv[1:] or CASES:
        make(case)
