"""Preview: what it shows is what the server gets, byte for byte; and it sends nothing itself."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.providers import ProviderProfile
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from tests.services.conftest import SCRIPTED, TICKET, import_path, opened_desk, summarize

TABLE = (
    "id,subject,description,requester\n"
    '7,Refund,"Hello, I am Maria Keller. Write to maria@example.org or call +49 30 901820. The column EMAIL_1 was charged.",Maria Keller\n'
    '8,Short,"Too short.",Bo Ek\n'
)
ANSWER = "Gist: <PERSON_1> was charged twice. [m1.3]\n"


async def _desk_with_redaction(desk: Desk, folder: Path) -> int:
    path = folder / "two.csv"
    path.write_text(TABLE, encoding="utf-8")
    desk.providers.save(replace(desk.providers.profile(SCRIPTED), redaction="on"))
    await import_path(desk, path)
    return await desk.tickets.find("7")


async def test_the_server_gets_the_bytes_that_were_shown(tmp_path: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            ticket_id = await _desk_with_redaction(desk, tmp_path)
            shown = await desk.preview.preview(ticket_id)
            assert server.requests == []
            assert not shown.is_cached
            await summarize(desk, "7")
            assert (await desk.preview.preview(ticket_id)).is_cached
            (entry,) = await desk.operations.ledger("")
    assert server.requests[0].raw == shown.body
    assert shown.sha256 == hashlib.sha256(shown.body).hexdigest() == entry.sha256
    assert shown.target.host == entry.host
    assert {kept.redaction.placeholder: kept.value for kept in shown.kept} == {
        "<PERSON_1>": "Maria Keller",
        "<EMAIL_1>": "maria@example.org",
        "<PHONE_1>": "+49 30 901820",
    }
    assert not [kept.value for kept in shown.kept if kept.value.encode() in shown.body]


async def test_what_was_learned_of_a_provider_is_shown_from_then_on(tmp_path: Path) -> None:
    refused = refusal(400, "Use max_completion_tokens instead of max_tokens.", param="max_tokens")
    with ScriptedServer(refused, good_stream(ANSWER)) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            ticket_id = await _desk_with_redaction(desk, tmp_path)
            before = await desk.preview.preview(ticket_id)
            await summarize(desk, "7")
            after = await desk.preview.preview(ticket_id)
            await summarize(desk, "7", refresh=True)
    assert [request.raw for request in server.requests] == [before.body, after.body, after.body]
    assert b"max_completion_tokens" in after.body


async def test_a_ticket_in_parts_shows_its_first(tmp_path: Path) -> None:
    rows = "\n".join(
        f"T-1,Long,{'Ada' if n % 2 else 'Sam'},2026-03-02T10:{n:02d}:00Z,Step {n} is {' '.join(f'word{n}x{w}' for w in range(400))}."
        for n in range(1, 41)
    )
    path = tmp_path / "long.csv"
    path.write_text(f"ticket id,subject,author,created at,body\n{rows}\n", encoding="utf-8")
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            await import_path(desk, path)
            ticket_id = await desk.tickets.find("T-1")
            shown = await desk.preview.preview(ticket_id)
            await summarize(desk, "T-1")
    assert shown.requests > 1
    assert server.requests[0].raw == shown.body
    assert len(server.requests) > shown.requests


async def test_nothing_is_read_or_started_for_a_preview(tmp_path: Path) -> None:
    async with opened_desk(tmp_path / "data") as desk:
        ticket_id = await desk.tickets.find(TICKET)
        desk.providers.save(ProviderProfile("far", "custom", "https://models.example/v1", model="m"))
        far = await desk.preview.preview(ticket_id, provider="far")
        assert (far.target.host, far.target.redacts) == ("models.example", True)
        assert far.kept
        near = await desk.preview.preview(ticket_id)
        assert near.target.is_local
        assert near.kept == ()
        assert near.cost_microusd == 0
        with pytest.raises(DeskError, match="provider"):
            await desk.preview.preview(ticket_id, provider="nobody")


async def test_a_ticket_with_nothing_to_ask_is_said_to_be_one(tmp_path: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            await _desk_with_redaction(desk, tmp_path)
            with pytest.raises(DeskError, match="too short"):
                await desk.preview.preview(await desk.tickets.find("8"))


async def test_the_people_of_a_starred_ticket_that_goes_along_stay_here_too(tmp_path: Path) -> None:
    path = tmp_path / "alike.csv"
    path.write_text(
        "id,subject,description,requester,assignee\n"
        '1,Refund,"The refund for my broken coffee machine has not come, Jonas said.",Petra Lindner,Jonas Weber\n'
        '2,Refund,"The refund for my broken coffee machine has not come either.",Bo Ek,Jonas Weber\n',
        encoding="utf-8",
    )
    with ScriptedServer(good_stream("Gist: Petra waits for a refund. [m1.1]\n")) as server:
        async with opened_desk(tmp_path / "data", server, with_sample=False) as desk:
            desk.providers.save(replace(desk.providers.profile(SCRIPTED), redaction="on"))
            await import_path(desk, path)
            await summarize(desk, "1")
            await desk.summaries.star(await desk.tickets.find("1"), is_starred=True)
            shown = await desk.preview.preview(await desk.tickets.find("2"))
            await summarize(desk, "2")
    sent = server.requests[-1].raw
    assert sent == shown.body
    assert sent.count(b"coffee machine") == 2
    assert not [name for name in (b"Petra", b"Lindner", b"Jonas", b"Bo Ek") if name in sent]
