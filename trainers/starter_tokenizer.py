"""The starter's tokenizer: byte-level BPE with one token per digit, and a chat template of one marker per turn.

Role markers are special tokens, so no merge crosses the border between the template and the text: the prompt with its
generation marker is always a prefix of the whole conversation. Every text is read with a space before it, which
decoding takes away again (as Llama 2 does): a word is the same token wherever it stands, so a bare answer and a
whole sentence share what they teach. The template marks what the assistant said with `generation`,
which is what assistant-only losses read.
"""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

from trainers.grammar.conversation import converse
from trainers.grammar.words import COMMON, FIRST_NAMES, SPELLABLE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 2048
CONTEXT = 1024
PAD, END, SYSTEM, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"
SPECIALS = (PAD, END, SYSTEM, USER, ASSISTANT)

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{ '<|assistant|>' }}{% generation %}{{ message['content'] | trim }}{{ '<|end|>' }}{% endgeneration %}
{%- elif message['role'] in ('system', 'user') -%}
{{ '<|' + message['role'] + '|>' + (message['content'] | trim) + '<|end|>' }}
{%- else -%}
{{ raise_exception('The starter knows the roles system, user and assistant, not ' + message['role'] + '.') }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"""


def build_tokenizer(seed: int, conversations: int = 20_000) -> PreTrainedTokenizerFast:
    """A tokenizer trained on the grammar's conversations and on lists of common words; same seed, same tokenizer."""
    # With several threads the order of equal merges would be a matter of luck.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.Prepend(" ")
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(individual_digits=True)]
    )
    core.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_corpus(seed, conversations), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _corpus(seed: int, conversations: int) -> list[str]:
    rng = Random(seed)
    texts = [message["content"] for _ in range(conversations) for message in converse(rng).messages]
    # Each word list counts as often as a rare word of the grammar, so that imported text is not cut into single bytes.
    lists = [f" {word}" for word in (*COMMON, *SPELLABLE, *FIRST_NAMES)]
    return texts + lists * 40
