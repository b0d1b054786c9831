#!/usr/bin/env python3
"""Compares the logits of a GGUF file in llama.cpp, in atelier and, if given, in a golden. Not part of CI.

Versions  Python 3.11, llama-cpp-python 0.3.36, numpy 2.4.6
Run       atelier convert tests/golden/models/llama3 llama3.gguf
          python3 tests/golden/check_gguf_parity.py llama3.gguf --golden tests/golden/models/llama3
          python3 tests/golden/check_gguf_parity.py model.gguf --ids 1,17,45
Result    one line per pair and sequence with the largest difference over all positions; exit status 1 if the
          difference between atelier and llama.cpp is above --atol

llama.cpp runs here with f32 keys and values and without flash attention, one token row per position. What is left
of a difference on an F32 file comes from it: GELU reads a table of half floats (1e-3 a layer: use --atol 1e-2 on
Gemma, GPT-2 and BLOOM), and its context is at least 256 tokens, so that longrope takes the long factors for every
sequence when the model's original context is smaller.
"""

import argparse
import ctypes
import json
import pathlib
import subprocess
import sys

import llama_cpp
import numpy as np


def llama_cpp_logits(path: str, ids: list[int], threads: int) -> np.ndarray:
    """[T, V] float32 by llama.cpp, from the low-level calls: a file without a vocabulary works too."""
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp cannot load {path}")
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = max(256, len(ids))
    params.n_threads = params.n_threads_batch = threads
    params.type_k = params.type_v = llama_cpp.GGML_TYPE_F32
    params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    context = llama_cpp.llama_init_from_model(model, params)
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, True
    if llama_cpp.llama_decode(context, batch) != 0:
        raise SystemExit(f"llama.cpp cannot run {path}")
    width = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    rows = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), (width,)).copy() for i in range(len(ids))]
    llama_cpp.llama_batch_free(batch)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return np.stack(rows)


def atelier_logits(binary: str, path: str, ids: list[int], dtype: str, threads: int) -> np.ndarray:
    """[T, V] float32 by `atelier logits`."""
    command = [binary, "logits", path, "--ids", ",".join(map(str, ids)), "--json", "--dtype", dtype, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
    answer = json.loads(done.stdout)
    return np.array(answer["logits"], dtype=np.float32).reshape(answer["shape"])


def golden_sequences(folder: pathlib.Path) -> list[tuple[list[int], np.ndarray]]:
    golden = json.loads((folder / "golden.json").read_text())
    return [(entry["ids"], np.fromfile(folder / entry["logits_file"], "<f4").reshape(entry["shape"]))
            for entry in golden.get("sequences", [golden])]


def report(label: str, a: np.ndarray, b: np.ndarray) -> float:
    """Prints and returns max |a - b|; files may pad the vocabulary, so the common columns are compared."""
    width = min(a.shape[1], b.shape[1])
    difference = np.abs(a[:, :width] - b[:, :width])
    same_best = (a[:, :width].argmax(1) == b[:, :width].argmax(1)).mean()
    print(f"{label:24} T={len(a)} V={width}: max {difference.max():.2e} at position {difference.max(1).argmax()}, "
          f"mean {difference.mean():.2e}, same best token {100 * same_best:.1f} %")
    return float(difference.max())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf")
    parser.add_argument("--golden", type=pathlib.Path, help="a folder of tests/golden/models; gives the ids and a third opinion")
    parser.add_argument("--ids", help="token ids, comma-separated, instead of --golden")
    parser.add_argument("--atelier", default="build/release/atelier", help="the binary (%(default)s); 'none' leaves it out")
    parser.add_argument("--dtype", default="f32", help="atelier's --dtype (%(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--atol", type=float, default=1e-4, help="limit between atelier and llama.cpp (%(default)s)")
    options = parser.parse_args()
    if (options.golden is None) == (options.ids is None):
        parser.error("give one of --golden and --ids")

    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    sequences = golden_sequences(options.golden) if options.golden else [([int(i) for i in options.ids.split(",")], None)]
    worst = 0.0
    for ids, golden in sequences:
        theirs = llama_cpp_logits(options.gguf, ids, options.threads)
        if golden is not None:
            report("llama.cpp - transformers", theirs, golden)
        if options.atelier == "none":
            continue
        ours = atelier_logits(options.atelier, options.gguf, ids, options.dtype, options.threads)
        worst = max(worst, report("atelier - llama.cpp", ours, theirs))
        if golden is not None:
            report("atelier - transformers", ours, golden)
    return int(worst > options.atol)


if __name__ == "__main__":
    sys.exit(main())
