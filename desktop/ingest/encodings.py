"""Encodings: which bytes are text, and in which alphabet they were written.

A byte order mark decides; else UTF-8 when the head of the file is valid UTF-8; else the most plausible of the encodings that help desks and
spreadsheets really write. Deliberately not here: repairing single wrong bytes further down, which `records` does while it reads.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from desktop.domain.errors import DeskError

READ_NOW = (
    "CSV, TSV and other delimited text, JSON, Excel and OpenDocument workbooks, mailboxes (mbox, eml), tables in web pages "
    "(also Jira's Word export), and ZIP or gzip archives of these"
)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LATER_SUFFIXES = {
    ".msg": "a mail of Outlook",
    ".pst": "a mail folder of Outlook",
}
_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"SQLite format 3", "an SQLite database"),
)
_WESTERN = ("cp1252", "mac_roman")
_OTHERS = ("cp932", "gb18030", "big5", "cp949", "euc_jp", "cp1251", "cp1250", "koi8_r")
_CYRILLIC_WORD = re.compile(
    "[\u0400-\u042f\u0490\u0430-\u045f\u0491][\u0430-\u045f\u0491]*|[\u0400-\u042f\u0490]+|[№–—«»…]+"
)
_CYRILLIC = ("cp1251", "koi8_r", "mac_cyrillic", "iso8859_5", "cp866")
LEGACY_ENCODINGS = (*_WESTERN, *_OTHERS, "iso8859_2", "cp1254")
"""What a file without any mark may be written in, the likeliest first."""
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def check_is_text(path: Path, head: bytes) -> None:
    """Refuse what is no delimited text, by its name and its first bytes.

    Raises:
        DeskError: `file-empty`, `file-binary` or `file-format-unsupported`.
    """
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise DeskError(
            "file-empty", f"{path.name} is empty.", remedy="Export the tickets again and import the new file."
        )
    later = _LATER_SUFFIXES.get(path.suffix.lower())
    if later is not None:
        raise DeskError(
            "file-format-unsupported",
            f"{path.name} is {later}, which cannot be read yet.",
            remedy=f"Read now: {READ_NOW}. Save or export the tickets as CSV.",
        )
    kind = _binary_kind(head)
    if kind:
        raise DeskError(
            "file-binary",
            f"{path.name} is not a text file: it looks like {kind}.",
            remedy=f"Read now: {READ_NOW}. Export the tickets as CSV.",
        )


def detect_encoding(head: bytes) -> str:
    """Name the Python codec that reads these first bytes of a file; the last character may be cut."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    wide = _unmarked_utf16(head)
    if wide:
        return wide
    # Cut at the last line end, so that no multi-byte character is halved.
    sample = head[: head.rfind(b"\n") + 1] or head
    if _decodes(sample, "utf-8") or _decodes(head, "utf-8"):
        return "utf-8"
    # A stray wrong byte in a UTF-8 file is repaired while reading: better than to misread every other accent. Other alphabets make next to
    # no valid UTF-8 by chance, so even a quarter of faults speaks for it.
    if _share_of_utf8_faults(sample) <= 0.25:
        return "utf-8"
    return _guess_legacy(sample[:65536])


