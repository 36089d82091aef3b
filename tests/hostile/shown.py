"""A program of its own for the hostile tests: the real services and the real window, shown case after case, watched from inside.

    python tests/hostile/shown.py CASES.json

It imports the bodies as tickets, has a scripted model answer each as the case says, opens each ticket in the window, copies it in every format,
and exports them all. It prints as JSON what was seen that is no text, every connection, file and process that Python was asked for, and every
address that was handed to the system to open.
Files and connections of Qt's own are seen from outside only (strace), after the call that marks the beginning.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))
BEGIN, END = "/tldesk-hostile-begins", "/tldesk-hostile-ends"
"""Names of no files: asking for them is a system call that the trace shows."""
_WATCHED = (
    "socket.connect",
    "socket.sendto",
    "subprocess.Popen",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "webbrowser.open",
    "open",
)
_ASKED_ABOUT = ("http://", "https://", "mailto:")
_OWN_LINKS = ("cite:", "unfold:", "fold:", "claim:", "message:")


def bring_loopback_up() -> None:
    """Switch the loopback interface on, which is off in a network of its own; without the right to it nothing happens."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, up and running
        except OSError:
            return


class Watch:
    """Notes what Python is asked to do while it is on."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, name: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and name in _WATCHED:
            self.seen.append(
                f"{name} {arguments[0] if name == 'open' else arguments[-1] if 'socket' in name else arguments}"
            )


def what_is_no_text(window: Any) -> Iterator[str]:
    """Yield everything in a window that came of a text and is more than text: pictures, labels with markup, links to anywhere."""
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QLabel, QTextEdit, QWidget

    for widget in window.findChildren(QWidget):
        yield from _markup_of_tip(widget.toolTip())
    for label in window.findChildren(QLabel):
        if label.textFormat() is not Qt.TextFormat.PlainText and "<" in label.text():
            yield f"label with markup: {label.text()[:80]}"
    for view in window.findChildren(QTextEdit):
        block = view.document().begin()
        while block.isValid():
            iterator = block.begin()
            while not iterator.atEnd():
                look = iterator.fragment().charFormat()
                if look.isImageFormat():
                    yield f"picture: {look.toImageFormat().name()}"
                yield from _markup_of_tip(look.toolTip())
                href = look.anchorHref()
                # An address is a link to itself alone, and only of the three kinds that are asked about before they open.
                is_itself = href == iterator.fragment().text() and href.lower().startswith(_ASKED_ABOUT)
                if href and not href.startswith(_OWN_LINKS) and not is_itself:
                    yield f"link: {href}"
                iterator += 1
            block = block.next()


def _markup_of_tip(tip: str) -> Iterator[str]:
    """Yield a tool tip that would be shown as more than its text; Qt takes what looks like markup for it."""
    if re.search(r"<(?!/?(?:qt|p|span|b|br)\b)", tip):
        yield f"tool tip with markup: {tip[:80]}"


def words_of(window: Any) -> str:
    """Return all that can be read in a window."""
    from PySide6.QtWidgets import QLabel, QTextEdit

    texts = [label.text() for label in window.findChildren(QLabel)]
    return "\n".join([*texts, *(view.toPlainText() for view in window.findChildren(QTextEdit))])


async def show_all(cases: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """Show all cases in the window and return what was seen."""
    from PySide6.QtGui import QDesktopServices

    from desktop.llm.scripted_server import ScriptedServer, good_stream
    from tests.gui.real_window import opened_window, until
    from tests.services.conftest import import_path

    folder = Path(cases["folder"])
    table = folder / "tickets.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ticket_id", "subject", "description", "status", "requester", "created_at"])
        for case in cases["cases"]:
            writer.writerow([case["id"], case["subject"], case["body"], "open", case["author"], "2026-03-02T09:00:00Z"])
    strange: list[str] = []
    opener = make_opener()
    for scheme in ("http", "https", "file", "javascript", "data", "mailto", ""):
        QDesktopServices.setUrlHandler(scheme, opener, "open")  # type: ignore[arg-type]  # its stub asks for bytes, which it refuses
    with ScriptedServer(good_stream("Gist: nothing. [m1.1]\n")) as server:
        async with opened_window(folder / "data", provider=server.base_url, sample=False) as (window, desk):
            desk.settings.set("auto_summarize", "never")
            await import_path(desk, table)
            ticket = window.ticket
            for number, case in enumerate(cases["cases"]):
                server.play(good_stream(case["answer"]))
                reference = await desk.tickets.find(f"tickets:{case['id']}")
                ticket.show_ticket(reference)
                await until(partial(_is_shown, ticket, reference), f"ticket {case['id']}")
                await until(lambda: not ticket.jobs.is_busy, "its end")
                ticket.summarize(again=True)
                await until(lambda: not ticket.jobs.is_busy, "the summary")
                window.grab()
                strange += [f"{case['name']}: {each}" for each in what_is_no_text(window)]
                shown = words_of(window)
                strange += [f"{case['name']}: {part!r} is not shown" for part in case["shown"] if part not in shown]
                strange += [f"{case['name']}: {each}" for each in copy_all(ticket)]
                if number == 0:
                    # All that is loaded once is loaded; from here on nothing may be.
                    await export_all(desk, folder, strange)
                    os.access(BEGIN, os.F_OK)
                    watch.is_on = True
            await export_all(desk, folder, strange)
            watch.is_on = False
            os.access(END, os.F_OK)
            address = server.base_url.removeprefix("http://").split("/")[0]
    return {
        "strange": strange,
        "asked": watch.seen,
        "opened": opener.addresses,
        "server": address,
        "cases": len(cases["cases"]),
    }


def _is_shown(ticket: Any, reference: int) -> bool:
    return bool(ticket.ticket_id == reference)


def copy_all(ticket: Any) -> Iterator[str]:
    """Copy a ticket in every way and yield what of the copy is more than text."""
    from PySide6.QtWidgets import QApplication

    from desktop.services.rendering import CopyFormat, CopyItem, CopyOptions, render_summaries

    for how in ("copied", "everything", "markdown"):
        ticket.copy(how)
        html = QApplication.clipboard().mimeData().html()
        yield from (f"copy with {tag}" for tag in re.findall(r"<(?!/?(?:p|strong|em|br|hr)>)[^>]*>", html))
    item = CopyItem(ticket._thread.ticket.title, ticket._summary, ticket._highlights, ticket._thread.messages)
    for wanted in CopyFormat:
        for everything in (False, True):
            copied = render_summaries([item], options=CopyOptions(wanted, with_citations=True, include_all=everything))
            yield from (
                f"{wanted} copy with {c!r}"
                for c in re.findall(
                    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", copied.text + copied.html
                )
            )
            yield from (f"copy with {tag}" for tag in re.findall(r"<(?!/?(?:p|strong|em|br|hr)>)[^>]*>", copied.html))
            if wanted is CopyFormat.SLACK:
                yield from (f"Slack copy with {c}" for c in re.findall("[<>]", copied.text))


async def export_all(desk: Any, folder: Path, strange: list[str]) -> None:
    """Export everything in every format, and note what of the page is more than text."""
    from desktop.domain.tickets import TicketQuery
    from desktop.services.export import ExportFormat

    ids = (await desk.tickets.ids(TicketQuery())).tolist()
    for wanted in ExportFormat:
        path = folder / f"export.{wanted.value}"
        async with aclosing(desk.export.export(ids, wanted, path, replace_existing=True)) as events:
            async for _ in events:
                pass
    page = await asyncio.to_thread((folder / "export.html").read_text, encoding="utf-8")
    known = "html|head|meta|title|style|body|h1|h2|h3|article|section|p|pre|br|strong|span|details|summary|dl|dt|dd|!DOCTYPE"
    strange += [f"export with {tag}" for tag in re.findall(rf"<(?!/?(?:{known})\b)[^>]*>", page)]
    strange += [
        f"export with {word}" for word in re.findall(r"<[^>]*\b(?:src|href|on\w+|background|action)=[^>]*>", page)
    ]


def make_opener() -> Any:
    """Return what is called in place of the system's browser; its `addresses` are those that should have been opened."""
    from PySide6.QtCore import QObject, QUrl, Slot

    class Opener(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.addresses: list[str] = []

        @Slot(QUrl)
        def open(self, url: QUrl) -> None:
            self.addresses.append(url.toString())

    return Opener()


def main() -> None:
    if sys.platform == "linux":
        bring_loopback_up()
    watch = Watch()
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    from qasync import QEventLoop

    from desktop.config.paths import find_paths
    from desktop.gui.app import make_application

    app = make_application(find_paths(Path(cases["folder"]) / "data").resources)
    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        seen = runner.run(show_all(cases, watch))
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
