#!/usr/bin/env python3
"""Writes tests/golden/adapters/<case>/: adapters of tiny golden models as PEFT saves them, and the logits with them.

Versions  Python 3.11, peft 0.21.0, transformers 5.23.0, torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_adapter_goldens.py
Result    golden.json: model, ids, shape [T, V], adapters (folder and weight of each) and "logits.f32", little-endian float32

Every adapter moves its model's logits by more than 0.05, so that a part that is left out shows.
"""

import json
import pathlib
import shutil
import zlib

import numpy as np
import torch
from peft import IA3Config, LoraConfig, PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent
LLAMA_LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {  # model, configuration
    "lora": ("llama3", dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"])),
    "rslora-patterns": ("llama3", dict(r=3, lora_alpha=2, use_rslora=True, target_modules=LLAMA_LINEARS, rank_pattern={"down_proj": 5},
                                       alpha_pattern={"layers.1.mlp.gate_proj": 4})),
    "phi3-fused": ("phi3", dict(r=2, lora_alpha=3, target_modules=["qkv_proj", "gate_up_proj", "o_proj"], layers_to_transform=[0])),
    "gpt2-conv1d": ("gpt2", dict(r=3, lora_alpha=3, target_modules=["c_attn", "c_fc", "mlp.c_proj"], fan_in_fan_out=True)),
    "smollm2": ("smollm2", dict(r=4, lora_alpha=16, target_modules=["q_proj", "down_proj"])),
    "bloom": ("bloom", dict(r=2, lora_alpha=4, target_modules=["query_key_value", "dense_4h_to_h"])),
    "lora-expressions": ("llama3", dict(r=2, lora_alpha=3, target_modules=r".*\.(self_attn\.[qk]|mlp\.(gate|down))_proj",
                                        rank_pattern={r"self_attn\.[qv]_proj": 4}, alpha_pattern={r".*\.1\.mlp\..*": 5})),
    "dora": ("llama3", dict(r=3, lora_alpha=4, use_dora=True, target_modules=["q_proj", "k_proj", "o_proj", "down_proj"])),
    "dora-conv1d": ("gpt2", dict(r=3, lora_alpha=3, use_dora=True, use_rslora=True, target_modules=["c_attn", "mlp.c_proj"],
                                 fan_in_fan_out=True)),
    "embedding": ("llama3", dict(r=3, lora_alpha=2, target_modules=["embed_tokens", "v_proj"], save_embedding_layers=False)),
    "embedding-tied": ("gemma3", dict(r=2, lora_alpha=2, target_modules=["embed_tokens", "up_proj"], save_embedding_layers=False)),
    "tables": ("llama3", dict(r=2, lora_alpha=2, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "ia3": ("llama3", IA3Config(task_type="CAUSAL_LM")),
    "ia3-conv1d": ("gpt2", IA3Config(task_type="CAUSAL_LM", fan_in_fan_out=True)),
    "prompt": ("llama3", PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5)),
    "prompt-gemma3": ("gemma3", PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
    "prompt-bloom": ("bloom", PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)),
    "prefix": ("llama3", PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=6)),
    "prefix-gpt2": ("gpt2", PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)),
    "prefix-qwen3": ("qwen3", PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)),
}


def load(name):
    return AutoModelForCausalLM.from_pretrained(ROOT / "models" / name, attn_implementation="eager", dtype=torch.float32).eval()


def randomize(model, label):
    for name, weight in model.named_parameters():
        if not any(part in name for part in ("lora_", "ia3_", "prompt_encoder", "modules_to_save")):
            continue
        rng = np.random.RandomState(zlib.crc32(f"{label}/{name}".encode()))
        drawn = torch.from_numpy(rng.standard_normal(tuple(weight.shape)).astype(np.float32))
        with torch.no_grad():
            if "prompt_encoder" in name:
                weight.copy_(drawn * 0.5)
            elif "lora_magnitude" in name or "ia3_" in name:  # near what they are at the start
                weight.mul_(1 + 0.2 * drawn)
            elif "modules_to_save" in name:
                weight.add_(drawn * 0.05)
            else:
                weight.copy_(drawn * 0.15)


def logits_of(model, ids):
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -len(ids):].float().numpy()  # none of virtual tokens


def ids_of(name):
    golden = json.loads((ROOT / "models" / name / "golden.json").read_text())
    return golden.get("ids") or golden["sequences"][0]["ids"]


def write(folder, model_name, logits, adapters, plain):
    moved = float(np.abs(logits - plain).max())
    if moved < 0.05:
        raise SystemExit(f"{folder.name}: the adapter moves the logits by {moved:.3f} only")
    (folder / "logits.f32").write_bytes(logits.astype("<f4").tobytes())
    golden = {"model": model_name, "ids": ids_of(model_name), "shape": list(logits.shape), "adapters": adapters}
    (folder / "golden.json").write_text(json.dumps(golden, indent=2) + "\n")


torch.set_num_threads(1)
for case in (*CASES, "mixed"):
    shutil.rmtree(ROOT / "adapters" / case, ignore_errors=True)
for case, (name, config) in CASES.items():
    folder = ROOT / "adapters" / case
    plain = logits_of(load(name), ids_of(name))
    options = config.pop("save_embedding_layers", "auto") if isinstance(config, dict) else "auto"
    model = get_peft_model(load(name), LoraConfig(task_type="CAUSAL_LM", **config) if isinstance(config, dict) else config)
    randomize(model, case)
    model.save_pretrained(folder, save_embedding_layers=options)
    (folder / "README.md").unlink(missing_ok=True)
    saved = json.loads((folder / "adapter_config.json").read_text())
    saved["base_model_name_or_path"] = name
    for key in ("target_modules", "feedforward_modules", "modules_to_save"):  # sets without an order
        if isinstance(saved.get(key), list):
            saved[key] = sorted(saved[key])
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2) + "\n")
    write(folder, name, logits_of(model.eval(), ids_of(name)), [{"folder": case, "weight": 1}], plain)

# Two adapters at once, weighted.
base = load("llama3")
plain = logits_of(base, ids_of("llama3"))
mixed = PeftModel.from_pretrained(base, ROOT / "adapters" / "lora", adapter_name="first")
mixed.load_adapter(ROOT / "adapters" / "rslora-patterns", adapter_name="second")
for name, weight in (("first", 0.5), ("second", -1.5)):  # scalings are numbers of each layer: they take the weights
    for module in mixed.modules():
        if isinstance(getattr(module, "scaling", None), dict) and name in module.scaling:
            module.scaling[name] *= weight
mixed.base_model.set_adapter(["first", "second"])
folder = ROOT / "adapters" / "mixed"
folder.mkdir()
write(folder, "llama3", logits_of(mixed.eval(), ids_of("llama3")),
      [{"folder": "lora", "weight": 0.5}, {"folder": "rslora-patterns", "weight": -1.5}], plain)
