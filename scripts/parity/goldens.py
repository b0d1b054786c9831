#!/usr/bin/env python3
"""Logits of every architecture beside transformers' (tests/golden/models), and what llama.cpp makes of the GGUF file that we convert.

Versions  Python 3.11, numpy 2.4.6; llama-cpp-python 0.3.36 with --peer
Run       python3 scripts/parity/goldens.py [--peer] [CASE...]

For each case: the largest difference over all positions of `atelier logits` with config.json and with config_old.json, and of the
file that `atelier convert` writes, read by us and by llama.cpp (float32 keys and values, no flash attention). What GGUF cannot express
is refused by `convert`; its reason is shown. llama.cpp's own distance from transformers is held to 1e-2, not 1e-4: it reads GELU from
a table of half floats (1e-3 a layer on Gemma, GPT-2 and BLOOM). comparable_rows() says what else it does not follow.
"""
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import common

MODELS = common.ROOT / "tests/golden/models"
LLAMA_CPP_BOUND = 1e-2


def sequences_of(folder: Path) -> list[tuple[list[int], np.ndarray]]:
    golden = json.loads((folder / "golden.json").read_text())
    return [(entry["ids"], np.fromfile(folder / entry["logits_file"], "<f4").reshape(entry["shape"]))
            for entry in golden.get("sequences", [golden])]


def our_logits(options, model: Path, ids: list[int]) -> np.ndarray:
    """[T, V]; the context is planned for exactly T tokens, as transformers chooses the frequencies that depend on the length."""
    answer = common.json_of([options.atelier, "logits", str(model), "--ids", ",".join(map(str, ids)), "--dtype", "f32", "--context", str(len(ids)),
                             "--threads", str(options.threads), "--json"])
    return np.array(answer["logits"], np.float32).reshape(answer["shape"])


def largest(options, model: Path, folder: Path) -> float:
    """Of |ours - transformers|, over all sequences of the golden."""
    return max(float(np.abs(our_logits(options, model, ids) - golden).max()) for ids, golden in sequences_of(folder))


def with_old_config(folder: Path, scratch: Path) -> Path:
    copy = scratch / "old"
    copy.mkdir()
    for file in folder.iterdir():
        if file.name not in ("config.json", "config_old.json"):
            (copy / file.name).symlink_to(file)
    (copy / "config.json").symlink_to(folder / "config_old.json")
    return copy


def comparable_rows(folder: Path, length: int) -> int:
    """The leading rows of a sequence that llama.cpp computes as the config says.

    It ignores the sliding window of "llama" (Mistral) and "phi3", and its context is at least 256 tokens, so that longrope takes the
    long factors for sequences within the original length too.
    """
    config = json.loads((folder / "config.json").read_text())
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type") == "longrope" and length <= rope["original_max_position_embeddings"]:
        return 0
    window = config.get("sliding_window") if config["model_type"] in ("mistral", "phi3") else None
    return min(length, window or length)


def llama_cpp_largest(gguf: Path, folder: Path) -> dict:
    """Largest difference of llama.cpp's logits from the golden, and of how many rows out of all."""
    from llama import LlamaCpp
    largest_difference, compared, total = 0.0, 0, 0
    for ids, golden in sequences_of(folder):
        rows, width = comparable_rows(folder, len(ids)), golden.shape[1]  # a file may pad the vocabulary
        compared, total = compared + rows, total + len(ids)
        if rows > 0:
            with LlamaCpp(str(gguf), len(ids)) as peer:
                logits = peer.forward(ids)
            largest_difference = max(largest_difference, float(np.abs(logits[:rows, :width] - golden[:rows]).max()))
    return {"llama_cpp": largest_difference} | ({"llama_cpp_rows": f"{compared} of {total}"} if compared < total else {})


def measure(options, report: common.Report, folder: Path, scratch: Path) -> None:
    tolerance = json.loads((folder / "golden.json").read_text()).get("atol", 1e-4)
    gguf = scratch / "model.gguf"
    figures = {"config": largest(options, folder, folder), "config_old": largest(options, with_old_config(folder, scratch), folder)}
    try:
        common.output_of([options.atelier, "convert", str(folder), str(gguf), "--type", "F32"])
        figures["gguf"] = largest(options, gguf, folder)
    except common.Failed as refusal:
        report.say(case=folder.name, **figures, bound=tolerance, no_gguf=str(refusal), kept=max(figures.values()) <= tolerance)
        return
    kept = max(figures.values()) <= tolerance
    if options.peer:
        figures |= llama_cpp_largest(gguf, folder)
        kept = kept and figures["llama_cpp"] <= LLAMA_CPP_BOUND
    report.say(case=folder.name, **figures, bound=tolerance, kept=kept)


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--peer", action="store_true", help="also run llama.cpp on the converted file")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="folders of tests/golden/models (default: all)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    for folder in sorted(path.parent for path in MODELS.glob("*/golden.json")):
        if not options.cases or folder.name in options.cases:
            with tempfile.TemporaryDirectory() as scratch:
                measure(options, report, folder, Path(scratch))
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
