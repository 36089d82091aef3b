"""Erasing: a person, what names them, and what became of them here.

A person is known by *handles*: names, e-mail addresses, telephone numbers, and the numbers that help desks gave them. *Remove* takes their tickets
away with all that was made of them; *anonymize* keeps the tickets and puts a stand-in ("Person 7") in their place. Either way their handles go out
of everybody else's tickets. What is kept to know them again is no handle but a keyed hash of each: see `identity`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from desktop.domain.text import folded


class Way(StrEnum):
    """How a person goes."""

    REMOVE = "remove"
    ANONYMIZE = "anonymize"


@dataclass(frozen=True, slots=True)
class Handles:
    """What names a person. `ids` are the numbers that a source gave them: (source's id, number)."""

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    ids: tuple[tuple[int, str], ...] = ()

    @property
    def known_as(self) -> str:
        """Return what to call them."""
        return next(iter((*self.names, *self.emails, *(number for _, number in self.ids))), "")


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is here of a person. The first group are their own tickets and what hangs on these; `mentions` are other tickets that name them.

    `files` are files of the data folder that name them, `backups` copies of the database that do: these are listed, never changed.
    `kept` are files that name them and that are not this program's to change.
    """

    tickets: int = 0
    messages: int = 0
    summaries: int = 0
    starred: int = 0
    queue_items: int = 0
    traces: int = 0
    ledger_entries: int = 0
    rejects: int = 0
    mentions: int = 0
    files: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A person who can be erased: the handles, and the ids of the tickets whose requester they are.

    `shared_names` are names that somebody else has too, who is another person: these stay in other people's tickets.
    `erased_at` is when they were erased before, '' when they never were.
    """

    handles: Handles
    ticket_ids: tuple[int, ...] = ()
    shared_names: tuple[str, ...] = ()
    erased_at: str = ""

    @property
    def handles_elsewhere(self) -> Handles:
        """Return what names this person and nobody else."""
        names = tuple(name for name in self.handles.names if name not in self.shared_names)
        return replace(self.handles, names=names)


@dataclass(frozen=True, slots=True)
class Erased:
    """A person who was erased: what went, and the stand-in that is in their place wherever somebody else's text named them.

    `is_swept` is false where another program was reading the database, so that its freed pages could not be overwritten yet: the next start does it.
    `was_before` when they had been erased before and nothing of them was left.
    """

    way: Way
    stand_in: str
    footprint: Footprint
    is_swept: bool = True
    was_before: bool = False


@dataclass(frozen=True, slots=True)
class ErasingStep:
    """How far erasing is: what is being done, and how much of all of it is done, in 0..1."""

    doing: str
    fraction: float


def identity(secret: bytes, kind: str, value: str) -> str:
    """Return a handle as it is remembered: its keyed hash, which nobody can turn back without this installation's secret.

    `kind` is name, email or id.
    """
    return hmac.new(secret, f"{kind}:{folded(value)}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def identities(secret: bytes, handles: Handles) -> tuple[str, ...]:
    """Return all by which a person is known again. A number counts together with its source, so that it means nobody of another one."""
    return tuple(
        dict.fromkeys(
            [
                *(identity(secret, "email", email) for email in handles.emails),
                *(identity(secret, "name", name) for name in handles.names),
                *(identity(secret, "id", f"{source}:{number}") for source, number in handles.ids),
            ]
        )
    )


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once, the first spelling of it, without empty ones."""
    return tuple({folded(value): value.strip() for value in reversed(list(values)) if value.strip()}.values())[::-1]
