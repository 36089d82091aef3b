"""Corpus: what the fuzzer starts from: our own exports as they are, packed and in other alphabets, and the small ones of the malformed kinds.

Usage: `python tests/fuzz/make_corpus.py FOLDER`. Each file begins with the byte that says how it is called, see `fuzz_reading`.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.malformed import cells, documents, packed, places, tables, workbooks  # noqa: E402 - found only after the line above
from tests.malformed.kinds import KINDS, NotPossibleHereError  # noqa: E402

FAMILIES = (cells, documents, packed, places, tables, workbooks)
LARGEST_BYTES = 8_000


def seeds() -> Iterator[tuple[int, bytes]]:
    """Yield what a file is called, by its number there, and what it holds."""
    for path in sorted((ROOT / "tests" / "data" / "exports").glob("*.csv")):
        data = path.read_bytes()
        text = data.decode("utf-8-sig", "replace")
        yield 0, data
        yield 1, text.replace(",", "\t").encode("utf-16")
        yield 2, text.replace(",", ";").encode("cp1252", "replace")
        yield 3, gzip.compress(data, mtime=0)
        yield 4, packed.zipped({path.name: data})
    for text, number in ((documents.LINES, 9), (documents.FROM_LINE + documents.MAIL.format(1, ""), 10)):
        yield number, text.encode()
    yield from damaged()


def damaged() -> Iterator[tuple[int, bytes]]:
    """Yield the malformed kinds that are small enough to be changed many times a second."""
    numbers = {
        "gz": 3,
        "zip": 4,
        "xlsx": 5,
        "ods": 6,
        "xls": 7,
        "json": 8,
        "jsonl": 9,
        "ndjson": 9,
        "mbox": 10,
        "eml": 11,
        "doc": 12,
    }
    with tempfile.TemporaryDirectory() as name:
        for kind in KINDS.values():
            folder = Path(name) / kind.name
            folder.mkdir()
            try:
                path = kind.make(folder)
            except NotPossibleHereError:
                continue
            is_small = path.is_relative_to(folder) and len(path.name) < 100 and "\0" not in path.name
            if is_small and path.is_file() and path.stat().st_size <= LARGEST_BYTES and path.stat().st_mode & 0o400:
                yield numbers.get(path.suffix.lstrip("."), 0), path.read_bytes()


def main(folder: Path) -> None:
    """Write all seeds, each named by what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in seeds():
        seed = bytes([number]) + data
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
