"""Writes tests/golden/trainers/: what the reference trainers learn from a small text.

Versions: Python 3.11, tokenizers 0.23.3, sentencepiece 0.2.3.

    python tests/golden/make_trainer_goldens.py

text.txt     some thousand words in two languages and a few lines of other things, made here
goldens.json {"cases": [{"name", "kind", "options", "tokens": by id, "merges": [[left, right]…] (BPE), "ids": of "sample"}], "sample",
             "unigram": {"vocab_size", "tokens", "characters"}: how many tokens SentencePiece makes of the text}

"##x" and "x</w>" get their ids from a hash table in tokenizers, another order in every run: these cases give them as special tokens.
"""
import json
import pathlib
import random
import tempfile

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).parent / "trainers"
SAMPLE = "The lighthouse keeper wasn't asleep ; l'été, où naissent les phares…\n\n  aaaaaa 1789 東京\n"

LINES = ["The keeper of the lighthouse kept a light alight, and kept on keeping it.", "L'été où l'on était à Noël, déjà « garçon » de cœur — et d'œuvre.",
         "aaaa aaa aaaaaaa aa a banana bananas ananas nananana", "1789 1848 1871 1914 1918 1939 1945 1968", "東京 京都 東京都 京 東",
         "She didn't; they'll, I'm, we've, you're: he'd.", "tab\tand  two  spaces", "", "😀 😀 😁 ½ ① ﬁn"]
ROOTS = ("light house keep sea wave sail ship harbour lantern storm north south wind water stone tower night day morning phare mer vague voile navire "
         "port tempête nord sud vent eau pierre tour nuit jour matin lumière gardien chant sable île").split()
ENDINGS = ["", "", "s", "er", "ers", "ing", "ed", "e", "es", "ent", "ait", "aient", "eur", "ment", "ly", "less", "ness"]
SMALL = "the a of and in to le la les de des un une et à en dans".split()


def text():
    draw = random.Random(7)
    lines = list(LINES)
    for _ in range(420):
        words = [draw.choice(SMALL) if draw.random() < 0.4 else draw.choice(ROOTS[: draw.randint(2, len(ROOTS))]) + draw.choice(ENDINGS)
                 for _ in range(draw.randint(4, 12))]
        lines.append(" ".join(words).capitalize() + draw.choice(".!?"))
    return "\n".join(lines) + "\n"


def metaspace():
    return pre_tokenizers.Sequence([pre_tokenizers.Split("\n", "isolated"), pre_tokenizers.Metaspace(prepend_scheme="first")])


def bpe(stage, unknown="<unk>"):
    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    tokenizer.pre_tokenizer = stage
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def characters(lines, change=lambda c: c):
    return sorted({change(c) for line in lines for c in line if not c.isspace()})


def cases(lines):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    uncased = [normalizers.BertNormalizer(lowercase=True).normalize_str(line) for line in lines]
    yield "bpe", "bpe", {}, bpe(metaspace()), {"special_tokens": ["<unk>"]}
    yield "bpe, min_frequency", "bpe", {"min_frequency": 30}, bpe(metaspace()), {"special_tokens": ["<unk>"], "min_frequency": 30}
    yield "bpe, max_token_length", "bpe", {"max_token_length": 5}, bpe(metaspace()), {"special_tokens": ["<unk>"], "max_token_length": 5}
    yield ("bpe, alphabets", "bpe", {"limit_alphabet": 30, "initial_alphabet": "ßÆ"}, bpe(metaspace()),
           {"special_tokens": ["<unk>"], "limit_alphabet": 30, "initial_alphabet": ["ß", "Æ"]})
    suffixed = ["<unk>", *(c + "</w>" for c in characters(lines))]
    yield ("bpe, suffix", "bpe", {"suffix": "</w>", "special_tokens": suffixed}, bpe(pre_tokenizers.WhitespaceSplit()),
           {"special_tokens": suffixed, "end_of_word_suffix": "</w>"})
    yield ("byte-level-bpe", "byte-level-bpe", {}, bpe(byte_level, None), {"special_tokens": ["<|endoftext|>"], "initial_alphabet": alphabet})
    yield "character", "character", {}, bpe(pre_tokenizers.FixedLength(1)), {"special_tokens": ["<unk>"], "vocab_size": 0}
    yield ("byte", "byte", {}, bpe(byte_level, None), {"special_tokens": ["<|endoftext|>"], "initial_alphabet": alphabet, "vocab_size": 0})
    prefixed = ["[UNK]", *("##" + c for c in characters(uncased))]
    yield "wordpiece", "wordpiece", {"lowercase": True, "special_tokens": prefixed}, word_piece(), {"special_tokens": prefixed}


def case(name, kind, options, tokenizer, trainer_options, lines, vocab_size):
    trainer = trainers.WordPieceTrainer if kind == "wordpiece" else trainers.BpeTrainer
    tokenizer.train_from_iterator(lines, trainer(**{"vocab_size": vocab_size, "show_progress": False, **trainer_options}))
    tokenizer.encode_special_tokens = True
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return {"name": name, "kind": kind, "options": {"vocab_size": vocab_size, **options}, "tokens": tokens, "merges": model.get("merges", []),
            "ids": tokenizer.encode(SAMPLE).ids}


def unigram(lines, vocab_size):
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_prefix=f"{folder}/sp", vocab_size=vocab_size,
                                                 model_type="unigram", minloglevel=2)
        processor = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/sp.model")
        return {"vocab_size": vocab_size, "tokens": sum(map(len, processor.encode(lines))), "characters": sum(map(len, lines))}


def main():
    OUT.mkdir(exist_ok=True)
    content = text()
    (OUT / "text.txt").write_text(content, encoding="utf-8")
    lines = content.splitlines(keepends=True)
    out = {"cases": [case(*parts, lines, 500) for parts in cases(lines)], "sample": SAMPLE,
           "unigram": unigram([line.rstrip("\n") for line in lines], 300)}
    lines_of_cases = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in out["cases"])
    rest = json.dumps({"sample": out["sample"], "unigram": out["unigram"]}, ensure_ascii=False)[1:]
    (OUT / "goldens.json").write_text('{"cases": [\n' + lines_of_cases + "\n],\n" + rest + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
