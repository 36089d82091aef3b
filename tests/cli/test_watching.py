"""`tldesk watch` as a process: a line for each table, ended by Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from desktop.config.paths import find_paths
from tests.cli.conftest import Runner

ZENDESK = "Id,Requester,Subject,Status,Via,Created at\n"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C is sent to a whole console there")
def test_what_arrives_is_imported_until_it_is_interrupted(tldesk: Runner, data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "view.csv").write_text(ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n", encoding="utf-8")
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "watch", str(folder), "--jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        (folder / "odd.csv").write_text("when,what happened\n2026-01-02,x\n2026-01-03,y\n", encoding="utf-8")
        second = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (first["state"], first["tickets_new"], first["source"]) == ("imported", 1, "zendesk")
    assert (second["state"], Path(second["path"]).name) == ("question", "odd.csv")
    assert (process.returncode, rest) == (130, "")
    assert "Watching" in errors
    assert "Interrupted" in errors
    assert tldesk("list", "--json").json["total"] == 1


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C is sent to a whole console there")
def test_what_the_database_refused_is_tried_again_at_the_next_start(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()

    def write(name: str) -> None:
        (folder / name).write_text(ZENDESK + "17,Ada,The printer burns,open,web,2026-03-02\n", encoding="utf-8")

    with _watching(data_dir, folder) as process:
        assert process.stderr is not None
        assert "Watching" in process.stderr.readline()
        with closing(sqlite3.connect(find_paths(data_dir).database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            write("first.csv")
            assert _told(process) == ("first.csv", "refused", "database-locked")
        write("second.csv")
        assert _told(process) == ("second.csv", "imported", "")
    write("third.csv")
    with _watching(data_dir, folder) as process:
        assert _told(process) == ("first.csv", "unchanged", "")


@contextmanager
def _watching(data_dir: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the end of the block."""
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "watch", str(folder), "--jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def _told(process: subprocess.Popen[str]) -> tuple[str, str, str]:
    """Read a line; return which file it is about, what became of that, and why."""
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    return Path(line["path"]).name, line["state"], line.get("code", "")


def test_a_folder_that_is_not_there_is_refused(tldesk: Runner, tmp_path: Path) -> None:
    ran = tldesk("watch", str(tmp_path / "none"))
    assert ran.code == 4
    assert "no folder" in ran.err
