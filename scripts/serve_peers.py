#!/usr/bin/env python3
"""Load beside llama-server: the same GGUF file, threads, prompts and lengths, one server after the other, one load generator for both.

usage: serve_peers.py ATELIER LLAMA_SERVER [--types Q4_1,Q4_0,Q8_0] [--streams 1,8,32] [--cache off,on] [--files FOLDER]
Prints the table "Load" of docs/benchmarks.md: `atelier bench serve`, closed loop, prompts of 128 tokens, 64 forced. Cache off: all prompts
differ, and llama-server keeps none; on: they have their first 96 tokens in common. LLAMA_SERVER is built from the sources inside
llama-cpp-python==0.3.36 (pip download --no-deps --no-binary :all:, then vendor/llama.cpp):
  cmake -B build -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF && cmake --build build -t llama-server
Types of SmolLM2 that no small download has are made by `atelier quantize`; both servers read the same file. Run it alone on the machine.
"""
import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from peers import ROOT, SMOLLM2, run

PROMPT, SHARED, GENERATE = 128, 96, 64
CONTEXT = 256  # of one stream
GOALS = {"Q4_1": 3.5, "Q4_0": 2, "Q8_0": 2}  # of the throughput at 8 and 32 streams
THREADS = str(len(os.sched_getaffinity(0)))


def file_of(kind: str, atelier: str, folder: Path) -> str:
    """SmolLM2 in a type, made when it is missing; the download is Q4_1."""
    target = folder / f"smollm2-{kind}.gguf"
    if kind != "Q4_1" and not target.exists():
        run([atelier, "quantize", SMOLLM2, str(target), "--type", kind])
    return SMOLLM2 if kind == "Q4_1" else str(target)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen) -> None:
    for _ in range(600):
        if server.poll() is not None:
            sys.exit(f"serve_peers: error: {server.args[0]} ended with status {server.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"serve_peers: error: {url} does not answer")


def measure(atelier: str, command: list[str], url: str, streams: int, cache: bool) -> dict:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(url, server)
        # Two rounds and a half of many streams, so that clients do not march in step.
        requests = {1: 6, 8: 24}.get(streams, 2 * streams + streams // 2)
        load = [atelier, "bench", "serve", url, "--streams", str(streams), "--requests", str(requests), "--warmup", str(min(streams, 8)), "--json"]
        sizes = ["--prompt", str(PROMPT), "--generate", str(GENERATE), "--shared", str(SHARED if cache else 0)]
        report = json.loads(run(load + sizes))
    finally:
        server.terminate()
        server.wait()
    if report["completed"] != requests or report["short"]:
        sys.exit(f"serve_peers: error: {command[0]}: {report['completed']} of {requests} answers, {report['short']} of another length: {report['failed']}")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atelier")
    parser.add_argument("llama_server")
    parser.add_argument("--types", default="Q4_1,Q4_0,Q8_0")
    parser.add_argument("--streams", default="1,8,32")
    parser.add_argument("--cache", default="off,on")
    parser.add_argument("--files", type=Path, default=ROOT / "build/peers", help="where files that are made are kept")
    options = parser.parse_args()
    options.files.mkdir(parents=True, exist_ok=True)
    print("| type, cache, streams | tokens/s | llama-server | ratio | first token p50, p95 ms | llama-server | between tokens p50, p95 ms | llama-server | fairness | llama-server |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind in options.types.split(","):
        path = file_of(kind, options.atelier, options.files)
        for cache in options.cache.split(","):
            for streams in map(int, options.streams.split(",")):
                port = free_port()
                url = f"http://127.0.0.1:{port}"
                ours = measure(options.atelier, [options.atelier, "serve", path, "--port", str(port), "--threads", THREADS, "--parallel", str(streams),
                                                 "--context", str(CONTEXT)], url, streams, cache == "on")
                theirs = measure(options.atelier, [options.llama_server, "-m", path, "--port", str(port), "-t", THREADS, "-tb", THREADS, "-np", str(streams),
                                                   "-c", str(CONTEXT * streams), *(["--cache-ram", "0", "--no-cache-prompt"] if cache == "off" else [])],
                                 url, streams, cache == "on")
                goal = f" (≥ {GOALS[kind]})" if streams > 1 else ""
                times = [f"{report[what]['p50']:.0f}, {report[what]['p95']:.0f}" for what in ("ttft_ms", "between_ms") for report in (ours, theirs)]
                print(f"| {kind}, {cache}, {streams} | {ours['output_tok_s']:.0f} | {theirs['output_tok_s']:.0f} | **{ours['output_tok_s'] / theirs['output_tok_s']:.2f}**{goal} "
                      f"| {' | '.join(times)} | {ours['fairness']:.2f} | {theirs['fairness']:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
