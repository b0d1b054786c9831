#!/usr/bin/env python3
"""Perplexity of the store's models on WikiText-2 (test, context 512, first 16 windows), held to the bounds of docs/parity.md.

usage: quality.py path/to/atelier        prints a Markdown table; exits 1 when a figure leaves its bound
The text is $ATELIER_SHARED/data/lm/wikitext-2/test.txt; ATELIER_SHARED defaults to ../shared beside the repository.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

SHARED = Path(os.environ.get("ATELIER_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
TEXT = SHARED / "data/lm/wikitext-2/test.txt"

# model, --dtype, lower and upper bound. f32: within 0.05 % of llama.cpp with f32 activations; auto: at most 0.2 % above llama.cpp.
BOUNDS = [
    ("smollm2-135m-instruct", "f32", 23.536 * 0.9995, 23.536 * 1.0005),
    ("smollm2-135m-instruct", "auto", 0.0, 23.650 * 1.002),
    ("gemma3-270m", "f32", 17.203 * 0.9995, 17.203 * 1.0005),
    ("gemma3-270m", "auto", 0.0, 17.254 * 1.002),
]


def perplexity(atelier: str, model: str, dtype: str) -> float:
    command = [atelier, "perplexity", model, str(TEXT), "--context", "512", "--chunks", "16", "--dtype", dtype, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["ppl"]


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not TEXT.is_file():
        sys.exit(f"quality: error: {TEXT} is missing; set ATELIER_SHARED to the folder that holds data/lm")
    missed = 0
    print("| model | --dtype | perplexity | bound | |\n|---|---|---|---|---|")
    for model, dtype, low, high in BOUNDS:
        value = perplexity(sys.argv[1], model, dtype)
        kept = low <= value <= high
        missed += not kept
        bound = f"{low:.3f} to {high:.3f}" if low else f"at most {high:.3f}"
        print(f"| {model} | {dtype} | {value:.4f} | {bound} | {'kept' if kept else 'MISSED'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
