"""The language of tickets on the command line: in the JSON, and as a condition."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Runner


def test_tickets_are_listed_by_language(tldesk: Runner, tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(
        "Id,Subject,Description\n"
        "1,Drucker,Guten Tag der Drucker im dritten Stock druckt nur leere Seiten.\n"
        "2,Printer,The printer on the third floor prints blank pages since Monday.\n"
        "3,?,ok\n",
        encoding="utf-8",
    )
    tldesk("import", str(path))
    german = tldesk("list", "--where", "language=de", "--json").json["tickets"]
    assert [(ticket["external_id"], ticket["language"]) for ticket in german] == [("1", "de")]
    estimate = tldesk("summarize", "--where", "language=de", "--estimate", "--json").json
    assert estimate["tickets"] == 1
    assert tldesk("show", "2", "--json").json["language"] == "en"
    (unknown,) = tldesk("list", "--where", "language=", "--json").json["tickets"]
    assert (unknown["external_id"], unknown["language"]) == ("3", "")
    assert tldesk("list", "--where", "language=xx", "--json").json["total"] == 0
