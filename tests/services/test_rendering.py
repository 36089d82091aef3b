"""Rendering: what leaves by the clipboard is safe, and holds only what the ticket supports."""

from __future__ import annotations

import pytest

from desktop.domain.runs import CheckedClaim, Claim, Highlight, RunState, Summary, Support
from desktop.services.rendering import render_highlights, render_markdown, render_summary


def _checked(text: str, support: Support, *, section: str = "Problem", missing: tuple[str, ...] = ()) -> CheckedClaim:
    return CheckedClaim(Claim(section, text, ("m1.1",)), support, 0.9, ("m1.1",), missing)


SUMMARY = Summary(
    1,
    RunState.COMPLETE,
    claims=(
        _checked("Charged $49 twice.", Support.SUPPORTED),
        _checked("Paid by card.", Support.PARTIAL),
        _checked("Refund due within 24 hours.", Support.PARTIAL, missing=("24 hours",)),
        _checked("The moon is blue.", Support.UNSUPPORTED, section="Next step"),
        _checked("Somebody said so.", Support.UNCITED, section="Next step"),
    ),
)


def test_copy_leaves_out_what_the_ticket_does_not_support_and_says_how_much() -> None:
    rendered = render_summary(SUMMARY, title="Charged twice")
    assert rendered.plain == "Charged twice\nProblem: Charged $49 twice. Paid by card.\n"
    assert rendered.left_out == 3
    assert "24 hours" not in rendered.html
    assert "<strong>Problem:</strong> Charged $49 twice." in rendered.html


def test_everything_is_copied_when_asked_for() -> None:
    rendered = render_summary(SUMMARY, title="Charged twice", include_all=True)
    assert rendered.left_out == 0
    assert "The moon is blue." in rendered.plain


def test_an_incomplete_summary_says_so_when_it_is_copied() -> None:
    rendered = render_summary(
        Summary(1, RunState.INCOMPLETE, reason="the provider closed the stream", claims=SUMMARY.claims), title="T"
    )
    assert "incomplete: the provider closed the stream" in rendered.plain


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](file:///etc/passwd)",
        "[x](javascript:alert(1))",
        "[x](file:///etc/passwd)",
        "<a href='data:text/html,x'>x</a>",
    ],
)
def test_hostile_text_does_nothing(hostile: str) -> None:
    html = render_markdown(hostile)
    for bad in ("<script", "<img", 'href="javascript:', 'href="file:', 'href="data:'):
        assert bad not in html
    summary = Summary(1, RunState.COMPLETE, claims=(_checked(hostile, Support.SUPPORTED),))
    rendered = render_summary(summary, title=hostile)
    assert "<script" not in rendered.html
    assert "<img" not in rendered.html
    assert "<a" not in rendered.html


def test_links_that_people_use_stay() -> None:
    assert 'href="https://example.com/"' in render_markdown("[docs](https://example.com/)")


def test_highlights_keep_their_authors() -> None:
    rendered = render_highlights((Highlight("It broke.", "m1.1", 1, 0, 9, "Maria K."),), title="Broken")
    assert rendered.plain == "Broken\nMaria K.: “It broke.”\n"
