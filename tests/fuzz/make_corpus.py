"""Seeds that are too odd for the goldens: tests/fuzz/corpus/{tokenizer_json,sentencepiece,model,folder,patches,prefix_cache}.

usage: make_corpus.py tests/fuzz/corpus

tokenizers 0.23.3, sentencepiece 0.2, gguf 0.19.0, safetensors 0.8, numpy. The other targets start from tests/golden and from the
hand-written templates in corpus/chat_template. The trainers break ties as they like: tokenizer files differ from run to run.
"""
import io, json, os, struct, sys
import gguf
import numpy as np
import sentencepiece
from safetensors.numpy import save as save_safetensors
from tokenizers import Tokenizer, Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

root = sys.argv[1]
TEXT = ["the quick brown fox jumps over the lazy dog", "Hello wörld, it's 123 tests", "日本 the the thing then", "x = [1, 2, 3];\n\n  y"] * 20
rng = np.random.default_rng(20261123)


def path(*parts):
    file = os.path.join(root, *parts)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    return file


def small_json(tokenizer, name):
    with open(path("tokenizer_json", name), "w") as f:
        json.dump(json.loads(tokenizer.to_str()), f, ensure_ascii=False, separators=(",", ":"))


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s+(?!\S)|\s+"), "isolated"),
         pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", 0)])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=60, special_tokens=["<s>", "<|im_end|>"], show_progress=False))
    return t


