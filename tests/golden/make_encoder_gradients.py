#!/usr/bin/env python3
"""Writes gradients.json and gradients.safetensors beside some encoder goldens: a loss of two documents and its gradients, by PyTorch in float64.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), safetensors 0.8.0, numpy 2.4.6
Run       python3 tests/golden/make_encoder_gradients.py [CASE...]
Result    encoders/<case>/gradients.json: ids, segments, labels (-100: ignored), text_labels (of documents, of a span's first and last row in
          each, or of groups), text_targets, groups, lengths of the documents and the loss: the mean over labelled rows plus the mean over
          documents with a label; gradients.safetensors: the gradients, rounded to float32

The documents run one after the other, each on its own, so that the golden cannot see anything of packing.
"""

import json
import sys

import torch
from safetensors.torch import save_file

from encoder_cases import CASES, Case, model_class
from make_encoder_goldens import ROOT
from make_model_goldens import rng_of

LENGTHS = [21, 11]
CHOICES, GROUPS = [9, 6, 7, 10, 5], [2, 3]  # answers to two questions
NAMES = ["bert-pretraining", "bert-sequence", "bert-token", "roberta-masked", "roberta-sequence", "distilbert-masked", "distilbert-sequence",
         "bert-regression", "bert-many-labels", "bert-span", "bert-choice", "roberta-span", "distilbert-choice"]


def batch(case: Case, num_labels: int) -> dict:
    rng = rng_of(case.name, "gradients")
    kind = case.model_class
    vocabulary = case.config["vocab_size"]
    has_rows = kind.endswith(("MaskedLM", "PreTraining", "TokenClassification"))
    has_texts = kind.endswith(("PreTraining", "SequenceClassification"))
    lengths = CHOICES if kind.endswith("MultipleChoice") else LENGTHS
    ids = [rng.randint(3, vocabulary, n).tolist() for n in lengths]
    labels = [[-100] * n for n in lengths]
    for row in labels if has_rows else []:
        for t in rng.choice(len(row), 5, replace=False):
            row[t] = int(rng.randint(0, num_labels if kind.endswith("TokenClassification") else vocabulary))
    segments = [[0] * (n // 2) + [1] * (n - n // 2) if case.config.get("type_vocab_size", 0) > 1 else [0] * n for n in lengths]
    out = {"ids": ids, "labels": labels, "segments": segments, "text_labels": [], "text_targets": [], "groups": []}
    if case.name == "bert-regression":
        out["text_targets"] = [round(float(x), 3) for x in rng.randn(len(lengths))]
    elif case.name == "bert-many-labels":
        out["text_targets"] = rng.randint(0, 2, len(lengths) * num_labels).astype(float).tolist()
    elif kind.endswith("QuestionAnswering"):
        out["text_labels"] = [int(x) for n in lengths for x in sorted(rng.randint(0, n, 2))]
    elif kind.endswith("MultipleChoice"):
        out |= {"groups": GROUPS, "text_labels": [int(rng.randint(0, n)) for n in GROUPS]}
    elif has_texts:
        out["text_labels"] = [int(rng.randint(0, num_labels)) for _ in lengths]
    return out


def task_loss(case: Case, logits: list[torch.Tensor], data: dict) -> torch.Tensor | None:
    """The mean loss of the heads that need all documents at once, as the model's own class computes it."""
    functional = torch.nn.functional
    if case.name == "bert-regression":
        return functional.mse_loss(torch.cat(logits).squeeze(), torch.tensor(data["text_targets"], dtype=torch.float64))
    if case.name == "bert-many-labels":
        targets = torch.tensor(data["text_targets"], dtype=torch.float64).reshape(len(logits), -1)
        return functional.binary_cross_entropy_with_logits(torch.cat(logits), targets)
    if case.model_class.endswith("MultipleChoice"):
        groups = torch.cat(logits).flatten().split(data["groups"])
        losses = [functional.cross_entropy(group[None], torch.tensor([chosen])) for group, chosen in zip(groups, data["text_labels"])]
        return torch.stack(losses).mean()
    return None


def make(case: Case) -> None:
    folder = ROOT / case.name
    model = model_class(case).from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    num_labels = 2 if case.model_class.endswith("PreTraining") else model.config.num_labels
    data = batch(case, num_labels)
    count = sum(label != -100 for row in data["labels"] for label in row)
    total, kept = 0.0, []
    for i, ids in enumerate(data["ids"]):
        inputs = {"input_ids": torch.tensor([ids] if not data["groups"] else [[ids]])}
        if case.config.get("type_vocab_size", 0) > 0:
            inputs["token_type_ids"] = torch.tensor([data["segments"][i]]).reshape(inputs["input_ids"].shape)
        if case.model_class.endswith("QuestionAnswering"):
            first, last = data["text_labels"][2 * i : 2 * i + 2]
            loss = model(**inputs, start_positions=torch.tensor([first]), end_positions=torch.tensor([last])).loss / len(LENGTHS)
            loss.backward()
            total += loss.item()
            continue
        out = model(**inputs)
        if data["groups"] or data["text_targets"]:
            kept.append(out.logits)
            continue
        rows = getattr(out, "prediction_logits", None)
        texts = getattr(out, "seq_relationship_logits", None)
        if rows is None and count > 0:
            rows = out.logits
        if texts is None and data["text_labels"]:
            texts = out.logits
        loss = torch.zeros((), dtype=torch.float64)
        if rows is not None:
            loss = loss + torch.nn.functional.cross_entropy(rows[0], torch.tensor(data["labels"][i]), ignore_index=-100, reduction="sum") / count
        if texts is not None:
            loss = loss + torch.nn.functional.cross_entropy(texts, torch.tensor(data["text_labels"][i : i + 1]), reduction="sum") / len(LENGTHS)
        loss.backward()
        total += loss.item()
    if kept:
        loss = task_loss(case, kept, data)
        loss.backward()
        total = loss.item()
    gradients = {key: (parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)).float()
                 for key, parameter in model.named_parameters()}
    save_file(gradients, folder / "gradients.safetensors", metadata={"format": "pt"})
    body = {key: sum(data[key], []) for key in ("ids", "segments", "labels")}
    body |= {key: data[key] for key in ("text_labels", "text_targets", "groups")}
    body |= {"lengths": [len(ids) for ids in data["ids"]], "loss": total}
    (folder / "gradients.json").write_text("{\n" + ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in body.items()) + "\n}\n")
    print(f"{case.name:20} loss {total:.6f}, {sum(gradient.numel() for gradient in gradients.values())} gradients")


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[1:] or NAMES
    for golden in CASES:
        if golden.name in wanted:
            make(golden)
