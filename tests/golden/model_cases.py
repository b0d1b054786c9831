"""The tiny models whose logits are goldens: one Case per architecture and per variant of it.

A case says which config transformers builds the model from, how the same config looked in the checkpoints of
2023-2025 (`old`), and which settings must change the logits (`matters`): a golden that would not notice a wrong
rotary scaling or a forgotten window is worthless, so make_model_goldens.py refuses to write it.

Sizes are chosen to be small and unequal: hidden, intermediate, head and vocabulary sizes differ, so that a mixed-up
axis is a shape error, and kv heads are fewer than heads wherever the family allows it.
"""

from dataclasses import dataclass, field
from typing import Any, Callable

from transformers import (BloomConfig, Gemma2Config, Gemma3Config, Gemma3TextConfig, GemmaConfig, GPT2Config,
                          LlamaConfig, MistralConfig, OpenAIGPTConfig, Phi3Config, Qwen2Config, Qwen3Config)


@dataclass
class Case:
    name: str
    config_class: Callable[..., Any]
    config: dict[str, Any]
    # Token counts of the golden sequences; several where the length itself chooses the computation.
    lengths: tuple[int, ...] = (32,)
    # Old-form edits after the general mapping of old_config.py: {key: value}, DROP removes the key (its default
    # must then be what transformers 4 assumed). Dotted keys reach into nested objects.
    old: dict[str, Any] = field(default_factory=dict)
    # name of a setting -> config edits under which the logits of the last sequence must differ.
    matters: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The spelling of "rope_type" in the old rope_scaling: transformers before 4.45 wrote "type".
    old_rope_key: str = "rope_type"
    # "f32" or "bf16": the type in which the weights are stored; the golden is always computed in float32.
    stored: str = "f32"
    # Shard limit for save_pretrained, in bytes; None writes one file.
    shard_bytes: int | None = None
    # Strip this prefix from the tensor names, as checkpoints saved from the bare model have them.
    strip_prefix: str = ""
    # Also store the causal-mask buffers "h.N.attn.bias" which the first GPT-2 checkpoints carry and loaders ignore.
    mask_buffers: bool = False
    # Mean of the q_norm/k_norm weights: lifts attention scores that a large query scale would flatten.
    qk_norm_mean: float | None = None
    notes: str = ""


DROP = object()

# Two layers, four query heads on two kv heads of width 8.
LLAMA = dict(vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=True)
# Two heads of width 16: eight rotary frequencies, enough to fall on both sides of every scaling's thresholds.
WIDE_HEADS = LLAMA | dict(num_attention_heads=2, num_key_value_heads=1)
DEFAULT_ROPE = {"rope_type": "default", "rope_theta": 10000.0}


def rope(kind: str, theta: float = 10000.0, **settings) -> dict[str, Any]:
    return {"rope_type": kind, "rope_theta": theta, **settings}


