"""What the tests of the card and its parts share: claims, a finished summary, and a card in a pane."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.runs import CheckedClaim, Claim, Coverage, Fields, RunState, Summary, Support
from desktop.gui.summary_card import SummaryCard
from desktop.gui.theme.style import Theme
from desktop.gui.thread_view import Span

SENTENCES = {"m1.1": "I was charged $49 twice.", "m2.1": "Refund RF-9920 is issued."}
SPANS = {"m1.1": Span(1, 0, 24), "m2.1": Span(2, 0, 25)}
SECTIONS = ("Problem", "Tried so far", "Next step", "Open questions", "Deadlines", "Sentiment")


def claim(
    text: str,
    support: Support = Support.SUPPORTED,
    *,
    section: str = "Problem",
    missing: tuple[str, ...] = (),
    cited: tuple[str, ...] = ("m1.1",),
) -> CheckedClaim:
    """Return a checked claim."""
    cited = () if support is Support.UNCITED else cited
    return CheckedClaim(Claim(section, text, cited), support, 0.9, cited, missing)


def summary(*claims: CheckedClaim, **others: object) -> Summary:
    """Return a complete summary that asked for the usual sections."""
    whole = Summary(
        1,
        RunState.COMPLETE,
        text="text",
        claims=claims,
        sections=dict.fromkeys(SECTIONS, ""),
        coverage=Coverage(4, 4),
        provider="somewhere",
        model="some-model",
        cost_microusd=400,
        fields=Fields(),
    )
    return replace(whole, **others)  # type: ignore[arg-type]


def in_pane(qtbot: QtBot, widget: QWidget, *, is_shown: bool = True) -> None:
    """Stand a part in a pane of its own, as it stands in the window."""
    pane = QWidget()
    pane.resize(700, 800)
    # Without a layout: where Qt draws into memory, a window that asks for another size makes it warn.
    widget.setParent(pane)
    widget.setGeometry(pane.rect())
    widget.setVisible(is_shown)
    qtbot.addWidget(pane)
    pane.show()
    widget.pane = pane  # type: ignore[attr-defined]


def shown_card(qtbot: QtBot, theme: Theme) -> SummaryCard:
    """Return a card that stands in a pane, as it sizes itself by the pane, and holds a ticket of two messages."""
    pane = QWidget()
    pane.resize(700, 800)
    card = SummaryCard(theme)
    card.setParent(pane)
    card.resize(700, 400)
    qtbot.addWidget(pane)
    card.reset(SENTENCES, SPANS)
    pane.show()
    card.pane = pane  # type: ignore[attr-defined]
    return card
