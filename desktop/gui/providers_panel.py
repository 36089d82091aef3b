"""Providers: who writes the summaries. Presets, address, key, the model list fetched from the provider, and a test that says which step failed."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.providers import BUILT_IN, KeyState, ProviderProfile, ProviderStatus, TestStep
from desktop.gui.jobs import JobScope
from desktop.gui.panel_parts import panel_head, panel_list
from desktop.gui.provider_steps import ProviderSteps
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

if TYPE_CHECKING:
    from desktop.services.container import Desk

_KEY_STATES = {
    KeyState.STORED: "A key is in the system's keyring.",
    KeyState.SESSION: "A key is kept for this session only.",
    KeyState.ENVIRONMENT: "OPENAI_API_KEY of the environment is used, for api.openai.com only.",
    KeyState.NONE: "No key yet.",
    KeyState.UNAVAILABLE: "The system's keyring cannot be used. A key can be kept for this session only.",
}
_AUTO = (("local", "With a model on this machine"), ("always", "Always"), ("never", "Only when I ask"))
FIELD_WIDTH = 52 * SPACE


class ProvidersPanel(QWidget):
    """Edits profiles. `changed()` is emitted when profiles or the default changed, `closed()` when the user is done."""

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
        self._is_new = False
        self.jobs = JobScope(self._show_error)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(self._build_head())
        body = QHBoxLayout()
        body.setSpacing(4 * SPACE)
        body.addLayout(self._build_list())
        body.addLayout(self._build_form(), 1)
        layout.addLayout(body, 1)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        for preset in desk.providers.presets:
            if preset.kind != BUILT_IN:
                self._kind.addItem(preset.title, preset.kind)
        self._auto.blockSignals(True)
        self._auto.setCurrentIndex(self._auto.findData(desk.settings.get("auto_summarize")))
        self._auto.blockSignals(False)

    def put_back(self, profile: ProviderProfile) -> None:
        """Add a removed profile again; its key must be entered anew."""
        self.jobs.restart(self._put_back(profile))

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.jobs.close()

    async def _put_back(self, profile: ProviderProfile) -> None:
        assert self._desk is not None
        self._desk.providers.save(profile)
        await self._reload(profile.name)
        self.changed.emit()

    def open(self, name: str = "") -> None:
        """Show the profiles, one of them chosen: the named one or the default."""
        self.jobs.restart(self._reload(name))

    def _build_head(self) -> QHBoxLayout:
        self._auto = QComboBox()
        self._auto.setAccessibleName("Summarize when a ticket is opened")
        for value, text in _AUTO:
            self._auto.addItem(text, value)
        self._auto.currentIndexChanged.connect(self._on_auto)
        tools = QHBoxLayout()
        tools.addWidget(Words("Summarize when a ticket is opened:", kind="muted"))
        tools.addWidget(self._auto)
        return panel_head("Providers", self.closed, tools)

    def _build_list(self) -> QVBoxLayout:
        self._list = panel_list("Providers", 30 * SPACE, self._on_row)
        add = QPushButton("Add a provider")
        add.clicked.connect(self._on_add)
        box = QVBoxLayout()
        box.addWidget(self._list, 1)
        box.addWidget(add)
        self._add = add
        return box

    def _build_form(self) -> QVBoxLayout:
        self._kind = QComboBox()
        self._kind.currentIndexChanged.connect(self._on_kind)
        self._name = QLineEdit()
        self._url = QLineEdit(placeholderText="https://…/v1")
        self._key = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="Paste a key to store it")
        self._key_state = Words(kind="faint", wraps=True)
        self._key_state.setFont(small_font(self.font()))
        self._model = QComboBox(editable=True)
        self._model.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._fetch = QPushButton("Fetch list")
        self._fetch.clicked.connect(lambda: self.jobs.restart(self._fetch_models()))
        self._path = QLineEdit(placeholderText="SmolLM2 135M, the one that comes with TLDesk")
        self._choose = QPushButton("Choose a GGUF file…")
        self._choose.clicked.connect(self._on_choose)
        self._note = Words(kind="muted", wraps=True)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(2 * SPACE)
        self._form.setVerticalSpacing(SPACE + 2)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._form.addRow(self._note)
        rows = (
            ("Kind", self._kind),
            ("Name", self._name),
            ("Base URL", self._url),
            ("Key", self._key),
            ("", self._key_state),
        )
        for title, field in rows:
            self._form.addRow(title, field)
        self._model_row = _side_by_side(self._model, self._fetch)
        self._path_row = _side_by_side(self._path, self._choose)
        self._form.addRow("Model", self._model_row)
        self._form.addRow("Model file", self._path_row)
        for title, field in (*rows[:4], ("Model", self._model), ("Model file", self._path)):
            field.setAccessibleName(title)
            field.setMaximumWidth(FIELD_WIDTH)
        form = QVBoxLayout()
        form.setSpacing(2 * SPACE)
        form.addLayout(self._form)
        form.addLayout(self._build_buttons())
        self._steps = ProviderSteps(self._theme)
        form.addWidget(self._steps)
        self._words = Words(kind="errorText", wraps=True)
        form.addWidget(self._words)
        form.addStretch()
        return form

    def _build_buttons(self) -> QHBoxLayout:
        self._save = QPushButton("Save")
        self._save.setProperty("kind", "primary")
        self._save.clicked.connect(lambda: self.jobs.restart(self._save_profile()))
        self._test = QPushButton("Test")
        self._test.setToolTip("Save, then try name, connection, certificate, key, model and quota, one after the other")
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

    async def _reload(self, name: str = "") -> None:
        assert self._desk is not None
        self._statuses = await self._desk.providers.list()
        wanted = name or self._desk.providers.default_name()
        self._is_new = False
        self._list.blockSignals(True)
        self._list.clear()
        for status in self._statuses:
            mark = "  ✓ used" if status.is_default else ""
            self._list.addItem(QListWidgetItem(f"{status.profile.name}{mark}"))
        row = next((i for i, s in enumerate(self._statuses) if s.profile.name == wanted), 0)
        self._list.setCurrentRow(row)
        self._list.blockSignals(False)
        self._on_row(row)

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self._statuses):
            self._is_new = False
            self._steps.clear()
            self._words.clear()
            self._fill(self._statuses[row])

    def _on_add(self) -> None:
        assert self._desk is not None
        self._is_new = True
        self._list.clearSelection()
        self._steps.clear()
        self._words.clear()
        preset = next(p for p in self._desk.providers.presets if p.kind == self._kind.itemData(0))
        profile = ProviderProfile(self._free_name(preset.kind), preset.kind, preset.base_url)
        self._fill(ProviderStatus(profile, is_default=False, key=KeyState.NONE, is_local=preset.is_local))
        self._kind.setFocus()

    def _fill(self, status: ProviderStatus) -> None:
        profile, is_built_in = status.profile, status.profile.kind == BUILT_IN
        self._kind.blockSignals(True)
        self._kind.setCurrentIndex(self._kind.findData(profile.kind))
        self._kind.blockSignals(False)
        self._name.setText(profile.name)
        self._name.setReadOnly(not self._is_new)
        self._url.setText(profile.base_url)
        self._key.clear()
        needs_none = status.is_local and status.key in (KeyState.NONE, KeyState.UNAVAILABLE)
        self._key_state.setText("Not needed on this machine, as a rule." if needs_none else _KEY_STATES[status.key])
        self._model.clear()
        self._model.setEditText(profile.model)
        self._path.setText(profile.model_path)
        fields: tuple[QWidget, ...] = (self._kind, self._name, self._url, self._key, self._key_state, self._model_row)
        for field in fields:
            self._form.setRowVisible(field, not is_built_in)
        self._form.setRowVisible(self._path_row, is_built_in)
        self._note.setText(self._explain(profile))
        self._remove.setVisible(not is_built_in and not self._is_new)
        self._default.setEnabled(not status.is_default)
        self._session.hide()

    def _explain(self, profile: ProviderProfile) -> str:
        assert self._desk is not None
        if profile.kind == BUILT_IN:
            return (
                "The built-in model runs on this machine, needs no key and no network, and sends nothing anywhere. "
                "It is tiny, for trying out: expect mistakes, and see how they are marked. A larger GGUF file writes better."
            )
        preset = next((p for p in self._desk.providers.presets if p.kind == profile.kind), None)
        return preset.note if preset else ""

    def _on_kind(self) -> None:
        if self._desk is None or not self._is_new:
            return
        preset = next(p for p in self._desk.providers.presets if p.kind == self._kind.currentData())
        self._url.setText(preset.base_url)
        self._name.setText(self._free_name(preset.kind))
        self._note.setText(preset.note)

    def _free_name(self, kind: str) -> str:
        taken = {s.profile.name for s in self._statuses}
        return next(n for n in (kind, *(f"{kind}-{i}" for i in range(2, 999))) if n not in taken)

    def _edited(self) -> ProviderProfile:
        row = self._list.currentRow()
        if not self._is_new and 0 <= row < len(self._statuses):
            old = self._statuses[row].profile
            if old.kind == BUILT_IN:
                return replace(old, model_path=self._path.text().strip())
            name = old.name
        else:
            name = self._name.text().strip()
        return ProviderProfile(
            name, str(self._kind.currentData()), self._url.text().strip(), self._model.currentText().strip()
        )

    async def _save_profile(self, *, make_default: bool = False, allow_session: bool = False) -> None:
        assert self._desk is not None
        self._words.clear()
        profile = self._edited()
        if self._is_new and any(s.profile.name == profile.name for s in self._statuses):
            raise DeskError(
                "provider-name-bad", f"There is already a provider named “{profile.name}”.", remedy="Use another name."
            )
        saved = self._desk.providers.save(profile, make_default=make_default)
        if self._key.text() and saved.kind != BUILT_IN:
            try:
                await self._desk.providers.set_key(saved.name, self._key.text(), allow_session=allow_session)
            except DeskError as error:
                self._session.setVisible(error.code.startswith("keyring"))
                raise
        await self._reload(saved.name)
        if self._session.hasFocus() or self._default.hasFocus() or not self.focusWidget():
            self._test.setFocus()
        self.changed.emit()

    async def _fetch_models(self) -> None:
        assert self._desk is not None
        await self._save_profile()
        name = self._edited().name
        chosen = self._model.currentText()
        models = await self._desk.providers.models(name)
        self._model.clear()
        self._model.addItems(list(models))
        self._model.setEditText(chosen if chosen in models or not models else models[0])
        self._model.showPopup()

    async def _run_test(self) -> None:
        assert self._desk is not None
        await self._save_profile()
        name = self._edited().name
        self._steps.start()
        async with aclosing(self._desk.providers.test(name)) as steps:
            async for step in steps:
                self._steps.add(step)
        self._steps.finish()

    async def _remove_profile(self) -> None:
        assert self._desk is not None
        profile = await self._desk.providers.remove(self._edited().name)
        await self._reload()
        self.changed.emit()
        self.removed.emit(profile)

    def _on_choose(self) -> None:
        dialog = QFileDialog(self, "Choose a model file", "", "Models (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._path.setText)
        dialog.open()

    def _on_auto(self) -> None:
        if self._desk is not None:
            try:
                self._desk.settings.set("auto_summarize", str(self._auto.currentData()))
            except DeskError as error:
                self._show_error(error)

    def _show_error(self, error: DeskError) -> None:
        self._words.setText(str(error))

    def shown_steps(self) -> list[TestStep]:
        """Return the steps that the last test showed."""
        return self._steps.steps


def _side_by_side(field: QWidget, button: QPushButton) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(SPACE)
    layout.addWidget(field, 1)
    layout.addWidget(button)
    layout.addStretch()
    return row