LLAMA_CASES = [
    Case("llama2", LlamaConfig,
         LLAMA | dict(num_key_value_heads=4, tie_word_embeddings=False, intermediate_size=44, rope_parameters=rope("default")),
         # The first Llama checkpoints name none of these.
         old={"num_key_value_heads": DROP, "head_dim": DROP, "rope_theta": DROP, "attention_bias": DROP,
              "mlp_bias": DROP, "tie_word_embeddings": False, "max_sequence_length": 128},
         matters={"theta": {"rope_parameters": rope("default", 500.0)}, "eps": {"rms_norm_eps": 1e-2}},
         notes="multi-head attention, untied head; the old config leaves num_key_value_heads, head_dim and rope_theta to their defaults"),
    Case("llama3", LlamaConfig,
         WIDE_HEADS | dict(rope_parameters=rope("llama3", 500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                                original_max_position_embeddings=40)),
         matters={"scaling": {"rope_parameters": rope("default", 500.0)}},
         notes="grouped queries, llama3 rotary scaling with frequencies in all three bands, tied head"),
    Case("smollm2", LlamaConfig,
         WIDE_HEADS | dict(vocab_size=320, intermediate_size=64, max_position_embeddings=256, rope_parameters=rope("default", 100000.0),
                           bos_token_id=1, eos_token_id=2, pad_token_id=2),
         old={"is_llama_config": True, "rope_interleaved": False}, lengths=(24,),
         matters={"theta": {"rope_parameters": rope("default")}},
         notes="tied head; comes with a tokenizer, a chat template and generation settings"),
    Case("llama-linear", LlamaConfig, LLAMA | dict(rope_parameters=rope("linear", factor=4.0)), old_rope_key="type",
         matters={"scaling": {"rope_parameters": DEFAULT_ROPE}}),
    Case("llama-dynamic", LlamaConfig,
         WIDE_HEADS | dict(max_position_embeddings=16, rope_parameters=rope("dynamic", factor=4.0)), old_rope_key="type",
         lengths=(12, 36), matters={"scaling": {"rope_parameters": DEFAULT_ROPE}},
         notes="frequencies follow the length of the whole sequence: max_position_embeddings is 16, so the first sequence "
               "is unscaled and the second is computed with the base of length 36 at every position"),
    Case("llama-yarn", LlamaConfig,
         WIDE_HEADS | dict(rope_parameters=rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=32)),
         old_rope_key="type", matters={"scaling": {"rope_parameters": rope("default", 100.0)}},
         notes="attention factor inferred from the factor: 0.1 ln(4) + 1, applied to cos and sin"),
    Case("llama-yarn-mscale", LlamaConfig,
         WIDE_HEADS | dict(rope_parameters=rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=32, beta_fast=4.0,
                                                beta_slow=1.0, mscale=1.5, mscale_all_dim=0.5)),
         matters={"mscale": {"rope_parameters": rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=32,
                                                     beta_fast=4.0, beta_slow=1.0)}},
         notes="attention factor is the ratio of the two mscales"),
    Case("llama-yarn-factor", LlamaConfig,
         WIDE_HEADS | dict(rope_parameters=rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=32, beta_fast=4.0,
                                                beta_slow=1.0, attention_factor=1.3, truncate=False)),
         matters={"truncate": {"rope_parameters": rope("yarn", 100.0, factor=4.0, original_max_position_embeddings=32,
                                                       beta_fast=4.0, beta_slow=1.0, attention_factor=1.3)},
                  "attention_factor": {"rope_parameters": rope("yarn", 100.0, factor=4.0, beta_fast=4.0, beta_slow=1.0,
                                                               original_max_position_embeddings=32, truncate=False)}},
         notes="attention factor given, correction range not rounded (truncate false)"),
    Case("llama-bias", LlamaConfig, LLAMA | dict(attention_bias=True, mlp_bias=True, rope_parameters=DEFAULT_ROPE),
         notes="biases on q, k, v, o and on gate, up, down"),
    Case("llama-bf16", LlamaConfig, LLAMA | dict(rope_parameters=DEFAULT_ROPE), stored="bf16",
         notes="weights stored in BF16; golden computed in float32 from the BF16 values"),
    Case("llama-sharded", LlamaConfig, LLAMA | dict(tie_word_embeddings=False, rope_parameters=DEFAULT_ROPE),
         shard_bytes=44000, notes="two files and model.safetensors.index.json"),
    Case("mistral", MistralConfig,
         LLAMA | dict(head_dim=12, sliding_window=7, tie_word_embeddings=False, rope_parameters=rope("default", 1000000.0)),
         matters={"window": {"sliding_window": None}, "window off by one": {"sliding_window": 8}},
         notes="sliding window on every layer: position i attends to i-6..i; heads wider than hidden / heads"),
]

