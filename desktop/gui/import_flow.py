"""The import as the window leads it: recognize → show → import in the background → say what became of it, with an *Undo*."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished, ImportOverrides, MappingNeeded, Progress, Recognized, Reject, Rejected
from desktop.gui.bars import StatusBar
from desktop.gui.import_panel import ImportPanel
from desktop.gui.jobs import JobScope
from desktop.gui.notices import Action, NoticeBar
from desktop.services.wording import describe_import, describe_undo

if TYPE_CHECKING:
    from desktop.services.container import Desk

SHOWN_REJECTS = 3
"""Before the import; all of them can be looked at after it."""
RELOAD_MS = 250
"""The list is read again at most four times a second while tickets arrive."""


class ImportFlow(QObject):
    """Leads files through the import panel, one at a time."""

    panel_wanted = Signal()
    done_with_panel = Signal()
    tickets_changed = Signal()
    imported = Signal()
    changes_wanted = Signal(int)
    rejects_wanted = Signal(int)
    """The import whose changes, or whose rejected rows, are to be shown."""

    def __init__(self, panel: ImportPanel, status: StatusBar, notice: NoticeBar) -> None:
        super().__init__()
        self._panel, self._status, self._notice = panel, status, notice
        self._desk: Desk | None = None
        self._waiting: deque[Path] = deque()
        self._failed: list[DeskError] = []
        self._recognized: Recognized | None = None
        self._is_open = False
        self._is_closing = False
        self._overrides = ImportOverrides()
        self.jobs = JobScope(self._on_error)
        self._running = JobScope(self._on_error)
        self._turn = asyncio.Lock()
        self._undoing = JobScope(self._on_error)
        self._reload = QTimer(self, singleShot=True, interval=RELOAD_MS)
        self._reload.timeout.connect(self.tickets_changed)
        panel.import_requested.connect(self._on_import)
        panel.cancelled.connect(self._on_cancelled)
        panel.corrected.connect(self._on_corrected)
        panel.mapping.load_chosen.connect(self._on_mapping_chosen)
        panel.mapping.save_chosen.connect(self._on_mapping_wanted)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk

    def open_files(self, paths: list[Path]) -> None:
        """Recognize files; the first is shown now, the others when it is done."""
        self._waiting.extend(paths)
        if not self._is_open and not self._running.is_busy:
            self._failed = []
            self._next()

    def cancel(self) -> None:
        """Stop the import that is running; the tickets that were finished stay."""
        self._running.cancel()

    async def close(self) -> None:
        """End everything that runs."""
        self._is_closing = True
        for scope in (self._running, self.jobs, self._undoing):
            await scope.close()

    def _next(self) -> None:
        """Go on to the next file; the panel is closed when there is none."""
        self._recognized = None
        self._is_open = bool(self._waiting)
        if not self._waiting:
            self.done_with_panel.emit()
            return
        self._overrides = ImportOverrides()
        self.jobs.restart(self._recognize(self._waiting.popleft()))

    async def _recognize(self, path: Path) -> None:
        assert self._desk is not None
        try:
            tables = await self._desk.imports.expand(path)
            if tables != (path,):
                # An archive: each table in it is a file of its own.
                self._waiting.extendleft(reversed(tables))
                self._next()
                return
            self._recognized = await self._desk.imports.recognize(path, overrides=self._overrides)
            self._overrides = self._recognized.overrides
        except MappingNeeded as needed:
            # What it takes is a click on the right column, so the panel is shown with all but its button.
            self._recognized = needed.recognized
            self._panel.show_recognized(needed.recognized, self._overrides)
            self._panel.show_obstacle(needed)
            self.panel_wanted.emit()
            return
        except DeskError as error:
            if self._recognized is not None:
                self._panel.show_obstacle(error)
                return
            self._failed.append(error)
            self._show_failed()
            self._next()
            return
        self._panel.show_recognized(self._recognized, self._overrides)
        self.panel_wanted.emit()
        await self._count(self._recognized)

    def _show_failed(self) -> None:
        """Say of every file what was wrong with it, not only of the last."""
        self._notice.show_notice(" ".join(str(error) for error in self._failed), tone="error")

    async def _count(self, recognized: Recognized) -> None:
        """Run through the whole file without writing, to say what it will change."""
        assert self._desk is not None
        async with aclosing(self._desk.imports.run(recognized, dry_run=True)) as events:
            rejects: list[Reject] = []
            async for event in events:
                if isinstance(event, Rejected):
                    rejects += event.rejects[: SHOWN_REJECTS - len(rejects)]
                elif isinstance(event, Finished) and recognized is self._recognized:
                    self._panel.show_counts(event.counts, rejects)

    def _on_corrected(self, overrides: ImportOverrides) -> None:
        if self._recognized is not None:
            self._overrides = overrides
            self.jobs.restart(self._recognize(Path(self._recognized.path)))

    def _on_mapping_chosen(self, file: Path) -> None:
        if self._recognized is not None:
            self.jobs.restart(self._load_mapping(file, self._recognized))

    async def _load_mapping(self, file: Path, recognized: Recognized) -> None:
        """Read the file that is shown by a mapping file; where that cannot be, all stays as it is shown."""
        assert self._desk is not None
        try:
            recognized = await self._desk.mappings.load(file, recognized)
        except DeskError as error:
            self._on_error(error)
            if not recognized.preview:
                return  # it could not be imported before either, and the panel says why
        self._recognized, self._overrides = recognized, recognized.overrides
        self._panel.show_recognized(recognized, self._overrides)
        await self._count(recognized)

    def _on_mapping_wanted(self, file: Path) -> None:
        if self._recognized is not None:
            self.jobs.start(self._save_mapping(file, self._recognized))

    async def _save_mapping(self, file: Path, recognized: Recognized) -> None:
        assert self._desk is not None
        written = await self._desk.mappings.save(recognized, file)
        self._notice.show_notice(f"The mapping is saved as {written}.")

    def _on_import(self) -> None:
        recognized, self._recognized = self._recognized, None
        if recognized is not None:
            self.jobs.cancel()
            self._is_open = False
            self.done_with_panel.emit()
            self._running.start(self._import(recognized))

    def _on_cancelled(self) -> None:
        self.jobs.cancel()
        self._next()

    async def _import(self, recognized: Recognized) -> None:
        name = Path(recognized.path).name
        done: Finished | None = None
        try:
            done = await self.run(recognized)
        finally:
            if done is None:
                await self.show_stopped(name)
            else:
                self._show_finished(name, done)
            if self._waiting:
                self._next()

    async def run(self, recognized: Recognized) -> Finished:
        """Import a file after the one that is running, showing how far it is.

        Raises:
            DeskError: as `ImportService.run`.
        """
        assert self._desk is not None
        name = Path(recognized.path).name
        done: Finished | None = None
        async with self._turn:
            self._status.show_progress(f"Importing {name}", 0.0)
            try:
                async with aclosing(self._desk.imports.run(recognized)) as events:
                    async for event in events:
                        if isinstance(event, Progress):
                            self._show_progress(name, event)
                        elif isinstance(event, Finished):
                            done = event
            finally:
                self._status.hide_progress()
                self.tickets_changed.emit()
                if done is not None:
                    self.imported.emit()
        assert done is not None
        return done

    async def idle(self) -> None:
        """Wait until nothing is being imported."""
        async with self._turn:
            pass

    async def show_stopped(self, name: str) -> None:
        """Say that an import was cut short, and offer to take back what it wrote."""
        if not self._is_closing and not await self.tell_stopped():
            self._notice.show_notice(f"The import of {name} was stopped before it wrote anything.", tone="warning")

    async def tell_stopped(self) -> bool:
        """Say of an import that was cut short, now or when TLDesk was closed, that it was, and offer to take it back; tell whether there was one."""
        assert self._desk is not None
        record = await self._desk.imports.take_stopped()
        if record is not None:
            words = f"The import of {Path(record.path).name} was stopped. The tickets that were finished are here."
            undo = ("Undo", partial(self.undo, record.id))
            self._notice.show_notice(words, tone="warning", actions=[undo])
        return record is not None

    def _show_progress(self, name: str, progress: Progress) -> None:
        rows = progress.counts.rows
        rate = rows / progress.seconds if progress.seconds else 0.0
        self._status.show_progress(f"Importing {name}: {rows:,} rows, {rate:,.0f} a second", progress.fraction)
        if not self._reload.isActive():
            self._reload.start()

    def _show_finished(self, name: str, done: Finished) -> None:
        text = f"{name}: {describe_import(done.counts)}."
        if done.warnings:
            text = " ".join([text, *done.warnings])
        is_clean = not done.counts.rejected and not done.warnings
        actions: list[Action] = []
        if done.import_id and done.counts.rejected:
            actions.append(("Show the rejected rows", partial(self.rejects_wanted.emit, done.import_id)))
        if done.import_id:
            actions.append(("What changed", partial(self.changes_wanted.emit, done.import_id)))
        if done.import_id and (done.counts.tickets_new or done.counts.tickets_updated):
            actions.append(("Undo", partial(self.undo, done.import_id)))
        tone = "error" if not done.counts.adds_up else "info" if is_clean else "warning"
        self._notice.show_notice(text, tone=tone, actions=actions)

    def undo(self, import_id: int) -> None:
        """Take an import back, and say what that did."""
        self._undoing.start(self._undo(import_id))

    async def _undo(self, import_id: int) -> None:
        assert self._desk is not None
        undone = await self._desk.imports.undo(import_id)
        self.tickets_changed.emit()
        self.imported.emit()
        self._notice.show_notice(f"The import was undone: {describe_undo(undone)}.")

    def _on_error(self, error: DeskError) -> None:
        self._notice.show_error(error)
