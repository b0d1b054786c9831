#!/usr/bin/env python3
"""Writes tests/golden/adapters/bottleneck-*/: bottleneck adapters of tiny golden models as AdapterHub saves them, and the logits with them.

Versions  Python 3.11, adapters 1.3.0, transformers 4.57.6 (an environment of its own), torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_bottleneck_goldens.py, after make_adapter_goldens.py
Result    as make_adapter_goldens.py; adapter.safetensors and adapter_config.json beside it
"""

import json
import pathlib
import shutil
import zlib

import adapters
import numpy as np
import torch
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent
CASES = {  # model, configuration; models whose rotary settings this older transformers reads
    "bottleneck-pfeiffer": ("llama2", "seq_bn[reduction_factor=4]"),
    "bottleneck-houlsby": ("llama2", "double_seq_bn[reduction_factor=8]"),
    "bottleneck-gpt2": ("gpt2", "double_seq_bn[reduction_factor=4,non_linearity='gelu']"),
}

torch.set_num_threads(1)
for case, (name, config) in CASES.items():
    folder = ROOT / "adapters" / case
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoModelForCausalLM.from_pretrained(ROOT / "models" / name, attn_implementation="eager", dtype=torch.float32).eval()
    ids = json.loads((ROOT / "models" / name / "golden.json").read_text())["ids"]
    plain = model(torch.tensor([ids])).logits[0].detach().numpy()
    adapters.init(model)
    model.add_adapter("tuned", config=config)
    model.set_active_adapters("tuned")
    model.eval()
    for label, weight in model.named_parameters():
        if "adapters.tuned" in label:
            drawn = np.random.RandomState(zlib.crc32(f"{case}/{label}".encode())).standard_normal(tuple(weight.shape))
            with torch.no_grad():
                weight.copy_(torch.from_numpy(drawn.astype(np.float32)) * 0.3)
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].numpy()
    if np.abs(logits - plain).max() < 0.05:
        raise SystemExit(f"{case}: the adapter moves the logits too little")
    model.save_adapter(folder, "tuned", with_head=False, use_safetensors=True)
    saved = json.loads((folder / "adapter_config.json").read_text()) | {"model_name": name}
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2) + "\n")
    (folder / "logits.f32").write_bytes(logits.astype("<f4").tobytes())
    golden = {"model": name, "ids": ids, "shape": list(logits.shape), "adapters": [{"folder": case, "weight": 1}]}
    (folder / "golden.json").write_text(json.dumps(golden, indent=2) + "\n")
