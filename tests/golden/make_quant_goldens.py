#!/usr/bin/env python3
"""Writes tests/golden/quant.json: what the gguf package and llama.cpp's quantizer make of the block formats.

Packages: gguf 0.19.0, llama-cpp-python 0.3.36 (its libggml-base), numpy 2.

  unpack   for each format, blocks of random bytes with finite scales and the values that gguf.quants reads from them
  bytes    for the formats with 32 weights a block, the bytes that gguf.quants writes for the first weights of "heavy"
  errors   for each distribution and format, the root-mean-square error of ggml_quantize_chunk + dequantize: plain, and with an
           importance per column, weighted by that importance

The weights come from a generator that quant_test.cc repeats in exact arithmetic, so that none need be stored.
"""
import ctypes
import json
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

ROWS, COLUMNS = 16, 1024
PACKED = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K]
# Where the halves of a block stand.
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0]}


class Generator:
    """Knuth's 64-bit linear congruential generator; the upper 24 bits of its state are the draw."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):  # 0 <= u < 1
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 40) / 2**24

    def normal(self):  # near enough: twelve uniforms
        return sum(self.uniform() for _ in range(12)) - 6


def weights(distribution):
    g = Generator(7)
    out = np.empty(ROWS * COLUMNS, np.float64)
    for i in range(out.size):
        n = g.normal()
        if distribution == "normal":
            out[i] = n
        elif distribution == "heavy":
            out[i] = n * abs(g.normal()) * 0.0625
        elif distribution == "outlier":  # every 64th column is 8 times as large
            out[i] = n * (0.25 if i % 64 == 5 else 0.03125)
        elif distribution == "shifted":
            out[i] = n * 0.015625 + 0.03125
    return out.astype(np.float32).reshape(ROWS, COLUMNS)


def importance():
    g = Generator(11)
    out = np.empty(COLUMNS, np.float64)
    for i in range(COLUMNS):
        u = g.uniform()
        out[i] = u * u * u * u * 32 + 0.03125
    return out.astype(np.float32)


def load_ggml():
    import llama_cpp  # make_nf4_goldens.py shares the weights of this file and has other packages

    lib = ctypes.CDLL(str(next((pathlib.Path(llama_cpp.__file__).parent / "lib").glob("libggml-base.so"))))
    floats = ctypes.POINTER(ctypes.c_float)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [ctypes.c_int, floats, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [floats]
    return lib, floats


def rms(error, weight):
    return float(np.sqrt((weight * error.astype(np.float64) ** 2).sum() / weight.sum()))


def reference_errors(lib, floats):
    columns = importance()
    every = np.tile(columns, (ROWS, 1)).astype(np.float64)
    result = {}
    for distribution in ["normal", "heavy", "outlier", "shifted"]:
        x = weights(distribution)
        result[distribution] = {}
        for t in PACKED:
            block, size = gguf.GGML_QUANT_SIZES[t]
            packed = np.zeros((ROWS, COLUMNS // block * size), np.uint8)
            pair = []
            for weight in [None, columns]:
                pointer = None if weight is None else weight.ctypes.data_as(floats)
                lib.ggml_quantize_chunk(int(t), x.ctypes.data_as(floats), packed.ctypes.data, 0, ROWS, COLUMNS, pointer)
                pair.append(rms(gguf.dequantize(packed, t) - x, np.ones_like(every) if weight is None else every))
            result[distribution][t.name] = {"plain": pair[0], "importance": pair[1]}
    return result


def unpack_cases():
    rng = np.random.default_rng(3)
    cases = {}
    for t, places in HALVES.items():
        block, size = gguf.GGML_QUANT_SIZES[t]
        blocks = rng.integers(0, 256, (512 // block, size), dtype=np.uint8)
        for i in range(len(blocks)):
            for place in places:  # halves from subnormal to large, both signs
                half = np.float16(rng.standard_normal() * 10.0 ** rng.integers(-7, 3))
                blocks[i, place:place + 2] = np.frombuffer(half.tobytes(), np.uint8)
        values = gguf.dequantize(blocks, t).astype(np.float32)
        assert np.isfinite(values).all()
        cases[t.name] = {"bytes": blocks.tobytes().hex(), "values": values.tobytes().hex()}
    return cases


def written_bytes():
    x = weights("heavy").ravel()[:512]
    return {t.name: gguf.quantize(x, t).tobytes().hex() for t in PACKED[:5]}


def main():
    out = {"unpack": unpack_cases(), "bytes": written_bytes(), "errors": reference_errors(*load_ggml())}
    path = pathlib.Path(__file__).with_name("quant.json")
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
