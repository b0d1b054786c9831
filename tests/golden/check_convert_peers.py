#!/usr/bin/env python3
"""What `atelier convert` and `atelier quantize` write, read by llama.cpp and by transformers. Not part of CI.

Versions  Python 3.11, llama-cpp-python 0.3.36, gguf 0.19.0, transformers 5.23.0, torch 2.15.0, numpy 2.4.6
Run       python3 tests/golden/check_convert_peers.py build/release/atelier layouts [CASE...]
          python3 tests/golden/check_convert_peers.py build/release/atelier types
          python3 tests/golden/check_convert_peers.py build/release/atelier text MODEL.gguf

  layouts   each model of tests/golden/models: folder -> GGUF, its logits in llama.cpp against the golden; GGUF -> folder, its logits
            in transformers against the golden. Models that GGUF cannot express print the refusal.
  types     small random models in every preset: the type that each tensor gets, and the error, against llama.cpp's own quantizer
  text      a real model: GGUF -> folder, token ids and greedy text in transformers against llama.cpp on the same values as F32
"""

import ctypes
import json
import pathlib
import subprocess
import sys
import tempfile

import gguf
import llama_cpp
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests/golden/models"
sys.path.insert(0, str(ROOT / "scripts/parity"))
from goldens import sequences_of  # noqa: E402
from llama import LlamaCpp  # noqa: E402

PRESETS = ["F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0", "Q3_K_L",
           "Q3_K_M", "Q3_K_S", "Q2_K"]
# layers, width, feed-forward width, heads, kv heads, tied head
SHAPES = {"grouped queries, tied": (32, 256, 512, 4, 1, True), "18 layers, untied": (18, 256, 256, 4, 4, False),
          "rows of 288": (9, 288, 320, 4, 2, True)}
PROMPTS = ["The capital of France is", "Once upon a time, there was a", "def fibonacci(n):\n", "Water boils at 100 °C because"]


def run(binary, *arguments):
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode == 0, (done.stderr or done.stdout).strip().split("\n")[-1]


def transformers_logits(folder, ids):
    import torch
    from transformers import AutoModelForCausalLM
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()


def check_layouts(binary, cases, scratch):
    for folder in sorted(MODELS.iterdir()):
        if not (folder / "config.json").exists() or (cases and folder.name not in cases):
            continue
        file, back = scratch / "m.gguf", scratch / folder.name
        is_done, message = run(binary, "convert", folder, file)
        if not is_done:
            print(f"{folder.name:20} {message}")
            continue
        is_back, message = run(binary, "convert", file, back)
        ids, golden = sequences_of(folder)[0]
        with LlamaCpp(str(file), len(ids)) as peer:
            in_llama = np.abs(peer.forward(ids) - golden).max()
        in_transformers = np.abs(transformers_logits(back, ids) - golden).max() if is_back else message
        print(f"{folder.name:20} llama.cpp {in_llama:.1e}  transformers {in_transformers:.1e}  (golden up to {np.abs(golden).max():.1f})")


def random_model(path, layers, width, feed_forward, heads, kv_heads, is_tied):
    writer, vocab, rng = gguf.GGUFWriter(str(path), "llama"), 512, np.random.default_rng(0)
    writer.add_block_count(layers), writer.add_context_length(512), writer.add_embedding_length(width)
    writer.add_feed_forward_length(feed_forward), writer.add_head_count(heads), writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5), writer.add_vocab_size(vocab), writer.add_rope_dimension_count(width // heads)
    writer.add_file_type(0), writer.add_tokenizer_model("no_vocab")

    def add(name, *shape):
        values = rng.standard_normal(shape) * 0.05 if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(name, values.astype(np.float32))

    add("token_embd.weight", vocab, width), add("output_norm.weight", width)
    if not is_tied:
        add("output.weight", vocab, width)
    for i in range(layers):
        block, kv_width = f"blk.{i}.", width // heads * kv_heads
        add(block + "attn_norm.weight", width), add(block + "ffn_norm.weight", width)
        add(block + "attn_q.weight", width, width), add(block + "attn_k.weight", kv_width, width)
        add(block + "attn_v.weight", kv_width, width), add(block + "attn_output.weight", width, width)
        add(block + "ffn_gate.weight", feed_forward, width), add(block + "ffn_up.weight", feed_forward, width)
        add(block + "ffn_down.weight", width, feed_forward)
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()


def tensors_of(path):
    return {tensor.name: tensor for tensor in gguf.GGUFReader(str(path)).tensors}


def quantize_with_llama_cpp(source, target, preset):
    names = {"F32": "ALL_F32", "F16": "MOSTLY_F16", "BF16": "MOSTLY_BF16"}
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama_cpp, "LLAMA_FTYPE_" + names.get(preset, "MOSTLY_" + preset))
    parameters.nthread = 2
    assert llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters)) == 0


def check_types(binary, scratch):
    for label, shape in SHAPES.items():
        source, theirs, ours = scratch / "source.gguf", scratch / "theirs.gguf", scratch / "ours.gguf"
        random_model(source, *shape)
        weights = tensors_of(source)
        for preset in PRESETS:
            quantize_with_llama_cpp(source, theirs, preset)
            is_done, message = run(binary, "quantize", source, ours, "--type", preset)
            assert is_done, message
            a, b = tensors_of(theirs), tensors_of(ours)
            different = [name for name in a if a[name].tensor_type != b[name].tensor_type]
            squares = [sum(((gguf.dequantize(m[n].data, m[n].tensor_type).reshape(weights[n].data.shape) - weights[n].data) ** 2).sum()
                           for n in a) for m in (a, b)]
            ratio = (squares[1] / squares[0]) ** 0.5 if squares[0] else 1
            print(f"{label:24} {preset:7} {len(different)} of {len(a)} types differ, error {ratio:.4f} of llama.cpp's")


def check_text(binary, model, scratch):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    folder, exact = scratch / "folder", scratch / "f32.gguf"
    for arguments in (["convert", model, folder], ["quantize", model, exact, "--type", "F32"]):
        is_done, message = run(binary, *arguments)
        assert is_done, message
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    original = llama_cpp.Llama(model_path=str(exact), n_ctx=256, verbose=False)
    for prompt in PROMPTS:
        ids = original.tokenize(prompt.encode(), special=False)
        assert ids == tokenizer(prompt).input_ids, (prompt, ids, tokenizer(prompt).input_ids)
        original.reset()
        theirs = [token for token, _ in zip(original.generate(ids, temp=0), range(24))]
        with torch.no_grad():
            ours = network.generate(torch.tensor([ids]), max_new_tokens=24, do_sample=False)[0, len(ids):].tolist()
        same = next((i for i, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
        print(json.dumps({"prompt": prompt, "same_tokens": same, "transformers": tokenizer.decode(ours)}, ensure_ascii=False))


def main():
    binary, mode, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as scratch:
        if mode == "layouts":
            check_layouts(binary, rest, pathlib.Path(scratch))
        elif mode == "types":
            check_types(binary, pathlib.Path(scratch))
        else:
            check_text(binary, rest[0], pathlib.Path(scratch))


if __name__ == "__main__":
    main()
