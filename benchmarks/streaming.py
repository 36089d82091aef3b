"""What does the card cost while a summary streams into it? Beside it: a plain-text tail that is fed by the same client in the same run.

A provider in a process of its own sends `--tokens` tokens (7500) at `--pace` a second (800), as a summary of many sentences with citations. Once the
real window, offscreen, with its services, its checks and its journal, shows it; once a bare window that inserts what has come into a
`QPlainTextEdit` every 40 ms, without Markdown, citations, checks or storage. Compared is the CPU time of the process, from the request to the end.
The event loop's gaps are those of `import_while_the_window_lives`, and beside them what Qt's thread itself worked in the longest of them: on a
machine that others use, the one is long when the other is not. Memory is what the process grew by in the second half of the stream. Not measured: a
display, and the provider.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from import_while_the_window_lives import Probe
from measured import REPOSITORY, Figure, arguments, report
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop.config.paths import find_paths
from desktop.domain.imports import Finished as ImportFinished
from desktop.domain.llm import ChatMessage, ChatRequest, StreamDelta
from desktop.domain.providers import ProviderProfile
from desktop.gui.app import make_application, make_window
from desktop.llm.openai_client import OpenAIClient
from desktop.services.container import open_desk

TAIL_MS = 40
SECTIONS = ("Gist", "Problem", "Tried so far", "Where it stands", "Next step", "Open questions", "Deadlines")
SERVER = """
import sys
from desktop.llm.scripted_server import DONE, Script, ScriptedServer, chunk, usage_chunk
text = open(sys.argv[1], encoding="utf-8").read()
pieces = [p for p in text.replace(" ", " \\0").replace("\\n", "\\n\\0").split("\\0") if p]
parts = (*(chunk(p) for p in pieces), chunk(finish="stop"), usage_chunk(900, len(pieces)), DONE)
with ScriptedServer(Script(parts, pause_seconds=1 / float(sys.argv[2]) - 0.0001)) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


@dataclass(slots=True)
class Cost:
    """What one way of showing the stream cost."""

    cpu_seconds: float = 0.0
    seconds: float = 0.0
    worst_ms: float = 0.0
    worked_ms: float = 0.0
    at_99_ms: float = 0.0
    first_ms: float = 0.0
    grown_mb: float = 0.0


class WorkProbe(Probe):
    """A probe that also knows how long Qt's thread worked between two turns, whatever the machine did besides."""

    def __init__(self) -> None:
        super().__init__()
        self.worked_ms = 0.0
        self._thread_last = time.thread_time()
        self._timer.timeout.connect(self._look)

    def _look(self) -> None:
        now = time.thread_time()
        self.worked_ms = max(self.worked_ms, (now - self._thread_last) * 1000)
        self._thread_last = now


class FirstPaint(QObject):
    """Notes when a widget that has text was painted for the first time."""

    def __init__(self, has_text: Callable[[QWidget], bool]) -> None:
        super().__init__()
        self._has_text = has_text
        self.at = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            not self.at
            and event.type() == QEvent.Type.Paint
            and isinstance(watched, QWidget)
            and self._has_text(watched)
        ):
            self.at = time.perf_counter()
        return False


class Tap:
    """Notes when the SDK's first text came, and what memory was at the half of the stream."""

    def __init__(self, tokens: int) -> None:
        self.first_at = 0.0
        self.half_mb = 0.0
        self._half = tokens // 2
        self._count = 0

    def note(self) -> None:
        """Count one delta."""
        self.first_at = self.first_at or time.perf_counter()
        self._count += 1
        if self._count == self._half:
            self.half_mb = resident_mb()


