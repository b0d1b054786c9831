#!/usr/bin/env python3
"""Speed beside llama.cpp: the same GGUF file, threads, prompt and length, one after the other on this machine.

usage: peers.py path/to/atelier [--rows PATTERN] [--repeat 3] [--files FOLDER]     PATTERN: a regular expression on the rows' names
Prints the table of docs/benchmarks.md. llama.cpp is measured by $ATELIER_SHARED/peers/llama_bench.py with $PEERS_PYTHON (default python3),
which needs llama-cpp-python==0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON", gguf==0.19.0 and numpy. Files that no small download has are made
once: types of SmolLM2 by llama.cpp's quantizer, a random Llama of 1.07 B parameters by random_llama.py. Run it alone on the machine.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ATELIER_SHARED", ROOT.parent / "shared"))
STORE = Path(os.environ.get("ATELIER_HOME", Path.home() / ".local/share/atelier")) / "models"
PYTHON = os.environ.get("PEERS_PYTHON", "python3")
SMOLLM2, GEMMA = str(STORE / "smollm2-135m-instruct/model.gguf"), str(STORE / "gemma3-270m/model.gguf")

SHORT = {"prompt": 512, "generate": 64, "batch": "1,16"}
LARGE = {"prompt": 512, "generate": 32, "batch": "1"}
BEHIND = {"prompt": 512, "generate": 32, "batch": "1", "depth": 4096}
LONG = {"prompt": 7680, "generate": 0, "batch": "1"}

# Name, file, type that it is packed to (None: as it is), sizes, and the goals as ratios: prefill, decode, decode x 16.
ROWS = [
    ("SmolLM2 Q4_1", SMOLLM2, None, SHORT, (6, 2, 3.5)),
    ("SmolLM2 Q4_0", SMOLLM2, "Q4_0", SHORT, (2.2, 1.5, 2)),
    ("SmolLM2 Q4_K_M", SMOLLM2, "Q4_K_M", SHORT, (2.8, 1.6, 2)),
    ("SmolLM2 Q6_K", SMOLLM2, "Q6_K", SHORT, (2.8, 1.6, 2)),
    ("SmolLM2 Q8_0", SMOLLM2, "Q8_0", SHORT, (2.8, 1.6, 2)),
    ("SmolLM2 BF16", SMOLLM2, "BF16", SHORT, (1.6, 1, None)),
    ("SmolLM2 F32", SMOLLM2, "F32", SHORT, (1.3, 1, None)),
    ("Gemma 3 270M Q4_K_M", GEMMA, None, SHORT, (2.8, 1.4, 2.5)),
    ("1.07 B Q4_0", "1b", "Q4_0", LARGE, (1.9, 1, None)),
    ("1.07 B Q4_K_M", "1b", "Q4_K_M", LARGE, (1.9, 1, None)),
    ("1.07 B Q6_K", "1b", "Q6_K", LARGE, (1.5, 1.1, None)),
    ("1.07 B Q8_0", "1b", "Q8_0", LARGE, (2.4, 1, None)),
    ("1.07 B BF16", "1b", "BF16", LARGE, (1.25, 1, None)),
    ("SmolLM2 Q4_1 behind 4,096, KV f16", SMOLLM2, None, BEHIND | {"kv": "f16"}, (3.5, 4, None)),
    ("SmolLM2 Q4_1 behind 4,096, KV q8_0", SMOLLM2, None, BEHIND | {"kv": "q8_0"}, (8, 4, None)),
    ("SmolLM2 Q4_1, prompt of 7,680", SMOLLM2, None, LONG, (3.5, None, None)),
]


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def file_of(source: str, kind: str | None, folder: Path) -> str:
    """The row's file, made when it is missing."""
    if kind is None:
        return source
    tools, widened = str(SHARED / "peers/llama_tools.py"), folder / ("1b-BF16.gguf" if source == "1b" else "smollm2-F32.gguf")
    if not widened.exists() and source == "1b":
        run([PYTHON, str(SHARED / "peers/random_llama.py"), SMOLLM2, str(widened), "1b"])
    elif not widened.exists():
        run([PYTHON, tools, "quantize", SMOLLM2, str(widened), "F32"])
    target = folder / f"{widened.stem.split('-')[0]}-{kind}.gguf"
    if not target.exists():
        run([PYTHON, tools, "quantize", str(widened), str(target), kind])
    return str(target)


def cells(ours: float, theirs: float, goal: float | None) -> str:
    if not ours or not theirs:
        return "| | | "
    mark = "" if goal is None else f" (≥ {goal})"
    return f"| {ours:.0f} | {theirs:.0f} | **{ours / theirs:.2f}**{mark} "


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atelier")
    parser.add_argument("--rows", default="", help="regular expression on the rows' names")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--files", type=Path, default=ROOT / "build/peers", help="where files that are made are kept")
    options = parser.parse_args()
    if subprocess.run([PYTHON, "-c", "import llama_cpp"], capture_output=True).returncode != 0:
        sys.exit(f"peers: error: {PYTHON} has no llama_cpp; install llama-cpp-python==0.3.36 and set PEERS_PYTHON")
    options.files.mkdir(parents=True, exist_ok=True)
    threads = str(len(os.sched_getaffinity(0)))
    print("| file | prefill | llama.cpp | ratio | decode | llama.cpp | ratio | decode × 16 | llama.cpp | ratio | limits: memory GB/s, prefill, decode |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, source, kind, sizes, goals in ROWS:
        if not re.search(options.rows, name):
            continue
        path = file_of(source, kind, options.files)
        arguments = ["--threads", threads] + [word for key, value in sizes.items() for word in (f"--{key}", str(value))]
        ours = json.loads(run([options.atelier, "bench", path, *arguments, "--repetitions", str(options.repeat), "--json"]))
        theirs = json.loads(run([PYTHON, str(SHARED / "peers/llama_bench.py"), path, *arguments, "--repeat", str(options.repeat)]))
        row = f"| {name} " + cells(ours["prefill_tok_s"], theirs["prefill_tok_s"], goals[0]) + cells(ours["decode_tok_s"], theirs["decode_tok_s"], goals[1])
        batches = [{b["batch"]: b["decode_tok_s"] for b in figures["batched"]}.get(16) for figures in (ours, theirs)]
        fraction = ", ".join("" if not value else f"{100 * value:.0f} %" for value in (ours["fraction"]["prefill"], ours["fraction"]["decode"]))
        print(row + cells(*batches, goals[2]) + f"| {ours['limits']['memory_gb_s']:.0f}, {fraction} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
