#!/usr/bin/env python3
"""Writes tests/golden/models/<case>/: tiny random models and their logits by transformers. See README.md.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), tokenizers 0.23.3, safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_model_goldens.py [CASE...]        all cases by default
Result    the same bytes at every run with these versions; another torch may move the last bits of the logits

Before a case is written it must pass, in this order:
  1. its logits are of a size where atol means something, and move little when every weight moves by one ulp;
  2. every tensor and every setting named in Case.matters changes them;
  3. the files on disk, read back by AutoModelForCausalLM with config.json and with config_old.json in its place, give
     the same bits.
"""

import copy
import json
import pathlib
import shutil
import sys
import tempfile
import zlib

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.pytorch_utils import Conv1D

import tiny_tokenizer
from model_cases import CASES, DROP, Case
from old_config import apply_edits, old_form

VERSION = "5.23.0"
ATOL = 1e-4
ROOT = pathlib.Path(__file__).resolve().parent / "models"
SKIPPED_TENSORS = ("vision_tower", "multi_modal_projector")


def rng_of(*labels) -> np.random.RandomState:
    """A generator of its own per label; RandomState's stream is frozen across numpy versions."""
    return np.random.RandomState(zlib.crc32("/".join(map(str, labels)).encode()))


def build(case: Case, edits: dict | None = None):
    config = case.config_class(**copy.deepcopy(case.config | (edits or {})))
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()


def weight_scale(module: torch.nn.Module, name: str, weight: torch.Tensor) -> tuple[float, float]:
    """(mean, deviation) that keep activations, scores and logits of order one without making any part negligible."""
    if name == "bias":
        return 0.0, 0.3
    if weight.ndim == 1:  # a norm; Gemma stores its weights minus one
        return (0.0 if type(module).__name__.startswith("Gemma") else 1.0), 0.25
    if isinstance(module, torch.nn.Embedding):
        return 0.0, 0.6
    fan_in = weight.shape[0] if isinstance(module, Conv1D) else weight[0].numel()
    return 0.0, 1.25 / fan_in**0.5


def randomize(model: torch.nn.Module, case: Case) -> None:
    """Fills every parameter in place; a parameter's values depend on the case's and its own name only."""
    for module_name, module in model.named_modules():
        for name, weight in module.named_parameters(recurse=False):
            mean, deviation = weight_scale(module, name, weight)
            if case.qk_norm_mean is not None and module_name.endswith(("q_norm", "k_norm")):
                mean = case.qk_norm_mean
            if module_name == "lm_head" and not model.config.get_text_config().tie_word_embeddings:
                deviation *= 1.5
            values = mean + deviation * rng_of(case.name, module_name, name).standard_normal(tuple(weight.shape))
            with torch.no_grad():
                weight.copy_(torch.from_numpy(values.astype(np.float32)))
    model.tie_weights()
    if case.stored == "bf16":
        model.to(torch.bfloat16).to(torch.float32)


def logits_of(model, ids: list[int]) -> np.ndarray:
    """[T, V] float32, the whole sequence at once, without a cache."""
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float().numpy()


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max())


def check_size_and_conditioning(case: Case, weights: dict, ids: list[int], golden: np.ndarray) -> float:
    """Returns how far one ulp on every weight moves the logits: the noise that any float32 implementation has."""
    if not 0.5 < golden.std() < 8.0:
        raise SystemExit(f"{case.name}: standard deviation of the logits is {golden.std():.3f}; wanted 0.5 to 8")
    nudged = {key: value * torch.from_numpy(1 + 2.0**-23 * rng_of("nudge", key).standard_normal(tuple(value.shape))).float()
              for key, value in weights.items()}
    model = build(case)
    model.load_state_dict(nudged)
    moved = distance(logits_of(model, ids), golden)
    if moved > ATOL / 4:
        raise SystemExit(f"{case.name}: one ulp on the weights moves the logits by {moved:.1e}; wanted less than {ATOL / 4:.1e}")
    return moved


def check_everything_matters(case: Case, weights: dict, ids: list[int], golden: np.ndarray) -> None:
    model = build(case)
    for name, _ in model.named_parameters():
        if any(part in name for part in SKIPPED_TENSORS):
            continue
        model.load_state_dict(weights)
        weight = model.get_parameter(name)
        with torch.no_grad():
            weight += 0.1 * torch.from_numpy(rng_of("move", name).standard_normal(tuple(weight.shape))).float()
        if distance(logits_of(model, ids), golden) < 20 * ATOL:
            raise SystemExit(f"{case.name}: the logits do not depend on {name}")
    for setting, edits in case.matters.items():
        model = build(case, edits)
        model.load_state_dict(weights)
        if (moved := distance(logits_of(model, ids), golden)) < 20 * ATOL:
            raise SystemExit(f"{case.name}: the logits do not depend on '{setting}' (moved by {moved:.1e})")


