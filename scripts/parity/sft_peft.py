#!/usr/bin/env python3
"""Instruction tuning of SmolLM2 beside PyTorch and PEFT: the same start, split, batches, optimizer and schedule; held-out loss before and after.

Versions  Python 3.11, torch 2.15.0, transformers 5.23.0, peft 0.21.0
Run       python3 scripts/parity/sft_peft.py full lora --data instruction-data.json [--steps 60]

The start is the store's Q4_1 file written as a float32 folder (`atelier convert`), for all. Batches are those of ours (`train --show-batch --rows`),
which PyTorch reads document by document, padded. The held-out tenth is tokenized by transformers from the chat template, loss on the
answer and its end token, so that equal losses before the first step also show that both mean the same tokens.

Bounds: before the first step the losses agree to 0.3 % (two ways of rounding to bfloat16; to 1e-4 in float32); ours falls at least as far as theirs, to 1 %; our LoRA ends within 2 % of our full tuning.
"""
import json
import math
import sys
import tempfile
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

import common

RECIPES = {"full": "smollm2_sft", "lora": "smollm2_lora"}
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
IGNORED = -100


def held_out(data: list, tokenizer, context: int) -> list[tuple[list[int], list[int]]]:
    """Ids and next-token labels of the last tenth of the records."""
    examples = []
    for record in data[int(len(data) * 0.9) :]:
        asked = record["instruction"] + ("\n\n" + record["input"] if record["input"] else "")
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": record["output"]}]
        prompt = tokenizer.apply_chat_template(messages[:1], add_generation_prompt=True, return_dict=False)
        ids = tokenizer.apply_chat_template(messages, return_dict=False)
        end = len(ids) - 1 - ids[::-1].index(tokenizer.convert_tokens_to_ids("<|im_end|>"))
        labels = [ids[t + 1] if len(prompt) <= t + 1 <= end else IGNORED for t in range(len(ids) - 1)]
        examples.append((ids[:-1][:context], labels[:context]))
    return examples


def documents(row: dict) -> list[tuple[list[int], list[int]]]:
    begins = [sum(row["lengths"][:i]) for i in range(len(row["lengths"]))]
    return [(row["ids"][b : b + n], row["labels"][b : b + n]) for b, n in zip(begins, row["lengths"])]


class Theirs:
    def __init__(self, base: Path, options, recipe: dict, with_lora: bool) -> None:
        torch.manual_seed(0)
        self.recipe, self.dtype = recipe, options.torch
        self.model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="sdpa")
        if with_lora:
            self.model = get_peft_model(self.model, LoraConfig(r=recipe["lora"]["rank"], lora_alpha=recipe["lora"]["alpha"], target_modules=TARGETS))
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        settings = recipe["optimizer"]
        self.optimizer = torch.optim.AdamW(self.parameters, betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"],
                                           weight_decay=settings["weight_decay"], fused=True)

    def loss(self, examples: list) -> torch.Tensor:
        """The sum over labelled positions."""
        longest = max(len(ids) for ids, _ in examples)
        pad = lambda values, filler: torch.tensor([list(v) + [filler] * (longest - len(v)) for v in values])
        mask = pad([[1] * len(ids) for ids, _ in examples], 0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.dtype == "bf16"):
            logits = self.model(input_ids=pad([ids for ids, _ in examples], 0), attention_mask=mask).logits
        labels = pad([labels for _, labels in examples], IGNORED)
        return torch.nn.functional.cross_entropy(logits[labels != IGNORED].float(), labels[labels != IGNORED], reduction="sum")

    def step(self, number: int, rows: list[dict]) -> None:
        count = sum(label != IGNORED for row in rows for label in row["labels"])
        for row in rows:
            (self.loss(documents(row)) / count).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe["training"]["clip"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(number)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def learning_rate(self, step: int) -> float:
        """Of step 1, 2, ...: optim/schedule.h, a cosine to zero."""
        rate, steps = self.recipe["optimizer"]["learning_rate"], self.recipe["training"]["steps"]
        warmup = round(self.recipe["schedule"]["warmup_ratio"] * steps)
        return rate * step / (warmup + 1) if step <= warmup else rate * (1 + math.cos(math.pi * (step - 1 - warmup) / (steps - warmup))) / 2

    def mean_loss(self, examples: list) -> float:
        with torch.no_grad():
            total = sum(self.loss(examples[i : i + 4]).item() for i in range(0, len(examples), 4))
        return total / sum(label != IGNORED for _, labels in examples for label in labels)


def compare(kind: str, options, folder: Path, report: common.Report) -> float:
    """The held-out loss of ours behind the last step."""
    recipe_file, base = str(common.ROOT / "recipes" / f"{RECIPES[kind]}.yaml"), folder / "base"
    settings = [f"data.train={options.data}", f"runs={folder}", f"name={kind}", f"model.from={base}", f"training.steps={options.steps}",
                "samples.answers=0", "evaluation.every=100000", "checkpoints.every=0", *options.set]
    command = [options.atelier, "train", recipe_file, "--threads", str(options.threads), "--json", *[word for one in settings for word in ("--set", one)]]
    begin = time.perf_counter()
    ours = json.loads(common.output_of(command))
    our_s = time.perf_counter() - begin
    config = common.yaml_of(folder / kind / "config.yaml")
    batch = config["training"]["batch"]
    rows = [json.loads(line) for line in common.output_of([*command, "--show-batch", "--rows", str(batch * options.steps)]).splitlines()]
    tokenizer = AutoTokenizer.from_pretrained(base)
    judged = held_out(json.loads(Path(options.data).read_text()), tokenizer, config["data"]["context"])
    theirs = Theirs(base, options, config, kind == "lora")
    before = theirs.mean_loss(judged)
    begin = time.perf_counter()
    for step in range(options.steps):
        theirs.step(step + 1, rows[batch * step : batch * (step + 1)])
    their_s = time.perf_counter() - begin
    after, end = theirs.mean_loss(judged), ours["best_validation_loss"]
    same_start = abs(ours["start_validation_loss"] - before) <= 3e-3 * before
    report.say(kind=kind, steps=options.steps, torch_dtype=options.torch, tokens=sum(len(row["ids"]) for row in rows), before=round(ours["start_validation_loss"], 4),
               torch_before=round(before, 4), after=round(end, 4), torch_after=round(after, 4), s=round(our_s), torch_s=round(their_s), kept=same_start and end <= 1.01 * after and end < before)
    return end


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("kinds", nargs="+", choices=list(RECIPES))
    parser.add_argument("--data", required=True, help="instruction-data.json")
    parser.add_argument("--steps", type=int, default=120, help="of the optimizer (%(default)s)")
    parser.add_argument("--torch", choices=["f32", "bf16"], default="bf16", help="PyTorch's precision; bf16 is autocast (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="more of the recipe, for both: optimizer.learning_rate=1e-4")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        common.output_of([options.atelier, "convert", "smollm2-135m-instruct", str(folder / "base")])
        after = {kind: compare(kind, options, folder, report) for kind in options.kinds}
    if len(after) == 2:
        report.say(lora_over_full=round(after["lora"] / after["full"], 4), bound=1.02, kept=after["lora"] <= 1.02 * after["full"])
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
