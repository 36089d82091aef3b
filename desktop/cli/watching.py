"""`tldesk watch`: a folder's new exports are imported as they arrive, until it is interrupted."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desktop.cli.imports import file_fields, import_file
from desktop.cli.main import FAILED
from desktop.cli.output import print_json_line, say, warn
from desktop.cli.session import Session, common_options
from desktop.domain.imports import Finished, Recognized
from desktop.domain.watching import FilesFound, FolderLost, FolderReached, FoundFile
from desktop.services.wording import describe_finished

if TYPE_CHECKING:
    from desktop.services.container import Desk


@click.command("watch")
@click.argument("folder", type=click.Path(path_type=Path, readable=False))
@click.option("--jsonl", "as_jsonl", is_flag=True, help="Print a JSON document on one line for each table.")
@common_options
def watch_command(session: Session, folder: Path, as_jsonl: bool) -> int:
    """Import what arrives in FOLDER, until Ctrl+C. Files that were handled before are left alone, and none is moved or changed.

    An export is imported when its columns are known: those of a known system, or of a table that was imported before. Any other is named, to be
    imported once with `tldesk import` or in the window.
    """
    if not folder.is_dir():
        warn(f"Error: {folder} is no folder that can be watched. Check its path.")
        return FAILED

    async def work(desk: Desk) -> None:
        async with aclosing(desk.watching.watch(folder)) as events:
            async for event in events:
                match event:
                    case FolderReached(name):
                        warn(f"Watching {name}. Stop with Ctrl+C.")
                    case FolderLost(name, reason):
                        warn(f"{name} cannot be reached ({reason}); waiting until it is back.")
                    case FilesFound(files):
                        for found in files:
                            await _take(desk, found, as_jsonl=as_jsonl)

    session.run(work)
    return 0


async def _take(desk: Desk, found: FoundFile, *, as_jsonl: bool) -> None:
    """Import what a file holds, and print a line for each table in it."""

    async def run(recognized: Recognized) -> Finished:
        finished = await import_file(desk, recognized, is_quiet=True)
        if as_jsonl:
            state = "imported" if finished.import_id else "unchanged"
            print_json_line({"state": state, **file_fields(finished)})
        else:
            undo = f" Take it back with: tldesk import --undo {finished.import_id}" if finished.import_id else ""
            say(f"{Path(recognized.path).name}: {describe_finished(finished)}.{undo}")
        return finished

    taken = await desk.watching.take(found, run)
    for path in taken.questions:
        words = "TLDesk does not know its columns; import it once and say what they are"
        _tell(path, "question", words, "mapping-needed", as_jsonl=as_jsonl)
    for refusal in taken.refused:
        _tell(found.path, "refused", str(refusal), refusal.code, as_jsonl=as_jsonl)


def _tell(path: str, state: str, words: str, code: str, *, as_jsonl: bool) -> None:
    if as_jsonl:
        line: dict[str, Any] = {"state": state, "path": path, "code": code, "error": words}
        print_json_line(line)
    elif state == "question":
        say(f"{Path(path).name}: {words}: tldesk import “{path}”")
    else:
        say(f"{Path(path).name}: {words}")
