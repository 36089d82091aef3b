"""The import as the window leads it: recognize → show → import in the background → say what became of it, with an *Undo*."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.domain.errors import DeskError
from desktop.domain.imports import (
    Bundle,
    Finished,
    ImportCounts,
    ImportOverrides,
    MappingNeeded,
    Progress,
    Recognized,
    Reject,
    Rejected,
    total,
)
from desktop.gui.bars import StatusBar
from desktop.gui.import_panel import ImportPanel
from desktop.gui.jobs import JobScope
from desktop.gui.notices import Action, NoticeBar
from desktop.services.wording import describe_finished, describe_progress, describe_undo

if TYPE_CHECKING:
    from desktop.services.container import Desk

SHOWN_REJECTS = 3
"""Before the import; all of them can be looked at after it."""
RELOAD_MS = 250
"""The list is read again at most four times a second while tickets arrive."""


class ImportFlow(QObject):
    """Leads files through the import panel, one bundle at a time."""

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
        self._steps: deque[Bundle | MappingNeeded] = deque()
        self._bundle: Bundle | None = None
        self._is_open = False
        self._is_closing = False
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
        """Look at files, and show what belongs together in the panel, one bundle after the other."""
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
        """Go on to the next bundle, or to the files that were dropped meanwhile; the panel is closed when there are none."""
        self._bundle = None
        self._is_open = bool(self._steps or self._waiting)
        if self._steps:
            self.jobs.restart(self._show(self._steps.popleft()))
        elif self._waiting:
            paths = list(self._waiting)
            self._waiting.clear()
            self.jobs.restart(self._look(paths))
        else:
            self.done_with_panel.emit()

    async def _look(self, paths: list[Path]) -> None:
        assert self._desk is not None
        try:
            drop = await self._desk.joining.open(paths)
        except Exception:
            # Whatever it was, what is dropped next is looked at.
            self._is_open = False
            raise
        self._steps.extend((*drop.bundles, *drop.questions))
        if drop.failed:
            self._failed += [file.error for file in drop.failed]
            self._show_failed()
        self._next()

    async def _show(self, step: Bundle | MappingNeeded) -> None:
        assert self._desk is not None
        if isinstance(step, MappingNeeded):
            bundle = Bundle((step.recognized,))
        else:
            bundle = await self._desk.joining.named(step)
        self._bundle = bundle
        self._panel.show_bundle(bundle)
        self.panel_wanted.emit()
        if isinstance(step, MappingNeeded):
            # What it takes is a click on the right column, so the panel is shown with all but its button.
            self._panel.show_obstacle(step)
        else:
            await self._count(bundle)

    async def _count(self, bundle: Bundle) -> None:
        """Say what the files will change, or that they prove to be damaged further down."""
        try:
            await self._run_through(bundle)
        except DeskError as error:
            if bundle is self._bundle:
                self._panel.show_obstacle(error)

    async def _correct(self, bundle: Bundle, overrides: ImportOverrides) -> None:
        """Recognize the table that is shown anew; the others of its bundle follow its source."""
        assert self._desk is not None
        try:
            main = await self._desk.imports.recognize(Path(bundle.main.path), overrides=overrides)
        except MappingNeeded as needed:
            self._bundle = bundle.with_main(needed.recognized)
            self._panel.show_bundle(self._bundle)
            self._panel.show_obstacle(needed)
        except DeskError as error:
            self._panel.show_obstacle(error)
        else:
            await self._show(bundle.with_main(main))

    def _show_failed(self) -> None:
        """Say of every file what was wrong with it, not only of the last."""
        self._notice.show_notice(" ".join(str(error) for error in self._failed), tone="error")

    async def _run_through(self, bundle: Bundle) -> None:
        """Run through the files without writing, to say what they will change."""
        assert self._desk is not None
        rejects: list[Reject] = []
        counts: list[ImportCounts] = []
        async with aclosing(self._desk.joining.preview(bundle)) as events:
            async for event in events:
                if isinstance(event, Rejected):
                    rejects += event.rejects[: SHOWN_REJECTS - len(rejects)]
                elif isinstance(event, Finished):
                    counts.append(event.counts)
        if bundle is self._bundle:
            self._panel.show_counts(total(counts), rejects)

    def _on_corrected(self, overrides: ImportOverrides) -> None:
        if self._bundle is not None:
            self.jobs.restart(self._correct(self._bundle, overrides))

    def _on_mapping_chosen(self, file: Path) -> None:
        if self._bundle is not None:
            self.jobs.restart(self._load_mapping(file, self._bundle))

    async def _load_mapping(self, file: Path, bundle: Bundle) -> None:
        """Read the file that is shown by a mapping file; where that cannot be, all stays as it is shown."""
        assert self._desk is not None
        main = bundle.main
        try:
            main = await self._desk.mappings.load(file, main)
        except DeskError as error:
            self._on_error(error)
            if not main.preview:
                return  # it could not be imported before either, and the panel says why
        await self._show(bundle.with_main(main))

    def _on_mapping_wanted(self, file: Path) -> None:
        if self._bundle is not None:
            self.jobs.start(self._save_mapping(file, self._bundle.main))

    async def _save_mapping(self, file: Path, recognized: Recognized) -> None:
        assert self._desk is not None
        written = await self._desk.mappings.save(recognized, file)
        self._notice.show_notice(f"The mapping is saved as {written}.")

    def _on_import(self) -> None:
        bundle, self._bundle = self._bundle, None
        if bundle is not None:
            self.jobs.cancel()
            self._is_open = False
            self.done_with_panel.emit()
            self._running.start(self._import(bundle))

    def _on_cancelled(self) -> None:
        self.jobs.cancel()
        self._next()

    async def _import(self, bundle: Bundle) -> None:
        done: list[Finished] = []
        try:
            for table in bundle.tables:
                finished = await self.run(table)
                done.append(finished)
        finally:
            if len(done) < len(bundle.tables):
                await self.show_stopped(Path(bundle.tables[len(done)].path).name)
            else:
                self._show_finished(bundle, done)
            if self._waiting or self._steps:
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
                async with aclosing(self._desk.imports.run(recognized, gently=True)) as events:
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
            words = (
                f"The import of {Path(record.path).name} was stopped. The tickets that were finished are here;"
                " import it again to bring in the rest."
            )
            undo = ("Undo", partial(self.undo, record.id))
            self._notice.show_notice(words, tone="warning", actions=[undo])
        return record is not None

    def _show_progress(self, name: str, progress: Progress) -> None:
        self._status.show_progress(f"Importing {name}: {describe_progress(progress)}", progress.fraction)
        if not self._reload.isActive():
            self._reload.start()

    def _show_finished(self, bundle: Bundle, done: list[Finished]) -> None:
        counts = [finished.counts for finished in done]
        text = f"{_title(bundle)}: {describe_finished(*done)}."
        warnings = list(dict.fromkeys(warning for finished in done for warning in finished.warnings))
        is_clean = not warnings and not any(each.rejected for each in counts)
        tone = "error" if not all(each.adds_up for each in counts) else "info" if is_clean else "warning"
        self._notice.show_notice(" ".join([text, *warnings]), tone=tone, actions=self._actions(bundle, done))

    def _actions(self, bundle: Bundle, done: list[Finished]) -> list[Action]:
        """Return what can be done about what was imported: look at what was rejected, at what changed, take it back."""
        actions: list[Action] = []
        written = [finished for finished in done if finished.import_id]
        if rejecting := next((finished for finished in written if finished.counts.rejected), None):
            actions.append(("Show the rejected rows", partial(self.rejects_wanted.emit, rejecting.import_id)))
        telling = next(
            (finished for finished in written if finished.path == bundle.main.path), next(iter(written), None)
        )
        if telling:
            actions.append(("What changed", partial(self.changes_wanted.emit, telling.import_id)))
        ids = [finished.import_id for finished in written if finished.counts.rows_used]
        if ids:
            actions.append(("Undo", partial(self.undo, *reversed(ids))))
        return actions

    def undo(self, *import_ids: int, actions: Sequence[Action] = ()) -> None:
        """Take imports back, one after the other, and say what that did; `actions` are offered besides."""
        self._undoing.start(self._undo(import_ids, actions))

    async def _undo(self, import_ids: tuple[int, ...], actions: Sequence[Action]) -> None:
        assert self._desk is not None
        undone = []
        try:
            for import_id in import_ids:
                taken_back = await self._desk.imports.undo(import_id)
                undone.append(taken_back)
        finally:
            self.tickets_changed.emit()
            self.imported.emit()
        what = "The import was" if len(undone) == 1 else f"The {len(undone):,} imports were"
        self._notice.show_notice(f"{what} undone: {describe_undo(*undone)}.", actions=actions)

    def _on_error(self, error: DeskError) -> None:
        self._notice.show_error(error)


def _title(bundle: Bundle) -> str:
    if len(bundle.tables) == 1:
        return Path(bundle.main.path).name
    return f"{len(bundle.tables):,} files of {bundle.main.source}"
