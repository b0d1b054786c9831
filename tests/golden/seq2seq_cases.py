"""The tiny encoder-decoders whose outputs are goldens."""

from dataclasses import dataclass
from typing import Any

import transformers

# Four heads of width 6 or 8; more layers in the encoder than in the decoder.
T5 = dict(vocab_size=70, d_model=24, d_kv=8, d_ff=40, num_layers=3, num_decoder_layers=2, num_heads=4, decoder_start_token_id=0)
BART = dict(vocab_size=70, d_model=24, encoder_layers=3, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
            encoder_ffn_dim=40, decoder_ffn_dim=28, max_position_embeddings=160, pad_token_id=1, eos_token_id=2, bos_token_id=0,
            decoder_start_token_id=2, forced_eos_token_id=None)


@dataclass
class Case:
    name: str
    config_class: type
    config: dict[str, Any]
    # Lengths of sources, and of what the decoder is given.
    lengths: tuple[tuple[int, int], ...] = ((140, 9), (1, 4), (7, 140))
    # The head does not share the embedding, which transformers 5 ties whatever the configuration says.
    has_own_head: bool = False


CASES = [
    Case("t5", transformers.T5Config, T5),
    Case("t5-v1_1", transformers.T5Config,
         T5 | dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False, relative_attention_num_buckets=12,
                   relative_attention_max_distance=20), lengths=((40, 5), (3, 30)), has_own_head=True),
    Case("mt5", transformers.MT5Config, T5 | dict(num_layers=2, relative_attention_num_buckets=8, relative_attention_max_distance=9),
         lengths=((30, 5), (2, 20))),
    Case("bart", transformers.BartConfig, BART, lengths=((40, 5), (3, 30))),
    Case("marian", transformers.MarianConfig,
         BART | dict(activation_function="swish", scale_embedding=True, pad_token_id=69, eos_token_id=0, bos_token_id=None,
                     decoder_start_token_id=69), lengths=((40, 5), (3, 30))),
    Case("marian-pair", transformers.MarianConfig,
         BART | dict(share_encoder_decoder_embeddings=False, decoder_vocab_size=63), lengths=((9, 5), (3, 20))),
    Case("transformer", transformers.MarianConfig,  # of 2017
         BART | dict(activation_function="relu", scale_embedding=True, encoder_layers=2, decoder_ffn_dim=40), lengths=((9, 5), (3, 20))),
]


def model_class(case: Case):
    return transformers.AutoModelForSeq2SeqLM
