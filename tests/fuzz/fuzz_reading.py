"""Fuzzing: atheris looks for a file that recognition and reading do not end in tickets, rejects or a sentence.

`make fuzz` runs it. An input is one byte that says how the file is called, then the file. It is recognized and read to its end with the code of
`desktop.ingest` instrumented, so that what reaches a new branch is kept and changed further. Accepted: batches that add up, or a `DeskError` with a
remedy. Anything else is a crash, and so is an input that takes more than ten seconds or lets the process grow beyond 500 MB; it is saved beside the
corpus, its path is printed, and `python tests/fuzz/fuzz_reading.py PATH` runs it again. Deliberately not here: services and database, see
`tests/malformed`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["desktop.ingest"]):
    from desktop.domain.errors import DeskError
    from desktop.ingest.definitions import load_systems
    from desktop.ingest.files import expand
    from desktop.ingest.recognition import recognize
    from desktop.ingest.tickets import read_batches
    from desktop.storage.writing import hash_ticket

SYSTEMS = load_systems(ROOT / "resources" / "systems")
NAMES = (
    *(
        "tickets.csv",
        "tickets.tsv",
        "tickets.txt",
        "tickets.csv.gz",
        "tickets.zip",
        "tickets.xlsx",
        "tickets.ods",
        "tickets.xls",
    ),
    *("tickets.json", "tickets.ndjson", "tickets.mbox", "ticket.eml", "tickets.doc", "tickets.html"),
)
FOLDER = Path(tempfile.mkdtemp(prefix="tldesk-fuzz-"))


def read_one(data: bytes) -> None:
    """Recognize and read one input."""
    if not data:
        return
    path = FOLDER / NAMES[data[0] % len(NAMES)]
    path.write_bytes(data[1:])
    try:
        for table in expand(path):
            read_table(table)
    except DeskError as error:
        if not (error.message and error.remedy):
            raise ValueError(f"a refusal that does not say what happened and what to do: {error!r}") from error
    finally:
        path.unlink()


def read_table(table: Path) -> None:
    """Read one table to its end and check its account."""
    recognized = recognize(table, systems=SYSTEMS)
    for batch in read_batches(recognized, systems=SYSTEMS, batch_rows=100):
        used = sum(ticket.rows for ticket in batch.tickets) + len(batch.people)
        assert batch.rows == used + len(batch.rejects) + batch.blank + batch.footer + batch.repeated, "rows were lost"
        assert all(reject.line > 0 and reject.reason for reject in batch.rejects), "a reject without line or reason"
        for ticket in batch.tickets:
            assert ticket.external_id, "a ticket without an id"
            hash_ticket(ticket)


if __name__ == "__main__":
    atheris.Setup(sys.argv, read_one)
    atheris.Fuzz()
