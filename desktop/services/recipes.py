"""Recipes: prompts as versioned files.

A recipe is one Markdown file in `prompts/`: TOML front matter between `+++` lines (name, version, task, sections, few-shot examples), then
the system prompt. A recipe's identity for the cache is its name, version and the hash of the whole file, so an edited file never serves an old
text. It does not call a model.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import DeskError


@dataclass(frozen=True, slots=True)
class Example:
    """One few-shot example: a thread as it is sent, and the answer that is wanted."""

    thread: str
    summary: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe as read from its file."""

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


def load_recipe(folder: Path, name: str) -> Recipe:
    """Read one recipe by name.

    Raises:
        DeskError: `recipe-missing` or `recipe-broken`, naming the file and what is wrong with it.
    """
    path = folder / f"{name}.md"
    if not name.replace("-", "").replace("_", "").isalnum() or not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.md")))
        raise DeskError(
            "recipe-missing", f"There is no recipe named “{name}” in {folder}.", remedy=f"Use one of: {known}."
        )
    text = path.read_text(encoding="utf-8")
    try:
        opening, front, body = text.split("+++\n", 2)
        values = tomllib.loads(front)
        if opening.strip():
            raise ValueError("the first line must be +++")
        return Recipe(
            name=str(values["name"]),
            version=int(values["version"]),
            task=str(values["task"]),
            description=str(values["description"]),
            sections=tuple(str(s) for s in values["sections"]),
            prompt=body.strip(),
            examples=tuple(Example(e["thread"].strip(), e["summary"].strip()) for e in values.get("few_shot", [])),
            max_tokens=int(values.get("max_tokens", 700)),
            temperature=float(values["temperature"]) if "temperature" in values else None,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            path=path,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeskError(
            "recipe-broken",
            f"The recipe {path} cannot be used: {error}.",
            remedy="Mend its front matter or restore the shipped file.",
        ) from None
