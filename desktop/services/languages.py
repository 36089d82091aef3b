"""Languages: which language each ticket is in, told on this machine from the customer's own words.

It runs behind the list, after imports and at the start, in small batches, so that importing knows nothing of it. What a customer wrote first counts;
repeated history and signatures, links, addresses and code do not. Too few words, or words of which no language stands out, give '' rather than a
guess. Codes are ISO 639-1.

The detector is CLD2. Of six that fit, it was the fastest and told 115 of the 117 short messages in `tests/data/languages` right; the only better one
needs numpy, 130 MB and 20 times as long. Where it has no wheel (see pyproject.toml) no language is told.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import aclosing

from desktop.domain.quoting import folded_spans
from desktop.domain.tickets import Message, Role
from desktop.storage.languages import LanguageStore, Unseen

BATCH_TICKETS = 100
MESSAGE_CHARACTERS = 1_000
ENOUGH_LETTERS = 300
LEAST_LETTERS = 16
LEAST_SIGNS = 5
"""A sign of Chinese, Japanese or Korean says as much as several letters."""
LEAST_PERCENT = 60

_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TOKEN = re.compile(r"[!-~]+")
_NO_WORD = re.compile(r"[@\\/_=<>{}\[\]\d]")
_NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff-\uffff]"
)
_SIGN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_OUR_CODES = {"iw": "he", "jw": "jv", "in": "id", "ji": "yi", "mo": "ro", "nb": "no"}


class LanguageService:
    """Tells the language of tickets that were not looked at."""

    def __init__(self, store: LanguageStore, *, workers: Executor) -> None:
        self._store = store
        self._workers = workers

    @property
    def is_available(self) -> bool:
        """Tell whether there is a detector on this machine and the result can be kept."""
        return not self._store.is_read_only and importlib.util.find_spec("pycld2") is not None

    async def fill(self) -> AsyncGenerator[int, None]:
        """Look at all tickets that were not looked at, and tell after each batch how many those were so far."""
        seen, after = 0, 0
        while self.is_available and after >= 0:
            unseen, after = await self._store.unseen_after(after, limit=BATCH_TICKETS)
            if unseen:
                await self._look_at(unseen)
                seen += len(unseen)
                yield seen

    async def caught_up(self) -> None:
        """Look at all tickets that were not looked at."""
        async with aclosing(self.fill()) as batches:
            async for _ in batches:
                pass

    async def look_at(self, ticket_ids: Sequence[int]) -> None:
        """Look at those of a few tickets that were not looked at."""
        for first in range(0, len(ticket_ids) if self.is_available else 0, BATCH_TICKETS):
            if unseen := await self._store.unseen_among(ticket_ids[first : first + BATCH_TICKETS]):
                await self._look_at(unseen)

    async def _look_at(self, unseen: Sequence[Unseen]) -> None:
        def work() -> list[tuple[Unseen, str]]:
            return [(one, detect_language(own_words(one.subject, one.messages))) for one in unseen]

        found = await asyncio.get_running_loop().run_in_executor(self._workers, work)
        await self._store.put(found)


def own_words(subject: str, messages: Sequence[Message]) -> str:
    """Return what the customer wrote first, until it is enough to tell its language; the subject where messages say too little.

    Where nobody is known to be the customer, the first messages of the thread are taken; never notes among colleagues.
    """
    public = [message for message in messages if not message.internal]
    customers = [message for message in public if message.role is Role.CUSTOMER]
    others = [message for message in public if message.role is Role.UNKNOWN]
    parts: list[str] = []
    letters = 0
    for text in _texts(customers or others or [message for message in public if message.role is Role.AGENT]):
        parts.append(text)
        letters += sum(map(str.isalpha, text))
        if letters >= ENOUGH_LETTERS:
            break
    if letters < ENOUGH_LETTERS / 4:
        parts.append(_without_noise(subject))
    return "\n".join(parts)


def detect_language(text: str) -> str:
    """Return the language of a text as ISO 639-1; '' when it is too short, mixed, or not told for sure."""
    beginning = text[:ENOUGH_LETTERS]
    if sum(map(str.isalpha, beginning)) < LEAST_LETTERS and len(_SIGN.findall(beginning)) < LEAST_SIGNS:
        return ""
    import pycld2

    try:
        is_sure, _, found = pycld2.detect(text, bestEffort=True)
    except pycld2.error:
        return ""  # characters that no text has
    code = _OUR_CODES.get(found[0][1], found[0][1]).split("-")[0]
    is_told = is_sure and found[0][2] >= LEAST_PERCENT and len(code) == 2 and code != "un"
    return code if is_told else ""


def _texts(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        text = message.text[:MESSAGE_CHARACTERS]
        kept, end = [], 0
        for start, stop in folded_spans(text):
            kept.append(text[end:start])
            end = stop
        yield _without_noise("".join([*kept, text[end:]]))


def _without_noise(text: str) -> str:
    """Leave out code, links, addresses and numbers: they are in no language, or in another."""
    return _TOKEN.sub(
        lambda token: " " if _NO_WORD.search(token[0]) else token[0], _FENCED.sub(" ", _NO_TEXT.sub(" ", text))
    )
