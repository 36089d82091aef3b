"""Writers of exports: tickets with their messages and summaries as CSV, JSON, Markdown or one page of HTML, ticket by ticket.

CSV is a table that comes back whole (`domain.exported`); JSON has the shapes of `tldesk show` and `tldesk summarize`. Markdown and HTML are to be
read: all text in them is escaped, the page holds no script and loads nothing. Deliberately not here: which tickets, and where to.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from desktop.domain.exported import COLUMNS, harmless
from desktop.domain.runs import CheckedClaim, Summary, Support
from desktop.domain.tickets import Message, Thread
from desktop.services.documents import as_json, claim_document, thread_document
from desktop.services.rendering.targets import escape_html, escape_markdown, one_line, visible
from desktop.services.wording import describe_claim, describe_end, describe_findings, describe_writer

_STYLE = """:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
article { border-top: 1px solid #8888; margin-top: 2rem; }
section { margin: 1rem 0; padding-left: .8rem; border-left: 3px solid #8886; }
.internal { border-left-color: #c80; } .summary { border-left-color: #37c; }
.small { color: #777; font-size: .85rem; margin: 0; } pre { white-space: pre-wrap; font: inherit; margin: .2rem 0; }"""
_PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width">
<title>Tickets</title>
<style>
{_STYLE}
</style></head><body>
<h1>Tickets</h1>
"""


class ExportFormat(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    JSON = "json"
    MARKDOWN = "md"
    HTML = "html"


class Writer(Protocol):
    """Writes one document: its beginning, each ticket, its end."""

    def begin(self) -> str: ...
    def ticket(self, thread: Thread, summary: Summary | None) -> str: ...
    def end(self) -> str: ...


def make_writer(wanted: ExportFormat) -> Writer:
    """Return a writer of one document."""
    writers: dict[ExportFormat, type[Writer]] = {
        ExportFormat.CSV: CsvWriter,
        ExportFormat.JSON: JsonWriter,
        ExportFormat.MARKDOWN: MarkdownWriter,
        ExportFormat.HTML: HtmlWriter,
    }
    return writers[wanted]()


class CsvWriter:
    """A row a message, a column for each value; a cell that a spreadsheet would run is neutralized."""

    def begin(self) -> str:
        return _csv_row(COLUMNS)

    def ticket(self, thread: Thread, summary: Summary | None) -> str:
        ticket = thread.ticket
        own = [
            *(ticket.source, ticket.external_id, ticket.subject, ticket.status, ticket.status_original),
            *(ticket.priority, ticket.priority_original, ticket.requester, ticket.assignee),
            *(ticket.created_at, ticket.updated_at),
        ]
        rows = [[*own, *_message_cells(message)] for message in thread.messages] or [[*own, *[""] * 7]]
        told = [*_summary_cells(ticket.gist, summary), as_json(dict(thread.fields))]
        # What is said of the whole ticket stands in its first row alone.
        blank = [""] * len(told)
        ends = [told] + [blank] * (len(rows) - 1)
        return "".join(_csv_row([*row, *end]) for row, end in zip(rows, ends, strict=True))

    def end(self) -> str:
        return ""


class JsonWriter:
    """One document: `{"tickets": […]}`, each as `tldesk show` has it, with its summary or null."""

    def __init__(self) -> None:
        self._separator = "\n"

    def begin(self) -> str:
        return '{"tickets": ['

    def ticket(self, thread: Thread, summary: Summary | None) -> str:
        separator, self._separator = self._separator, ",\n"
        return separator + as_json(thread_document(thread, summary))

    def end(self) -> str:
        return "\n]}\n"


class MarkdownWriter:
    """A heading a ticket, its summary and its messages below."""

    def begin(self) -> str:
        return "# Tickets\n"

    def ticket(self, thread: Thread, summary: Summary | None) -> str:
        blocks = [f"## {_markdown(thread.ticket.title)}", _markdown(_facts(thread))]
        if summary is not None:
            blocks.append("### Summary")
            blocks += [
                f"**{_markdown(label)}:** {_markdown(text)} *{_markdown(found)}*"
                for label, text, found in _lines(summary)
            ]
            blocks.append(f"*{_markdown(_findings(summary))}*")
        for message in thread.messages:
            blocks += [f"### {_markdown(_heading(message))}", _markdown_text(message.text)]
        fields = [f"- {_markdown(name)}: {_markdown(value)}" for name, value in _fields(thread)]
        blocks += ["### Original fields", "\n".join(fields)] if fields else []
        return "\n" + "\n\n".join(blocks) + "\n"

    def end(self) -> str:
        return ""


class HtmlWriter:
    """One page that needs nothing but itself."""

    def begin(self) -> str:
        return _PAGE

    def ticket(self, thread: Thread, summary: Summary | None) -> str:
        parts = [f"<article>\n<h2>{_html(thread.ticket.title)}</h2>\n<p class='small'>{_html(_facts(thread))}</p>"]
        if summary is not None:
            lines = [
                f"<p><strong>{_html(label)}:</strong> {_html(text)} <span class='small'>{_html(found)}</span></p>"
                for label, text, found in _lines(summary)
            ]
            found = f"<p class='small'>{_html(_findings(summary))}</p>"
            parts.append("\n".join(["<section class='summary'><h3>Summary</h3>", *lines, found, "</section>"]))
        for message in thread.messages:
            kind = "internal" if message.internal else message.role.value
            heading, text = _html(_heading(message)), escape_html(message.text)
            parts.append(f"<section class='{kind}'><p class='small'>{heading}</p><pre>{text}</pre></section>")
        fields = "".join(f"<dt>{_html(name)}</dt><dd>{_html(value)}</dd>" for name, value in _fields(thread))
        parts += [f"<details><summary>Original fields</summary><dl>{fields}</dl></details>"] if fields else []
        return "\n".join([*parts, "</article>\n"])

    def end(self) -> str:
        return "</body></html>\n"


def _message_cells(message: Message) -> list[str]:
    return [
        *(str(message.position), message.author, message.role.value, _flag(message.internal), message.created_at),
        *(_flag(message.is_attached), message.text),
    ]


def _summary_cells(gist: str, summary: Summary | None) -> list[str]:
    if summary is None:
        return [gist, *[""] * 9]
    fields = summary.fields
    questions = "" if fields.has_open_questions is None else _flag(fields.has_open_questions)
    text = "\n".join(_cited_line(checked) for checked in summary.claims) or summary.text
    claims = as_json([claim_document(checked) for checked in summary.claims])
    return [
        *(gist or summary.gist, text, summary.state.value, summary.model, summary.created_at),
        *(fields.next_owner, fields.deadline, fields.sentiment, questions, claims),
    ]


def _cited_line(checked: CheckedClaim) -> str:
    cited = f" [{', '.join(checked.citations)}]" if checked.citations else ""
    return f"{checked.claim.section}: {checked.claim.text}{cited}"


def _csv_row(cells: list[str] | tuple[str, ...]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(map(harmless, cells))
    return line.getvalue()


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _lines(summary: Summary) -> list[tuple[str, str, str]]:
    """Return the sentences of a summary: section, text, and what was found of each."""
    return [(c.claim.section, c.claim.text, _found(c)) for c in summary.claims] or [("Summary", summary.text, "")]


def _found(checked: CheckedClaim) -> str:
    cited = f"[{', '.join(checked.citations)}]" if checked.citations else ""
    found = "" if checked.support is Support.SUPPORTED else f"{checked.support.value}: {describe_claim(checked)}"
    return " ".join(part for part in (cited, found) if part)


def _findings(summary: Summary) -> str:
    parts = [
        f"Written by {describe_writer(summary)}",
        summary.created_at[:10],
        describe_findings(summary),
        describe_end(summary),
    ]
    return " · ".join(part for part in parts if part)


def _facts(thread: Thread) -> str:
    ticket = thread.ticket
    parts = [
        *(ticket.reference, ticket.status_original or ticket.status, ticket.priority_original or ticket.priority),
        *(ticket.requester, ticket.assignee and f"assigned to {ticket.assignee}", ticket.updated_at),
    ]
    return " · ".join(part for part in parts if part)


def _heading(message: Message) -> str:
    note = ", internal note" if message.internal else ""
    when = f" · {message.created_at}" if message.created_at else ""
    return f"{message.position}. {message.author or 'Unknown'} ({message.role.value}{note}){when}"


def _fields(thread: Thread) -> Iterator[tuple[str, str]]:
    for name, value in thread.fields.items():
        if text := "; ".join(value) if isinstance(value, list) else value:
            yield name, text


def _markdown(text: str) -> str:
    return escape_markdown(one_line(text))


def _markdown_text(text: str) -> str:
    """Return a text with its lines as they are; spaces in front would make code of them."""
    lines = []
    for line in visible(text).split("\n"):
        stripped = line.lstrip()
        lines.append("&nbsp;" * (len(line) - len(stripped)) + escape_markdown(stripped))
    return "\n\n".join("\\\n".join(part.split("\n")) for part in "\n".join(lines).split("\n\n"))


def _html(text: str) -> str:
    return escape_html(one_line(text))
