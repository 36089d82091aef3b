"""Settings: declared once, written whole, never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.config.settings import SETTINGS, Settings
from desktop.domain.errors import DeskError


def test_a_changed_setting_is_there_after_a_restart(data_dir: Path) -> None:
    path = data_dir / "settings.json"
    Settings(path).set("appearance", "dark")
    assert Settings(path).get("appearance") == "dark"


def test_only_what_differs_from_the_defaults_is_written(data_dir: Path) -> None:
    path = data_dir / "settings.json"
    settings = Settings(path)
    settings.set("appearance", "dark")
    settings.set("auto_summarize", "never")
    settings.set("appearance", "system")
    assert json.loads(path.read_text(encoding="utf-8")) == {"auto_summarize": "never"}


def test_a_broken_file_is_kept_aside_and_said(data_dir: Path) -> None:
    path = data_dir / "settings.json"
    path.write_text('{"appearance": "da', encoding="utf-8")
    settings = Settings(path)
    assert settings.get("appearance") == "system"
    (aside,) = data_dir.glob("settings.broken-*.json")
    assert aside.name in settings.warning
    assert aside.read_text(encoding="utf-8") == '{"appearance": "da'
    path.write_text("{again", encoding="utf-8")
    assert Settings(path).get("appearance") == "system"
    assert len(list(data_dir.glob("settings.broken-*.json"))) == 2, "the first rescue was overwritten"


def test_a_value_outside_the_choices_is_refused_and_an_odd_one_in_the_file_is_ignored(data_dir: Path) -> None:
    path = data_dir / "settings.json"
    path.write_text('{"appearance": "purple", "providers": 7}', encoding="utf-8")
    settings = Settings(path)
    assert settings.get("appearance") == "system"
    assert settings.get("providers") == []
    with pytest.raises(DeskError, match=r"system, light, dark"):
        settings.set("appearance", "purple")


def test_every_setting_explains_itself() -> None:
    assert all(setting.help.endswith(".") for setting in SETTINGS)


def test_what_another_program_wrote_is_seen_and_kept(tmp_path: Path) -> None:
    window, command = Settings(tmp_path / "settings.json"), Settings(tmp_path / "settings.json")
    window.set("appearance", "dark")
    command.set("providers", [{"name": "work"}])
    window.set("window", {"geometry": "x"})
    assert (window.get("providers"), command.get("appearance")) == ([{"name": "work"}], "dark")
    again = Settings(tmp_path / "settings.json")
    assert (again.get("appearance"), again.get("providers"), again.get("window")) == (
        "dark",
        [{"name": "work"}],
        {"geometry": "x"},
    )


@pytest.mark.parametrize("value", ["true", "yes", 1, "on", None, []])
def test_a_lock_that_is_no_plain_false_holds(tmp_path: Path, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"local_only": value}))
    settings = Settings(path)
    assert settings.get("local_only") is True
    assert "local_only" in settings.warning


def test_a_lock_outlives_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"local_only": true, "providers": [')
    settings = Settings(path)
    assert settings.get("local_only") is True
    assert "The lock to this machine stays." in settings.warning
    assert Settings(path).get("local_only") is True
    path.write_text('{"local_only": false, "providers": [')
    assert Settings(path).get("local_only") is False


def test_values_that_cannot_be_used_are_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"providers": 5, "max_cost_day": "abc", "max_cost_run": true, "summary_tone": "loud", "strictness": "strict"}'
    )
    settings = Settings(path)
    assert all(name in settings.warning for name in ("providers", "max_cost_day", "max_cost_run", "summary_tone"))
    assert "strictness" not in settings.warning
    assert settings.get("max_cost_run") == 0.0
