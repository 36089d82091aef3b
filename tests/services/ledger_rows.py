"""Rows of the ledger as tests need them: many, of any time, with any end. Written the way SQLite has them, because the gate writes only what is
now."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

DAY = 86_400


def ago(seconds: float) -> str:
    """Return a moment before now as the ledger has it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def row(**values: Any) -> dict[str, Any]:
    """Return a row: a complete call of a minute ago, unless told otherwise. `request` and `answer` become its trace."""
    usual = {
        "at": ago(60),
        "host": "api.openai.com",
        "provider": "work",
        "model": "gpt-4o-mini",
        "purpose": "summarize",
        "recipe": "summarize",
        "bytes": 2_048,
        "sha256": "a" * 64,
        "redactions_json": json.dumps({"email": 2, "person": 1}),
        "state": "complete",
        "status": 200,
        "input_tokens": 1_000,
        "output_tokens": 200,
        "cached_input_tokens": 100,
        "cost_microusd": 250,
        "first_token_seconds": 0.5,
        "seconds": 2.0,
    }
    return {**usual, **values}


def failed(code: str = "provider-quota", message: str = "Too many requests.", **values: Any) -> dict[str, Any]:
    """Return a row of a call that failed before anything came."""
    nothing = dict.fromkeys(
        ("input_tokens", "output_tokens", "cached_input_tokens", "cost_microusd", "first_token_seconds")
    )
    return row(
        **{"state": "failed", "status": 429, "error": code, "message": message, "seconds": 0.1, **nothing, **values}
    )


def write_rows(database: Path, *rows: dict[str, Any]) -> list[int]:
    """Write rows and their traces into a data folder's database and return their ids."""
    ids = []
    with closing(sqlite3.connect(database)) as connection, connection:
        for values in rows:
            values = dict(values)
            request, answer = values.pop("request", None), values.pop("answer", "")
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            cursor = connection.execute(f"INSERT INTO ledger ({names}) VALUES ({marks})", list(values.values()))
            ids.append(int(cursor.lastrowid or 0))
            if request is not None:
                packed = [zlib.compress(text.encode()) for text in (request, answer)]
                connection.execute(
                    "INSERT INTO trace (ledger_id, request, answer) VALUES (?, ?, ?)", [ids[-1], *packed]
                )
    return ids


def write_hits(database: Path, *, day: str = "", hits: int = 1, saved: int = 0, **values: str) -> None:
    """Write what the cache saved on a day (today unless told otherwise)."""
    usual = {"provider": "work", "model": "gpt-4o-mini", "recipe": "summarize", **values}
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO cache_hit (day, provider, model, recipe, hits, saved_microusd) VALUES (?, ?, ?, ?, ?, ?)",
            [day or ago(0)[:10], usual["provider"], usual["model"], usual["recipe"], hits, saved],
        )
