"""Scrubbing: a person's handles out of a text, a stand-in in their place.

In somebody else's ticket only what can mean no other goes: the full name, e-mail addresses, telephone numbers. A name of one word ("Mark", "Chris")
is a word that others use too, so there it goes where it stands alone (an author, a cell) and stays inside sentences. In the person's own ticket every
part of the name goes, and so do their signature and what columns tell of how to reach them. It never guesses who somebody is: see `services.erasing`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property

from desktop.domain.erasing import Handles
from desktop.domain.handles import LEAST_PHONE_DIGITS, PHONE, is_contact_column
from desktop.domain.quoting import signature_spans
from desktop.domain.text import folded

STAND_IN_HOST = "erased.invalid"
"""A host that can never exist (RFC 2606): what looks like an address must go to nobody."""
_BETWEEN = r"(?:\s|&nbsp;|%20|[+_.-])+"
_ASCII_RUN = re.compile(r"[A-Za-z0-9]+")
_LEAST_NEEDLE = 3


class Scrubber:
    """Takes one person out of texts. `is_own` for the person's own tickets."""

    def __init__(self, handles: Handles, stand_in: str, *, is_own: bool = False) -> None:
        self.handles = handles
        self.stand_in = stand_in
        self.email = f"{stand_in.lower().replace(' ', '-')}@{STAND_IN_HOST}"
        self._is_own = is_own
        self._whole = {folded(name): stand_in for name in handles.names}
        self._whole |= {folded(email): self.email for email in handles.emails}
        self._ids = {number for _, number in handles.ids}

    def text(self, value: str) -> str:
        """Return a running text without the person."""
        return self._pattern.sub(self._replacement, value) if value else value

    def cell(self, value: str) -> str:
        """Return one value (a cell, an author) without the person; it may be nothing but their name."""
        if found := self._whole.get(folded(value)):
            return found
        if self._is_own and value in self._ids:
            return self.stand_in
        return self.text(value)

    def author(self, value: str) -> str:
        """Return a message's author; of a source whose tables name people by number it may be one."""
        return self.stand_in if value in self._ids else self.cell(value)

    def message(self, author: str, text: str) -> str:
        """Return a message's text; in the person's own ticket their signature goes whole."""
        if self._is_own and self.author(author) != author:
            for start, end in reversed(signature_spans(text)):
                text = f"{text[:start]}{self.stand_in}{text[end:]}"
            text = PHONE.sub(lambda found: found[0].replace(found[1] or found[0], "[phone]"), text)
        return self.text(text)

    def json(self, value: str) -> str:
        """Return a JSON document without the person, documents inside its strings too; what is no JSON as a text."""
        try:
            document = json.loads(value)
        except ValueError:
            return self.cell(value)
        scrubbed = self._walked(document)
        return value if scrubbed == document else json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":"))

    def fields(self, fields: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
        """Return a ticket's columns without the person."""
        scrubbed: dict[str, str | list[str]] = {}
        for name, value in fields.items():
            is_contact = self._is_own and is_contact_column(name)
            scrubbed[self.text(name)] = (
                [self._field(each, is_contact=is_contact) for each in value]
                if isinstance(value, list)
                else self._field(value, is_contact=is_contact)
            )
        return scrubbed

    @cached_property
    def needles(self) -> tuple[str, ...]:
        """Return parts, at least one of which stands in every text that names the person, whatever the case of ASCII letters (as SQL's LIKE)."""
        found: list[str] = []
        for handle in (*self.handles.names, *(email.partition("@")[0] for email in self.handles.emails)):
            run = max(_ASCII_RUN.findall(unicodedata.normalize("NFC", handle)), key=len, default="")
            if len(run) >= _LEAST_NEEDLE:
                found.append(run)
                continue
            # No letters that LIKE can fold: all the ways in which it is likely to be written, also as JSON escapes them.
            token = max(handle.split(), key=len)
            ways = dict.fromkeys(
                form
                for way in (token, token.lower(), token.upper(), token.title())
                for form in (way, unicodedata.normalize("NFD", way))
            )
            found += [*ways, *(json.dumps(way)[1:-1] for way in ways if not way.isascii())]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = [rf"(?P<email>(?<![\w.+-])(?:{_any(map(_email_pattern, self.handles.emails))})(?![\w-]))"]
        parts.append(f"(?P<name>(?<![^\\W_])(?:{_any(self._name_patterns())})(?![^\\W_]))")
        phones = [_phone_pattern(phone) for phone in self.handles.phones]
        parts.append(rf"(?P<phone>(?<![\w+])(?:{_any(filter(None, phones))})(?!\w))")
        return re.compile("|".join(parts), re.IGNORECASE)

    def _name_patterns(self) -> list[str]:
        patterns = []
        for name in self.handles.names:
            words = name.replace(",", " ").split()
            if len(words) > 1:
                patterns.append(_BETWEEN.join(_word_pattern(word) for word in words))
                # "Family, Given": which words are the family's, nobody says.
                spelled = [_word_pattern(word) for word in words]
                patterns += [
                    rf"{_BETWEEN.join(spelled[cut:])},\s*{_BETWEEN.join(spelled[:cut])}" for cut in range(1, len(words))
                ]
            elif words and not words[0].isalpha():
                patterns.append(_word_pattern(words[0]))
        if self._is_own:
            for word in dict.fromkeys(
                word for name in self.handles.names for word in re.findall(r"[^\W\d_]{2,}", name)
            ):
                cased = dict.fromkeys((word, word.title(), word.upper()))
                patterns.append(f"(?-i:{_any(_word_pattern(each) for each in cased)})")
        return patterns

    def _replacement(self, match: re.Match[str]) -> str:
        return {"email": self.email, "name": self.stand_in, "phone": "[phone]"}[match.lastgroup or "name"]

    def _walked(self, value: object) -> object:
        if isinstance(value, str):
            return self.json(value) if value[:1] in ("{", "[") else self.cell(value)
        if isinstance(value, list):
            return [self._walked(each) for each in value]
        if isinstance(value, dict):
            return {self.text(name): self._walked(each) for name, each in value.items()}
        return value

    def _field(self, value: str, *, is_contact: bool) -> str:
        if not value:
            return value
        return self.stand_in if is_contact and "@" not in value else self.cell(value)


def _any(patterns: Iterable[str]) -> str:
    """Return what matches any of these; of none, what matches nothing."""
    return "|".join(patterns) or r"(?!)"


def _email_pattern(email: str) -> str:
    return re.escape(email).replace("@", "(?:@|%40|&#64;)")


def _word_pattern(word: str) -> str:
    """Return a word as it may be spelled: accents as one character, as two, or left out."""
    return "".join(map(_letter_pattern, unicodedata.normalize("NFC", word)))


def _letter_pattern(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 1 or not parts[0].isalpha():
        return re.escape(letter)
    return f"(?:{re.escape(letter)}|{re.escape(parts)}|{re.escape(parts[0])})"


def _phone_pattern(phone: str) -> str:
    """Return a number with or without what is put between its digits, and with or without its country's +."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) < LEAST_PHONE_DIGITS:
        return ""
    return r"\+?\(?" + r"[\s().\-/]{0,3}".join(digits)
