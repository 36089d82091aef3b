"""Mails: a mailbox as a table of messages, one row a mail, with the columns of `resources/systems/mail.toml`.

The file is gone through twice: once for the headers, which decide on threads and people, and once for the texts. Memory holds the headers and the
text of one mail. Deliberately not here: what makes a mail (`mailbox`), its text (`mailtext`) and its thread (`mailthreads`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from desktop.domain.tickets import Role
from desktop.ingest.bodies import as_cell
from desktop.ingest.dates import is_iso_utc
from desktop.ingest.mailbox import Mailbox, RawMail
from desktop.ingest.mailheads import Address, Heads, one_line, read_addresses, read_time
from desktop.ingest.mailtext import read_text
from desktop.ingest.mailthreads import Mail, Place, arrange, bare_subject
from desktop.ingest.records import MAX_RAW_CHARACTERS, Record
from desktop.ingest.subjects import subject_from

COLUMNS = (
    *("Thread", "Thread subject", "Requester", "Requester address", "Message-ID", "In-Reply-To", "References"),
    *("Date", "Sent", "From", "From name", "From address", "Role", "To", "Cc", "Reply-To", "Subject", "Body"),
    *("Attachments", "Labels", "List"),
)
_AUTOMATIC_SENDER = re.compile(r"(?:mailer-daemon|postmaster|bounces?|mail-daemon)(?:[+-].*)?", re.IGNORECASE)
_BULK = frozenset(("bulk", "junk", "auto_reply", "auto-reply"))
_OWNER_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to")


class MailReader:
    """Iterates over the mails of a file as over the rows of a table, its header first."""

    repaired_bytes = 0

    def __init__(self, path: Path, *, limit_bytes: int = 0) -> None:
        self._mailbox = Mailbox(path)
        self._limit = limit_bytes
        self._is_second_time = False
        self._last: RawMail | None = None

    def __enter__(self) -> MailReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mailbox.close()

    @property
    def fraction(self) -> float:
        """Return how far the reading is, 0..1: the headers are a small part of it."""
        done = self._mailbox.fraction
        return 0.2 + 0.8 * done if self._is_second_time else 0.2 * done

    @property
    def raw(self) -> str:
        """Return the last mail as it stands in the file, without its attachments, cut to a length that a person can look at."""
        if self._last is None:
            return ""
        return (self._last.head + b"\n" + self._last.body)[:MAX_RAW_CHARACTERS].decode("utf-8", "replace").rstrip()

    def __iter__(self) -> Iterator[Record]:
        yield Record(1, list(COLUMNS))
        places = self._places()
        self._is_second_time = True
        for raw, place in zip(self._mailbox.mails(heads_only=False, limit_bytes=self._limit), places, strict=False):
            self._last = raw
            where = f"{raw.file}: " if raw.file else ""
            if raw.fault or place is None:
                yield Record(raw.line, [], where + raw.fault)
                continue
            text = read_text(raw)
            if text.fault:
                yield Record(raw.line, [], where + text.fault)
            else:
                yield Record(raw.line, _row(raw, place, text.cell, text.attachments))

    def _places(self) -> list[Place | None]:
        """Read all headers and give each mail its place; None for what is no mail."""
        mails = [
            None if raw.fault else _summarize(raw)
            for raw in self._mailbox.mails(heads_only=True, limit_bytes=self._limit)
        ]
        arranged = iter(arrange([mail for mail in mails if mail is not None]))
        return [None if mail is None else next(arranged) for mail in mails]


def _summarize(raw: RawMail) -> Mail:
    heads = Heads(raw.head)
    author = _author(heads, raw)
    answered = heads.ids("in-reply-to")[:1]
    references = heads.ids("references")
    own = _own_id(heads, raw)
    subject = heads.text("subject")
    sent = read_time(heads, raw.envelope)
    chain = [each for each in dict.fromkeys([*references, *answered]) if each != own]
    return Mail(
        id=own,
        refers_to=tuple(chain),
        subject=subject,
        name=author.name,
        address=author.address.lower(),
        to=_addresses(heads, "to"),
        cc=_addresses(heads, "cc"),
        time=sent if is_iso_utc(sent) else "",
        groups=_groups(heads, subject),
        owners=_addresses(heads, *_OWNER_HEADERS),
        is_automatic=_is_automatic(heads, author),
    )


def _row(raw: RawMail, place: Place, cell: str, attachments: tuple[str, ...]) -> list[str]:
    heads = Heads(raw.head)
    author = _author(heads, raw)
    subject = heads.text("subject")
    about = place.subject or bare_subject(subject) or subject_from(cell)
    values = {
        "Thread": place.thread,
        "Thread subject": as_cell(about),
        "Requester": place.requester,
        "Requester address": place.requester_address,
        "Message-ID": _own_id(heads, raw, is_made_up=False),
        "In-Reply-To": " ".join(heads.ids("in-reply-to")),
        "References": " ".join(heads.ids("references")),
        "Date": one_line(heads.first("date")),
        "Sent": read_time(heads, raw.envelope),
        "From": author.shown,
        "From name": author.name,
        "From address": author.address,
        "Role": "" if place.role is Role.UNKNOWN else place.role.value,
        "Subject": subject,
        "Body": cell,
        "Attachments": ", ".join(attachments),
        "Labels": heads.text("x-gmail-labels") or heads.text("keywords"),
        "List": heads.text("list-id"),
    }
    for column in ("To", "Cc", "Reply-To"):
        values[column] = ", ".join(person.whole for person in heads.people(column.lower()))
    return [values[column] for column in COLUMNS]


def _own_id(heads: Heads, raw: RawMail, *, is_made_up: bool = True) -> str:
    """Return a mail's Message-ID; without one, an id made of what it says, the same in every copy of it."""
    found = heads.ids("message-id")
    stands = found[0] if found else "".join(heads.first("message-id").strip("<> \t").split())[:500]
    if stands or not is_made_up:
        return stands
    said = "\n".join([*(heads.first(name) for name in ("date", "from", "subject")), raw.digest])
    return f"mail-{hashlib.sha256(said.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}"


def _author(heads: Heads, raw: RawMail) -> Address:
    """Return who wrote a mail: its first author, else whoever sent it."""
    for name in ("from", "sender", "reply-to", "return-path"):
        for person in heads.people(name):
            if person.shown:
                return person
    envelope = raw.envelope.partition(" ")[0]
    return next(iter(read_addresses(envelope)), Address("", "")) if "@" in envelope else Address("", "")


def _addresses(heads: Heads, *names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person.address.lower() for person in heads.people(*names) if person.address))


def _groups(heads: Heads, subject: str) -> tuple[str, ...]:
    """Return the marks that servers give to all mails of a thread: Gmail's, and Outlook's as long as the subject is the same."""
    groups = [f"gmail {each.strip()}" for each in heads.all("x-gm-thrid")[:1] if each.strip()]
    try:
        index = base64.b64decode("".join(heads.first("thread-index").split()), validate=True)
    except (binascii.Error, ValueError):
        index = b""
    if len(index) >= 22:
        groups.append(f"outlook {index[:22].hex()} {bare_subject(subject).casefold()}")
    return tuple(groups)


def _is_automatic(heads: Heads, author: Address) -> bool:
    submitted = heads.first("auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no") or heads.first("x-autoreply") or heads.first("x-autorespond"):
        return True
    if _AUTOMATIC_SENDER.fullmatch(author.address.partition("@")[0]):
        return True
    # Lists mark what people write to them as bulk.
    is_list = bool(heads.first("list-id") or heads.first("list-post"))
    return heads.first("precedence").strip().lower() in _BULK and not is_list
