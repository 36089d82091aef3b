"""Paths: the user's data in one private folder, the program's own files wherever it runs from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desktop.config.paths import find_paths, make_folders
from desktop.domain.errors import DeskError


def test_the_environment_names_the_data_folder_and_an_argument_goes_before_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TLDESK_DATA_DIR", str(tmp_path / "a"))
    assert find_paths().data_dir == tmp_path / "a"
    assert find_paths(tmp_path / "b").data_dir == tmp_path / "b"


def test_the_programs_files_are_there() -> None:
    paths = find_paths()
    assert paths.sample.is_file()
    assert (paths.prompts / "summarize.md").is_file()
    assert list(paths.systems.glob("*.toml"))


def test_folders_are_private(tmp_path: Path) -> None:
    paths = find_paths(tmp_path / "deep" / "data")
    make_folders(paths)
    assert paths.logs.is_dir()
    if sys.platform != "win32":  # Windows has no modes; there the profile's own rights apply
        assert paths.data_dir.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DeskError, match=r"data folder .* cannot be used"):
        make_folders(find_paths(tmp_path / "data"))
