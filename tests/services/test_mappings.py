"""Mappings as files: saved, loaded, remembered for their header, forgotten."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.imports import ImportOverrides, MappingNeeded
from desktop.services.container import Desk
from tests.services.conftest import import_path, opened_desk

HEADER = "Name,was geschah,Name\n"
CHOSEN = ImportOverrides({0: "ticket_id", 1: "subject", 2: "requester"}, source="berlin")


def write_export(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


async def run(desk: Desk, path: Path, **options: str) -> None:
    recognized = await desk.imports.recognize(path, **options)  # type: ignore[arg-type]
    async with aclosing(desk.imports.run(recognized)) as events:
        assert [event async for event in events]


async def test_a_saved_mapping_serves_a_colleague_without_a_click(data_dir: Path, tmp_path: Path) -> None:
    first = write_export(tmp_path, "march.csv", "A1,Der Drucker brennt,Ada", "A2,Die Tür klemmt,Bo")
    second = write_export(tmp_path, "april.csv", "A2,Die Tür klemmt nicht mehr,Bo", "A3,Der Lift steckt,Cy")
    async with opened_desk(data_dir / "mine") as desk:
        recognized = await desk.imports.recognize(first, overrides=CHOSEN)
        file = await desk.mappings.save(recognized, tmp_path / "berlin")
    assert file == tmp_path / "berlin.toml"
    async with opened_desk(data_dir / "hers") as desk:
        with pytest.raises(MappingNeeded):
            await desk.imports.recognize(first)
        await desk.mappings.add(file)
        file.unlink()
        await import_path(desk, first)
        done = await import_path(desk, second)
        thread = await desk.tickets.thread(await desk.tickets.find("berlin:A3"))
    assert (done.counts.tickets_new, done.counts.tickets_updated, done.recognized.is_remembered) == (1, 1, True)
    assert thread is not None
    assert (thread.ticket.subject, thread.ticket.requester) == ("Der Lift steckt", "Cy")


async def test_an_import_by_a_mapping_file_is_remembered_and_can_be_forgotten(data_dir: Path, tmp_path: Path) -> None:
    first = write_export(tmp_path, "march.csv", "A1,Der Drucker brennt,Ada")
    second = write_export(tmp_path, "april.csv", "A3,Der Lift steckt,Cy")
    async with opened_desk(data_dir) as desk:
        file = await desk.mappings.save(await desk.imports.recognize(first, overrides=CHOSEN), tmp_path / "m.toml")
        await run(desk, first, mapping=str(file))
        file.unlink()
        again = await desk.imports.recognize(second)
        assert (again.is_remembered, again.source) == (True, "berlin")
        (remembered,) = await desk.mappings.remembered()
        assert remembered.learned_from == "march.csv"
        await desk.mappings.remove(remembered.id)
        with pytest.raises(MappingNeeded):
            await desk.imports.recognize(second)
        with pytest.raises(DeskError, match="is remembered"):
            await desk.mappings.remove(remembered.id)


async def test_a_correction_goes_over_a_mapping_file_and_both_are_remembered(data_dir: Path, tmp_path: Path) -> None:
    path = write_export(tmp_path, "march.csv", "A1,Der Drucker brennt,Ada")
    async with opened_desk(data_dir) as desk:
        file = await desk.mappings.save(await desk.imports.recognize(path, overrides=CHOSEN), tmp_path / "m.toml")
        loaded = await desk.mappings.load(file, await desk.imports.recognize(path, overrides=CHOSEN))
        corrected = ImportOverrides({2: "assignee"}, definition=loaded.overrides.definition)
        async with aclosing(desk.imports.run(await desk.imports.recognize(path, overrides=corrected))) as events:
            assert [event async for event in events]
        again = await desk.imports.recognize(path)
    assert [column.role for column in again.columns] == ["ticket_id", "subject", "assignee"]


async def test_a_mapping_for_another_table_is_refused_and_nothing_is_remembered(data_dir: Path, tmp_path: Path) -> None:
    path = write_export(tmp_path, "march.csv", "A1,Der Drucker brennt,Ada")
    other = tmp_path / "other.toml"
    other.write_text('key = "k"\n[[layouts]]\nshape = "tickets"\ncolumns.ticket_id = ["Nummer"]\n', encoding="utf-8")
    async with opened_desk(data_dir) as desk:
        recognized = await desk.imports.recognize(path, overrides=CHOSEN)
        with pytest.raises(DeskError) as unfit:
            await desk.mappings.load(other, recognized)
        with pytest.raises(DeskError) as headless:
            await desk.mappings.add(other)
        with pytest.raises(DeskError) as missing:
            await desk.mappings.add(tmp_path / "none.toml")
        with pytest.raises(DeskError) as unwritable:
            await desk.mappings.save(recognized, tmp_path / "no folder" / "m.toml")
        assert await desk.mappings.remembered() == ()
    codes = [caught.value.code for caught in (unfit, headless, missing, unwritable)]
    assert codes == ["mapping-unfit", "mapping-no-header", "mapping-missing", "mapping-unwritable"]
