"""Recipe check: what is wrong with a recipe before a model is asked: broken front matter, placeholders, sections, examples, length, contradictions.

It reads the text only, the same text always gives the same problems, and it knows no more than is written here. Two rules contradict each other when
each is recognized by a pattern below and the two stand in one recipe (`_PAIRS`, `_EXCLUSIVE`), or one of them and what the program puts in for a
placeholder (`_FILLED`). A pattern with *no*, *not*, *never*, *without*, *avoid* or *don't* shortly before it does not count. What it does not see:
contradictions in other words, in other languages than English, or between examples and rules.

| found | with |
| --- | --- |
| at most N words or sentences | in detail, thorough; at least more than N of the same; `{{length}}` when that asks for the opposite |
| brief, short, one sentence | in detail, thorough; at least N words, sentences or paragraphs |
| answer in one language | answer in another one; `{{language}}` |
| one of bullets, table, paragraph, essay, Markdown, JSON, XML, HTML, YAML | another one of them; `{{form}}` |
| no citations, no ids | cite; `{{rules}}`, which asks for them |
| advise, suggest, guess, speculate | only what the ticket says, which `{{rules}}` asks for |
| formal | friendly, casual; `{{tone}}` |
| internal notes | `audience = "customer"`, to whom they are not sent |
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.languages import LANGUAGES
from desktop.domain.sections import GIST, STANDARD_SECTIONS
from desktop.services.prompting import (
    PLACEHOLDERS,
    REQUIRED_PLACEHOLDERS,
    AnswerForm,
    Style,
    fixed_messages,
    split_lines_form,
)
from desktop.services.recipes import FENCE, Example, Recipe, parse_recipe, read_text, split_front_matter

SMALLEST_CONTEXT_TOKENS = 6_000
"""What the built-in model takes, the smallest that a recipe must fit."""
LEAST_TICKET_SHARE = 1 / 3
"""Of the smallest context, what must be left for the ticket."""
_CHARACTERS_A_TOKEN = 4

_ALONE = ("sections", "rules")
_ANY_PLACEHOLDER = re.compile(r"\{\{([^{}\n]*)\}\}")
_HALF_PLACEHOLDER = re.compile(
    rf"\{{\{{[^{{}}\n]*$|^[^{{}}\n]*\}}\}}|(?<!\{{)\{{(?:{'|'.join(PLACEHOLDERS)})\}}(?!\}})", re.MULTILINE
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_NEGATED = re.compile(r"\b(?:no|not|never|without|avoid|don't|do not|nor)\b(?:\W+\w+){0,2}\W*$", re.IGNORECASE)
_CITED = re.compile(r"\[(m\d+(?:\.\d+)?)\]")
_HEAD = re.compile(r"^(m\d+) ·", re.MULTILINE)
_TOML_LINE = re.compile(r"at line (\d+)")
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_NUMBER = r"(?P<n>\d+|" + "|".join(_COUNTS) + r")"
_UNIT = r"\s+(?P<unit>word|sentence|paragraph|line)s?"
_FORMATS = "bullet|bulleted|table|paragraph|essay|markdown|json|xml|html|yaml"
_TONGUES = "|".join(LANGUAGES.values())

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("most", rf"\b(?:at most|no more than|not more than|maximum(?: of)?|up to|within|under|fewer than|limit\w* to) {_NUMBER}{_UNIT}"),
        ("most", rf"\b{_NUMBER}{_UNIT} (?:at most|or (?:less|fewer)|maximum)"),
        ("least", rf"\b(?:at least|no fewer than|no less than|minimum(?: of)?|more than) {_NUMBER}{_UNIT}"),
        ("least", rf"\b{_NUMBER}{_UNIT} (?:at least|or more|minimum)"),
        ("long", r"\b(?:in (?:great |full )?detail|detailed|thorough(?:ly)?|comprehensive(?:ly)?|exhaustive(?:ly)?|at length|elaborate)\b"),
        ("short", r"\b(?:be brief|briefly|be concise|concisely|very short|in one sentence|a single sentence|as short as possible)\b"),
        ("language", rf"\b(?:answer|write|reply|respond|summarize)\b[^.!?\n]{{0,40}}? in (?P<value>{_TONGUES})\b"),
        ("language", rf"\balways (?:use )?(?P<value>{_TONGUES})\b"),
        ("format", rf"\b(?:as|in|use|with|write|return|output|answer)\b[^.!?\n]{{0,30}}?\b(?P<value>{_FORMATS})s?\b"),
        ("cite", r"\bcite\b|\b(?:give|name|add|with|keep) (?:the |all )?(?:ids|citations|sources)\b"),
        ("advise", r"\b(?:(?:give|add|offer) (?:\w+ )?(?:advice|recommendations?|suggestions?)|use your (?:own )?knowledge)\b"),
        ("advise", r"\b(?:advise|recommend|suggest (?:a|an|the|how|what)|guess|speculate)\b"),
        ("faithful", r"\bonly what (?:the|a|this) (?:ticket|message|thread)\w* says?\b"),
        ("formal", r"\bformal(?:ly)?\b"),
        ("casual", r"\b(?:friendly|casual(?:ly)?|informal(?:ly)?|chatty|warm)\b"),
        ("notes", r"\binternal notes?\b"),
    )
)  # fmt: skip
_NO_CITATIONS = re.compile(
    r"\b(?:no|without|omit|drop|leave out|do not (?:write|add|give)|don't (?:write|add|give)|never (?:write|add|give))"
    r"(?: \w+){0,2} (?:citations?|ids|references to sentences)\b|\b(?:do not|don't|never) cite\b",
    re.IGNORECASE,
)
_PAIRS = (
    ("most", "long"),
    ("short", "long"),
    ("short", "least"),
    ("cite", "no citations"),
    ("advise", "faithful"),
    ("formal", "casual"),
)
_LEAST_WORDS = {"sentence": 5, "paragraph": 20}
"""What the shortest of them has in words."""
_EXCLUSIVE = {"language": "two languages", "format": "two forms of the answer"}
_FILLED = {
    "language": ("language", "the user's choice of a language is put in there too"),
    "format": ("form", "the form of the answer is put in there, as the provider understands it best"),
    "no citations": ("rules", "the rules that are put in there ask for a citation of every sentence"),
    "advise": ("rules", "the rules that are put in there allow only what the ticket says"),
    "formal": ("tone", "the user's choice of a tone is put in there too"),
    "casual": ("tone", "the user's choice of a tone is put in there too"),
    "most": ("length", "the user's choice of a length is put in there too"),
    "least": ("length", "the user's choice of a length is put in there too"),
    "long": ("length", "the user's choice of a length is put in there too"),
    "short": ("length", "the user's choice of a length is put in there too"),
}

_NEEDED_FOR = {
    "form": "without it the answer comes in no form that can be read",
    "sections": "without it the model does not know what to write",
    "rules": "without it sentences come without citations, and a ticket's own instructions may be followed",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a recipe: where (`line` counts from 1), the words it is about, what is wrong in one sentence, and what to do.

    `start` is where `quote` begins in its line, -1 when it is about the whole line.
    """

    path: Path
    line: int
    quote: str
    sentence: str
    remedy: str
    start: int = -1


