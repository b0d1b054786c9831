#!/usr/bin/env python3
"""Perplexity of the store's models on WikiText-2 (test, context 512, first 16 windows) beside llama.cpp's, held to docs/parity.md.

Versions  Python 3.11; llama-cpp-python 0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON" and numpy 2.4.6 for --peer
Run       python3 scripts/parity/perplexity.py [--peer] [MODEL...]

With --dtype f32 the product must be within 0.05 % of what llama.cpp gives with float32 activations (measured once, by a build of it
with that change); by default (int8 activations) it may be at most 0.2 % above llama.cpp's default. That figure of llama.cpp differs a
little from CPU to CPU: the bound is the stated one, --peer adds the one of this machine.
"""
import sys

import common

# Of llama.cpp: with float32 activations, and by default.
EXACT, DEFAULT = 0, 1
STATED = {"smollm2-135m-instruct": (23.536, 23.650), "gemma3-270m": (17.203, 17.254)}
CONTEXT, CHUNKS = "512", "16"


def ours(options, model: str, dtype: str) -> dict:
    return common.json_of([options.atelier, "perplexity", common.stored(model), str(common.WIKITEXT), "--context", CONTEXT, "--chunks", CHUNKS,
                           "--dtype", dtype, "--threads", str(options.threads), "--json"])


def measure(options, report: common.Report, model: str) -> None:
    exact, default = STATED[model]
    f32 = ours(options, model, "f32")["ppl"]
    report.say(model=model, dtype="f32", ppl=f32, llama_cpp_f32=exact, percent=100 * (f32 / exact - 1), bound="within 0.05 %",
               kept=abs(f32 / exact - 1) <= 0.0005)
    auto = ours(options, model, "auto")["ppl"]
    report.say(model=model, dtype="auto", ppl=auto, llama_cpp=default, percent=100 * (auto / default - 1), bound="at most 0.2 % above",
               kept=auto <= default * 1.002)
    if options.peer:
        here = common.json_of(common.peer_tool("perplexity", common.stored(model), str(common.WIKITEXT), CONTEXT, CHUNKS, str(options.threads)))
        report.say(model=model, engine="llama.cpp on this machine", ppl=here["ppl"], auto_percent=100 * (auto / here["ppl"] - 1))


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--peer", action="store_true", help="run llama.cpp here as well")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(STATED)} (default: all)")
    options = parser.parse_args()
    common.shared("data", "lm", "wikitext-2", "test.txt")
    report = common.Report()
    report.head()
    for model in options.models or STATED:
        measure(options, report, model)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
