"""Joining: which of the dropped files belong together, and to which tickets that are here already.

Tables of a known system share its source. A table of messages or people of no known system belongs to the tickets whose ids it names: those of
the same drop first, else those in the database. A diff goes with the table that has its pull request. What was found is said in words, and the
source can be corrected. Nothing is written here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.imports import Bundle, Drop, FailedFile, ImportEvent, ImportOverrides, MappingNeeded, Recognized
from desktop.domain.people import name_people
from desktop.ingest.diffs import find_pull, is_diff
from desktop.services.imports import ImportService

SAMPLED_IDS = 500
MOST_IDS = 200_000
LEAST_SHARE = 0.8
"""So many of a table's ids must be those of known tickets: small numbers are the ids of many a help desk."""
LEAST_SHARE_OF_SECOND_IDS = 0.5
"""Such numbers are long and unique on a whole site, so fewer of them say it too: part of a warehouse is often only a sample."""
LEAST_DOUBLED = 20
"""Of a handful of ids that are here already nothing follows."""
_ORDER = ("people", "tickets", "messages")
_NO_TICKETS = ("file-not-tickets", "file-no-rows", "mapping-no-id")


class JoiningService:
    """Sorts what was dropped into bundles."""

    def __init__(self, imports: ImportService) -> None:
        self._imports = imports

    async def open(
        self, paths: Sequence[Path], *, overrides: ImportOverrides = ImportOverrides(), mapping: str = ""
    ) -> Drop:
        """Find out what dropped files are and which of them belong together; what cannot be imported is said of each.

        Raises:
            DeskError: `mapping-…` for a mapping that cannot be used.
        """
        tables: list[Path] = []
        failed: list[FailedFile] = []
        for path in paths:
            try:
                tables += await self._imports.expand(path)
            except DeskError as error:
                failed.append(FailedFile(str(path), error))
        drop = await self._sort(tables, overrides, mapping, dropped=frozenset(map(str, paths)))
        return replace(drop, failed=(*failed, *drop.failed))

    async def named(self, bundle: Bundle) -> Bundle:
        """Return a bundle whose first tickets have the names of people that they will have; its tables of people are read whole for it."""
        people = dict(await self._imports.known_people(bundle.main.source))
        for table in bundle.tables:
            if table.kind == "people":
                people |= await self._imports.read_people(table)
        tables = [
            replace(table, preview=tuple(name_people(draft, people) for draft in table.preview))
            for table in bundle.tables
        ]
        return replace(bundle, tables=tuple(tables))

    async def preview(self, bundle: Bundle) -> AsyncGenerator[ImportEvent, None]:
        """Run through a bundle without writing, table by table, to count what it would change; a ticket of two tables is counted once."""
        told: set[str] | None = set() if len(bundle.tables) > 1 else None
        for table in bundle.tables:
            async with aclosing(self._imports.run(table, dry_run=True, told=told, gently=True)) as events:
                async for event in events:
                    yield event

    async def _sort(
        self, files: Sequence[Path], overrides: ImportOverrides, mapping: str, *, dropped: frozenset[str]
    ) -> Drop:
        tables = [path for path in files if not is_diff(path)]
        found: list[Recognized] = []
        questions: list[MappingNeeded] = []
        failed: list[FailedFile] = []
        for path in tables:
            try:
                found.append(await self._imports.recognize(path, overrides=overrides, mapping=mapping))
            except MappingNeeded as needed:
                questions.append(needed)
            except DeskError as error:
                failed.append(FailedFile(str(path), error))
        documents = {
            str(Path(table.path).parent) for table in found if table.sheet and Path(table.path).name == table.sheet
        }
        left_out = [file for file in failed if _is_beside(file.path, file.error, documents)]
        left_out += [FailedFile(q.recognized.path, q) for q in questions if _is_beside(q.recognized.path, q, documents)]
        beside = {file.path for file in left_out}
        found, lonely = await self._with_diffs(found, [path for path in files if is_diff(path)])
        bundles = await self._bundles(found, left_out)
        # In an archive of tickets a diff may be what somebody attached: no fault, and said all the same.
        attached = [file for file in lonely if bundles and file.path not in dropped]
        failed += [file for file in lonely if file not in attached]
        if attached:
            names = ", ".join(Path(file.path).name for file in attached[:3])
            said = f"{len(attached):,} of the files are diffs of no pull request here and are left out ({names})."
            bundles = (replace(bundles[0], notes=(*bundles[0].notes, said)), *bundles[1:])
        return Drop(
            bundles,
            tuple(question for question in questions if question.recognized.path not in beside),
            tuple(file for file in failed if file.path not in beside),
        )

    async def _with_diffs(
        self, found: Sequence[Recognized], diffs: Sequence[Path]
    ) -> tuple[list[Recognized], list[FailedFile]]:
        """Give each diff to the table that has its pull request; return also what belongs to none."""
        given: dict[str, dict[str, str]] = {}
        lonely: list[FailedFile] = []
        # The list of issues may have the pull requests too, and says less of them.
        records = sorted(
            (table for table in found if table.kind == "tickets"),
            key=lambda table: "pull" not in Path(table.path).name.lower(),
        )
        ids = {table.path: await self._imports.read_ids(table, MOST_IDS) for table in records} if diffs else {}
        for diff in diffs:
            for table in records:
                if pull := find_pull(diff, ids[table.path]):
                    given.setdefault(table.path, {})[pull] = str(diff)
                    break
            else:
                lonely.append(FailedFile(str(diff), _lonely(diff)))
        return [replace(table, diffs=given.get(table.path, {})) for table in found], lonely

    async def _bundles(self, found: Sequence[Recognized], left_out: Sequence[FailedFile]) -> tuple[Bundle, ...]:
        # Messages find their tickets first, so that people find one source and not two.
        found = sorted(found, key=lambda table: ("tickets", "messages", "people").index(table.kind))
        records = [table for table in found if table.kind == "tickets"]
        bundles: dict[str, list[Recognized]] = defaultdict(list)
        notes: dict[str, list[str]] = defaultdict(list)
        for table in found:
            joined, why = await self._join(table, records, set(bundles))
            bundles[joined.source].append(joined)
            notes[joined.source] += filter(None, [_say_diffs(table), why, *_say_left_out(table, left_out)])
        return tuple(
            Bundle(tuple(sorted(tables, key=_place)), tuple(dict.fromkeys(notes[source])))
            for source, tables in bundles.items()
        )

    async def _join(
        self, table: Recognized, records: Sequence[Recognized], sources: set[str]
    ) -> tuple[Recognized, str]:
        """Return a table with the source it belongs to, and why."""
        kind = table.kind
        if kind == "messages" and not table.is_source_guessed:
            return await self._by_second_ids(table, [r for r in records if r.source == table.source]) or table, ""
        if kind == "tickets" and table.is_source_guessed:
            return table, await self._say_doubled(table)
        if not table.is_source_guessed:
            return table, ""
        name = Path(table.path).name
        if kind == "people" and len(sources) == 1:
            return table.with_source(next(iter(sources))), ""
        ids = await self._imports.read_ids(table, SAMPLED_IDS)
        for record in records if kind == "messages" else ():
            share = len(ids & await self._imports.read_ids(record, MOST_IDS)) / max(1, len(ids))
            if share >= LEAST_SHARE:
                return table.with_source(record.source), ""
        if kind == "messages" and (found := await self._by_second_ids(table, records)):
            return found, ""
        source, count = await self._imports.find_source(table, ids)
        if source and source != table.source and count >= LEAST_SHARE * len(ids):
            what = "messages belong to tickets" if kind == "messages" else "people appear in tickets"
            return table.with_source(
                source
            ), f"{name}: these {what} of “{source}” ({count:,} of {len(ids):,} ids looked at are there)."
        return table, ""

    async def _by_second_ids(self, table: Recognized, records: Sequence[Recognized]) -> Recognized | None:
        """Join messages with tickets that they name by another number; None when there are none such."""
        ids: frozenset[str] = frozenset()
        for record in records:
            aliases = await self._imports.read_other_ids(record, MOST_IDS)
            ids = ids or (await self._imports.read_ids(table, SAMPLED_IDS) if aliases else ids)
            known = aliases.keys() - aliases.values()
            if ids and len(ids & known) >= LEAST_SHARE_OF_SECOND_IDS * len(ids):
                return replace(table.with_source(record.source), aliases=aliases)
        return None

    async def _say_doubled(self, table: Recognized) -> str:
        """Say when the tickets of a file seem to be here already, from a file of another name; '' when not. Who knows is the user."""
        ids = await self._imports.read_ids(table, SAMPLED_IDS)
        source, count = await self._imports.find_source(table, ids)
        if not source or source == table.source or count < max(LEAST_DOUBLED, LEAST_SHARE * len(ids)):
            return ""
        return (
            f"{Path(table.path).name}: tickets with {count:,} of the {len(ids):,} ids looked at are here, from the source “{source}”."
            " If they are the same, give this file that source."
        )


