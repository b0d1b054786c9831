"""A byte-level BPE of a few hundred pieces for the smollm2 golden, so that `generate` and `chat` have text to work on.

Built as SmolLM2's: digits split one by one, then the GPT-2 byte-level pattern; three special tokens at ids 0..2; every
byte has a piece, so any text can be encoded; the rest are merges learned from the text below.
"""

import json
import pathlib

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

TEXT = """
The workshop opens early in the morning. There is a long table under the window, and on the table there are the tools
that the people of the house use every day: a lamp, a ruler, a pair of scissors and a box of small parts. Whoever comes
first makes the tea and reads the list of the things that have to be done. The others come in one after the other, hang
their coats on the hooks by the door and sit down where there is light.
When something is broken they take it apart and look at every piece of it. They write down what they found, in which
order the parts came out and what they tried. That is slower than guessing, but the next one who opens the same machine
finds the notes and does not have to begin again. In the evening they put the tools back where they belong, sweep the
floor and talk about the work of the day. Nobody leaves before the lamp is out and the door is shut.
"""

CHAT_TEMPLATE = """\
{%- if messages[0]['role'] != 'system' -%}
{{- '<|im_start|>system\\nYou are the voice of a small workshop.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def train(vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False,
                                  special_tokens=[AddedToken(token, special=True) for token in SPECIAL_TOKENS],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([TEXT], trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise SystemExit(f"the tokenizer has {tokenizer.get_vocab_size()} pieces; wanted {vocab_size}")
    return tokenizer


def write(folder: pathlib.Path, vocab_size: int) -> None:
    """Writes tokenizer.json, tokenizer_config.json, generation_config.json and chat_template.jinja into `folder`."""
    train(vocab_size).save(str(folder / "tokenizer.json"))
    config = {
        "add_prefix_space": False, "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>", "clean_up_tokenization_spaces": False, "model_max_length": 256,
        "tokenizer_class": "GPT2Tokenizer",
    }
    generation = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "do_sample": True, "temperature": 0.2, "top_p": 0.9}
    for name, value in (("tokenizer_config.json", config), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(value, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)
