"""The look: readable in both schemes, and recolored as a whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.gui.theme.style import Theme
from desktop.gui.theme.tokens import DARK, LIGHT, Tokens

PAIRS = (
    *(("text", ground) for ground in ("ground", "sunken", "raised", "selection", "hover", "mark")),
    *(("muted", ground) for ground in ("ground", "sunken", "raised", "selection", "chip")),
    *(("faint", ground) for ground in ("ground", "sunken", "raised")),
    *(("accent", ground) for ground in ("ground", "raised", "selection")),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("warning", "warning_ground"),
    ("error", "ground"),
    ("text", "error_ground"),
    ("error", "error_ground"),
    ("text", "ok_ground"),
    ("ok", "ok_ground"),
    ("error", "raised"),
    ("text", "warning_ground"),
)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_is_readable(tokens: Tokens, ink: str, ground: str) -> None:
    assert _contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5


def test_the_users_choice_goes_before_the_systems(qtbot: QtBot, theme: Theme) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_appearance("dark")
    assert theme.tokens is DARK
    with qtbot.waitSignal(theme.changed):
        theme.set_appearance("light")
    assert theme.tokens is LIGHT


def test_no_color_stands_outside_the_theme() -> None:
    gui = Path(__file__).resolve().parents[2] / "desktop" / "gui"
    found = [
        f"{path.name}: {match}"
        for path in gui.glob("*.py")
        for match in re.findall(
            r"#[0-9a-fA-F]{6}\b|QColor\(\d|Qt\.GlobalColor\.(?!transparent)\w+", path.read_text(encoding="utf-8")
        )
    ]
    assert found == []


def _contrast(ink: str, ground: str) -> float:
    """WCAG 2.1, relative luminance and contrast ratio."""
    low, high = sorted((_luminance(ink), _luminance(ground)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
