"""Authors: who wrote a message, and whether it is for colleagues only.

The customer when it is the requester, an agent when it is the assignee, else what the system's own flag says, else unknown. Deliberately not here:
names in place of numbers, see `domain.people`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from desktop.domain.tickets import Role
from desktop.ingest.nested import read_list
from desktop.ingest.plan import Plan
from desktop.ingest.tally import Tally
from desktop.ingest.vocabulary import author_role, fold, is_nothing

_NAME_AND_ADDRESS = re.compile(r'"?([^"<(]+?)"?\s*[<(]([^<>()\s]+@[^<>()\s]+)[>)]')
# Flags as people's spreadsheets write them, in the languages whose Excel translates TRUE.
_YES = frozenset("1 true yes y t x ja j sí si oui sim wahr verdadero vrai vero verdadeiro waar prawda".split())
_NO = frozenset("0 false no n f nein non não nee falsch falso faux onwaar fałsz".split())
_INTERNAL_WORDS = frozenset("private internal note intern interno interne privado privat privé".split())
_PUBLIC_WORDS = frozenset("public external customer öffentlich público publico externo extern".split())


SIDES = {"customer_author": Role.CUSTOMER, "agent_author": Role.AGENT}
# An element that has the key `agent` was written by an agent, also when it leaves the name empty. No text from a file holds this character.
NAMELESS = "\0"


class Authors:
    """Tells who wrote the messages of a file, by its plan."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self._plan = plan
        self._tally = tally

    def of(self, row: Sequence[str]) -> tuple[str, Role]:
        """Return who wrote a message: the customer when it is the requester, an agent when it is the assignee, else what the system says."""
        for name, role in SIDES.items():
            for place in self._plan.many.get(name, ()):
                if not is_nothing(row[place]):
                    return row[place].strip(NAMELESS + " "), role
        author, kind = self._word(row, "author"), self._word(row, "author_role")
        told = author_role(kind, self._plan.system.author_roles) if kind else Role.UNKNOWN
        if told is Role.SYSTEM:
            return author, told  # an automatic answer in the customer's name is no word of the customer's
        role = self.role_of(author, row)
        if role is not Role.UNKNOWN:
            # Records often name a person by number in one place and by name in another.
            known_as = "requester" if role is Role.CUSTOMER else "assignee"
            is_one = self._plan.places.get(known_as, -1) not in self._plan.joined_places
            return (is_one and self._word(row, known_as)) or author, role
        return author, told

    def role_of(self, author: str, cells: Sequence[str]) -> Role:
        """Return which side a person is on, by the ticket that a row speaks of."""
        if not author or is_nothing(author):
            return Role.UNKNOWN
        names = _names(author)
        if any(names & self._people(cells, place) for place in self._plan.requester_places):
            return Role.CUSTOMER
        if any(names & self._people(cells, place) for place in self._plan.assignee_places):
            return Role.AGENT
        return Role.UNKNOWN

    def _people(self, cells: Sequence[str], place: int) -> set[str]:
        if place not in self._plan.joined_places:
            return _names(cells[place])
        return {name for person in read_list(cells[place]) for name in _names(person)}

    def is_internal(self, value: str) -> bool:
        """Read a flag of privacy."""
        if is_nothing(value):
            return False
        word = value.strip().casefold()
        if word in _INTERNAL_WORDS or word in _PUBLIC_WORDS:
            # The word itself says it, whatever the column is called.
            return word in _INTERNAL_WORDS
        if word in _YES or word in _NO:
            return (word in _YES) != self._plan.is_public_flag
        # An unknown word about privacy: what is taken for internal by mistake harms nobody.
        self._tally.unknown_flags += 1
        return True

    def _word(self, cells: Sequence[str], role: str) -> str:
        return word_of(self._plan.cell(cells, role))


def word_of(value: str) -> str:
    """Return a cell that names somebody or something: one line, '' for what means nothing."""
    if "\n" in value or "\r" in value:
        value = ", ".join(filter(None, map(str.strip, value.splitlines())))  # several people
    return "" if is_nothing(value) else value.strip()


def _names(person: str) -> set[str]:
    """Return what a person can be told by: `Ada Berg <ada@example.com>` is the name and the address too."""
    match = _NAME_AND_ADDRESS.fullmatch(person.strip()) if person.endswith((">", ")")) else None
    names = [person, *(match.groups() if match else ())]
    if "\n" in person or ("@" in person and re.search(r"[,;]", person)):
        names += re.split(r"\s*[\n,;]\s*", person)  # several people in one cell
    return {name for name in map(fold, names) if name}
