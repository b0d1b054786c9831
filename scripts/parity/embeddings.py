#!/usr/bin/env python3
"""Vectors of `atelier embed` beside sentence-transformers', text by text.

Versions  Python 3.11, sentence-transformers 5.1.0, transformers 5.23.0, torch 2.15.0, numpy 2.4.6
Run       python3 scripts/parity/embeddings.py [--model minilm-l6]

Texts: sentences of SST-2, and pieces of WikiText-2 that are longer than what the model takes, so that their ends are cut off.
Bound: float32 within 1e-5 of a cosine of 1 for every text; bf16 and int8 are shown.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np

import common

FLOAT32_BOUND = 1e-5


def texts() -> list[str]:
    sentences = [line.split("\t")[0] for line in common.shared("data", "classification", "sst2", "dev.tsv").read_text().splitlines()]
    words = common.WIKITEXT.read_text().split()
    pieces = [" ".join(words[begin : begin + 400]) for begin in range(0, 400 * 40, 400)]
    return [text.strip() for text in sentences] + pieces + ["", "Grüße aus Köln, 日本語 & 🙂"]


def reference(folder: Path, lines: list[str]) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu").encode(lines, batch_size=32, convert_to_numpy=True)


def ours(options, folder: Path, lines: list[str], dtype: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "texts.txt"), Path(scratch, "vectors.npy")
        source.write_text("".join(line + "\n" for line in lines))
        common.output_of([options.atelier, "embed", str(folder), "--input", str(source), "--out", str(target), "--dtype", dtype, "--threads",
                    str(options.threads)])
        return np.load(target)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--model", default="minilm-l6", help="a sentence-transformers folder of the store (%(default)s)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    folder, lines = common.STORE / options.model, texts()
    wanted = reference(folder, lines)
    for dtype in ("f32", "bf16", "int8"):
        got = ours(options, folder, lines, dtype)
        cosines = (got * wanted).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(wanted, axis=1)
        worst = float(1 - cosines.min())
        report.say(model=options.model, dtype=dtype, texts=len(lines), mean_cosine=float(cosines.mean()), worst=worst,
                   **({"bound": FLOAT32_BOUND, "kept": worst <= FLOAT32_BOUND} if dtype == "f32" else {}))
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
