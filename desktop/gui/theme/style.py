"""Style: palette and style sheet made from the tokens, and the live following of the system's light and dark.

Fusion is the base on every system: native styles and style sheets do not mix. Fonts are the platform's own.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from desktop.gui.theme.icons import Icons
from desktop.gui.theme.tokens import DARK, LIGHT, RADIUS, SMALL_SCALE, SPACE, TITLE_SCALE, Tokens

_SCHEMES = {"system": Qt.ColorScheme.Unknown, "light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


class Theme(QObject):
    """The current look. `changed` is emitted when the system, or the user, switches between light and dark."""

    changed = Signal()

    def __init__(self, app: QApplication, resources: Path) -> None:
        super().__init__(app)
        self._app = app
        app.setStyle("Fusion")
        self._appearance = "system"
        self.icons = Icons(resources / "icons")
        self.tokens = self._current()
        self._apply()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def set_appearance(self, appearance: str) -> None:
        """Choose `system`, `light` or `dark`."""
        self._appearance = appearance
        # Title bars and native dialogs follow this where the platform has the notion; the tokens follow the choice itself.
        QGuiApplication.styleHints().setColorScheme(_SCHEMES[appearance])
        self._follow()

    def _follow(self) -> None:
        tokens = self._current()
        if tokens is not self.tokens:
            self.tokens = tokens
            self._apply()
            self.changed.emit()

    def _current(self) -> Tokens:
        if self._appearance != "system":
            return DARK if self._appearance == "dark" else LIGHT
        return DARK if QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark else LIGHT

    def _apply(self) -> None:
        self.icons.use(self.tokens)
        self._app.setPalette(_palette(self.tokens))
        self._app.setStyleSheet(_style_sheet(self.tokens, self.icons))


def scaled(font: QFont, scale: float, *, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return a font of the same family at another size and weight."""
    result = QFont(font)
    if font.pointSizeF() > 0:
        result.setPointSizeF(font.pointSizeF() * scale)
    else:
        result.setPixelSize(max(1, round(font.pixelSize() * scale)))
    result.setWeight(weight)
    return result


def title_font(font: QFont) -> QFont:
    """Return the font of a ticket's title."""
    return scaled(font, TITLE_SCALE, weight=QFont.Weight.DemiBold)


def small_font(font: QFont) -> QFont:
    """Return the font of captions and second lines."""
    return scaled(font, SMALL_SCALE)


def _palette(t: Tokens) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, color in (
        (role.Window, t.ground),
        (role.WindowText, t.text),
        (role.Base, t.ground),
        (role.AlternateBase, t.sunken),
        (role.Text, t.text),
        (role.Button, t.raised),
        (role.ButtonText, t.text),
        (role.BrightText, t.error),
        (role.Highlight, t.accent),
        (role.HighlightedText, t.on_accent),
        (role.Link, t.accent),
        (role.LinkVisited, t.accent),
        (role.ToolTipBase, t.raised),
        (role.ToolTipText, t.text),
        (role.PlaceholderText, t.faint),
        (role.Accent, t.accent),
        (role.Mid, t.line),
        (role.Light, t.raised),
        (role.Dark, t.strong_line),
    ):
        palette.setColor(name, QColor(color))
    for name in (role.Text, role.ButtonText, role.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(t.faint))
    return palette


