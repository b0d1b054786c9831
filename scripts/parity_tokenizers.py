"""Compares Atelier's ids with the reference implementations; prints a table for docs/parity.md.

Versions: Python 3.11 (Unicode 14.0), tokenizers 0.23.3, tiktoken 0.14.0, sentencepiece 0.2.3, llama-cpp-python 0.3.36, Perl 5.36 (ages of characters).

    ninja -C build/release tokenizer_tool
    python scripts/parity_tokenizers.py [--tool build/release/tokenizer_tool] [--strings 100000] [--corpus] [--kinds gpt2,bert]

Every kind of tests/golden/tokenizer_kinds.py is trained on texts of the shared data, saved, loaded by both sides and compared on
random strings (special tokens formed and not), and with --corpus on every text of shared/data/lm. Random strings mix words, marked
tokens, scripts and any character that is assigned in Unicode 14.0; for kinds whose reference carries older tables (OLD_TABLES) 8.0.
"""
import argparse
import base64
import gzip
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))
import tokenizer_kinds  # noqa: E402

# unicode_categories, the script table and the normalization (qwen2: NFC) of HF tokenizers stand at Unicode 8 or 9. These older characters have changed since: all there are
# (every assigned character of Unicode 8.0 was compared alone between two letters).
OLD_TABLES = {"bert", "gpt1", "word_level", "falcon", "qwen2"}
CHANGED_SINCE = {0x061C, 0x166D, 0x1734, 0x1885, 0x1886, 0x1CF2, 0x1CF3, 0xA9BD, 0x111C9}
MARKS = ["<|im_start|>", "<|im_end|>", "<|strip|>", "<think>", "Zürich", "\n", "\n\n", "\t", " 123456", "'ll", "'S", "don't", "</s>", "[MASK]",
         "<unk>", "▁", "<0x0A>", "é", "e\u0301", "\u0661\u0662", "½", "_", "🙂", "👨\u200d👩", "'ſ", "\u00a0", "\u3000", "\r\n"]


def characters_of_age(age):
    script = r'for (0..0x10ffff) { next if $_>=0xd800 && $_<=0xdfff; my $c=chr; print "$_\n" if $c=~/\p{Present_In: %s}/ && $c!~/[\p{Cn}\p{Co}]/ }' % age
    out = subprocess.run(["perl", "-e", script], capture_output=True, check=True, text=True).stdout
    return [int(line) for line in out.split() if int(line) not in CHANGED_SINCE]


def corpus(shared):
    lm = shared / "data" / "lm"
    texts = [json.loads(line)["text"] for line in open(lm / "lambada_test.jsonl")]
    for name in ("wikitext-2/valid.txt", "wikitext-2/test.txt", "tinyshakespeare.txt"):
        text = (lm / name).read_text()
        texts += [text[i:i + 20000] for i in range(0, len(text), 20000)]
    for line in gzip.open(lm / "eltec-fra.jsonl.gz", "rt"):
        texts.append(max((value for value in json.loads(line).values() if isinstance(value, str)), key=len))
    return texts


def random_strings(count, characters, words, seed):
    draw = random.Random(seed)
    known = set(characters)
    common = [c for first, last in ((32, 126), (0xA0, 0x24F), (0x370, 0x4FF), (0x300, 0x32F), (0x600, 0x6FF), (0x900, 0x97F), (0x3040, 0x30FF),
                                    (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0x1F300, 0x1F5FF)) for c in range(first, last + 1) if c in known]
    out = []
    for _ in range(count):
        parts = []
        for _ in range(draw.randint(1, 10)):
            which = draw.random()
            if which < 0.3:
                parts.append(draw.choice(words))
            elif which < 0.5:
                parts.append("".join(chr(draw.choice(common)) for _ in range(draw.randint(1, 6))))
            elif which < 0.65:
                parts.append("".join(chr(draw.choice(characters)) for _ in range(draw.randint(1, 4))))
            elif which < 0.8:
                parts.append(draw.choice(MARKS))
            parts.append(" " * draw.choice((0, 0, 1, 1, 1, 2, 5)))
        out.append("".join(parts))
    return out


class Ours:
    def __init__(self, tool, source, *arguments):
        self.command = [tool, str(source), "--ids", *arguments]

    def encode(self, texts, *arguments):
        request = b"".join(b"%d\n%s" % (len(text.encode()), text.encode()) for text in texts)
        answer = subprocess.run(self.command + list(arguments), input=request, capture_output=True, check=False)
        if answer.returncode != 0:
            raise RuntimeError(answer.stderr.decode())
        return [line.strip() for line in answer.stdout.decode().split("\n")[:-1]]


def joined(ids):
    return " ".join(map(str, ids))


