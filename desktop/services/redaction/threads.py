"""Threads: the redactor of a ticket, which knows its people and has seen all of it.

People stand in the ticket's own fields (requester, assignee, authors) and in whatever columns the export had: *Contact name*, *Caller*, *Kunde*. A
column is one of people by its name; what stands in it must still look like a name or an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desktop.domain.tickets import Thread, listed
from desktop.services.redaction.found_names import find_names
from desktop.services.redaction.name_words import PARTICLES
from desktop.services.redaction.reading import read
from desktop.services.redaction.redactor import Redactor

_OF_PEOPLE = frozenset(
    "name names contact contacts requester requestor reporter customer author assignee agent owner caller submitter user username"
    " person people client recipient sender cc"
    " collaborator collaborators follower followers watcher watchers creator manager employee technician engineer rep representative"
    " buyer guest member patient student holder"
    " firstname lastname fullname surname email mail from to by kunde kundin ansprechpartner bearbeiter melder absender kontakt"
    " nachname vorname name nom prénom demandeur"
    " auteur nombre apellido apellidos solicitante cliente agente nome cognome richiedente solicitante responsável naam klant"
    " aanvrager imię nazwisko klient zgłaszający"
    " namn kund namn navn имя фамилия клиент автор 氏名 名前 お名前 担当者 姓名 联系人 客户 이름 고객명 담당자".split()
)
_OF_THINGS = frozenset(
    "company organization organisation product plan file form group brand event subject department team status type tier id ids count"
    " channel method reason segment time date at"
    " satisfaction rating priority language country locale source version comment comments number no phone url link tags tag category"
    " queue role is has domain host server device"
    " app project space list board account title sla score level stage state field code city region street address zip"
    " firma organisation société empresa azienda bedrijf".split()
)
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN_CASES = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"[^\W\d_][^\n\d_:;/\\{}\[\]=]{1,60}")
_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+|[^\n<>]{2,60}<[^\s@<>]+@[^\s@<>]+>")
_MOST_WORDS = 5


def people_of(thread: Thread) -> tuple[str, ...]:
    """Return a ticket's people as its data and its texts name them: those who stay here where it is sent along with another."""
    texts = (thread.ticket.subject, *(message.text for message in thread.messages))
    named = (name for text in texts for name in find_names(read(text)))
    return tuple(dict.fromkeys((*_in_data(thread), *named)))


def redactor_for(thread: Thread, others: Sequence[str] = ()) -> Redactor:
    """Return a redactor that knows a ticket's people; it has seen the whole thread, so a value has the same placeholder in every request about it.

    `others` are people of tickets that are sent along as examples.
    """
    ticket, people = thread.ticket, _in_data(thread)
    redactor = Redactor((*people, *others))
    # Full names first, so that the first name alone is another spelling of theirs and not the other way round.
    for text in (*people, ticket.subject, *(message.text for message in thread.messages)):
        redactor.learn(text)
    return redactor


def _in_data(thread: Thread) -> tuple[str, ...]:
    ticket = thread.ticket
    authors = (message.author for message in thread.messages)
    return tuple(dict.fromkeys(filter(None, (ticket.requester, ticket.assignee, *authors, *_in_columns(thread)))))


def _in_columns(thread: Thread) -> Iterator[str]:
    """Yield what stands in columns of people and looks like a person."""
    for column, value in thread.fields.items():
        words = set(_WORD.findall(_BETWEEN_CASES.sub(" ", column).lower()))
        if not words & _OF_PEOPLE or words & _OF_THINGS:
            continue
        for one in listed(value):
            if _ADDRESS.fullmatch(one) or (
                _NAME.fullmatch(one) and len(one.split()) <= _MOST_WORDS and _is_written_large(one)
            ):
                yield one


def _is_written_large(name: str) -> bool:
    """Tell a name from words: each begins large, particles aside, or its script knows no case."""
    return all(not word[0].islower() or word in PARTICLES for word in name.split()) and not name[0].islower()
