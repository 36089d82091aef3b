"""Bodies: what a message says, as plain text a person would see.

HTML becomes text with links as `text (url)`. What a reader of the mail could not have seen (hidden, zero-size, white on white, zero-width
characters) is dropped and counted: it is where instructions to a model are smuggled in. Text that only mentions a `<` stays as it is.
Deliberately not here: folding quoted history and signatures, which is a matter of showing, not of importing.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple

_TAG_NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|figure|font|footer|form|h[1-6]|head|header|hr|html|i|img|"
    "input|ins|kbd|label|li|link|main|meta|nav|ol|p|pre|q|s|script|section|small|span|strike|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|"
    "title|tr|tt|u|ul"
)
_LONE_LETTER = re.compile(r"<(?:a|b|i|u|s|q|p)>", re.IGNORECASE)
_TAG = re.compile(rf"<(?:/?(?:{_TAG_NAMES})(?:\s[^<>]*|/)?>|!--|!doctype\b)", re.IGNORECASE | re.DOTALL)
_KNOWN_TAG = re.compile(
    rf"(?:{_TAG_NAMES}|aside|base|bdo|button|caption|col|colgroup|embed|fieldset|details|summary|map|area|mark|noscript|object|"
    r"option|param|picture|select|source|svg|template|textarea|time|track|video|audio|wbr|iframe|frame|frameset|var|samp|acronym|"
    r"basefont|dfn|dir|legend|menu|optgroup|figcaption|hgroup|path|g|rect|circle|\w+:\w+)",
    re.IGNORECASE,
)
_BLOCK_START = re.compile(r"<(?:p|div|table|html|body|ul|ol|h[1-6]|!doctype)\b", re.IGNORECASE)
# Most bodies with tags hold a few of these and nothing else; a parser would take ten times as long over them.
_BARE_INLINE = re.compile(r"</?(?P<name>b|i|u|em|strong|code|tt|s|small|br(?=\s*/?>))(?:>|\s*/?>\n?)", re.IGNORECASE)
_CLOSING = re.compile(r"</(\w+)>")
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LONE_AMPERSAND = re.compile(r"&(?!(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)")
# The marks that embed right-to-left names stay: people write them, and only the overrides can disguise a text.
_INVISIBLE = re.compile("[\u200b\u2060-\u2064\ufeff\u180e\u202d\u202e\U000e0000-\U000e007f]")
_INVISIBLE_TAGS = re.compile("[\U000e0000-\U000e007f]")
_BLOCKS = frozenset(
    "p div table tr ul ol h1 h2 h3 h4 h5 h6 blockquote pre section article header footer form hr dl dt dd address center figure".split()
)
_VOID = frozenset("br hr img input meta link area base col embed source track wbr".split())
_UNSEEN = frozenset("script style head title template noscript svg".split())
_HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|mso-hide\s*:\s*all"
    r"|(?:max-)?(?:height|width)\s*:\s*0(?:px)?\s*;[^\"]*overflow\s*:\s*hidden"
)
_WHITE = r"(?:white|#fff(?:fff)?|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\))(?![0-9a-f])"
_WHITE_TEXT = re.compile(rf"(?:^|[;\s])color\s*:\s*{_WHITE}")
_BACKGROUND = re.compile(r"background(?:-color)?\s*:\s*([^;]+)")
# Markdown: code in fences, between back-ticks or indented after a blank line; and the tags that GitHub shows instead of obeying.
_CODE = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})[^\n]*\n(?:.*?\n)??[ \t>]*(?P=fence)[`~]*[ \t]*$|^[ \t>]*(?:`{3,}|~{3,})[^\n`]*\n.*\Z"
    r"|(?<!`)``[^\n]+?``(?!`)|(?<!`)`[^`\n]+`(?!`)|(?<=\n\n)(?:(?: {4}|\t)[^\n]*(?:\n|\Z))+",
    re.MULTILINE | re.DOTALL,
)
_CODE_MARKS = re.compile(r"\[/?code\]")
_MARKS = tuple(map(chr, range(0xE000, 0xF900)))
"""Signs without a meaning of their own."""
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SHOWN_TAGS = re.compile(
    r"<(?=/?(?:title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext)\b)", re.IGNORECASE
)
MAX_PARSED_CHARACTERS = 400_000
"""The parser of the standard library is quadratic on some broken input; beyond this only tags are cut out."""
_MOST_UNENDED = 500
_LONGEST_STYLE = 2_000

DEEPEST_TAG = 400
"""Each word is asked what it stands in, so tags without an end would take quadratic time; no browser shows deeper ones as such either."""


class Body(NamedTuple):
    """Plain text with `\\n` line ends, and how many hidden pieces were dropped from it."""

    text: str
    hidden: int = 0


def read_body(value: str, markup: str = "html") -> Body:
    """Turn a cell's text into what a person would have read.

    `markup` is `html` (or plain: it shows), `coded` (the same, with HTML between `[code]` and `[/code]`),
    `text` (tags are part of it), `markdown` (HTML, but for what stands in code) or `subject`
    (text in which characters may be escaped).
    """
    if "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    hidden = 0
    if markup in ("text", "subject"):
        if markup == "subject" and "&" in value:
            value = _unescape(value)
    elif markup == "markdown":
        value, hidden = _read_markdown(value)
    elif "<" in value:
        if markup == "coded":
            value = _CODE_MARKS.sub("", value)
        value, hidden = _without_tags(value)
    elif "&" in value:
        value = _unescape(value)
    if not value.isascii():
        if _holds_invisible(value):
            value, invisible = _INVISIBLE.subn("", value)
            hidden += invisible
        value = value.replace("\u00a0", " ")
    return Body(value.strip(), hidden)


def _holds_invisible(v: str) -> bool:
    """Look for each sign by itself: it takes a third of the time of a pattern, which would be a tenth of parsing."""
    if "\u200b" in v or "\ufeff" in v or "\u180e" in v or "\u202d" in v or "\u202e" in v:
        return True
    if "\u2060" in v or "\u2061" in v or "\u2062" in v or "\u2063" in v or "\u2064" in v:
        return True
    # Only a text with signs beyond the first 65,536 takes four bytes for each.
    return v.__sizeof__() > 4 * len(v) and _INVISIBLE_TAGS.search(v) is not None


def as_cell(text: str) -> str:
    """Return a plain text so that reading it as a cell gives the same text, though it may speak of `<br>` and `&amp;`."""
    if "<" not in text and "&" not in text:
        return text
    if read_body(text).text == read_body(text.replace("&", "&amp;").replace("<", "&lt;")).text:
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _read_markdown(value: str) -> tuple[str, int]:
    """Drop the HTML that a page would not show; code stays, and so does every line end."""
    if "<" not in value and "&" not in value:
        return value, 0
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"{mark}{len(kept) - 1}{mark}"

    # The mark of a kept piece must be none that stands in the text, or the text could ask for pieces that there are not.
    mark = next((mark for mark in _MARKS if mark not in value), _MARKS[0])
    value = _CODE.sub(keep, value.replace(mark, ""))
    value, comments = _COMMENT.subn("", value)
    value, hidden = (
        _without_tags(_SHOWN_TAGS.sub("&lt;", value), collapses=False) if "<" in value else (_unescape(value), 0)
    )
    return re.sub(f"{mark}(\\d+){mark}", lambda match: kept[int(match[1])], value), hidden + comments


def _without_tags(value: str, *, collapses: bool = True) -> tuple[str, int]:
    closed = {name.lower() for name in _CLOSING.findall(value)}
    plain = _BARE_INLINE.sub(lambda match: _bare_replacement(match, closed), value)
    if "<" not in plain or not _holds_tag(plain):
        return (_unescape(plain) if "&" in plain else plain), 0
    if len(value) > MAX_PARSED_CHARACTERS or _is_never_ended(value):
        return _unescape(re.sub(r"<[^<>]*>", " ", value)), 0
    # The parser decodes `&copy=2` as a browser would; what is meant in a ticket is the address.
    value = _LONE_AMPERSAND.sub("&amp;", value)
    parser = _BodyParser(collapses=collapses and _BLOCK_START.search(value) is not None)
    try:
        parser.feed(value)
        parser.close()
    except AssertionError:  # the parser's way to say that a `<![` declaration is broken
        return _unescape(re.sub(r"<[^<>]*>", " ", value)), 0
    return parser.text(), parser.hidden


def _holds_tag(text: str) -> bool:
    """Tell whether a text holds a tag. A lone `<b>` is one only when something is closed behind it."""
    last = text.rfind("</")
    return any(match.start() < last or not _LONE_LETTER.match(match.group()) for match in _TAG.finditer(text))


def _is_never_ended(text: str) -> bool:
    """Tell whether so many tags or comments are begun and not ended that the parser would look for each end in all of the text."""
    tags, comments = text.count("<") - text.count(">"), text.count("<!--") - text.count("-->")
    return max(tags, comments) > _MOST_UNENDED


def _bare_replacement(match: re.Match[str], closed: set[str]) -> str:
    name = match["name"].lower()
    if name == "br":
        return "\n"
    # `vector<b>` opens nothing: what is never closed is no tag.
    return "" if name in closed else match.group()


def _unescape(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match.group()), text)


class _BodyParser(HTMLParser):
    def __init__(self, *, collapses: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._collapses = collapses
        self._pieces: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []  # tag, is hidden, is on a colored background
        self._open_tags: Counter[str] = Counter()
        self._link = ""
        self._link_start = 0
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _KNOWN_TAG.fullmatch(tag):
            # `List<String>`: what no browser knows was never meant for one.
            self.handle_data(self.get_starttag_text() or "")
            return
        values = {name: value or "" for name, value in attrs}
        above_hidden, above_colored = self._open[-1][1:] if self._open else (False, False)
        style = values.get("style", "")[:_LONGEST_STYLE].lower()
        is_colored = above_colored or _colors_background(style, values.get("bgcolor", "").lower())
        is_hidden = above_hidden or tag in _UNSEEN or "hidden" in values or _hides(style, values, is_colored=is_colored)
        if tag == "br":
            self._pieces.append("\n")
        elif tag in _BLOCKS:
            self._break()
        elif tag == "li":
            self._break()
            self._pieces.append("- ")
        elif tag in ("td", "th"):
            self._pieces.append(" ")
        if tag in _VOID:
            return
        if tag == "a" and not is_hidden:
            self._link, self._link_start = values.get("href", "").strip(), len(self._pieces)
        # What hides is followed deeper, or it could be buried to be seen.
        if len(self._open) < (DEEPEST_TAG * 10 if is_hidden else DEEPEST_TAG):
            self._open.append((tag, is_hidden, is_colored))
            self._open_tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._close_link()
        # Counted, because looking through all that are open, for each end and each word, is what nested markup without end waits for.
        is_closed = not self._open_tags[tag]
        while not is_closed:
            innermost = self._open.pop()[0]
            self._open_tags[innermost] -= 1
            is_closed = innermost == tag
        if tag in _BLOCKS or tag == "li":
            self._break()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][1]:
            if data.strip() and self._open[-1][0] not in _UNSEEN:
                self.hidden += 1
            return
        is_preformatted = self._open_tags["pre"] > 0
        self._pieces.append(re.sub(r"\s+", " ", data) if self._collapses and not is_preformatted else data)

    def text(self) -> str:
        """Return what was read, without trailing spaces and towers of blank lines."""
        text = "".join(self._pieces)
        text = re.sub(r"[ \t]*\n[ \t]*", "\n", text) if self._collapses else text
        return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]{2,}", " ", text) if self._collapses else text).strip()

    def _break(self) -> None:
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self._pieces.append("\n")

    def _close_link(self) -> None:
        label = "".join(self._pieces[self._link_start :]).strip()
        target = self._link.removeprefix("mailto:")
        is_safe = re.match(r"(?:https?://|mailto:)", self._link, re.IGNORECASE) is not None
        if is_safe and target.rstrip("/") != label.rstrip("/"):
            self._pieces.append(f" ({target})" if label else target)
        self._link = ""


def _colors_background(style: str, attribute: str) -> bool:
    match = _BACKGROUND.search(style)
    color = match.group(1).strip() if match else attribute.strip()
    return bool(color) and not re.match(rf"{_WHITE}|transparent|none|inherit", color)


def _hides(style: str, values: dict[str, str], *, is_colored: bool) -> bool:
    if style and _HIDING_STYLE.search(style):
        return True
    is_white = (
        bool(style and _WHITE_TEXT.search(style))
        or re.fullmatch(_WHITE, values.get("color", "").lower().strip()) is not None
    )
    return is_white and not is_colored
