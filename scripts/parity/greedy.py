#!/usr/bin/env python3
"""Greedy text beside llama.cpp's: the same prompt ids in, token by token until the first difference.

Versions  Python 3.11, llama-cpp-python 0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON", numpy 2.4.6
Run       python3 scripts/parity/greedy.py MODEL.gguf [--dtype f32] [--tokens 64] [--near 0.25]

prompts.txt holds the prompts, one a line, "\\n" for a line break. Where a text parts, llama.cpp's gap is shown: how far our token lies
below its best logit; and the gap of the same two tokens with exact (float32) activations. By default both engines round activations
to 8 bits, each in its own way, so that two tokens closer than --near may change places: a near tie. A wider gap must be llama.cpp's
rounding, the exact logits preferring our token; else, or when a prompt's ids differ, the bound is broken. With --dtype f32 nothing is
rounded and keys and values are float32 in both: give an F32 file then (llama.cpp rounds activations for any other) and a small --near.
"""
import sys
from pathlib import Path

import numpy as np

import common
import windows
from llama import LlamaCpp

PROMPTS = Path(__file__).with_name("prompts.txt")


def ours(options, prompt: str) -> tuple[list[int], list[dict]]:
    """The prompt's ids, and the greedy tokens: id, logprob, and the five likeliest."""
    ids = common.json_of([options.atelier, "tokenize", options.model, "--json", prompt])["ids"]
    generate = [options.atelier, "generate", options.model, "--prompt", prompt, "--max-tokens", str(options.tokens), "--dtype", options.dtype]
    greedy = ["--temperature", "0", "--repetition-penalty", "1", "--ignore-eos", "--top-logprobs", "5", "--context", str(options.context)]
    answer = common.json_of([*generate, *greedy, "--threads", str(options.threads), "--json"])
    return ids, answer["tokens"]


def first_difference(peer: LlamaCpp, ids: list[int], tokens: list[dict]) -> tuple[int, np.ndarray] | None:
    """Place of the first token that llama.cpp would not have chosen, and its logits there."""
    peer.clear()
    logits = peer.forward(ids, 1)[0]
    for at, token in enumerate(tokens):
        if int(logits.argmax()) != token["id"]:
            return at, logits
        logits = peer.forward([token["id"]], 1)[0]
    return None


def exact_gap(options, ids: list[int], their_token: int, our_token: int) -> float:
    """Logit of their token less that of ours after ids, with float32 activations."""
    logits = windows.our_logits(options, options.model, ids, "--dtype", "f32")[-1]
    return float(logits[their_token] - logits[our_token])


def compare(options, report: common.Report, peer: LlamaCpp, number: int, prompt: str) -> str:
    ids, tokens = ours(options, prompt)
    if ids != peer.tokenize(prompt):
        report.say(prompt=number, text=prompt[:40], ids="differ", ours=ids, llama_cpp=peer.tokenize(prompt), kept=False)
        return "ids differ"
    parted = first_difference(peer, ids, tokens)
    if parted is None:
        report.say(prompt=number, text=prompt[:40], prompt_tokens=len(ids), equal=len(tokens))
        return "equal"
    at, logits = parted
    chosen, best = tokens[at], int(logits.argmax())
    gap = float(logits[best] - logits[chosen["id"]])
    ours_of_best = next((entry["logprob"] for entry in chosen["top"] if entry["id"] == best), None)
    exact = exact_gap(options, ids + [token["id"] for token in tokens[:at]], best, chosen["id"])
    outcome = "near tie" if gap <= options.near else "llama.cpp's rounding" if exact < 0 else "parted"
    report.say(prompt=number, text=prompt[:40], prompt_tokens=len(ids), equal=at, outcome=outcome, llama_cpp_gap=gap, exact_gap=exact,
               our_gap=None if ours_of_best is None else chosen["logprob"] - ours_of_best,
               llama_cpp=[[int(i), float(logits[i])] for i in logits.argsort()[::-1][:2]],
               ours=[[entry["id"], entry["text"], entry["logprob"]] for entry in chosen["top"][:2]], kept=outcome != "parted")
    return outcome


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--dtype", default="auto", choices=["auto", "f32"])
    parser.add_argument("--tokens", type=int, default=64, help="tokens a prompt (%(default)s)")
    parser.add_argument("--near", type=float, default=0.25, help="gap of two logits that is a near tie: half of what rounding activations to 8 bits moves it by (%(default)s)")
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--prompts", type=int, help="only the first N")
    options = parser.parse_args()
    prompts = [line.replace("\\n", "\n") for line in PROMPTS.read_text().splitlines()][:options.prompts]
    report = common.Report()
    report.head()
    outcomes: dict[str, int] = {}
    with LlamaCpp(options.model, options.context, exact=options.dtype == "f32", threads=options.threads) as peer:
        for number, prompt in enumerate(prompts, 1):
            outcome = compare(options, report, peer, number, prompt)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    report.say(model=options.model, dtype=options.dtype, prompts=len(prompts), tokens_each=options.tokens, outcomes=outcomes)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