@dataclass(frozen=True, slots=True)
class _Statement:
    """Something a recipe asks for: its kind, its value if it has one, and where it stands in the file's text."""

    kind: str
    value: str
    quote: str
    at: int


def check_file(path: Path) -> tuple[Problem, ...]:
    """Return everything that is found wrong with a recipe's file; that it cannot be read is found too."""
    try:
        text = read_text(path)
    except DeskError as error:
        return (Problem(path, 1, "", error.message, error.remedy),)
    return check_recipe(text, path)


def check_recipe(text: str, path: Path) -> tuple[Problem, ...]:
    """Return everything that is found wrong with a recipe's text, in the order of its lines; nothing when it can be used as it is."""
    text = text.replace("\r\n", "\n")
    try:
        recipe = parse_recipe(text, path)
    except DeskError as error:
        return (_broken(text, path, error),)
    body_at = len(text) - len(split_front_matter(text)[1])
    found = [
        *_check_front_matter(recipe, text),
        *_check_placeholders(recipe, text, body_at),
        *_check_examples(recipe, text),
        *_check_length(recipe),
        *_check_rules(recipe, text, body_at),
    ]
    return tuple(sorted(found, key=lambda problem: (problem.line, problem.start)))


def _broken(text: str, path: Path, error: DeskError) -> Problem:
    line, reason = 1, error.message
    try:
        front, _ = split_front_matter(text)
        tomllib.loads(front)
    except tomllib.TOMLDecodeError as fault:
        place = _TOML_LINE.search(str(fault))
        # Its first line is the second of the file.
        line = int(place[1]) + 1 if place else 2
    except ValueError:
        if text.startswith(FENCE):
            line = text.count("\n") or 1
    else:
        named = re.search(r": (\w+)", reason.rpartition(" cannot be used")[2])
        found = re.search(rf"^{named[1]}\s*=", text, re.MULTILINE) if named else None
        line = text[: found.start()].count("\n") + 1 if found else 2
    return Problem(path, line, _line_of(text, line), reason, error.remedy)