QWEN = LLAMA | dict(rms_norm_eps=1e-6)
QWEN_CASES = [
    Case("qwen2", Qwen2Config, QWEN | dict(sliding_window=5, use_sliding_window=False, max_window_layers=1,
                                           rope_parameters=rope("default", 1000000.0)),
         # The checkpoints keep a window that use_sliding_window switches off.
         old={"sliding_window": 5, "max_window_layers": 1, "use_sliding_window": False},
         matters={"no window": {"use_sliding_window": True, "layer_types": ["sliding_attention"] * 2}},
         notes="also Qwen1.5 and Qwen2.5: biases on q, k, v only; the old config names a window that is switched off"),
    Case("qwen2-window", Qwen2Config, QWEN | dict(num_hidden_layers=3, sliding_window=6, use_sliding_window=True, max_window_layers=1,
                                                  intermediate_size=36, tie_word_embeddings=False,
                                                  rope_parameters=rope("default", 1000000.0)),
         old={"sliding_window": 6, "max_window_layers": 1, "use_sliding_window": True},
         matters={"which layers": {"layer_types": ["sliding_attention"] * 3}, "window": {"use_sliding_window": False}},
         notes="layers from max_window_layers on are windowed: full, sliding, sliding"),
    Case("qwen3", Qwen3Config, QWEN | dict(head_dim=12, rope_parameters=rope("default", 1000000.0)),
         old={"sliding_window": None, "use_sliding_window": False, "max_window_layers": 2},
         notes="normalised queries and keys, head width 12 is not hidden / heads, no biases"),
]

GEMMA = dict(vocab_size=80, hidden_size=32, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=1,
             head_dim=12, max_position_embeddings=128, rms_norm_eps=1e-6, rope_parameters=DEFAULT_ROPE)
GEMMA2 = GEMMA | dict(num_hidden_layers=3, intermediate_size=28, num_key_value_heads=2, sliding_window=6, query_pre_attn_scalar=12,
                      attn_logit_softcapping=2.0, final_logit_softcapping=5.0)
GEMMA2_MATTERS = {"window": {"sliding_window": 100}, "attention cap": {"attn_logit_softcapping": None},
                  "final cap": {"final_logit_softcapping": None}}
GEMMA3 = GEMMA | dict(num_hidden_layers=3, intermediate_size=28, num_key_value_heads=2, sliding_window=6, query_pre_attn_scalar=20,
                      layer_types=["sliding_attention", "sliding_attention", "full_attention"])


def gemma3_rope(full: dict[str, Any], local_theta: float = 10000.0) -> dict[str, Any]:
    return {"full_attention": full, "sliding_attention": rope("default", local_theta)}


GEMMA3_MATTERS = {"window": {"sliding_window": 100}, "which layers": {"layer_types": ["sliding_attention"] * 3},
                  "query scale": {"query_pre_attn_scalar": 12}}
