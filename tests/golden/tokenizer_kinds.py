"""One small tokenizer per kind, trained with the exact pipeline of the model family that the kind is named after.

Versions: tokenizers 0.23.3, sentencepiece 0.2.3. Used by make_tokenizer_goldens.py and scripts/parity_tokenizers.py.
"""
import io
import json

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
WORD = r"[^\r\n\p{L}\p{N}]?"
O200K = "|".join([
    WORD + r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    WORD + r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
HAN = "[一-龥ࠀ-一가-퟿]+"
LETTERS = (
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙ"
    r"ὛὝὟ-\u1F7Dᾀ-ᾴᾶ-ᾼ\u1FBEῂ-ῄῆ-ῌῐ-\u1FD3ῖ-\u1FDBῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212A-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ"
    r"-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
)
V3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
      r"|\s*[\r\n]+|\s+(?!\S)|\s+")

SPECIAL = [AddedToken("<|endoftext|>", special=True, normalized=False), AddedToken("<|im_start|>", special=True, normalized=False),
           AddedToken("<|im_end|>", special=True, normalized=False)]
PLAIN = [AddedToken("<think>", special=False, normalized=False), AddedToken("Zürich", special=False, normalized=True, single_word=True),
         AddedToken("<|strip|>", special=True, normalized=False, lstrip=True, rstrip=True)]


def isolated(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


# kind -> (GGUF name of the pre-tokenizer, pre-tokenizer, normalizer, BPE options)
BYTE_LEVEL = {
    "gpt2": ("gpt-2", byte_level(True), None, {}),
    "smollm": ("smollm", pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(True)]), None, {}),
    "starcoder": ("starcoder", pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level(True)]), None, {}),
    "llama3": ("llama-bpe", pre_tokenizers.Sequence([isolated(CL100K), byte_level(False)]), None, {"ignore_merges": True}),
    "qwen2": ("qwen2", pre_tokenizers.Sequence([isolated(QWEN2), byte_level(False)]), normalizers.NFC(), {}),
    "o200k": ("gpt-4o", pre_tokenizers.Sequence([isolated(O200K), byte_level(False)]), None, {}),
    "bloom": ("bloom", pre_tokenizers.Sequence([isolated(BLOOM), byte_level(False)]), None, {}),
    "falcon": ("falcon", pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), byte_level(True),
                                                  pre_tokenizers.Digits(False), isolated("[0-9][0-9][0-9]")]), None, {}),
    "deepseek_coder": ("deepseek-coder", pre_tokenizers.Sequence([isolated("[\r\n]"), isolated(r"\s?\p{L}+"), isolated(r"\s?\p{P}+"),
                                                                  isolated(HAN), pre_tokenizers.Digits(True), byte_level(False)]), None, {}),
    "deepseek_llm": ("deepseek-llm", pre_tokenizers.Sequence([isolated("[\r\n]"), isolated(LETTERS),
                                                              isolated(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), isolated(r"\s+$"), isolated(HAN),
                                                              pre_tokenizers.Digits(True), byte_level(False)]), None, {}),
    "deepseek_v3": ("deepseek-v3", pre_tokenizers.Sequence([isolated(r"\p{N}{1,3}"), isolated("[一-龥぀-ゟ゠-ヿ]+"), isolated(V3),
                                                            byte_level(False)]), None, {}),
}


def add_tokens(tokenizer):
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.add_tokens(PLAIN)
    return tokenizer


def train_byte_level(kind, texts, vocab_size):
    _, pre_tokenizer, normalizer, options = BYTE_LEVEL[kind]
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=kind == "gpt2", add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return add_tokens(tokenizer)


def byte_tokens():
    return ["<0x%02X>" % byte for byte in range(256)]


def train_llama(texts, vocab_size):
    """Llama 2: "▁" for spaces, no pre-tokenizer, byte fallback."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=["<unk>", "<s>", "</s>"] + byte_tokens(), limit_alphabet=200,
                                  show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    state = json.loads(tokenizer.to_str())
    state["pre_tokenizer"] = None  # it only made the training faster
    state["added_tokens"] = state["added_tokens"][:3]  # byte tokens are no added tokens
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return add_tokens(tokenizer)


def train_bert(texts, vocab_size):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    return add_tokens(tokenizer)


def train_gpt1(texts, vocab_size):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.BPEDecoder("</w>")
    return tokenizer


def train_sentencepiece(texts, vocab_size, model_type, byte_fallback, normalization="nmt_nfkc"):
    """The bytes of a .model file: dummy prefix, extra spaces removed."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts), model_writer=out, vocab_size=vocab_size, model_type=model_type,
                                             byte_fallback=byte_fallback, user_defined_symbols=["<think>", "Zürich"],
                                             character_coverage=0.999, minloglevel=2, num_threads=1,
                                             normalization_rule_name=normalization, hard_vocab_limit=False)
    return out.getvalue()


def unigram_from(model_bytes):
    """The tokenizer.json that transformers makes of a Unigram .model: precompiled charsmap, Metaspace."""
    from sentencepiece import sentencepiece_model_pb2
    model = sentencepiece_model_pb2.ModelProto.FromString(model_bytes)
    vocab = [(piece.piece, piece.score) for piece in model.pieces]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=0, byte_fallback=model.trainer_spec.byte_fallback))
    charsmap = model.normalizer_spec.precompiled_charsmap
    precompiled = [normalizers.Precompiled(charsmap)] if charsmap else []
    tokenizer.normalizer = normalizers.Sequence(precompiled + [normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="first")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return add_tokens(tokenizer)


def train_word_level(texts, vocab_size):
    """Words, with the pre-tokenizers and normalizers that no other kind uses."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
                                                 normalizers.Strip(), normalizers.Replace(Regex("[0-9]+"), "7")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Whitespace(),
                                                       pre_tokenizers.CharDelimiterSplit("_"), pre_tokenizers.FixedLength(6)])
    trainer = trainers.WordLevelTrainer(vocab_size=vocab_size, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return add_tokens(tokenizer)


TRAINERS = {kind: (lambda texts, size, kind=kind: train_byte_level(kind, texts, size)) for kind in BYTE_LEVEL}
TRAINERS.update({"llama": train_llama, "bert": train_bert, "gpt1": train_gpt1, "word_level": train_word_level,
                 "unigram": lambda texts, size: unigram_from(train_sentencepiece(texts, size, "unigram", False)),
                 "unigram_bytes": lambda texts, size: unigram_from(train_sentencepiece(texts, size, "unigram", True, "identity"))})
# .model files: name -> (model type, byte fallback, normalization)
SENTENCEPIECE = {"sp_bpe": ("bpe", True, "identity"), "sp_bpe_unk": ("bpe", False, "identity"), "sp_unigram": ("unigram", True, "nmt_nfkc"),
                 "sp_unigram_unk": ("unigram", False, "identity")}
