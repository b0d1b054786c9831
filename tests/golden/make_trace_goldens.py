#!/usr/bin/env python3
"""Writes trace.json and trace.safetensors beside the model goldens: attention weights and hidden states by transformers.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_trace_goldens.py [CASE...]
Result    models/<case>/trace.json: the ids [T]; trace.safetensors: "attention" [L, H, T, T] and "residual" [L + 1, T, C]
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
CASES = ["gpt1", "gpt2", "llama3", "gemma2", "bloom", "bloom-postnorm"]
LENGTH = 12


def make(name: str) -> None:
    folder = ROOT / name
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rng = np.random.RandomState(zlib.crc32(f"{name}/trace".encode()))
    ids = rng.randint(0, min(model.config.get_text_config().vocab_size, 70), LENGTH).tolist()
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True, output_hidden_states=True)
    tensors = {"attention": torch.cat(out.attentions).contiguous(), "residual": torch.cat(out.hidden_states).contiguous()}
    save_file(tensors, folder / "trace.safetensors", metadata={"format": "pt"})
    (folder / "trace.json").write_text(json.dumps({"ids": ids}) + "\n")
    print(f"{name:16} " + ", ".join(f"{key} {list(value.shape)}" for key, value in tensors.items()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in sys.argv[1:] or CASES:
        make(case)
