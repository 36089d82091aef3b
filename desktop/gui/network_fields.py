"""Network and privacy of one provider: who stands in for it, what is taken out before sending, and the way to it.

It shows what a choice means for the host at hand, and decides nothing: what cannot be used is refused when the profile is saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton, QWidget

from desktop.domain.providers import NO_PROXY, ProviderProfile
from desktop.gui.panel_parts import add_choice, add_row, form_layout, side_by_side
from desktop.gui.theme.style import small_font
from desktop.gui.words import Words

_OWN_PROXY = "own"
_PROXIES = (("", "As the system has it"), (NO_PROXY, "Direct, without a proxy"), (_OWN_PROXY, "This proxy:"))
_PEM_FILES = "Certificates and keys (*.pem *.crt *.cer *.key);;All files (*)"
_FILES = (
    ("ca_file", "CA file", "A PEM file to trust beside the system's"),
    ("client_certificate", "Client certificate", "A PEM file that is shown to the server"),
    ("client_key", "Client key", "Where the key is a file of its own"),
)
_SECONDS = (
    ("silence_seconds", "Longest silence", "at most 60 seconds"),
    ("deadline_seconds", "Whole answer within", "within 600 seconds"),
)


class NetworkFields(QWidget):
    """Edits those fields of a profile. `edited()` when any of them changed."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._host = ""
        self._is_local = False
        self.fallback = QComboBox()
        self.redaction = QComboBox()
        for value, text in (("", ""), ("on", "Always on"), ("off", "Always off")):
            self.redaction.addItem(text, value)
        self.redaction_note = Words(kind="faint", wraps=True)
        self.redaction_note.setFont(small_font(self.font()))
        self.way = QComboBox()
        for value, text in _PROXIES:
            self.way.addItem(text, value)
        self.proxy = QLineEdit(placeholderText="http://proxy.example.com:8080")
        self.files = {name: QLineEdit(placeholderText=hint) for name, _, hint in _FILES}
        self.seconds = {name: QLineEdit(placeholderText=hint) for name, _, hint in _SECONDS}
        self._form = form_layout()
        self._build()
        for box in (self.fallback, self.redaction, self.way):
            box.currentIndexChanged.connect(self._on_edited)
        for line in (self.proxy, *self.files.values(), *self.seconds.values()):
            line.textChanged.connect(self._on_edited)

    def fill(self, profile: ProviderProfile, others: Sequence[tuple[str, str]]) -> None:
        """Show a profile. `others` may stand in for it: their names, and why one cannot be asked now, '' where it can."""
        self.blockSignals(True)
        self.show_others(others, profile.fallback)
        self.redaction.setCurrentIndex(max(0, self.redaction.findData(profile.redaction)))
        is_own = profile.proxy not in ("", NO_PROXY)
        self.way.setCurrentIndex(self.way.findData(_OWN_PROXY if is_own else profile.proxy))
        self.proxy.setText(profile.proxy if is_own else "")
        for name, line in (*self.files.items(), *self.seconds.items()):
            line.setText(getattr(profile, name))
        self.blockSignals(False)
        self._on_edited()

    def show_others(self, others: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer who may stand in; one that was chosen stays chosen, also when it has gone."""
        self.fallback.blockSignals(True)
        self.fallback.clear()
        self.fallback.addItem("Nobody", "")
        for name, reason in others:
            add_choice(self.fallback, name, name, reason=reason)
        if self.fallback.findData(chosen) < 0:
            self.fallback.addItem(f"{chosen} (removed)", chosen)
        self.fallback.setCurrentIndex(self.fallback.findData(chosen))
        self.fallback.blockSignals(False)

    def show_host(self, host: str, *, is_local: bool, is_built_in: bool) -> None:
        """Say what the choices mean for a host; the built-in model needs no network at all."""
        self._host, self._is_local = host, is_local
        self.redaction.setItemText(0, f"By the host: {'off' if is_local else 'on'} here")
        self.seconds["silence_seconds"].setPlaceholderText(f"at most {300 if is_local else 60} seconds")
        self.seconds["deadline_seconds"].setPlaceholderText("within 600 seconds")
        for row in (self._proxy_row, *self._file_rows):
            self._form.setRowVisible(row, not is_built_in)
        self._on_edited()

    def edited_in(self, profile: ProviderProfile) -> ProviderProfile:
        """Return a profile with what stands in the fields."""
        way = str(self.way.currentData())
        return replace(
            profile,
            fallback=str(self.fallback.currentData() or ""),
            redaction=str(self.redaction.currentData()),
            # Own and empty is an address that is refused, not a direct connection that nobody chose.
            proxy=(self.proxy.text().strip() or "http://") if way == _OWN_PROXY else way,
            **{name: line.text().strip() for name, line in (*self.files.items(), *self.seconds.items())},
        )

    def summary(self) -> str:
        """Say in a few words what is set."""
        words = [f"Redaction {'on' if self._is_redacted() else 'off'}"]
        if self.fallback.currentData():
            words.append(f"then {self.fallback.currentData()}")
        if self.way.currentData() == NO_PROXY:
            words.append("direct")
        elif self.way.currentData() == _OWN_PROXY:
            words.append("own proxy")
        words += [title for name, title, _ in _FILES if self.files[name].text().strip()]
        return " · ".join(words)

    def _build(self) -> None:
        add_row(self._form, "If it does not answer, ask", self.fallback)
        add_row(self._form, "Redaction", self.redaction, note=self.redaction_note)
        self._proxy_row = side_by_side(self.way, self.proxy)
        add_row(self._form, "Connection", self._proxy_row)
        self._file_rows = []
        for name, title, _ in _FILES:
            choose = QPushButton("Choose…")
            choose.setAccessibleName(f"Choose the {title}")
            choose.clicked.connect(lambda _=False, n=name, t=title: self._on_choose(n, t))
            row = side_by_side(self.files[name], choose)
            self.files[name].setAccessibleName(title)
            self._file_rows.append(row)
            add_row(self._form, title, row)
        for name, title, _ in _SECONDS:
            self.seconds[name].setAccessibleName(title)
        add_row(self._form, "Silence, whole answer", side_by_side(*self.seconds.values()))
        self.fallback.setAccessibleName("If it does not answer, ask")
        self.redaction.setAccessibleName("Redaction")
        self.way.setAccessibleName("Connection")
        self.proxy.setAccessibleName("Proxy")
        self.setLayout(self._form)

    def _is_redacted(self) -> bool:
        chosen = self.redaction.currentData()
        return bool(chosen == "on" or (chosen == "" and not self._is_local))

    def _on_edited(self) -> None:
        self.proxy.setVisible(self.way.currentData() == _OWN_PROXY)
        place = "on this machine" if self._is_local else self._host or "another machine"
        if self._is_redacted():
            words = (
                f"People, addresses, numbers and keys are replaced before anything goes to {place}, and put back here."
            )
        elif self._is_local:
            words = "Everything is sent as it stands, and stays on this machine."
        else:
            words = f"Everything is sent to {place} as it stands in the ticket."
        self.redaction_note.say(words, "faint" if self._is_redacted() or self._is_local else "errorText")
        self.edited.emit()

    def _on_choose(self, name: str, title: str) -> None:
        dialog = QFileDialog(self, f"Choose the {title}", "", _PEM_FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.files[name].setText)
        dialog.open()
