#!/usr/bin/env python3
"""Writes trajectory.json beside the model goldens: the losses of ten AdamW steps on the documents of gradients.json, by PyTorch in float64.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU)
Run       python3 tests/golden/make_trajectory_goldens.py [CASE...]        (behind make_gradient_goldens.py)
Result    models/<case>/trajectory.json: the optimizer's settings, and the loss before each step and behind the last one

Decay is of matrices and tables only, gradients are clipped by their common norm, and the learning rate warms up and falls, so that a wrong
group, a wrong clip or a step counted wrongly leaves the trajectory.
"""

import json
import math
import sys

import torch
from make_gradient_goldens import ROOT
from transformers import AutoModelForCausalLM

CASES = ["gpt2", "llama3", "gemma3"]
SETTINGS = {"steps": 10, "learning_rate": 3e-3, "warmup_steps": 2, "min_learning_rate": 3e-4, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8,
            "weight_decay": 0.1, "clip": 1.0}


def learning_rate(step: int) -> float:
    """Of step 1, 2, ...: linear warm-up, then a cosine, as optim/schedule.h counts them."""
    rate, floor, warmup, steps = (SETTINGS[key] for key in ("learning_rate", "min_learning_rate", "warmup_steps", "steps"))
    if step <= warmup:
        return rate * step / (warmup + 1)
    return floor + (rate - floor) * (1 + math.cos(math.pi * (step - 1 - warmup) / (steps - warmup))) / 2


def make(name: str) -> None:
    folder = ROOT / name
    batch = json.loads((folder / "gradients.json").read_text())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    ids, labels = torch.tensor(batch["ids"]).split(batch["lengths"]), torch.tensor(batch["labels"]).split(batch["lengths"])
    count = sum(int((targets != -100).sum()) for targets in labels)
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": SETTINGS["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(SETTINGS["beta1"], SETTINGS["beta2"]), eps=SETTINGS["epsilon"])
    losses = []
    for step in range(1, SETTINGS["steps"] + 2):
        optimizer.zero_grad()
        loss = sum(
            torch.nn.functional.cross_entropy(model(input_ids=row[None], use_cache=False).logits[0], targets, ignore_index=-100, reduction="sum")
            for row, targets in zip(ids, labels)
        ) / count
        losses.append(loss.item())
        if step > SETTINGS["steps"]:
            break
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip"])
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
    body = {**SETTINGS, "losses": losses}
    (folder / "trajectory.json").write_text("{\n" + ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in body.items()) + "\n}\n")
    print(f"{name:8} {losses[0]:.6f} -> {losses[-1]:.6f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for case in sys.argv[1:] or CASES:
        make(case)
