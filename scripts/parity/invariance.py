#!/usr/bin/env python3
"""The same bits, however the work is cut: SmolLM2 in every weight type and KV type, 1 and 2 threads, the prompt cut in five places.

Versions  Python 3.11, numpy 2.4.6, llama-cpp-python 0.3.36 (packs the types that we only read)
Run       python3 scripts/parity/invariance.py [TYPE...]

`atelier logits` runs 64 rows a pass, so the first T rows of a longer prompt went through other chunks than a prompt of T tokens alone:
T = 65 ends in a pass of one row behind a cache of 64, which is decoding. Compared are bits, not numbers. tests/ holds the same promise on tiny
models at every place of the cut and beside other sequences.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import common
import windows

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS"]
MODES = [("auto", "f16"), ("auto", "f32"), ("auto", "q8_0"), ("f32", "f32")]
LENGTHS = [1, 2, 17, 63, 65]
FULL = 70


def compare(options, report: common.Report, file: str, kind: str, dtype: str, kv: str, ids: list[int]) -> None:
    mode = ["--dtype", dtype, "--kv", kv]
    whole = windows.our_logits(options, file, ids, *mode)
    parted = []
    for length in LENGTHS:
        bits = windows.our_logits(options, file, ids[:length], *mode).view(np.uint32)
        if not np.array_equal(bits, whole[:length].view(np.uint32)):
            parted.append(f"first {length} alone")
    for threads in (1, 2):
        bits = windows.our_logits(options, file, ids, *mode, threads=threads).view(np.uint32)
        if not np.array_equal(bits, whole.view(np.uint32)):
            parted.append(f"{threads} threads")
    report.say(type=kind, dtype=dtype, kv=kv, lengths=LENGTHS, of=FULL, differ=parted, kept=not parted)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("types", nargs="*", metavar="TYPE", help=f"of {' '.join(TYPES)} (default: all)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    source = common.stored("smollm2-135m-instruct")
    ids = windows.windows(options, source, 1)[0][:FULL]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder, "packed.gguf"))
        for kind in options.types or TYPES:
            common.output_of(common.peer_tool("quantize", source, file, kind))
            for dtype, kv in MODES:
                compare(options, report, file, kind, dtype, kv, ids)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
