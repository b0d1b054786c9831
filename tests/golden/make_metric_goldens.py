#!/usr/bin/env python3
"""Scores by scikit-learn, SciPy, seqeval and SQuAD's script: tests/golden/metrics.json.

Versions  Python 3.11, scikit-learn 1.9.1, scipy 1.17.1, seqeval 1.2.2, numpy 2.4.6
Run       python3 tests/golden/make_metric_goldens.py > tests/golden/metrics.json

SQuAD's rules are transcribed from evaluate-v1.1.py of rajpurkar/SQuAD-explorer, which is no package.
"""
import collections, json, re, string, warnings
import numpy as np
from scipy import stats
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2
from sklearn import metrics

warnings.filterwarnings("ignore")
rng = np.random.RandomState(7)


def labels():
    cases = [([1, 0, 1, 1], [1, 1, 0, 1]), ([0, 0, 0], [0, 1, 0]), ([0, 0], [0, 0]), ([2, 0, 2], [1, 0, 1])]
    for classes, count in [(2, 50), (3, 80), (5, 40)]:
        truth = rng.randint(0, classes, count)
        guess = np.where(rng.rand(count) < 0.6, truth, rng.randint(0, classes, count))
        cases.append((guess.tolist(), truth.tolist()))
    out = []
    for guess, truth in cases:
        case = {"predicted": guess, "expected": truth, "accuracy": metrics.accuracy_score(truth, guess),
                "matthews": metrics.matthews_corrcoef(truth, guess)}
        for average in ["binary", "micro", "macro"]:
            if average == "binary" and max(guess + truth) > 1:
                continue
            case[average] = list(metrics.precision_recall_fscore_support(truth, guess, average=average, zero_division=0)[:3])
        out.append(case)
    return out


def numbers():
    cases = [([1, 2, 3, 4], [1, 3, 2, 4]), ([1, 1, 2, 2, 3], [5, 4, 4, 4, 1])]
    x = rng.randn(60)
    cases += [(x.tolist(), (0.5 * x + rng.randn(60)).tolist()), (np.round(x).tolist(), np.round(-x + rng.randn(60)).tolist())]
    return [{"x": x, "y": y, "pearson": float(stats.pearsonr(x, y)[0]), "spearman": float(stats.spearmanr(x, y)[0]),
             "mean": float(np.mean(x)), "standard_error": float(stats.sem(x))} for x, y in cases]


def tagged():
    tags = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-first-last", "I-first-last"]
    cases = [
        ([["O", "I-PER", "I-PER", "O"]], [["O", "B-PER", "I-PER", "O"]]),
        ([["B-PER", "I-LOC", "B-LOC", "B-LOC"]], [["B-PER", "I-PER", "B-LOC", "I-LOC"]]),
        ([["B-PER", "I-PER"], ["I-PER", "O"]], [["B-PER", "I-PER"], ["B-PER", "O"]]),
        ([["O", "O"]], [["O", "B-LOC"]]),
    ]
    texts, guesses = [], []
    for length in rng.randint(1, 14, 60):
        truth = rng.choice(tags, length, p=[0.4, 0.12, 0.12, 0.12, 0.12, 0.06, 0.06]).tolist()
        texts.append(truth)
        guesses.append([tag if rng.rand() < 0.8 else str(rng.choice(tags)) for tag in truth])
    cases.append((guesses, texts))
    out = []
    for guess, truth in cases:
        case = {"predicted": guess, "expected": truth}
        for name, options in [("conll", {}), ("strict", {"mode": "strict", "scheme": IOB2})]:
            report = classification_report(truth, guess, output_dict=True, zero_division=0, **options)
            kinds = {k: v for k, v in report.items() if not k.endswith(" avg")}
            case[name] = {k: [float(v["precision"]), float(v["recall"]), float(v["f1-score"])] for k, v in kinds.items()}
            case[name]["micro avg"] = [float(report["micro avg"][k]) for k in ("precision", "recall", "f1-score")]
        out.append(case)
    return out


def normalize_answer(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1_score(prediction, truth):
    guess, want = normalize_answer(prediction).split(), normalize_answer(truth).split()
    common = sum((collections.Counter(guess) & collections.Counter(want)).values())
    if common == 0:
        return 0.0
    precision, recall = common / len(guess), common / len(want)
    return 2 * precision * recall / (precision + recall)


def answers():
    cases = [
        ("the Denver Broncos!", ["Denver Broncos", "The Denver Broncos"]), ("", ["x"]), ("An a the", ["the"]), ("308", ["308 points", "308."]),
        ("A-Team's theatre", ["a team", "teams theatre"]), ("L'Élysée à l'aube", ["l élysée", "Lélysée à laube"]), ("b b b", ["b b a c"]),
        ("the-end", ["theend"]), ("a\u0301 b", ["b"]), ("x\u00a0 the\u2003y", ["x y"]), ("under_score a_b", ["underscore ab"]),
    ]
    return [{"predicted": p, "accepted": a, "normalised": normalize_answer(p),
             "exact_match": float(max(normalize_answer(p) == normalize_answer(t) for t in a)), "f1": max(f1_score(p, t) for t in a)}
            for p, a in cases]


print(json.dumps({"labels": labels(), "numbers": numbers(), "tagged": tagged(), "answers": answers()}, separators=(",", ":")))
