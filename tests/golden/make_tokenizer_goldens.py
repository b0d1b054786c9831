"""Writes tests/golden/tokenizers/: small tokenizers of every kind and what the reference implementations make of some texts.

Versions: Python 3.11 (Unicode 14.0), tokenizers 0.23.3, sentencepiece 0.2.3.

    python tests/golden/make_tokenizer_goldens.py

texts.json    the texts, mixed multilingual and random, all from code points assigned in Unicode 8.0 (older tables are in use)
KIND.json     {"gguf_pre", "tokenizer": tokenizer.json, "cases": [{"special", "plain": [ids, offsets], "decoded"}]}, a case per text:
              ids with special tokens formed from the text and without, byte offsets per id (null: added by the post-processor),
              and what decoding the first ids gives with special tokens kept
sp_KIND.model and sp_KIND.json    a SentencePiece model; cases {"ids", "decoded"}
"""
import json
import pathlib
import random
import unicodedata

import sentencepiece

import tokenizer_kinds

ROOT = pathlib.Path(__file__).parent
OUT = ROOT / "tokenizers"
VOCAB_SIZE = 420

TEXTS = [
    "", " ", "  ", "\n", "\n\n \n", "\t\r\n x", "Hello world", " Hello  World!  ", "I'm sure they'll say it's OK; DON'T you? WE'LL SEE.",
    "123 4567890 3.14159 2^10 ½ ² ١٢٣ ⅷ", "L'été, où l'on était à Noël — déjà « garçon » cœur", "e\u0301te\u0301 A\u030a \u212b ﬁ ﬂ ①",
    "Привет, мир! Ещё раз.", "日本語のテキスト、ひらがなとカタカナ。", "中文分词 没有空格123", "안녕하세요 세계", "مرحبا بالعالم، كيف؟", "नमस्ते दुनिया",
    "สวัสดีชาวโลก", "🙂 👨\u200d👩\u200d👧 🇫🇷 ❤️", "snake_case camelCase HTTPServer2Go x86_64", "if (a<=b && c!=d) { return f(x)[0]; }\n\tfor i in y:\n\n\n  z += 1",
    "https://example.org/a?b=c&d=%20e#f", "<|im_start|>user\nHi<|im_end|>", "a <|strip|>  b<|strip|>c", "Zürich inZürich Zürich.", "Zu\u0308rich",
    "<think>x</think> <unk> <s> </s> [MASK] [CLS] <0x41> ▁ Ġ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u00a0no\u00a0break\u2003space\u3000wide\u200bzero\ufeff", "control \u0000\u0001\u007f\u0085 end", "ſ 'ſ K Å İ ı ß ẞ Ω ς ΑΣ",
    "ﷺ ㍿ ｶﾞ ガ ﾃﾞｽ ＡＢＣ１２３", "…。，、।۔،!?.",
]


def random_texts(count):
    draw = random.Random(20)
    blocks = [(32, 126)] * 6 + [(0xA1, 0x24F), (0x370, 0x4FF), (0x5D0, 0x5EA), (0x621, 0x6D3), (0x904, 0x939), (0xE01, 0xE3A),
                                (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x20A0, 0x20B0), (0x3041, 0x30FE), (0x4E00, 0x4FFF), (0xAC00, 0xACFF),
                                (0x1F600, 0x1F640)]
    out = []
    for _ in range(count):
        text = ""
        for _ in range(draw.randint(1, 10)):
            first, last = draw.choice(blocks)
            text += "".join(chr(draw.randint(first, last)) for _ in range(draw.randint(1, 6))) + draw.choice(["", "", " ", "  ", "\n", "1", "'s"])
        out.append("".join(c for c in text if unicodedata.category(c) != "Cn"))
    return out


def corpus():
    """Training text that needs no file: the texts themselves and sentences made of frequent words."""
    draw = random.Random(4)
    words = ("the of and to in a is that for it was on are as with his they at be this from I have or by one had not but what all were when "
             "we there can an your which their said if do will each about how up out them then she many some so these would other into has "
             "more her two like him see time could no make than first been its who now people my made over did down only way find use may "
             "water long little very after words called just where most know le la les de des un une et est dans que qui pour sur pas plus "
             "avec ce son elle mais nous vous tout comme être fait été même sans aussi bien où année entre premier").split()
    sentences = [" ".join(draw.choice(words) for _ in range(draw.randint(4, 14))).capitalize() + draw.choice(".!?,;") for _ in range(900)]
    return sentences + TEXTS * 3


def byte_offsets(text, offsets):
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    return [[at[begin], at[end]] if end > begin else None for begin, end in offsets]


def huggingface_cases(tokenizer, texts):
    cases = []
    for text in texts:
        case = {}
        for name, as_text in (("special", False), ("plain", True)):
            tokenizer.encode_special_tokens = as_text
            encoding = tokenizer.encode(text)
            case[name] = [encoding.ids, byte_offsets(text, encoding.offsets)]
        case["decoded"] = tokenizer.decode(case["special"][0], skip_special_tokens=False) if case["special"][0] else ""
        if case["plain"] == case["special"]:
            del case["plain"]
        cases.append(case)
    return cases


def write(name, value):
    (OUT / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    OUT.mkdir(exist_ok=True)
    texts = TEXTS + random_texts(40)
    write("texts", texts)
    training = corpus()
    for kind, train in tokenizer_kinds.TRAINERS.items():
        tokenizer = train(training, 700 if kind in ("llama", "unigram_bytes") else VOCAB_SIZE)
        tokenizer.encode_special_tokens = False
        state = json.loads(tokenizer.to_str())
        gguf_pre = tokenizer_kinds.BYTE_LEVEL[kind][0] if kind in tokenizer_kinds.BYTE_LEVEL else None
        write(kind, {"gguf_pre": gguf_pre, "tokenizer": state, "cases": huggingface_cases(tokenizer, texts)})
    for name, (model_type, byte_fallback, normalization) in tokenizer_kinds.SENTENCEPIECE.items():
        model = tokenizer_kinds.train_sentencepiece(training, 700 if byte_fallback else VOCAB_SIZE, model_type, byte_fallback, normalization)
        (OUT / f"{name}.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        cases = [{"ids": processor.encode(text), "decoded": processor.decode(processor.encode(text))} for text in texts]
        write(name, {"cases": cases})


if __name__ == "__main__":
    main()