def _style_sheet(t: Tokens, icons: Icons) -> str:
    half = SPACE // 2
    return f"""
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_line}; padding: {half}px; }}
#topBar, #statusBar, #sidebar {{ background: {t.sunken}; }}
#topBar {{ border-bottom: 1px solid {t.line}; }}
#statusBar {{ border-top: 1px solid {t.line}; }}
#sidebar {{ border: 0; }}
#pane {{ background: {t.ground}; }}
#muted, #statusBar QLabel {{ color: {t.muted}; }}
#faint {{ color: {t.faint}; }}
#errorText {{ color: {t.error}; }}
#card {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {SPACE}px; }}
#card QTextBrowser, #card QScrollArea, #cardBody {{ background: transparent; border: 0; }}
#strip {{ background: {t.warning_ground}; border-radius: {half}px; }}
#strip QLabel {{ background: transparent; }}
#stripNote {{ color: {t.warning}; }}
#asking {{ background: {t.selection}; border-radius: {half}px; }}
#asking QLabel {{ background: transparent; }}
#tag, #tagWarning {{ border-radius: {half}px; padding: 1px {half + 1}px; }}
#tag {{ background: {t.chip}; color: {t.muted}; }}
#tagWarning {{ background: {t.warning_ground}; color: {t.warning}; }}
#sheet {{ background: {t.raised}; border: 0; border-top: 1px solid {t.strong_line}; }}
#rule {{ background: {t.line}; border: 0; }}
#notice[tone="info"] {{ background: {t.selection}; border-bottom: 1px solid {t.line}; }}
#notice[tone="warning"] {{ background: {t.warning_ground}; border-bottom: 1px solid {t.line}; }}
#notice[tone="error"] {{ background: {t.error_ground}; border-bottom: 1px solid {t.line}; }}
#dropZone {{ border: 2px dashed {t.strong_line}; border-radius: {2 * SPACE}px; background: {t.raised}; }}
#dropOverlay {{ border: 2px dashed {t.accent}; border-radius: {2 * SPACE}px; background: {t.selection}; color: {t.text}; }}
QPushButton {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.strong_line}; border-radius: {RADIUS}px;
  padding: {half + 1}px {SPACE + half}px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.chip}; }}
QPushButton:disabled {{ color: {t.faint}; border-color: {t.line}; background: {t.sunken}; }}
QPushButton:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border: 1px solid {t.accent}; }}
QPushButton[kind="primary"]:hover {{ background: {t.accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border: 1px solid {t.text}; }}
QPushButton[kind="primary"]:disabled {{ background: {t.chip}; color: {t.faint}; border-color: {t.line}; }}
QPushButton[kind="icon"] {{ padding: {half + 1}px {SPACE}px; }}
QPushButton[kind="flat"] {{ background: transparent; border: 1px solid transparent; }}
QPushButton[kind="flat"]:hover {{ background: {t.hover}; }}
QPushButton[kind="flat"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="warning"] {{ background: {t.warning_ground}; border: 1px solid transparent; color: {t.warning}; padding: 1px {SPACE}px; }}
QPushButton[kind="warning"]:focus {{ border: 1px solid {t.warning}; }}
QPushButton[kind="disclosure"] {{ background: transparent; border: 1px solid transparent; padding: 2px 4px 2px 0; text-align: left; }}
QPushButton[kind="disclosure"]:hover {{ background: {t.hover}; }}
QPushButton[kind="disclosure"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="link"] {{ background: transparent; border: 1px solid transparent; color: {t.accent}; padding: 2px 4px; }}
QPushButton[kind="link"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="group"] {{ background: transparent; border: 1px solid transparent; color: {t.muted}; }}
QPushButton[kind="group"]:hover {{ background: {t.hover}; }}
QPushButton[kind="group"]:checked {{ background: {t.selection}; color: {t.accent}; }}
QPushButton[kind="group"]:focus {{ border: 1px solid {t.accent}; }}
QPushButton[kind="group"]:disabled {{ color: {t.faint}; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QPlainTextEdit {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.strong_line}; border-radius: {RADIUS}px; padding: {half}px;
  selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QPlainTextEdit:focus, #framed:focus {{ border: 1px solid {t.accent}; }}
QLineEdit, QComboBox {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.strong_line}; border-radius: {RADIUS}px;
  padding: {half + 1}px {SPACE}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QLineEdit:focus, QComboBox:focus {{ border: 1px solid {t.accent}; }}
QLineEdit:disabled, QComboBox:disabled {{ background: {t.sunken}; color: {t.faint}; }}
QCheckBox {{ spacing: {SPACE}px; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: 14px; height: 14px; border: 1px solid {t.strong_line}; background: {t.ground}; }}
QCheckBox::indicator {{ border-radius: {half - 1}px; }}
QRadioButton::indicator {{ border-radius: {SPACE}px; }}
QCheckBox::indicator:focus, QCheckBox::indicator:hover, QRadioButton::indicator:focus,
  QRadioButton::indicator:hover {{ border: 1px solid {t.accent}; }}
QRadioButton::indicator:checked {{ width: {SPACE}px; height: {SPACE}px; border: {half}px solid {t.accent}; background: {t.on_accent}; }}
QCheckBox::indicator:checked {{ background: {t.accent}; border: 1px solid {t.accent}; image: url("{icons.file("check", t.on_accent)}"); }}
QCheckBox::indicator:checked:focus {{ border: 1px solid {t.text}; }}
QCheckBox::indicator:disabled {{ border: 1px solid {t.line}; background: {t.sunken}; }}
QTableWidget::item, QTableView#framed::item {{ padding: 0 {SPACE}px; }}
QCheckBox {{ spacing: {SPACE}px; padding: {half}px; border: 1px solid transparent; border-radius: {RADIUS}px; }}
QCheckBox:focus {{ border: 1px solid {t.accent}; }}
QComboBox::drop-down {{ border: 0; width: 24px; }}
QComboBox::down-arrow {{ image: url("{icons.file("chevron-down", t.muted)}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_line};
  selection-background-color: {t.selection}; selection-color: {t.text}; outline: 0; }}
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_line}; padding: {half}px; }}
QMenu::item {{ padding: {half + 1}px {3 * SPACE}px; border-radius: {half}px; }}
QMenu::item:selected {{ background: {t.selection}; }}
QMenu::item:disabled {{ color: {t.faint}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: {half}px; }}
QHeaderView {{ background: {t.ground}; }}
QHeaderView::section {{ background: {t.ground}; color: {t.faint}; border: 0; border-bottom: 1px solid {t.line};
  padding: {half + 2}px {SPACE}px; text-align: left; }}
QHeaderView::section:first {{ padding-left: {2 * SPACE}px; }}
#framed QHeaderView::section:first {{ padding-left: {SPACE}px; }}
QTableView, QTableWidget, QListWidget {{ background: {t.ground}; border: 0; outline: 0; gridline-color: {t.line}; }}
#framed::item:selected {{ background: {t.selection}; color: {t.text}; }}
#framed QLineEdit {{ border-radius: 0; padding: 0 {SPACE - 1}px; }}
#framed {{ border: 1px solid {t.line}; border-radius: {RADIUS}px; }}
#sidebar QListWidget {{ background: transparent; }}
QListWidget::item {{ padding: {half + 1}px {SPACE}px; border-radius: {RADIUS}px; }}
QListWidget::item:hover {{ background: {t.hover}; }}
QListWidget::item:selected {{ background: {t.selection}; color: {t.text}; }}
QSplitter::handle {{ background: {t.line}; }}
QScrollArea {{ border: 0; background: {t.ground}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {t.strong_line}; border-radius: 4px; min-height: 32px; margin: 2px; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {t.strong_line}; border-radius: 4px; min-width: 32px; margin: 2px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; border: 0; width: 0; height: 0; }}
QProgressBar {{ background: {t.chip}; border: 0; border-radius: 2px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 2px; }}
"""
