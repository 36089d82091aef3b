"""The clipboard: one copy in the kinds of text that other programs ask for, and no file."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from desktop.domain.runs import CheckedClaim, Claim, RunState, Summary, Support
from desktop.gui.clipboard import mime_data, put_on_clipboard
from desktop.services.rendering import CopyFormat, CopyOptions, Rendered, render_summary

SUMMARY = Summary(
    1,
    RunState.COMPLETE,
    claims=(CheckedClaim(Claim("Problem", "It <b>fails</b>.", ("m1.1",)), Support.SUPPORTED, 1.0, ("m1.1",)),),
)


def _render(wanted: CopyFormat) -> Rendered:
    return render_summary(SUMMARY, title="Export", options=CopyOptions(wanted))


def test_rich_text_carries_plain_text_beside_it(qapp: QApplication) -> None:
    data = mime_data(_render(CopyFormat.RICH))
    assert data.text() == "Export\nProblem: It <b>fails</b>.\n"
    assert "<strong>Problem:</strong> It &lt;b&gt;fails&lt;/b&gt;." in data.html()
    assert not data.hasUrls()
    assert not data.hasImage()


@pytest.mark.parametrize("wanted", [each for each in CopyFormat if each is not CopyFormat.RICH])
def test_the_others_are_pasted_as_the_text_they_are(qapp: QApplication, wanted: CopyFormat) -> None:
    data = mime_data(_render(wanted))
    assert data.text().startswith(("Export", "**Export", "*Export"))
    assert not data.hasHtml()


def test_a_copy_replaces_what_was_there(qapp: QApplication) -> None:
    put_on_clipboard(_render(CopyFormat.RICH))
    put_on_clipboard(_render(CopyFormat.JIRA))
    found = QApplication.clipboard().mimeData()
    assert found.text() == "*Export*\n\n*Problem:* It <b>fails</b>.\n"
    assert not found.hasHtml()
    QApplication.clipboard().clear()