def _check_front_matter(recipe: Recipe, text: str) -> Iterator[Problem]:
    name = tomllib.loads(split_front_matter(text)[0]).get("name")
    if name != recipe.name:
        yield _at(
            recipe.path, text, _find(text, r"^name\s*="), str(name or ""),
            f"The name inside is “{name}”, but the file is named {recipe.path.name}.",
            f'Write: name = "{recipe.name}"',
        )  # fmt: skip
    if not recipe.sections and recipe.task != "gist":
        yield _at(
            recipe.path, text, _find(text, r"^(?:sections|\[sections)"), "sections",
            "It has no sections.", 'Name some, for example sections = ["Problem", "Next step"].',
        )  # fmt: skip
    if recipe.sections and recipe.task == "gist":
        yield _at(
            recipe.path, text, _find(text, r"^(?:sections|\[sections)"), "sections",
            "The task gist has one line and no sections.", 'Write sections = [], or task = "summarize".',
        )  # fmt: skip
    for section in recipe.sections:
        if section not in STANDARD_SECTIONS and not recipe.meanings.get(section):
            yield _at(
                recipe.path, text, text.find(section), section,
                f"Nothing says what “{section}” holds, and it is none of the standard sections.",
                f'Say it in a table: under [sections], "{section}" = "what it holds". Standard are: {", ".join(STANDARD_SECTIONS)}.',
            )  # fmt: skip


def _check_placeholders(recipe: Recipe, text: str, body_at: int) -> Iterator[Problem]:
    seen: set[str] = set()
    for found in _ANY_PLACEHOLDER.finditer(text, body_at):
        name = found[1].strip()
        if name not in PLACEHOLDERS:
            yield _at(
                recipe.path, text, found.start(), found[0],
                f"There is no placeholder {found[0]}; it would be sent as it is.",
                "Use one of: " + ", ".join(f"{{{{{each}}}}}" for each in PLACEHOLDERS) + ".",
            )  # fmt: skip
        elif name in seen:
            yield _at(
                recipe.path, text, found.start(), found[0],
                f"{found[0]} stands there twice.", "Remove one of them.",
            )  # fmt: skip
        elif name in _ALONE and _line_of(text, _line_at(text, found.start())) != found[0]:
            yield _at(
                recipe.path, text, found.start(), found[0],
                f"{found[0]} becomes several lines, and other words stand on its line.", "Put it on a line of its own.",
            )  # fmt: skip
        seen.add(name)
    for found in _HALF_PLACEHOLDER.finditer(text, body_at):
        yield _at(
            recipe.path, text, found.start(), found[0].strip(),
            "This looks like a placeholder and is none.", "Write two braces on each side: {{sections}}.",
        )  # fmt: skip
    for name in REQUIRED_PLACEHOLDERS:
        if name not in seen:
            yield _at(
                recipe.path, text, body_at, "",
                f"{{{{{name}}}}} is missing: {_NEEDED_FOR[name]}.", f"Put {{{{{name}}}}} on a line of the instructions.",
            )  # fmt: skip


def _check_examples(recipe: Recipe, text: str) -> Iterator[Problem]:
    begin = 0
    for number, example in enumerate(recipe.examples, 1):
        begin = max(begin, text.find("[[few_shot]]", begin))
        at = text.find(example.summary.splitlines()[0], begin) if example.summary else begin
        yield from _check_example(recipe, text, example, number, max(at, begin))
        begin = max(at, begin) + 1


def _check_example(recipe: Recipe, text: str, example: Example, number: int, at: int) -> Iterator[Problem]:
    values = split_lines_form(example.summary)
    for name in (GIST, *recipe.sections):
        if name not in values:
            yield _at(
                recipe.path, text, at, "",
                f"The answer of example {number} has no line “{name}:”; it would not be sent.",
                f"Add the line “{name}: …”, or “{name}: Not in the ticket”.",
            )  # fmt: skip
    for name in values:
        if name not in (GIST, *recipe.sections):
            yield _at(
                recipe.path, text, text.find(f"{name}:", at), name,
                f"The answer of example {number} has a section “{name}” that the recipe has not.",
                "Remove the line, or name the section in sections.",
            )  # fmt: skip
    there = {*_CITED.findall(example.thread), *_HEAD.findall(example.thread)}
    for found in _CITED.finditer(example.summary):
        if found[1] not in there:
            yield _at(
                recipe.path, text, text.find(found[0], at), found[0],
                f"The answer of example {number} cites {found[0]}, and its thread has no such sentence.",
                "Cite a sentence that is there: a model learns from this to make ids up.",
            )  # fmt: skip


