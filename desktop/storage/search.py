"""Search: the full-text index, in a file of its own that can be deleted at any time.

Building it is most of the work of an import, so it is built behind the list: SQLite lets one writer into a file, and a second file lets the words be
cut and sorted on another core while tickets are still written. A ticket carries a revision that is set anew at each change; the index knows revisions
and nothing else. What is stale joins no ticket, so nothing is ever taken out of the index; once most of it is stale, it is built anew. How far it is
stands beside it, so it goes on where it stopped, after a crash too. Deliberately not here: what a query means, see `tickets`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

FILE_NAME = "search.sqlite"
FORMAT = 1
TICKETS_A_SEGMENT = 12_288
"""A statement is a segment of the index. Smaller ones must be merged: 100,000 tickets took 3 s so, 5 s with 2,048, 16 s with 500."""
BACKLOG_WORTH_WAITING = 2_000
"""Up to this many tickets (0.1 s) a search waits for the index; beyond, it answers with what is there."""
PATIENCE_SECONDS = 3.0
_LEAST_GARBAGE = 5_000
_BUSY_MS = 5_000
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN)
_SAYS_DAMAGE = ("no such table", "vtable constructor failed", "invalid fts5 file format", "SQL logic error")
"""What SQLite says, without a code of its own, where a part of the index is missing or of another version (each tried)."""

# No merging while it is written (16 segments of one level are merged at once), and pages as large as merging and reading like them:
# the defaults took 16 s in place of 4. Nothing ranks by length, so the lengths need not be kept.
_TABLES = f"""
CREATE TABLE state (history TEXT NOT NULL, revision INTEGER NOT NULL, written INTEGER NOT NULL) STRICT;
INSERT INTO state VALUES ('', 0, 0);
CREATE VIRTUAL TABLE ticket_fts USING fts5 (subject, body, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2');
INSERT INTO ticket_fts (ticket_fts, rank) VALUES ('automerge', 0);
INSERT INTO ticket_fts (ticket_fts, rank) VALUES ('hashsize', 50000000);
INSERT INTO ticket_fts (ticket_fts, rank) VALUES ('pgsz', 32000);
PRAGMA user_version = {FORMAT};
"""
_ADD = """INSERT INTO ticket_fts (rowid, subject, body)
  SELECT revision, subject, coalesce((SELECT group_concat(text, char(10)) FROM desk.message WHERE ticket_id = ticket.id), '')
  FROM desk.ticket WHERE revision > ? AND revision <= ? ORDER BY revision"""

T = TypeVar("T")


class SearchIndex:
    """The index over one file of tickets. One thread of its own writes it, one reads it."""

    def __init__(self, tickets_path: Path) -> None:
        self.path = tickets_path.with_name(FILE_NAME)
        self._tickets_path = tickets_path
        self._thread: threading.Thread | None = None
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="searcher")
        self._index: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._changed = threading.Condition()
        self._reading = threading.Lock()
        self._requests: list[Future[None]] = []
        self._opened: Future[None] = Future()
        self._news = 0
        self._news_since = 0.0
        self._is_wanted = self._is_closing = self._is_damaged = False
        self._newest = -1

    def start(self, last_revision: int) -> None:
        """Begin to catch up with the tickets, in the background. `last_revision` is theirs before this program writes any.

        An index beyond it was made from other tickets: an older copy of the file was put back. Written to, it would soon hide that.
        """
        self._newest = last_revision
        # A program that ends without closing must not hang here: what is not indexed is caught up with.
        self._thread = threading.Thread(target=self._work, name="indexer", daemon=True)
        self._thread.start()
        self.tell(TICKETS_A_SEGMENT)

    def tell(self, count: int) -> None:
        """Say that so many tickets were written. They are indexed soon: a whole segment at once where many come."""
        with self._changed:
            if count and not self._news:
                self._news_since = time.monotonic()
            self._news += count
            self._changed.notify_all()

    async def caught_up(self) -> None:
        """Wait until all that is written now can be found.

        Raises:
            sqlite3.Error, OSError: when the index cannot be written.
        """
        await asyncio.wrap_future(self._request())

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` on a connection that sees the tickets and, attached as `search`, the index; mend the index when it is damaged.

        Raises:
            sqlite3.Error, OSError: when the index can be neither read nor mended.
        """
        try:
            return await self._read(function)
        except sqlite3.Error as error:
            if self._thread is None or not _is_damage(error):
                raise
        with self._changed:
            self._is_damaged = True
            self._opened = Future()
        self.tell(TICKETS_A_SEGMENT)
        return await self._read(function)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the index from reading tickets: while somebody reads them, their log cannot be folded into the file."""
        with self._changed:
            self._is_wanted = True
        try:
            with self._reading:
                yield
        finally:
            with self._changed:
                self._is_wanted = False
                self._changed.notify_all()

    async def close(self) -> None:
        """Stop within one statement; what is left is caught up with at the next start."""
        await asyncio.to_thread(self._close)

    async def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        if self._thread is not None:
            await asyncio.shield(asyncio.wrap_future(self._opened))
            backlog = await loop.run_in_executor(self._searcher, lambda: read_backlog(self._open_reader()))
            if 0 < backlog <= BACKLOG_WORTH_WAITING:
                await self.caught_up()
        return await loop.run_in_executor(self._searcher, lambda: function(self._open_reader()))

    def _request(self) -> Future[None]:
        future: Future[None] = Future()
        with self._changed:
            if self._thread is None or self._is_closing:
                # Tickets of a newer program are only read, and so is their index.
                future.set_result(None)
            else:
                self._requests.append(future)
                self._changed.notify_all()
        return future

    # --- the searcher's thread ---

    def _open_reader(self) -> sqlite3.Connection:
        if self._reader is None:
            connection = _connect(f"{self._tickets_path.as_uri()}?mode=ro")
            try:
                connection.execute("ATTACH ? AS search", [f"{self.path.as_uri()}?mode=ro"])
                connection.execute("PRAGMA query_only=ON")
            except sqlite3.Error:
                connection.close()
                raise
            self._reader = connection
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # --- the indexer's thread ---

    def _work(self) -> None:
        while self._wait():
            with self._changed:
                requests, self._requests, self._news = self._requests, [], 0
            try:
                self._catch_up()
                fault = None
            except Exception as error:  # noqa: BLE001 - whatever it is, a thread that is gone would leave every search waiting
                # Whoever waits is told; for the rest the next ticket or the next start tries again.
                fault = error
                self._close_index()
            self._tell_opened(is_failed=fault is not None)
            for request in requests:
                if self._is_closing:
                    request.cancel()
                elif request.set_running_or_notify_cancel():
                    request.set_exception(fault) if fault else request.set_result(None)
        self._close_index(fold=True)

    def _wait(self) -> bool:
        """Wait for something to do; false when it is time to go."""
        with self._changed:
            while not self._is_closing and not self._requests:
                left = self._news_since + PATIENCE_SECONDS - time.monotonic()
                if self._news >= TICKETS_A_SEGMENT or (self._news and left <= 0):
                    return True
                self._changed.wait(left if self._news else None)
            return not self._is_closing

    def _tell_opened(self, *, is_failed: bool = False) -> None:
        """Let those read who wait for the index; not while it is to be made again because one of them found it damaged."""
        with self._changed:
            if not self._opened.done() and (is_failed or not self._is_damaged):
                self._opened.set_result(None)

    def _catch_up(self) -> None:
        try:
            self._take_over()
        except sqlite3.Error as error:
            if self._is_closing or not _is_damage(error):
                raise
            self._discard()
            self._take_over()

    def _take_over(self) -> None:
        while not self._is_closing:
            if self._is_damaged:
                self._discard()
            index = self._open_index()
            history, last = index.execute("SELECT history, last FROM desk.ticket_revision").fetchone()
            known, revision, written = index.execute("SELECT history, revision, written FROM state").fetchone()
            newest, self._newest = self._newest if self._newest >= 0 else last, -1
            # Another file of tickets, or an older copy put back: its revisions mean other words.
            if known != history or revision > newest:
                _empty(index, history)
                continue
            self._tell_opened()
            if revision < last:
                self._add(index, revision, last)
            elif written > 2 * max(_LEAST_GARBAGE, _count(index)):
                _empty(index, history)
            else:
                return

    def _add(self, index: sqlite3.Connection, revision: int, last: int) -> None:
        """Add one segment: the tickets after a revision, in the order of their revisions."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_wanted or self._is_closing)
        with self._reading, _transaction(index):
            if index.execute("SELECT revision FROM state").fetchone()[0] != revision:
                return  # another TLDesk was faster
            part = [revision, min(last, revision + TICKETS_A_SEGMENT)]
            index.execute(_ADD, part)
            count = index.execute("SELECT count(*) FROM desk.ticket WHERE revision > ? AND revision <= ?", part)
            index.execute("UPDATE state SET revision = ?, written = written + ?", [part[1], count.fetchone()[0]])

    def _open_index(self) -> sqlite3.Connection:
        if self._index is None:
            if not self.path.exists():
                # As private as the tickets.
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            connection = _connect(self.path.as_uri())
            try:
                connection.execute("PRAGMA page_size=32768")
                connection.execute("PRAGMA journal_mode=WAL")
                # Derived data: what the machine loses with its power is caught up with.
                connection.execute("PRAGMA synchronous=NORMAL")
                # Emptied is gone: who was erased must not be found in free pages.
                connection.execute("PRAGMA secure_delete=ON")
                _make_tables(connection)
                connection.execute("ATTACH ? AS desk", [f"{self._tickets_path.as_uri()}?mode=ro"])
            except sqlite3.Error:
                connection.close()
                raise
            self._index = connection
        return self._index

    def _discard(self) -> None:
        self._close_index()
        self._searcher.submit(self._close_reader).result()
        for ending in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        self._is_damaged = False

    def _close_index(self, *, fold: bool = False) -> None:
        if self._index is not None:
            if fold:
                with contextlib.suppress(sqlite3.Error):
                    self._index.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
            self._index.close()
            self._index = None

    def _close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is not None:
            while self._thread.is_alive():
                if (index := self._index) is not None:
                    with contextlib.suppress(sqlite3.Error):
                        index.interrupt()
                self._thread.join(0.05)
        for request in self._requests:
            request.cancel()
        self._searcher.shutdown(wait=True, cancel_futures=True)
        self._close_reader()


def read_backlog(reader: sqlite3.Connection) -> int:
    """Return how many changes the index does not know of yet, on a connection as `SearchIndex.read` gives it."""
    row = reader.execute("SELECT ticket_revision.last - state.revision FROM ticket_revision, search.state")
    return int(row.fetchone()[0])


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(
        address, uri=True, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=16
    )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _make_tables(connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        if connection.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
            return
        connection.execute("DROP TABLE IF EXISTS ticket_fts")
        connection.execute("DROP TABLE IF EXISTS state")
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)


def _empty(index: sqlite3.Connection, history: str) -> None:
    with _transaction(index):
        index.execute("INSERT INTO ticket_fts (ticket_fts) VALUES ('delete-all')")
        index.execute("UPDATE state SET history = ?, revision = 0, written = 0", [history])
    # What the log held of it goes too; while another program reads, it goes when the index is closed.
    with contextlib.suppress(sqlite3.Error):
        index.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")


def _count(index: sqlite3.Connection) -> int:
    return int(index.execute("SELECT count(*) FROM desk.ticket").fetchone()[0])


def _is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the index is lost or damaged; a statement that is wrong is our bug, and building the index anew would not mend it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _DAMAGE or (code == sqlite3.SQLITE_ERROR and str(error).startswith(_SAYS_DAMAGE))
