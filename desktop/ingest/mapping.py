"""Mapping: what the columns of an unknown table mean, by their names and by what they hold.

Names go first, by similarity to the words that help desks use; content settles the rest: the one column of unique, id-like values is the
id, the column with the longest text is the body. Every guess is shown for correction. Deliberately not here: systems with a definition.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from desktop.ingest.dates import read_date
from desktop.ingest.journal import holds_journal, split_comment
from desktop.ingest.nested import group_of, read_list
from desktop.ingest.systems import MANY_COLUMNS
from desktop.ingest.vocabulary import author_role, fold, is_nothing

_NAMES = {
    "ticket_id": "ticket id|ticket number|ticket no|ticket nr|ticket#|ticket|id|case id|case number|issue id"
    "|issue key|request id|incident id|incident number"
    "|conversation id|conversation number|convo id|session id|dialog id|thread id|bug id|number|key|#|no|nr|reference|ticket ref"
    "|ticketid|ticketnummer|vorgang|vorgangsnummer"
    "|nummer|número|numero|numéro|clave|ticket key|chat id",
    "subject": "subject|title|summary|ticket name|ticket subject|short description|headline|topic|name|issue"
    "|betreff|titel|zusammenfassung|asunto|título|titulo"
    "|resumen|sujet|titre|objet|résumé|assunto|oggetto|onderwerp",
    "body": "description|body|message|text|content|details|issue description|ticket description|problem"
    "|comment text|question|first message|initial message"
    "|complaint|beschreibung|nachricht|inhalt|anfrage|descripción|descripcion|mensaje|texto|contenido"
    "|message client|contenu|texte|descrição|mensagem|omschrijving",
    "status": "status|state|ticket status|stage|estado|zustand|statut|état|etat|stato|stav",
    "priority": "priority|urgency|severity|importance|prio|ticket priority|priorität|prioridad|priorité|prioridade"
    "|priorità|prioriteit|dringlichkeit",
    "requester": "requester|customer|requester name|customer name|client|reporter|caller|requested by|requestor"
    "|requestors|from|submitter|contact|contact name|full name"
    "|user|opened by|created by|author|kunde|melder|anforderer|solicitante|cliente|demandeur|appelant|requester id"
    "|customer id|sender",
    "requester_email": "requester email|customer email|email|e mail|from email|contact email|email address|mail"
    "|correo|correo electrónico|courriel|user email|sender email",
    "assignee": "assignee|agent|assigned to|owner|assignee name|agent name|assigned agent|responder|technician"
    "|handled by|bearbeiter|zuständig|zugewiesen an"
    "|zugewiesen|asignado a|asignado|agente|responsable|assigné à|affecté à|assignee id|responsável",
    "created_at": "created at|created|created on|created time|create date|creation date|date created|opened"
    "|opened at|open date|date|submitted|submitted at"
    "|reported|received|received at|timestamp|erstellt|erstellt am|erstellungsdatum|angelegt am|datum|creado"
    "|creado el|fecha de creación|fecha|créé le|créé"
    "|date de création|criado em|created date|time created|datetime",
    "updated_at": "updated at|updated|updated on|last update time|last updated|last update|modified|modified at"
    "|last modified|changed|date updated|update date"
    "|last activity|aktualisiert|geändert|geändert am|actualizado|actualizado el|fecha de actualización|mis à jour"
    "|modifié le|date de mise à jour|atualizado em",
    "comment": "comment|comments|reply|note|kommentar|comentario|commentaire|comentário",
    "journal": "journal|conversation|comments and work notes|notes|last notes|thread|transcript|chat transcript"
    "|history|verlauf|historial|discussion|all comments",
    "author": "author|sender|speaker|author name|sender name|posted by|written by|user login|author login|author display name|user name",
    "author_role": "author type|author role|sender type|sender role|role|speaker role",
    "message_id": "message id|comment id|note id",
    "internal": "internal|is internal|private|is private|is public|public",
}
_ALIASES = {role: names.split("|") for role, names in _NAMES.items()}
_THREAD_NAMES = frozenset(
    "comments comment replies messages message notes conversations conversation posts parts reviews thread threads articles activities history "
    "journals transcript dialog dialogue dialogcontent content turns chat events interactions correspondence emails".split()
)
_NO_THREADS = frozenset(
    "attachments attachment files images labels label tags tag assignees users people watchers participants followers contacts links urls fields "
    "values options ccs recipients reactions milestones projects items products orders".split()
)
_SPEAKERS = {
    "client": "customer_author",
    "customer": "customer_author",
    "client1": "customer_author",
    "requester": "customer_author",
    "agent": "agent_author",
    "operator": "agent_author",
    "support": "agent_author",
}
"""Keys of a message that hold who wrote it, and say by their name which side that is."""
_SAMPLED_RECORDS = 100
_PERSON_NAMES = (
    "author login|user login|author display name|author name|user name|from name|sender name|created by|from|user|login|username|nickname"
    "|name|author email|from address|sender email|email|user id|author id|sender id"
).split("|")
_ELEMENT_ROLES = {
    "body": [
        *_ALIASES["body"],
        "body text",
        "plain body",
        "html body",
        "comment",
        "note",
        "reply",
        "utterance",
        "says",
        "value",
    ],
    "author": [*_ALIASES["author"], *_PERSON_NAMES],
    "author_role": [*_ALIASES["author_role"], "type", "direction", "from type", "is agent"],
    "created_at": [*_ALIASES["created_at"], "sent at", "posted at", "time"],
    "message_id": [*_ALIASES["message_id"], "id"],
    "internal": _ALIASES["internal"],
}
"""What the keys of a message within a record are called."""
_EVERY_NAME = frozenset(alias for aliases in _ALIASES.values() for alias in aliases)
_MOST_COMPARED = 500
DATE_ROLES = ("created_at", "updated_at", "message_created_at")
_MESSAGE_ROLES = ("author", "author_role", "message_id", "internal")
_OTHER_DATE = re.compile(
    r"\b(?:purchased?|birth|born|due|deadline|expir\w*|warranty|deliver\w*|closed?|resolved|resolution|response|reply|repl\w+|completed|hired?|shipped|synced)\b"
)
"""What a date is that is surely not when a ticket was opened."""
_ID_VALUE = re.compile(r"#?[A-Za-z]{1,12}[-_ ]?\d{2,}|\d{3,}|[A-Za-z0-9][A-Za-z0-9_-]{7,63}")


def known_names(names: Iterable[str], further: frozenset[str] = frozenset()) -> int:
    """Count the folded names that are words for a column of a ticket table, or among `further`: what tells a header from a row."""
    return sum(name in _EVERY_NAME or name in further for name in names)


def guess_roles(names: Sequence[str], rows: Sequence[Sequence[str]], *, by_content: bool = True) -> dict[int, str]:
    """Guess the role of each column from folded names and sample rows: {place: role}.

    `by_content` finds columns of any name too, by what they hold. The result has no `ticket_id` when nothing in the table could be one.
    """
    columns = [
        [row[place] for row in rows if place < len(row) and not is_nothing(row[place])] for place in range(len(names))
    ]
    roles: dict[int, str] = {}
    _give_by_name(roles, names, columns)
    if not by_content:
        return roles
    if "ticket_id" not in roles.values():
        _give_id_by_content(roles, columns, len(rows))
    if "body" not in roles.values() and not _has_thread(roles):
        _give_body_by_content(roles, columns)
    if not set(DATE_ROLES) & set(roles.values()):
        _give_date_by_content(roles, columns, names)
    if _is_of_messages(roles, columns):
        return _as_messages(roles, names)
    if "requester" not in roles.values() and "author" in roles.values():
        # Whoever wrote a ticket is who asks.
        roles[_place_of(roles, "author")] = "requester"
    return {place: role for place, role in roles.items() if role not in _MESSAGE_ROLES}


def guess_record_roles(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, by_content: bool = True
) -> dict[int, str]:
    """Guess the roles in nested records, from their own names and sample rows: those of the record, and those of its messages in a list within."""
    groups = dict.fromkeys(map(group_of, names))
    own = [place for place, name in enumerate(names) if not group_of(name)]
    roles = {
        own[place]: role
        for place, role in guess_roles(
            [_words(names[place]) for place in own],
            [[row[place] for place in own] for row in rows],
            by_content=by_content,
        ).items()
    }
    found = {group: _guess_thread(names, rows, group) for group in groups if group and not _is_no_thread(group)}
    threads = {group: thread for group, thread in found.items() if thread}
    telling = [group for group in threads if _last_word(group) in _THREAD_NAMES]
    # Lists of an unknown name may be the same conversation twice.
    for group in telling or list(threads)[:1]:
        roles.update(threads[group])
    if threads and "body" in roles.values():
        # Beside a thread the longest text is no message, unless it is called one.
        place = _place_of(roles, "body")
        if not group_of(names[place]) and _words(names[place]).split()[-1] not in _ALIASES["body"]:
            del roles[place]
    return roles


def _last_word(group: str) -> str:
    return _words(group).split()[-1].strip("[]")


def _is_no_thread(group: str) -> bool:
    return _last_word(group) in _NO_THREADS


def _guess_thread(names: Sequence[str], rows: Sequence[Sequence[str]], group: str) -> dict[int, str]:
    """Guess the roles of a list's columns; none when its elements do not read like messages."""
    places = [place for place, name in enumerate(names) if group_of(name) == group]
    inner = [_words(names[place].removeprefix(group).removeprefix(".")) for place in places]
    elements: list[list[str]] = []
    for row in rows[:_SAMPLED_RECORDS]:
        lists = [read_list(row[place]) for place in places]
        elements += [list(element) for element in itertools.zip_longest(*lists, fillvalue="")]
    columns = [
        [element[number] for element in elements if not is_nothing(element[number])] for number in range(len(places))
    ]
    roles: dict[int, str] = {}
    _give_by_name(roles, inner, columns, only=_ELEMENT_ROLES)
    for number, name in enumerate(inner):
        if number not in roles and name in _SPEAKERS and columns[number]:
            roles[number] = _SPEAKERS[name]
    if "author_role" not in roles.values():
        _give_role_by_content(roles, columns)
    if "body" not in roles.values():
        _give_body_by_content(roles, columns, least=10)
    if "created_at" in roles.values():
        roles[_place_of(roles, "created_at")] = "message_created_at"
    given = set(roles.values())
    is_thread = "body" in given and given & {"author", "author_role", "message_created_at", *_SPEAKERS.values()}
    return {places[number]: role for number, role in roles.items()} if is_thread else {}


