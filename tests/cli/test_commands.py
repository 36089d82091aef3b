"""The command's contract: its JSON keys, its exit codes, and one sentence for everything that goes wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from desktop.cli.imports import import_file
from desktop.domain.imports import Progress
from desktop.llm.scripted_server import Script, ScriptedServer, good_stream, words
from tests.cli.conftest import Runner
from tests.services.conftest import opened_desk

FILE_KEYS = (
    "path format system encoding delimiter rows rows_used rows_unchanged rejected blank footer tickets_new tickets_updated"
    " tickets_unchanged messages rejects_path warnings seconds"
).split()
TICKET_KEYS = (
    "id source external_id subject status priority requester assignee created_at updated_at message_count gist language"
).split()


def test_import_counts_every_row_and_says_where_the_rejects_are(tldesk: Runner, export: Path) -> None:
    ran = tldesk("import", str(export), "--json")
    (file,) = ran.json["files"]
    assert ran.code == 3
    assert set(FILE_KEYS) <= set(file)
    assert (
        file["rows"]
        == file["rows_used"] + file["rows_unchanged"] + file["rejected"] + file["blank"] + file["footer"]
        == 3
    )
    assert (file["tickets_new"], file["rejected"], file["messages"]) == (2, 1, 2)
    rejects = Path(file["rejects_path"]).read_text(encoding="utf-8-sig")
    assert "export.csv,4," in rejects
    assert "no ticket id" in rejects


def test_the_same_file_twice_changes_nothing_and_says_so(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    (file,) = tldesk("import", str(export), "--json").json["files"]
    assert (file["tickets_new"], file["tickets_updated"], file["tickets_unchanged"]) == (0, 0, 2)
    assert "already here, unchanged" in tldesk("import", str(export)).out


def test_the_history_tells_every_import_and_what_it_changed(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    changed = export.read_text(encoding="utf-8").replace("closed,Bo", "open,Bo").replace("T-1,", "T-3,")
    export.write_text(changed, encoding="utf-8")
    second = tldesk("import", str(export), "--json").json["import_id"]
    newest, oldest = tldesk("import", "--history", "--json").json["imports"]
    assert (newest["import_id"], newest["state"], newest["adds_up"]) == (second, "whole", True)
    assert set(FILE_KEYS[5:14]) <= set(oldest)
    told = tldesk("import", "--changes", str(second), "--json").json
    assert told["compared_with"] == oldest["import_id"]
    assert [ticket["id"] for ticket in told["new"]] == ["export:T-3"]
    assert [ticket["id"] for ticket in told["gone"]] == ["export:T-1"]
    (ticket,) = told["changed"]
    assert ticket["fields"] == [{"name": "status", "before": "closed", "after": "open"}]
    assert ticket["messages"] == []
    shown = tldesk("import", "--changes", str(second)).out
    assert "export:T-2  Refund: Status closed → open" in shown
    assert "export.csv" in tldesk("import", "--history").out
    assert tldesk("import", "--changes", "99").code == 4
    assert tldesk("import", "--history", str(export)).code == 2


def test_a_dry_run_writes_nothing(tldesk: Runner, export: Path) -> None:
    ran = tldesk("import", str(export), "--dry-run", "--json")
    assert ran.json["files"][0]["tickets_new"] == 2
    assert ran.json["import_id"] is None
    assert tldesk("list", "--json").json["total"] == 0


def test_undo_takes_back_what_was_new(tldesk: Runner, export: Path) -> None:
    import_id = tldesk("import", str(export), "--json").json["import_id"]
    ran = tldesk("import", "--undo", str(import_id), "--json")
    assert ran.json == {"import_id": import_id, "tickets_removed": 2, "tickets_restored": 0}
    assert tldesk("list", "--json").json["total"] == 0
    assert tldesk("import", "--undo", str(import_id)).code == 4


def test_list_searches_filters_sorts_and_goes_on(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    first = tldesk("list", "--limit", "1", "--sort", "subject", "--json").json
    second = tldesk("list", "--limit", "1", "--sort", "subject", "--after", first["next"], "--json").json
    assert set(TICKET_KEYS) <= set(first["tickets"][0])
    assert [page["tickets"][0]["subject"] for page in (first, second)] == ["Cannot print", "Refund"]
    assert (first["total"], second["next"]) == (2, None)
    assert [t["external_id"] for t in tldesk("list", "--search", "charg", "--json").json["tickets"]] == ["T-2"]
    assert [t["external_id"] for t in tldesk("list", "--where", "Team color=blue", "--json").json["tickets"]] == ["T-1"]
    assert tldesk("list", "--where", "nonsense").code == 2
    assert tldesk("list", "--sort", "nonsense").code == 2


def test_show_has_every_column_and_numbered_sentences(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    shown = tldesk("show", "T-2", "--json").json
    assert shown["fields"]["Team color"] == "red"
    (message,) = shown["messages"]
    assert (message["id"], message["role"], message["internal"]) == ("m1", "customer", False)
    assert [s["id"] for s in message["sentences"]] == ["m1.1", "m1.2"]
    assert "".join(s["text"] for s in message["sentences"]) == message["text"].replace(" Order", "Order")


def test_control_characters_of_a_ticket_are_never_obeyed(tldesk: Runner, tmp_path: Path) -> None:
    path = tmp_path / "evil.csv"
    path.write_text("id,subject,description\n9,\x1b]0;owned\x07Hi,\x1b[2Jtext \u202egnp.exe\n", encoding="utf-8")
    tldesk("import", str(path))
    out = tldesk("show", "9").out + tldesk("list").out
    assert "Hi" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.csv", None, "There is no file"),
        ("folder", "folder", "is a folder"),
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(300), "picture.csv"),
        ("prose.csv", b"Dear all,\nthis is a letter.\nBye\n", "not a table"),
    ],
)
def test_wrong_input_gets_one_sentence(tldesk: Runner, tmp_path: Path, name: str, content: object, words: str) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    ran = tldesk("import", str(path))
    assert (ran.code, ran.out) == (4, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["frobnicate"], 2, "no command and no file named frobnicate"),
        (["import"], 2, "at least one file"),
        (["summarize"], 2, "--all"),
        (["show", "nobody"], 4, "no ticket nobody"),
        (["summarize", "nobody"], 4, "no ticket nobody"),
        (["providers", "test", "nobody"], 4, "no provider named “nobody”"),
        (["providers", "add", "x", "--base-url", "http://evil.example/v1"], 4, "unencrypted"),
        (["keys", "set", "built-in", "--stdin"], 4, "needs no key"),
        (["list", "--after", "12345"], 4, "no place in this list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_gets_its_exit_code_and_a_sentence(
    tldesk: Runner, arguments: list[str], code: int, words: str
) -> None:
    ran = tldesk(*arguments)
    assert ran.code == code
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_provider_is_tested_step_by_step(tldesk: Runner) -> None:
    with ScriptedServer(good_stream("ready")) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "scripted")
        good = tldesk("providers", "test", "mine", "--json")
        models = tldesk("providers", "models", "mine", "--json").json
    gone = tldesk("providers", "test", "mine", "--json")
    assert (good.code, good.json["ok"]) == (0, True)
    assert [step["name"] for step in good.json["steps"]] == [
        "name",
        "connection",
        "certificate",
        "key",
        "model",
        "quota",
    ]
    assert models["models"] == ["scripted"]
    assert (gone.code, gone.json["steps"][-1]["name"], gone.json["steps"][-1]["ok"]) == (1, "connection", False)


def test_a_provider_without_a_key_says_so_and_how_to_enter_it(tldesk: Runner) -> None:
    added = tldesk("providers", "add", "work", "--kind", "openai", "--model", "gpt-4o-mini")
    listed = tldesk("providers", "list", "--json").json["providers"]
    assert "tldesk keys set work" in added.out
    assert next(p for p in listed if p["name"] == "work")["key"] == "unavailable"
    assert tldesk("providers", "test", "work", "--json").json["steps"][-1]["name"] == "key"


def test_without_a_keyring_a_key_is_refused_with_the_reason(data_dir: Path) -> None:
    run = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir)]
    subprocess.run([*run, "providers", "add", "work", "--kind", "openai"], check=True, capture_output=True)
    done = subprocess.run(
        [*run, "keys", "set", "work", "--stdin"],
        input="sk-a-key-of-this-test\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "keyring cannot be used" in done.stderr
    assert "sk-a-key" not in done.stdout + done.stderr
    assert [p for p in data_dir.rglob("*") if p.is_file() and b"sk-a-key" in p.read_bytes()] == []


def test_the_doctor_names_what_is_wrong_and_what_to_do(tldesk: Runner) -> None:
    fresh = tldesk("doctor", "--json")
    assert (fresh.code, [check for check in fresh.json["checks"] if not check["ok"]]) == (0, [])
    tldesk("providers", "add", "work", "--kind", "openai", "--model", "gpt-4o-mini")
    ran = tldesk("doctor", "--json")
    checks = {check["name"]: check for check in ran.json["checks"]}
    # Tests run without a keyring: now that a provider needs one, the doctor must say so, and that all else is well.
    assert ran.code == 1
    assert [name for name, check in checks.items() if not check["ok"]] == ["keyring"]
    assert checks["keyring"]["remedy"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT that can be sent to one process")
def test_interrupted_it_keeps_what_was_written_and_exits_with_130(tldesk: Runner, data_dir: Path, export: Path) -> None:
    tldesk("import", str(export))
    with ScriptedServer(Script(words("Problem: Charged €49.00 twice. [m1.1]\n"), then="hang")) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "summarize", "T-2"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "supported" in line:
                    break
            os.kill(process.pid, signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == 130
    assert server.client_hung_up.is_set()
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection:
        kept = connection.execute("SELECT state, text FROM run").fetchall()
    assert kept == [("cancelled", "Problem: Charged €49.00 twice. [m1.1]\n")]


def test_a_reader_that_has_seen_enough_is_no_error(data_dir: Path, tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir), "show", "T-2", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_where_knows_the_exports_own_words_and_refuses_what_no_ticket_has(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    assert tldesk("list", "--where", "status=Open", "--json").json["total"] == 1
    assert tldesk("list", "--where", "status=CLOSED", "--json").json["total"] == 1
    assert tldesk("list", "--where", "Team color=green", "--json").json["total"] == 0
    wrong = tldesk("list", "--where", "staus=open")
    assert (wrong.code, "no field named staus" in wrong.err) == (2, True)


def test_a_condition_of_bytes_that_are_no_text_is_answered_as_any_other(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    # So Python hands over the byte ff of a terminal in UTF-8.
    unknown = tldesk("list", "--where", "a\udcff=x")
    assert (unknown.code, "There is no field named a\ufffd" in unknown.err) == (2, True)
    assert tldesk("list", "--where", "status=\udcff", "--json").json["total"] == 0
    assert tldesk("list", "--where", "Team color=blue\udcff", "--json").json["total"] == 0


async def test_a_dry_run_that_is_stopped_tells_of_no_other_import(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    for path in (first, second):
        rows = "".join(f"{n},s{n},text {n},open,2026-01-01\n" for n in range(20_000))
        path.write_text(f"id,subject,description,status,created_at\n{rows}", encoding="utf-8")

    async with opened_desk(data_dir, with_sample=False) as desk:
        recognized = await desk.imports.recognize(first)
        async with aclosing(desk.imports.run(recognized)) as events:
            async for event in events:
                if isinstance(event, Progress):
                    break
        counting = asyncio.ensure_future(import_file(desk, await desk.imports.recognize(second), dry_run=True))
        await asyncio.wait([counting], timeout=0.01)
        counting.cancel()
        await asyncio.wait([counting])
        assert counting.cancelled()
        assert capsys.readouterr().err == ""
        writing = asyncio.ensure_future(import_file(desk, await desk.imports.recognize(first)))
        await asyncio.wait([writing], timeout=0.01)
        writing.cancel()
        await asyncio.wait([writing])
        assert "The import of first.csv was stopped" in capsys.readouterr().err


def test_the_doctor_examines_what_does_not_even_open(tldesk: Runner, data_dir: Path) -> None:
    (data_dir / "tldesk.sqlite").write_bytes(os.urandom(5000))
    (data_dir / "settings.json").write_text("{x", encoding="utf-8")
    ran = tldesk("doctor", "--json")
    failed = {check["name"]: check["detail"] for check in ran.json["checks"] if not check["ok"]}
    assert ran.code == 1
    assert "damaged" in failed["database"]
    assert "settings" in failed


def test_another_programs_database_is_left_alone(tldesk: Runner, data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "tldesk.sqlite")) as connection:
        connection.execute("CREATE TABLE ticket (x)")
    ran = tldesk("list")
    assert (ran.code, "database of another program" in ran.err) == (4, True)


@pytest.mark.skipif(sys.platform != "linux", reason="Windows and macOS always have a display")
def test_without_a_display_the_window_says_so(data_dir: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "desktop", "--data-dir", str(data_dir)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no display" in done.stderr


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ("next_owner=support", "customer, agent, other, nobody, any"),
        ("sentiment=happy", "angry, worried, neutral, pleased, any"),
        ("has_open_questions=maybe", "yes, no"),
    ],
)
def test_a_word_that_no_summary_says_is_refused_with_those_that_one_can(
    tldesk: Runner, condition: str, allowed: str
) -> None:
    ran = tldesk("list", "--where", condition)
    assert (ran.code, f"Use one of: {allowed}." in ran.err) == (2, True)


def test_what_summaries_say_is_asked_for_by_the_names_that_json_has(tldesk: Runner, export: Path) -> None:
    tldesk("import", str(export))
    for condition in ("next_owner=", "sentiment=", "deadline="):
        assert tldesk("list", "--where", condition, "--json").json["total"] == 2
    for condition in ("next_owner=Agent", "sentiment=any", "has_open_questions=yes"):
        assert tldesk("list", "--where", condition, "--json").json["total"] == 0
    assert tldesk("list", "--sort", "has_open_questions", "--json").json["total"] == 2
    with ScriptedServer(
        good_stream("Gist: Charged twice. [m1.1]\nOpen questions: Why was the customer charged €49.00 twice? [m1.1]\n")
    ) as server:
        tldesk("providers", "add", "mine", "--base-url", server.base_url, "--model", "m", "--default")
        tldesk("summarize", "T-2")
    for name in ("open_questions", "has_open_questions"):
        (ticket,) = tldesk("list", "--where", f"{name}=yes", "--json").json["tickets"]
        assert (ticket["external_id"], ticket["has_open_questions"]) == ("T-2", True)
