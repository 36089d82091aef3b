"""Journals: many comments in one cell, and one comment with its date and author in one cell.

ServiceNow writes `2026-03-04 10:15:00 - Sam Ortiz (Work notes)` above each entry, newest first; other exports write
`[2026-03-04T10:15:00Z] Sam Ortiz: text`; OTRS writes `-->||customer||Sam Ortiz||2026-03-04 10:15:00||<--------------` and Bugzilla
`--- Comment #2 from Sam Ortiz <sam@example.com> 2026-03-04 10:15:00 CET ---`; Jira gives each comment a cell `date;author;text`, where the
text may hold semicolons itself. Deliberately not here: who the author is to the ticket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.ingest.dates import read_date

_DATE = r"\d[\d./-]{5,9}[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\.\d+)?(?: ?[AaPp]\.?[Mm]\.?)?(?:Z| ?[+-]\d\d:?\d\d)?"
_HEADED = re.compile(
    rf"^(?P<at>{_DATE}) - (?P<author>[^\n]{{1,120}}?) \((?P<kind>[^()\n]{{1,60}})\)[ \t]*$", re.MULTILINE
)
_BRACKETED = re.compile(rf"^\[(?P<at>{_DATE})\] (?P<author>[^:\n]{{1,80}}):(?P<kind>) ?", re.MULTILINE)
_TREE = re.compile(
    rf"^-->(?:\|\|)?(?:(?P<kind>[^|\n]{{0,60}})\|\|)??(?P<author>[^|\n]{{0,200}})\|\|(?P<at>{_DATE})(?:\|\|[^\n]*?)?<-+[ \t]*$",
    re.MULTILINE,
)
_RULED = re.compile(
    rf"^-{{3,}} *(?:Additional )?Comments?(?: #?\d+)?(?P<kind>) from (?P<author>[^\n]{{1,200}}?) (?P<at>{_DATE}(?: [A-Z]{{3,4}})?) *-{{3,}}[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_CELL = re.compile(r"(?P<at>[^;\n]{6,40});(?P<author>[^;\n]{0,120});(?P<text>.*)", re.DOTALL)
_INTERNAL_KINDS = re.compile(
    r"work ?notes|internal|private|arbeitsnotizen|interne|notas de trabajo|notas internas|notes de travail|notes internes",
    re.IGNORECASE,
)


OPENING = "opening"
"""The kind of what stands above the first heading of a journal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One comment as a cell held it. `created_at` is ISO 8601 UTC or ''; `is_contrary` when its date fits only the other order.

    `kind` is what the system calls its author or the comment.
    """

    author: str
    created_at: str
    text: str
    internal: bool = False
    is_contrary: bool = False
    kind: str = ""


def holds_journal(value: str) -> bool:
    """Tell whether a cell is a journal."""
    return _pattern_of(value) is not _BRACKETED or _BRACKETED.match(value.lstrip()) is not None


def _pattern_of(value: str) -> re.Pattern[str]:
    """Choose the make of headings that a cell has; brackets when it has none."""
    return next((pattern for pattern in (_HEADED, _TREE, _RULED) if pattern.search(value)), _BRACKETED)


def journal_dates(value: str) -> list[str]:
    """Return the dates of a journal's entries as they are written."""
    pattern = _pattern_of(value)
    return [match["at"] for match in pattern.finditer(value)]


def split_journal(value: str, date_order: str) -> list[Entry]:
    """Cut a journal into its entries, oldest first; a cell without any heading is one entry without author and time."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    pattern = _pattern_of(value)
    heads = list(pattern.finditer(value))
    if not heads:
        return [Entry("", "", value)] if value else []
    entries = []
    ends = [head.start() for head in heads[1:]] + [len(value)]
    for head, end in zip(heads, ends, strict=True):
        date = read_date(head["at"], date_order)
        text = value[head.end() : end].strip()
        kind = head["kind"] or ""
        is_internal = bool(_INTERNAL_KINDS.search(kind))
        entries.append(Entry(head["author"].strip(), date.text, text, is_internal, date.is_contrary, kind))
    lead = value[: heads[0].start()].strip()
    # Equal times keep the order of writing, so a journal that is written newest first is turned around before it is sorted.
    if entries[0].created_at >= entries[-1].created_at and pattern is _HEADED:
        entries.reverse()
    if lead:
        entries.insert(0, Entry("", "", lead, kind=OPENING))
    return entries


def split_comment(value: str, date_order: str) -> Entry:
    """Read one Jira comment cell; a cell of another make is all text."""
    match = _CELL.fullmatch(value.strip())
    if match:
        date = read_date(match["at"], date_order)
        if date.text:
            return Entry(match["author"].strip(), date.text, match["text"].strip(), is_contrary=date.is_contrary)
    return Entry("", "", value.strip())


def comment_date(value: str) -> str:
    """Return the date of a Jira comment cell as it is written, or ''."""
    match = _CELL.fullmatch(value.strip())
    return match["at"] if match else ""
