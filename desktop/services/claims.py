"""Claims: a model's text as it streams in, cut into sections and claims, each with the sentences it cites.

The wanted form is a line a section, `Problem: The export fails. [m1.2]`. Models write it as `**Problem**:`, as `## Problem` with the text below, with
a citation before the full stop, or without any: all of that is read, and text under no section is kept under `Summary`, never dropped. It decides
nothing about truth: see `evidence`.

The text is a model's or a stranger's: every pattern here takes time in proportion to it, and what is longer than any sentence is cut as messages are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desktop.domain.runs import Claim
from desktop.domain.sections import GIST, UNNAMED
from desktop.domain.sentences import LONGEST_SENTENCE, ends_sentence
from desktop.domain.text import visible_text

_PLACE_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_ID = rf"m{_PLACE_NUMBER}"
_MORE = rf"(?:\s*(?:[,;&]|and|to|[-–—])\s*(?:{_ID}|{_PLACE_NUMBER}))*"
# White space belongs to what follows it, and is only looked at from where it begins.
_SPACE = r"(?<!\s)\s*+"
_CITATION = re.compile(rf"{_SPACE}(?:\[\s*{_ID}{_MORE}\s*\]|\(\s*{_ID}{_MORE}\s*\))", re.IGNORECASE)
_HALF_CITATION = re.compile(rf"{_SPACE}[\[(][^\])]{{0,40}}$")
_RANGE = re.compile(r"m?(\d+)\.(\d+)\s*[-–—]\s*m?(?:(\d+)\.)?(\d+)", re.IGNORECASE)
_PLACE = re.compile(r"m?(\d+(?:\.\d+)?)", re.IGNORECASE)
_LONGEST_RANGE = 12
_LONGEST_LABEL = 200
"""Characters, with the marks in front of it: a line that is longer and no label yet is text."""
_MOST_MARKS = 80
_LOOK_BACK = 120
"""Characters in front of a full stop that tell whether it ends a sentence."""
_LONGEST_PIECE = 4 * LONGEST_SENTENCE
"""With its citations."""
_MOST_REPEATS = 3
_LOOP_CHARACTERS = 400
# So many letters must be new before it is looked again: looking at every token cost more than all the rest of the parser.
_LOOP_STEP = 24
_LOOP = re.compile(r"(.{6,90}?)\1{3,}$", re.DOTALL)
_END = re.compile(r"[.!?…]+[\"'”’»)*_]*|[。！？]+[」』”’）]*")
_DECORATION = re.compile(r"[\s*_#>•–—-]*(?:\d{1,2}(?:[.)]|$))?[\s*_#>•–—-]*")
_NOTHING = re.compile(
    r"(?:not in (?:the|this) ticket|none|n/?a|nothing|not (?:mentioned|stated|specified|given))\W*", re.IGNORECASE
)
_NOTHINGS = (
    "not in the ticket",
    "not in this ticket",
    "none",
    "n/a",
    "nothing",
    "not mentioned",
    "not stated",
    "not specified",
    "not given",
)
_ECHO = re.compile(r"(?:m\d+ · |Ticket: |Status: |=====)")
_FENCE = re.compile(r"\s*`{3,}\w*\s*")


class SummaryParser:
    """Takes a text piece by piece and gives out each claim once, when it is complete."""

    def __init__(self, sections: Sequence[str]) -> None:
        """`sections` are the names that the recipe asks for, in their order; the gist is always looked for."""
        self._names = (GIST, *sections)
        label = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in sorted(self._names, key=len, reverse=True))
        # A name counts as a label with a colon behind it, or alone on its line as a heading.
        self._label = re.compile(
            rf"[\W_]{{0,{_MOST_MARKS}}}(?:\d{{1,2}}[.)][\W_]{{0,8}})?({label})(?:[*_]*\s*[:：][*_]*|[*_#]*\s*$)",
            re.IGNORECASE,
        )
        self.named: set[str] = set()
        """The labels that have come, were it only with *Not in the ticket*."""
        self._section = ""
        self._line = ""
        self._is_labeled = False
        self._seen: dict[str, set[str]] = {}
        self._repeats = 0
        self._looked_at = 0
        self._texts: dict[str, list[str]] = {name: [] for name in sections}

    @property
    def sections(self) -> dict[str, str]:
        """Return the text of every section so far but the gist, without citations; '' for one that has nothing."""
        return {name: " ".join(texts) for name, texts in self._texts.items()}

    @property
    def pending_section(self) -> str:
        """Return the section that is being written."""
        return self._section or UNNAMED

    @property
    def pending(self) -> str:
        """Return the end of the text that is no claim yet, as it can be shown; '' while it may still become a label."""
        if not self._is_labeled and self._may_be_label(self._line):
            return ""
        text = _clean(_HALF_CITATION.sub("", _CITATION.sub("", self._line)))
        folded = text.casefold()
        # "Not in the" is about to become no claim at all.
        if text and any(nothing.startswith(folded) for nothing in _NOTHINGS):
            return ""
        # The beginning of what was said before will most likely be said again, and then it is no claim.
        seen = self._seen.get(self.pending_section, ())
        return "" if any(said.startswith(folded) for said in seen) else text

    @property
    def is_going_in_circles(self) -> bool:
        """Tell whether the model only repeats itself: sentences that had all been said before, or the same words over and over in one."""
        if self._repeats >= _MOST_REPEATS:
            return True
        if 0 <= len(self._line) - self._looked_at < _LOOP_STEP:
            return False
        self._looked_at = len(self._line)
        return _LOOP.search(self._line[-_LOOP_CHARACTERS:]) is not None

    def feed(self, text: str) -> tuple[Claim, ...]:
        """Take more text and return the claims that it completed."""
        claims: list[Claim] = []
        *ended, rest = (self._line + text).replace("\r", "").split("\n")
        for line in ended:
            claims += self._take(line, is_ended=True)
            self._is_labeled = False
        self._line = rest
        if rest:
            claims += self._take(rest, is_ended=False)
        return tuple(claims)

    def finish(self) -> tuple[Claim, ...]:
        """Return the claims of what is left, once nothing more comes."""
        line, self._line = self._line, ""
        return tuple(self._take(line, is_ended=True)) if line.strip() else ()

    def _take(self, line: str, *, is_ended: bool) -> list[Claim]:
        """Read a line; what of it is complete becomes claims, the rest of an unfinished line is kept."""
        if not self._is_labeled:
            found = self._label.match(line)
            if found and (is_ended or line[found.end(1) :].strip("*_# ")):
                self._section = self._name_of(found[1])
                self.named.add(self._section)
                self._is_labeled = True
                line = line[found.end() :]
            elif not is_ended and self._may_be_label(line):
                return []
            else:
                self._is_labeled = True
        if is_ended and _FENCE.fullmatch(line):
            return []
        pieces = [part for piece in _cut(line) for part in _cut_long(piece)]
        if not is_ended and pieces:
            self._line = pieces.pop()
        return [claim for piece in pieces if (claim := self._claim(piece)) is not None]

    def take_claim(self, section: str, text: str, citations: Sequence[str]) -> tuple[Claim, ...]:
        """Take one claim whose section and citations came apart from its text; nothing for one that says nothing, or was said before."""
        self._section = section
        return tuple(claim for part in _cut_long(text) if (claim := self._claim(part, citations)) is not None)

    def _claim(self, piece: str, named: Sequence[str] = ()) -> Claim | None:
        piece = visible_text(piece)
        citations = tuple(dict.fromkeys((*named, *_citations(piece))))
        text = _clean(_CITATION.sub("", piece))
        section = self._section or UNNAMED
        if not any(character.isalnum() for character in text) or _NOTHING.fullmatch(text):
            return None
        # An announcement ("Here is the summary:") says nothing of the ticket, nor does a line of the prompt that is said again.
        if not self._section and not citations and (text.endswith((":", "：")) or _ECHO.match(text)):
            return None
        # Small models repeat themselves until they are stopped; a sentence is said once.
        seen = self._seen.setdefault(section, set())
        if text.casefold() in seen:
            self._repeats += 1
            return None
        self._repeats = 0
        seen.add(text.casefold())
        if section != GIST:
            self._texts.setdefault(section, []).append(text)
        return Claim(section, text, citations)

    def _name_of(self, label: str) -> str:
        wanted = " ".join(label.split()).casefold()
        return next(name for name in self._names if name.casefold() == wanted)

    def _may_be_label(self, line: str) -> bool:
        if len(line) > _LONGEST_LABEL:
            return False
        decoration = _DECORATION.match(line)
        start = line[decoration.end() if decoration else 0 :].rstrip("*_ ").casefold()
        return any(name.casefold().startswith(start) for name in self._names)


def _cut(line: str) -> Iterator[str]:
    """Cut a line into sentences, each with the citations that follow it; nothing is lost between them."""
    begin = 0
    for found in _END.finditer(line):
        if found.start() < begin:
            continue
        end = found.end()
        while (citation := _CITATION.match(line, end)) is not None:
            end = citation.end()
        # A full stop after a citation that came before it belongs to it: "It fails [m1.2]. Then …"
        following = line[end : end + _LOOK_BACK].lstrip()[:1]
        is_apart = end > found.end() or line[end : end + 1].isspace() or found.group()[0] in "。！？"
        if not following or not is_apart or following in "[(":
            continue
        before = line[max(begin, found.end() - _LOOK_BACK) : found.end()]
        if not ends_sentence(_CITATION.sub("", before), following) and end == found.end():
            continue
        yield line[begin:end]
        begin = end
    yield line[begin:]


def _cut_long(piece: str) -> Iterator[str]:
    """Cut what is longer than any sentence at a space; citations stay with the words in front of them."""
    if len(piece) <= LONGEST_SENTENCE:
        yield piece
        return
    begin = at = words = 0
    for citation in (*_CITATION.finditer(piece), None):
        start, end = citation.span() if citation else (len(piece), len(piece))
        while words + start - at > LONGEST_SENTENCE:
            limit = at + LONGEST_SENTENCE - words
            space = piece.rfind(" ", at + 1, limit)
            at = space if space > 0 else at if words else limit
            yield piece[begin:at]
            begin, words = at, 0
        if end - begin > _LONGEST_PIECE:
            yield piece[begin:at]
            begin, words = at, 0
        words += start - at
        at = end
    yield piece[begin:]


def _citations(text: str) -> Iterator[str]:
    for found in _CITATION.finditer(text):
        inner = found.group()
        for message, first, other, last in _RANGE.findall(inner):
            if not other or other == message:
                # Only what a person would have written out: a range of a thousand sentences cites nothing.
                for index in range(int(first), min(int(last), int(first) + _LONGEST_RANGE) + 1):
                    yield f"m{message}.{index}"
        for place in _PLACE.findall(_RANGE.sub(" ", inner) if _RANGE.search(inner) else inner):
            yield f"m{place}"


def _clean(text: str) -> str:
    """Return a claim's text without list marks, emphasis and space before its full stop."""
    text = re.sub(r"(\*\*|__)(.*?)\1", r"\2", text)
    text = re.sub(r"^\s*(?:[*•–—-]\s+|\d{1,2}[.)]\s+|#{1,6}\s+|>\s+)", "", text)
    text = re.sub(r"\s+([.,;!?])", r"\1", " ".join(text.split()))
    return text.strip("* ").strip()
