"""Tokens: how long a text is for a model, offline: counted for OpenAI's models, estimated for all others.

Every other model counts differently, so there it is a rule of thumb and says so: four characters a token for Latin script, two for other alphabets,
one for Chinese, Japanese and Korean, two tokens for an emoji. It serves to choose what fits and to show a price before the click; what was really
used is what the provider reports.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable
from typing import Any

from desktop.domain.llm import ChatMessage
from desktop.domain.text import valid_text

_WIDE = re.compile("[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\ufe30-\uffef\U00020000-\U0003ffff]")
_OTHER_ALPHABET = re.compile("[\u0370-\u10ff\u1200-\u1dff]")
_EMOJI = re.compile("[\U00010000-\U0001ffff]")


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text has: an estimate, within about a third for prose; 0 only for ''."""
    if text.isascii():
        return (len(text) + 3) // 4
    wide = len(_WIDE.findall(text))
    other = len(_OTHER_ALPHABET.findall(text))
    emoji = len(_EMOJI.findall(text))
    latin = len(text) - wide - other - emoji
    return wide + (other + 1) // 2 + 2 * emoji + (latin + 3) // 4


_OPENAI_MODEL = re.compile(
    r"(?:.*/|ft:)?(?:gpt-(?:[3-9]|oss)|chatgpt-|o[1-9](?![a-z0-9])|codex-mini|text-embedding-(?:3|ada-002))",
    re.IGNORECASE,
)
"""OpenAI's own, also as gateways name them (`openai/gpt-4o`) and fine-tuned (`ft:gpt-4o:…`). GPT-2, GPT-J and GPT-NeoX count in other ways."""
_OLDER_MODEL = re.compile(r"(?:.*/|ft:)?(?:gpt-4(?!o|\.\d)|gpt-3|text-embedding-)", re.IGNORECASE)
_PIECE = re.compile(r"(?s:.{1,50000})(?=(?<=\S) |\Z)|(?s:.{1,50000})")
"""The tokenizer takes no more than 200,000 tokens at once. No token holds a space that follows something else, so there a text can be cut."""
_MESSAGE_TOKENS = 4
_ANSWER_TOKENS = 3
"""What frames each message, and what begins the answer, as OpenAI describes it."""


def is_exact(model: str) -> bool:
    """Tell whether a model's tokens are counted, not estimated."""
    return _OPENAI_MODEL.match(model) is not None


def count_tokens(text: str, model: str) -> int | None:
    """Count the tokens of a text as one of OpenAI's models does; None for a model whose tokenizer is not known here."""
    if not is_exact(model):
        return None
    encoding = _encoding("cl100k_base" if _OLDER_MODEL.match(model) else "o200k_base")
    return sum(len(encoding.encode_ordinary(piece)) for piece in _PIECE.findall(valid_text(text)))


def count_prompt_tokens(messages: Iterable[ChatMessage], model: str) -> int | None:
    """Count a whole prompt with what frames its messages, to within a few tokens; None as `count_tokens`."""
    counts = [count_tokens(message.content, model) for message in messages]
    if not is_exact(model):
        return None
    return sum(count or 0 for count in counts) + _MESSAGE_TOKENS * len(counts) + _ANSWER_TOKENS


@functools.cache
def _encoding(name: str) -> Any:
    # WORKAROUND for bpe-openai 0.1.4, which reads its tables by a deprecated function of importlib.resources; to go when it does not.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from bpe_openai import get_encoding

        return get_encoding(name)
