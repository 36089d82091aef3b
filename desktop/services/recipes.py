"""Recipes: prompts as versioned files.

A recipe is one Markdown file: TOML front matter between `+++` lines, then the instructions, in which the program fills placeholders
(`prompting.PLACEHOLDERS`). Those that come with the program lie in `prompts/`, the user's own in the data folder; an own one of the same name wins.
A recipe is told apart by its name, its version and the SHA-256 of its text, so an edited file never serves an old summary, and every text that was
ever used is kept beside the own ones: what a stored summary was asked for can be shown word for word. It does not call a model, and does not judge a
prompt: see `recipe_check`.

Front matter: `name`, `version`, `description`; `task` (`TASKS`); `audience` (`team`, or `customer`: internal notes are not even sent); `sections`, a
list of standard names or a table of names and what each holds; `max_tokens`, `temperature`; `[[few_shot]]` with `thread` and `summary`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.domain.errors import DeskError
from desktop.domain.sections import GIST

if TYPE_CHECKING:
    from desktop.services.recipe_check import Problem

SUFFIX = ".md"
FENCE = "+++\n"
TASKS = ("summarize", "gist", "incremental", "merge")
"""A summary from a whole thread; its one line alone; an earlier summary brought up to date; the summaries of a thread's parts made one."""
AUDIENCES = ("team", "customer")
DEFAULT_MAX_TOKENS = 700

