"""`tldesk import`: files become tickets, every row with one fate; and the way back."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.main import FAILED, PARTLY
from desktop.cli.output import clean, print_json, say, warn
from desktop.cli.session import Session, common_options, json_option
from desktop.domain.errors import DeskError
from desktop.domain.imports import Bundle, Finished, ImportOverrides, Progress, Recognized
from desktop.services.wording import describe_finished, describe_format, describe_header, describe_undo

if TYPE_CHECKING:
    from desktop.services.container import Desk

SILENT_SECONDS = 1.0
"""Work shorter than this needs no progress bar."""


@click.command("import")
@click.argument("paths", nargs=-1, metavar="PATH…", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--mapping",
    default="",
    metavar="NAME|FILE",
    help="Read it as this system, or by this mapping file, which is then remembered for that header.",
)
@click.option("--source", default="", metavar="NAME", help="The source that the tickets belong to.")
@click.option("--dry-run", is_flag=True, help="Only tell what would happen.")
@click.option("--undo", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Take an import back.")
@click.option("--history", is_flag=True, help="List the imports so far.")
@click.option("--changes", type=click.IntRange(1, 2**63 - 1), metavar="ID", help="Tell what an import changed.")
@json_option
@common_options
def import_command(
    session: Session,
    paths: tuple[Path, ...],
    mapping: str,
    source: str,
    dry_run: bool,
    undo: int | None,
    history: bool,
    changes: int | None,
    as_json: bool,
) -> int:
    """Import ticket exports. The same file twice changes nothing; rows that cannot be read are set aside with the reason."""
    asked = [name for name, is_given in (("undo", undo), ("history", history), ("changes", changes)) if is_given]
    if asked:
        if paths or len(asked) > 1:
            raise click.UsageError(f"--{asked[0]} takes no files and goes with no other question.")
        _look_back(session, undo=undo, changes=changes, as_json=as_json)
        return 0
    if not paths:
        raise click.UsageError("Name at least one file to import.")
    overrides = ImportOverrides(source=source)

    async def work(desk: Desk) -> tuple[list[Finished], list[tuple[Path, DeskError]]]:
        drop = await desk.joining.open(paths, overrides=overrides, mapping=mapping)
        failed = [(Path(file.path), file.error) for file in drop.failed]
        failed += [(Path(question.recognized.path), question) for question in drop.questions]
        for _, error in failed:
            warn(f"Error: {error}")
        done: list[Finished] = []
        for bundle in drop.bundles:
            done += await _import_bundle(desk, bundle, failed, dry_run=dry_run, is_quiet=as_json)
        # Who is told that it is done may search for all of it; what is cut off here is indexed at the next start.
        try:
            await desk.tickets.caught_up()
        except DeskError as error:
            # A disk that was full for the tickets is full for the index; once is enough.
            if not failed:
                warn(f"The tickets are imported, and not all of them can be searched yet. {error}")
        return done, failed

    done, failed = session.run(work)
    if as_json:
        print_json(_document(done, failed))
    if failed:
        return PARTLY if done else FAILED
    return PARTLY if any(finished.counts.rejected for finished in done) else 0


async def _import_bundle(
    desk: Desk, bundle: Bundle, failed: list[tuple[Path, DeskError]], *, dry_run: bool, is_quiet: bool
) -> list[Finished]:
    """Import the tables of a bundle one after the other; what cannot be read to its end is added to `failed`."""
    done: list[Finished] = []
    # A dry run writes nothing, so a ticket that two of its tables speak of would be counted as new twice.
    told: set[str] | None = set() if dry_run and len(bundle.tables) > 1 else None
    for note in bundle.notes:
        warn(note)
    for table in bundle.tables:
        try:
            done.append(await import_file(desk, table, dry_run=dry_run, told=told, is_quiet=is_quiet))
        except DeskError as error:
            failed.append((Path(table.path), error))
            warn(f"Error: {error}")
    return done


async def import_file(
    desk: Desk, recognized: Recognized, *, dry_run: bool = False, told: set[str] | None = None, is_quiet: bool = False
) -> Finished:
    """Import one recognized file and say what became of it; `is_quiet` leaves standard output to a JSON document.

    `told` are tickets that are counted already, of a dry run of several files.
    """
    name = Path(recognized.path).name
    if not is_quiet:
        _say_recognized(name, recognized)
    finished: Finished | None = None
    bar = _Bar(name)
    try:
        async with aclosing(desk.imports.run(recognized, dry_run=dry_run, told=told)) as events:
            async for event in events:
                if isinstance(event, Progress):
                    bar.show(event)
                elif isinstance(event, Finished):
                    finished = event
    except asyncio.CancelledError:
        # A dry run wrote nothing; what was not told of yet is another import.
        if not dry_run:
            await _say_stopped(desk)
        raise
    finally:
        bar.close()
    assert finished is not None
    for warning in dict.fromkeys([*recognized.warnings, *finished.warnings]):
        warn(f"{name}: {warning}")
    if not is_quiet:
        _say_finished(name, finished, dry_run=dry_run)
    return finished


async def _say_stopped(desk: Desk) -> None:
    record = await desk.imports.take_stopped()
    if record is not None:
        name = Path(record.path).name
        warn(f"The import of {name} was stopped. Take back what it wrote with: tldesk import --undo {record.id}")


class _Bar:
    """A progress bar on standard error, once the work has taken a second and a person is looking."""

    def __init__(self, name: str) -> None:
        self._name = clean(name)
        self._bar: Any = None

    def show(self, progress: Progress) -> None:
        if self._bar is None and progress.seconds >= SILENT_SECONDS and sys.stderr.isatty() and progress.fraction < 1.0:
            self._bar = click.progressbar(length=1000, label=f"Importing {self._name}", file=sys.stderr)
            self._bar.__enter__()
        if self._bar is not None:
            self._bar.update(round(progress.fraction * 1000) - self._bar.pos)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def _look_back(session: Session, *, undo: int | None, changes: int | None, as_json: bool) -> None:
    if undo is not None:
        _undo(session, undo, as_json=as_json)
        return
    from desktop.cli.history import show_changes, show_history

    if changes is not None:
        show_changes(session, changes, as_json=as_json)
    else:
        show_history(session, as_json=as_json)


def _undo(session: Session, import_id: int, *, as_json: bool) -> None:
    undone = session.run(lambda desk: desk.imports.undo(import_id))
    if as_json:
        print_json(asdict(undone))
    else:
        say(f"Import {import_id} is undone: {describe_undo(undone)}.")


def _document(done: list[Finished], failed: list[tuple[Path, DeskError]]) -> dict[str, Any]:
    ids = [finished.import_id for finished in done if finished.import_id]
    return {
        "files": [file_fields(finished) for finished in done],
        # Each file is an import of its own; with several, taking back the one named here would leave the others.
        "import_id": ids[0] if len(ids) == 1 else None,
        "errors": [{"path": str(path), "code": error.code, "error": str(error)} for path, error in failed],
    }


def file_fields(finished: Finished) -> dict[str, Any]:
    """Return what became of a file as JSON has it."""
    recognized = finished.recognized
    return {
        "path": finished.path,
        "format": recognized.format,
        "system": recognized.system,
        "source": recognized.source,
        "encoding": recognized.encoding,
        "delimiter": recognized.delimiter,
        **asdict(finished.counts),
        "rejects_path": finished.rejects_path or None,
        "import_id": finished.import_id or None,
        "warnings": list(dict.fromkeys([*recognized.warnings, *finished.warnings])),
        "seconds": round(finished.seconds, 3),
    }


def _say_recognized(name: str, recognized: Recognized) -> None:
    say(f"{name}: {recognized.system_title} ({recognized.reason})")
    header = describe_header(recognized)
    say(f"  {describe_format(recognized)}{f', header on {header}' if header else ''}", end="")
    say(f"; dates: {recognized.date_evidence}" if recognized.date_evidence else "")
    roles = [f"{column.name} → {column.role}" for column in recognized.columns if column.role]
    kept = sum(not column.role for column in recognized.columns)
    say(f"  {', '.join(roles)}{f'; {kept:,} more kept as fields' if kept else ''}")


def _say_finished(name: str, finished: Finished, *, dry_run: bool) -> None:
    said = describe_finished(finished)
    say(f"  Would be: {said}." if dry_run else f"  {said[:1].upper()}{said[1:]}.")
    if finished.rejects_path:
        say(f"  The rejected rows and the reasons: {finished.rejects_path}")
    if finished.import_id and finished.counts.rows_used:
        say(f"  Take it back with: tldesk import --undo {finished.import_id}")