def rename_tensors(case: Case, file: pathlib.Path, n_positions: int) -> None:
    """Gives a file the tensor names, and the useless mask buffers, of checkpoints saved from the bare model."""
    tensors = {name.removeprefix(case.strip_prefix): tensor for name, tensor in load_file(file).items()}
    if case.mask_buffers:
        mask = torch.tril(torch.ones(n_positions, n_positions)).view(1, 1, n_positions, n_positions)
        layers = {name.split(".")[1] for name in tensors if name.startswith("h.")}
        tensors |= {f"h.{layer}.attn.bias": mask.clone() for layer in layers}
    save_file(tensors, file, metadata={"format": "pt"})


def write_model(case: Case, model, folder: pathlib.Path) -> None:
    stored = copy.deepcopy(model).to(torch.bfloat16) if case.stored == "bf16" else model
    stored.save_pretrained(folder, max_shard_size=case.shard_bytes or "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    if case.strip_prefix:
        rename_tensors(case, folder / "model.safetensors", getattr(model.config, "n_positions", 0))
    old = old_form(json.loads((folder / "config.json").read_text()), case.old_rope_key)
    apply_edits(old, case.old, DROP)
    write_json(folder / "config_old.json", old)


def write_json(file: pathlib.Path, value) -> None:
    file.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_golden(case: Case, folder: pathlib.Path, sequences: list[tuple[list[int], np.ndarray]]) -> None:
    entries = []
    for index, (ids, logits) in enumerate(sequences):
        name = "logits.f32" if len(sequences) == 1 else f"logits-{index}.f32"
        (folder / name).write_bytes(logits.astype("<f4").tobytes())
        entries.append({"ids": ids, "logits_file": name, "shape": list(logits.shape)})
    body = entries[0] if len(entries) == 1 else {"sequences": entries}
    lines = [f' "{key}": {json.dumps(value)}' for key, value in (body | {"atol": ATOL, "notes": case.notes}).items()]
    (folder / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def check_files(case: Case, folder: pathlib.Path, sequences: list[tuple[list[int], np.ndarray]]) -> None:
    for form in ("config.json", "config_old.json"):
        with tempfile.TemporaryDirectory() as scratch:
            shutil.copytree(folder, scratch, dirs_exist_ok=True)
            shutil.copy(folder / form, pathlib.Path(scratch) / "config.json")
            for ids, golden in sequences:
                model = AutoModelForCausalLM.from_pretrained(scratch, dtype=torch.float32, attn_implementation="eager").eval()
                if not np.array_equal(logits := logits_of(model, ids), golden):
                    raise SystemExit(f"{case.name}: {form} read back differs by {distance(logits, golden):.1e}")


def write_generation(folder: pathlib.Path, num_new: int = 40) -> None:
    """Writes generation.json: what greedy decoding answers to a chat and to a plain text, ids and text."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    messages = [{"role": "user", "content": "Who opens the door in the morning?"}]
    chat = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    runs = []
    for prompt, fields in ((chat, {"messages": messages}), ("In the evening they put the tools", {})):
        ids = tokenizer(prompt, add_special_tokens=False).input_ids
        out = model.generate(torch.tensor([ids]), do_sample=False, temperature=None, top_p=None, max_new_tokens=num_new,
                             return_dict_in_generate=True, output_logits=True)
        best_two = torch.stack(out.logits)[:, 0].topk(2).values
        if (margin := float((best_two[:, 0] - best_two[:, 1]).min())) < 20 * ATOL:
            raise SystemExit(f"{folder.name}: two tokens are {margin:.1e} apart in greedy decoding; change the prompt")
        new_ids = out.sequences[0, len(ids):].tolist()
        runs.append(fields | {"prompt": prompt, "prompt_ids": ids, "new_ids": new_ids,
                              "new_text": tokenizer.decode(new_ids, skip_special_tokens=True)})
    lines = ",\n".join("  " + json.dumps(run) for run in runs)
    (folder / "generation.json").write_text('{"greedy": [\n' + lines + "\n]}\n")


def make(case: Case) -> None:
    model = build(case)
    randomize(model, case)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    vocab_size = model.config.get_text_config().vocab_size
    sequences = []
    for length in case.lengths:
        ids = rng_of(case.name, "ids", length).randint(0, min(vocab_size, 70), length).tolist()
        fresh = build(case)  # rotary tables remember the longest sequence seen
        fresh.load_state_dict(weights)
        sequences.append((ids, logits_of(fresh, ids)))
    noise = check_size_and_conditioning(case, weights, *sequences[-1])
    check_everything_matters(case, weights, *sequences[-1])

    folder = ROOT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_model(case, model, folder)
    if case.name == "smollm2":
        tiny_tokenizer.write(folder, vocab_size)
    check_files(case, folder, sequences)
    write_golden(case, folder, sequences)
    if case.name == "smollm2":
        write_generation(folder)
    for file in folder.iterdir():
        file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{case.name:18} {size / 1024:6.1f} KiB  logits: deviation {sequences[-1][1].std():.2f}, largest "
          f"{abs(sequences[-1][1]).max():.1f}, noise {noise:.1e}")


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
