"""The preview, as a careful user checks it: its bytes are the bytes that the provider received, and looking at them sends nothing."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.services.conftest import SCRIPTED, TICKET, opened_desk, summarize


@pytest.mark.parametrize("redaction", ["on", "off"])
async def test_the_bytes_are_those_that_the_provider_received(tmp_path: Path, redaction: str) -> None:
    with ScriptedServer(good_stream("Gist: The card was charged twice. [m1.1]\n")) as server:
        async with opened_desk(tmp_path, server) as desk:
            desk.providers.save(replace(desk.providers.profile(SCRIPTED), redaction=redaction))
            ticket_id = await desk.tickets.find(TICKET)
            preview = await desk.sending_previews.preview(ticket_id)
            asked_before = len(server.requests)
            await summarize(desk)
            again = await desk.sending_previews.preview(ticket_id)
            with closing(sqlite3.connect(desk.paths.database)) as connection:
                sha256, size, sent = connection.execute(
                    "SELECT sha256, bytes, request FROM ledger JOIN trace ON ledger_id = id"
                ).fetchone()
    assert asked_before == 0
    assert server.requests[0].headers["Content-Length"] == str(len(preview.body))
    assert json.loads(preview.body) == server.requests[0].body
    assert zlib.decompress(sent) == preview.body == again.body
    assert (sha256, size) == (preview.sha256, len(preview.body))
    assert preview.sha256 == hashlib.sha256(preview.body).hexdigest()
    assert bool(preview.redactions) == (redaction == "on")
    text = preview.body.decode()
    assert all(r.placeholder in text for r in preview.redactions)
    assert not [value for value in preview.values.values() if value in text]
