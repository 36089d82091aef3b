"""The real command, with an observer that writes down each count that the program reports, at the moment it reports it.

`tldesk import --json` prints once, at its end; the window says four times a second how many tickets are in. Both read the same events, and so
does the observer: it passes each on unchanged and appends its counts to a file as one JSON record. Whoever is told "4,500 tickets" must find
4,500 after a crash. It is started as `observed_import.py ACKNOWLEDGED [the program's own arguments]`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from desktop.__main__ import main
from desktop.domain.imports import ImportEvent, Progress
from desktop.services.imports import ImportService


def observe(path: str) -> None:
    """From now on append what an import reports to the file at `path`: written at once, so that it outlives the process."""
    record = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    run = ImportService.run

    async def observed(self: ImportService, *arguments: Any, **options: Any) -> AsyncGenerator[ImportEvent, None]:
        async with aclosing(run(self, *arguments, **options)) as events:
            async for event in events:
                if isinstance(event, Progress):
                    os.write(record, json.dumps(asdict(event.counts)).encode() + b"\n")
                yield event

    ImportService.run = observed  # type: ignore[method-assign]


if __name__ == "__main__":
    observe(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
