"""Handles: where a ticket tells who its requester is and how to reach them.

Columns are told by their names, which differ from one help desk to the next: whatever holds an address and is not an agent's, a group's or that of
somebody who was copied in is the requester's. Deliberately not here: whether two tickets are of the same person, see `storage.identifying`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parseaddr

from desktop.domain.erasing import Handles, unique
from desktop.domain.quoting import signature_spans
from desktop.domain.text import folded
from desktop.domain.tickets import listed

MOST_PHONES = 20
LEAST_PHONE_DIGITS = 7
_ADDRESS = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[^\s@<>,;:.]+")
_IS_COPIED = re.compile(r"\bb?cc|collab|follow|watch|author|comment|support|creator|actor", re.I)
_CONTACT = re.compile(
    r"phone|mobile|\btel|\bfax\b|address|street|zip|postal|postcode|whats ?app|skype|telefon|adresse|direcci|tel[eé]fono|indirizzo",
    re.I,
)
"""Columns that tell how to reach somebody."""
PHONE = re.compile(
    r"(?<![\w+])\+\d[\d\s().\-/]{6,20}\d(?!\w)"
    r"|(?:phone|mobile|cell|tel|call me (?:at|on)|telefon|mobil|tél)\b\W{0,3}(?:no|number|nr)?\W{0,4}(\(?\d[\d\s().\-/]{5,20}\d)(?!\w)",
    re.I,
)
_LOOSE_PHONE = re.compile(r"(?<!\w)\+?\(?\d[\d ().\-/]{5,20}\d(?!\w)")


def parts_of(reference: str) -> list[str]:
    """Return what stands in a reference to somebody: `Maria García <maria@example.com>` is a name and an address."""
    name, address = parseaddr(reference) if "<" in reference else ("", "")
    return [part for part in (name, address) if part] if "@" in address else [reference]


def own_emails(requester: str, fields: Mapping[str, str | list[str]]) -> tuple[str, ...]:
    """Return the addresses of a ticket's requester, as the requester's name or a column tells them."""
    found = [each for name, value in fields.items() for each in listed(value) if is_own_email(name, each)]
    return unique([*(part for part in parts_of(requester) if "@" in part), *found])


def with_contacts(
    handles: Handles, written: Iterable[tuple[str, str]], columns: Iterable[Mapping[str, str | list[str]]]
) -> Handles:
    """Add the telephone numbers and addresses in a person's columns and under what they wrote. `written` are authors and texts, not all theirs."""
    known = {folded(word) for word in (*handles.names, *handles.emails, *(number for _, number in handles.ids))}
    phones: list[str] = []
    emails = list(handles.emails)
    for author, text in written:
        parts = parts_of(author)
        if known.isdisjoint({folded(author), *map(folded, parts)}):
            continue
        emails += [part for part in parts if "@" in part]
        phones += find_phones(text)
        for start, end in signature_spans(text):
            phones += find_phones(text[start:end], is_contact=True)
            emails += [word for word in _words(text[start:end]) if _is_named(word, handles.names)]
    for fields in columns:
        for name, value in fields.items():
            if is_contact_column(name):
                phones += [phone for each in listed(value) for phone in find_phones(each, is_contact=True)]
    return Handles(handles.names, unique(emails), _different(phones)[:MOST_PHONES], handles.ids)


def find_phones(text: str, *, is_contact: bool = False) -> list[str]:
    """Return the telephone numbers in a text: those that are marked as such or international; in a signature or a column of contacts any."""
    found = [match[1] or match[0] for match in PHONE.finditer(text)]
    if is_contact:
        found += [match[0] for match in _LOOSE_PHONE.finditer(text)]
    return [phone.strip() for phone in found if LEAST_PHONE_DIGITS <= sum(map(str.isdigit, phone)) <= 15]


def is_own_email(name: str, value: str) -> bool:
    """Tell whether a column's value is an e-mail address of the requester, and not of an agent, a group or somebody who was copied in."""
    return _ADDRESS.fullmatch(value.strip()) is not None and not _is_of_agent(name) and _IS_COPIED.search(name) is None


def is_contact_column(name: str) -> bool:
    """Tell whether a column tells how to reach the requester."""
    return _CONTACT.search(name) is not None and not _is_of_agent(name)


def _is_of_agent(name: str) -> bool:
    return (
        re.search(
            r"agent|assignee|owner|group|(?<![a-z])to(?![a-z])|recipient|brand|organi[sz]ation|compan", name, re.I
        )
        is not None
    )


def _different(phones: Iterable[str]) -> tuple[str, ...]:
    """Return each number once, however it was written."""
    return tuple({re.sub(r"\D", "", phone): phone for phone in phones}.values())


def _words(text: str) -> list[str]:
    return [word.strip("<>()[],;:.\"'") for word in text.replace("mailto:", " ").split() if "@" in word]


def _is_named(email: str, names: Iterable[str]) -> bool:
    """Tell whether an address in a signature is the writer's own: a part of their name stands in it. Others may be their company's."""
    if not is_own_email("", email):
        return False
    local = folded(email).partition("@")[0]
    return any(len(part) > 2 and part in local for name in names for part in folded(name).split())