def compare(name, what, texts, expected, actual, examples):
    different = [i for i in range(len(texts)) if expected[i] != actual[i]]
    print(f"| {name} | {what} | {len(texts)} | {sum(len(text.encode()) for text in texts)} | {len(different)} |", flush=True)
    for i in different[:examples]:
        print(f"    {texts[i][:80]!r}\n      reference {expected[i][:200]}\n      ours      {actual[i][:200]}", flush=True)


def compare_huggingface(kind, tokenizer, ours, strings, documents, arguments):
    for as_text in (False, True):
        tokenizer.encode_special_tokens = as_text
        expected = [joined(encoding.ids) for encoding in tokenizer.encode_batch(strings)]
        actual = ours.encode(strings, *([] if as_text else ["--special"]))
        compare(kind, "random, special as text" if as_text else "random, special formed", strings, expected, actual, arguments.examples)
    if documents:
        expected = [joined(encoding.ids) for encoding in tokenizer.encode_batch(documents)]
        compare(kind, "corpus", documents, expected, ours.encode(documents), arguments.examples)


def compare_function(kind, encode, ours, strings, documents, arguments, *options):
    for what, texts in (("random", strings), ("corpus", documents)):
        if texts:
            compare(kind, what, texts, [joined(encode(text)) for text in texts], ours.encode(texts, *options), arguments.examples)


def compare_tiktoken(arguments, strings, documents, folder):
    import tiktoken
    ranks_file = arguments.shared / "data" / "tokenizer" / "cl100k_base.tiktoken.gz"
    data = gzip.open(ranks_file).read()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines() if line)}
    encoding = tiktoken.Encoding("cl100k", pat_str=tokenizer_kinds.CL100K, mergeable_ranks=ranks, special_tokens={})
    source = folder / "cl100k.tiktoken"
    source.write_bytes(data)
    compare_function("cl100k (tiktoken)", encoding.encode_ordinary, Ours(arguments.tool, source, "--pattern", "cl100k_base"), strings, documents,
                     arguments)


def compare_llama_cpp(name, path, arguments, strings, documents):
    """Strings without "</s>": llama.cpp turns Gemma's plain token of that spelling into a control token, Hugging Face does not."""
    import llama_cpp
    strings = [text for text in strings if "</s>" not in text]
    model = llama_cpp.Llama(str(path), vocab_only=True, verbose=False)
    compare_function(name, lambda text: model.tokenize(text.encode(), add_bos=False, special=False), Ours(arguments.tool, path, "--no-add"), strings,
                     documents, arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=str(ROOT / "build" / "release" / "tokenizer_tool"))
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--strings", type=int, default=100000)
    parser.add_argument("--corpus", action="store_true", help="compare on all of shared/data/lm, too")
    parser.add_argument("--kinds", default="", help="comma-separated; default: all")
    parser.add_argument("--vocab", type=int, default=4000)
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--gguf", nargs="*", default=[], help="GGUF files to compare with llama.cpp's tokenizer")
    arguments = parser.parse_args()
    documents = corpus(arguments.shared)
    training = [document[:4000] for document in documents[::20]]
    words = " ".join(training).split(" ")
    current, old = characters_of_age("14.0"), characters_of_age("8.0")
    strings = random_strings(arguments.strings, current, words, 1)
    old_strings = random_strings(arguments.strings, old, words, 1)
    wanted = set(filter(None, arguments.kinds.split(",")))
    on_corpus = documents if arguments.corpus else []
    print("| kind | texts | strings | bytes | different |\n|---|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for kind, train in tokenizer_kinds.TRAINERS.items():
            if wanted and kind not in wanted:
                continue
            tokenizer = train(training, arguments.vocab)
            tokenizer.save(str(folder / f"{kind}.json"))
            compare_huggingface(kind, tokenizer, Ours(arguments.tool, folder / f"{kind}.json"), old_strings if kind in OLD_TABLES else strings,
                                on_corpus, arguments)
        for kind, (model_type, byte_fallback, normalization) in tokenizer_kinds.SENTENCEPIECE.items():
            if wanted and kind not in wanted:
                continue
            import sentencepiece
            model = tokenizer_kinds.train_sentencepiece(training, arguments.vocab, model_type, byte_fallback, normalization)
            (folder / f"{kind}.model").write_bytes(model)
            processor = sentencepiece.SentencePieceProcessor(model_proto=model)
            compare_function(kind, processor.encode, Ours(arguments.tool, folder / f"{kind}.model"), strings, on_corpus, arguments)
        if not wanted or "tiktoken" in wanted:
            compare_tiktoken(arguments, strings, on_corpus, folder)
        for path in arguments.gguf:
            compare_llama_cpp(pathlib.Path(path).parent.name + " (llama.cpp)", path, arguments, strings, on_corpus)


if __name__ == "__main__":
    begin = time.time()
    main()
    print(f"{time.time() - begin:.0f} s", file=sys.stderr)
