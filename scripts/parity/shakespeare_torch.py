#!/usr/bin/env python3
"""nanoGPT's Shakespeare settings beside PyTorch: the same net from the same initial weights on the same batches, and the losses of both.

Versions  Python 3.11, torch 2.15.0, transformers 5.23.0, numpy 2.4.6
Run       python3 scripts/parity/shakespeare_torch.py cpu --text input.txt                     # 3 seeds, whole validation split
          python3 scripts/parity/shakespeare_torch.py gpu --text input.txt --torch bf16        # 100 iterations, losses of each

Ours runs as the recipe says, in bfloat16 products where the CPU has them. PyTorch starts from the weights that ours starts from (a run of one
step with a learning rate of 0 exports them) and reads the batches that ours reads, which are a function of the seed (data/token_rows.h).
AdamW, its decay groups and clipping are torch's own, dropout is 0.

Bounds: cpu, the mean over the seeds of our loss on the whole validation split is at most PyTorch's + 0.01; gpu, no iteration's losses are more than 0.005 apart.
"""
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2LMHeadModel

import common

RECIPES = {"cpu": "shakespeare_char_cpu", "gpu": "shakespeare_char_gpu"}
MASK32, MASK64 = 0xFFFFFFFF, (1 << 64) - 1


def random_bits(seed: int, sequence: int, position: int) -> int:
    """Philox4x32-10 as base/rng.h lays it out: 64 bits for a position of a sequence."""
    counter = [position & MASK32, position >> 32, sequence & MASK32, sequence >> 32]
    key = [seed & MASK32, seed >> 32]
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & MASK32, (first >> 32) ^ counter[3] ^ key[1], first & MASK32]
        key = [(key[0] + 0x9E3779B9) & MASK32, (key[1] + 0xBB67AE85) & MASK32]
    return counter[1] << 32 | counter[0]


def learning_rate(step: int, recipe: dict) -> float:
    """Of step 1, 2, ...: optim/schedule.h."""
    rate, floor, warmup = recipe["optimizer"]["learning_rate"], recipe["schedule"]["min_learning_rate"], recipe["schedule"]["warmup_steps"]
    if step <= warmup:
        return rate * step / (warmup + 1)
    done = (step - 1 - warmup) / (recipe["training"]["steps"] - warmup)
    return floor + (rate - floor) * (1 + math.cos(math.pi * done)) / 2