def _give_role_by_content(roles: dict[int, str], columns: Sequence[Sequence[str]]) -> None:
    for number, values in enumerate(columns):
        if number not in roles and len(values) > 1 and _share(author_role(v, {}) != "unknown" for v in values) >= 0.6:
            roles[number] = "author_role"
            return


def _words(name: str) -> str:
    """Return a key's name as words: `createdAt` and `created_at` are the same."""
    return fold(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))


def _is_of_messages(roles: Mapping[int, str], columns: Sequence[Sequence[str]]) -> bool:
    """Tell whether this is a table of one row a message: the ids repeat, and more than a row that slipped in twice."""
    given = set(roles.values())
    if not {"ticket_id", "body"} <= given:
        return False
    ids = columns[_place_of(roles, "ticket_id")]
    return _repeats(ids, 0.85) if given & {"author", "author_role", "message_id"} else _repeats(ids, 0.5)


def is_message_table(roles: Iterable[str]) -> bool:
    """Tell whether these roles make a table of one row a message."""
    return "message_created_at" in roles


def _give_by_name(
    roles: dict[int, str],
    names: Sequence[str],
    columns: Sequence[Sequence[str]],
    only: Mapping[str, Sequence[str]] = _ALIASES,
) -> None:
    candidates = [
        (similarity - rank * 0.001, role, place)
        for place, name in enumerate(names)
        # Columns by the thousand are fields of their own; comparing all their names with all words would take a minute.
        if place < _MOST_COMPARED or name in _EVERY_NAME
        for role, aliases in only.items()
        for rank, alias in enumerate(aliases)
        if (similarity := _similarity(name, alias)) >= 0.8
    ]
    # Stable: of equal candidates the role that stands first in the table above wins, then the leftmost column.
    for _, role, place in sorted(candidates, key=lambda candidate: -candidate[0]):
        is_taken = role in roles.values() and role not in MANY_COLUMNS
        if place not in roles and not is_taken and _holds(role, columns[place]):
            roles[place] = role


