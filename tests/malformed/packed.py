"""Packed: archives that are cut, lie about themselves, or unpack without end."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from tests.malformed.kinds import kind
from tests.malformed.tables import HEADER, put, row, rows

TABLE = (HEADER + rows(60)).encode()
BLOCK = 20_000_000


def endless(start: bytes, block: bytes, times: int) -> bytes:
    """Deflate a block that repeats, without deflating it more than once: each copy starts anew."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    copy = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return packed + copy * times + packer.flush()


def stored(name: str, deflated: bytes, *, size: int, method: int = 8, flags: int = 0, crc: int = 0) -> bytes:
    """Build a ZIP of one member by hand, with whatever it says of itself."""
    shared = struct.pack("<HHHHHIII", 20, flags, method, 0, 0x5C21, crc, len(deflated), size)
    encoded = name.encode("utf-8", "surrogateescape")
    local = b"PK\x03\x04" + shared + struct.pack("<HH", len(encoded), 0) + encoded + deflated
    central = b"PK\x01\x02\x14\x00" + shared + struct.pack("<HHHHHII", len(encoded), 0, 0, 0, 0, 0, 0) + encoded
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """Build a sound ZIP."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            # With a date of its own: the same archive every time.
            file.writestr(zipfile.ZipInfo(name, (2026, 3, 2, 10, 15, 0)), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


# --- gzip -------------------------------------------------------------------------------------------------------------------


@kind(must_refuse=True)
def gzip_cut_at_the_start(folder: Path) -> Path:
    return put(folder, gzip.compress(TABLE)[:12], "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_cut_far_down(folder: Path) -> Path:
    return put(folder, gzip.compress((HEADER + rows(12_000)).encode())[:-2_000], "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_with_a_wrong_checksum(folder: Path) -> Path:
    return put(folder, gzip.compress(TABLE)[:-8] + b"\1\2\3\4" + struct.pack("<I", len(TABLE)), "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_with_rubbish_behind(folder: Path) -> Path:
    return put(folder, gzip.compress(TABLE) + b"rubbish", "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_damaged_inside(folder: Path) -> Path:
    packed = bytearray(gzip.compress((HEADER + rows(20_000)).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = bytes(50)
    return put(folder, bytes(packed), "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_of_nothing(folder: Path) -> Path:
    return put(folder, gzip.compress(b""), "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_in_gzip(folder: Path) -> Path:
    return put(folder, gzip.compress(gzip.compress(TABLE)), "tickets.csv.gz")


@kind(least=60)
def text_called_gz(folder: Path) -> Path:
    return put(folder, TABLE, "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_bomb_of_one_line(folder: Path) -> Path:
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return put(folder, head + endless(HEADER.encode() + b"1001,", b"a" * BLOCK, 200) + bytes(8), "tickets.csv.gz")


@kind(must_refuse=True)
def gzip_bomb_of_rows(folder: Path) -> Path:
    head, block = b"\x1f\x8b\x08\0\0\0\0\0\0\xff", (b"1001," + b"a" * 5_000 + b",b,open,2026-03-02\n") * 4_000
    return put(folder, head + endless(HEADER.encode(), block, 200) + bytes(8), "tickets.csv.gz")


@kind()
def long_rows_in_gzip(folder: Path) -> Path:
    return put(folder, gzip.compress((HEADER + row(1001, text='"never closed') + rows(60, 1002)).encode()), "t.csv.gz")


# --- ZIP --------------------------------------------------------------------------------------------------------------------


@kind(must_refuse=True)
def zip_bomb(folder: Path) -> Path:
    deflated = endless(HEADER.encode(), (b"1001," + b"a" * 5_000 + b",b,open,2026-03-02\n") * 4_000, 200)
    return put(folder, stored("tickets.csv", deflated, size=4_000_000_000), "tickets.zip")


@kind(must_refuse=True)
def zip_bomb_that_says_it_is_small(folder: Path) -> Path:
    deflated = endless(HEADER.encode(), b"a" * BLOCK, 200)
    return put(folder, stored("tickets.csv", deflated, size=500), "tickets.zip")


@kind(must_refuse=True)
def zip_of_gzip_bomb(folder: Path) -> Path:
    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + endless(HEADER.encode(), b"a" * BLOCK, 200) + bytes(8)
    return put(folder, zipped({"tickets.csv.gz": bomb}), "tickets.zip")


@kind(must_refuse=True)
def zip_in_zip(folder: Path) -> Path:
    return put(folder, zipped({"inner.zip": zipped({"tickets.csv": TABLE})}), "tickets.zip")


@kind(must_refuse=True)
def zip_of_nothing(folder: Path) -> Path:
    return put(folder, zipped({}), "tickets.zip")


@kind(must_refuse=True)
def zip_without_tables(folder: Path) -> Path:
    return put(folder, zipped({"cat.png": b"x", "folder/": b""}), "tickets.zip")


@kind(must_refuse=True)
def zip_cut(folder: Path) -> Path:
    return put(folder, zipped({"tickets.csv": TABLE})[:-60], "tickets.zip")


@kind(must_refuse=True)
def zip_damaged_inside(folder: Path) -> Path:
    packed = bytearray(zipped({"tickets.csv": (HEADER + rows(20_000)).encode()}))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = bytes(50)
    return put(folder, bytes(packed), "tickets.zip")


@kind(must_refuse=True)
def zip_with_a_password(folder: Path) -> Path:
    return put(folder, stored("tickets.csv", bytes(200), size=188, flags=1), "tickets.zip")


@kind(must_refuse=True)
def zip_packed_in_an_unknown_way(folder: Path) -> Path:
    return put(folder, stored("tickets.csv", bytes(200), size=188, method=97), "tickets.zip")


@kind(must_refuse=True)
def zip_packed_by_broken_lzma(folder: Path) -> Path:
    return put(folder, stored("tickets.csv", b"\x09\x14\x05\x00" + bytes(200), size=188, method=14), "tickets.zip")


@kind(must_refuse=True)
def zip_packed_by_broken_bzip2(folder: Path) -> Path:
    return put(folder, stored("tickets.csv", b"BZh9" + bytes(200), size=188, method=12), "tickets.zip")


@kind()
def zip_with_names_that_are_no_text(folder: Path) -> Path:
    deflated = endless(TABLE, b"", 0)
    name = "tick\udce9ts.csv"
    return put(folder, stored(name, deflated, size=len(TABLE), flags=0x800, crc=zlib.crc32(TABLE)), "tickets.zip")


@kind(must_refuse=True)
def zip_that_points_outside(folder: Path) -> Path:
    outside = put(folder, TABLE, "outside.csv")
    return put(folder, zipped({str(outside): b"x", "../outside.csv": b"x", "C:\\outside.csv": b"x"}), "tickets.zip")


@kind(least=60)
def zip_with_odd_names(folder: Path) -> Path:
    names = ("tickets.csv", "a//b.csv", "./c.csv", "d.csv/", "  .csv", "e.csv/f.csv")
    return put(folder, zipped(dict.fromkeys(names, TABLE)), "tickets.zip")


@kind(must_refuse=True)
def zip_of_twenty_thousand_tables(folder: Path) -> Path:
    small = (HEADER + rows(1)).encode()
    return put(folder, zipped({f"{n}.csv": small for n in range(20_000)}), "tickets.zip")


@kind()
def zip_called_csv(folder: Path) -> Path:
    return put(folder, zipped({"tickets.csv": TABLE}))


@kind(must_refuse=True)
def first_bytes_of_a_zip(folder: Path) -> Path:
    return put(folder, b"PK\x03\x04" + bytes(100), "tickets.zip")


@kind()
def table_with_an_end_of_a_zip(folder: Path) -> Path:
    return put(folder, TABLE + b"PK\x05\x06" + bytes(18))
