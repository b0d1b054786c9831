#!/usr/bin/env python3
"""Our quantizer beside llama.cpp's: both pack the same source to every type, and one engine (ours, --dtype f32) judges both files.

Versions  Python 3.11, numpy 2.4.6, llama-cpp-python 0.3.36, gguf 0.19.0
Run       python3 scripts/parity/quantizers.py [--random] [--windows 4] [TYPE...]

The source is SmolLM2-135M-Instruct widened to F32 by llama.cpp, or with --random the model of peers/random_llama.py (1,024 wide: every
row is a multiple of 256, as K types need; it is so unsure of every word that its perplexity and divergence are draws of chance). Perplexity
on WikiText-2, context 512; divergence is the mean KL(source || quantized) over the scored places, in nats; error is the squared error of
all matrices, relative to their squares. Bounds: of SmolLM2's perplexity from 4 bits up, at most 0.5 % above that of llama.cpp's file; of
the random model's error, at most 1 % above. Files with the same bytes in every tensor are judged once.
"percent_error" is one standard error of the difference (the same places scored twice): a few windows cannot hold a difference of 0.5 %
where it is larger.
"""
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

import common
import windows

FROM_4_BITS = ["Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0"]
BELOW = ["Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K"]


def make_source(options, scratch: Path) -> str:
    """The file that both quantizers read."""
    smollm2, source = common.stored("smollm2-135m-instruct"), str(scratch / "source.gguf")
    if options.random:
        common.output_of([sys.executable, str(common.shared("peers", "random_llama.py")), smollm2, source, "m"])
    else:
        common.output_of(common.peer_tool("quantize", smollm2, source, "F32"))
    return source


class Judge:
    """Scores files against the source's log-probabilities, which stay in memory (50 MB a window at 49,152 words)."""

    def __init__(self, options, source: str) -> None:
        self._options = options
        self._windows = windows.windows(options, source, options.windows)
        self._source = [self._logprobs(source, ids) for ids in self._windows]

    def _logprobs(self, model: str, ids: list[int]) -> np.ndarray:
        return windows.scored_logprobs(windows.our_logits(self._options, model, ids, "--dtype", "f32"))

    def source_ppl(self) -> float:
        return self._ppl([windows.nll(logprobs, ids) for logprobs, ids in zip(self._source, self._windows)])

    @staticmethod
    def _ppl(nlls: list[np.ndarray]) -> float:
        return float(np.exp(np.concatenate(nlls).mean()))

    def judge(self, model: str) -> tuple[float, float, np.ndarray]:
        """Perplexity, mean divergence from the source, and the negative log-likelihood of each scored place."""
        nlls, divergences = [], []
        for ids, source in zip(self._windows, self._source):
            logprobs = self._logprobs(model, ids)
            nlls.append(windows.nll(logprobs, ids))
            divergences.append(windows.divergence(source, logprobs))
        return self._ppl(nlls), float(np.concatenate(divergences).mean()), np.concatenate(nlls)


def have_same_tensors(a: Path, b: Path) -> bool:
    """Every tensor of both files has the same name, type and bytes."""
    tensors = [{tensor.name: tensor for tensor in gguf.GGUFReader(file).tensors} for file in (a, b)]
    return tensors[0].keys() == tensors[1].keys() and all(
        tensor.tensor_type == tensors[1][name].tensor_type and np.array_equal(tensor.data, tensors[1][name].data) for name, tensor in tensors[0].items())


def error_of(source: Path, packed: Path) -> float:
    """sum (w - w_packed)^2 / sum w^2 over all matrices."""
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(packed).tensors}
    error = squares = 0.0
    for tensor in gguf.GGUFReader(source).tensors:
        if len(tensor.shape) < 2:
            continue
        w, rounded = (gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float64) for t in (tensor, tensors[tensor.name]))
        error += float(np.square(rounded - w).sum())
        squares += float(np.square(w).sum())
    return error / squares


def compare(options, report: common.Report, judge: Judge, source: str, kind: str, scratch: Path) -> None:
    our_file, peer_file = scratch / "ours.gguf", scratch / "peer.gguf"
    common.output_of([options.atelier, "quantize", source, str(our_file), "--type", kind])
    common.output_of(common.peer_tool("quantize", source, str(peer_file), kind))
    ours, our_kl, our_nll = judge.judge(str(our_file))
    is_same = have_same_tensors(our_file, peer_file)
    peer, peer_kl, peer_nll = (ours, our_kl, our_nll) if is_same else judge.judge(str(peer_file))
    deviation = float((our_nll - peer_nll).std() / len(our_nll) ** 0.5)  # of the difference of mean nll: of the ratio of perplexities
    our_error, peer_error = error_of(Path(source), our_file), error_of(Path(source), peer_file)
    bound = {}
    if options.random:
        bound = {"bound": "error at most 1 % above", "kept": our_error <= peer_error * 1.01}
    elif kind in FROM_4_BITS:
        bound = {"bound": "perplexity at most 0.5 % above", "kept": ours <= peer * 1.005}
    report.say(type=kind, same_tensors=is_same, ppl=ours, llama_cpp_ppl=peer, percent=100 * (ours / peer - 1), percent_error=100 * deviation, kl=our_kl, llama_cpp_kl=peer_kl,
               error=our_error, llama_cpp_error=peer_error,
               bytes=our_file.stat().st_size, llama_cpp_bytes=peer_file.stat().st_size, **bound)
    our_file.unlink()
    peer_file.unlink()


def main() -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--random", action="store_true", help="the random model 1,024 wide instead of SmolLM2")
    parser.add_argument("--windows", type=int, default=4, help="windows of 512 tokens (%(default)s)")
    parser.add_argument("types", nargs="*", metavar="TYPE", help=f"of {' '.join(FROM_4_BITS + BELOW)} (default: all)")
    options = parser.parse_args()
    report = common.Report()
    report.head()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        source = make_source(options, scratch)
        judge = Judge(options, source)
        report.say(source="random 1,024 wide" if options.random else "SmolLM2 Q4_1 widened to F32", windows=options.windows, ppl=judge.source_ppl())
        for kind in options.types or FROM_4_BITS + BELOW:
            compare(options, report, judge, source, kind, scratch)
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