@lru_cache(maxsize=20_000)  # exports repeat a column by the hundred
def _similarity(name: str, alias: str) -> float:
    if name == alias:
        return 1.0
    if not name or len(alias) < 4:
        return 0.0
    if name.endswith(")") and name[: name.rfind("(")].rstrip() == alias:
        return 0.95  # “Created at (UTC)”
    words = name.split()
    # “Ticket status (current)” is about status; “status reason” less so.
    if len(words) > 1 and (words[-1] == alias or name.endswith(" " + alias)):
        return 0.85
    if abs(len(name) - len(alias)) > 2 or len(name) < 5:
        return 0.0
    if len(set(name) ^ set(alias)) > 0.13 * (len(name) + len(alias)):
        return 0.0  # too many letters have no partner for any ratio that counts
    ratio = SequenceMatcher(None, name, alias).ratio()
    return ratio - 0.05 if ratio >= 0.87 else 0.0


def _holds(role: str, values: Sequence[str]) -> bool:
    """Tell whether a column's values can mean that; an empty column can mean anything but an id."""
    if role == "ticket_id":
        return (
            _share(len(value) <= 100 and "\n" not in value for value in values) >= 0.3
        )  # torn rows are no reason to doubt
    if not values:
        return True
    if role in DATE_ROLES:
        return _share(bool(read_date(value, "day-first").text) for value in values) >= 0.6
    if role == "journal":
        return _share(holds_journal(value) for value in values) >= 0.5
    if role == "comment":
        return _share(bool(split_comment(value, "day-first").created_at) for value in values) >= 0.5
    if role == "author_role":
        return _share(author_role(value, {}) != "unknown" for value in values) >= 0.5
    if role in ("status", "priority"):
        return _share(len(value) <= 60 for value in values) > 0.9
    if role == "requester_email":
        return _share("@" in value for value in values) >= 0.5
    return True


