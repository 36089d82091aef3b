"""Answers: a model's text as it streams in, whichever form it has, as claims by section.

The form that was asked for is a hint and no more: an answer that begins as a JSON object is read as one, even with a fence or a sentence before it,
and anything else as lines (`claims.SummaryParser`). An object is read while it is still being written; one with a flaw is mended when it has ended.
Keys by other names, texts in place of lists and objects cut off in the middle are read for what they hold; what stands under a name that nobody asked
for is kept without a section. Nobody is shown JSON: of an object without a claim the sentences in it are left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import jiter

from desktop.domain.runs import OWNERS, Claim
from desktop.domain.sections import GIST, UNNAMED
from desktop.domain.text import valid_text
from desktop.services.claims import SummaryParser

_OBJECT = re.compile(r"(?:\A|\n)[ \t]*(?:```\w*\s*)?((?:\[\s*)?\{)\s*(?:[\"'}]|\Z)")
_ANNOUNCEMENT = re.compile(r"\A\s*(?:```\w*\s*)?\Z|\A[^\n]{0,120}[:：]\s*(?:```\w*\s*)?\Z|\A\s*`{0,3}\w*\Z")
_LONGEST_ANNOUNCEMENT = 200
_READ_STEP = 12
"""Characters. An object is read anew when it has grown by so many: at every token would take more time than all else."""
_LONGEST_MENDED = 100_000
"""Characters; a summary is a fiftieth of that."""
_NAME_KEYS = ("name", "section", "title", "label")
_CLAIM_KEYS = ("claims", "sentences", "items", "value")
_KEY_NOISE = re.compile(r"[\W_]+")


class AnswerParser:
    """Takes a text piece by piece and gives out each claim once, when it is complete."""

    def __init__(self, sections: Sequence[str]) -> None:
        """`sections` are the names that were asked for, in their order; the gist is always looked for."""
        self._lines = SummaryParser(sections)
        self._object = _ObjectReader(sections)
        self._held = ""
        self._form = ""

    @property
    def sections(self) -> dict[str, str]:
        """Return the text of every section so far but the gist, without citations; '' for one that has nothing."""
        return self._lines.sections

    @property
    def pending_section(self) -> str:
        """Return the section that is being written."""
        return self._object.pending[0] if self._form == "object" else self._lines.pending_section

    @property
    def pending(self) -> str:
        """Return the end of the text that is no claim yet, as it can be shown."""
        return self._object.pending[1] if self._form == "object" else self._lines.pending

    @property
    def is_going_in_circles(self) -> bool:
        """Tell whether the model only repeats itself."""
        return self._lines.is_going_in_circles

    @property
    def has_sections(self) -> bool:
        """Tell whether the text has come under any name that was asked for."""
        if self._form == "object":
            return bool(self._object.named) and not self._object.has_unknown
        return bool(self._lines.named)

    @property
    def named(self) -> frozenset[str]:
        """Return the names under which the answer said something, were it only that nothing is in the ticket."""
        return frozenset(self._object.named if self._form == "object" else self._lines.named)

    @property
    def is_object(self) -> bool:
        """Tell whether the answer came as a JSON object."""
        return self._form == "object"

    @property
    def owner(self) -> str:
        """Return who acts next, where the answer names one of `OWNERS` apart from the text; else ''."""
        return self._object.owner if self._form == "object" else ""

    def feed(self, text: str) -> tuple[Claim, ...]:
        """Take more text and return the claims that it completed."""
        if self._form == "lines":
            return self._lines.feed(text)
        self._held += text
        if self._form == "object":
            return self._take(self._object.read(self._held))
        if found := _OBJECT.search(self._held):
            self._held = self._held[found.start(1) :]
            self._form = "object"
            return self._take(self._object.read(self._held))
        if len(self._held) < _LONGEST_ANNOUNCEMENT and _ANNOUNCEMENT.match(self._held):
            return ()
        return self._read_as_lines()

    def finish(self) -> tuple[Claim, ...]:
        """Return the claims of what is left, once nothing more comes."""
        if self._form == "object":
            return self._take(self._object.finish(self._held))
        if not self._form:
            return (*self._read_as_lines(), *self._lines.finish())
        return self._lines.finish()

    def _read_as_lines(self) -> tuple[Claim, ...]:
        self._form, held, self._held = "lines", self._held, ""
        return self._lines.feed(held)

    def _take(self, found: list[tuple[str, str, tuple[str, ...]]]) -> tuple[Claim, ...]:
        """Have claims of an object cleaned and told apart from repeated ones in the same way as claims of lines."""
        claims: list[Claim] = []
        for section, text, citations in found:
            claims += self._lines.take_claim(section, valid_text(text), citations)
        return tuple(claims)


_Found = tuple[str, str, tuple[str, ...]]
"""A claim as an object holds it: its section, its text, the ids it cites."""


class _ObjectReader:
    """Reads an object from its beginning each time, and gives out what has become complete since: all but the last claim."""

    def __init__(self, sections: Sequence[str]) -> None:
        self._names = {_key(name): name for name in (GIST, *sections)}
        self._given = 0
        self._read_to = 0
        self.pending = (UNNAMED, "")
        self.named: set[str] = set()
        self.has_unknown = False
        self.owner = ""

    def read(self, text: str) -> list[_Found]:
        """Return the claims that have become complete."""
        if len(text) - self._read_to < _READ_STEP:
            return []
        self._read_to = len(text)
        found = list(self._walk(_parse(text)))
        if found:
            self.pending = found[-1][:2]
        return self._new(found[:-1])

    def finish(self, text: str) -> list[_Found]:
        """Return the claims that are left, once nothing more comes; of an object without any its sentences."""
        value = _parse(text)
        if value is None:
            value = _mend(text)
        found = list(self._walk(value))
        self.pending = (UNNAMED, "")
        if not found and not self.named:
            found = [(UNNAMED, sentence, ()) for sentence in _sentences(value)]
        return self._new(found)

    def _new(self, complete: list[_Found]) -> list[_Found]:
        new = complete[self._given :]
        self._given = max(self._given, len(complete))
        return new

    def _walk(self, value: Any) -> Iterator[_Found]:
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from self._section(item)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if name := self._names.get(_key(key)):
                    self.named.add(name)
                    yield from self._claims(name, inner)
                else:
                    yield from self._walk(inner)

    def _section(self, item: dict[str, Any]) -> Iterator[_Found]:
        called = next((item[key] for key in _NAME_KEYS if isinstance(item.get(key), str)), "")
        name = self._names.get(_key(called))
        if name is None and not any(key in item for key in ("text", *_CLAIM_KEYS)):
            yield from self._walk(item)
            return
        if name is None:
            self.has_unknown = True
        else:
            self.named.add(name)
        yield from self._claims(name or UNNAMED, {k: v for k, v in item.items() if k not in _NAME_KEYS})

    def _claims(self, name: str, value: Any) -> Iterator[_Found]:
        if isinstance(value, str):
            yield name, value, ()
        elif isinstance(value, list):
            for item in value:
                yield from self._claims(name, item)
        elif isinstance(value, dict):
            if value.get("owner") in OWNERS:
                self.owner = value["owner"]
            text = value.get("text")
            if isinstance(text, str):
                yield name, text, tuple(_ids(value.get("citations")))
            else:
                for key in _CLAIM_KEYS:
                    yield from self._claims(name, value.get(key))


def _parse(text: str) -> Any:
    """Return an object as far as it has come, None for what is none, or has a flaw."""
    end = text.rfind("}") + 1
    for piece in (text, text[:end]) if end else (text,):
        try:
            return jiter.from_json(piece.encode("utf-8", "replace"), partial_mode="trailing-strings")
        except ValueError:
            continue
    return None


def _mend(text: str) -> Any:
    """Return an object with a flaw as it was meant: commas too many, comments, quotes of another kind; None for what cannot be mended."""
    import json_repair

    try:
        return json_repair.loads(text[:_LONGEST_MENDED])
    except (ValueError, RecursionError):
        return None


def _sentences(value: Any) -> Iterator[str]:
    """Yield the texts of a value that have more than one word."""
    if isinstance(value, str):
        if len(value.split()) > 1:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _sentences(inner)


def _ids(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield from re.findall(r"m\d+(?:\.\d+)?", item.lower())


def _key(name: str) -> str:
    return _KEY_NOISE.sub(" ", name).strip().casefold()
