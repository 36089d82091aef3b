"""Links: what is one, and that it is shown whole before it opens."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from desktop.gui.links import LinkStrip, find_links, is_link, shown_address
from desktop.gui.theme.style import Theme
from tests.gui.card_values import in_pane


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://example.com/a.", ["https://example.com/a"]),
        ("(http://example.com/x_(y))", ["http://example.com/x_(y)"]),
        ("mailto:sam@example.com, please", ["mailto:sam@example.com"]),
        ("HTTPS://EXAMPLE.COM/A?b=1&c=2#d!", ["HTTPS://EXAMPLE.COM/A?b=1&c=2#d"]),
        ("javascript:alert(1) data:text/html,x file:///etc/passwd \\\\host\\share ftp://x.y", []),
        ("https:// http://", []),
        ("https://example.com/\u202egnp.exe", ["https://example.com/"]),
        ("two: https://a.example https://b.example", ["https://a.example", "https://b.example"]),
    ],
)
def test_only_whole_addresses_of_three_kinds_are_links(text: str, links: list[str]) -> None:
    assert [text[start:end] for start, end in find_links(text)] == links


@pytest.mark.parametrize("href", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://x.example/y"])
def test_an_address_of_another_kind_is_no_link(href: str) -> None:
    assert not is_link(href)


def test_an_address_without_end_is_no_link() -> None:
    assert not is_link("https://example.com/" + "a" * 3000)


def test_a_host_in_look_alike_letters_is_shown_as_it_is_spelled_on_the_wire() -> None:
    assert shown_address("https://аpple.com/login") == "https://xn--pple-43d.com/login"


class _Opener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


def test_a_link_is_shown_whole_and_opens_only_when_that_is_said(qtbot: QtBot, theme: Theme) -> None:
    strip, opener = LinkStrip(theme), _Opener()
    in_pane(qtbot, strip, is_shown=False)
    QDesktopServices.setUrlHandler("https", opener, "open")  # type: ignore[arg-type]  # the stub says bytes, PySide takes text
    try:
        address = "https://example.com/" + "path/" * 60
        strip.ask(address)
        assert strip.isVisible()
        assert strip.address.toPlainText() == address
        assert opener.opened == []
        strip.close_button.click()
        assert not strip.isVisible()
        strip.ask("javascript:alert(1)")
        assert not strip.isVisible()
        strip.ask(address)
        strip.open_button.click()
        assert opener.opened == [address]
    finally:
        QDesktopServices.unsetUrlHandler("https")
