"""Mail headers: names, addresses, dates and subjects of a mail as text, whatever its sender's program made of the rules.

Words in the form `=?charset?Q?…?=` are decoded, also where a character is split over two of them; raw bytes beyond ASCII are read as UTF-8, else as
the mail's own charset, else by a guess. Nothing here raises on bad input. Deliberately not here: the text of a mail, see `mailtext`.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from desktop.domain.text import valid_text
from desktop.ingest.dates import read_date
from desktop.ingest.encodings import detect_encoding

MOST_VALUE_CHARACTERS = 100_000
_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?(.{0,4000}?)\?=", re.DOTALL)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_ADDRESS_PIECE = re.compile(r'"(?:[^"\\]|\\.){0,1000}"|\([^()]{0,500}\)|<[^<>]{0,1000}>|[,;]|[^",;()<>]+|.', re.DOTALL)
# As public archives of lists write addresses, to keep them from being gathered.
_DISGUISED = re.compile(r"[\w.+-]{1,100} at [\w-]{1,100}(?:\.[\w-]{1,100}){1,6}")
_GROUP = re.compile(r"^[^@:]*:")
_ID = re.compile(r"<\s*([^<>\s][^<>]{0,990}?)\s*>")
_BARE_ID = re.compile(r"[^\s<>,;]{1,500}@[^\s<>,;]{1,500}")
_NUMERIC_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b")
_ALIASES = {
    # What mail programs write, and the superset that they mean; the Western ones are what browsers read them as.
    **dict.fromkeys(("us-ascii", "ascii", "ansi_x3.4-1968"), ""),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "iso8859-1", "iso_8859-1"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "gb_2312-80", "hz-gb-2312", "euc-cn"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis", "sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("ks_c_5601-1987", "ksc5601", "euc-kr", "ks_c_5601"), "cp949"),
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-9": "cp1254",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "iso-2022-jp": "iso2022_jp_ext",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
}
# Codecs that are no charsets of mails, and slow or surprising on foreign input.
_NEVER = frozenset("idna punycode unicode_escape raw_unicode_escape undefined mbcs oem".split())
_KNOWN_NO_CHARSET = re.compile(r"unknown|default|x-user|binary|none|8bit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A person as a mail names one. `name` is '' when only the address is given."""

    name: str
    address: str

    @property
    def shown(self) -> str:
        return self.name or self.address

    @property
    def whole(self) -> str:
        return f"{self.name} <{self.address}>" if self.name and self.name != self.address else self.address