class Theirs:
    """The run of one seed in PyTorch."""

    def __init__(self, run: Path, start: Path, dtype: str) -> None:
        self.recipe = common.yaml_of(run / "config.yaml")
        tokens = np.fromfile(run / "tokens-0.bin", dtype=np.int32).astype(np.int64)
        kept = int(len(tokens) * (1 - self.recipe["data"]["validation_fraction"]))
        self.train, self.validation = torch.from_numpy(tokens[:kept]), torch.from_numpy(tokens[kept:])
        self.model = GPT2LMHeadModel.from_pretrained(start, attn_implementation="sdpa", dtype=torch.float32, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
        optimizer = self.recipe["optimizer"]
        decayed = [p for p in self.model.parameters() if p.dim() >= 2]
        others = [p for p in self.model.parameters() if p.dim() < 2]
        groups = [{"params": decayed, "weight_decay": optimizer["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, betas=(optimizer["beta1"], optimizer["beta2"]), eps=optimizer["epsilon"], fused=True)
        self.autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bf16")

    def rows(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        batch, context = self.recipe["training"]["batch"], self.recipe["data"]["context"]
        places = len(self.train) - context
        begins = [random_bits(self.recipe["seed"], 0, (step - 1) * batch + row) % places for row in range(batch)]
        index = torch.tensor(begins)[:, None] + torch.arange(context)
        return self.train[index], self.train[index + 1]

    def loss(self, ids: torch.Tensor, targets: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
        with self.autocast():
            logits = self.model(input_ids=ids).logits
        return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction=reduction)

    def step(self, step: int) -> float:
        loss = self.loss(*self.rows(step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe["training"]["clip"])
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step, self.recipe)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def validation_loss(self) -> float:
        """Each token of the split but the first predicted once, in consecutive rows of the context."""
        context, total = self.recipe["data"]["context"], 0.0
        count = len(self.validation) - 1
        whole = count // context * context
        ids, targets = self.validation[:-1], self.validation[1:]
        parts = list(zip(ids[:whole].view(-1, context).split(256), targets[:whole].view(-1, context).split(256)))
        if whole < count:
            parts.append((ids[None, whole:], targets[None, whole:]))
        with torch.no_grad():
            for ids, targets in parts:
                total += self.loss(ids, targets, "sum").item()
        return total / count


def train_ours(options, folder: Path, name: str, *overrides: str) -> Path:
    settings = [f"data.train={options.text}", f"runs={folder}", f"name={name}", "samples.every=0", "model.dropout=0", *overrides]
    recipe = common.ROOT / "recipes" / f"{RECIPES[options.setting]}.yaml"
    common.output_of([options.atelier, "train", str(recipe), "--threads", str(options.threads), *[word for key in settings for word in ("--set", key)]])
    return folder / name


def logged(run: Path, key: str) -> list[float]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [line[key] for line in lines if key in line]


def start_of(options, folder: Path, seed: int) -> Path:
    """The weights before the first step, as a folder that transformers reads."""
    still = ("training.steps=1", "training.batch=1", "training.micro_batch=0", "optimizer.learning_rate=0", "schedule.min_learning_rate=0", "evaluation.rows=1")
    return train_ours(options, folder, f"start-{seed}", f"seed={seed}", *still) / "model"


def cpu(options, folder: Path, report: common.Report) -> None:
    ours, theirs = [], []
    for seed in options.seeds:
        start = start_of(options, folder, seed)
        begin = time.perf_counter()
        run = train_ours(options, folder, f"ours-{seed}", f"seed={seed}", "evaluation.every=100000", "checkpoints.every=0")
        our_s = time.perf_counter() - begin
        peer = Theirs(run, start, options.torch)
        begin = time.perf_counter()
        losses = [peer.step(step) for step in range(1, peer.recipe["training"]["steps"] + 1)]
        their_s = time.perf_counter() - begin
        ours.append(logged(run, "validation_loss")[-1])
        theirs.append(peer.validation_loss())
        report.say(seed=seed, ours=round(ours[-1], 4), torch=round(theirs[-1], 4), first_losses=[logged(run, "loss")[0], losses[0]], ours_s=round(our_s, 1), torch_s=round(their_s, 1))
    difference = float(np.mean(ours) - np.mean(theirs))
    report.say(setting="cpu", torch_dtype=options.torch, mean_ours=round(float(np.mean(ours)), 4), mean_torch=round(float(np.mean(theirs)), 4),
               difference=round(difference, 4), bound=0.01, kept=difference <= 0.01)


def gpu(options, folder: Path, report: common.Report) -> None:
    seed = options.seeds[0]
    start = start_of(options, folder, seed)
    # Ours stops behind the last compared iteration; the schedule is that of all 5,000.
    only = ("evaluation.rows=1", "evaluation.every=100000", "checkpoints.every=0", f"schedule.decay_steps={options.schedule_steps}")
    run = train_ours(options, folder, f"ours-{seed}", f"seed={seed}", f"training.steps={options.iterations}", *only)
    ours = logged(run, "loss")
    peer = Theirs(run, start, options.torch)
    peer.recipe["training"]["steps"] = options.schedule_steps
    apart = []
    for step in range(1, options.iterations + 1):
        theirs = peer.step(step)
        apart.append(ours[step - 1] - theirs)
        if step == 1 or step % 10 == 0:
            report.say(iteration=step, ours=round(ours[step - 1], 5), torch=round(theirs, 5), difference=round(apart[-1], 5))
    largest = float(np.abs(apart).max())
    report.say(setting="gpu", torch_dtype=options.torch, iterations=options.iterations, largest=round(largest, 5), mean=round(float(np.mean(apart)), 6), bound=0.005,
               kept=largest <= 0.005)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("setting", choices=list(RECIPES))
    parser.add_argument("--text", required=True, help="tinyshakespeare.txt")
    parser.add_argument("--torch", choices=["f32", "bf16"], default="f32", help="PyTorch's precision; bf16 is autocast (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1337, 1338, 1339])
    parser.add_argument("--iterations", type=int, default=100, help="of the gpu setting (%(default)s)")
    parser.add_argument("--schedule-steps", type=int, default=5000, help="that the gpu setting's learning rate is planned for (%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as scratch:
        {"cpu": cpu, "gpu": gpu}[options.setting](options, Path(scratch), report)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
