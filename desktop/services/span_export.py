"""Spans of the ledger's entries, sent to the collector whose address the user gave: after each call in small groups, and on request.

It never disturbs anything: a collector that does not answer is left alone for longer and longer, its failure is a sentence that whoever asks is
shown, and what is not sent waits in the ledger. See `otlp` for what is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from desktop import __version__
from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.operations import SpanStatus
from desktop.domain.outgoing import LedgerEntry
from desktop.services.moments import moment
from desktop.services.otlp import abort, connect, encode, full_address, post
from desktop.storage.spans import Lost, SpanStore

SPANS_A_GROUP = 100
LEASE_SECONDS = 60
LOST_AFTER_SECONDS = 3_600
BATCH_LOST_AFTER_SECONDS = 3 * 86_400
"""A call whose end is still unknown then will not end any more."""
LAST_TRY_SECONDS = 2.0
_RESTS = (10, 30, 60, 300, 600)


class SpanExport:
    """Sends spans to one collector. `look` is called again and again by whoever lives long enough."""

    def __init__(
        self, store: SpanStore, settings: Settings, *, is_loopback: Callable[[str], bool], secret: bytes
    ) -> None:
        self._store, self._settings = store, settings
        self._is_loopback, self._secret = is_loopback, secret
        self._sent = self._failures = 0
        self._rest_until = 0.0
        self._error: DeskError | None = None
        self._turn = asyncio.Lock()

    def set_address(self, text: str) -> str:
        """Have spans sent to an address from now on ('' for nowhere), and return it in full.

        Raises:
            DeskError: `otlp-address`, `local-only`, `settings-unwritable`.
        """
        address = full_address(text, is_loopback=self._is_loopback)
        self._refuse_when_locked(address)
        self._settings.set("otlp_address", text.strip())
        self._error, self._failures, self._rest_until = None, 0, 0.0
        return address

    async def status(self) -> SpanStatus:
        """Say where spans go, how many are not sent yet, and what went wrong of late."""
        try:
            address = self._address()
        except DeskError as error:
            return SpanStatus(self._settings.get("otlp_address"), failure=error.message, remedy=error.remedy)
        pending = await self._store.count_pending(_lost()) if address else 0
        failed = self._error or DeskError("", "")
        return SpanStatus(address, pending, self._sent, failure=failed.message, remedy=failed.remedy)

    async def send_now(self) -> int:
        """Send all that waits, and return how many spans were taken.

        Raises:
            DeskError: `otlp-off`, `otlp-address`, `local-only`, `otlp-busy`, `otlp-unreachable`, `otlp-refused`.
        """
        if not self._address():
            raise DeskError("otlp-off", "No collector is set.", remedy="Give its address first.")
        return await self._send(is_asked=True)

    async def look(self) -> None:
        """Send what has ended since, if anything and if there is somewhere to send it; a failure is kept for `status`."""
        if self._store.is_read_only:
            return
        with contextlib.suppress(DeskError):
            if self._address() or not self._settings.get("otlp_address"):
                await self._store.aim(self._address())
            if self._address():
                await self._send(is_asked=False)

    async def look_once_more(self) -> None:
        """Before the end: a short last try, unless the last one failed. What is left waits for the next start."""
        if self._error is None and self._settings.get("otlp_address"):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.look(), LAST_TRY_SECONDS)

    def _address(self) -> str:
        address = full_address(self._settings.get("otlp_address"), is_loopback=self._is_loopback)
        self._refuse_when_locked(address)
        return address

    def _refuse_when_locked(self, address: str) -> None:
        if address and self._settings.get("local_only") and not self._is_loopback(address):
            raise DeskError(
                "local-only",
                "TLDesk is locked to this machine, so no spans are sent to another host.",
                remedy="Unlock it in the providers' settings, or use a collector on this machine.",
            )

    async def _send(self, *, is_asked: bool) -> int:
        """Send group after group until nothing waits."""
        taken = 0
        async with self._turn:
            if not is_asked and time.monotonic() < self._rest_until:
                return 0
            await self._store.aim(self._address())
            if not await self._store.count_pending(_lost()):
                return 0
            if not await self._store.claim(moment(), moment(LEASE_SECONDS)):
                if is_asked:
                    raise DeskError(
                        "otlp-busy", "Another TLDesk is sending them now.", remedy="Look again in a minute."
                    )
                return 0
            try:
                while entries := await self._store.pending(_lost(), SPANS_A_GROUP):
                    await self._send_group(entries)
                    taken += len(entries)
                    await self._store.renew(moment(LEASE_SECONDS))
            finally:
                await self._store.release()
        return taken

    async def _send_group(self, entries: Sequence[LedgerEntry]) -> None:
        try:
            await self._post(entries)
            self._error = None
        except DeskError as error:
            self._error = error
            if error.code != "otlp-partial":
                self._rest_until = time.monotonic() + _RESTS[min(self._failures, len(_RESTS) - 1)]
                self._failures += 1
                raise
            await self._note(entries)
        self._failures = 0

    async def _post(self, entries: Sequence[LedgerEntry]) -> None:
        address = self._address()
        body = await asyncio.to_thread(encode, entries, secret=self._secret, version=__version__)
        connection = connect(address)
        posting = asyncio.ensure_future(asyncio.to_thread(post, address, body, connection=connection))
        try:
            await asyncio.shield(posting)
        except asyncio.CancelledError:
            # Whoever cancels does not wait for the collector; but what it took already must not be sent once more.
            abort(connection)
            with contextlib.suppress(DeskError):
                await posting
                await self._note(entries)
            raise
        await self._note(entries)

    async def _note(self, entries: Sequence[LedgerEntry]) -> None:
        await self._store.sent([entry.id for entry in entries])
        self._sent += len(entries)


def _lost() -> Lost:
    return Lost(batched=moment(-BATCH_LOST_AFTER_SECONDS), others=moment(-LOST_AFTER_SECONDS))
