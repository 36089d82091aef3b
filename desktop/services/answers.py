"""Answers: a model's text as it streams in, whichever form it has, as claims by section.

The form that was asked for is a hint and no more: an answer that begins as a JSON object is read as one, even with a fence or a sentence before it,
and anything else as lines (`claims.SummaryParser`). A JSON object is read while it is still being written; keys by other names, texts in place of
lists and objects cut off in the middle are all read for what they hold. What is no JSON after all is read as lines, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import jiter

from desktop.domain.runs import OWNERS, Claim
from desktop.domain.sections import GIST, UNNAMED
from desktop.services.claims import SummaryParser

_OBJECT = re.compile(r"(?:\A|\n)[ \t]*(?:```\w*\s*)?((?:\[\s*)?\{)\s*(?:[\"}]|\Z)")
_ANNOUNCEMENT = re.compile(r"\A\s*(?:```\w*\s*)?\Z|\A[^\n]{0,120}[:：]\s*(?:```\w*\s*)?\Z|\A\s*`{0,3}\w*\Z")
_LONGEST_ANNOUNCEMENT = 200
_READ_STEP = 12
"""Characters. An object is read anew when it has grown by so many: at every token would take more time than all else."""
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
        return self._object.has_names if self._form == "object" else self._lines.pending_section != UNNAMED

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
            claims = self._take(self._object.read(self._held, is_ended=True))
            if not self._object.has_any and self._held.strip("{}[] \n`"):
                return (*claims, *self._read_as_lines(), *self._lines.finish())
            return claims
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
            claims += self._lines.take_claim(section, text, citations)
        return tuple(claims)


class _ObjectReader:
    """Reads an object from its beginning each time, and gives out what has become complete since: all but the last claim."""

    def __init__(self, sections: Sequence[str]) -> None:
        self._names = {_key(name): name for name in (GIST, *sections)}
        self._given = 0
        self._read_to = 0
        self.pending = (UNNAMED, "")
        self.has_any = False
        self.has_names = False
        self.owner = ""

    def read(self, text: str, *, is_ended: bool = False) -> list[tuple[str, str, tuple[str, ...]]]:
        if not is_ended and len(text) - self._read_to < _READ_STEP:
            return []
        self._read_to = len(text)
        value = _parse(text)
        if value is None:
            return []
        found = list(self._walk(value))
        complete = found if is_ended else found[:-1]
        new = complete[self._given :]
        self._given = max(self._given, len(complete))
        self.has_any = self.has_any or bool(found)
        self.pending = (found[-1][0], found[-1][1]) if found and not is_ended else (self.pending[0], "")
        return new

    def _walk(self, value: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from self._section(item)
        if not isinstance(value, dict):
            return
        for key, inner in value.items():
            name = self._names.get(_key(key))
            if name is not None:
                self.has_names = True
                yield from self._claims(name, inner)
            elif isinstance(inner, list) and all(isinstance(item, dict) for item in inner):
                for item in inner:
                    yield from self._section(item)
            elif isinstance(inner, dict):
                yield from self._walk(inner)

    def _section(self, item: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        named = next((item[key] for key in ("name", "section", "title", "label") if isinstance(item.get(key), str)), "")
        name = self._names.get(_key(named))
        if name is None:
            yield from self._walk(item)
            return
        self.has_names = True
        if item.get("owner") in OWNERS:
            self.owner = item["owner"]
        rest = {k: v for k, v in item.items() if k not in ("name", "section", "title", "label", "owner", "date")}
        yield from self._claims(name, rest)

    def _claims(self, name: str, value: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
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
                for key in ("claims", "sentences", "items", "value"):
                    if key in value:
                        yield from self._claims(name, value[key])


def _parse(text: str) -> Any | None:
    """Return an object as far as it has come, None for what is none."""
    end = text.rfind("}") + 1
    for piece in (text, text[:end]) if end else (text,):
        try:
            return jiter.from_json(piece.encode("utf-8", "replace"), partial_mode="trailing-strings")
        except ValueError:
            continue
    return None


def _ids(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield from re.findall(r"m\d+(?:\.\d+)?", item.lower())


def _key(name: str) -> str:
    return _KEY_NOISE.sub(" ", name).strip().casefold()
