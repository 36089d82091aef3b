"""Recipes: the prompts behind summaries. A list, the chosen one's file to edit, and what becomes of it for a real ticket.

A shipped recipe is never changed: what is saved is the user's own and stands in its place until it is reverted. What was typed and not saved waits
under its recipe while another one is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.errors import DeskError
from desktop.domain.languages import LANGUAGES
from desktop.gui.panel_parts import panel_head, panel_list
from desktop.gui.recipe_editor import RecipeEditor
from desktop.gui.recipe_preview import RecipePreview
from desktop.gui.theme.style import Theme, small_font
from desktop.gui.theme.tokens import SPACE
from desktop.gui.words import Words

if TYPE_CHECKING:
    from desktop.services.container import Desk
    from desktop.services.recipes import Recipe

_STYLES = (
    ("summary_language", "Language", (("", "As the ticket"), *sorted(LANGUAGES.items(), key=lambda item: item[1]))),
    ("summary_length", "Length", (("short", "Short"), ("normal", "Normal"), ("long", "Long"))),
    ("summary_tone", "Tone", (("neutral", "Neutral"), ("formal", "Formal"), ("friendly", "Friendly"))),
)
_LIST_WIDTH = 22 * SPACE


class RecipesPanel(QWidget):
    """Edits recipes. `tried(ticket_id)` when a trial wrote a summary, `removed(name, text)` for an own one that can be put back."""

    tried = Signal(int)
    removed = Signal(str, str)
    failed = Signal(DeskError)
    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._desk: Desk | None = None
        self._name = ""
        self._saved = ""
        self._drafts: dict[str, str] = {}
        self.editor = RecipeEditor(theme)
        self.preview = RecipePreview(theme, save=self.save_changed)
        self.styles = {name: QComboBox() for name, _, _ in _STYLES}
        self._build()
        self.editor.settled.connect(self._on_edited)
        self.preview.tried.connect(self.tried)

    def attach(self, desk: Desk) -> None:
        """Take the services."""
        self._desk = desk
        self.preview.attach(desk)

    def open(self, ticket_at: Callable[[int], int | None], row: int) -> None:
        """Show the recipes, and the chosen one's prompt for a ticket of the list (`ticket_at(row)` is its id)."""
        assert self._desk is not None
        for name, box in self.styles.items():
            box.blockSignals(True)
            box.setCurrentIndex(max(0, box.findData(self._desk.settings.get(name))))
            box.blockSignals(False)
        self.preview.choose(ticket_at, row)
        self._reload(self._name or "summarize")
        self.list.setFocus()

    def save(self) -> None:
        """Keep the text as the user's own recipe of this name."""
        if self._desk is None or not self._name:
            return
        try:
            self._desk.recipes.save_own(self._name, self.editor.text())
        except DeskError as error:
            self.failed.emit(error)
            return
        self._drafts.pop(self._name, None)
        self._reload(self._name)

    def save_changed(self) -> None:
        """Keep the text if it was changed."""
        if self.editor.text() != self._saved:
            self.save()

    def put_back(self, name: str, text: str) -> None:
        """Make a removed recipe the user's own again."""
        assert self._desk is not None
        try:
            self._desk.recipes.save_own(name, text)
        except DeskError as error:
            self.failed.emit(error)
            return
        self._reload(name)

    async def close_jobs(self) -> None:
        """End everything that runs."""
        await self.preview.close_jobs()

    # How it is built

    def _build(self) -> None:
        body = QSplitter(Qt.Orientation.Horizontal)
        body.setChildrenCollapsible(False)
        body.setHandleWidth(1)
        body.addWidget(self._build_editor())
        body.addWidget(self.preview)
        body.setSizes([500, 540])
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addLayout(self._build_list())
        row.addWidget(body, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        layout.setSpacing(2 * SPACE)
        layout.addLayout(self._build_head())
        layout.addLayout(row, 1)

    def _build_head(self) -> QHBoxLayout:
        tools = QHBoxLayout()
        tools.setSpacing(SPACE)
        for name, label, choices in _STYLES:
            box = self.styles[name]
            box.setAccessibleName(f"{label} of summaries")
            for value, text in choices:
                box.addItem(text, value)
            box.currentIndexChanged.connect(lambda _, n=name: self._on_style(n))
            tools.addSpacing(SPACE)
            tools.addWidget(Words(f"{label}:", kind="muted"))
            tools.addWidget(box)
        return panel_head("Recipes", self.closed, tools)

    def _build_list(self) -> QVBoxLayout:
        self.list = panel_list("Recipes", _LIST_WIDTH, self._on_row)
        self.new_name = QLineEdit(placeholderText="name-of-a-new-one", maxLength=40)
        self.new_name.setAccessibleName("The name of a new recipe")
        self.new_name.setFixedWidth(_LIST_WIDTH)
        self.new_name.returnPressed.connect(self._on_new)
        self.new_button = QPushButton("New, as a copy of this")
        self.new_button.setToolTip("Begin a recipe of your own with the text of the one that is shown")
        self.new_button.clicked.connect(self._on_new)
        box = QVBoxLayout()
        box.setSpacing(SPACE)
        for widget in (self.list, self.new_name, self.new_button):
            box.addWidget(widget)
        return box

    def _build_editor(self) -> QWidget:
        self._about = Words(kind="muted", wraps=True)
        self._about.setFont(small_font(self.font()))
        self.save_button = QPushButton("Save as own")
        self.save_button.setProperty("kind", "primary")
        self.save_button.setShortcut("Ctrl+S")
        self.save_button.setToolTip("Keep this text as your own recipe; the shipped one stays as it is (Ctrl+S)")
        self.save_button.clicked.connect(self.save)
        self.undo_button = QPushButton("Discard changes")
        self.undo_button.clicked.connect(self._on_discard)
        self.revert_button = QPushButton("Revert to shipped")
        self.revert_button.clicked.connect(self._on_revert)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACE)
        buttons.addWidget(self.save_button)
        buttons.addWidget(self.undo_button)
        buttons.addStretch()
        buttons.addWidget(self.revert_button)
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 2 * SPACE, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(self._about)
        layout.addWidget(self.editor, 1)
        layout.addLayout(buttons)
        return box

    # What the user does

    def _on_row(self, row: int) -> None:
        item = self.list.item(row)
        if self._desk is None or item is None:
            return
        self._name = item.data(Qt.ItemDataRole.UserRole)
        try:
            self._saved = self._desk.recipes.text(self._name)
        except DeskError as error:
            self._saved = ""
            self.failed.emit(error)
        self.editor.set_text(self._drafts.get(self._name, self._saved))
        self._show_state()

    def _on_edited(self) -> None:
        text = self.editor.text()
        if text == self._saved:
            self._drafts.pop(self._name, None)
        else:
            self._drafts[self._name] = text
        self._show_state()

    def _on_discard(self) -> None:
        self.editor.set_text(self._saved)
        self._on_edited()

    def _on_revert(self) -> None:
        assert self._desk is not None
        name = self._name
        try:
            text = self._desk.recipes.text(name)
            if not self._desk.recipes.remove_own(name):
                return
        except DeskError as error:
            self.failed.emit(error)
            return
        self._drafts.pop(name, None)
        self._reload(name)
        self.removed.emit(name, text)

    def _on_new(self) -> None:
        assert self._desk is not None
        name = self.new_name.text().strip() or self._free_name()
        try:
            if name in self._desk.recipes.names():
                raise DeskError(
                    "recipe-exists", f"There is a recipe named “{name}” already.", remedy="Use another name."
                )
            from desktop.services.recipes import renamed

            self._desk.recipes.save_own(name, renamed(self.editor.text(), name))
        except DeskError as error:
            self.failed.emit(error)
            return
        self.new_name.clear()
        self._reload(name)

    def _free_name(self) -> str:
        assert self._desk is not None
        taken = set(self._desk.recipes.names())
        stem = self._name[:36]
        return next(name for n in range(2, 999) if (name := f"{stem}-{n}") not in taken)

    def _on_style(self, name: str) -> None:
        assert self._desk is not None
        try:
            self._desk.settings.set(name, self.styles[name].currentData())
        except DeskError as error:
            self.failed.emit(error)
        self._show_state()

    # What is shown

    def _reload(self, chosen: str) -> None:
        """Read the list again, `chosen` still chosen."""
        assert self._desk is not None
        names = self._desk.recipes.names()
        self.list.blockSignals(True)
        self.list.clear()
        for name in names:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.list.addItem(item)
        row = names.index(chosen) if chosen in names else 0
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._on_row(row)

    def _show_state(self) -> None:
        """Show what is wrong with the text, what would be sent, and what can be done."""
        assert self._desk is not None
        book, text = self._desk.recipes, self.editor.text()
        is_changed, own = text != self._saved, book.own_names()
        for row in range(self.list.count()):
            item = self.list.item(row)
            name = item.data(Qt.ItemDataRole.UserRole)
            item.setText(f"{name}{'  · own' if name in own else ''}{'  •' if name in self._drafts else ''}")
        self.editor.show_problems(book.check(self._name, text))
        recipe = self._parsed(text)
        self._about.setText(recipe.description if recipe else "")
        self.save_button.setEnabled(is_changed)
        self.undo_button.setEnabled(is_changed)
        self.revert_button.setVisible(self._name in own)
        self.revert_button.setText("Revert to shipped" if book.is_shipped(self._name) else "Remove")
        self.preview.show_recipe(recipe, is_changed=is_changed)

    def _parsed(self, text: str) -> Recipe | None:
        assert self._desk is not None
        from desktop.services.recipes import parse_recipe

        try:
            return parse_recipe(text, self._desk.recipes.path(self._name))
        except DeskError:
            return None
