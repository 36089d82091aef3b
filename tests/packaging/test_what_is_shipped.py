"""What a user gets: the wheel, the lock, and the top of the repository.

The wheel is built here, offline, from this checkout, and then used from where it was unpacked. The bundle is checked by itself
(`make bundle`), because building it takes minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import desktop
from desktop.cli import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
ALLOWED_AT_THE_TOP = {
    *(
        ".ci",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "build.spec",
        "pyproject.toml",
        "requirements.lock",
    ),
    *("benchmarks", "desktop", "docs", "prompts", "resources", "tests"),
}


def run(*command: str, cwd: Path = REPOSITORY) -> str:
    """Run a command and return what it printed; a failure shows everything it said."""
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, timeout=300, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def tracked_files(*folders: str) -> list[str]:
    """List what is committed or about to be, by paths from the top."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders).splitlines()
    return [name for name in listed if (REPOSITORY / name).is_file()]


def locked_packages() -> dict[str, list[tuple[str, str]]]:
    """Read the lock: for each package, its pinned requirement and the text of its hashes, one pair for each version."""
    packages: dict[str, list[tuple[str, str]]] = {}
    for entry in re.split(r"\n(?=\S)", LOCK.strip()):
        pin, _, hashes = entry.partition("\\")
        packages.setdefault(canonicalize_name(Requirement(pin).name), []).append((pin.strip(), hashes))
    return packages


def declared_requirements() -> list[Requirement]:
    """List what pyproject.toml asks for to run, to develop and to build, without the project's own extras."""
    project = PROJECT["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    texts = [*project["dependencies"], *extras, *PROJECT["build-system"]["requires"]]
    return [wanted for wanted in map(Requirement, texts) if wanted.name != project["name"]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release would."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_every_resource_and_recipe(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"desktop/_data/{name}" for name in tracked_files("resources", "prompts")}
    assert wanted
    assert wanted <= inside


def test_the_wheel_carries_no_tests_and_no_tools(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"desktop", f"tldesk-{desktop.__version__}.dist-info"}


def test_the_wheel_says_its_version_licence_and_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    info = f"tldesk-{desktop.__version__}.dist-info"
    metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["Version"]) == ("tldesk", desktop.__version__)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert archive.read(f"{info}/licenses/LICENSE") == (REPOSITORY / "LICENSE").read_bytes()
    assert "tldesk = desktop.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()


def test_the_installed_wheel_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, '.'); from desktop.config.paths import find_paths; paths = find_paths();"
        "print(paths.sample.resolve()); print((paths.prompts / 'summarize.md').resolve())"
    )
    found = [Path(line) for line in run(sys.executable, "-c", code, cwd=tmp_path).splitlines()]
    assert [file.is_file() for file in found] == [True, True]
    assert all(file.is_relative_to(tmp_path.resolve()) for file in found)


def test_the_changelog_tells_of_this_version() -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert desktop.__version__ in headings


def test_the_licence_is_apache_2() -> None:
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_lock_holds_no_addresses() -> None:
    assert not re.search(r"\w+://|@ ", LOCK)


def test_every_locked_package_is_pinned_and_has_hashes() -> None:
    for pin, hashes in chain.from_iterable(locked_packages().values()):
        assert re.fullmatch(r"[\w.-]+==[\w.!+]+( ; .+)?", pin), pin
        lines = [line.strip(" \\") for line in hashes.strip().splitlines()]
        assert lines, f"{pin} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines), pin


@pytest.mark.parametrize("wanted", declared_requirements(), ids=str)
def test_the_lock_meets_what_the_project_asks_for(wanted: Requirement) -> None:
    pins = [Requirement(pin) for pin, _ in locked_packages().get(canonicalize_name(wanted.name), [])]
    assert pins, f"{wanted.name} is not in requirements.lock: run make lock"
    for pin in pins:
        (version,) = pin.specifier
        assert wanted.specifier.contains(version.version, prereleases=True), f"{pin} is locked: run make lock"


def test_nothing_strange_lies_at_the_top_of_the_repository() -> None:
    assert {name.partition("/")[0] for name in tracked_files()} <= ALLOWED_AT_THE_TOP


def test_the_continuous_check_is_make_test_and_nothing_else() -> None:
    lines = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make test"]


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md", "CHANGELOG.md", "benchmarks/README.md"])
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in targets if not (REPOSITORY / page).parent.joinpath(target).is_file()] == []


def test_the_readme_names_commands_and_targets_that_exist() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"(?:^|`)tldesk ([a-z]+) ", text, re.MULTILINE)) <= set(COMMANDS)
