"""Sentences: a thread cut into numbered pieces that a summary can cite.

A sentence is a stretch of one message, never rewritten: `m3.2` is the second sentence of the third message. It ends at `. ! ? …` (or their CJK
kin) before white space, and at a line's end, unless the line was only broken to fit a mail's width. List items stand alone. It does not know
grammar: an abbreviation is one if it is in the list here. Whoever stores offsets stores `SPLITTER_VERSION` beside them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop.domain.quoting import folded_spans
from desktop.domain.tickets import Message

SPLITTER_VERSION = 2
"""Grows when the same text would be cut differently."""

LONGEST_SENTENCE = 1000
"""Characters. A log without line ends or a text without full stops is cut at a space, so that no sentence floods a window or a prompt."""

_SHORTEST_WRAPPED_LINE = 40
_LIKELY_WRAP_WIDTH = 60
_WIDEST_WRAP = 100
_LOOK_BACK = 24

# From the first sign of a run only, and nothing given back: a line of full stops takes no longer than any other.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_]*+(?=\s)|[。！？｡]+[」』”’）】\"']*")
_LIST_ITEM = re.compile(r"\s*(?:[-*•–—·‣▪+]\s+|\(?\d{1,3}[.)]\s+|\(?[a-zA-Z][.)]\s+|#{1,6}\s|\||>)")
_LIST_NUMBER = re.compile(r"\s*(?:[-*•–—·]\s*)?\(?(?:\d{1,3}|[a-zA-Z])[.)]*")
_STRONG_LINE_END = re.compile(r"[.!?…:;。！？][\"'”’»)\]*_]*\s*$")
_WORD = re.compile(r"([^\W_](?:[\w.]*[^\W_])?)\.[\"'”’»)\]*_]*$")
_LAST_WORDS = re.compile(r"(\w+)\s+\S+$")
_CLOSERS = "\"'”’»)]*_"

_NEVER_ENDING = frozenset(
    "mr mrs ms mx dr prof rev hon sr jr st mt ft vs e.g i.e eg ie cf al approx ca resp bzw z.b d.h u.a z.t o.ä evtl ggf inkl exkl zzgl tel dept"
    " est gen gov mme mlle m.e p.ej sra dra fr hr hrn bspw vgl usf str sog mind max min incl excl".split()
)
_ENDING_BEFORE_CAPITAL = frozenset(
    "etc inc ltd co corp llc a.m p.m u.s u.k u.s.a usw jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_ENDING_UNLESS_NUMBER = frozenset("no nr num art fig figs ext p pp vol sec ch pos ver v rev nos abs §".split())
_ORDINAL_OPENERS = frozenset("am zum vom bis der den dem des im ab seit die das den".split())


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: its id (`m3.2`), its message's position and its own index (both from 1), start and end in that message's text."""

    id: str
    position: int
    index: int
    start: int
    end: int
    text: str


def number_sentences(messages: Sequence[Message]) -> tuple[Sentence, ...]:
    """Cut messages into numbered sentences, leaving out quoted history, signatures and pieces without a word or an emoji."""
    numbered: list[Sentence] = []
    for message in messages:
        index = 0
        for start, end in _own_spans(message.text):
            if not _says_something(message.text[start:end]):
                continue
            index += 1
            place = f"m{message.position}.{index}"
            numbered.append(Sentence(place, message.position, index, start, end, message.text[start:end]))
    return tuple(numbered)


def ends_sentence(before: str, following: str) -> bool:
    """Tell whether a sentence ends here: `before` is the text up to `. ! ? …` and its closing quotes, `following` the next visible character.

    Only the last few words of `before` count.
    """
    stem = before[-_LOOK_BACK:].rstrip(_CLOSERS)
    if stem.endswith(("...", "…")):
        return not following.islower()
    if not stem.endswith("."):
        return True
    found = _WORD.search(before[-_LOOK_BACK:])
    if not found:
        return True
    word = found[1]
    lower = word.casefold()
    if lower in _NEVER_ENDING:
        return False
    if lower in _ENDING_BEFORE_CAPITAL:
        return following.isupper()
    if lower in _ENDING_UNLESS_NUMBER:
        return not following.isdigit()
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    if word.isdigit() and len(word) <= 2:
        opener = _LAST_WORDS.search(stem)
        return not (opener and opener[1].casefold() in _ORDINAL_OPENERS)
    return True


def _own_spans(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in (*folded_spans(text), (len(text), len(text))):
        yield from _split(text, at, start)
        at = end


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for first, last in _blocks(text, start, end):
        for span in _sentences_of(text, first, last):
            yield from _cut_long(text, *span)


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield runs of lines that belong together: a paragraph broken to fit a width, or one line."""
    paragraph: list[tuple[int, int]] = []
    at = start
    for line in text[start:end].split("\n"):
        if line.strip():
            paragraph.append((at, at + len(line)))
        else:
            yield from _join_wrapped(text, paragraph)
            paragraph = []
        at += len(line) + 1
    yield from _join_wrapped(text, paragraph)


def _join_wrapped(text: str, lines: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    if not lines:
        return
    widths = [len(text[start:end].rstrip()) for start, end in lines]
    widest = max(widths)
    # Two lines near the same width are a margin; one long line is only a long line.
    has_margin = widest <= _WIDEST_WRAP and sum(width > widest - 12 for width in widths) >= 2
    first = lines[0][0]
    for number, (_, end) in enumerate(lines[:-1]):
        margin = widest if has_margin else 0
        if not _is_wrapped(text, lines[number], lines[number + 1], margin):
            yield first, end
            first = lines[number + 1][0]
    yield first, lines[-1][1]


def _is_wrapped(text: str, line: tuple[int, int], following: tuple[int, int], margin: int) -> bool:
    """Tell whether a line was broken only for its width: the next line's first word would not have fitted."""
    this, other = text[slice(*line)].rstrip(), text[slice(*following)]
    if not _SHORTEST_WRAPPED_LINE <= len(this) <= _WIDEST_WRAP or _LIST_ITEM.match(other):
        return False
    if _STRONG_LINE_END.search(this[-8:]) and ends_sentence(this, other.lstrip()[:1]):
        return False
    needed = len(this) + 1 + len(other.split(None, 1)[0])
    if margin:
        return needed > margin
    return other.lstrip()[:1].islower() and needed > _LIKELY_WRAP_WIDTH


def _sentences_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    block = text[start:end]
    begin = 0
    number = _LIST_NUMBER.match(block)
    after_number = number.end() if number else 0
    for found in _END.finditer(block):
        following = block[found.end() : found.end() + 40].lstrip()[:1]
        is_list_number = found.end() <= after_number
        before = block[max(begin, found.end() - _LOOK_BACK) : found.end()]
        if is_list_number or not ends_sentence(before, following):
            continue
        yield from _stripped(text, start + begin, start + found.end())
        begin = found.end()
    yield from _stripped(text, start + begin, end)


def _cut_long(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST_SENTENCE:
        limit = start + LONGEST_SENTENCE
        space = max(
            text.rfind(" ", start + LONGEST_SENTENCE // 2, limit),
            text.rfind("\n", start + LONGEST_SENTENCE // 2, limit),
        )
        cut = space if space > start else limit
        yield from _stripped(text, start, cut)
        start = cut
    yield from _stripped(text, start, end)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        yield start + left, start + len(piece.rstrip())


def _says_something(piece: str) -> bool:
    return any(character.isalnum() or unicodedata.category(character) == "So" for character in piece)
