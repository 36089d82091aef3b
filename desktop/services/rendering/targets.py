"""Targets: how each program that a copy is pasted into writes a heading, a label and a citation, and what must be escaped there.

Whatever a text holds, it arrives as that text: no markup of the target, no mention that notifies a team, no image, no macro. Control characters and
marks that turn the direction of writing are taken out for all of them. Slack has no escape for its marks; a zero-width space keeps them apart.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Those that join letters (ZWJ, ZWNJ) stay: languages and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ZERO_WIDTH_SPACE, _WORD_JOINER = "\u200b", "\u2060"

_MARKDOWN_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$])")
_MARKDOWN_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# A backslash before another one is a line break in Jira, so it is written as a reference, as everything is that no backslash is sure to escape.
_JIRA_MARKS = re.compile(r"([{}\[\]|!*_+^~])")
_JIRA_DASH = re.compile(r"(?<!\w)-|-(?!\w)")
_JIRA_OTHERS = re.compile(
    r"\?(?=\?)|(?<=\?)\?"  # a citation
    r"|[:;](?=[)(PpDd|])|\((?=(?:[ynix/]|on|off|flag|flagoff)\))"  # a face
    r"|^(?:#(?=[#*\s-])|h(?=[1-6]\.)|b(?=q\.))",  # a list, a heading, a quote
    re.MULTILINE,
)

_SLACK_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SLACK_MENTION = re.compile(r"(?<![\w.])@(?=\w)")
# Within a word they mark nothing, and an id must stay what it is: ORDER_12_X.
_SLACK_MARK = re.compile(r"(?<![^\W_])[*_~`]+|[*_~`]+(?![^\W_])")
_SLACK_COLON = re.compile(r":(?=[\w+-]+:)")


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of text. `heading`, `aside` and `block` (label, sentences that are escaped already) make blocks, `join` a whole of them.

    `cite` writes the positions of the messages that are cited, in front of it the space; `has_numbers` when that is only a number, to be explained.
    """

    escape: Callable[[str], str]
    heading: Callable[[str], str]
    block: Callable[[str, str], str]
    aside: Callable[[str], str]
    join: Callable[[Sequence[str]], str]
    cite: Callable[[Sequence[int]], str]
    has_numbers: bool = False


def visible(text: str) -> str:
    """Return a text without what is not seen and yet obeyed: control characters, marks of direction, zero-width signs."""
    return _UNSEEN.sub(
        "", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    )


def one_line(text: str) -> str:
    """Return a text on one line."""
    return " ".join(visible(text).split())


def escape_markdown(text: str) -> str:
    """Escape for CommonMark, GitHub's dialect included."""
    text = _MARKDOWN_MARKS.sub(r"\\\1", visible(text))
    return re.sub("[&<>]", lambda match: _MARKDOWN_ENTITIES[match.group()], text)


def escape_jira(text: str) -> str:
    """Escape for Jira's wiki markup."""
    text = visible(text).replace("&", "&amp;").replace("\\", "&#92;")
    text = _JIRA_OTHERS.sub(lambda match: f"&#{ord(match.group())};", text)
    return _JIRA_DASH.sub(r"\\-", _JIRA_MARKS.sub(r"\\\1", text))


def escape_slack(text: str) -> str:
    """Escape for Slack's mrkdwn, and keep `@channel` and the like from notifying anybody."""
    text = re.sub("[&<>]", lambda match: _SLACK_ENTITIES[match.group()], visible(text))
    text = _SLACK_MENTION.sub(f"@{_WORD_JOINER}", text)
    text = _SLACK_COLON.sub(f":{_ZERO_WIDTH_SPACE}", text)
    text = _SLACK_MARK.sub(
        lambda match: _ZERO_WIDTH_SPACE + _ZERO_WIDTH_SPACE.join(match.group()) + _ZERO_WIDTH_SPACE, text
    )
    return re.sub(r"^(?=\s*&gt;)", _ZERO_WIDTH_SPACE, text, flags=re.MULTILINE)


def escape_html(text: str) -> str:
    """Escape for HTML; line ends are kept."""
    return html.escape(visible(text)).replace("\n", "<br>")


def _spelled(positions: Sequence[int]) -> str:
    if not positions:
        return ""
    return f" (message{'' if len(positions) == 1 else 's'} {', '.join(map(str, positions))})"


def _numbered(opening: str, closing: str) -> Callable[[Sequence[int]], str]:
    return lambda positions: f" {opening}{', '.join(map(str, positions))}{closing}" if positions else ""


def _plain_block(label: str, text: str) -> str:
    return f"{one_line(label)}: {text}" if label else text


def _html_block(label: str, text: str) -> str:
    strong = f"<strong>{escape_html(one_line(label))}:</strong> " if label else ""
    return f"<p>{strong}{text}</p>"


def _marked(
    escape: Callable[[str], str],
    *,
    bold: str,
    slanted: str,
    gap: str,
    cite: Callable[[Sequence[int]], str],
    has_numbers: bool = False,
) -> Target:
    """Return a target that writes bold and slanted text between signs, and `gap` between blocks."""
    return Target(
        escape=escape,
        heading=lambda text: f"{bold}{escape(one_line(text))}{bold}",
        block=lambda label, text: f"{bold}{escape(one_line(label))}:{bold} {text}" if label else text,
        aside=lambda text: f"{slanted}{escape(one_line(text))}{slanted}",
        join=lambda blocks: gap.join(blocks) + "\n",
        cite=cite,
        has_numbers=has_numbers,
    )


PLAIN = Target(
    escape=visible,
    heading=one_line,
    block=_plain_block,
    aside=one_line,
    join=lambda blocks: "\n".join(blocks) + "\n",
    cite=_spelled,
)
MARKDOWN = _marked(escape_markdown, bold="**", slanted="*", gap="\n\n", cite=_numbered("\\[", "\\]"), has_numbers=True)
HTML = Target(
    escape=escape_html,
    heading=lambda text: f"<p><strong>{escape_html(one_line(text))}</strong></p>",
    block=_html_block,
    aside=lambda text: f"<p><em>{escape_html(one_line(text))}</em></p>",
    join=lambda blocks: "\n".join(blocks) + "\n",
    cite=_numbered("[", "]"),
    has_numbers=True,
)
JIRA = _marked(escape_jira, bold="*", slanted="_", gap="\n\n", cite=_spelled)
SLACK = _marked(escape_slack, bold="*", slanted="_", gap="\n", cite=_spelled)
