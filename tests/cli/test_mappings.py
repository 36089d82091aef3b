"""`tldesk mappings`: from one export to a file, to another machine's memory, and back out of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Runner


def test_a_mapping_is_saved_added_listed_and_removed(tldesk: Runner, export: Path, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    saved = tldesk("mappings", "save", str(export), str(file), "--source", "helpdesk", "--json")
    assert saved.json["path"] == str(file)
    assert saved.json["columns"]["Ticket No"] == "ticket_id"
    assert tldesk("list", "--json").json["total"] == 0
    # Edited by hand, as a person would: the team's color is what says how urgent it is.
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("subject = [", 'assignee = ["Team color"]\nsubject = [', 1), encoding="utf-8")
    added = tldesk("mappings", "add", str(file), "--json").json
    (listed,) = tldesk("mappings", "list", "--json").json["mappings"]
    assert (listed["id"], listed["learned_from"]) == (added["id"], "team.toml")
    assert added["id"] in tldesk("mappings", "list").out
    tldesk("import", str(export))
    ticket = tldesk("show", "helpdesk:T-1", "--json").json
    assert ticket["assignee"] == "blue"
    assert tldesk("mappings", "remove", added["id"][:6], "--json").json["id"] == added["id"]
    assert tldesk("mappings", "list", "--json").json == {"mappings": []}
    assert tldesk("mappings", "remove", added["id"]).code == 4


def test_a_broken_mapping_file_is_named_with_the_key(tldesk: Runner, export: Path, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    tldesk("mappings", "save", str(export), str(file))
    file.write_text(file.read_text(encoding="utf-8").replace("subject = [", "subjekt = [", 1), encoding="utf-8")
    ran = tldesk("import", "--mapping", str(file), str(export))
    assert ran.code == 4
    assert "team.toml" in ran.err
    assert "subjekt is no role" in ran.err