class Heads:
    """The headers of one mail. A name may stand several times; values are unfolded, their encoded words still encoded."""

    def __init__(self, head: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        fields = _unfolded(head)
        charset = next((_CHARSET.search(v.decode("latin-1")) for n, v in fields if n == "content-type"), None)
        self.charset = charset[1] if charset else ""
        for name, value in fields:
            self._values.setdefault(name, []).append(self._text(value))

    def _text(self, value: bytes) -> str:
        return value.decode("ascii") if value.isascii() and b"\x1b" not in value else decode(value, self.charset)

    def first(self, name: str) -> str:
        """Return a header as it stands, '' when the mail has none."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> Sequence[str]:
        """Return every header of a name as it stands."""
        return self._values.get(name, ())

    def text(self, name: str) -> str:
        """Return a header as text, its encoded words decoded."""
        return one_line(decode_words(self.first(name)))

    def people(self, *names: str) -> list[Address]:
        """Return the people in these headers."""
        return [person for name in names for value in self.all(name) for person in read_addresses(value)]

    def ids(self, name: str) -> list[str]:
        """Return the Message-IDs in a header, without angle brackets, each once."""
        value = self.first(name)[:MOST_VALUE_CHARACTERS]
        found = _ID.findall(value)
        if not found and name != "references":
            found = _BARE_ID.findall(value)[:1] if len(value.split()) <= 2 else []
        return list(dict.fromkeys("".join(each.split()) for each in found))


def _unfolded(head: bytes) -> list[tuple[str, bytes]]:
    fields: list[tuple[str, bytes]] = []
    gathered: list[bytes] = []
    for line in [*head.splitlines(), b":"]:
        if line.startswith((b" ", b"\t")):
            gathered.append(line)
            continue
        if gathered and (match := _FIELD.match(b"".join(gathered))):
            fields.append((match[1].decode("ascii").lower(), match[2].strip()[:MOST_VALUE_CHARACTERS]))
        gathered = [line]
    return fields


def decode(data: bytes, charset: str) -> str:
    """Read bytes in the charset that a mail names, or in the one they are really in when that fails."""
    # UTF-7 may spell half a surrogate pair.
    return valid_text(_decoded(data, codec_of(charset.strip().strip("\"'").partition("*")[0].lower())))


def _decoded(data: bytes, codec: str) -> str:
    if codec in ("utf-8", ""):
        if b"\x1b$" in data or b"\x1b(" in data:
            return data.decode("iso2022_jp_ext", "replace")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode(detect_encoding(data), "replace")
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("utf-8") if not data.isascii() else data.decode(codec, "replace")
    except UnicodeDecodeError:
        return data.decode(codec, "replace")


def codec_of(charset: str) -> str:
    """Name the Python codec of a charset as mails and pages name them; '' when nobody knows it, or it says nothing."""
    name = _ALIASES.get(charset.lower(), charset.lower())
    if not name or _KNOWN_NO_CHARSET.search(name) or not re.fullmatch(r"[\w.:+-]{1,40}", name, re.ASCII):
        return ""
    for candidate in (name, name.replace("cp-", "cp"), name.replace("windows", "cp").replace("-", "")):
        try:
            found = codecs.lookup(candidate)
            b"".decode(found.name)  # what is no encoding of text says so
        except (LookupError, ValueError):
            continue
        return "" if found.name.replace("-", "_") in _NEVER else found.name
    return ""


def decode_words(value: str) -> str:
    """Decode the encoded words in a header."""
    if "=?" not in value:
        return value
    value = value[:MOST_VALUE_CHARACTERS]
    pieces: list[str] = []
    waiting, charset, end = b"", "", 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        data = _word_bytes(match[2], match[3])
        is_joined = not between.strip() and bool(end)
        if not (is_joined and match[1].lower() == charset):
            # Spaces between two words are none of the text; a character split over two words of a charset is.
            pieces.append(decode(waiting, charset) if waiting else "")
            pieces.append("" if is_joined else between)
            waiting = b""
        waiting, charset, end = waiting + data, match[1].lower(), match.end()
    pieces.append(decode(waiting, charset) if waiting else "")
    return "".join(pieces) + value[end:]


def _word_bytes(kind: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    if kind in "bB":
        return from_base64(raw)
    return binascii.a2b_qp(raw.replace(b"\n", b""), header=True)


def from_base64(data: bytes) -> bytes:
    """Decode base64 as far as it is some: what is no letter of it is passed over, a missing end too."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def one_line(text: str) -> str:
    """Return a text on one line, without the characters that control a screen."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def read_addresses(value: str) -> list[Address]:
    """Read a list of people; commas inside names, missing brackets and comments in parentheses are put up with."""
    reader = _AddressReader()
    for match in _ADDRESS_PIECE.finditer(value[:MOST_VALUE_CHARACTERS]):
        reader.take(match.group())
    reader.end()
    shown = one_line(decode_words(value[:1000])).strip("'\"<> ")
    if not reader.people and shown and ":" not in shown:
        return [Address(shown, "")]  # a name alone, as some gateways write it
    return reader.people


class _AddressReader:
    """Puts the pieces of a list of people together."""

    def __init__(self) -> None:
        self.people: list[Address] = []
        self._name = self._address = self._comment = ""

    def take(self, piece: str) -> None:
        if piece == ";" or (piece == "," and (self._address or "@" in self._name)):
            self.end()
        elif piece.startswith("<") and len(piece) > 2:
            self._address = piece[1:-1].strip()
        elif piece.startswith("(") and len(piece) > 1:
            self._comment = piece[1:-1]
        elif piece.startswith('"') and len(piece) > 1:
            self._name += re.sub(r"\\(.)", r"\1", piece[1:-1])
        else:
            # Before a colon stands the name of a group, its members follow.
            self._name += _GROUP.sub("", piece) if piece not in '<>"' else " "

    def end(self) -> None:
        """Note the person that the pieces since the last one make."""
        name, address = self._name.strip(), self._address
        if not address and "@" in name:
            words = name.split()
            address = next(word for word in words if "@" in word)
            name = " ".join(word for word in words if word != address)
        elif not address and _DISGUISED.fullmatch(name):
            name, address = "", name.replace(" at ", "@")
        if address:
            shown = one_line(decode_words(name) or decode_words(self._comment)).strip("'\" ")
            self.people.append(Address(shown, one_line(decode_words(address)).removeprefix("mailto:").strip()))
        self._name = self._address = self._comment = ""


def read_time(heads: Heads, envelope: str) -> str:
    """Return when a mail was sent, ISO 8601 UTC; the date as it stands when nobody can read it; '' when nothing says it.

    What the sender's program wrote goes first, then what the first server on the way noted, then the mailbox's own line.
    """
    written = re.sub(r"\s+", " ", decode_words(heads.first("date"))).strip()
    if _NUMERIC_DATE.match(written):
        return written  # day or month first is decided over all mails
    candidates = [written, heads.first("resent-date"), heads.first("delivery-date")]
    candidates += [value.rpartition(";")[2] for value in reversed(heads.all("received"))]
    candidates.append(envelope.partition(" ")[2])
    return next((time for each in candidates if (time := _read_one(each))), "") or written


def _read_one(value: str) -> str:
    value = re.sub(r"\s+", " ", value).strip(" ,;")
    if not value or len(value) > 200:
        return ""
    text = read_date(value, "day-first").text
    if text and not value.isdigit():
        return text
    try:
        parts = parsedate_tz(value)
        if parts is None or not 1970 <= parts[0] <= 2200:
            return ""
        zone = timezone(timedelta(seconds=parts[9] or 0))
        moment = datetime(*parts[:5], min(parts[5], 59), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return ""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