def _binary_kind(head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if any(head.startswith(mark) for mark, _ in _MARKS) or _unmarked_utf16(head):
        return ""
    if head.count(0) > len(head) * 0.1:
        return "binary data"
    return "binary data" if len(_CONTROLS.findall(head)) > max(2, len(head) * 0.01) else ""


def _unmarked_utf16(head: bytes) -> str:
    sample = head[:4096]
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > half * 0.6 and sample[0::2].count(0) < half * 0.05:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.6 and sample[1::2].count(0) < half * 0.05:
        return "utf-16-be"
    return ""


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(data)
    except UnicodeDecodeError:
        return False
    return True


def _share_of_utf8_faults(sample: bytes) -> float:
    text = sample.decode("utf-8", "replace")
    beyond_ascii = sum(1 for character in text if character > "\x7f")
    return text.count("\ufffd") / beyond_ascii if beyond_ascii else 0.0


def _guess_legacy(sample: bytes) -> str:
    best_western = max(_WESTERN, key=lambda name: _naturalness(sample, name))
    is_dense = _is_dense(sample)
    if b"\xa4" in sample and not is_dense and not re.search(rb"[\x80-\x9f]", sample):
        # Nobody writes the sign for any currency: where it would stand, the euro was meant.
        best_western = max(best_western, "iso8859-15", key=lambda name: _naturalness(sample, name))
    if _naturalness(sample, best_western) > 0.9 and not is_dense:
        return best_western
    cyrillic = max(_CYRILLIC, key=lambda name: _cyrillic_share(sample, name))
    if is_dense and _cyrillic_share(sample, cyrillic) > 0.9:
        return cyrillic
    if not is_dense and _naturalness(sample, "cp1250") > _naturalness(sample, best_western) + 0.05:
        return "cp1250"
    # Imported here: it costs 30 ms, and nearly every file is UTF-8.
    from charset_normalizer import from_bytes

    match = from_bytes(sample, cp_isolation=[*_WESTERN, *_OTHERS], preemptive_behaviour=False).best()
    found = match.encoding if match else best_western
    if _naturalness(sample, found) > _naturalness(sample, best_western) + 0.05:
        return found
    natural = max(_OTHERS, key=lambda name: _naturalness(sample, name))
    return natural if _naturalness(sample, natural) > _naturalness(sample, best_western) + 0.2 else best_western


def _is_dense(sample: bytes) -> bool:
    """Tell whether letters beyond ASCII mostly stand side by side, as whole words of another alphabet do; accents stand alone."""
    beyond = re.findall(rb"[\x80-\xff]+", sample)
    return sum(len(run) for run in beyond if len(run) > 2) > 0.6 * sum(map(len, beyond))


def _cyrillic_share(sample: bytes, encoding: str) -> float:
    """Return the share of characters beyond ASCII that are small Cyrillic letters, or capitals that begin a word."""
    text = sample.decode(encoding, "replace")
    runs = re.findall(r"[^\x00-\x7f]+", text)
    good = sum(len(run) for run in runs if _CYRILLIC_WORD.fullmatch(run.strip("«»„“”–—…")))
    return good / max(1, sum(map(len, runs)))


def _naturalness(sample: bytes, encoding: str) -> float:
    """Return the share (0..1) of non-ASCII characters that stand where people put them."""
    try:
        text = sample.decode(encoding, "strict" if encoding not in _WESTERN else "replace")
    except UnicodeDecodeError:
        return -1.0
    good = total = 0
    previous = " "
    for character in text:
        if character > "\x7f":
            total += 1
            good += _is_natural(character, previous)
        previous = character
    return good / total if total else 0.0


def _is_natural(character: str, previous: str) -> bool:
    category = unicodedata.category(character)
    if category == "Lu":  # an é misread in another Western alphabet is mostly a capital in the middle of a word
        return not previous.islower()
    if category in ("Ll", "Lo"):
        # Rare ideographs and private signs come out of wrong guesses; ª and º are letters to Unicode only.
        common = (
            "\u00df" <= character <= "\u00ff"
            or "\u0430" <= character <= "\u045f"
            or "\u3040" <= character <= "\u30ff"
            or "\u4e00" <= character <= "\u9fff"
            or "\uac00" <= character <= "\ud7a3"
            or character in "œšžąćęłńóśźżčřěůőű"
        )
        return common and not ("\u3040" <= character <= "\u9fff" and previous.isalpha() and previous.isascii())
    return character in "’‘“”–—…€«»¿¡°·£§•™®©、。・「」『』ー！？，．：；（）／\u00a0\u3000№"
