"""The watched folder as the window leads it: what arrives is imported by itself, and a notice says so, with an *Undo*.

What needs an answer waits behind a button that opens the import panel. The folder is chosen, shown and let go of in the status bar.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from desktop.domain.errors import DeskError
from desktop.domain.imports import Finished, Recognized
from desktop.domain.watching import FilesFound, FolderLost, FolderReached, FoundFile
from desktop.gui.import_flow import ImportFlow
from desktop.gui.jobs import JobScope
from desktop.gui.notices import Action, NoticeBar
from desktop.gui.words import plain_tip
from desktop.services.wording import count, describe_finished

if TYPE_CHECKING:
    from desktop.services.container import Desk

_NAMED = 3
"""A notice names so many files; of more it says how many."""


class WatchFlow(QObject):
    """Watches the folder of the settings. `button` shows it and holds its menu."""

    def __init__(self, imports: ImportFlow, notice: NoticeBar) -> None:
        super().__init__()
        self._imports, self._notice = imports, notice
        self._desk: Desk | None = None
        self._jobs = JobScope(notice.show_error)
        self._taking = JobScope(notice.show_error)
        self._is_reached = True
        self.button = QPushButton()
        self.button.setProperty("kind", "flat")
        self._menu = QMenu(self.button)
        self.button.setMenu(self._menu)
        self._show_folder("")

    def attach(self, desk: Desk) -> None:
        """Take the services, and watch the folder that was watched before."""
        self._desk = desk
        if desk.read_only_reason:
            self.button.hide()
        elif folder := str(desk.settings.get("watch_folder")):
            self.watch(folder)

    def watch(self, folder: str) -> None:
        """Watch a folder in place of the one before; '' for none."""
        self._is_reached = True
        self._show_folder(folder)
        if folder:
            self._jobs.restart(self._watch(folder))
        else:
            self._jobs.cancel()

    def cancel(self) -> None:
        """Stop importing what has arrived; the tickets that were finished stay."""
        self._taking.cancel()

    async def close(self) -> None:
        """End everything that runs."""
        for scope in (self._jobs, self._taking):
            await scope.close()

    def _choose(self) -> None:
        dialog = QFileDialog(self.button.window(), "Choose a folder to watch", str(self._folder()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._keep)
        dialog.open()

    def _keep(self, folder: str) -> None:
        """Watch a folder, and again after the next start."""
        assert self._desk is not None
        try:
            self._desk.settings.set("watch_folder", folder)
        except DeskError as error:
            self._notice.show_error(error)
        self.watch(folder)
        if folder:
            words = f"{Path(folder).name or folder} is watched: new exports there are imported by themselves."
            self._notice.show_notice(words, actions=[("Stop watching", partial(self._keep, ""))])

    def _folder(self) -> str:
        return str(self._desk.settings.get("watch_folder")) if self._desk else ""

    def _show_folder(self, folder: str) -> None:
        self._menu.clear()
        self._menu.addAction("Choose another folder…" if folder else "Watch a folder…", self._choose)
        if folder:
            self._menu.addAction("Open the folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(folder)))
            self._menu.addSeparator()
            self._menu.addAction("Stop watching", lambda: self._keep(""))
        name = Path(folder).name or folder
        state = "Watching" if self._is_reached else "Waiting for"
        self.button.setText(f"{state} {name}  ▾".replace("&", "&&") if folder else "No folder watched  ▾")
        self.button.setToolTip(
            plain_tip(f"New exports in {folder} are imported by themselves")
            if folder
            else "Choose a folder whose new exports are imported by themselves"
        )
        self.button.setAccessibleName(f"Watched folder: {name or 'none'}")

    async def _watch(self, folder: str) -> None:
        assert self._desk is not None
        async with aclosing(self._desk.watching.watch(Path(folder))) as events:
            async for event in events:
                match event:
                    case FolderReached():
                        self._on_reached(folder, is_reached=True)
                    case FolderLost(_, reason):
                        self._on_reached(folder, is_reached=False)
                        words = f"The watched folder {folder} cannot be reached ({reason}). It is watched again as soon as it is back."
                        self._notice.show_notice(words, tone="warning")
                    case FilesFound(files):
                        self._taking.start(self._take(Path(folder).name or folder, files))
                        await self._taking.idle()

    def _on_reached(self, folder: str, *, is_reached: bool) -> None:
        self._is_reached = is_reached
        self._show_folder(folder)

    async def _take(self, folder: str, files: Sequence[FoundFile]) -> None:
        """Import what can be, one file after the other, and say all of it in one notice."""
        assert self._desk is not None
        arrived = _Arrived(folder)
        for found in files:
            taken = await self._desk.watching.take(found, self._import)
            arrived.done += taken.done
            arrived.questions += map(Path, taken.questions)
            arrived.refused += taken.refused
        self._show(arrived)

    async def _import(self, recognized: Recognized) -> Finished:
        try:
            return await self._imports.run(recognized)
        except asyncio.CancelledError:
            await self._imports.show_stopped(Path(recognized.path).name)
            raise

    def _show(self, arrived: _Arrived) -> None:
        changing = [done for done in arrived.done if done.counts.tickets_new or done.counts.tickets_updated]
        open_questions: list[Action] = []
        if arrived.questions:
            title = "Look at it" if len(arrived.questions) == 1 else "Look at them"
            open_questions.append((title, partial(self._imports.open_files, arrived.questions)))
        actions = list(open_questions)
        if changing:
            # The last first: it may have changed what the first brought. What else is offered stays.
            ids = [done.import_id for done in reversed(changing)]
            actions.insert(0, ("Undo", partial(self._imports.undo, *ids, actions=open_questions)))
        words = arrived.words()
        if words:
            self._notice.show_notice(words, tone="warning" if arrived.needs_attention else "info", actions=actions)


class _Arrived:
    """What files that arrived together came to."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.done: list[Finished] = []
        self.questions: list[Path] = []
        self.refused: list[DeskError] = []

    @property
    def needs_attention(self) -> bool:
        """Tell whether there is more to say than what came in."""
        is_clean = all(not d.counts.rejected and not d.warnings and d.counts.adds_up for d in self.done)
        return bool(self.questions or self.refused or not is_clean)

    def words(self) -> str:
        """Say it; '' when nothing is new and nothing is to be asked."""
        told = [
            d for d in self.done if d.counts.tickets_new or d.counts.tickets_updated or d.counts.rejected or d.warnings
        ]
        parts = []
        if told:
            parts.append(
                f"{_names([Path(d.path) for d in told])} came in from {self._folder}: {describe_finished(*told)}."
            )
            parts += dict.fromkeys(warning for d in told for warning in d.warnings)
        if self.questions:
            whose = "its columns" if len(self.questions) == 1 else "their columns"
            parts.append(f"{_names(self.questions)} arrived in {self._folder}, and TLDesk does not know {whose}.")
        parts += [str(error) for error in self.refused[:_NAMED]]
        if len(self.refused) > _NAMED:
            parts.append(f"{count(len(self.refused) - _NAMED, 'more file')} cannot be imported.")
        return " ".join(parts)


def _names(paths: Sequence[Path]) -> str:
    names = [path.name for path in paths]
    if len(names) > _NAMED:
        return count(len(names), "file")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
