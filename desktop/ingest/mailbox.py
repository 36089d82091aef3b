"""Mailbox: a file of mails, cut into mails. An mbox holds many, an eml one; the `.eml` files of a ZIP are read as one mailbox.

A mailbox marks the beginning of a mail by a line `From sender date`, and writers disagree on what to do with text that begins like that: put a
`>` before it (mboxrd, mboxo), count the bytes (mboxcl), or nothing. A line counts as a beginning when a date stands in it and a header follows, and
never inside bytes that a `Content-Length` counts which proves right. Attachments are passed over while reading, so memory holds the text of one
mail. Deliberately not here: what a mail says, see `mailtext`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from desktop.ingest.files import OpenFile, open_mails

MOST_MAIL_BYTES = 16_000_000
"""Of one mail without its attachments. The longest that people send are a few megabytes of pictures written into the text."""
MOST_HEAD_BYTES = 500_000
_LINE_BYTES = 1 << 20

_DATED = re.compile(
    rb"From (?P<sender>.{0,300}?)\s+(?:[A-Z][a-z]{2},?\s+)?(?:[A-Z][a-z]{2}\s+\d{1,2}|\d{1,2}\s+[A-Z][a-z]{2})\s.{0,40}?\d{4}"
)
_EXACT = re.compile(rb"From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}\r?\n?$")
_BARE = re.compile(rb"From (?:\S+@\S+|-|MAILER-DAEMON|\?\?\?@\?\?\?)(?:\s|$)")
_PATCH = re.compile(rb"From [0-9a-f]{40} Mon Sep 17 00:00:00 2001")
_HEADER = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_MAIL_HEADER = re.compile(
    rb"(?:return-path|received|delivered-to|message-id|from|to|date|subject|mime-version|status|reply-to|sender|content-type|x-[\w-]+)[ \t]*:",
    re.IGNORECASE,
)
_ESCAPED = re.compile(rb">+From ")
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HAS_ID = re.compile(rb"^message-id[ \t]*:[ \t]*(?:\r?\n[ \t]+)?<?[^\s<>]", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb'boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_KIND = re.compile(rb"^content-type[ \t]*:\s*([a-z]+)/", re.IGNORECASE | re.MULTILINE)
_KEPT_KINDS = (b"text", b"multipart", b"message")

NO_HEADER = "This is no mail: no line such as “From: …” stands at its beginning"
TOO_LONG = f"This mail is longer than {MOST_MAIL_BYTES // 1_000_000} MB even without its attachments"


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as bytes, without its attachments. `line` is where it begins in its file, from 1, `file` that file's name in an archive.

    `envelope` is the line that stands before it in a mailbox. `digest` is that of its text, for a mail without a Message-ID.
    """

    line: int
    head: bytes
    body: bytes = b""
    envelope: str = ""
    digest: str = ""
    fault: str = ""
    file: str = ""


class Mailbox:
    """The mails behind a path, as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: OpenFile | None = None
        self._done, self._count = 0, 1

    def mails(self, *, heads_only: bool, limit_bytes: int = 0) -> Iterator[RawMail]:
        """Yield the mails; with `heads_only` without their text. `limit_bytes` stops after the mail in which that many are reached.

        Raises:
            DeskError: `file-…`; OSError for the rest.
        """
        read = 0
        self._done = 0
        for name, count, opened in open_mails(self._path):
            self._open, self._count = opened, count
            try:
                for raw in _split(
                    opened.stream, heads_only=heads_only, file=name, limit_bytes=max(0, limit_bytes - read)
                ):
                    read += len(raw.head) + len(raw.body)
                    yield raw
            finally:
                self.close()
            self._done += 1
            if 0 < limit_bytes <= read:
                return

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1."""
        here = min(1.0, self._open.position() / max(1, self._open.size)) if self._open else 0.0
        return min(1.0, (self._done + here) / max(1, self._count))

    def close(self) -> None:
        """Let go of what is open."""
        if self._open:
            self._open.close()
            self._open = None