GEMMA_CASES = [
    Case("gemma", GemmaConfig, GEMMA,
         # "gelu" meant the tanh approximation in the first Gemma configs.
         old={"hidden_act": "gelu", "hidden_activation": None, "tie_word_embeddings": DROP},
         notes="norm weights are stored minus one, embeddings scaled by sqrt(hidden); 'gelu' in the old config means tanh"),
    Case("gemma2", Gemma2Config, GEMMA2,
         old={"hidden_act": "gelu_pytorch_tanh", "cache_implementation": "hybrid", "tie_word_embeddings": DROP},
         matters=GEMMA2_MATTERS,
         notes="even layers windowed; soft-caps on scores and logits; norms before and after attention and MLP; "
               "query_pre_attn_scalar is head_dim, as in the 2B and 9B models"),
    Case("gemma2-27b", Gemma2Config, GEMMA2 | dict(num_hidden_layers=2, query_pre_attn_scalar=8),
         old={"hidden_act": "gelu_pytorch_tanh", "cache_implementation": "hybrid", "tie_word_embeddings": DROP},
         matters=GEMMA2_MATTERS | {"query scale": {"query_pre_attn_scalar": 12}},
         notes="query_pre_attn_scalar is hidden / heads and not head_dim, as in the 27B model"),
    Case("gemma3", Gemma3TextConfig, GEMMA3 | dict(eos_token_id=[1, 7], rope_parameters=gemma3_rope(rope("default", 1000000.0))),
         # The released configs write the bases as integers.
         old={"sliding_window_pattern": 3, "rope_theta": 1000000, "rope_local_base_freq": 10000,
              "cache_implementation": "hybrid", "tie_word_embeddings": DROP},
         matters=GEMMA3_MATTERS | {"local theta": {"rope_parameters": gemma3_rope(rope("default", 1000000.0), 1000000.0)}},
         notes="two windowed layers, then a full one, each kind with its own rotary base; normalised queries and keys"),
    # Seven layers of the released shape: five windowed ones to a full one, query scale from head_dim.
    Case("gemma3-linear", Gemma3TextConfig,
         GEMMA3 | dict(num_hidden_layers=7, layer_types=["sliding_attention"] * 5 + ["full_attention", "sliding_attention"],
                       intermediate_size=16, num_attention_heads=2, num_key_value_heads=1, head_dim=8, query_pre_attn_scalar=8,
                       rope_parameters=gemma3_rope(rope("linear", 1000000.0, factor=8.0))),
         old={"tie_word_embeddings": DROP},
         matters={"which layers": {"layer_types": ["sliding_attention"] * 7},
                  "scaling": {"rope_parameters": gemma3_rope(rope("default", 1000000.0))}},
         notes="linear scaling by 8 on the full layer only; the old config leaves the pattern (every sixth layer full) to its default"),
    Case("gemma3-multimodal", Gemma3Config,
         dict(text_config=dict(vocab_size=80, hidden_size=32, intermediate_size=36, num_hidden_layers=2, num_attention_heads=8,
                               num_key_value_heads=4, head_dim=8, sliding_window=6, model_type="gemma3_text",
                               layer_types=["sliding_attention", "full_attention"],
                               rope_parameters=gemma3_rope(rope("linear", 1000000.0, factor=8.0))),
              vision_config=dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, image_size=8,
                                 patch_size=4, model_type="siglip_vision_model", vision_use_head=False),
              mm_tokens_per_image=1, boi_token_index=77, eoi_token_index=78, image_token_index=79),
         # As google/gemma-3-4b-it: text_config names only what differs from the class's defaults (8 heads, 4 kv heads, ...).
         old={f"text_config.{key}": DROP for key in
              ("num_attention_heads", "num_key_value_heads", "query_pre_attn_scalar", "rms_norm_eps", "rope_theta",
               "rope_local_base_freq", "hidden_activation", "tie_word_embeddings", "max_position_embeddings",
               "attention_bias", "attn_logit_softcapping", "final_logit_softcapping")}
         | {"text_config.sliding_window_pattern": 2},
         qk_norm_mean=1.0,
         notes="text part of a vision-language checkpoint: names start with language_model, vision tensors are to be skipped; "
               "the old text_config leaves heads, kv heads, query scale (256), rotary bases and eps to their defaults"),
]

PHI = dict(vocab_size=72, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
           max_position_embeddings=128, original_max_position_embeddings=128, rms_norm_eps=1e-5, pad_token_id=0, eos_token_id=0,
           tie_word_embeddings=False)
SHORT = [1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7]
LONG = [1.1, 1.4, 2.0, 3.0, 4.5, 6.0, 7.0, 8.0]


def longrope(size: int) -> dict[str, Any]:
    return rope("longrope", short_factor=SHORT[:size], long_factor=LONG[:size], original_max_position_embeddings=20)


