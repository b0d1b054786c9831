#!/usr/bin/env python3
"""The recipes recipes/{sst2,stsb,ner}_minilm.yaml by PyTorch: the same model, data, optimizer, schedule and dropout, its own order of batches.

usage: train_heads.py sst2|stsb|ner --model minilm-l6/ --data FOLDER [--steps N] [--seed N] [--freeze]

FOLDER holds the recipe's files. Prints the score of the validation data after each third of the steps, and that of the test data at the best of
them. Versions: torch 2.15.0, transformers 5.23.0, scikit-learn 1.9.1, scipy 1.17.1, seqeval 1.2.2; float32, two threads.
"""
import argparse, csv, time
import torch
from scipy.stats import spearmanr
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer, get_linear_schedule_with_warmup

RATES, STEPS = {"sst2": 5e-5, "stsb": 1e-4, "ner": 2e-4}, {"sst2": 648, "stsb": 540, "ner": 500}


def table(path, task):
    with open(path, encoding="utf-8", newline="") as f:
        if task == "stsb":
            return [(a, b, float(label)) for a, b, label in csv.reader(f)]
        if task == "sst2":
            return [(text, None, int(label)) for text, label in (line.rstrip("\n").split("\t") for line in f)]
        texts = [[line.split("\t") for line in block.splitlines()] for block in f.read().split("\n\n") if block.strip()]
        return [([w for w, _ in text], None, [t for _, t in text]) for text in texts]


def rows_of(tokenizer, records, task, names):
    rows = []
    for first, second, label in records:
        encoded = tokenizer(first, second, truncation=True, max_length=128, is_split_into_words=task == "ner")
        if task == "ner":
            words = encoded.word_ids()
            starts = [w is not None and w != before for w, before in zip(words, [None] + words[:-1])]
            label = [names.index(label[w]) if start else -100 for w, start in zip(words, starts)]
        rows.append(({k: encoded[k] for k in ("input_ids", "token_type_ids", "attention_mask")}, label))
    return rows


def batch_of(tokenizer, rows, task):
    inputs = tokenizer.pad([inputs for inputs, _ in rows], return_tensors="pt")
    if task == "ner":
        width = inputs["input_ids"].shape[1]
        return inputs, torch.tensor([label + [-100] * (width - len(label)) for _, label in rows])
    return inputs, torch.tensor([label for _, label in rows])


@torch.no_grad()
def score(model, tokenizer, rows, task, names):
    model.eval()
    found, wanted = [], []
    for i in range(0, len(rows), 32):
        inputs, labels = batch_of(tokenizer, rows[i : i + 32], task)
        logits = model(**inputs).logits
        if task == "stsb":
            found += logits.flatten().tolist()
            wanted += labels.tolist()
        elif task == "sst2":
            found += logits.argmax(-1).tolist()
            wanted += labels.tolist()
        else:
            for guess, truth in zip(logits.argmax(-1).tolist(), labels.tolist()):
                found.append([names[g] for g, t in zip(guess, truth) if t != -100])
                wanted.append([names[t] for t in truth if t != -100])
    model.train()
    return {"sst2": accuracy_score, "ner": f1_score, "stsb": lambda a, b: float(spearmanr(a, b)[0])}[task](wanted, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=RATES)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--freeze", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(2)
    stems = {"sst2": ("train.tsv", "dev.tsv", "test.tsv"), "stsb": ("stsb-fr-train.csv", "stsb-fr-dev.csv", "stsb-fr-test.csv"),
             "ner": ("panx-fr-train.tsv", "panx-fr-dev.tsv", None)}[args.task]
    train, dev, test = (table(f"{args.data}/{stem}", args.task) if stem else [] for stem in stems)
    names = sorted({tag for _, _, tags in train for tag in tags}) if args.task == "ner" else ["0", "1"]
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    kind = AutoModelForTokenClassification if args.task == "ner" else AutoModelForSequenceClassification
    model = kind.from_pretrained(args.model, num_labels=1 if args.task == "stsb" else len(names), attn_implementation="sdpa")
    if args.freeze:
        model.base_model.requires_grad_(False)
    train, dev, test = (rows_of(tokenizer, records, args.task, names) for records in (train, dev[:2000], test))
    learnt = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    groups = [{"params": [p for _, p in learnt if p.ndim > 1], "weight_decay": 0.01}, {"params": [p for _, p in learnt if p.ndim < 2], "weight_decay": 0}]
    steps = args.steps or STEPS[args.task]
    optimizer = torch.optim.AdamW(groups, lr=args.rate or RATES[args.task], betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, round(0.1 * steps), steps)
    order, best, started, spent = [], None, time.time(), 0.0
    model.train()
    for step in range(1, steps + 1):
        if len(order) < 32:
            order = torch.randperm(len(train)).tolist()
        begun = time.time()
        inputs, labels = batch_of(tokenizer, [train[order.pop()] for _ in range(32)], args.task)
        loss = model(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        spent += time.time() - begun
        if step % max(1, steps // 3) == 0:
            value = score(model, tokenizer, dev, args.task, names)
            if best is None or value > best[0]:
                best = (value, step, score(model, tokenizer, test, args.task, names) if test else None)
            print(f"step {step}, loss {loss.item():.4f}, validation {value:.4f}, {spent:.0f} s of training", flush=True)
    print(f"best validation {best[0]:.4f} at step {best[1]}, test {best[2]}, {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
