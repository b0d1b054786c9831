#!/usr/bin/env python3
"""Writes tests/golden/encoders/<case>/: tiny random encoders and what transformers makes of a few sequences. See README.md.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_encoder_goldens.py [CASE...]        all cases by default
Result    golden.json: for each sequence ids, segments and the files of its outputs, each a float32 array: hidden [T, C], pooled [C],
          logits [T, V] of the language head, task of the task's head. Every sequence runs alone, so that nothing of padding shows

Before a case is written, every tensor must change one of its outputs.
"""

import copy
import json
import pathlib
import shutil
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

from encoder_cases import CASES, Case, model_class
from make_model_goldens import ATOL, VERSION, distance, rng_of, weight_scale, write_json

ROOT = pathlib.Path(__file__).resolve().parent / "encoders"


def build(case: Case):
    cls = model_class(case)
    return cls._from_config(cls.config_class(**copy.deepcopy(case.config)), attn_implementation="eager", dtype=torch.float32).eval()


def randomize(model: torch.nn.Module, case: Case) -> None:
    """Fills every parameter in place; a parameter's values depend on the case's and its own name only."""
    for module_name, module in model.named_modules():
        for name, weight in module.named_parameters(recurse=False):
            mean, deviation = weight_scale(module, name, weight)
            values = mean + deviation * rng_of(case.name, module_name, name).standard_normal(tuple(weight.shape))
            with torch.no_grad():
                weight.copy_(torch.from_numpy(values.astype(np.float32)))
    model.tie_weights()


def outputs_of(model, ids: list[int], segments: list[int]) -> dict[str, np.ndarray]:
    """What the model says of one sequence, by the names of golden.json."""
    inputs = {"input_ids": torch.tensor([ids])}
    if getattr(model.config, "type_vocab_size", 0) > 0:
        inputs["token_type_ids"] = torch.tensor([segments])
    if type(model).__name__.endswith("MultipleChoice"):
        inputs = {key: value.unsqueeze(0) for key, value in inputs.items()}
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
    found = {"hidden": out.hidden_states[-1][0]}
    if getattr(out, "pooler_output", None) is not None:
        found["pooled"] = out.pooler_output[0]
    name = type(model).__name__
    if name.endswith("PreTraining"):
        found |= {"logits": out.prediction_logits[0], "task": out.seq_relationship_logits[0]}
    elif name.endswith("MaskedLM"):
        found["logits"] = out.logits[0]
    elif name.endswith("QuestionAnswering"):
        found["task"] = torch.stack([out.start_logits[0], out.end_logits[0]], dim=1)
    elif hasattr(out, "logits"):
        found["task"] = out.logits[0]
    return {key: value.float().numpy() for key, value in found.items()}


def sequences_of(case: Case) -> list[tuple[list[int], list[int]]]:
    sequences = []
    for length in case.lengths:
        rng = rng_of(case.name, "ids", length)
        border = int(rng.randint(0, length + 1)) if case.config.get("type_vocab_size", 0) > 1 else length
        sequences.append((rng.randint(3, case.config["vocab_size"], length).tolist(), [0] * border + [1] * (length - border)))
    return sequences


def check_everything_matters(case: Case, weights: dict, goldens: list[dict[str, np.ndarray]]) -> None:
    model = build(case)
    for name, _ in model.named_parameters():
        model.load_state_dict(weights)
        weight = model.get_parameter(name)
        with torch.no_grad():
            weight += 0.3 * torch.from_numpy(1 + rng_of("move", name).standard_normal(tuple(weight.shape))).float()
        moved = max(distance(new[key], golden[key]) for (ids, segments), golden in zip(sequences_of(case), goldens)
                    for new in [outputs_of(model, ids, segments)] for key in golden)
        # A key's bias adds the same to every score of a query: softmax does not see it.
        if moved < 20 * ATOL and not name.endswith(("key.bias", "k_lin.bias")):
            raise SystemExit(f"{case.name}: no output depends on {name}")


def rename_to_first(file: pathlib.Path) -> None:
    tensors = {}
    for name, tensor in load_file(file).items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        tensors[name] = tensor
    save_file(tensors, file, metadata={"format": "pt"})


def make(case: Case) -> None:
    model = build(case)
    randomize(model, case)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    goldens = [outputs_of(model, ids, segments) for ids, segments in sequences_of(case)]
    check_everything_matters(case, weights, goldens)
    folder = ROOT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    if case.has_first_names:
        rename_to_first(folder / "model.safetensors")
    entries = []
    for index, ((ids, segments), golden) in enumerate(zip(sequences_of(case), goldens)):
        entry = {"ids": ids, "segments": segments}
        for key, value in golden.items():
            entry[key] = f"{key}-{index}.f32"
            (folder / entry[key]).write_bytes(np.ascontiguousarray(value).astype("<f4").tobytes())
        entries.append(entry)
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    (folder / "golden.json").write_text(f'{{"atol": {ATOL}, "sequences": [\n{lines}\n]}}\n')
    for file in folder.iterdir():
        file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{case.name:24} {size / 1024:6.1f} KiB  " + ", ".join(f"{key} {value.std():.2f}" for key, value in goldens[-1].items()))


def main(names: list[str]) -> None:
    if transformers.__version__ != VERSION:
        raise SystemExit(f"transformers is {transformers.__version__}; the goldens are defined by {VERSION}")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    unknown = set(names) - {case.name for case in CASES}
    if unknown:
        raise SystemExit(f"no such case: {', '.join(sorted(unknown))}")
    for case in CASES:
        if not names or case.name in names:
            make(case)


if __name__ == "__main__":
    main(sys.argv[1:])
