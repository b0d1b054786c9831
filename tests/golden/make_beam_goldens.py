"""Beam searches of transformers on tiny models of tests/golden/models: tests/golden/beams.json.

usage: make_beam_goldens.py > beams.json

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU); float32, eager attention
A model's end tokens are chosen among those that its searches come across, so that beams do end.
"""
import itertools, json, pathlib
import torch
from transformers import AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent / "models"
MODELS = {"llama3": [5, 9, 33], "gemma3": [4, 17], "gpt2": [3, 8, 21], "bloom": [6, 11]}  # and their prompts
SETTINGS = [
    dict(num_beams=2, length_penalty=1.0, early_stopping=False),
    dict(num_beams=4, length_penalty=0.0, early_stopping=False),
    dict(num_beams=4, length_penalty=2.0, early_stopping="never"),
    dict(num_beams=3, length_penalty=1.0, early_stopping=True),
    dict(num_beams=5, length_penalty=-0.5, early_stopping=False),
]


def common_tokens(model, prompt):
    """Tokens that a long search without an end comes across, the commonest first."""
    out = model.generate(torch.tensor([prompt]), num_beams=6, num_return_sequences=6, max_new_tokens=16, do_sample=False, eos_token_id=-1,
                         pad_token_id=0)
    counts = torch.bincount(out[:, len(prompt):].flatten())
    return counts.argsort(descending=True, stable=True).tolist()


def search(model, prompt, stop_ids, max_new_tokens, settings):
    out = model.generate(torch.tensor([prompt]), num_return_sequences=settings["num_beams"], max_new_tokens=max_new_tokens, do_sample=False,
                         eos_token_id=stop_ids, pad_token_id=0, return_dict_in_generate=True, output_scores=True, **settings)
    beams = []
    for ids, indices, score in zip(out.sequences.tolist(), out.beam_indices.tolist(), out.sequences_scores.tolist()):
        length = sum(index >= 0 for index in indices)
        beams.append({"ids": ids[len(prompt):len(prompt) + length], "score": float(f"{score:.7g}")})
    return beams


torch.set_num_threads(1)
cases = []
for name, prompt in MODELS.items():
    model = AutoModelForCausalLM.from_pretrained(ROOT / name, attn_implementation="eager", dtype=torch.float32).eval()
    common = common_tokens(model, prompt)
    for (index, settings), max_new_tokens in itertools.product(enumerate(SETTINGS), (6, 16)):
        stop_ids = common[index % 3:3 + index % 3]
        beams = search(model, prompt, stop_ids, max_new_tokens, settings)
        cases.append({"model": name, "prompt": prompt, "stop_ids": stop_ids, "max_tokens": max_new_tokens, **settings, "beams": beams})
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