def _give_id_by_content(roles: dict[int, str], columns: Sequence[Sequence[str]], row_count: int) -> None:
    if not {"subject", "body", "journal", "comment"} & set(roles.values()):
        return  # unique numbers alone do not make tickets: every table of figures has some
    for place, values in enumerate(columns):
        is_unique = len(values) == row_count > 0 and len(set(values)) == row_count
        if (
            place not in roles
            and is_unique
            and _share(bool(_ID_VALUE.fullmatch(value.strip())) for value in values) > 0.95
        ):
            roles[place] = "ticket_id"
            return


def _give_body_by_content(roles: dict[int, str], columns: Sequence[Sequence[str]], *, least: int = 40) -> None:
    free = [place for place in range(len(columns)) if place not in roles and columns[place]]
    if not free:
        return
    longest = max(free, key=lambda place: _average_length(columns[place]))
    if _average_length(columns[longest]) < least:
        return
    is_journal = _share(holds_journal(value) for value in columns[longest]) >= 0.5
    roles[longest] = "journal" if is_journal else "body"


def _give_date_by_content(roles: dict[int, str], columns: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    """Find a column of dates by what it holds, whatever it is called."""
    for place, values in enumerate(columns):
        if place in roles or not values or _OTHER_DATE.search(names[place]):
            continue
        if not all(re.search(r"[-/.: ]", value) for value in values[:20]):
            continue
        if _share(bool(read_date(value, "day-first").text) for value in values) >= 0.8:
            roles[place] = "created_at"
            return


def _has_thread(roles: dict[int, str]) -> bool:
    return "journal" in roles.values() or "comment" in roles.values()


def _as_messages(roles: dict[int, str], names: Sequence[str]) -> dict[int, str]:
    """Read the same columns as those of messages: the date is the message's, and who wrote is its author."""
    changed = dict(roles)
    for place, role in roles.items():
        if role == "created_at":
            changed[place] = "message_created_at"
        elif (
            role == "requester"
            and "author" not in roles.values()
            and names[place] in ("author", "from", "sender", "user", "created by")
        ):
            changed[place] = "author"
    return changed


def _place_of(roles: Mapping[int, str], role: str) -> int:
    return next(place for place, given in roles.items() if given == role)


def _repeats(values: Sequence[str], share: float) -> bool:
    return len(values) >= 4 and len(set(values)) <= len(values) * share


def _average_length(values: Sequence[str]) -> float:
    return sum(map(len, values)) / len(values) if values else 0.0


def _share(claims: Iterable[bool]) -> float:
    listed = list(claims)
    return sum(listed) / len(listed) if listed else 0.0