def resident_mb() -> float:
    """Return this process's resident memory; 0 where the system does not tell it in /proc."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def make_summary(tokens: int) -> str:
    """Return a summary of that many words: sentences of the ticket, each with its citation, a few changed so that they are doubtful."""
    per_section = tokens // len(SECTIONS)
    lines, number = [], 0
    for section in SECTIONS:
        words = [f"{section}:"]
        while len(words) < per_section:
            number += 1
            sentence = ticket_sentence(number % 40 or 40)
            said = f"As noted in point {number}, {sentence[:1].lower()}{sentence[1:-1]}"
            words += (said.replace("export", "import") if number % 9 == 0 else said).split()
            words[-1] += "."
            words.append(f"[m1.{number % 40 or 40}]")
        lines.append(" ".join(words))
    return "\n".join(lines)


def ticket_sentence(number: int) -> str:
    """Return one sentence of the ticket."""
    return f"The export of invoice INV-{1000 + number} failed {number} times on our server with error {400 + number} and the customer waits for it."


@contextmanager
def serving(text: str, folder: Path, pace: float) -> Iterator[str]:
    """Play the summary in another process, so that its cost is in no figure; yield the address."""
    path = folder / "summary.txt"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", SERVER, str(path), str(pace)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


async def _wait_until(condition: Callable[[], object]) -> None:
    # As in `import_while_the_window_lives`: twenty looks a second do not disturb what is measured.
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def measured_run(run: Callable[[], Awaitable[object]], paint: FirstPaint, tap: Tap) -> Cost:
    """Run once to the end and return what it cost."""
    probe, began, cpu = WorkProbe(), time.perf_counter(), time.process_time()
    await run()
    cost = Cost(time.process_time() - cpu, time.perf_counter() - began)
    cost.worst_ms, cost.at_99_ms = probe.stop()
    cost.worked_ms = probe.worked_ms
    cost.first_ms = (paint.at - tap.first_at) * 1000
    cost.grown_mb = resident_mb() - tap.half_mb
    return cost


async def measure_window(folder: Path, base_url: str, tokens: int) -> Cost:
    """Show the stream in the real window."""
    paths = find_paths(folder / "data")
    csv_path = folder / "ticket.csv"
    body = " ".join(ticket_sentence(number) for number in range(1, 41))
    csv_path.write_text(f'id,subject,description,status\n1,Exports fail,"{body}",open\n', encoding="utf-8")
    desk = await open_desk(paths)
    desk.settings.set("auto_summarize", "never")
    recognized = await desk.imports.recognize(csv_path)
    assert [event async for event in desk.imports.run(recognized) if isinstance(event, ImportFinished)]
    desk.providers.save(ProviderProfile("bench", "custom", base_url, model="scripted"), make_default=True)
    window = make_window(make_application(paths.resources), paths.resources)
    window.show()
    window.attach(desk)
    card = window.ticket.card
    await _wait_until(lambda: window.ticket.ticket_id)
    endpoint = await desk.resolve()
    await endpoint.client.list_models()
    tap = Tap(tokens)
    listen(endpoint.client, tap)
    paint = FirstPaint(lambda _: card.is_running and bool(card.shown_text()))
    card.body.gist.viewport().installEventFilter(paint)

    async def run() -> None:
        window.ticket.summarize(again=True)
        await _wait_until(lambda: card.is_running)
        await _wait_until(lambda: not card.is_running)

    cost = await measured_run(run, paint, tap)
    shown = len(card.body.claims)
    if shown < tokens // 40:
        raise SystemExit(f"only {shown} claims were shown: what was measured is not the stream")
    await window.shut_down()
    window.close()
    await desk.close()
    return cost


def listen(client: OpenAIClient, tap: Tap) -> None:
    """Have the tap note each delta as it leaves the client."""
    stream = client.stream

    async def noted(request: ChatRequest, **how: Any) -> AsyncIterator[object]:
        async for event in stream(request, **how):
            if isinstance(event, StreamDelta):
                tap.note()
            yield event

    client.stream = noted  # type: ignore[method-assign,assignment]


async def measure_tail(base_url: str, tokens: int) -> Cost:
    """Show the stream in a bare plain-text view."""
    view = QPlainTextEdit(readOnly=True)
    view.resize(1440, 900)
    view.show()
    client = OpenAIClient(base_url=base_url, key="")
    await client.list_models()
    tap = Tap(tokens)
    buffer: list[str] = []
    paint = FirstPaint(lambda _: bool(view.toPlainText()))
    view.viewport().installEventFilter(paint)

    def insert() -> None:
        if buffer:
            view.moveCursor(QTextCursor.MoveOperation.End)
            view.insertPlainText("".join(buffer))
            buffer.clear()
            view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())

    async def run() -> None:
        timer = view.startTimer(TAIL_MS, Qt.TimerType.PreciseTimer)
        view.timerEvent = lambda _: insert()  # type: ignore[method-assign]
        request = ChatRequest("scripted", (ChatMessage("user", "Summarize."),), max_tokens=10_000, temperature=0)
        async for event in client.stream(request):
            if isinstance(event, StreamDelta):
                tap.note()
                buffer.append(event.text)
        insert()
        view.killTimer(timer)

    cost = await measured_run(run, paint, tap)
    await client.aclose()
    view.close()
    return cost


def figures_of(ours: Cost, peer: Cost) -> list[Figure]:
    """Put the two beside each other, and what has an aim of its own beside the aim."""
    tail = "plain-text tail"
    return [
        Figure("CPU of the stream", "s", ours.cpu_seconds, tail, peer.cpu_seconds, most=1.6),
        Figure("longest gap of the event loop", "ms", ours.worst_ms, "the aim", 50.0, most=1.0),
        Figure("longest gap of the event loop", "ms", ours.worst_ms, tail, peer.worst_ms),
        Figure("longest work between two turns", "ms", ours.worked_ms, tail, peer.worked_ms),
        Figure("99th percentile of the gaps", "ms", ours.at_99_ms, "the aim", 16.0, most=1.0),
        Figure("99th percentile of the gaps", "ms", ours.at_99_ms, tail, peer.at_99_ms),
        Figure("first delta to first painted letter", "ms", ours.first_ms, "the aim", 50.0, most=1.0),
        Figure("first delta to first painted letter", "ms", ours.first_ms, tail, peer.first_ms),
        Figure("memory grown in the second half", "MB", ours.grown_mb, tail, peer.grown_mb),
        Figure("duration", "s", ours.seconds, tail, peer.seconds),
    ]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--tokens", type=int, default=7_500, help="how many tokens the summary has (7500)")
    parser.add_argument("--pace", type=float, default=800.0, help="tokens a second (800)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tldesk-bench-") as name:
        folder = Path(name)
        text = make_summary(options.tokens)
        app = make_application(find_paths().resources)
        with (
            serving(text, folder, options.pace) as url,
            asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner,
        ):
            peer = runner.run(measure_tail(url, options.tokens))
            ours = runner.run(measure_window(folder, url, options.tokens))
    report(figures_of(ours, peer), as_json=options.json)


if __name__ == "__main__":
    main()
