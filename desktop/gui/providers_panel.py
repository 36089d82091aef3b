"""Providers: who writes the summaries and does the other tasks, and the lock that keeps everything on this machine.

One page with two leaves beside a list: the form of the chosen provider, with a test that says which step failed, and who does what.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, KeyState, ProviderProfile, ProviderStatus, TestStep
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import FormArea, panel_head, panel_list
from desktop.gui.provider_form import FORM_WIDTH, ProviderForm
from desktop.gui.provider_steps import ProviderSteps
from desktop.gui.task_table import TaskTable
from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import ICON_SIZE, SPACE
from desktop.gui.words import Words, plain_tip

if TYPE_CHECKING:
    from desktop.services.container import Desk

_LOCK_TIP = "Locks the whole program to this machine: nothing is sent to any other"
_TEST_TIP = "Save, then try name, connection, certificate, key, model and quota, one after the other"


class ProvidersPanel(QWidget):
    """Edits profiles. `changed()` is emitted when profiles, the default or the lock changed, `closed()` when the user is done."""

    changed = Signal()
    removed = Signal(object)
    """A `ProviderProfile` that was removed and can be put back."""
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._desk: Desk | None = None
        self._statuses: tuple[ProviderStatus, ...] = ()
        self._shown = ProviderStatus(ProviderProfile("", "", ""), is_default=False, key=KeyState.NONE, is_local=True)
        self.jobs = JobScope(self._show_error)
        self.form = ProviderForm(theme)
        self.form.fetch_requested.connect(lambda: self.jobs.restart(self._fetch_models()))
        self.form.price.failed.connect(self._show_error)
        self.tasks = TaskTable()
        self.tasks.changed.connect(self.changed)
        self.tasks.failed.connect(self._show_error)
        self._words = Words(kind="errorText", wraps=True)
        self._leaves = QStackedWidget()
        self._leaves.addWidget(self._build_provider())
        self._leaves.addWidget(self.tasks)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(self._build_head())
        right = QVBoxLayout()
        right.setSpacing(SPACE)
        right.addWidget(self._leaves, 1)
        right.addWidget(self._words)
        body = QHBoxLayout()
        body.setSpacing(4 * SPACE)
        body.addLayout(self._build_list())
        body.addLayout(right, 1)
        layout.addLayout(body, 1)
        theme.changed.connect(self._show_names)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        self.form.attach(desk)
        self.tasks.attach(desk)

    def put_back(self, profile: ProviderProfile) -> None:
        """Add a removed profile again; its key must be entered anew."""
        self.jobs.restart(self._put_back(profile))

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    def open(self, name: str = "") -> None:
        """Show the profiles, one of them chosen: the named one or the default."""
        self.jobs.restart(self._reload(name))

    def show_lock(self) -> None:
        """Show the lock as it was set or taken away elsewhere."""
        self.jobs.restart(self._after_lock())

    def shown_steps(self) -> list[TestStep]:
        """Return the steps that the last test showed."""
        return self._steps.steps

    # How it is built

    def _build_head(self) -> QHBoxLayout:
        self.lock = QCheckBox("Local only")
        self.lock.setToolTip(_LOCK_TIP)
        self.lock.clicked.connect(self._on_lock)
        tools = QHBoxLayout()
        tools.addWidget(self.lock)
        tools.addSpacing(2 * SPACE)
        return panel_head("Providers", self.closed, tools)

    def _build_list(self) -> QVBoxLayout:
        self._list = panel_list("Providers", 26 * SPACE, self._on_row)
        self._list.setIconSize(QSize(ICON_SIZE - 2, ICON_SIZE - 2))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._add = QPushButton("Add a provider")
        self._add.clicked.connect(self._on_add)
        self._who = QPushButton("Who does what")
        self._who.setToolTip("A provider and model of its own for a task, and what happens by itself")
        self._who.clicked.connect(self._on_who)
        box = QVBoxLayout()
        box.setSpacing(SPACE)
        box.addWidget(self._list, 1)
        box.addWidget(self._add)
        box.addWidget(self._who)
        return box

    def _build_provider(self) -> QWidget:
        leaf = QWidget()
        leaf.setMaximumWidth(FORM_WIDTH)
        self._locked = Words(kind="stripNote", wraps=True)
        self._steps = ProviderSteps(self._theme)
        layout = QVBoxLayout(leaf)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addWidget(self._locked)
        area = FormArea(self.form)
        for part in (self.form.privacy, self.form.pricing):
            part.toggled.connect(lambda is_open, p=part: area.show_whole(p) if is_open else None)
        layout.addWidget(area, 100)
        layout.addLayout(self._build_buttons())
        layout.addWidget(self._steps)
        layout.addStretch(1)
        return leaf

    def _build_buttons(self) -> QHBoxLayout:
        self._save = QPushButton("Save")
        self._save.setProperty("kind", "primary")
        self._save.clicked.connect(lambda: self.jobs.restart(self._save_profile()))
        self._test = QPushButton("Test")
        self._test.clicked.connect(lambda: self.jobs.restart(self._run_test()))
        self._default = QPushButton("Use for summaries")
        self._default.clicked.connect(lambda: self.jobs.restart(self._save_profile(make_default=True)))
        self._remove = QPushButton("Remove")
        self._remove.clicked.connect(lambda: self.jobs.restart(self._remove_profile()))
        self._session = QPushButton("Keep the key for this session only")
        self._session.clicked.connect(lambda: self.jobs.restart(self._save_profile(allow_session=True)))
        self._session.hide()
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        for button in (self._save, self._test, self._default, self._session):
            buttons.addWidget(button)
        buttons.addStretch()
        # Apart from the others, so that it never comes to stand where another button was just clicked.
        buttons.addWidget(self._remove)
        return buttons

    # What is shown

    async def _reload(self, name: str = "") -> None:
        assert self._desk is not None
        self._statuses = await self._desk.providers.list()
        self.lock.setChecked(self._desk.providers.is_local_only)
        wanted = name or self._desk.providers.default_name()
        row = next((i for i, s in enumerate(self._statuses) if s.profile.name == wanted), 0)
        self._list.blockSignals(True)
        self._list.clear()
        self._list.addItems([s.profile.name for s in self._statuses])
        self._show_names()
        self._list.setCurrentRow(row)
        self._list.blockSignals(False)
        self._on_row(row)

    def _show_names(self) -> None:
        t, icons = self._theme.tokens, self._theme.icons
        room = self._list.width() - 7 * SPACE
        for row, status in enumerate(self._statuses):
            item, mark = self._list.item(row), "  ✓ used" if status.is_default else ""
            metrics = self._list.fontMetrics()
            width = room - metrics.horizontalAdvance(mark) - (ICON_SIZE + SPACE if status.locked_reason else 0)
            name = metrics.elidedText(status.profile.name, Qt.TextElideMode.ElideRight, width)
            item.setText(f"{name}{mark}")
            item.setIcon(icons.icon("lock", t.faint) if status.locked_reason else QIcon())
            item.setForeground(QColor(t.faint if status.locked_reason else t.text))
            item.setToolTip(plain_tip(" · ".join(filter(None, (status.profile.name, status.locked_reason)))))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{status.profile.name}{mark}. {status.locked_reason}")

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self._statuses):
            self._fill(self._statuses[row], is_new=False)

    def _on_add(self) -> None:
        assert self._desk is not None
        self._list.clearSelection()
        preset = next(p for p in self._desk.providers.presets if p.kind != BUILT_IN)
        profile = ProviderProfile(self.form.free_name(preset.kind, self._statuses), preset.kind, preset.base_url)
        status = ProviderStatus(
            profile,
            is_default=False,
            key=KeyState.NONE,
            is_local=preset.is_local,
            locked_reason=self._desk.providers.locked_reason(profile),
        )
        self._fill(status, is_new=True)
        self.form.kind.setFocus()

    def _on_who(self) -> None:
        self._list.clearSelection()
        self._words.clear()
        self.tasks.open()
        self._leaves.setCurrentWidget(self.tasks)
        self.tasks.auto.setFocus()

    def _fill(self, status: ProviderStatus, *, is_new: bool) -> None:
        self._leaves.setCurrentIndex(0)
        self._steps.clear()
        self._words.clear()
        self.form.fill(status, self._statuses, is_new=is_new)
        self._remove.setVisible(status.profile.kind != BUILT_IN and not is_new)
        self._session.hide()
        self._show_lock(status)

    def _show_lock(self, status: ProviderStatus) -> None:
        self._shown = status
        reason = status.locked_reason
        self._locked.setText(reason)
        self._locked.setVisible(bool(reason))
        self.form.show_lock(reason, self._statuses)
        self._test.setEnabled(not reason)
        self._default.setEnabled(not status.is_default and not reason)
        for button, tip in ((self._test, _TEST_TIP), (self._default, "")):
            button.setToolTip(plain_tip(reason) or tip)

    def _show_error(self, error: DeskError) -> None:
        self._words.setText(str(error))
        if error.code in ("provider-fallback", "provider-redaction", "proxy", "ca-file", "client-certificate"):
            self.form.privacy.open()
        if error.code in ("price-bad", "prices-broken"):
            self.form.pricing.open()

    # What the user does

    def _on_lock(self) -> None:
        assert self._desk is not None
        self._words.clear()
        try:
            self._desk.providers.set_local_only(is_on=self.lock.isChecked())
        except DeskError as error:
            self._show_error(error)
        self.jobs.restart(self._after_lock())

    async def _after_lock(self) -> None:
        """Show the lock everywhere here; what is being typed stays."""
        assert self._desk is not None
        self._statuses = await self._desk.providers.list()
        self.lock.setChecked(self._desk.providers.is_local_only)
        self._show_names()
        self.tasks.open()
        shown = next((s for s in self._statuses if s.profile.name == self._shown.profile.name), self._shown)
        reason = self._desk.providers.locked_reason(shown.profile)
        self._show_lock(replace(shown, locked_reason=reason))
        self.changed.emit()

    async def _put_back(self, profile: ProviderProfile) -> None:
        assert self._desk is not None
        self._desk.providers.save(profile)
        await self._reload(profile.name)
        self.changed.emit()

    async def _save_profile(self, *, make_default: bool = False, allow_session: bool = False) -> ProviderProfile:
        assert self._desk is not None
        self._words.clear()
        profile = self.form.profile()
        if self.form.is_new and any(s.profile.name == profile.name for s in self._statuses):
            raise DeskError(
                "provider-name-bad", f"There is already a provider named “{profile.name}”.", remedy="Use another name."
            )
        price = self.form.price.edited()
        saved = self._desk.providers.save(profile, make_default=make_default)
        if price is not None:
            self._desk.prices.save(price)
        if self.form.key.text() and saved.kind != BUILT_IN:
            try:
                await self._desk.providers.set_key(saved.name, self.form.key.text(), allow_session=allow_session)
            except DeskError as error:
                self._session.setVisible(error.code.startswith("keyring"))
                raise
        await self._reload(saved.name)
        if self._session.hasFocus() or self._default.hasFocus() or not self.focusWidget():
            self._test.setFocus()
        self.changed.emit()
        return saved

    async def _fetch_models(self) -> None:
        assert self._desk is not None
        saved = await self._save_profile()
        self.form.show_models(await self._desk.providers.models(saved.name))

    async def _run_test(self) -> None:
        assert self._desk is not None
        saved = await self._save_profile()
        self._steps.start()
        async with aclosing(self._desk.providers.test(saved.name)) as steps:
            async for step in steps:
                self._steps.add(step)
        self._steps.finish()

    async def _remove_profile(self) -> None:
        assert self._desk is not None
        profile = await self._desk.providers.remove(self.form.profile().name)
        await self._reload()
        self.changed.emit()
        self.removed.emit(profile)