def _check_length(recipe: Recipe) -> Iterator[Problem]:
    parts = fixed_messages(recipe, sections=recipe.sections, style=Style(), form=AnswerForm.LINES, secret=b"")
    tokens = sum(len(part.content) for part in parts) // _CHARACTERS_A_TOKEN
    most = int(SMALLEST_CONTEXT_TOKENS * (1 - LEAST_TICKET_SHARE))
    if tokens + recipe.max_tokens > most:
        yield Problem(
            recipe.path, 1, "",
            f"It takes about {tokens:,} tokens, and {recipe.max_tokens:,} for the answer: a model that takes"
            f" {SMALLEST_CONTEXT_TOKENS:,}, as the built-in one does, has too little room left for a ticket.",
            f"Shorten the instructions, examples or max_tokens by {tokens + recipe.max_tokens - most:,} tokens.",
        )  # fmt: skip


def _check_rules(recipe: Recipe, text: str, body_at: int) -> Iterator[Problem]:
    statements = list(_statements(text, body_at))
    filled = {found[1].strip() for found in _ANY_PLACEHOLDER.finditer(text, body_at)}
    for place, later in enumerate(statements):
        opposed = [(each, reason) for each in statements[:place] if (reason := _contradict(each, later))]
        for earlier, reason in opposed:
            yield _at(
                recipe.path, text, later.at, later.quote,
                f"“{later.quote}” contradicts “{earlier.quote}” in line {_line_at(text, earlier.at)}: {reason}.",
                "Keep one of the two.",
            )  # fmt: skip
        placeholder, why = _FILLED.get(later.kind, ("", ""))
        if placeholder in filled and not opposed:
            yield _at(
                recipe.path, text, later.at, later.quote,
                f"“{later.quote}” may contradict {{{{{placeholder}}}}}: {why}.",
                f"Remove the rule{'' if placeholder in REQUIRED_PLACEHOLDERS else f' or {{{{{placeholder}}}}}'}.",
            )  # fmt: skip
        if later.kind == "notes" and recipe.audience == "customer":
            yield _at(
                recipe.path, text, later.at, later.quote,
                "It speaks of internal notes, which are not sent for customers.",
                'Remove the rule, or set audience = "team".',
            )  # fmt: skip


def _statements(text: str, body_at: int) -> Iterator[_Statement]:
    """Yield what a recipe's own sentences ask for, in their order."""
    for sentence in _SENTENCE.finditer(text, body_at):
        words = sentence[0]
        found_none = _NO_CITATIONS.search(words)
        if found_none:
            yield _Statement("no citations", "", found_none[0], sentence.start() + found_none.start())
        taken: set[str] = set()
        for kind, pattern in _RULES:
            found = pattern.search(words)
            if not found or kind in taken or _NEGATED.search(words[: found.start()]):
                continue
            if kind == "cite" and found_none:
                continue
            taken.add(kind)
            groups = found.groupdict()
            value = f"{groups['n']} {groups['unit']}" if groups.get("unit") else groups.get("value") or ""
            if kind == "format" and _NEGATED.search(words[: found.start("value")]):
                continue
            yield _Statement(kind, value.casefold(), found[0], sentence.start() + found.start())


def _contradict(one: _Statement, other: _Statement) -> str:
    """Say why two statements cannot both be followed; '' when they can."""
    if one.kind == other.kind and one.kind in _EXCLUSIVE and _format(one.value) != _format(other.value):
        return _EXCLUSIVE[one.kind]
    if (one.kind, other.kind) in _PAIRS or (other.kind, one.kind) in _PAIRS:
        return "they ask for the opposite"
    most, least = (one, other) if one.kind == "most" else (other, one)
    if (most.kind, least.kind) == ("most", "least"):
        (most_number, unit), (least_number, other_unit) = _amount(most.value), _amount(least.value)
        if unit == other_unit and least_number > most_number:
            return "the least is more than the most"
        if unit == "word" and least_number * _LEAST_WORDS.get(other_unit, 0) > most_number:
            return "so few words do not make so much text"
    return ""


def _format(value: str) -> str:
    return "bullet" if value == "bulleted" else value


def _amount(value: str) -> tuple[int, str]:
    number, unit = value.split()
    return _COUNTS.get(number) or int(number), unit


def _at(path: Path, text: str, at: int, quote: str, sentence: str, remedy: str) -> Problem:
    at = max(at, 0)
    line = _line_at(text, at)
    start = at - (text.rfind("\n", 0, at) + 1)
    return Problem(path, line, quote or _line_of(text, line), sentence, remedy, start if quote else -1)


def _find(text: str, pattern: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return found.start() if found else 0


def _line_at(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _line_of(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
