"""Tokenizers beside their peers on the same text in one run: MB/s, ratios, and whether the ids are identical.

Versions: Python 3.11, tokenizers 0.23.3, tiktoken 0.14.0, sentencepiece 0.2.3.

    ninja -C build/release tokenize_bench
    python scripts/bench_tokenizers.py TEXT SOURCE... [--bench build/release/tokenize_bench] [--threads 2]

SOURCE is a tokenizer.json (beside Hugging Face tokenizers), a SentencePiece .model (beside sentencepiece) or tiktoken ranks as RANKS:cl100k_base
(beside tiktoken). "whole" is one call for the text without special tokens, one thread; "batch" are the parts between empty lines with the
special tokens of the tokenizer, two threads. Best of three for the peers, best of five for us (caches warm; the first call of a fresh
tokenizer stands apart). MB is 10^6 bytes.
"""
import argparse
import base64
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))


def best(function, repeats=3):
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds), result


def flat(lists):
    return [token for tokens in lists for token in tokens]


def peer_of(source):
    """(name, ids of a whole text, ids of a batch)."""
    if source.endswith(".json"):
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(source)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        return ("tokenizers", lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
                lambda texts: flat(encoding.ids for encoding in tokenizer.encode_batch(texts)))
    if source.endswith(".model"):
        import sentencepiece
        processor = sentencepiece.SentencePieceProcessor(model_file=source)
        return ("sentencepiece", processor.encode, lambda texts: flat(processor.encode(texts, num_threads=int(os.environ["RAYON_NUM_THREADS"]))))
    import tiktoken
    import tokenizer_kinds
    ranks = dict(line.split() for line in open(source.rpartition(":")[0], "rb").read().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in ranks.items()}
    encoding = tiktoken.Encoding("cl100k", pat_str=tokenizer_kinds.CL100K, mergeable_ranks=ranks, special_tokens={})
    return ("tiktoken", encoding.encode_ordinary,
            lambda texts: flat(encoding.encode_ordinary_batch(texts, num_threads=int(os.environ["RAYON_NUM_THREADS"]))))


def read_ids(path):
    data = path.read_bytes()
    return list(struct.unpack(f"<{len(data) // 4}i", data))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--bench", default=str(ROOT / "build" / "release" / "tokenize_bench"))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = str(arguments.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    text = arguments.text.read_text()
    megabytes = len(text.encode()) / 1e6
    parts = [part for part in text.split("\n\n") if part]
    all_identical = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command = [arguments.bench, str(arguments.text), *arguments.sources]
        output = subprocess.run(command, env={**os.environ, "ATELIER_IDS": name}, capture_output=True, check=True, text=True).stdout
        print("| tokenizer | peer | whole text: peer | ours, first call | ours | ratio | batch, 2 threads: peer | ours | ratio | ids |")
        print("|---|---|---:|---:|---:|---:|---:|---:|---:|---|")
        for number, (source, line) in enumerate(zip(arguments.sources, output.splitlines())):
            ours = json.loads(line)
            peer, encode, encode_batch = peer_of(source)
            whole_s, whole_ids = best(lambda: encode(text))
            batch_s, batch_ids = best(lambda: encode_batch(parts))
            is_same = read_ids(folder / f"{number}.whole") == whole_ids and read_ids(folder / f"{number}.batch") == batch_ids
            all_identical &= is_same
            whole, batch = megabytes / whole_s, megabytes / batch_s
            print(f"| {pathlib.Path(source).name} | {peer} | {whole:.1f} | {ours['first_mb_s']:.0f} | {ours['whole_mb_s']:.0f} "
                  f"| {ours['whole_mb_s'] / whole:.1f} | {batch:.1f} | {ours['batch_2_threads_mb_s']:.0f} "
                  f"| {ours['batch_2_threads_mb_s'] / batch:.1f} | {'identical' if is_same else 'DIFFERENT'} |", flush=True)
    return 0 if all_identical else 1


if __name__ == "__main__":
    sys.exit(main())
