"""Paths: where the user's data lies and where the program's own files are.

The data folder holds everything of the user's: database, backups, logs, settings, rejected rows. The program's own files (`resources/`,
`prompts/`) lie beside the package in a checkout, inside it in a wheel, and at the unpacked root in a bundle.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from desktop.domain.errors import DeskError

DATA_DIR_VARIABLE = "TLDESK_DATA_DIR"


@dataclass(frozen=True, slots=True)
class Paths:
    """Every place the program reads or writes."""

    data_dir: Path
    resources: Path
    prompts: Path

    @property
    def database(self) -> Path:
        return self.data_dir / "tldesk.sqlite"

    @property
    def settings(self) -> Path:
        return self.data_dir / "settings.json"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def rejects(self) -> Path:
        return self.data_dir / "rejects"

    @property
    def recipes(self) -> Path:
        return self.data_dir / "recipes"

    @property
    def prices(self) -> Path:
        return self.data_dir / "prices.toml"

    @property
    def secret(self) -> Path:
        return self.data_dir / "secret.bin"

    @property
    def systems(self) -> Path:
        return self.resources / "systems"

    @property
    def sample(self) -> Path:
        return self.resources / "samples" / "support-tickets.csv"


def find_paths(data_dir: Path | None = None) -> Paths:
    """Find all places: `data_dir` if given, else the environment's `TLDESK_DATA_DIR`, else the platform's own folder for data."""
    chosen = data_dir or _from_environment() or Path(platformdirs.user_data_dir("TLDesk", appauthor=False))
    root = _program_root()
    return Paths(data_dir=chosen.expanduser().absolute(), resources=root / "resources", prompts=root / "prompts")


def make_folders(paths: Paths) -> None:
    """Create the data folder (mode 0700) and those inside it.

    Raises:
        DeskError: `data-dir`, when the folder cannot be created or is a file.
    """
    try:
        for folder in (paths.data_dir, paths.logs, paths.rejects):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DeskError(
            "data-dir",
            f"The data folder {paths.data_dir} cannot be used: {error.strerror or error}.",
            remedy="Choose another folder with --data-dir or TLDESK_DATA_DIR.",
        ) from None


def _from_environment() -> Path | None:
    value = os.environ.get(DATA_DIR_VARIABLE, "")
    return Path(value) if value else None


def _program_root() -> Path:
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle:
        return Path(bundle)
    package = Path(__file__).resolve().parents[1]
    in_wheel = package / "_data"
    return in_wheel if in_wheel.is_dir() else package.parent
