"""Child: a process that puts one file after another through the real services and tells what became of each, one JSON line a file.

Every file meets a database that already holds tickets. It is recognized, counted in a dry run, imported, imported once more, and taken back; what the
user is told and what the database holds must agree at every step. Before each step one line says which, so that whoever started this process
can end it when a step takes too long. What is wrong is told in sentences. Deliberately not here: any limit of time, see `checking`.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import aclosing, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from desktop.config.paths import find_paths
from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished, ImportCounts, Recognized, Rejected
from desktop.domain.tickets import TicketQuery
from desktop.services.container import Desk, open_desk
from tests.services.conftest import import_path

ADDRESS_SPACE_BYTES = 4_000_000_000
"""Not the limit that is tested, but one that keeps a bug from taking the machine's memory."""
_MOST_READ_THREADS = 300
# What an import that was taken back leaves: its entry in the history, with the rows it rejected, and a count that never goes back.
_HISTORY = ("import_batch", "import_reject", "source", "ticket_revision")


def main() -> None:
    """Read one path (as JSON) a line from standard input until it ends."""
    _limit_memory()
    warnings.simplefilter("error")
    noted = _note_what_nobody_catches()
    with tempfile.TemporaryDirectory(prefix="tldesk-malformed-") as name:
        folder = Path(name)
        asyncio.run(_prepare(folder / "prepared"))
        _tell(ready=True)
        for line in sys.stdin:
            path = json.loads(line)
            noted.clear()
            _start_measuring()
            data = shutil.copytree(folder / "prepared", folder / "data")
            tables, problems = asyncio.run(_Examination(Path(path), data).run())
            _tell(tables=tables, problems=problems + noted, peak_bytes=_peak_bytes(), resting_bytes=_resting_bytes())
            shutil.rmtree(data)


async def _prepare(data: Path) -> None:
    desk = await open_desk(find_paths(data))
    await import_path(desk, desk.paths.sample)
    await desk.close()


class _Examination:
    """One file."""

    def __init__(self, path: Path, data: Path) -> None:
        self._path = path
        self._data = data
        self._problems: list[str] = []
        self._tables: list[dict[str, object]] = []

    async def run(self) -> tuple[list[dict[str, object]], list[str]]:
        """Put the file through everything; return what became of each table of it, and what was wrong."""
        desk = await open_desk(find_paths(self._data))
        try:
            with self._refusals(self._path, "unpacking"):
                for table in await desk.imports.expand(self._path):
                    await self._take(desk, table)
        except Exception as error:  # noqa: BLE001 - every other error is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            self._problems.append(f"{type(error).__name__}: {str(error)[:300]} ({last.filename}, line {last.lineno})")
        finally:
            await desk.close()
        return self._tables, self._problems

    async def _take(self, desk: Desk, table: Path) -> None:
        before = self._content()
        with self._refusals(table, "recognizing"):
            await self._import_twice(desk, table, before)
        if self._tables and self._tables[-1]["state"] == "refused":
            after = self._content()
            changed = [name for name in before if name not in _HISTORY and before[name] != after[name]]
            self._expect(not changed, f"a file that was refused changed {changed}")

    async def _import_twice(self, desk: Desk, table: Path, before: dict[str, str]) -> None:
        recognized = await desk.imports.recognize(table)
        _tell(step="counting in a dry run")
        try:
            promised, _ = await _import(desk, recognized, dry_run=True)
        except DeskError:
            # Nobody must do a dry run first: the import has to refuse it too, whatever it has written by then.
            _tell(step="importing what the dry run refused")
            await _import(desk, recognized)
            self._expect(False, "the import took what the dry run refused")
            raise
        self._expect(self._content() == before, "a dry run changed the database")
        _tell(step="importing")
        had = (await desk.tickets.counts()).total
        done, rejects = await _import(desk, recognized)
        self._expect(done.counts == promised.counts, f"promised {promised.counts} and did {done.counts}")
        await self._check_account(desk, done, rejects, had)
        _tell(step="importing once more")
        await self._check_again(desk, recognized, done.counts)
        _tell(step="taking back")
        await self._check_undo(desk, done, before)
        self._tables.append({"state": "imported", "path": str(table), **asdict(done.counts)})

    async def _check_account(self, desk: Desk, done: Finished, rejects: int, had: int) -> None:
        counts = done.counts
        self._expect(counts.adds_up, f"the counts do not add up: {counts}")
        self._expect(rejects == counts.rejected, f"{counts.rejected} rows were rejected and {rejects} told of")
        told = [text for text in done.warnings if "do not add up" in text]
        self._expect(not told, "the import said of itself that it does not add up")
        has = (await desk.tickets.counts()).total
        self._expect(has == had + counts.tickets_new, f"{counts.tickets_new} new tickets, but {had} became {has}")
        touched = counts.tickets_new + counts.tickets_updated + counts.tickets_unchanged
        self._expect(touched <= counts.rows_used + counts.rows_unchanged, f"more tickets than rows: {counts}")
        self._expect(not counts.rejected or _is_file(done.rejects_path), "the rejected rows are not listed")
        lines = _count_lines(done.recognized)
        self._expect(lines is None or lines == counts.rows, f"{lines} lines below the header, and {counts.rows} rows")
        ids = list(await desk.tickets.ids(TicketQuery()))[:_MOST_READ_THREADS]
        for row in await desk.tickets.rows(ids):
            thread = await desk.tickets.thread(row.id)
            assert thread is not None
            self._expect(row.message_count == len(thread.messages), f"{row.reference} miscounts its messages")

    async def _check_again(self, desk: Desk, recognized: Recognized, first: ImportCounts) -> None:
        before = self._content("ticket", "message")
        again, _ = await _import(desk, await desk.imports.recognize(Path(recognized.path)))
        was = first.rows_used + first.rows_unchanged
        expected = replace(
            first,
            rows_used=0,
            rows_unchanged=was,
            tickets_new=0,
            tickets_updated=0,
            messages=0,
            tickets_unchanged=_tickets(first),
        )
        self._expect(again.counts == expected, f"the same file again: {again.counts} after {first}")
        self._expect(self._content("ticket", "message") == before, "the same file again changed tickets")
        if again.import_id:
            await desk.imports.undo(again.import_id)

    async def _check_undo(self, desk: Desk, done: Finished, before: dict[str, str]) -> None:
        if done.import_id:
            undone = await desk.imports.undo(done.import_id)
            self._expect(undone.tickets_removed == done.counts.tickets_new, f"{undone} after {done.counts}")
        tickets = ("ticket", "message")
        self._expect(self._content(*tickets) == {name: before[name] for name in tickets}, "undo left something")

    def _expect(self, claim: bool, otherwise: str) -> None:
        if not claim:
            self._problems.append(otherwise)

    @contextmanager
    def _refusals(self, path: Path, step: str) -> Iterator[None]:
        """Check that what is refused is refused in words: which file, and what to do."""
        _tell(step=step)
        try:
            yield
        except DeskError as error:
            names = {path.name, *(parent.name for parent in path.parents if parent.is_file())}
            self._expect(any(name in error.message for name in names), f"the refusal names no file: {error}")
            self._expect(bool(error.remedy), f"the refusal says nothing of what to do: {error}")
            self._expect(len(str(error)) < 1_500 or len(path.name) > 500, "the refusal is no sentence")
            self._tables.append({"state": "refused", "path": str(path), "code": error.code, "text": str(error)})

    def _content(self, *tables: str) -> dict[str, str]:
        """Return what the database holds, by table: those named, or all."""
        address = f"{find_paths(self._data).database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'ticket_fts%'"
            names = tables or [row[0] for row in connection.execute(named)]
            return {name: _digest(connection, name) for name in names}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    # The whole content is read: it is small before the file and what the file brought after it.
    count, total = 0, 0
    for row in connection.execute(f'SELECT * FROM "{table}"'):
        count += 1
        total ^= hash(row)
    return f"{count} rows, {total}"


