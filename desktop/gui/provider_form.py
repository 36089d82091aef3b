"""The form of one provider: what it is, where it is, its key and its model, and closed below them how it is reached and what it costs.

It shows a profile and returns what was made of it; saving, testing and fetching are its panel's. A key is only ever typed in: none is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.domain.providers import BUILT_IN, KeyState, Preset, ProviderProfile, ProviderStatus
from desktop.gui.disclosure import Disclosure
from desktop.gui.network_fields import NetworkFields
from desktop.gui.panel_parts import add_row, form_layout, side_by_side
from desktop.gui.price_fields import PriceFields
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words, plain_tip
from desktop.services.price_wording import describe_price

if TYPE_CHECKING:
    from desktop.services.container import Desk

_KEY_STATES = {
    KeyState.STORED: "A key is in the system's keyring.",
    KeyState.SESSION: "A key is kept for this session only.",
    KeyState.ENVIRONMENT: "OPENAI_API_KEY of the environment is used, for api.openai.com only.",
    KeyState.NONE: "No key yet.",
    KeyState.UNAVAILABLE: "The system's keyring cannot be used. A key can be kept for this session only.",
}
FORM_WIDTH = 84 * SPACE


class ProviderForm(QWidget):
    """Edits one profile. `fetch_requested()` when the user wants to see the provider's models."""

    fetch_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._statuses: Sequence[ProviderStatus] = ()
        self._profile = ProviderProfile("", "", "")
        self.is_new = False
        self.kind = QComboBox()
        self.name = QLineEdit()
        self.url = QLineEdit(placeholderText="https://…/v1")
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="Paste a key to store it")
        self.model = QComboBox(editable=True)
        self.path = QLineEdit(placeholderText="SmolLM2 135M, the one that comes with TLDesk")
        self.fetch = QPushButton("Fetch list")
        self.network = NetworkFields()
        self.privacy = Disclosure(theme, "Network and privacy", self.network)
        self.price = PriceFields()
        self.pricing = Disclosure(theme, "Price", self.price)
        self._note = Words(kind="muted", wraps=True)
        self._key_state = Words(kind="faint", wraps=True)
        self._key_state.setFont(small_font(self.font()))
        self._form = form_layout()
        self._rows: list[QWidget] = []
        self._build()
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.url.textChanged.connect(self._show_host)
        self.model.currentTextChanged.connect(self._show_price)
        self.network.edited.connect(lambda: self.privacy.say(self.network.summary()))

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        self.kind.blockSignals(True)
        for preset in desk.providers.presets:
            if preset.kind != BUILT_IN:
                self.kind.addItem(preset.title, preset.kind)
        self.kind.blockSignals(False)

    def fill(self, status: ProviderStatus, statuses: Sequence[ProviderStatus], *, is_new: bool) -> None:
        """Show one profile beside all that there are."""
        profile, is_built_in = status.profile, status.profile.kind == BUILT_IN
        self._profile, self._statuses, self.is_new = profile, statuses, is_new
        self.kind.blockSignals(True)
        self.kind.setCurrentIndex(self.kind.findData(profile.kind))
        self.kind.blockSignals(False)
        self.name.setText(profile.name)
        self.name.setReadOnly(not is_new)
        self.url.setText(profile.base_url)
        self.key.clear()
        needs_none = status.is_local and status.key in (KeyState.NONE, KeyState.UNAVAILABLE)
        self._key_state.setText("Not needed on this machine, as a rule." if needs_none else _KEY_STATES[status.key])
        self.model.clear()
        self.model.setEditText(profile.model)
        self.path.setText(profile.model_path)
        self.network.fill(profile, self._others())
        for row in self._rows:
            self._form.setRowVisible(row, not is_built_in)
        self._form.setRowVisible(self._path_row, is_built_in)
        self._say_note(self._explain(profile.kind))
        self.show_lock(status.locked_reason, statuses)
        self._show_host()

    def show_lock(self, reason: str, statuses: Sequence[ProviderStatus]) -> None:
        """Say why this provider may not be asked now, '' when it may, and which of the others may not; what is being typed stays."""
        self._statuses = statuses
        self.fetch.setEnabled(not reason)
        self.fetch.setToolTip(plain_tip(reason))
        self.network.show_others(self._others(), str(self.network.fallback.currentData() or ""))

    def _others(self) -> list[tuple[str, str]]:
        return [(s.profile.name, s.locked_reason) for s in self._statuses if s.profile.name != self._profile.name]

    def profile(self) -> ProviderProfile:
        """Return what stands in the form."""
        edited = self.network.edited_in(self._profile)
        if self._profile.kind == BUILT_IN:
            return replace(edited, model_path=self.path.text().strip())
        return replace(
            edited,
            name=self.name.text().strip() if self.is_new else self._profile.name,
            kind=str(self.kind.currentData()),
            base_url=self.url.text().strip(),
            model=self.model.currentText().strip(),
        )

    def show_models(self, models: Sequence[str]) -> None:
        """Offer a provider's models; one that was chosen stays chosen where it is offered."""
        chosen = self.model.currentText()
        self.model.clear()
        self.model.addItems(list(models))
        self.model.setEditText(chosen if chosen in models or not models else models[0])
        self.model.showPopup()

    def _build(self) -> None:
        self.model.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.fetch.clicked.connect(self.fetch_requested)
        choose = QPushButton("Choose a GGUF file…")
        choose.clicked.connect(self._on_choose)
        self._form.addRow(self._note)
        self._model_row, self._path_row = side_by_side(self.model, self.fetch), side_by_side(self.path, choose)
        for title, field, row in (
            ("Kind", self.kind, self.kind),
            ("Name", self.name, self.name),
            ("Base URL", self.url, self.url),
            ("Key", self.key, self.key),
            ("Model", self.model, self._model_row),
            ("Model file", self.path, self._path_row),
        ):
            field.setAccessibleName(title)
            added = add_row(self._form, title, row, note=self._key_state if field is self.key else None)
            if field is not self.path:
                self._rows.append(added)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(self._form)
        layout.addWidget(self.privacy)
        layout.addWidget(self.pricing)

    def _preset(self, kind: str) -> Preset | None:
        assert self._desk is not None
        return next((preset for preset in self._desk.providers.presets if preset.kind == kind), None)

    def _explain(self, kind: str) -> str:
        if kind == BUILT_IN:
            return (
                "The built-in model runs on this machine, needs no key and no network, and sends nothing anywhere. "
                "It is tiny, for trying out: expect mistakes, and see how they are marked. A larger GGUF file writes better."
            )
        preset = self._preset(kind)
        return preset.note if preset else ""

    def _say_note(self, text: str) -> None:
        self._note.setText(text)
        self._form.setRowVisible(self._note, bool(text))

    def _on_kind(self) -> None:
        preset = self._preset(str(self.kind.currentData()))
        if not self.is_new or preset is None:
            return
        self.url.setText(preset.base_url)
        self.name.setText(self.free_name(preset.kind, self._statuses))
        self._say_note(preset.note)

    @staticmethod
    def free_name(kind: str, statuses: Sequence[ProviderStatus]) -> str:
        """Return a name for a new provider of a kind that no other has."""
        taken = {s.profile.name for s in statuses}
        return next(n for n in (kind, *(f"{kind}-{i}" for i in range(2, 999))) if n not in taken)

    def _show_host(self) -> None:
        if self._desk is None:
            return
        edited = self._at_url()
        self.network.show_host(
            self._desk.providers.host(edited),
            is_local=self._desk.providers.is_local(edited),
            is_built_in=edited.kind == BUILT_IN,
        )
        self._show_price()

    def _at_url(self) -> ProviderProfile:
        url = self.url.text().strip()
        return replace(self._profile, base_url=url if "://" in url else f"https://{url}")

    def _show_price(self) -> None:
        """Show what the model that stands in the form costs at the host that stands there."""
        if self._desk is None:
            return
        prices, edited = self._desk.prices, self._at_url()
        service = self._desk.providers
        price = prices.at(service.host(edited), self.model.currentText().strip(), is_local=service.is_local(edited))
        self.price.show_price(price, prices.path, warning=prices.warning)
        self.pricing.say(describe_price(price).capitalize())

    def _on_choose(self) -> None:
        dialog = QFileDialog(self, "Choose a model file", "", "Models (*.gguf)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.path.setText)
        dialog.open()
