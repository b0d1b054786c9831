"""The tiny encoders whose outputs are goldens: every family, and every head of each."""

from dataclasses import dataclass
from typing import Any

import transformers

# Two heads of width 10, one layer; bodies have two.
BERT = dict(vocab_size=40, hidden_size=20, intermediate_size=28, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=80,
            type_vocab_size=2)
ROBERTA = BERT | dict(type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5)
DISTILBERT = dict(vocab_size=40, dim=20, hidden_dim=28, n_layers=1, n_heads=2, max_position_embeddings=80)


@dataclass
class Case:
    name: str
    model_class: str
    config: dict[str, Any]
    # Names of before safetensors: no "bert." and the norms' gamma and beta.
    has_first_names: bool = False
    lengths: tuple[int, ...] = (7, 1, 70, 18)


def _labels(count: int) -> dict[str, Any]:
    names = [f"label {i}" for i in range(count)]
    return dict(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})


def _family(prefix: str, config: dict[str, Any], layers_key: str, name: str) -> list[Case]:
    heads = [
        ("masked", "ForMaskedLM", {}),
        ("sequence", "ForSequenceClassification", _labels(3)),
        ("token", "ForTokenClassification", _labels(5)),
        ("span", "ForQuestionAnswering", {}),
        ("choice", "ForMultipleChoice", {}),
    ]
    cases = [Case(name, f"{prefix}Model", config | {layers_key: 2})]
    return cases + [Case(f"{name}-{head}", prefix + suffix, config | edits, lengths=(9, 18)) for head, suffix, edits in heads]


CASES = [
    *_family("Bert", BERT, "num_hidden_layers", "bert"),
    Case("bert-pretraining", "BertForPreTraining", BERT | dict(num_hidden_layers=2)),
    Case("bert-next", "BertForNextSentencePrediction", BERT, lengths=(9, 18)),
    Case("bert-relu", "BertForMaskedLM", BERT | dict(hidden_act="relu"), lengths=(18,)),
    Case("bert-first", "BertForPreTraining", BERT, has_first_names=True, lengths=(18,)),
    Case("bert-regression", "BertForSequenceClassification", BERT | _labels(1), lengths=(9, 18)),
    Case("bert-many-labels", "BertForSequenceClassification", BERT | _labels(4) | dict(problem_type="multi_label_classification"),
         lengths=(9, 18)),
    *_family("Roberta", ROBERTA, "num_hidden_layers", "roberta"),
    Case("camembert", "CamembertForMaskedLM", ROBERTA, lengths=(18,)),
    Case("xlm-roberta", "XLMRobertaModel", ROBERTA, lengths=(9, 18)),
    Case("xlm-roberta-sequence", "XLMRobertaForSequenceClassification", ROBERTA | _labels(3), lengths=(18,)),
    *_family("DistilBert", DISTILBERT, "n_layers", "distilbert"),
]


def model_class(case: Case):
    return getattr(transformers, case.model_class)