async def _import(desk: Desk, recognized: Recognized, *, dry_run: bool = False) -> tuple[Finished, int]:
    """Import; return what it came to and how many rejects were told of, each with its line and reason."""
    rejects = 0
    finished: Finished | None = None
    async with aclosing(desk.imports.run(recognized, dry_run=dry_run)) as events:
        async for event in events:
            if isinstance(event, Rejected):
                assert all(reject.line > 0 and reject.reason for reject in event.rejects), (
                    "a reject without line or reason"
                )
                rejects += len(event.rejects)
            elif isinstance(event, Finished):
                finished = event
    assert finished is not None, "the import ended without an account"
    return finished, rejects


def _tickets(counts: ImportCounts) -> int:
    return counts.tickets_new + counts.tickets_updated + counts.tickets_unchanged


def _count_lines(recognized: Recognized) -> int | None:
    """Count the lines below the header of a plain table without quotation marks, where every line must be a row; None elsewhere."""
    path = Path(recognized.path)
    if recognized.format not in ("csv", "tsv", "psv") or not recognized.encoding or not path.is_file():
        return None
    if path.stat().st_size > 5_000_000:
        return None
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b") or b"\0\0\0\0\0" in data:
        return None
    text = data.decode(recognized.encoding, "replace").replace("\0", "")
    if recognized.quote[-1] in text:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return len(lines) - recognized.header_line


def _is_file(path: str) -> bool:
    return Path(path).is_file()


def _tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _note_what_nobody_catches() -> list[str]:
    """Collect errors of threads and of objects being cleaned up, which Python only prints."""
    noted: list[str] = []
    threading.excepthook = lambda args: noted.append(f"in a thread: {args.exc_value!r}")
    sys.unraisablehook = lambda args: noted.append(f"nobody could catch {args.exc_value!r} in {args.object!r}")
    return noted


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))


def _start_measuring() -> None:
    if sys.platform == "linux":
        # 5 sets the peak back to what is in use now; where a container forbids it, the peak of all files so far counts.
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            return


def _resting_bytes() -> int:
    """Return what is in use now, 0 where that is not told."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return 1024 * int(status.read_text(encoding="ascii").partition("VmRSS:")[2].split()[0])


def _peak_bytes() -> int | None:
    """Return the most memory that was in use; None on Windows, where nothing of the standard library tells."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    elif sys.platform == "darwin":  # noqa: RET505 - a type checker knows only this form
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    else:
        return None


if __name__ == "__main__":
    main()
