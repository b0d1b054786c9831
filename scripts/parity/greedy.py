#!/usr/bin/env python3
"""Greedy text beside llama.cpp's: the same prompt ids in, token by token until the first difference.

Versions  Python 3.11, llama-cpp-python 0.3.36 built with CMAKE_ARGS="-DGGML_NATIVE=ON", numpy 2.4.6
Run       python3 scripts/parity/greedy.py MODEL.gguf [--dtype f32] [--tokens 64] [--near 0.2]

prompts.txt holds the prompts, one a line, "\\n" for a line break. A text that parts is a near tie when llama.cpp's own two best logits
lie closer than --near at that place: then either choice is within the rounding of activations to int8 (--dtype auto) or of float16
keys and values. With --dtype f32 both engines keep float32 keys and values; give an F32 file then, llama.cpp rounds activations
for any other. A prompt whose ids differ, or a difference that is no near tie, breaks the bound.
"""
import sys
from pathlib import Path

import numpy as np

import common
from llama import LlamaCpp

PROMPTS = Path(__file__).with_name("prompts.txt")


def ours(options, prompt: str) -> tuple[list[int], list[dict]]:
    """The prompt's ids, and the greedy tokens: id, logprob, and the two likeliest."""
    ids = common.json_of([options.atelier, "tokenize", options.model, "--json", prompt])["ids"]
    generate = [options.atelier, "generate", options.model, "--prompt", prompt, "--max-tokens", str(options.tokens), "--dtype", options.dtype]
    greedy = ["--temperature", "0", "--repetition-penalty", "1", "--ignore-eos", "--top-logprobs", "2", "--context", str(options.context)]
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
    best = logits.argsort()[::-1][:2]
    gap = float(logits[best[0]] - logits[best[1]])
    top = tokens[at]["top"]
    is_near = gap <= options.near and tokens[at]["id"] == int(best[1])
    report.say(prompt=number, text=prompt[:40], prompt_tokens=len(ids), equal=at, near_tie=is_near, llama_cpp_gap=gap,
               our_gap=top[0]["logprob"] - top[1]["logprob"], llama_cpp=[[int(i), float(logits[i])] for i in best],
               ours=[[entry["id"], entry["text"], entry["logprob"]] for entry in top], kept=is_near)
    return "near tie" if is_near else "parted"


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--dtype", default="auto", choices=["auto", "f32"])
    parser.add_argument("--tokens", type=int, default=64, help="tokens a prompt (%(default)s)")
    parser.add_argument("--near", type=float, default=0.2, help="gap of two logits that is a near tie (%(default)s)")
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
