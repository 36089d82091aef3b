"""`tldesk preview`: what would be sent, for people, as JSON, and as its exact bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def preview(tldesk: Run, export: Path) -> Run:
    """Give a function that previews a ticket for a provider on another machine."""
    assert tldesk("import", str(export)).code in (0, 3)
    added = tldesk("providers", "add", "far", "--base-url", "https://models.example/v1", "--model", "m")
    assert added.code == 0, added.err
    return lambda *arguments: tldesk("preview", "T-2", "--provider", "far", *arguments)


def test_json_has_the_exact_body_and_no_value_that_stays(preview: Run) -> None:
    ran = preview("--json")
    assert ran.code == 0, ran.err
    document = ran.json
    assert document["host"] == "models.example"
    assert document["sha256"] == hashlib.sha256(document["body"].encode()).hexdigest()
    assert [(m["role"], m["content"]) for m in document["messages"]] == [
        (m["role"], m["content"]) for m in json.loads(document["body"])["messages"]
    ]
    assert document["redactions"] == [{"kind": "person", "placeholder": "<PERSON_1>"}]
    assert document["input_tokens"] > 100
    assert document["cost"] is None
    assert (document["requests"], document["cached"], document["redacted"]) == (1, False, True)
    assert "A-1183" in document["body"]


def test_the_body_alone_is_the_same_bytes(preview: Run) -> None:
    assert preview("--body").out == preview("--json").json["body"]
    assert preview("--body", "--json").code == 2


def test_people_see_what_stays_here(preview: Run) -> None:
    ran = preview()
    assert "To models.example (far, m)" in ran.out
    assert "<PERSON_1>     Bo" in ran.out
    assert "--- system" in ran.out