def looks_like_mail(name: str, head: bytes) -> str:
    """Tell by a file's name and its first bytes whether it is an `mbox` or an `eml`; '' when it is neither."""
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    first, _, rest = head.partition(b"\n")
    if _is_beginning(first, rest, is_after_blank=True):
        return "mbox"
    if name.lower().endswith((".eml", ".mbox")):
        return "eml" if _HEADER.match(head) else ""
    block = re.split(rb"\r?\n\r?\n", head[:20_000], maxsplit=1)[0]
    lines = [line for line in block.splitlines() if not line.startswith((b" ", b"\t"))]
    if not lines or not all(_HEADER.match(line) for line in lines):
        return ""
    given = {line.partition(b":")[0].strip().lower() for line in lines}
    is_mail = (
        b"from" in given and given & {b"message-id", b"received", b"mime-version"} and given & {b"date", b"subject"}
    )
    return "eml" if is_mail else ""


class _Lines:
    """Lines of a stream with their numbers, and a look at the next."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead: bytes | None = None
        self._is_whole = True
        self.number = 0
        self.bytes_read = 0

    def next(self) -> bytes:
        line = self._stream.readline(_LINE_BYTES) if self._ahead is None else self._ahead
        self._ahead = None
        # A line beyond a megabyte comes in pieces; only its first begins a line.
        self.number += self._is_whole and bool(line)
        self._is_whole = line.endswith(b"\n")
        self.bytes_read += len(line)
        return line

    def skim(self, starts: tuple[bytes, ...]) -> bool:
        """Pass over lines up to one that starts so, which is the next then. Tell whether a blank line stands before it.

        Most of a mailbox is nobody's business when only headers count, or an attachment is passed over: this is five times as fast.
        """
        if self._ahead is not None:
            return False
        readline = self._stream.readline
        before = b""
        while not (line := readline(_LINE_BYTES)).startswith(starts) and line:
            self.bytes_read += len(line)
            self.number += self._is_whole
            self._is_whole = line.endswith(b"\n")
            before = line
        self._ahead = line
        return bool(before) and not before.strip()

    def peek(self) -> bytes:
        if self._ahead is None:
            self._ahead = self._stream.readline(_LINE_BYTES)
        return self._ahead

    def counts_right(self, length: int) -> bool:
        """Tell whether a mail ends after that many bytes from here: the file does, or the next mail begins."""
        if self._ahead is not None or not self._stream.seekable():
            return False
        here = self._stream.tell()
        end = self._stream.seek(0, 2)
        self._stream.seek(min(end, here + length))
        after = self._stream.read(400)
        self._stream.seek(here)
        if here + length >= end:
            return here + length <= end
        return after.lstrip(b"\r\n").startswith(b"From ") or not after.strip()


class _Mail:
    """One mail being read: its head, then of its body what is text."""

    def __init__(self, line: int, envelope: bytes, *, heads_only: bool, is_escaped: bool) -> None:
        self.line = line
        self.is_in_head = True
        self.body_bytes = 0
        self.is_after_blank = False
        self._envelope = envelope
        self._heads_only = heads_only
        self._is_escaped = is_escaped
        self._head: list[bytes] = []
        self._body: list[bytes] = []
        self._kept = 0
        self._fault = ""
        self._hash = None if not heads_only else hashlib.sha256()
        self._boundaries: set[bytes] = set()
        self._part_head: list[bytes] | None = None
        self._is_passed_over = False

    @property
    def head(self) -> bytes:
        return b"".join(self._head)

    @property
    def indifferent_up_to(self) -> tuple[bytes, ...]:
        """Return what the next line of interest begins with; empty when each is of interest."""
        if self.is_in_head or self._hash or self._part_head is not None:
            return ()
        if self._heads_only:
            return (b"From ",)
        return (b"From ", b"--") if self._is_passed_over and self._boundaries else ()

    def add(self, line: bytes) -> None:
        if self.is_in_head and not self._add_to_head(line):
            self._end_head()
            if line.strip():
                self._add_to_body(line)  # a text without the blank line before it
        elif not self.is_in_head:
            self._add_to_body(line)
        self.is_after_blank = not line.strip()

    def finish(self, file: str) -> RawMail:
        if self.is_in_head:
            self._end_head()
        head = self.head
        has_header = bool(head.strip())
        digest = self._hash.hexdigest()[:20] if self._hash else ""
        envelope = self._envelope[5:].decode("ascii", "replace").strip()
        return RawMail(
            self.line,
            head,
            b"".join(self._body),
            envelope,
            digest,
            self._fault if has_header else NO_HEADER,
            file,
        )

    def _add_to_head(self, line: bytes) -> bool:
        if not line.strip(b"\r\n"):
            return False
        is_folded = bool(self._head) and line.startswith((b" ", b"\t"))
        if is_folded or _HEADER.match(line):
            self._keep_head(line)
        elif not line.startswith(b">From "):
            return False
        return True

    def _keep_head(self, line: bytes) -> None:
        self._kept += len(line)
        if self._kept <= MOST_HEAD_BYTES:
            self._head.append(line)

    def _end_head(self) -> None:
        self.is_in_head = False
        self._kept = 0
        self._enter_part(self.head)
        if self._hash and _HAS_ID.search(self.head):
            self._hash = None

    def _enter_part(self, head: bytes) -> None:
        self._boundaries.update(b"--" + (match[1] or match[2]) for match in _BOUNDARY.finditer(head))
        kind = _KIND.search(head)
        self._is_passed_over = kind is not None and kind[1].lower() not in _KEPT_KINDS

    def _add_to_body(self, line: bytes) -> None:
        self.body_bytes += len(line)
        if self._is_escaped and line.startswith(b">") and _ESCAPED.match(line):
            line = line[1:]
        if self._hash:
            if line.strip():
                self._hash.update(line.rstrip() + b"\n")
        elif not self._heads_only:
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        if self._boundaries and line.startswith(b"--"):
            mark = line.rstrip()
            if mark in self._boundaries or mark.removesuffix(b"--") in self._boundaries:
                self._is_passed_over = False
                self._part_head = []
        elif self._part_head is not None:
            if line.strip():
                self._part_head.append(line)
            else:
                self._enter_part(b"".join(self._part_head))
                self._part_head = None
        elif self._is_passed_over:
            return
        self._kept += len(line)
        if self._kept > MOST_MAIL_BYTES:
            self._fault = TOO_LONG
            self._is_passed_over = True
            return
        self._body.append(line)


def _split(stream: BinaryIO, *, heads_only: bool, file: str, limit_bytes: int) -> Iterator[RawMail]:
    lines = _Lines(stream)
    line = lines.next().removeprefix(b"\xef\xbb\xbf")
    while line and not line.strip(b"\r\n"):
        line = lines.next()
    if not line:
        return
    is_mailbox = _is_beginning(line, lines.peek(), is_after_blank=True)
    is_patches = _PATCH.match(line) is not None
    mail = _Mail(lines.number, line if is_mailbox else b"", heads_only=heads_only, is_escaped=is_mailbox)
    if not is_mailbox:
        mail.add(line)
    counted = 0
    while True:
        if (starts := mail.indifferent_up_to) and not counted and lines.skim(starts):
            mail.is_after_blank = True
        if not (line := lines.next()):
            break
        may_begin = is_mailbox and line.startswith(b"From ") and mail.body_bytes >= counted
        if (
            may_begin
            and _is_beginning(line, lines.peek(), is_after_blank=mail.is_after_blank or mail.is_in_head)
            and (is_patches or not _PATCH.match(line))
        ):
            yield mail.finish(file)
            if limit_bytes and lines.bytes_read > limit_bytes:
                return
            mail = _Mail(lines.number, line, heads_only=heads_only, is_escaped=True)
            counted = 0
            continue
        was_in_head = mail.is_in_head
        mail.add(line)
        if was_in_head and not mail.is_in_head and is_mailbox:
            length = _LENGTH.search(mail.head)
            counted = int(length[1]) if length and lines.counts_right(int(length[1])) else 0
    yield mail.finish(file)


def _is_beginning(line: bytes, following: bytes, *, is_after_blank: bool) -> bool:
    """Tell whether a mail begins with this line: nothing else of a text reads like it, with a header behind it."""
    if not line.startswith(b"From "):
        return False
    if _DATED.match(line):
        is_empty = is_after_blank and not following.strip() and _EXACT.match(line) is not None
        return is_empty or _HEADER.match(following) is not None or following.startswith(b">From ")
    return is_after_blank and _BARE.match(line) is not None and _MAIL_HEADER.match(following) is not None
