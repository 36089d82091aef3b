"""An answer as it comes: what of a stream is text for people, and whether it was ended or merely stopped.

Reasoning is not text: a `<think>…</think>` at the beginning comes out apart, as it streams and even when its tags are torn apart, and so does what
comes as `reasoning_content` or `reasoning`. Nothing here knows the SDK: a chunk is anything with the attributes of one, because what a provider
sends need not be one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from desktop.domain.llm import StreamEnd
from desktop.domain.runs import RunState, Usage
from desktop.domain.text import valid_text

CLOSED = "the provider closed the stream before it said it was done"
LENGTH = "stopped at the length limit"
FILTERED = "the provider's content filter stopped it"
EMPTY = "the model ended its answer without writing anything"
TOO_LONG = "stopped, because the answer was far longer than asked for"

# Far above any `max_tokens` that is asked for: this is for a provider that ignores it.
MAX_CHARACTERS = 400_000

# What a reader cannot see can only disguise what they do see: control characters, overrides of direction, zero width.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
_OPEN, _CLOSE = "<think>", "</think>"
_THINKING_FIELDS = ("reasoning_content", "reasoning")
"""As DeepSeek, vLLM and llama.cpp name it, and as OpenRouter does."""


def clean(text: str) -> str:
    """Return a text without what a reader cannot see, and with nothing that no text can hold."""
    return _UNSEEN.sub("", valid_text(text))


class AnswerText:
    """Takes pieces as they come and gives out those that are text."""

    def __init__(self) -> None:
        self._held = ""
        self._place = "before"
        self.thinking = ""
        """What the last piece held of thinking."""

    def take(self, piece: str) -> str:
        """Return what can be shown after this piece; what may still turn out to be a tag or half a character is held back."""
        self._held += piece
        self.thinking = ""
        if self._place == "before":
            self._look_for_opening()
        if self._place == "inside":
            self._look_for_closing()
        if self._place == "after-closing":
            self._held = self._held.lstrip()
            if self._held:
                self._place = "text"
        return self._give(keep_half=True) if self._place == "text" else ""

    def rest(self) -> str:
        """Return what was held back, once nothing more comes."""
        return self._give(keep_half=False) if self._place in ("before", "text") else ""

    def _look_for_opening(self) -> None:
        start = self._held.lstrip()
        if start.startswith(_OPEN):
            self._place, self._held = "inside", start[len(_OPEN) :]
        elif not _OPEN.startswith(start):
            self._place = "text"

    def _look_for_closing(self) -> None:
        inside, tag, after = self._held.partition(_CLOSE)
        if tag:
            self._place, self._held = "after-closing", after
        else:
            cut = max(0, len(self._held) - (len(_CLOSE) - 1))
            inside, self._held = self._held[:cut], self._held[cut:]
        self.thinking = clean(inside)

    def _give(self, *, keep_half: bool) -> str:
        cut = len(self._held)
        if keep_half and self._held and "\ud800" <= self._held[-1] <= "\udbff":
            cut -= 1
        text, self._held = self._held[:cut], self._held[cut:]
        return clean(text)


@dataclass(slots=True)
class Answer:
    """What has come of one answer so far."""

    chunks: int = 0
    characters: int = 0
    finish_reason: str = ""
    usage: Usage = Usage()
    thinking: str = ""
    thought: int = 0
    _text: AnswerText = field(default_factory=AnswerText)

    def take(self, chunk: Any) -> str:
        """Note what a chunk says and return its text; what it holds of thinking is then in `thinking`, `thought` counts its characters."""
        self.thinking = ""
        self._note_usage(getattr(chunk, "usage", None))
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list):
            return ""
        self.chunks += 1
        if not choices:
            return ""
        reason = getattr(choices[0], "finish_reason", None)
        if isinstance(reason, str) and reason:
            self.finish_reason = reason
        delta = getattr(choices[0], "delta", None)
        piece = getattr(delta, "content", None)
        text = self._counted(self._text.take(piece)) if isinstance(piece, str) else ""
        self.thinking = self._text.thinking if isinstance(piece, str) else ""
        for name in _THINKING_FIELDS:
            thought = getattr(delta, name, None)
            if isinstance(thought, str) and thought:
                self.thinking += clean(thought)
                break
        self.thought += len(self.thinking)
        return text

    @property
    def is_too_long(self) -> bool:
        """Tell whether it has become far longer than anything that was asked for."""
        return self.characters > MAX_CHARACTERS or self.thought > MAX_CHARACTERS

    def rest(self) -> str:
        """Return the text that was held back, at the end of the stream."""
        return self._counted(self._text.rest())

    def end(self, *, broken_off: str = "") -> StreamEnd:
        """Say how it ended; `broken_off` is why reading stopped, '' when the provider closed the stream in good order."""
        if self.finish_reason == "stop":
            # Whatever happened after the terminal event took nothing from the answer.
            return self._end("" if self.characters else EMPTY)
        if self.finish_reason == "length":
            return self._end(LENGTH)
        if self.finish_reason == "content_filter":
            return self._end(FILTERED)
        if self.finish_reason in ("tool_calls", "function_call"):
            return self._end("the model asked for a tool in place of an answer")
        if self.finish_reason:
            return self._end(broken_off or "the provider ended it for a reason of its own")
        return self._end(broken_off or CLOSED)

    def _end(self, reason: str) -> StreamEnd:
        return StreamEnd(RunState.INCOMPLETE if reason else RunState.COMPLETE, reason, self.usage)

    def _counted(self, text: str) -> str:
        self.characters += len(text)
        return text

    def _note_usage(self, usage: Any) -> None:
        if usage is None:
            return
        details = getattr(usage, "prompt_tokens_details", None)
        self.usage = Usage(
            input_tokens=_count(usage, "prompt_tokens"),
            output_tokens=_count(usage, "completion_tokens"),
            cached_input_tokens=_count(details, "cached_tokens"),
        )


def _count(holder: Any, name: str) -> int | None:
    value = getattr(holder, name, None)
    return value if isinstance(value, int) and value >= 0 else None
