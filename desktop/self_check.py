"""Self-check: does this build of the program work at all? What `make bundle` runs on the finished bundle.

It imports the sample, summarizes a ticket through the real client against a scripted server on loopback, reads the keyring's state and renders the
window offscreen, in a folder of its own that is removed afterwards. It needs no network and no display and touches nothing of the user's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.cli import COMMANDS
from desktop.config.paths import Paths, find_paths
from desktop.domain.errors import DeskError

if TYPE_CHECKING:
    from desktop.services.container import Desk

SUMMARY = (
    "Gist: Written by a scripted server.\n"
    "Problem: The customer wrote to support. [m1.1]\n"
    "Next step: Not in the ticket\n"
)


def run_self_check() -> int:
    """Run all checks, print one line each, and return 0 when all passed, else 1."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory(prefix="tldesk-self-check-", ignore_cleanup_errors=True) as folder:
        paths = find_paths(Path(folder) / "data")
        passed = [_say(name, asyncio.run(_try(check, paths))) for name, check in _CHECKS]
        passed.append(_say("window", _render_window(paths)))
    return 0 if all(passed) else 1


def _say(name: str, result: tuple[bool, str]) -> bool:
    is_ok, detail = result
    sys.stdout.write(f"{'ok  ' if is_ok else 'FAIL'} {name}: {detail}\n")
    sys.stdout.flush()
    return is_ok


async def _try(check: Callable[[Desk], Awaitable[str]], paths: Paths) -> tuple[bool, str]:
    from desktop.services.container import open_desk

    try:
        desk = await open_desk(paths)
        try:
            return True, await check(desk)
        finally:
            await desk.close()
    except DeskError as error:
        return False, str(error)
    except Exception as error:  # noqa: BLE001 - a check that breaks is a failed check, whatever broke
        return False, f"{type(error).__name__}: {error}"


async def _import_sample(desk: Desk) -> str:
    from desktop.domain.imports import Finished

    recognized = await desk.imports.recognize(desk.paths.sample)
    async with aclosing(desk.imports.run(recognized)) as events:
        counts = [event.counts async for event in events if isinstance(event, Finished)][-1]
    if not counts.tickets_new or not counts.adds_up:
        raise DeskError("self-check", f"The sample gave {counts.tickets_new} tickets of {counts.rows} rows.")
    return f"{counts.tickets_new} tickets, {counts.messages} messages from the sample"


async def _tell_languages(desk: Desk) -> str:
    await desk.languages.caught_up()
    told = (await desk.tickets.counts()).by_language
    if desk.languages.is_available and not {"en", "de", "ja"} <= told.keys():
        raise DeskError("self-check", f"The sample's languages were not told: {', '.join(told) or 'none'}.")
    return f"{len(told)} told in the sample" if told else "no detector for this platform"


async def _watch_folder(desk: Desk) -> str:
    from desktop.domain.watching import FilesFound

    folder = desk.paths.data_dir / "watched"
    await asyncio.to_thread(folder.mkdir)
    async with aclosing(desk.watching.watch(folder, settle_seconds=0.1)) as events:
        await anext(events)
        # Found by a notice of the system or, at the latest, when the folder is next looked at.
        await asyncio.to_thread(shutil.copy, desk.paths.sample, folder)
        async for event in events:
            if isinstance(event, FilesFound):
                return f"{Path(event.files[0].path).name} was noticed in a folder"
    raise DeskError("self-check", "Watching the folder ended by itself.")


async def _summarize(desk: Desk) -> str:
    from desktop.domain.providers import ProviderProfile
    from desktop.domain.runs import Finished, RunState
    from desktop.domain.tickets import TicketQuery
    from desktop.llm.scripted_server import ScriptedServer, good_stream

    with ScriptedServer(good_stream(SUMMARY)) as server:
        desk.providers.save(ProviderProfile("scripted", "custom", server.base_url, model="scripted"))
        ticket_id = (await desk.tickets.ids(TicketQuery()))[0]
        async with aclosing(desk.summaries.stream(ticket_id, provider="scripted")) as events:
            summary = [event.summary async for event in events if isinstance(event, Finished)][-1]
    if summary.state is not RunState.COMPLETE or not summary.claims:
        raise DeskError("self-check", f"The summary ended as {summary.state.value}: {summary.reason}")
    return f"{len(summary.claims)} claims streamed and checked through the real client"


async def _tell_operations(desk: Desk) -> str:
    from desktop import __version__
    from desktop.services.otlp import encode

    entries = await desk.operations.ledger()
    calls = (await desk.operations.stats()).total.calls
    spans = encode(entries, secret=desk.secret, version=__version__)
    if not calls or not spans:
        raise DeskError("self-check", f"The ledger has {calls} calls, and their spans are {len(spans)} bytes.")
    return f"{calls} calls, told in {len(spans)} bytes of spans"


async def _load_commands(_: Desk) -> str:
    """Load each command's module: they are found by their names, so a build may lack one and not notice."""
    for module in sorted(set(COMMANDS.values())):
        import_module(f"desktop.cli.{module}")
    return f"{len(COMMANDS)} are there"


async def _read_keyring(desk: Desk) -> str:
    check = next(c for c in await desk.doctor.examine() if c.name == "keyring")
    # A build machine may have no keyring; that the state can be told is what is checked.
    return check.detail


async def _find_model(desk: Desk) -> str:
    from desktop.domain.providers import BUILT_IN
    from desktop.domain.runs import Finished
    from desktop.domain.tickets import TicketQuery

    ticket_id = (await desk.tickets.ids(TicketQuery()))[0]
    async with aclosing(desk.summaries.stream(ticket_id, provider=BUILT_IN)) as events:
        summary = [event.summary async for event in events if isinstance(event, Finished)][-1]
    if not summary.text:
        raise DeskError("self-check", f"The built-in model did not answer: {summary.reason}")
    return f"{len(summary.text)} characters written by {summary.model}"


def _render_window(paths: Paths) -> tuple[bool, str]:
    from desktop.gui.app import make_application, make_window

    app = make_application(paths.resources)
    window = make_window(app, paths.resources)
    window.show()
    picture = window.grab().toImage()
    colors = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 16) for y in range(0, picture.height(), 16)
    }
    # What draws the plots is loaded by no import that a build tool sees at the window's start.
    from desktop.gui.operations_plots import PlotCard
    from desktop.gui.theme.style import Theme

    plot = PlotCard(Theme(app, paths.resources))
    plot.grab()
    plot.deleteLater()
    window.close()
    if len(colors) < 3:
        return False, f"the window came out blank ({picture.width()} × {picture.height()})"
    return True, f"{picture.width()} × {picture.height()} rendered offscreen"


_CHECKS: tuple[tuple[str, Callable[[Desk], Awaitable[str]]], ...] = (
    ("import", _import_sample),
    ("languages", _tell_languages),
    ("watching", _watch_folder),
    ("summary", _summarize),
    ("operations", _tell_operations),
    ("commands", _load_commands),
    ("keyring", _read_keyring),
    ("built-in model", _find_model),
)
