"""Trains tokenizers here and with the reference on the same texts and compares vocabulary, merges and ids.

Versions: Python 3.11, tokenizers 0.23.3, sentencepiece 0.2.3.

    python scripts/parity_tokenizer_training.py TEXT... [--atelier build/release/atelier] [--vocab-size 8000]

TEXT is a file of text or JSON Lines with a "text" field (either may be packed by gzip). BPE kinds: Hugging Face's trainer learns with the
pipeline that ours wrote; vocabulary and merges must be the same, id for id. WordPiece's "##x" get their ids from a hash table there, another
order in every run: both are given them as special tokens first, then must agree id for id too. Unigram: tokens per character at most 1 % above
SentencePiece's, both trained on the lines. All: the file loads in Hugging Face tokenizers and gives the same ids there and here on the first texts. One line a case; exits 1
when one fails.
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import Tokenizer, trainers

ROOT = pathlib.Path(__file__).resolve().parent.parent
NUM_ENCODED = 200  # texts whose ids are compared


def texts_of(path):
    """The texts that our trainer sees: lines with their line ends, or the records' fields."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="\n") as file:
        if ".jsonl" in path:
            return [json.loads(line)["text"] for line in file if line.strip()]
        return list(file)


def train_here(arguments, path, kind, out, *options):
    command = [arguments.atelier, "tokenizer", "train", path, "--kind", kind, "--vocab-size", str(arguments.vocab_size), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return json.loads(out.read_text())


def ids_here(arguments, out, text):
    command = [arguments.atelier, "tokenize", str(out), "--file", "-", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, input=text.encode()).stdout)["ids"]


def merges_of(file):
    return [tuple(pair) for pair in file["model"].get("merges", [])]


def check_ids(arguments, out, texts):
    tokenizer = Tokenizer.from_file(str(out))
    tokenizer.encode_special_tokens = True
    text = "".join(texts[:NUM_ENCODED])[:50000]
    return tokenizer.encode(text).ids == ids_here(arguments, out, text)


def reference(out, texts, trainer):
    """What Hugging Face's trainer makes of the texts with the stages of `out`."""
    ours = Tokenizer.from_file(str(out))
    tokenizer = Tokenizer(type(ours.model)())
    tokenizer.pre_tokenizer = ours.pre_tokenizer
    if ours.normalizer:
        tokenizer.normalizer = ours.normalizer
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())


def byte_level_alphabet(file):
    return [token for token in file["model"]["vocab"] if len(token) == 1]


def check_bpe(arguments, path, texts, folder, kind, **options):
    out = folder / f"{kind}.json"
    flags = [part for key, value in options.items() for part in ("--" + key.replace("_", "-"), str(value))]
    ours = train_here(arguments, path, kind, out, *flags)
    special = [token["content"] for token in ours["added_tokens"]]
    alphabet = byte_level_alphabet(ours)[:256] if kind == "byte-level-bpe" else []
    names = {"suffix": "end_of_word_suffix"}
    trainer = trainers.BpeTrainer(vocab_size=arguments.vocab_size, special_tokens=special, initial_alphabet=alphabet, show_progress=False,
                                  **{names.get(key, key): value for key, value in options.items()})
    theirs = reference(out, texts, trainer)
    is_same = theirs["model"]["vocab"] == ours["model"]["vocab"] and merges_of(theirs) == merges_of(ours)
    return is_same and check_ids(arguments, out, texts), f"{len(merges_of(ours))} merges"


def check_wordpiece(arguments, path, texts, folder):
    out = folder / "wordpiece.json"
    first = train_here(arguments, path, "wordpiece", out, "--lowercase")
    special = [token["content"] for token in first["added_tokens"]]
    special += [token for token in first["model"]["vocab"] if len(token) == 3 and token.startswith("##")]
    same_ids = check_ids(arguments, out, texts)
    ours = train_here(arguments, path, "wordpiece", out, "--lowercase", *[part for token in special for part in ("--special", token)])
    trainer = trainers.WordPieceTrainer(vocab_size=arguments.vocab_size, special_tokens=special, show_progress=False)
    theirs = reference(out, texts, trainer)
    return theirs["model"]["vocab"] == ours["model"]["vocab"] and same_ids, f"{len(ours['model']['vocab'])} tokens"


def check_unigram(arguments, path, texts, folder):
    out = folder / "unigram.json"
    lines = [line.replace("<unk>", "unk") for text in texts for line in text.split("\n") if line.strip()]
    (folder / "lines.txt").write_text("\n".join(lines))
    train_here(arguments, str(folder / "lines.txt"), "unigram", out)
    sentencepiece.SentencePieceTrainer.train(input=str(folder / "lines.txt"), model_prefix=str(folder / "sp"), vocab_size=arguments.vocab_size,
                                             model_type="unigram", max_sentence_length=1 << 20, minloglevel=2, num_threads=2)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
    ours = Tokenizer.from_file(str(out))
    num_theirs = sum(len(ids) for ids in theirs.encode(lines))
    num_ours = sum(len(encoding.ids) for encoding in ours.encode_batch(lines))
    characters = sum(map(len, lines))
    ratio = num_ours / num_theirs
    return ratio < 1.01 and check_ids(arguments, out, texts), \
        f"tokens per character {num_ours / characters:.5f}, SentencePiece {num_theirs / characters:.5f}, ratio {ratio:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--atelier", default=str(ROOT / "build" / "release" / "atelier"))
    parser.add_argument("--vocab-size", type=int, default=8000)
    arguments = parser.parse_args()
    all_same = True
    for path in arguments.texts:
        texts = texts_of(path)
        cases = {
            "bpe": lambda *inputs: check_bpe(*inputs, "bpe"),
            "byte-level-bpe": lambda *inputs: check_bpe(*inputs, "byte-level-bpe"),
            "byte-level-bpe, min-frequency 20": lambda *inputs: check_bpe(*inputs, "byte-level-bpe", min_frequency=20),
            "byte-level-bpe, max-token-length 6": lambda *inputs: check_bpe(*inputs, "byte-level-bpe", max_token_length=6),
            "wordpiece": check_wordpiece,
            "unigram": check_unigram,
        }
        for name, check in cases.items():
            with tempfile.TemporaryDirectory() as folder:
                is_same, note = check(arguments, path, texts, pathlib.Path(folder))
            print(f"{pathlib.Path(path).name}: {name}: {'same' if is_same else 'DIFFERENT'} ({note})", flush=True)
            all_same &= is_same
    return 0 if all_same else 1


if __name__ == "__main__":
    sys.exit(main())