_VERSIONS = ".versions"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
# Windows gives these to devices, with any suffix.
_DEVICES = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))))
_NAME_LINE = re.compile(r"^name\s*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One few-shot example: a thread as it is sent, and the answer that is wanted, in the lines form. `people` are those of a real ticket."""

    thread: str
    summary: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe as read from its file. `prompt` still has its placeholders; `is_own` when it is the user's; `digest` is the text's SHA-256."""

    name: str
    version: int
    task: str
    description: str
    sections: tuple[str, ...]
    prompt: str
    examples: tuple[Example, ...]
    max_tokens: int
    temperature: float | None
    digest: str
    path: Path
    audience: str = "team"
    is_own: bool = False
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each section holds, for those that the recipe says it of."""


class RecipeBook:
    """All recipes: those that came with the program, and the user's own."""

    def __init__(self, shipped: Path, own: Path) -> None:
        self._shipped = shipped
        self._own = own
        self._loaded: dict[str, tuple[tuple[int, ...], Recipe]] = {}

    def names(self) -> tuple[str, ...]:
        """Return the names of all recipes, sorted."""
        return tuple(sorted(_stems(self._shipped) | _stems(self._own)))

    def is_shipped(self, name: str) -> bool:
        """Tell whether the program brought a recipe of this name, whether or not an own one stands in its place."""
        return name in _stems(self._shipped)

    def own_names(self) -> frozenset[str]:
        """Return the names of the user's own."""
        return frozenset(_stems(self._own))

    def path(self, name: str) -> Path:
        """Return the file of a recipe.

        Raises:
            DeskError: `recipe-missing`.
        """
        for folder in (self._own, self._shipped):
            if name in _stems(folder):
                return folder / f"{name}{SUFFIX}"
        raise DeskError(
            "recipe-missing", f"There is no recipe named “{name}”.", remedy=f"Use one of: {', '.join(self.names())}."
        )

    def text(self, name: str) -> str:
        """Return the text of a recipe's file, whatever is in it.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken` when the file cannot be read.
        """
        return read_text(self.path(name))

    def load(self, name: str) -> Recipe:
        """Read one recipe, and keep its text for those who will ask what a summary was written by.

        Raises:
            DeskError: `recipe-missing` or `recipe-broken`, naming the file and what is wrong with it.
        """
        if (known := self.known(name)) is not None:
            return known
        stamp = self._stamp(name)
        recipe = self._read(name)
        # A folder that cannot be written to is no reason not to summarize.
        with contextlib.suppress(OSError):
            self._keep(name, read_text(recipe.path))
            self._loaded[name] = (stamp, recipe)
        return recipe

    def known(self, name: str) -> Recipe | None:
        """Return a recipe that was loaded before and is as it was, without reading it again: a hundred tickets a second ask for it."""
        stamp, recipe = self._loaded.get(name, ((), None))
        return recipe if recipe is not None and stamp == self._stamp(name) else None

    async def loaded(self, name: str) -> Recipe:
        """Return a recipe, read in another thread where it has to be read.

        Raises:
            DeskError: as `load`.
        """
        known = self.known(name)
        return known if known is not None else await asyncio.to_thread(self.load, name)

    def _stamp(self, name: str) -> tuple[int, ...]:
        """Return what tells whether a recipe's file changed, or another stands in front of it."""
        found: list[int] = []
        for folder in (self._own, self._shipped):
            try:
                file = os.stat(f"{folder}{os.sep}{name}{SUFFIX}")  # noqa: PTH116 - a path object costs as much again
            except OSError:
                found.append(0)
            else:
                found += (file.st_mtime_ns, file.st_size)
        return tuple(found)

    def all(self) -> tuple[Recipe, ...]:
        """Read all recipes that can be used, in the order of their names."""
        recipes: list[Recipe] = []
        for name in self.names():
            with contextlib.suppress(DeskError):
                recipes.append(self._read(name))
        return tuple(recipes)

    def check(self, name: str, text: str | None = None) -> tuple[Problem, ...]:
        """Return what is wrong with a recipe, or with a text that is to become the recipe of that name.

        Raises:
            DeskError: `recipe-missing`; never for a `text`.
        """
        # Here, because a check fills placeholders, and who fills them reads recipes.
        from desktop.services.recipe_check import check_file, check_recipe

        if text is None:
            return check_file(self.path(name))
        return check_recipe(text, self._own / f"{name}{SUFFIX}")

    def text_of(self, name: str, digest: str) -> str | None:
        """Return the text that a recipe had when its digest was this one; None when it was never used here."""
        places = [self._kept(name, digest), self._own / f"{name}{SUFFIX}", self._shipped / f"{name}{SUFFIX}"]
        for path in places if _is_name(name) else ():
            with contextlib.suppress(DeskError):
                if path.is_file() and digest_of(text := read_text(path)) == digest:
                    return text
        return None

    def save_own(self, name: str, text: str) -> Path:
        """Write a recipe of the user's, whole or not at all, and return its file. What is wrong with it does not keep it from being written.

        Raises:
            DeskError: `recipe-name-bad`; `recipe-unwritable`.
        """
        if not _is_name(name):
            raise DeskError(
                "recipe-name-bad",
                f"A recipe cannot be named “{name}”.",
                remedy="Use lower-case letters, digits, - and _, at most 40.",
            )
        path = self._own / f"{name}{SUFFIX}"
        try:
            if name in _stems(self._own):
                self._keep(name, read_text(path))
            _write(path, text)
            self._keep(name, read_text(path))
        except OSError as error:
            raise DeskError(
                "recipe-unwritable",
                f"The recipe {path} cannot be written: {error.strerror or error}.",
                remedy="Make room or choose another data folder.",
            ) from None
        return path

    def remove_own(self, name: str) -> bool:
        """Remove a recipe of the user's; where it stood in front of a shipped one, that one counts again. False when there was none.

        Raises:
            DeskError: `recipe-unwritable`.
        """
        if name not in _stems(self._own):
            return False
        path = self._own / f"{name}{SUFFIX}"
        try:
            self._keep(name, read_text(path))
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DeskError(
                "recipe-unwritable",
                f"The recipe {path} cannot be removed: {error.strerror or error}.",
                remedy="Close the program that holds it.",
            ) from None
        return True

    def copy_of(self, source: str, name: str) -> str:
        """Return the text of a recipe as one of another name would begin.

        Raises:
            DeskError: `recipe-missing`, `recipe-broken` when the file cannot be read.
        """
        return renamed(self.text(source), name)

    def _read(self, name: str) -> Recipe:
        path = self.path(name)
        return parse_recipe(read_text(path), path, is_own=path.parent == self._own)

    def _keep(self, name: str, text: str) -> None:
        path = self._kept(name, digest_of(text))
        if not path.is_file():
            _write(path, text)

    def _kept(self, name: str, digest: str) -> Path:
        return self._own / _VERSIONS / f"{name}-{digest[:8]}{SUFFIX}"


def parse_recipe(text: str, path: Path, *, is_own: bool = False) -> Recipe:
    """Read a recipe's text. It is known by its file's name, whatever name stands inside.

    Raises:
        DeskError: `recipe-broken`, naming the file and what is wrong with it.
    """
    try:
        front, body = split_front_matter(text)
        values = tomllib.loads(front)
        sections, meanings = _sections(values["sections"])
        return Recipe(
            name=path.stem,
            version=int(values["version"]),
            task=_one_of(TASKS, values.get("task", TASKS[0]), "task"),
            audience=_one_of(AUDIENCES, values.get("audience", AUDIENCES[0]), "audience"),
            description=" ".join(str(values["description"]).split()),
            sections=sections,
            meanings=meanings,
            prompt=body.strip(),
            examples=tuple(Example(e["thread"].strip(), e["summary"].strip()) for e in values.get("few_shot", [])),
            max_tokens=_tokens(values.get("max_tokens", DEFAULT_MAX_TOKENS)),
            temperature=float(values["temperature"]) if "temperature" in values else None,
            digest=digest_of(text),
            path=path,
            is_own=is_own,
        )
    except KeyError as error:
        reason = f"{error.args[0]} is missing in its front matter"
    except (ValueError, TypeError, AttributeError) as error:
        reason = str(error)
    raise DeskError(
        "recipe-broken",
        f"The recipe {path} cannot be used: {reason}.",
        remedy="Mend its front matter, or remove it and use the shipped one.",
    )


def with_sections_of(recipe: Recipe, other: Recipe) -> Recipe:
    """Return a recipe that asks for another one's sections, for the same readers: how *incremental* and *merge* serve every recipe."""
    return replace(recipe, sections=other.sections, meanings=other.meanings, audience=other.audience)


def split_front_matter(text: str) -> tuple[str, str]:
    """Cut a recipe's text into front matter and body.

    Raises:
        ValueError: the two `+++` lines are not there.
    """
    opening, found, rest = text.partition(FENCE)
    if not found or opening.strip():
        raise ValueError("the first line must be +++")
    # A line of its own, not the end of an example's text.
    front, found, body = f"\n{rest}".partition(f"\n{FENCE}")
    if not found:
        raise ValueError("the front matter does not end with a line of +++")
    return front[1:] + "\n", body


def read_text(path: Path) -> str:
    """Read a recipe's file, with line ends as they are counted everywhere.

    Raises:
        DeskError: `recipe-broken`.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeskError(
            "recipe-broken",
            f"The recipe {path} is not UTF-8 text (byte {error.start + 1:,}).",
            remedy="Save it as UTF-8 text, or remove it.",
        ) from None
    except OSError as error:
        raise DeskError(
            "recipe-broken",
            f"The recipe {path} cannot be read: {error.strerror or error}.",
            remedy="Make it readable, or remove it.",
        ) from None


def digest_of(text: str) -> str:
    """Return the SHA-256 of a recipe's text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def renamed(text: str, name: str) -> str:
    """Return a recipe's text with another name in its front matter."""
    return _NAME_LINE.sub(f'name = "{name}"', text, count=1)


def _sections(value: Any) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the names of the sections, and what is said of them; the gist is always there and never one of them."""
    if isinstance(value, dict):
        meanings = {" ".join(str(name).split()): " ".join(str(meaning).split()) for name, meaning in value.items()}
        return tuple(name for name in meanings if name != GIST), meanings
    if not isinstance(value, list):
        raise TypeError("sections must be a list or a table")
    return tuple(name for name in dict.fromkeys(" ".join(str(v).split()) for v in value) if name != GIST), {}


def _one_of(allowed: tuple[str, ...], value: Any, what: str) -> str:
    if value not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _tokens(value: Any) -> int:
    if not 16 <= int(value) <= 32_000:
        raise ValueError(f"max_tokens must be between 16 and 32000, not {value}")
    return int(value)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _DEVICES


def _stems(folder: Path) -> set[str]:
    try:
        return {path.stem for path in folder.glob(f"*{SUFFIX}") if _is_name(path.stem)}
    except OSError:
        return set()


def _write(path: Path, text: str) -> None:
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text if text.endswith("\n") else text + "\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
