#!/usr/bin/env python3
"""Speed beside llama.cpp: the same GGUF file, threads, prompt and length, one after the other on this machine.

usage: peers.py path/to/atelier [MODEL...]      MODEL: names of the store, default all that scripts/models.tsv lists
llama.cpp is measured by $ATELIER_SHARED/peers/llama_bench.py with $PEERS_PYTHON (default python3), which needs
llama-cpp-python==0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON". Run it alone on the machine.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ATELIER_SHARED", ROOT.parent / "shared"))
STORE = Path(os.environ.get("ATELIER_HOME", Path.home() / ".local/share/atelier")) / "models"
SIZES = ["--threads", str(len(os.sched_getaffinity(0))), "--prompt", "512", "--generate", "128"]


def measure(command: list[str]) -> dict:
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> int:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    models = sys.argv[2:] or sorted({row.split("\t")[1] for row in (ROOT / "scripts/models.tsv").read_text().splitlines() if row.startswith("model\t")})
    python = os.environ.get("PEERS_PYTHON", "python3")
    if subprocess.run([python, "-c", "import llama_cpp"], capture_output=True).returncode != 0:
        sys.exit(f"peers: error: {python} has no llama_cpp; install llama-cpp-python==0.3.36 and set PEERS_PYTHON")
    print("| model | figure | atelier | llama.cpp | ratio |\n|---|---|---|---|---|")
    for model in models:
        ours = measure([sys.argv[1], "bench", model, *SIZES, "--json"])
        theirs = measure([python, str(SHARED / "peers/llama_bench.py"), str(STORE / model / "model.gguf"), *SIZES])
        for figure in ("prefill_tok_s", "decode_tok_s"):
            print(f"| {model} | {figure} | {ours[figure]:.1f} | {theirs[figure]:.1f} | {ours[figure] / theirs[figure]:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