def llama_like():
    bytes_ = [f"<0x{i:02X}>" for i in range(0, 256, 16)]
    words = ["<unk>", "<s>", "</s>"] + bytes_ + ["▁", "t", "h", "e", "▁t", "he", "▁the", "x"]
    t = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, [("▁", "t"), ("h", "e"), ("▁t", "he")], unk_token="<unk>",
                             fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁"), normalizers.NFC()])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.add_special_tokens(["<s>", "</s>"])
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.StripAccents(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(TEXT, trainers.UnigramTrainer(vocab_size=50, unk_token="<unk>", special_tokens=["<unk>", "<pad>"], show_progress=False))
    return t


def word_piece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(TEXT, trainers.WordPieceTrainer(vocab_size=70, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return t


def sentencepiece_models():
    for kind, options in {"unigram": {}, "bpe": {"model_type": "bpe", "vocab_size": 320, "byte_fallback": True}}.items():
        out = io.BytesIO()
        arguments = {"vocab_size": 60, "hard_vocab_limit": False, "model_type": "unigram", "normalization_rule_name": "identity"} | options
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXT), model_writer=out, minloglevel=2, **arguments)
        with open(path("sentencepiece", f"{kind}.model"), "wb") as f:
            f.write(out.getvalue())


C, F, H, D, V = 32, 64, 2, 16, 24  # width, feed-forward, heads, head width, vocabulary: rows are whole blocks of 32
WIDE = 256  # a width of whole blocks of the K types


def llama_tensors(C=C, F=F):
    shapes = {"token_embd": (V, C), "output_norm": (C,), "blk.0.attn_norm": (C,), "blk.0.ffn_norm": (C,), "blk.0.attn_q": (H * D, C),
              "blk.0.attn_k": (D, C), "blk.0.attn_v": (D, C), "blk.0.attn_output": (C, H * D), "blk.0.ffn_gate": (F, C),
              "blk.0.ffn_up": (F, C), "blk.0.ffn_down": (C, F)}
    return {name: rng.standard_normal(shape, dtype=np.float32) * 0.1 for name, shape in shapes.items()}


def random_blocks(kind, shape):
    """Bytes that no packer would write: scales may be infinite or NaN."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    return rng.integers(0, 256, (shape[0], shape[1] // block * size), dtype=np.uint8)


def gguf_model(name, types, vocabulary, C=C, F=F, is_random=False):
    """Matrices take `types` in turn."""
    w = gguf.GGUFWriter(path("model", name), "llama")
    w.add_block_count(1)
    w.add_context_length(64)
    w.add_embedding_length(C)
    w.add_feed_forward_length(F)
    w.add_head_count(H)
    w.add_head_count_kv(1)
    w.add_key_length(D)
    w.add_value_length(D)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_freq_base(10000.0)
    if vocabulary == "gpt2":
        tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + list("abcdehlortw") + ["Ġ", "th", "the", "Ġthe", "he", "ll", "1", "2", "!", "Ċ"]
        w.add_tokenizer_model("gpt2")
        w.add_tokenizer_pre("smollm")
        w.add_token_list(tokens[:V])
        w.add_token_types([3] * 3 + [1] * (V - 3))
        w.add_token_merges(["t h", "th e", "Ġ the", "h e", "l l"])
    else:
        tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(8)] + ["▁", "t", "h", "e", "▁t", "he", "▁the", "a", "b", "c", "d", "x", "y"]
        w.add_tokenizer_model("llama")
        w.add_token_list(tokens[:V])
        w.add_token_scores([float(-i) for i in range(V)])
        w.add_token_types([2, 3, 3] + [6] * 8 + [1] * (V - 11))
        w.add_add_bos_token(True)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_chat_template("{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}")
    for i, (tensor, values) in enumerate(llama_tensors(C, F).items()):
        kind = types[i % len(types)] if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        if values.ndim == 2 and values.shape[1] % gguf.GGML_QUANT_SIZES[kind][0] != 0:
            kind = gguf.GGMLQuantizationType.Q8_0
        data = random_blocks(kind, values.shape) if is_random and values.ndim == 2 else gguf.quants.quantize(values, kind)
        w.add_tensor(tensor + ".weight", data, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def folder_model(name, config, tensors):
    with open(path("folder", name), "wb") as f:
        f.write(json.dumps(config, indent=1).encode() + b"\0" + save_safetensors(tensors, {"format": "pt"}))


def folder_llama():
    w = {"token_embd": "embed_tokens", "output_norm": "norm", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
         "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
    tensors = {}
    for name, values in llama_tensors().items():
        prefix, base = ("model.layers.0.", name[6:]) if name.startswith("blk.0.") else ("model.", name)
        tensors[prefix + w[base] + ".weight"] = values
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": C, "intermediate_size": F, "num_hidden_layers": 1,
              "num_attention_heads": H, "num_key_value_heads": 1, "head_dim": D, "vocab_size": V, "max_position_embeddings": 64,
              "rms_norm_eps": 1e-5, "tie_word_embeddings": True, "hidden_act": "silu",
              "rope_parameters": {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
                                  "high_freq_factor": 4.0, "original_max_position_embeddings": 16}}
    folder_model("llama.bin", config, tensors)


def folder_gpt2():
    shapes = {"wte.weight": (V, C), "wpe.weight": (16, C), "ln_f.weight": (C,), "ln_f.bias": (C,), "h.0.ln_1.weight": (C,), "h.0.ln_1.bias": (C,),
              "h.0.ln_2.weight": (C,), "h.0.ln_2.bias": (C,), "h.0.attn.c_attn.weight": (C, 3 * C), "h.0.attn.c_attn.bias": (3 * C,),
              "h.0.attn.c_proj.weight": (C, C), "h.0.attn.c_proj.bias": (C,), "h.0.mlp.c_fc.weight": (C, F), "h.0.mlp.c_fc.bias": (F,),
              "h.0.mlp.c_proj.weight": (F, C), "h.0.mlp.c_proj.bias": (C,)}
    tensors = {f"transformer.{name}": (rng.standard_normal(shape) * 0.1).astype(np.float16) for name, shape in shapes.items()}
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": C, "n_layer": 1, "n_head": H, "n_positions": 16, "n_inner": F,
              "vocab_size": V, "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new"}
    folder_model("gpt2.bin", config, tensors)


small_json(byte_level(), "byte_level.json")
small_json(llama_like(), "llama_like.json")
small_json(unigram(), "unigram.json")
small_json(word_piece(), "word_piece.json")
sentencepiece_models()
def patches():
    """Places and values for patches_fuzz.cc: header and metadata mostly, then weights."""
    values = [0, 1, 2**64 - 1, 2**63, 2**32, 0x7E00]
    for i in range(8):
        places = [int(rng.integers(2**63)) | (2**63 if j == 2 else 0) for j in range(1 + i % 3)]
        with open(path("patches", f"{i}.bin"), "wb") as f:
            f.write(b"".join(struct.pack("<QQ", place, values[(i + j) % len(values)]) for j, place in enumerate(places)))


def xxh64(data, seed=0):
    """XXH64 of the xxHash specification 0.1.1, as atelier/base/hash.h."""
    p1, p2, p3, p4, p5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
    mask = 2**64 - 1
    rotl = lambda x, r: ((x << r) | (x >> (64 - r))) & mask
    word = lambda at, n: int.from_bytes(data[at:at + n], "little")
    round_ = lambda lane, x: rotl((lane + x * p2) & mask, 31) * p1 & mask
    at, h = 0, (seed + p5) & mask
    if len(data) >= 32:
        lanes = [(seed + p1 + p2) & mask, (seed + p2) & mask, seed, (seed - p1) & mask]
        while len(data) - at >= 32:
            lanes = [round_(lane, word(at + 8 * i, 8)) for i, lane in enumerate(lanes)]
            at += 32
        h = sum(rotl(lane, r) for lane, r in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            h = ((h ^ round_(0, lane)) * p1 + p4) & mask
    h = (h + len(data)) & mask
    while len(data) - at >= 8:
        h, at = (rotl(h ^ round_(0, word(at, 8)), 27) * p1 + p4) & mask, at + 8
    if len(data) - at >= 4:
        h, at = (rotl(h ^ (word(at, 4) * p1 & mask), 23) * p2 + p3) & mask, at + 4
    for byte in data[at:]:
        h = rotl(h ^ (byte * p5 & mask), 11) * p1 & mask
    h = (h ^ h >> 33) * p2 & mask
    h = (h ^ h >> 29) * p3 & mask
    return h ^ h >> 32


def prefix_cache():
    """Three pages for prefix_cache_fuzz.cc, whose pages take 4,096 bytes (docs/formats/prefix-cache.md)."""
    string = lambda text: struct.pack("<Q", len(text)) + text.encode()
    pages = [("a" * 64, 0, 64), ("a" * 64, 1, 5), ("b" * 64, 0, 64)]
    head = b"ATLRKV3\n" + string("fuzz") + struct.pack("<QQ", 4096, len(pages))
    for root_name, parent, count in pages:
        head += string(root_name) + struct.pack(f"<II{count}i", parent, count, *range(count))
    check, body = xxh64(head), b""
    for i in range(len(pages)):
        page = bytes([i]) * 4096
        check, body = xxh64(page, check), body + page
    with open(path("prefix_cache", "three_pages.bin"), "wb") as f:
        f.write(head + body + struct.pack("<Q", check))


T = gguf.GGMLQuantizationType
gguf_model("q8_0.gguf", [T.Q8_0], "gpt2")
gguf_model("q4_0.gguf", [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.F16, T.BF16], "llama")
gguf_model("k_types.gguf", [T.Q4_K, T.Q6_K, T.Q2_K, T.Q3_K, T.Q5_K, T.IQ4_XS], "llama", C=WIDE, F=32, is_random=True)
folder_llama()
folder_gpt2()
patches()
prefix_cache()
