"""An answer as it comes: what of a stream is text for people, and whether it was ended or merely stopped.

Reasoning is not text: a `<think>…</think>` at the beginning comes out apart, as it streams and even when its tags are torn apart, and so does what
comes as `reasoning_content` or `reasoning`. Nothing here knows the SDK: a chunk is anything with the attributes of one, because what a provider
sends need not be one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from desktop.domain.llm import StreamDelta, StreamEnd
from desktop.domain.runs import RunState, Usage
from desktop.domain.text import visible_text

CLOSED = "the provider closed the stream before it said it was done"
LENGTH = "stopped at the length limit"
FILTERED = "the provider's content filter stopped it"
EMPTY = "the model ended its answer without writing anything"
TOO_LONG = "stopped, because the answer was far longer than asked for"

MAX_CHARACTERS = 400_000
"""Far above any `max_tokens` that is asked for: this is for a provider that ignores it, and for a model that never stops thinking."""

MOST_TOKENS = 2**31 - 1
_OPEN, _CLOSE = "<think>", "</think>"
_THINKING_FIELDS = ("reasoning_content", "reasoning")
"""As DeepSeek, vLLM and llama.cpp name it, and as OpenRouter does; a gateway that sends both repeats itself."""
_NOTHING = StreamDelta("")


class _Cleaned:
    """Cleans a text that comes in pieces; half a character at the end of one waits for its other half."""

    def __init__(self) -> None:
        self._half = ""

    def take(self, piece: str) -> str:
        if not self._half and piece.isascii() and piece.isprintable():
            return piece
        whole = self._half + piece
        cut = len(whole) - 1 if whole and "\ud800" <= whole[-1] <= "\udbff" else len(whole)
        self._half = whole[cut:]
        return visible_text(whole[:cut])

    def rest(self) -> str:
        half, self._half = self._half, ""
        return visible_text(half)


class AnswerText:
    """Takes pieces as they come and tells text from thinking, both cleaned; either may be ''."""

    def __init__(self) -> None:
        self._held = ""
        self._place = "before"
        self._text = _Cleaned()
        self._thinking = _Cleaned()

    def take(self, piece: str) -> tuple[str, str]:
        """Return what can be shown after this piece, text and thinking; what may still turn out to be a tag or half a character is held back."""
        if self._place == "text":
            return self._text.take(self._let_go() + piece), ""
        self._held += piece
        thinking = ""
        if self._place == "before":
            self._look_for_opening()
        if self._place == "inside":
            thinking = self._thinking.take(self._until_closing())
        if self._place == "after-closing":
            self._held = self._held.lstrip()
            if self._held:
                self._place = "text"
        return (self._text.take(self._let_go()) if self._place == "text" else ""), thinking

    def take_thinking(self, piece: str) -> str:
        """Return what can be shown of a piece that the provider itself calls thinking."""
        return self._thinking.take(piece)

    def rest(self) -> tuple[str, str]:
        """Return what was held back, once nothing more comes."""
        held = self._let_go()
        text, thinking = ("", held) if self._place == "inside" else (held, "")
        return self._text.take(text) + self._text.rest(), self._thinking.take(thinking) + self._thinking.rest()

    def _look_for_opening(self) -> None:
        start = self._held.lstrip()
        if start.startswith(_OPEN):
            self._place, self._held = "inside", start[len(_OPEN) :]
        elif not _OPEN.startswith(start):
            self._place = "text"

    def _until_closing(self) -> str:
        inside, tag, after = self._held.partition(_CLOSE)
        if tag:
            self._place, self._held = "after-closing", after
            return inside
        begun = next((n for n in range(len(_CLOSE) - 1, 0, -1) if inside.endswith(_CLOSE[:n])), 0)
        cut = len(inside) - begun
        self._held = inside[cut:]
        return inside[:cut]

    def _let_go(self) -> str:
        held, self._held = self._held, ""
        return held


@dataclass(slots=True)
class Answer:
    """What has come of one answer so far."""

    chunks: int = 0
    received: int = 0
    characters: int = 0
    thought: int = 0
    finish_reason: str = ""
    usage: Usage = Usage()
    _text: AnswerText = field(default_factory=AnswerText)
    _choice: int | None = None

    def take(self, chunk: Any) -> StreamDelta:
        """Note what a chunk says and return what it holds of text and of thinking; both may be ''."""
        usage = value_of(chunk, "usage")
        if usage is not None:
            self.usage = usage_of(usage)
        choices = value_of(chunk, "choices")
        if not isinstance(choices, list):
            return _NOTHING
        self.chunks += 1
        choice = self._own(choices)
        if choice is None:
            return _NOTHING
        reason = value_of(choice, "finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = reason
        delta = value_of(choice, "delta")
        content = value_of(delta, "content")
        if isinstance(content, str):
            piece, thought = content, ""
        else:
            piece, thought = _parts(content)
        if not thought:
            thought = next((text for name in _THINKING_FIELDS if (text := _piece(delta, name))), "")
        self.received += len(piece) + len(thought)
        thinking = self._text.take_thinking(thought) if thought else ""
        text, inside = self._text.take(piece)
        return self._counted(text, thinking + inside)

    def _own(self, choices: list[Any]) -> Any:
        """Return the choice of this answer. Nobody asks for a second one; where one comes all the same, it is not mixed into the first."""
        if not choices:
            return None
        if self._choice is None:
            self._choice = value_of(choices[0], "index")
        return next((choice for choice in choices if value_of(choice, "index") == self._choice), None)

    @property
    def is_too_long(self) -> bool:
        """Tell whether it has become far longer than anything that was asked for: all that came counts, also what nobody is shown."""
        return self.received > MAX_CHARACTERS

    def rest(self) -> StreamDelta:
        """Return what was held back, at the end of the stream."""
        return self._counted(*self._text.rest())

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

    def _counted(self, text: str, thinking: str) -> StreamDelta:
        self.characters += len(text)
        self.thought += len(thinking)
        return StreamDelta(text, thinking)


def value_of(holder: Any, name: str) -> Any:
    """Return a value of an object as JSON has it, or as the SDK's models have it; None when there is none."""
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)


def usage_of(usage: Any) -> Usage:
    """Return what an answer says it took; what it does not say, or says in another way, is unknown."""
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_input_tokens=_count(value_of(usage, "prompt_tokens_details"), "cached_tokens"),
    )


def is_foreign(name: str, data: str) -> bool:
    """Tell whether an event with a name of its own is no chunk at all: `event: ping`, with whatever its server says in it."""
    if name in ("message", "error"):
        return False
    try:
        return not isinstance(json.loads(data), dict) and not data.startswith("[DONE]")
    except ValueError:
        return not data.startswith("[DONE]")


def _parts(content: object) -> tuple[str, str]:
    """Return text and thinking of a content that comes as a list of parts, as Mistral's reasoning models send it."""
    text = thinking = ""
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("text"), str):
            text += part["text"]
        elif part.get("type") == "thinking":
            said = part.get("thinking")
            thinking += said if isinstance(said, str) else _parts(said)[0]
    return text, thinking


def _piece(delta: Any, name: str) -> str:
    value = value_of(delta, name)
    return value if isinstance(value, str) else ""


def _count(holder: Any, name: str) -> int | None:
    value = value_of(holder, name)
    # No request takes so many: what says so counts nothing, and would not fit into the database.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS else None
