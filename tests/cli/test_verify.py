"""`tldesk verify`: any text against a ticket, from a file or from standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
REPLY = "Hello Bo,\n\nYou were charged €49.00 twice for order A-1183. You get €94.00 back.\n\nRegards,\nSam\n"


@pytest.fixture
def verify(tldesk: Run, export: Path, tmp_path: Path) -> Run:
    """Give a function that checks a text, as a file, against a ticket of a small export."""
    assert tldesk("import", str(export)).code in (0, 3)

    def run(text: str | bytes, *arguments: str, ticket: str = "T-2") -> Any:
        path = tmp_path / "text.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tldesk("verify", ticket, "--text-file", str(path), *arguments)

    return run


def test_json_has_a_claim_for_each_sentence_and_names_what_is_missing(verify: Run) -> None:
    ran = verify(REPLY, "--json")
    assert ran.code == 0
    document = ran.json
    assert document["ticket"].endswith(":T-2")
    right, wrong = document["claims"]
    assert (right["support"], right["missing_facts"], right["origin"]) == ("supported", [], "found")
    assert right["citations"]
    assert (wrong["support"], wrong["missing_facts"]) == ("uncited", ["€94.00"])
    assert document["coverage"] == {"messages": 1, "read": 1, "unused": []}
    assert {"text", "score", "misplaced_facts", "doubts"} <= right.keys()


def test_people_read_what_is_missing_and_what_the_check_cannot_see(verify: Run) -> None:
    ran = verify(REPLY)
    assert "“€94.00” is not in the ticket" in ran.out
    assert "1 of 2 sentences supported" in ran.out
    assert "may still be mistaken" in ran.out


def test_standard_input_is_read_without_a_file(verify: Run, tldesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(REPLY.encode()), encoding="ascii"))
    assert len(tldesk("verify", "T-2", "--json").json["claims"]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"caf\xe9", "is not UTF-8"),
        ("###", "no sentence"),
        (b"x" * 2_000_001, "2 MB"),
    ],
)
def test_what_cannot_be_checked_is_refused_with_a_reason(verify: Run, text: str | bytes, said: str) -> None:
    ran = verify(text, "--json")
    assert (ran.code, ran.out) == (4, "")
    assert said in ran.err


def test_a_missing_file_and_an_unknown_ticket_are_refused(verify: Run, tldesk: Run, tmp_path: Path) -> None:
    ran = tldesk("verify", "T-2", "--text-file", str(tmp_path / "none.txt"))
    assert (ran.code, "There is no file" in ran.err) == (4, True)
    ran = tldesk("verify", "T-2", "--text-file", str(tmp_path))
    assert (ran.code, "cannot be read" in ran.err) == (4, True)
    assert verify(REPLY, ticket="T-99").code == 4
