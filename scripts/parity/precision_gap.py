#!/usr/bin/env python3
"""bfloat16 products beside float32 ones: a recipe twice, from the same weights on the same batches, and how far the losses are apart.

Versions  Python 3.11, PyYAML 6
Run       python3 scripts/parity/precision_gap.py recipes/shakespeare_char_cpu.yaml --set data.train=tinyshakespeare.txt [--steps 100]

The learning rate goes as in the whole run, of which these are the first steps; dropout and samples are off. Where the CPU has no bfloat16 products,
both runs are the same and the script says so. There is no bound: the gap is to be stated.
"""
import json
import sys
import tempfile
from pathlib import Path

import common


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--steps", type=int, default=100, help="of both (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="more of the recipe, for both: data.train=input.txt")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    planned = common.yaml_of(options.recipe)["training"]["steps"]
    losses, held_out = {}, {}
    with tempfile.TemporaryDirectory() as scratch:
        for precision in ("f32", "bf16"):
            settings = [f"model.precision={precision}", f"name={precision}", f"runs={scratch}", f"training.steps={options.steps}", f"schedule.decay_steps={planned}",
                        "model.dropout=0", "samples.every=0", "samples.answers=0", "evaluation.every=0", "checkpoints.every=0", *options.set]
            common.output_of([options.atelier, "train", str(options.recipe), "--threads", str(options.threads), *[word for one in settings for word in ("--set", one)]])
            log = [json.loads(line) for line in (Path(scratch) / precision / "log.jsonl").read_text().splitlines()]
            losses[precision] = [line["loss"] for line in log if "loss" in line]
            held_out[precision] = [line["validation_loss"] for line in log if "validation_loss" in line][-1:]
    apart = [bf16 - f32 for f32, bf16 in zip(losses["f32"], losses["bf16"])]
    for step in range(10, options.steps + 1, 10):
        report.say(step=step, f32=round(losses["f32"][step - 1], 5), bf16=round(losses["bf16"][step - 1], 5), difference=round(apart[step - 1], 6))
    report.say(recipe=options.recipe.stem, steps=options.steps, largest=max(map(abs, apart)), mean=sum(apart) / len(apart), held_out=held_out,
               same_bits=losses["f32"] == losses["bf16"])
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
