"""People: rows of a table of users, agents or contacts become persons. Deliberately not here: giving their names to tickets, see `domain.people`."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.domain.people import Person
from desktop.domain.tickets import Role
from desktop.ingest.plan import Plan
from desktop.ingest.vocabulary import author_role, is_nothing


class PeopleBuilder:
    """Makes persons of rows by a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def from_row(self, cells: Sequence[str]) -> Person:
        """Make a person of a row."""
        kind = self._word(cells, "person_role")
        role = Role(self._plan.layout.all_are) if self._plan.layout.all_are else Role.UNKNOWN
        if kind:
            role = author_role(kind, self._plan.system.author_roles)
        return Person(
            self._word(cells, "person_id"), self._word(cells, "person_name"), self._word(cells, "person_email"), role
        )

    def _word(self, cells: Sequence[str], role: str) -> str:
        value = self._plan.cell(cells, role)
        return "" if is_nothing(value) else " ".join(value.split())