PHI_CASES = [
    Case("phi3", Phi3Config, PHI | dict(sliding_window=9, rope_parameters=DEFAULT_ROPE),
         old={"partial_rotary_factor": DROP}, matters={"window": {"sliding_window": None}},
         notes="fused qkv_proj and gate_up_proj, sliding window on every layer"),
    Case("phi3-longrope", Phi3Config,
         PHI | dict(max_position_embeddings=160, original_max_position_embeddings=20, rope_parameters=longrope(8)),
         lengths=(18, 36), old={"partial_rotary_factor": DROP, "sliding_window": 262144}, old_rope_key="type",
         matters={"long factors": {"rope_parameters": longrope(8) | {"long_factor": SHORT}},
                  "attention factor": {"rope_parameters": longrope(8) | {"attention_factor": 1.0}}},
         notes="18 tokens use short_factor, 36 use long_factor at every position; cos and sin are scaled by "
               "sqrt(1 + ln(160/20) / ln(20)) in both"),
    Case("phi3-partial", Phi3Config, PHI | dict(num_key_value_heads=1, rope_parameters=DEFAULT_ROPE | {"partial_rotary_factor": 0.75}),
         matters={"partial": {"rope_parameters": DEFAULT_ROPE | {"partial_rotary_factor": 1.0}}},
         notes="rotates the first 12 of 16 coordinates of a head"),
    Case("phi4-mini", Phi3Config,
         PHI | dict(num_key_value_heads=1, tie_word_embeddings=True, max_position_embeddings=160, original_max_position_embeddings=20,
                    rope_parameters=longrope(6) | {"partial_rotary_factor": 0.75}),
         lengths=(18, 36), old={"sliding_window": 262144}, old_rope_key="type",
         matters={"long factors": {"rope_parameters": longrope(6) | {"partial_rotary_factor": 0.75, "long_factor": SHORT[:6]}}},
         notes="longrope over a partial rotary width, grouped queries, tied head"),
]

GPT = dict(vocab_size=76, n_positions=48, n_embd=24, n_layer=2, n_head=3, bos_token_id=75, eos_token_id=75)
BLOOM = dict(vocab_size=76, hidden_size=24, n_layer=2, n_head=4)
OLDER_CASES = [
    Case("gpt2", GPT2Config, GPT | dict(n_inner=60), old={"n_ctx": 48},
         notes="Conv1D weights are [in, out]; learned positions; n_inner is not 4 x n_embd"),
    Case("gpt2-bare", GPT2Config, GPT, old={"n_ctx": 48, "n_inner": DROP, "tie_word_embeddings": DROP},
         strip_prefix="transformer.", mask_buffers=True,
         notes="tensor names without 'transformer.' and with the mask buffers h.N.attn.bias, as in the first GPT-2 checkpoints"),
    Case("gpt1", OpenAIGPTConfig, GPT, old={"n_ctx": 48, "tie_word_embeddings": DROP},
         notes="norms after each residual sum, no final norm; 'gelu' is the tanh approximation here"),
    Case("bloom", BloomConfig, BLOOM, old={"n_embed": 24, "hidden_size": DROP, "seq_length": 64, "tie_word_embeddings": DROP},
         notes="ALiBi, norm on the embeddings, fused qkv interleaved by head; the old config spells hidden_size n_embed"),
    Case("bloom-heads3", BloomConfig, BLOOM | dict(n_head=3), old={"n_embed": 24, "hidden_size": DROP},
         strip_prefix="transformer.", notes="three heads: ALiBi slopes for no power of two; bare tensor names"),
    Case("bloom-postnorm", BloomConfig, BLOOM | dict(n_layer=1, apply_residual_connection_post_layernorm=True),
         old={"num_attention_heads": 4, "n_head": DROP},
         matters={"residual": {"apply_residual_connection_post_layernorm": False}},
         notes="the residual starts after the norm"),
]

CASES = LLAMA_CASES + QWEN_CASES + GEMMA_CASES + PHI_CASES + OLDER_CASES
