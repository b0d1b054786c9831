#!/usr/bin/env python3
"""Writes tests/golden/nf4.json: what bitsandbytes makes of weights in NF4 (Dettmers et al. 2023, arXiv:2305.14314), blocks of 64 on the CPU.

Packages: bitsandbytes 0.50.2, torch 2.15.0, numpy 2.4.6

  levels   the sixteen levels
  cases    for each distribution of make_quant_goldens.py, of the first 1,024 weights: `codes` (a hexadecimal digit a weight), `scales` (the largest
           magnitude of each block) and `values`, both little-endian float32; of all weights the root-mean-square `error`
"""
import json
import pathlib
import sys

import bitsandbytes.functional as bnb
import numpy as np
import torch

import make_quant_goldens as quant

COUNT, BLOCK = 1024, 64


def packed(x):
    """Codes, scales and values of bitsandbytes, which packs the earlier weight of two into the high half of a byte."""
    nibbles, state = bnb.quantize_4bit(torch.from_numpy(x), blocksize=BLOCK, quant_type="nf4")
    bytes_ = nibbles.numpy().ravel()
    codes = np.stack([bytes_ >> 4, bytes_ & 15], axis=1).ravel()
    return codes, state.absmax.numpy().ravel(), bnb.dequantize_4bit(nibbles, state).numpy().ravel(), state.code.numpy()


def main():
    out = {"levels": None, "cases": {}}
    for distribution in ["normal", "heavy", "outlier", "shifted"]:
        x = quant.weights(distribution).ravel()
        codes, scales, values, levels = packed(x)
        out["levels"] = levels.astype(np.float32).tobytes().hex()
        out["cases"][distribution] = {
            "codes": "".join(f"{code:x}" for code in codes[:COUNT]),
            "scales": scales[: COUNT // BLOCK].astype(np.float32).tobytes().hex(),
            "values": values[:COUNT].astype(np.float32).tobytes().hex(),
            "error": float(np.sqrt(np.mean((values - x).astype(np.float64) ** 2))),
        }
    path = pathlib.Path(__file__).with_name("nf4.json")
    path.write_text(json.dumps(out, indent=1) + "\n")
    print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
