"""Tokens: how long a text is for a model, estimated offline.

Every model counts differently, so this is a rule of thumb and says so: four characters a token for Latin script, two for other alphabets, one for
Chinese, Japanese and Korean, two tokens for an emoji. It serves to choose what fits and to show a price before the click; what was
really used is what the provider reports.
"""

from __future__ import annotations

import re

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
