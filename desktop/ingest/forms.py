"""Forms: the ways in which a file holds its rows, and the reader of each.

Recognition finds the form out from the first part of a file; reading needs it again. A new kind of file is a reader of its own (a `RecordSource`),
a line in `heads.read_head` that tells it, and a line here. Deliberately not here: what rows mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.domain.imports import Recognized
from desktop.ingest.id_pattern import IdPattern
from desktop.ingest.jira_word import JiraWordReader
from desktop.ingest.json_files import JsonReader
from desktop.ingest.pages import Page, PageReader
from desktop.ingest.records import Dialect, RecordReader, RecordSource
from desktop.ingest.sheets import SheetReader, read_sheet

JSON_FORMATS = ("json", "jsonl")
MAIL_FORMATS = ("mbox", "eml")
JIRA_WORD = "issues"
"""In the place of a table's number: Jira's document, which has many tables an issue."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a file holds its rows. `format` names the reader; `header_line` is a physical line from 1.

    `encoding` and `dialect` are those of delimited text, `sheet` is the sheet's name in a workbook, the key of the list in JSON,
    the number of the table in a page; '' elsewhere.
    """

    format: str
    encoding: str = ""
    dialect: Dialect = Dialect("")
    header_line: int = 1
    sheet: str = ""


def form_of(recognized: Recognized) -> Form:
    """Return the form that a recognition found."""
    dialect = Dialect(recognized.delimiter, recognized.quote)
    return Form(recognized.format, recognized.encoding, dialect, recognized.header_line, recognized.sheet)


def open_records(
    path: Path,
    form: Form,
    *,
    names: tuple[str, ...],
    id_index: int = -1,
    ids: IdPattern | None = None,
    limit_bytes: int = 0,
) -> RecordSource:
    """Open the rows of a file, its header first. `names` are the columns; `id_index` and `ids` help to find the next good row after a broken one.

    Raises:
        DeskError: `file-…` in words for what people meet; OSError for the rest.
    """
    if form.format in MAIL_FORMATS:
        # The only form that recognition does not load already.
        from desktop.ingest.mails import MailReader

        return MailReader(path, limit_bytes=limit_bytes)
    if form.format == "html":
        page = Page(path)
        if form.sheet == JIRA_WORD:
            return JiraWordReader(page)
        return PageReader(page, int(form.sheet), first_row=form.header_line)
    if form.format in JSON_FORMATS:
        return JsonReader(path, form.sheet, names=names, limit_characters=limit_bytes)
    if form.sheet:
        return SheetReader(read_sheet(path, name=form.sheet), first_line=form.header_line)
    return RecordReader(
        path,
        form.dialect,
        encoding=form.encoding,
        first_line=form.header_line,
        width=len(names) if id_index >= 0 else 0,
        id_index=id_index,
        ids=ids,
        limit_bytes=limit_bytes,
    )