def _lonely(diff: Path) -> DeskError:
    return DeskError(
        "file-diff-alone",
        f"{diff.name} is a diff, and no export dropped with it has its pull request.",
        remedy="Drop it together with the export of the pull requests, and name it by the number: 7.diff.",
    )


def _say_diffs(table: Recognized) -> str:
    if not table.diffs:
        return ""
    count = len(table.diffs)
    said = f"{count:,} diff{'s belong to pull requests' if count > 1 else ' belongs to a pull request'}"
    return f"{said} of {Path(table.path).name}."


def _say_left_out(table: Recognized, left_out: Sequence[FailedFile]) -> list[str]:
    """Say which lists of a table's document are no tickets."""
    folder = Path(table.path).parent
    beside = [Path(file.path) for file in left_out if Path(file.path).parent == folder]
    return [f"“{path.name}” in {folder.name} holds no tickets and is left out." for path in beside]


def _place(table: Recognized) -> tuple[int, float]:
    """Return what orders the tables of a bundle: their kind, then when they were written. Of several exports the newest has the last word."""
    path = Path(table.path)
    file = next((place for place in (path, *path.parents) if place.is_file()), path)
    try:
        written_at = file.stat().st_mtime
    except OSError:
        written_at = 0.0
    return _ORDER.index(table.kind), written_at


def _is_beside(path: str, error: DeskError, documents: set[str]) -> bool:
    """Tell whether this is a list without tickets in a document that has others: `facets` beside `tickets`."""
    return error.code in _NO_TICKETS and str(Path(path).parent) in documents
