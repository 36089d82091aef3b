"""Jira's “Word” export: a `.doc` that is HTML, with a block of tables an issue, as rows with the columns of Jira's CSV.

A block begins with the heading `[KEY-1] Summary` and its dates; then come rows of a label and a value, the description, and the comments, each a row
with author and day above a row of text. Comments become cells `date;author;text`, as Jira's CSV has them. Deliberately not here: any other page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from desktop.ingest.pages import Cell, Page, PageSource, Row, text_of
from desktop.ingest.records import Record

_HEADING = re.compile(r"\[\s*(?P<key>[A-Z][A-Z0-9_]{0,30}-\d{1,10})\s*\]")
_IS_HEADING = re.compile(rb"<h[1-4]\b[^<>]{0,300}>\s*\[\s*[A-Z][A-Z0-9_]{0,30}-\d{1,10}\s*\]", re.IGNORECASE)
_DATES = re.compile(
    r"([^\W\d][^:\d]{1,30}):\s*(\d{1,4}[./ -][\w]{1,12}\.?[./ -]\d{2,4}(?:\s+\d{1,2}:\d{2}(?:\s*[AaPp]\.?[Mm]\.?)?)?)"
)
_LABEL = re.compile(r"\s*<b\b[^<>]{0,200}>([^<>]{1,120}?):\s*</b>\s*", re.IGNORECASE)
_COMMENT_DATE = re.compile(r"\[\s*([^\[\]]{0,40}\d[^\[\]]{0,40}?)\s*\]\s*$")
_COMMENT_BY = re.compile(
    r"(?:Comment(?:ed)? by|Kommentar von|Kommentiert von|Comentario (?:por|de)|Commentaire (?:de|par)|Commento (?:di|da)|Comentário (?:de|por)"
    r"|Комментарий от|Opmerking van)\s+",
    re.IGNORECASE,
)
_LINKED_NAME = re.compile(r"<a\b[^<>]{0,2000}>(.{1,300}?)</a\s*>", re.IGNORECASE | re.DOTALL)
_RENAMED = {"Type": "Issue Type", "Typ": "Vorgangstyp", "Tipo": "Tipo de Incidencia"}
_FIRST_COLUMNS = ("Issue key", "Summary", "Issue Type", "Status")


@dataclass(slots=True)
class _Issue:
    """An issue as its block told it so far: values as texts or where they stand, comments as `date;author` and where their text stands."""

    start: int
    values: dict[str, str | Cell]
    comments: list[tuple[str, Cell]] = field(default_factory=list)
    waiting: str = ""


class JiraWordReader(PageSource):
    """Iterates over the issues of the document as over the rows of Jira's CSV, a header first. The line of a row is that of its heading."""

    def __iter__(self) -> Iterator[Record]:
        names = dict.fromkeys(_FIRST_COLUMNS)
        most_comments = 0
        for issue in _issues(self._page):
            names.update(dict.fromkeys(issue.values))
            most_comments = max(most_comments, len(issue.comments))
        yield Record(1, [*names, *["Comment"] * most_comments])
        line = 1
        for issue in _issues(self._page):
            line = self._page.line(issue.start, line=line, since=self._place)
            self._place = issue.start
            comments = [(f"{head};" if head else "") + self._page.text(cell) for head, cell in issue.comments]
            comments += [""] * (most_comments - len(comments))
            self._cells = [*(self._text(issue.values.get(name, "")) for name in names), *comments]
            yield Record(line, self._cells)

    def _text(self, value: str | Cell) -> str:
        return value if isinstance(value, str) else self._page.text(value)


def is_jira_word(page: Page) -> bool:
    """Tell whether a page is such an export: it has headings of issues, and rows of labels below."""
    return _IS_HEADING.search(page.data) is not None and any(len(issue.values) > 3 for issue in _issues(page))


def _issues(page: Page) -> Iterator[_Issue]:
    issue: _Issue | None = None
    depth = -1
    for row in page.rows():
        heading = _heading(page, row) if depth in (-1, row.depth) else None
        if heading:
            if issue:
                yield issue
            issue, depth = heading, row.depth
        elif issue and row.depth == depth:
            _add(issue, row, page)
    if issue:
        yield issue


def _heading(page: Page, row: Row) -> _Issue | None:
    cell = row.cells[0]
    if len(row.cells) != 1 or _IS_HEADING.search(page.data, cell.start, min(cell.end, cell.start + 5_000)) is None:
        return None
    content = page.html(cell)
    key = _HEADING.search(content)
    if key is None:
        return None
    head, _, dates = content[key.end() :].partition("<span")
    values: dict[str, str | Cell] = {"Issue key": key["key"], "Summary": " ".join(text_of(head).split())}
    told = text_of(f"<span{dates}") if dates else ""
    values.update({label.strip(): date for label, date in _DATES.findall(told)})
    return _Issue(row.start, values)


def _add(issue: _Issue, row: Row, page: Page) -> None:
    if b"descriptionArea" in row.cells[0].attributes:
        issue.values["Description"] = row.cells[0]
        return
    if issue.waiting or b"comment-body-" in row.attributes:
        issue.comments.append((issue.waiting, row.cells[0]))
        issue.waiting = ""
        return
    if len(row.cells) == 1 and (
        said := _comment_head(page, row.cells[0], is_sure=b"comment-header-" in row.attributes)
    ):
        issue.waiting = said
        return
    for label_cell, value_cell in zip(row.cells[::2], row.cells[1::2], strict=False):
        label = _LABEL.fullmatch(page.html(label_cell)) if label_cell.end - label_cell.start < 500 else None
        if label:
            name = " ".join(text_of(label[1]).split())
            issue.values.setdefault(_RENAMED.get(name, name), value_cell)


def _comment_head(page: Page, cell: Cell, *, is_sure: bool) -> str:
    """Return `date;author` of the row above a comment, '' when it is none."""
    if cell.end - cell.start > 3_000:
        return ""
    content = page.html(cell)
    text = " ".join(text_of(content).split())
    date = _COMMENT_DATE.search(text)
    by = _COMMENT_BY.match(text)
    if not (is_sure or (by and date)):
        return ""
    author = text[: date.start()] if date else text
    linked = _LINKED_NAME.search(content)
    author = text_of(linked[1]) if linked else author[by.end() :] if by else author
    return f"{date[1] if date else ''};{author.strip().replace(';', ',')}"
