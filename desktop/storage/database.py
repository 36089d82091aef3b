"""Database: one writer thread that owns every write, two readers, and nothing of SQL outside this package.

A write is a function that gets the connection inside a transaction; it runs to its end in the writer's thread even when the one who awaited it is
cancelled, so a cancelled job leaves no half of anything. Errors of the *environment* (disk full, locked, broken file) become sentences; every other
SQLite error is our bug and is left to the crash path.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from desktop.domain.errors import DeskError
from desktop.storage.migrations import migrations
from desktop.storage.search import SearchIndex

BUSY_MS = 5_000
READERS = 2
PAGE_BYTES = 16_384
WRITER_CACHE_KIB = 16_000
MOST_LOG_BYTES = 200_000_000
"""Folding the log into the file at every 4 MB, as SQLite does by itself, writes the pages of the indexes over and over: 5.2 s in place of 3.0."""
MOST_SWEPT_IN_MEMORY_BYTES = 500_000_000
"""Sweeping makes a second copy of the file for a moment."""

T = TypeVar("T")


class Database:
    """One SQLite file. `read_only_reason` is '' or says in words why nothing can be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only_reason = ""
        self.index = SearchIndex(path)
        self._last_revision = 0
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self._local = threading.local()
        self._lock = threading.Lock()
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._read_threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    async def open(self) -> None:
        """Open the file, create or migrate it.

        Raises:
            DeskError: `database-broken`, `database-locked`, `database-full`, `database-disk`, `database-readonly`.
        """
        await self._on(self._write_thread, self._open)
        if not self.read_only_reason:
            self.index.start(self._last_revision)

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` in the writer thread, in one transaction.

        Raises:
            DeskError: as `open`; `database-newer` when the file is only read.
        """

        def call() -> T:
            if self.read_only_reason:
                raise DeskError("database-newer", self.read_only_reason, remedy="Update TLDesk.")
            assert self._writer is not None
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                result = function(self._writer)
            self._fold_log()
            return result

        return await self._on(self._write_thread, call)

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` in a reader thread on a connection that cannot write.

        Raises:
            DeskError: as `open`.
        """
        return await self._on(self._read_threads, lambda: function(self._reader()))

    async def search(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run `function` in the searcher's thread on a connection that cannot write, with the full-text index attached as `search`.

        Raises:
            DeskError: as `open`.
        """
        with self._said():
            return await self.index.read(function)

    async def caught_up(self) -> None:
        """Wait until a search finds all that is written now.

        Raises:
            DeskError: as `open`.
        """
        with self._said():
            await self.index.caught_up()

    async def sweep(self) -> bool:
        """Write the file anew without what was deleted from it; false when another program reads it and it must be done later.

        Raises:
            DeskError: as `open`.
        """
        return await self._on(self._write_thread, self._sweep)

    async def close(self) -> None:
        """Finish what is queued, fold the log into the file, close all connections and end the threads."""
        await self.index.close()
        await asyncio.to_thread(self._read_threads.shutdown, wait=True, cancel_futures=True)
        for connection in self._readers:
            connection.close()
        self._readers.clear()
        try:
            # The writer last: only a connection that may write can fold the log into the file and remove it.
            await self._on(self._write_thread, self._close_writer)
        finally:
            await asyncio.to_thread(self._write_thread.shutdown, wait=True)

    async def _on(self, threads: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        with self._said():
            return await asyncio.get_running_loop().run_in_executor(threads, function)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Say in words what is wrong with the disk or the file."""
        try:
            yield
        except OSError as error:
            raise DeskError(
                "database-readonly",
                f"The file {self.path} cannot be read or written: {error.strerror or error}.",
                remedy="Check the disk and the folder's permissions.",
            ) from None
        except sqlite3.Error as error:
            translated = _translate(error, self.path)
            if translated is None:
                raise
            raise translated from None

    def _fold_log(self) -> None:
        """Fold the log into the file once it is long, which nobody may be reading from meanwhile."""
        assert self._writer is not None
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size > MOST_LOG_BYTES:
            # What was written is written; a log that cannot be folded now is folded later.
            with self.index.held(), contextlib.suppress(sqlite3.Error):
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _sweep(self) -> bool:
        assert self._writer is not None
        store = "MEMORY" if self.path.stat().st_size < MOST_SWEPT_IN_MEMORY_BYTES else "FILE"
        with self.index.held():
            self._writer.execute(f"PRAGMA temp_store={store}")
            try:
                self._writer.execute("VACUUM")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                return False
            finally:
                self._writer.execute("PRAGMA temp_store=MEMORY")
            is_busy = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not is_busy

    def _open(self) -> None:
        if not self.path.exists():
            # Created by us, so that no other user can ever read it: SQLite would follow the umask.
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(self.path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        try:
            # Of a new file only: larger pages write a tenth less processor time and a seventh less disk for the same tickets.
            connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
            _patiently(lambda: connection.execute("PRAGMA journal_mode=WAL"))
            # What the user was told is saved is on the disk, whatever happens to the machine a moment later.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")
            connection.execute("PRAGMA wal_autocheckpoint=0")
            _patiently(lambda: self._migrate(connection))
            if not self.read_only_reason:
                self._last_revision = int(connection.execute("SELECT last FROM ticket_revision").fetchone()[0])
        except BaseException:
            connection.close()
            raise
        self._writer = connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        applied = _applied(connection)
        if applied - migrations.names:
            self.read_only_reason = (
                "These tickets were written by a newer TLDesk; they can be read here, and nothing can be changed."
            )
        elif migrations.names - applied:
            if applied:
                self._back_up(connection)
            else:
                _refuse_foreign(connection, self.path)
            from sqlite_utils.db import Database as MigratingDatabase

            migrations.for_sqlite_utils().apply(MigratingDatabase(connection))

    def _back_up(self, connection: sqlite3.Connection) -> None:
        """Copy the file before its form changes."""
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        name = f"{self.path.stem}-before-migration-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}{self.path.suffix}"
        shutil.copy2(self.path, self.path.with_name(name))

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=ro",
                uri=True,
                timeout=BUSY_MS / 1000,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA query_only=ON")
            self._local.connection = connection
            with self._lock:
                self._readers.append(connection)
        return connection

    def _close_writer(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with closing(writer):
            if self.read_only_reason:
                return
            try:
                writer.execute("PRAGMA analysis_limit=400")
                writer.execute("PRAGMA optimize")
                writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                # A full or failing disk is no news here: whoever wrote was told. The log keeps what is in it until the next start.
                known = _translate(error, self.path)
                if known is None or known.code == "database-broken":
                    raise


def _applied(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the migrations that a file went through."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone():
        return set()
    statement = "SELECT name FROM _sqlite_migrations WHERE migration_set = ?"
    return {row[0] for row in connection.execute(statement, [migrations.name])}


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    if foreign := [row[0] for row in tables if row[0] != "_sqlite_migrations"]:
        raise DeskError(
            "database-broken",
            f"The file {path} is a database of another program (it has {', '.join(foreign[:3])}).",
            remedy="Move it away, or use another --data-dir; nothing was changed.",
        )


def _patiently(work: Callable[[], object]) -> None:
    """Try again while another TLDesk, started at the same moment, sets up the same file: these two steps do not wait by themselves."""
    deadline = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if time.monotonic() > deadline or not (is_busy or "already exists" in str(error)):
                raise
        # The other process gives no event to wait for.
        threading.Event().wait(0.05)


def _translate(error: sqlite3.Error, path: Path) -> DeskError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return DeskError(
                "database-broken",
                f"The file {path} is damaged or is no database of TLDesk.",
                remedy="Put a backup in its place, or move it away to begin anew; nothing was changed.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DeskError(
                "database-locked",
                f"The file {path} is in use by another program.",
                remedy="Close the other one and try again.",
            )
        case sqlite3.SQLITE_FULL:
            return DeskError(
                "database-full",
                f"There is no space left for {path}; what was saved before is kept.",
                remedy="Free some space and try again.",
            )
        case sqlite3.SQLITE_IOERR:
            return DeskError(
                "database-disk",
                f"The disk failed while {path} was read or written; what was saved before is kept.",
                remedy="Check the disk and try again.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return DeskError(
                "database-readonly",
                f"The file {path} cannot be read or written ({error}).",
                remedy="Check the disk and the folder's permissions.",
            )
    return None
