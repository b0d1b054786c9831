#!/usr/bin/env python3
"""One file, two engines: logits of every weight type beside llama.cpp's on a random model 1,024 wide.

Versions  Python 3.11, numpy 2.4.6, llama-cpp-python 0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON", gguf 0.19.0
Run       python3 scripts/parity/weight_types.py [--tokens 96] [TYPE...]

llama.cpp packs the model of peers/random_llama.py to each type. Both engines keep float32 keys and values. llama.cpp rounds
activations to 8 bits for quantized weights, so its distance from our --dtype f32 is its rounding, and "ours_auto_f32" is ours alone.
Bound: in mean KL our rounding lies at most 1.5 times as far from exact as llama.cpp's. F32, F16 and BF16 weights have no such bound:
llama.cpp rounds activations to the weights' type there, we do not.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import common
import windows
from llama import LlamaCpp

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_S", "Q4_K_S", "Q3_K_S", "Q2_K", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS"]


def logprobs(logits: np.ndarray) -> np.ndarray:
    rows = logits.astype(np.float64)
    rows -= rows.max(1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(1, keepdims=True))


def distance(a: np.ndarray, b: np.ndarray) -> dict:
    return {"max": float(np.abs(a - b).max()), "mean": float(np.abs(a - b).mean()), "kl": float(windows.divergence(logprobs(a), logprobs(b)).mean())}


def compare(options, report: common.Report, source: str, kind: str, scratch: Path, ids: list[int]) -> None:
    file = str(scratch / "packed.gguf")
    common.output_of(common.peer_tool("quantize", source, file, kind))
    with LlamaCpp(file, len(ids), threads=options.threads) as peer:
        theirs = peer.forward(ids)
    exact = windows.our_logits(options, file, ids, "--dtype", "f32")
    auto = windows.our_logits(options, file, ids, "--kv", "f32")
    ours_to_exact, theirs_to_exact = distance(exact, auto), distance(exact, theirs)
    is_rounded = kind not in ("F32", "F16", "BF16")
    bound = {"kept": ours_to_exact["kl"] <= 1.5 * theirs_to_exact["kl"] + 1e-9} if is_rounded else {}
    report.say(type=kind, logit_deviation=float(exact.std()), f32_llama_cpp=theirs_to_exact, auto_llama_cpp=distance(theirs, auto),
               ours_auto_f32=ours_to_exact, **bound)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("types", nargs="*", metavar="TYPE", help=f"of {' '.join(TYPES)} (default: all)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        smollm2, source = common.stored("smollm2-135m-instruct"), str(scratch / "random.gguf")
        common.output_of([sys.executable, str(common.shared("peers", "random_llama.py")), smollm2, source, "m"])
        ids = windows.windows(options, smollm2, 1)[0][:options.tokens]
        for kind in options.types or TYPES:
            compare(options, report, source, kind, scratch, ids)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
