"""Tokens: how long a text is for a model, offline: counted for OpenAI's models, estimated for all others.

Every other model counts differently, so there it is a rule of thumb and says so: four characters a token for Latin script, two for other alphabets,
one for Chinese, Japanese and Korean, two tokens for an emoji. It serves to choose what fits and to show a price before the click; what was really
used is what the provider reports.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

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


_OPENAI_MODEL = re.compile(r"(?:.*/)?(?:gpt-|chatgpt-|o[1-9](?:-|$)|text-embedding-)")
_OLDER_MODEL = re.compile(r"(?:.*/)?(?:gpt-4(?!o|\.\d)|gpt-3|gpt-35|text-embedding-)")
_PIECE_CHARACTERS = 20_000
"""A tokenizer takes longer than it has to over one endless word."""


def count_tokens(text: str, model: str) -> int | None:
    """Count the tokens of a text as one of OpenAI's models does; None for a model whose tokenizer is not known here."""
    if not _OPENAI_MODEL.match(model):
        return None
    encoding = _encoding("cl100k_base" if _OLDER_MODEL.match(model) else "o200k_base")
    pieces = (text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS))
    return sum(len(encoding.encode_ordinary(piece)) for piece in pieces)


@functools.cache
def _encoding(name: str) -> Any:
    # WORKAROUND for bpe-openai 0.1.4, which reads its tables by a deprecated function of importlib.resources; to go when it does not.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from bpe_openai import get_encoding

        return get_encoding(name)
