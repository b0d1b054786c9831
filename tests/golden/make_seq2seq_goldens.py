#!/usr/bin/env python3
"""Writes tests/golden/seq2seq/<case>/: tiny random encoder-decoders and what transformers makes of a few sources. See README.md.

Versions  Python 3.11, transformers 5.23.0, torch 2.15.0 (CPU), tokenizers 0.23.3, sentencepiece 0.2.3, numpy 2.4.6
Run       python3 tests/golden/make_seq2seq_goldens.py [CASE...]        all cases by default
Result    golden.json: `sequences` with source and decoder ids and the files of the encoder's states [S, C] and the decoder's logits [T, V], float32;
          `greedy` answers; `beams`, searches with their settings, all finished beams and their scores. Every sequence runs alone

Before a case is written, every tensor must change the logits, and greedy answers must not be near a tie.
"""

import copy
import json
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import sentencepiece
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import MarianTokenizer, PreTrainedTokenizerFast

from make_model_goldens import ATOL, VERSION, distance, rng_of, weight_scale
from seq2seq_cases import CASES, Case, model_class

ROOT = pathlib.Path(__file__).resolve().parent / "seq2seq"
NUM_GREEDY = 24
SEARCHES = [
    dict(num_beams=2, length_penalty=1.0, early_stopping=False),
    dict(num_beams=4, length_penalty=0.0, early_stopping=False),
    dict(num_beams=4, length_penalty=0.6, early_stopping=True),
    dict(num_beams=3, length_penalty=2.0, early_stopping="never"),
    dict(num_beams=4, length_penalty=1.0, early_stopping=False, no_repeat_ngram_size=2),
    dict(num_beams=3, length_penalty=1.0, early_stopping=False, forced_bos_token_id=11, forced_eos_token_id=13),
    dict(num_beams=3, length_penalty=1.0, early_stopping=False, min_length=8, bad_words_ids=[[17], [19]]),
    dict(num_beams=1, no_repeat_ngram_size=1, forced_bos_token_id=11, forced_eos_token_id=13, min_length=6),
]


def build(case: Case):
    config = case.config_class(**copy.deepcopy(case.config))
    model = model_class(case).from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    if case.has_own_head:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    return model


def scale_of(module: torch.nn.Module, module_name: str, name: str, weight: torch.Tensor) -> tuple[float, float]:
    mean, deviation = weight_scale(module, name, weight)
    if module_name.endswith((".q", "Attention.q")):  # T5 does not divide scores by the root of the heads' width
        deviation /= 8**0.5
    if module_name in ("shared", "model.shared"):
        deviation = 0.5
    return mean, deviation


def randomize(model: torch.nn.Module, case: Case) -> None:
    """Fills every parameter in place, and the bias of the logits; values depend on the case's and the parameter's name only."""
    filled = set()  # a shared table is filled under its first name
    for module_name, module in model.named_modules():
        for name, weight in module.named_parameters(recurse=False):
            if not weight.requires_grad or id(weight) in filled:
                continue
            filled.add(id(weight))
            mean, deviation = scale_of(module, module_name, name, weight)
            values = mean + deviation * rng_of(case.name, module_name, name).standard_normal(tuple(weight.shape))
            with torch.no_grad():
                weight.copy_(torch.from_numpy(values.astype(np.float32)))
    if not case.has_own_head:
        model.tie_weights()
    bias = getattr(model, "final_logits_bias", None)
    if bias is not None:
        bias.copy_(torch.from_numpy(0.3 * rng_of(case.name, "final_logits_bias").standard_normal(tuple(bias.shape))).float())


def outputs_of(model, source: list[int], ids: list[int]) -> tuple[np.ndarray, np.ndarray]:
    with torch.no_grad():
        out = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([ids]), use_cache=False)
    return out.encoder_last_hidden_state[0].numpy(), out.logits[0].numpy()


def ids_of(case: Case, length: int, *labels) -> list[int]:
    vocab_size = min(case.config["vocab_size"], case.config.get("decoder_vocab_size", case.config["vocab_size"]))
    return rng_of(case.name, *labels, length).randint(3, vocab_size, length).tolist()


def sequences_of(case: Case) -> list[tuple[list[int], list[int]]]:
    start = case.config["decoder_start_token_id"]
    return [(ids_of(case, s, "source"), [start] + ids_of(case, t - 1, "decoder")) for s, t in case.lengths]


