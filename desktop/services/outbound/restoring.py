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
            self._text = self._text or self._redactor.restorer(is_json=self._has_object and begins_as_object(self.raw))
            text = self._text.feed(text)
        if thinking:
            self._thinking = self._thinking or self._redactor.restorer()
            thinking = self._thinking.feed(thinking)
        return StreamDelta(text, thinking) if text or thinking else None

    def rest(self) -> StreamDelta | None:
        """Return what was held back, once nothing more comes."""
        text = self._text.rest() if self._text else ""
        thinking = self._thinking.rest() if self._thinking else ""
        return StreamDelta(text, thinking) if text or thinking else None


def begins_as_object(text: str) -> bool:
    """Tell by its beginning whether an answer is an object; what is no sentence's beginning (a fence) is taken for one as well."""
    return text.lstrip()[:1] in ("", "{", "[", "`")
