"""Rendering: a summary as text that leaves the program safely, for the clipboard, for dragging and for files. Free of Qt.

Model output and ticket text are untrusted: each target gets them escaped by its own rules (`targets`), as text and nothing else. Copying leaves
out what the ticket does not support, and for a customer what rests on notes among colleagues (`selection`); what was left out is counted, so that
it can be said. Deliberately not here: the clipboard itself, and files of many tickets, see `services.export`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from desktop.domain.runs import Highlight, RunState, Summary
from desktop.domain.sections import SectionChoice
from desktop.domain.tickets import Message
from desktop.services.rendering.markup import render_markdown as render_markdown
from desktop.services.rendering.selection import Part, choose_parts
from desktop.services.rendering.selection import is_copied as is_copied
from desktop.services.rendering.targets import HTML, JIRA, MARKDOWN, PLAIN, SLACK, Target, one_line
from desktop.services.wording import count

NUMBERS_EXPLAINED = "Numbers in brackets are messages of the ticket."


class CopyFormat(StrEnum):
    """What a copy is written in. Rich text is HTML with plain text beside it: each program takes what it understands."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    RICH = "rich"
    JIRA = "jira"
    SLACK = "slack"


_TARGETS: dict[CopyFormat, Target] = {
    CopyFormat.PLAIN: PLAIN,
    CopyFormat.MARKDOWN: MARKDOWN,
    CopyFormat.RICH: PLAIN,
    CopyFormat.JIRA: JIRA,
    CopyFormat.SLACK: SLACK,
}


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How to copy. `for_customer`: nothing that rests on internal notes, and no names of sections. `include_all`: unsupported claims too."""

    format: CopyFormat = CopyFormat.RICH
    with_citations: bool = False
    for_customer: bool = False
    include_all: bool = False


@dataclass(frozen=True, slots=True)
class CopyItem:
    """One ticket to copy: its summary, or the highlights where it has none. `messages` tell which of them are internal."""

    title: str
    summary: Summary | None = None
    highlights: tuple[Highlight, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """A copy: `text` in the format that was asked for, `html` beside it in rich text, else ''.

    `unsupported` sentences were left out because the ticket does not support them, `internal` ones because they rest on internal notes (or cite
    nothing, in a ticket that has some). `highlighted` tickets had no sentence to copy, so their highlights were taken.
    """

    text: str
    html: str = ""
    unsupported: int = 0
    internal: int = 0
    highlighted: int = 0

    @property
    def left_out(self) -> int:
        """Return how many sentences were not put in."""
        return self.unsupported + self.internal

    @property
    def note(self) -> str:
        """Say in words what was left out and why; '' for nothing."""
        reasons = [
            (self.unsupported, "that the ticket does not support"),
            (self.internal, "that may rest on internal notes"),
        ]
        parts = [f"{count(number, 'sentence')} {why}" for number, why in reasons if number]
        return f"Left out: {' and '.join(parts)}." if parts else ""


def render_summary(
    summary: Summary,
    *,
    title: str,
    options: CopyOptions = CopyOptions(),
    sections: Sequence[SectionChoice] = (),
    messages: Sequence[Message] = (),
) -> Rendered:
    """Render a summary under the ticket's title.

    `sections` are the user's labels, order and choice (`domain.sections.choose_sections`); without them all come as the model wrote them. For a
    customer `messages` must be the ticket's: a claim that cites a message which is not among them is left out.
    """
    parts, unsupported, internal = choose_parts(
        summary,
        sections,
        messages,
        for_customer=options.for_customer,
        include_all=options.include_all,
    )
    end = "" if summary.state is RunState.COMPLETE else f"({summary.state.value}: {summary.reason})"
    rendered = _compose(title, parts, "" if options.for_customer else end, options)
    return replace(rendered, unsupported=unsupported, internal=internal)


def render_highlights(
    highlights: Sequence[Highlight],
    *,
    title: str,
    options: CopyOptions = CopyOptions(),
    messages: Sequence[Message] = (),
) -> Rendered:
    """Render highlights as quotes with their authors; for a customer without those of internal notes."""
    internal = {message.position for message in messages if message.internal}
    taken = [h for h in highlights if not (options.for_customer and h.position in internal)]
    parts = [Part(h.author or "Unknown", ((f"“{one_line(h.text)}”", (h.position,)),), is_author=True) for h in taken]
    return replace(_compose(title, parts, "", options), internal=len(highlights) - len(taken))


def render_summaries(
    items: Sequence[CopyItem], *, options: CopyOptions = CopyOptions(), sections: Sequence[SectionChoice] = ()
) -> Rendered:
    """Render several tickets one after the other; one whose summary leaves nothing to copy gives its highlights."""
    rendered = [_render_item(item, options, sections) for item in items]
    return Rendered(
        "\n".join(each.text for each in rendered),
        "<hr>".join(each.html for each in rendered),
        sum(each.unsupported for each in rendered),
        sum(each.internal for each in rendered),
        sum(each.highlighted for each in rendered),
    )


def is_empty(summary: Summary, *, options: CopyOptions = CopyOptions(), messages: Sequence[Message] = ()) -> bool:
    """Tell whether a copy with these options would hold no sentence at all."""
    parts, _, _ = choose_parts(
        summary, (), messages, for_customer=options.for_customer, include_all=options.include_all
    )
    return not parts


def _render_item(item: CopyItem, options: CopyOptions, sections: Sequence[SectionChoice]) -> Rendered:
    summary = item.summary
    if summary is not None and not is_empty(summary, options=options, messages=item.messages):
        return render_summary(summary, title=item.title, options=options, sections=sections, messages=item.messages)
    quoted = render_highlights(item.highlights, title=item.title, options=options, messages=item.messages)
    if summary is None:
        return replace(quoted, highlighted=1)
    parts = choose_parts(summary, (), item.messages, for_customer=options.for_customer, include_all=options.include_all)
    return replace(quoted, highlighted=1, unsupported=parts[1], internal=quoted.internal + parts[2])


def _compose(title: str, parts: Sequence[Part], end: str, options: CopyOptions) -> Rendered:
    target = _TARGETS[options.format]
    text = _write(target, title, parts, end, options)
    html = _write(HTML, title, parts, end, options) if options.format is CopyFormat.RICH else ""
    return Rendered(text, html)


def _write(target: Target, title: str, parts: Sequence[Part], end: str, options: CopyOptions) -> str:
    blocks = [target.heading(title)]
    for part in parts:
        sentences = " ".join(
            target.escape(text) + (target.cite(positions) if options.with_citations else "")
            for text, positions in part.sentences
        )
        label = "" if options.for_customer and not part.is_author else part.label
        blocks.append(target.block(label, sentences))
    has_numbers = options.with_citations and target.has_numbers and any(p for part in parts for _, p in part.sentences)
    ends = [NUMBERS_EXPLAINED] * has_numbers + [end] * bool(end)
    return target.join([*blocks, *map(target.aside, ends)])
