"""Perplexity and divergence from logits: windows of WikiText-2, second half scored, as `atelier perplexity` does. Needs numpy 2.4.6."""
import tempfile
from pathlib import Path

import numpy as np

import common

CONTEXT = 512


def windows(options, model: str, count: int) -> list[list[int]]:
    """The text's first windows of ids; a BOS replaces the first token of each where the model adds one."""
    tokenize = [options.atelier, "tokenize", model, "--file", str(common.WIKITEXT), "--json"]
    ids, bare = common.json_of(tokenize)["ids"], common.json_of([*tokenize, "--bare"])["ids"]
    cut = [ids[at * CONTEXT:(at + 1) * CONTEXT] for at in range(count)]
    return cut if len(ids) == len(bare) else [[ids[0], *window[1:]] for window in cut]


def our_logits(options, model: str, ids: list[int], *more: str, threads: int | None = None) -> np.ndarray:
    """[T, V] float32 by `atelier logits`; threads: other than --threads."""
    with tempfile.TemporaryDirectory() as scratch:
        out = str(Path(scratch, "logits.npy"))
        common.output_of([options.atelier, "logits", model, "--ids", ",".join(map(str, ids)), "--context", str(len(ids)), "--out", out,
                          "--threads", str(threads or options.threads), *more])
        return np.load(out)


def scored_logprobs(logits: np.ndarray) -> np.ndarray:
    """[255, V] float32: log-probabilities at the places whose next token is scored."""
    rows = logits[CONTEXT // 2:CONTEXT - 1].astype(np.float64)
    rows -= rows.max(1, keepdims=True)
    return (rows - np.log(np.exp(rows).sum(1, keepdims=True))).astype(np.float32)


def nll(logprobs: np.ndarray, ids: list[int]) -> np.ndarray:
    return -logprobs[np.arange(len(logprobs)), ids[CONTEXT // 2 + 1:]].astype(np.float64)


def divergence(reference: np.ndarray, logprobs: np.ndarray) -> np.ndarray:
    """KL(reference || model) of each row, nats."""
    return (np.exp(reference) * (reference - logprobs)).sum(1, dtype=np.float64)
