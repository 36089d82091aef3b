"""Mail text: what a mail says, out of its parts, and the names of what is attached.

Of several versions of the same text the plain one is taken, unless it is empty or only says that the reader cannot show HTML. A forwarded mail is
part of the text. Broken parts give what can be read of them. Deliberately not here: cutting off quoted history and signatures, which is a matter of
showing; and what attachments hold.
"""

from __future__ import annotations

import binascii
import email
import html
import re
from dataclasses import dataclass, field
from email.message import Message
from email.policy import compat32

from desktop.ingest.bodies import as_cell, read_body
from desktop.ingest.mailbox import RawMail
from desktop.ingest.mailheads import decode, decode_words, from_base64, one_line

MOST_PARTS = 500
DEEPEST_PART = 30
NO_TEXT = "(This mail has no text.)"
TOO_DEEP = "The parts of this mail are nested too deeply, or too many"
_NO_HTML_READER = re.compile(
    r"(?:not|n't|kein|nicht|pas|no|non)\b.{0,60}\bHTML\b|\bHTML\b.{0,40}(?:not supported|required|compatible|capable|fähig|nicht)"
    r"|(?:view|see|read|display).{0,60}\bHTML\b",
    re.IGNORECASE | re.DOTALL,
)
_UNSEEN_START = re.compile(r"<(head|style|script|title)\b|<!--", re.IGNORECASE)
_UNSEEN_ENDS = {
    name: re.compile(rf"</{name}\s*>" if name != "-->" else name, re.IGNORECASE)
    for name in ("head", "style", "script", "title", "-->")
}
_PICTURE_DATA = re.compile(r"data:[\w/+.-]{1,60};base64,[A-Za-z0-9+/=%\s]+")
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/=\s]*")
_SHOWN_OF_FORWARDED = ("from", "date", "to", "cc", "subject")
_ENDINGS = {
    "text/calendar": ".ics",
    "message/delivery-status": ".txt",
    "application/ms-tnef": ".dat",
    "text/html": ".html",
}


@dataclass(frozen=True, slots=True)
class MailText:
    """A mail's text as a cell that `bodies.read_body` turns into what a person would have read, and the names of its attachments."""

    cell: str
    attachments: tuple[str, ...] = ()
    fault: str = ""


@dataclass(slots=True)
class _Found:
    texts: list[tuple[str, bool]] = field(default_factory=list)  # text, is HTML
    attachments: list[str] = field(default_factory=list)


class _TooDeep(Exception):  # noqa: N818 - never leaves this module
    pass


def read_text(raw: RawMail) -> MailText:
    """Read the text of a mail."""
    found = _Found()
    try:
        _Parts(found).add(email.message_from_bytes(raw.head + b"\n" + raw.body, policy=compat32), 0)
    except (_TooDeep, RecursionError):
        return MailText("", fault=TOO_DEEP)
    except Exception as error:  # noqa: BLE001 - the email package raises what it likes on bad input; one mail must not stop the others
        return MailText("", fault=f"This mail cannot be taken apart ({error})")
    names = tuple(dict.fromkeys(found.attachments))
    cell = _joined([(text, is_html) for text, is_html in found.texts if text.strip()])
    if not read_body(cell).text:
        cell = f"(Attached: {', '.join(names)})" if names else NO_TEXT
        cell = as_cell(cell)
    return MailText(cell, names)


def _joined(texts: list[tuple[str, bool]]) -> str:
    if len(texts) == 1:
        text, is_html = texts[0]
        return text if is_html else as_cell(text)
    plain = [read_body(text).text if is_html else text.strip("\n") for text, is_html in texts]
    return as_cell("\n\n".join(text for text in plain if text))


class _Parts:
    """Goes through the parts of a mail."""

    def __init__(self, found: _Found) -> None:
        self._found = found
        self._count = 0

    def add(self, part: Message, depth: int) -> None:
        self._count += 1
        if depth > DEEPEST_PART or self._count > MOST_PARTS:
            raise _TooDeep
        kind = _kind(part)
        inner = part.get_payload() if part.is_multipart() else None
        if isinstance(inner, list) and kind.startswith("message/"):
            for forwarded in inner:
                self._add_forwarded(forwarded, depth, is_mail=kind != "message/delivery-status")
        elif isinstance(inner, list) and kind == "multipart/alternative":
            self._add_best([each for each in inner if isinstance(each, Message)], depth)
        elif isinstance(inner, list):
            for each in inner:
                if isinstance(each, Message):
                    self.add(each, depth + 1)
        else:
            self._add_leaf(part, kind)

    def _add_leaf(self, part: Message, kind: str) -> None:
        disposition = _header(part, "content-disposition").strip().lower()
        name = _file_name(part)
        is_text = kind in ("text/plain", "text/html", "text/enriched", "text/richtext") or kind.startswith(
            ("multipart/", "message/")
        )
        if not is_text or disposition.startswith("attachment") or (name and kind != "text/plain"):
            self._found.attachments.append(name or f"{kind.replace('/', '-')}{_ENDINGS.get(kind, '')}")
            return
        if name:
            self._found.attachments.append(name)
        self._found.texts.append(_text(part, kind))

    def _add_best(self, versions: list[Message], depth: int) -> None:
        """Choose among versions of one text; what is attached to any of them counts."""
        outer = self._found
        read: list[_Found] = []
        for version in versions:
            self._found = _Found()
            self.add(version, depth + 1)
            read.append(self._found)
        self._found = outer
        for each in read:
            outer.attachments += each.attachments
        told = [each for each in read if any(text.strip() for text, _ in each.texts)]
        plain = [each for each in told if not any(is_html for _, is_html in each.texts)]
        rich = [each for each in told if each not in plain]
        if plain and not (rich and _says_nothing(plain[0])):
            outer.texts += plain[0].texts
        elif rich:
            outer.texts += rich[-1].texts  # the last is the richest, by the rules

    def _add_forwarded(self, mail: object, depth: int, *, is_mail: bool) -> None:
        if not isinstance(mail, Message):
            return
        lines = []
        for name, value in mail.raw_items():
            if not is_mail or name.lower() in _SHOWN_OF_FORWARDED:
                lines.append(f"{name}: {_decoded_value(str(value))}")
        if lines:
            self._found.texts.append(("\n".join(lines), False))
        if is_mail:
            self.add(mail, depth + 1)


