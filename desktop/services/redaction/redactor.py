"""The redactor of one ticket: takes values out of texts, and puts them back."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from desktop.domain.outgoing import Redaction
from desktop.services.redaction.addresses import find_addresses
from desktop.services.redaction.contacts import find_emails, find_ips
from desktop.services.redaction.found_names import find_names
from desktop.services.redaction.keys import find_keys
from desktop.services.redaction.numbers import find_cards, find_ibans
from desktop.services.redaction.people import People
from desktop.services.redaction.phones import find_phones
from desktop.services.redaction.placeholders import LITERAL, Numbering, Restorer, find_lookalikes, put_back
from desktop.services.redaction.reading import read
from desktop.services.redaction.spans import Span, without_overlaps
from desktop.services.redaction.urls import find_url_secrets


class Redactor:
    """Replaces personal data and secrets by placeholders, the same for the same value in all texts that it is given.

    `restore(redact(text)) == text` holds for every text.
    """

    def __init__(self, people: Iterable[str] = ()) -> None:
        """`people` are names as an export has them, or e-mail addresses; more are learned from the texts."""
        self._people = People(people)
        self._numbering = Numbering()
        self._used: dict[str, None] = {}
        # Parts of a ticket are redacted at the same time, each in a thread of its own.
        self._turn = threading.Lock()

    @property
    def redactions(self) -> tuple[Redaction, ...]:
        """What `redact` replaced so far, each placeholder once, in the order of first use."""
        return tuple(self._numbering.redaction(placeholder) for placeholder in self._used)

    @property
    def counts(self) -> dict[str, int]:
        """How many different values of each kind `redact` replaced so far."""
        return dict(Counter(redaction.kind for redaction in self.redactions))

    @property
    def values(self) -> Mapping[str, str]:
        """What each placeholder stands for. It never leaves this machine."""
        return MappingProxyType(self._numbering.values)

    def learn(self, text: str) -> None:
        """Take note of the people and values of a text, so that they have the same placeholders in every later one."""
        self._replaced(text)

    def redact(self, text: str) -> str:
        """Return a text with placeholders in place of values."""
        with self._turn:
            redacted, placeholders = self._replaced(text)
            for placeholder in placeholders:
                if not placeholder.startswith(_LITERALS):
                    self._used.setdefault(placeholder)
        return redacted

    def restore(self, text: str) -> str:
        """Return a text with the values put back in, however a model wrote their placeholders."""
        return put_back(text, self._numbering.values)

    def restorer(self, *, is_json: bool = False) -> Restorer:
        """Return what puts values back in a text that comes piece by piece; `is_json` when placeholders stand inside strings of JSON."""
        return Restorer(self._numbering.values, is_json=is_json)

    def find(self, text: str) -> list[Span]:
        """Return what would be replaced in a text, in its order; people that the text names as such are known from now on."""
        text = _plain(text)
        reading = read(text)
        for name in find_names(reading):
            self._people.add(name)
        spans = [
            *find_url_secrets(text),
            *find_keys(reading),
            *find_emails(text),
            *find_ibans(reading),
            *find_cards(reading),
            *find_ips(reading),
            *find_phones(reading),
            *find_addresses(reading),
            *self._people.find(reading),
        ]
        return find_lookalikes(text, without_overlaps(spans))

    def _replaced(self, text: str) -> tuple[str, list[str]]:
        pieces, placeholders, at = [], [], 0
        for span in self.find(text):
            value = text[span.start : span.end]
            placeholder = self._numbering.give(span.kind, value, span.key or value)
            pieces += [text[at : span.start], placeholder]
            placeholders.append(placeholder)
            at = span.end
        return "".join([*pieces, text[at:]]), placeholders


def _plain(text: str) -> str:
    """Return a text with plain digits and signs in place of the wide ones of East Asia, each in its place."""
    return text if text.isascii() or not _WIDE.search(text) else text.translate(_NARROW)


_WIDE = re.compile("[０-９＠＋（）－．]")
_NARROW = str.maketrans("０１２３４５６７８９＠＋（）－．", "0123456789@+()-.")
_LITERALS = f"<{LITERAL.upper()}_"
