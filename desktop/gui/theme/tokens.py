"""Tokens: every color and measure of the window, by what it is for. Text on its ground reaches a contrast of 4.5:1 in both schemes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One color scheme. Colors are `#rrggbb`."""

    is_dark: bool
    ground: str
    """Behind the list and the thread."""
    sunken: str
    """Behind the sidebar, the top and status bars."""
    raised: str
    """Behind cards, fields and menus."""
    line: str
    strong_line: str
    text: str
    muted: str
    faint: str
    """For what may be overlooked: still 4.5:1."""
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    """Behind the chosen row."""
    hover: str
    chip: str
    mark: str
    """Behind the words that a claim cites."""
    ok: str
    ok_ground: str
    """Behind what was added."""
    warning: str
    warning_ground: str
    error: str
    error_ground: str
    pending: str


LIGHT = Tokens(
    is_dark=False,
    ground="#ffffff",
    sunken="#f4f5f7",
    raised="#fbfcfe",
    line="#e1e4ea",
    strong_line="#c9ced8",
    text="#16191f",
    muted="#5a6170",
    faint="#676d7a",
    accent="#2f5bd3",
    accent_hover="#274dbb",
    on_accent="#ffffff",
    selection="#e7edfd",
    hover="#eceff4",
    chip="#e9ecf2",
    mark="#ffef9e",
    ok="#1a7f4b",
    ok_ground="#e9f7ef",
    warning="#8a5200",
    warning_ground="#fff3de",
    error="#b3261e",
    error_ground="#fdecea",
    pending="#a35c00",
)

DARK = Tokens(
    is_dark=True,
    ground="#15171c",
    sunken="#1b1e24",
    raised="#1c2027",
    line="#2a2f38",
    strong_line="#3c434f",
    text="#e9ebf0",
    muted="#a6adbb",
    faint="#8f97a6",
    accent="#7d9dff",
    accent_hover="#94afff",
    on_accent="#10131a",
    selection="#22304f",
    hover="#262b34",
    chip="#2c323d",
    mark="#5c4d12",
    ok="#4cc38a",
    ok_ground="#14321f",
    warning="#f3b35c",
    warning_ground="#38290f",
    error="#ff8a80",
    error_ground="#3d1d1b",
    pending="#f0a95a",
)

SPACE = 8
"""The rhythm, in device-independent pixels; everything is a multiple or a half of it."""
RADIUS = 6
ROW_HEIGHT = 56
SIDEBAR_WIDTH = 208
LABEL_WIDTH = 112
TITLE_SCALE = 1.35
SMALL_SCALE = 0.88
ICON_SIZE = 16
