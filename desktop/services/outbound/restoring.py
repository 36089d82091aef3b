"""Restoring: an answer as it streams in, with the real values in place of the placeholders that went out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.domain.llm import StreamDelta

if TYPE_CHECKING:
    from desktop.services.redaction import Redactor, Restorer


class Restoring:
    """Takes pieces and gives out what can be shown of them. `raw` is the answer as it came, for the trace."""

    def __init__(self, redactor: Redactor | None, *, has_object: bool) -> None:
        """`has_object` when a JSON object was asked for: if one comes, values are put into it as JSON writes them."""
        self._redactor = redactor if redactor is not None and redactor.redactions else None
        self._has_object = has_object
        self._text: Restorer | None = None
        self._thinking: Restorer | None = None
        self._pieces: list[str] = []
        self._undecided = ""

    @property
    def raw(self) -> str:
        """Return the text as it came, placeholders in it."""
        return "".join(self._pieces)

    def take(self, delta: StreamDelta) -> StreamDelta | None:
        """Return what can be shown now; None when all of it may still become a placeholder."""
        if delta.text:
            self._pieces.append(delta.text)
        if self._redactor is None:
            return delta
        text, thinking = delta.text, delta.thinking
        if text:
            text = self._feed(self._redactor, text)
        if thinking:
            self._thinking = self._thinking or self._redactor.restorer()
            thinking = self._thinking.feed(thinking)
        return StreamDelta(text, thinking) if text or thinking else None

    def rest(self) -> StreamDelta | None:
        """Return what was held back, once nothing more comes."""
        text = self._text.rest() if self._text else self._undecided
        thinking = self._thinking.rest() if self._thinking else ""
        return StreamDelta(text, thinking) if text or thinking else None

    def _feed(self, redactor: Redactor, text: str) -> str:
        """Take more text. White space at the beginning tells nothing of what comes, and is held back until something does."""
        if self._text is None:
            self._undecided += text
            if not self._undecided.strip():
                return ""
            self._text = redactor.restorer(is_json=self._has_object and begins_as_object(self._undecided))
            text, self._undecided = self._undecided, ""
        return self._text.feed(text)


def begins_as_object(text: str) -> bool:
    """Tell by its beginning whether an answer is an object; what is no sentence's beginning (a fence) is taken for one as well."""
    return text.lstrip()[:1] in ("{", "[", "`")