def check_everything_matters(case: Case, weights: dict, goldens) -> None:
    model = build(case)
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        model.load_state_dict(weights)
        weight = model.get_parameter(name)
        with torch.no_grad():
            weight += 0.3 * torch.from_numpy(1 + rng_of("move", name).standard_normal(tuple(weight.shape))).float()
        moved = max(distance(outputs_of(model, source, ids)[1], logits)
                    for (source, ids), (_, logits) in zip(sequences_of(case), goldens))
        # A key's bias adds the same to every score of a query: softmax does not see it.
        if moved < 20 * ATOL and not name.endswith("k_proj.bias"):
            raise SystemExit(f"{case.name}: the logits do not depend on {name} ({moved:.1e})")


def greedy(model, source: list[int]) -> list[int]:
    out = model.generate(torch.tensor([source]), num_beams=1, do_sample=False, max_new_tokens=NUM_GREEDY, eos_token_id=-1, pad_token_id=0,
                         return_dict_in_generate=True, output_logits=True)
    best_two = torch.stack(out.logits)[:, 0].topk(2).values
    if (margin := float((best_two[:, 0] - best_two[:, 1]).min())) < 5 * ATOL:
        raise SystemExit(f"two tokens are {margin:.1e} apart in greedy decoding of {source}; change the source")
    return out.sequences[0, 1:].tolist()


def search(model, source: list[int], stop_ids: list[int], max_new_tokens: int, settings: dict) -> list[dict]:
    out = model.generate(torch.tensor([source]), num_return_sequences=settings["num_beams"], max_new_tokens=max_new_tokens, do_sample=False,
                         eos_token_id=stop_ids, pad_token_id=0, return_dict_in_generate=True, output_scores=True, **settings)
    if settings["num_beams"] == 1:
        return [{"ids": out.sequences[0, 1:].tolist()}]
    beams = []
    for ids, indices, score in zip(out.sequences.tolist(), out.beam_indices.tolist(), out.sequences_scores.tolist()):
        length = sum(index >= 0 for index in indices)
        beams.append({"ids": ids[1:1 + length], "score": float(f"{score:.7g}")})
    return beams


def common_tokens(model, source: list[int]) -> list[int]:
    """Tokens that a long search without an end comes across, the commonest first."""
    out = model.generate(torch.tensor([source]), num_beams=6, num_return_sequences=6, max_new_tokens=16, do_sample=False, eos_token_id=-1,
                         pad_token_id=0)
    return torch.bincount(out[:, 1:].flatten()).argsort(descending=True, stable=True).tolist()


LINES = ["translate a to b: the house is small.", "the cat sat", "small houses"]
MARIAN_LINES = ["the house is small.", ">>fra<< the cat  sat on the mat", ">>deu<< a café, “quoted” and \u00bd"]
ENGLISH = ["the house is small.", "the cat sat on the mat.", "a small cat is in the house", "it is a mat", "the house", "cats and mats"]
FRENCH = ["la maison est petite.", "le chat est sur le tapis.", "un petit chat est dans la maison", "c'est un tapis", "la maison", "chats et tapis"]


