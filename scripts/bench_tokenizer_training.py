"""Tokenizer training beside its peers on the same texts in one run: seconds, ratios, and whether the result is the same.

Versions: Python 3.11, tokenizers 0.23.3, sentencepiece 0.2.3.

    ninja -C build/release atelier
    python scripts/bench_tokenizer_training.py novels.jsonl [--atelier build/release/atelier] [--vocab-size 32000] [--threads 2] [--repeat 3]

The texts are the "text" fields of a JSON Lines file, "unigram" their lines. Ours is the whole command, from reading the file to the file written;
the peers' time begins when all texts are in memory and ends when training does, which favours them. Best of the repeats. Hugging Face's trainers
learn with the stages that ours wrote. MB is 10^6 bytes of text.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def best(function, repeats):
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def train_here(arguments, kind, path, out):
    options = ["--lowercase"] if kind == "wordpiece" else []
    subprocess.run([arguments.atelier, "tokenizer", "train", str(path), "--kind", kind, "--vocab-size", str(arguments.vocab_size),
                    "--threads", str(arguments.threads), "--out", str(out), *options], check=True, capture_output=True)


def hugging_face(arguments, kind, texts, out):
    """(what trains, what compares with the file `out`)."""
    from tokenizers import Tokenizer, pre_tokenizers, trainers
    ours = Tokenizer.from_file(str(out))
    file = json.loads(out.read_text())
    options = {"vocab_size": arguments.vocab_size, "special_tokens": [token["content"] for token in file["added_tokens"]], "show_progress": False}
    if kind == "byte-level-bpe":
        options["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    trainer = (trainers.WordPieceTrainer if kind == "wordpiece" else trainers.BpeTrainer)(**options)
    trained = []

    def train():
        tokenizer = Tokenizer(type(ours.model)())
        tokenizer.pre_tokenizer = ours.pre_tokenizer
        if ours.normalizer:
            tokenizer.normalizer = ours.normalizer
        tokenizer.train_from_iterator(texts, trainer)
        trained[:] = [tokenizer]

    def compare():
        theirs = json.loads(trained[0].to_str())["model"]
        if kind == "wordpiece":  # "##x" have ids from a hash table there, and ties go by ids
            shared = len(theirs["vocab"].keys() & file["model"]["vocab"].keys())
            return f"{shared} of {len(theirs['vocab'])} tokens"
        is_same = theirs["vocab"] == file["model"]["vocab"] and theirs["merges"] == file["model"]["merges"]
        return "identical" if is_same else "DIFFERENT"

    return train, compare


def sentencepiece_unigram(arguments, lines_path, out, folder):
    import sentencepiece
    from tokenizers import Tokenizer

    def train():
        sentencepiece.SentencePieceTrainer.train(input=str(lines_path), model_prefix=str(folder / "sp"), vocab_size=arguments.vocab_size,
                                                 model_type="unigram", max_sentence_length=1 << 20, minloglevel=2, num_threads=arguments.threads)

    def compare():
        lines = lines_path.read_text().split("\n")[:20000]
        theirs = sum(map(len, sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model")).encode(lines)))
        ours = sum(len(encoding.ids) for encoding in Tokenizer.from_file(str(out)).encode_batch(lines))
        return f"{ours / theirs:.4f} × its tokens"

    return train, compare


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--atelier", default=str(ROOT / "build" / "release" / "atelier"))
    parser.add_argument("--vocab-size", type=int, default=32000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=["byte-level-bpe", "bpe", "wordpiece", "unigram"])
    arguments = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    texts = [json.loads(line)["text"] for line in arguments.texts.read_text().splitlines() if line]
    print(f"{sum(len(text.encode()) for text in texts) / 1e6:.1f} MB, {arguments.threads} threads, {arguments.vocab_size} tokens\n")
    print("| kind | peer | peer, s | ours, s | ratio | result |\n|---|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines_path = folder / "lines.txt"
        lines_path.write_text("\n".join(line for text in texts for line in text.split("\n") if line.strip()))
        for kind in arguments.kinds:
            out = folder / f"{kind}.json"
            source = lines_path if kind == "unigram" else arguments.texts
            ours_s = best(lambda: train_here(arguments, kind, source, out), arguments.repeat)
            is_unigram = kind == "unigram"
            train, compare = sentencepiece_unigram(arguments, lines_path, out, folder) if is_unigram else hugging_face(arguments, kind, texts, out)
            peer_s = best(train, 1 if is_unigram else arguments.repeat)
            peer = "sentencepiece" if is_unigram else "tokenizers"
            print(f"| {kind} | {peer} | {peer_s:.2f} | {ours_s:.2f} | {peer_s / ours_s:.1f} | {compare()} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