def _says_nothing(version: _Found) -> bool:
    text = " ".join(text for text, _ in version.texts).strip()
    return len(text) < 300 and _NO_HTML_READER.search(text) is not None


def _text(part: Message, kind: str) -> tuple[str, bool]:
    encoding = _header(part, "content-transfer-encoding")
    del part["content-transfer-encoding"]  # then the bytes come as they stand, undecoded
    payload = part.get_payload(decode=True)
    data, trailer = _undone(encoding, payload if isinstance(payload, bytes) else b"")
    charset = _parameter(_header(part, "content-type"), "charset")
    if not charset and kind == "text/html":
        named = re.search(rb"charset\s*=\s*[\"']?([\w-]{1,40})", data[:2000], re.IGNORECASE)
        charset = named[1].decode("ascii") if named else ""
    text = decode(data, charset).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if trailer:
        text = f"{text}\n{decode(trailer, '')}"
    if kind in ("text/enriched", "text/richtext"):
        return html.unescape(re.sub(r"<[^<>]{1,60}>", "", text)), False
    if kind == "text/html":
        return _PICTURE_DATA.sub("", _without_unseen(text)), True
    if _parameter(_header(part, "content-type"), "format").lower() == "flowed":
        text = _unflowed(text, drops_space=_parameter(_header(part, "content-type"), "delsp").lower() == "yes")
    return text, False


def _without_unseen(page: str) -> str:
    """Leave out what a browser never shows: styles alone are often ten times the text. What is never closed stays."""
    kept: list[str] = []
    unclosed: set[str] = set()
    end = 0
    for match in _UNSEEN_START.finditer(page):
        name = (match[1] or "-->").lower()
        if match.start() < end or name in unclosed:
            continue
        close = _UNSEEN_ENDS[name].search(page, match.end())
        if close is None:
            unclosed.add(name)
            continue
        kept.append(page[end : match.start()])
        end = close.end()
    return "".join(kept) + page[end:]


def _undone(encoding: str, data: bytes) -> tuple[bytes, bytes]:
    """Undo the transfer encoding; what a list's software wrote below base64 comes back on its own."""
    encoding = encoding.strip().strip("\"';").lower()
    if encoding.startswith("quoted"):
        return binascii.a2b_qp(data), b""
    if not encoding.startswith("base64"):
        return data, b""
    lines = data.splitlines(keepends=True)
    end = next((place for place, line in enumerate(lines) if not _BASE64_LINE.fullmatch(line)), len(lines))
    trailer = b"".join(lines[end:])
    if end == 0 or not re.search(rb"[ _]", trailer):
        return from_base64(data), b""
    return from_base64(b"".join(lines[:end])), trailer


def _unflowed(text: str, *, drops_space: bool) -> str:
    """Join the lines that a mail program broke (RFC 3676): a line that ends with a space goes on in the next of the same depth of quotes."""
    joined: list[str] = []
    is_open, open_depth = False, 0
    for line in text.split("\n"):
        quotes = re.match(r">*", line)
        depth = quotes.end() if quotes else 0
        rest = line[depth:].removeprefix(" ")
        if is_open and depth == open_depth and rest != "-- ":
            joined[-1] = (joined[-1][:-1] if drops_space else joined[-1]) + rest
        else:
            joined.append(f"{'>' * depth}{' ' if depth else ''}{rest}")
        is_open, open_depth = rest.endswith(" ") and rest != "-- ", depth
    return "\n".join(joined)


def _kind(part: Message) -> str:
    try:
        return part.get_content_type()
    except (ValueError, TypeError, AttributeError, LookupError):
        return "text/plain"


def _header(part: Message, name: str) -> str:
    return next((str(value) for key, value in part.raw_items() if key.lower() == name), "")


def _parameter(value: str, name: str) -> str:
    match = re.search(rf"[;\s]{name}\s*=\s*(?:\"([^\"]{{0,200}})\"|([^\s;\"]{{1,200}}))", value, re.IGNORECASE)
    return (match[1] or match[2] or "").strip() if match else ""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, TypeError, AttributeError, LookupError):
        name = _parameter(_header(part, "content-disposition"), "filename") or _parameter(
            _header(part, "content-type"), "name"
        )
    return one_line(_decoded_value(str(name)))[:200]


def _decoded_value(value: str) -> str:
    raw = value.encode("utf-8", "surrogateescape")
    return one_line(decode_words(value if raw.isascii() else decode(raw, "")))