def write_tokenizer(folder: pathlib.Path, vocab_size: int) -> None:
    """A Unigram vocabulary built as T5's: pieces with a metaspace, </s> behind every text."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(word, -2.0 - index / 10) for index, word in enumerate(
        ["▁the", "▁house", "▁is", "▁small", "▁cat", "▁sat", "▁on", "▁mat", "▁translate", "▁to", "s", "▁", ".", ":", "▁a", "▁b", "er", "in"])]
    pieces += [(letter, -6.0 - index / 10) for index, letter in enumerate("abcdefghijklmnopqrtuvwxyz")]
    pieces += [(f"▁w{index}", -9.0) for index in range(vocab_size - len(pieces))]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ("<pad>", "</s>", "<unk>")])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def write_marian_tokenizer(folder: pathlib.Path, vocab_size: int) -> None:
    """A SentencePiece model for each language and vocab.json, which numbers the pieces of both, as OPUS-MT's models have them."""
    pieces = []
    for name, texts in (("source", ENGLISH), ("target", FRENCH)):
        with tempfile.TemporaryDirectory() as scratch:
            text = pathlib.Path(scratch) / "text"
            text.write_text("\n".join(texts * 20) + "\n")
            sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=scratch + "/spm", vocab_size=34, model_type="unigram",
                                                     character_coverage=1.0, hard_vocab_limit=False, minloglevel=2)
            (folder / f"{name}.spm").write_bytes((pathlib.Path(scratch) / "spm.model").read_bytes())
        processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{name}.spm"))
        pieces += [piece for piece in map(processor.id_to_piece, range(processor.get_piece_size())) if piece not in ("<unk>", "<s>", "</s>")]
    names = ["</s>", "<unk>"] + list(dict.fromkeys(pieces))
    names += [f"▁x{index}" for index in range(vocab_size - 3 - len(names))] + [">>fra<<", ">>deu<<", "<pad>"]
    if len(names) != vocab_size:
        raise SystemExit(f"{len(names)} pieces; wanted {vocab_size}")
    (folder / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}, ensure_ascii=False, indent=0) + "\n")
    config = {"source_lang": "eng", "target_lang": "mul", "tokenizer_class": "MarianTokenizer", "eos_token": "</s>", "pad_token": "<pad>",
              "unk_token": "<unk>", "separate_vocabs": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def write_translations(model, tokenizer, lines: list[str], folder: pathlib.Path) -> None:
    """translations.json: what four beams make of lines of text, as long as the line and 50 tokens at most."""
    entries = []
    for line in lines:
        ids = tokenizer(line).input_ids
        out = model.generate(torch.tensor([ids]), num_beams=4, do_sample=False, max_new_tokens=len(ids) + 50)
        entries.append({"source": line, "source_ids": ids, "ids": out[0].tolist(), "text": tokenizer.decode(out[0], skip_special_tokens=True)})
    (folder / "translations.json").write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n]\n")


def make(case: Case) -> None:
    model = build(case)
    randomize(model, case)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    goldens = [outputs_of(model, source, ids) for source, ids in sequences_of(case)]
    check_everything_matters(case, weights, goldens)
    folder = ROOT / case.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    entries = []
    for index, ((source, ids), (states, logits)) in enumerate(zip(sequences_of(case), goldens)):
        entry = {"source": source, "ids": ids, "states": f"states-{index}.f32", "logits": f"logits-{index}.f32"}
        (folder / entry["states"]).write_bytes(states.astype("<f4").tobytes())
        (folder / entry["logits"]).write_bytes(logits.astype("<f4").tobytes())
        entries.append(entry)
    answers = [{"source": source, "ids": greedy(model, source)} for source in (ids_of(case, n, "greedy") for n in (5, 12))]
    searches = []
    for index, settings in enumerate(SEARCHES):
        source = ids_of(case, 6 + index, "beams")
        stop_ids = [id for id in common_tokens(model, source) if id not in (11, 13)][index % 3:3 + index % 3]
        for max_tokens in (6, 16):
            if settings.get("min_length", 0) > max_tokens:
                continue
            searches.append({"source": source, "stop_ids": stop_ids, "max_tokens": max_tokens, **settings,
                             "beams": search(model, source, stop_ids, max_tokens, settings)})
    parts = {"sequences": entries, "greedy": answers, "beams": searches}
    text = ",\n".join(f'"{key}": [\n' + ",\n".join("  " + json.dumps(entry) for entry in part) + "\n]" for key, part in parts.items())
    (folder / "golden.json").write_text(f'{{"atol": {ATOL},\n{text}}}\n')
    if case.name == "t5":
        write_tokenizer(folder, case.config["vocab_size"])
        write_translations(model, PreTrainedTokenizerFast.from_pretrained(folder), LINES, folder)
    if case.name == "marian":
        write_marian_tokenizer(folder, case.config["vocab_size"])
        write_translations(model, MarianTokenizer.from_pretrained(folder), MARIAN_LINES, folder)
        (folder / "target.spm").unlink()  # decoding needs none: pieces are texts
    for file in folder.iterdir():
        file.chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{case.name:12} {size / 1024:6.1f} KiB  logits {goldens[0][1].std():.2f}, states {goldens[0][0].std():.2f}, greedy {answers[0]['ids'][:8]}")


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
