"""Rendering: a summary as text that leaves the program safely, for the clipboard and for files. Free of Qt.

Model output is untrusted: raw HTML is escaped, links are allow-listed (http, https, mailto), images are dropped. Copying leaves out what the
ticket does not support, and says how much it left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.domain.runs import CheckedClaim, Highlight, Summary, Support

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!<>&|~])")
_ALLOWED_TAGS = {"p", "strong", "em", "ul", "ol", "li", "a", "br", "code", "h2", "h3", "h4", "blockquote", "pre"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One summary in the forms a clipboard carries; `left_out` counts the claims that were not put in."""

    plain: str
    html: str
    markdown: str
    left_out: int


def is_copied(checked: CheckedClaim) -> bool:
    """Tell whether *Copy* takes a claim: supported ones, and partial ones without a missing fact."""
    if checked.support is Support.SUPPORTED:
        return True
    return checked.support is Support.PARTIAL and not checked.missing_facts


def render_summary(summary: Summary, *, title: str, include_all: bool = False) -> Rendered:
    """Render a summary under the ticket's title; unsupported claims only with `include_all`."""
    taken = [c for c in summary.claims if include_all or is_copied(c)]
    left_out = len(summary.claims) - len(taken)
    by_section: dict[str, list[str]] = {}
    for checked in taken:
        by_section.setdefault(checked.claim.section, []).append(checked.claim.text)
    note = _end_note(summary)
    plain = [title, *(f"{section}: {' '.join(texts)}" for section, texts in by_section.items())]
    marked = [f"**{_escape(title)}**"]
    marked += [f"**{_escape(section)}:** {_escape(' '.join(texts))}" for section, texts in by_section.items()]
    if note:
        plain.append(note)
        marked.append(f"*{_escape(note)}*")
    markdown = "\n\n".join(marked) + "\n"
    return Rendered(plain="\n".join(plain) + "\n", html=render_markdown(markdown), markdown=markdown, left_out=left_out)


def render_highlights(highlights: tuple[Highlight, ...], *, title: str) -> Rendered:
    """Render highlights as quotes with their authors."""
    quotes = [(h.author or "Unknown", " ".join(h.text.split())) for h in highlights]
    plain = "\n".join([title, *(f"{author}: “{text}”" for author, text in quotes)]) + "\n"
    marked = [f"**{_escape(title)}**", *(f"{_escape(author)}: “{_escape(text)}”" for author, text in quotes)]
    markdown = "\n\n".join(marked) + "\n"
    return Rendered(plain=plain, html=render_markdown(markdown), markdown=markdown, left_out=0)


def render_markdown(text: str) -> str:
    """Turn untrusted Markdown into safe HTML: no raw HTML, no images, only http, https and mailto links."""
    import markdown
    import nh3

    # Without these two, raw HTML is shown as the text it is; nh3 behind it is the wall that does not depend on that.
    converter = markdown.Markdown(output_format="html")
    converter.preprocessors.deregister("html_block")
    converter.inlinePatterns.deregister("html")
    html = converter.convert(text)
    return str(
        nh3.clean(
            html,
            tags=_ALLOWED_TAGS,
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
        )
    )


def _escape(text: str) -> str:
    return _MARKDOWN_SPECIAL.sub(r"\\\1", text)


def _end_note(summary: Summary) -> str:
    return "" if summary.state.value == "complete" else f"({summary.state.value}: {summary.reason})"
