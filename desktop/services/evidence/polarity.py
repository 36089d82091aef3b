"""Polarity: which words of a sentence are denied, by a *not* or by a word that means one (refused, unable, lacks, no longer).

A cue reaches the words after it up to a comma or a *but*, and the verb right before it (“works not”). English is read in full; of German, French,
Spanish, Italian, Dutch and Portuguese only the cues are known. It does not follow double negation: “did not refuse” is simply denied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.services.words import STOP_WORDS, stem

_PLAIN = (
    "not|no|never|none|nobody|nothing|neither|nor|cannot|without|hardly|nowhere|dont|didnt|doesnt|isnt|wasnt"
    "|cant|wont|nicht|kein|keine|keinen|keinem|keiner"
    "|nie|niemand|ohne|pas|jamais|aucun|aucune|sans|nunca|ningún|ninguna|ninguno|sin|non|mai|nessun|nessuno"
    "|nessuna|senza|niet|geen|nooit|zonder|não|nenhum|nenhuma|sem"
)
_MEANT = (
    r"unable|refus\w+|declin\w+|reject\w+|fail\w*|den(?:y|ied|ies)|lack\w*|impossible|exclud\w+|except|unless"
    r"|prevent\w*|instead of|rather than"
    r"|contrary|turn(?:ed|s)? down|stop(?:s|ped)?|ended|missing|nonsense|wrong\w*|block\w*|unsuccessful\w*"
    r"|unfortunately|afraid|dead|lost|gone|only|too \w+"
)
_CUE = re.compile(rf"\b(?:{_PLAIN})\b|n['’]t\b|\b(?:no longer|no more)\b", re.IGNORECASE)
_MEANT_CUE = re.compile(rf"\b(?:{_MEANT})\b", re.IGNORECASE)
_NEVER_MEANT = re.compile(r"\bnot only\b|\bno (?:problem|worries|worry|doubt)\b|\bwhy not\b|\bno\.\s*\d", re.IGNORECASE)
_STOP = re.compile(r"[.,;:!?()]|\b(?:but|however|although|because|since|and|so|which)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_REACH = 6


@dataclass(frozen=True, slots=True)
class Polarity:
    """What a sentence denies: the stems within reach of a cue, and whether there is a plain cue or one that only means it."""

    denied: frozenset[str]
    is_plain: bool
    is_meant: bool

    @property
    def is_any(self) -> bool:
        return self.is_plain or self.is_meant


def read_polarity(text: str) -> Polarity:
    """Read which stems are denied."""
    text = _NEVER_MEANT.sub(lambda match: " " * len(match.group()), text)
    denied: set[str] = set()
    for cue in _CUE.finditer(text):
        stop = _STOP.search(text, cue.end())
        reach = text[cue.end() : stop.start() if stop else len(text)]
        words = _WORD.findall(reach)[:_REACH]
        denied.update(stem(word.lower()) for word in words if word.lower() not in STOP_WORDS)
    return Polarity(frozenset(denied), _CUE.search(text) is not None, _MEANT_CUE.search(text) is not None)
