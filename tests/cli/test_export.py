"""`tldesk export`: a file, or standard output for the next program."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Runner


def test_a_file_is_written_and_told(tldesk: Runner, export: Path, tmp_path: Path) -> None:
    tldesk("import", str(export))
    out = tmp_path / "tickets.json"
    done = tldesk("export", "--format", "json", "--out", str(out), "--json")
    assert done.code == 0
    assert done.json == {"path": str(out), "tickets": 2}
    assert {ticket["external_id"] for ticket in json.loads(out.read_text(encoding="utf-8"))["tickets"]} == {
        "T-1",
        "T-2",
    }


def test_only_the_tickets_that_were_asked_for_are_exported(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    found = tldesk("export", "--format", "json", "--where", "status=closed").json["tickets"]
    assert [ticket["external_id"] for ticket in found] == ["T-2"]
    found = tldesk("export", "--format", "json", "--search", "printer").json["tickets"]
    assert [ticket["external_id"] for ticket in found] == ["T-1"]
    assert found[0]["fields"]["Team color"] == "blue"
    assert found[0]["summary"] is None


def test_the_command_round_trip_is_the_same_to_the_byte(tldesk: Runner, export: Path, tmp_path: Path) -> None:
    tldesk("import", str(export))
    tldesk("export", "--out", str(tmp_path / "a.csv"))
    other = ("--data-dir", str(tmp_path / "other"))
    again = tldesk(*other, "import", str(tmp_path / "a.csv"), "--json")
    assert again.code == 0
    tldesk(*other, "export", "--out", str(tmp_path / "b.csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_file_that_is_there_is_kept_without_force(tldesk: Runner, export: Path, tmp_path: Path) -> None:
    tldesk("import", str(export))
    out = tmp_path / "tickets.md"
    out.write_text("mine", encoding="utf-8")
    refused = tldesk("export", "--out", str(out))
    assert refused.code == 4
    assert "--force" in refused.err
    assert out.read_text(encoding="utf-8") == "mine"
    assert tldesk("export", "--out", str(out), "--force").code == 0
    assert out.read_text(encoding="utf-8").startswith("# Tickets")


def test_what_cannot_be_meant_is_wrong_usage(tldesk: Runner, tmp_path: Path) -> None:
    assert tldesk("export").code == 2
    assert tldesk("export", "--out", str(tmp_path / "tickets.xyz")).code == 2
    assert tldesk("export", "--format", "json", "--json").code == 2
