"""Postal addresses: a street with a number by the custom of its country, and the place behind it; postal codes with their city.

A street's word and a number must stand together. What follows goes along: flat, district, code and city, state. A town alone, or a code that could be
any number, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desktop.services.redaction.reading import Reading, Word
from desktop.services.redaction.spans import Span
from desktop.services.redaction.street_words import (
    ABBREVIATED,
    BEFORE,
    BETWEEN,
    CITIES,
    ENDINGS,
    NO_NAMES_OF_STREETS,
    NO_STREETS,
    NUMBER_FIRST,
    PREPOSITIONS,
    STATES,
    WEAK_ENDINGS,
)

_UP = "A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŤŢŪŮŰŲŹŻŽΆ-ΫА-ЯЁЄІЇҐ"
_CAP = rf"[{_UP}][^\W\d_]*(?:['’.\-][^\W\d_]+)*\.?"
_LINK = r"(?:of|the|de|du|des|da|do|dos|das|del|della|dei|degli|di|la|le|les|los|las|el|lo|van|den|der|het|y|e|en|d['’]|l['’])"
_NUMBER = r"\d{1,5}(?:\s?[a-zA-Z](?!\w))?(?:\s?[/\-–]\s?(?:\d{1,4}[a-zA-Z]?|[A-Z])(?!\w))?(?![\w])"
_NUMBER_SIGN = r"(?:n\.?\s?[º°o]\.?|nº|no\.?:?|num\.?|nr\.?|č\.|д\.|дом|αρ\.)?\s?"
_NAMED = rf"(?:{_LINK}\s?)*(?:{_CAP}|\d{{1,2}}\.?\s(?:de\s)?{_CAP})(?:[ \-](?:{_LINK}\s?)*(?:{_CAP}|[IVX]+(?!\w)|\d{{1,2}}\s(?=de\s))){{0,5}}"

_COUNTRY = (
    r"(?:(?:D|DE|A|AT|CH|F|FR|I|IT|NL|B|BE|L|E|ES|P|PT|PL|CZ|S|SE|N|NO|DK|FI|FIN|H|HU|SLO|HR|GR|RO|BG|SK|EE|LT|LV)-)?"
)
_CODE = (
    r"(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{4}\s?[A-Z]{2}(?=\s[A-Z])|\d{5}-\d{3,4}|\d{2}-\d{3}|\d{4}-\d{3}"
    r"|\d{3}-\d{4}|\d{3}\s\d{2}|\d{2}\s\d{3}"
    r"|\d{6}|\d{5}|\d{4}|\d{3}(?=\s[A-Z]))(?!\w)"
)
_CITY = rf"{_CAP}(?:[ \-](?:{_LINK}\s)?{_CAP}){{0,3}}(?:\s\d{{1,2}}(?!\d))?"
_STATE = rf"(?:\((?:[A-Z]{{2}})\)|(?:{'|'.join(sorted(set(STATES)))})(?!\w))"
_UNIT = (
    r"(?:(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|block|box|po box|appt|bât|étage|esc|wohnung|whg|top|stock"
    r"|og|piso|puerta|pta|depto|interno|int|scala"
    r"|apto|bloco|sala|andar|m\.|lok\.|кв|корп|стр|lgh|daire|kat)\.?\s?[:#]?\s?(?=[\w\-]{0,5}\d|[A-Z](?!\w))[\w\-]{1,6}|#\s?[\w\-]{1,8}"
    r"|\d{1,2}\s?[º°ª](?:\s?[A-Za-z](?!\w))?|\d{1,2}(?:st|nd|rd|th) floor)(?!\w)"
)
_ALL_ENDINGS = (*ENDINGS, *WEAK_ENDINGS)
_SAID = re.compile(
    r"(?:address|adresse|anschrift|wohne|wohnen|live[sd]? (?:at|in|on)|liefer\w*|ship(?:ped)? to|send \w* ?to|deliver\w* (?:to|at)"
    r"|dirección|indirizzo|adres|endereço|adress|cím)[^\n.]{0,24}$",
    re.IGNORECASE,
)
_SEPARATOR = r"(?:\s?[,;\\]\s?|,?\s?\n[ >?\t]{0,6},?\s?|\s[\-–]\s|\s{1,3})"
_PIECES = (
    re.compile(rf"{_SEPARATOR}{_UNIT}", re.IGNORECASE),
    re.compile(rf"{_SEPARATOR}{_COUNTRY}{_CODE}(?:\s{_CITY})?"),
    re.compile(
        rf"\s?,\s?{_CITY},?\s{_COUNTRY}{_CODE}|\s{_CITY},?\s{_COUNTRY}{_CODE}|{_SEPARATOR}{_CITY},?\s{_STATE}(?:,?\s{_CODE})?"
    ),
    re.compile(rf"{_SEPARATOR}{_STATE}(?:\s{_CODE})?"),
    # A block's lines: a town, then a country with its code
    re.compile(rf"[ ]?\n[ >?]{{1,6}}{_CITY}(?=\n)|[ ]?\n+[ >?]{{0,6}}{_CITY}\s(?:\([A-Z][a-z]+\)\s)?\d{{4,6}}(?!\w)"),
    re.compile(rf"\s?,\s?\n?[ >?]{{0,4}}{_CITY}(?=\s*[,.;\n?!)]|\s*$|\s[\-–])|\s[\-–]\s{_CITY}(?=\s*[,.;\n]|\s*$)"),
)
"""What may follow a street and its number, piece by piece."""
_MOST_PIECES = 6
_CODE_AND_CITY_FOLLOW = re.compile(rf"{_SEPARATOR}{_COUNTRY}{_CODE}\s{_CITY}")

_NUMBER_BEFORE = re.compile(
    r"(?<![\w.,$€£#\-])(?:(?:flat|unit|apt|suite|shop|house|plot|door)\.?\s?(?:no\.?\s?)?[\w\-/]{1,6},?\s)?\d{1,6}[A-Za-z]?(?:[/\-]\d{1,5}[A-Za-z]?)?,?\s"
    r"(?P<name>(?:(?:[^\W\d_][^\W\d_'’.\-]*(?:['’.\-][^\W\d_]+)*\.?|\d{1,3}(?:st|nd|rd|th)|\d{1,4})\s){0,5})$",
    re.IGNORECASE,
)
_FAR_BACK = 70
_DIRECTION = re.compile(r"\.?(?:\s(?:[NSEW]|[NS][EW])(?!\w)\.?)?")
_UNIT_AFTER_STREET = re.compile(
    rf"(?<![\w.,$€£#\-])\d{{1,6}}[A-Za-z]?\s(?:(?:{_CAP}|\d{{1,5}}|{_LINK})[ ]){{1,5}}(?:\d{{1,4}}[ ])?[\s,]*(?:Apt|Suite|Unit|Flat)\.?\s\w{{1,6}}"
)
_HOUSE_BEFORE = re.compile(r"(?<![\w.,/\-])\d{1,6}\s$")
_BACK_OVER_NAMES = re.compile(rf"(?:{_CAP}[ \-]){{0,3}}$")
_NUMBER_FOLLOWS = re.compile(rf"\.?,?\s{_NUMBER_SIGN}{_NUMBER}\.?", re.IGNORECASE)
_AFTER_WORD = re.compile(rf"[./]?\s?{_NAMED},?\s{_NUMBER_SIGN}{_NUMBER}")
_AFTER_PREPOSITION = re.compile(rf"(?:\s(?:der|dem|den))?\s{_NAMED},?\s{_NUMBER}")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_LONGEST_WORD = 40
_AFTER_NUMBER = re.compile(rf"\.?\s{_NAMED}")
_NUMBER_AND_WORD = re.compile(r"(?<![\w.,\-])\d{1,4}(?:\s?(?:bis|ter|quater|[A-D]))?,?\s$")
_BEFORE_NUMBER = re.compile(r"\.?,?\s(?:n\.?\s?[º°o]\.?|nº|no\.?:?|num\.?|nr\.?|č\.|д\.|дом|αρ\.)?\s?$", re.IGNORECASE)
_STREET_WORDS = BETWEEN | BEFORE | PREPOSITIONS
_COLOMBIAN = re.compile(r"\.?\s\d{1,3}\s?[A-Z]?\s(?:#|No\.?|N°)\s?\d{1,3}[A-Z]?\s?-\s?\d{1,3}")

_STREET_THEN_CODE = re.compile(
    rf"(?<!\w)(?:{_CAP}\s){{1,3}}\d{{1,4}}[a-z]?(?:/\d{{1,4}})?,\s?{_COUNTRY}(?:\d{{5}}|\d{{4}}|\d{{3}}\s\d{{2}}|\d{{2}}-\d{{3}})\s{_CITY}"
)
_BRITISH = re.compile(
    rf"(?:(?<!\w){_CAP}(?:[ ]{_CAP}){{0,2}},?\s)?(?<!\w)[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{{2}}(?!\w)"
)
_CANADIAN = re.compile(r"(?<!\w)[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z]\s\d[ABCEGHJ-NPRSTV-Z]\d(?!\w)")
_AMERICAN = re.compile(rf"(?<!\w){_CAP}(?:\s{_CAP}){{0,2}},\s(?:{'|'.join(STATES[:51])})\s\d{{5}}(?:-\d{{4}})?(?!\w)")
_DUTCH = re.compile(rf"[1-9]\d{{3}}\s?[A-Z]{{2}},?\s{_CITY}")
_POLISH = re.compile(rf"\d{{2}}-\d{{3}}\s{_CITY}")
_WITH_COUNTRY = re.compile(rf"(?<![\w\-])(?:D|DE|A|AT|CH|F|FR|I|IT|B|BE|L|E|ES|DK|NO|FI|SLO|HR)-\d{{4,5}}\s{_CITY}")
_ON_ITS_LINE = re.compile(rf"\d{{4,5}}\s{_CITY}[ ]*$", re.MULTILINE)
_OF_A_KNOWN_CITY = re.compile(rf"\d{{4,5}}\s(?:{'|'.join(city.capitalize() for city in CITIES)})(?!\w)")
"""*SW1A 1AA*, *H2Y 1H2*, *Austin, TX 78704*, *1016 EA Amsterdam*, *31-864 Kraków*, *D-10969 Berlin*, and *10969 Berlin* on a line of its own."""

_SIGNED = (
    (("apt", "suite", "unit ", "flat "), _UNIT_AFTER_STREET, True),
    (("cep",), re.compile(r"(?:(?<=CEP )|(?<=CEP: ))\d{5}-?\d{3}(?!\d)"), False),
    # PSC 3294, Box 9168, APO AA 61487
    (
        ("apo ", "fpo ", "dpo "),
        re.compile(
            r"(?<!\w)(?:PSC|CMR|Unit|USNS|USS|USCGC)\s[\w ]{1,24},?\s(?:Box\s\d{1,5}\s?,?\s)?(?:APO|FPO|DPO)\s(?:AA|AE|AP)\s\d{5}(?:-\d{4})?",
            re.IGNORECASE,
        ),
        False,
    ),
    (
        ("box ", "postfach", "postale", "b.p.", "apartado", "postal ", "postbus"),
        re.compile(
            r"(?<!\w)(?:P\.?\s?O\.?\s?Box|Postfach|Boîte postale|B\.P\.|Apartado(?: de correos)?|Caixa Postal|Postbus|Casella Postale)\s\d{2,6}(?!\d)"
        ),
        True,
    ),
)

_EAST_ASIAN = re.compile(
    "(?:〒\\s?\\d{3}-\\d{4}\\s?)?(?:東京都|北海道|大阪府|京都府|[\u4e00-\u9fff]{2,3}県)[\u4e00-\u9fff\u3040-\u30ffー\\s]{1,20}[\\d０-９一二三四五六七八九十]+[-－−ー丁目番地号の\\d０-９]*"
    "|〒\\s?\\d{3}-\\d{4}"
    "|[\u4e00-\u9fff]{2,4}(?:市|区|區|县)[\u4e00-\u9fff]{1,16}?(?:路|街|道|巷|弄)(?:[一二三四五六七八九十]段)?\\d+(?:巷\\d+)?(?:弄\\d+)?[号號]?(?:\\d+[室楼樓单元號号]*)*"
    "|(?:[\uac00-\ud7af]{2,7}(?:시|도)\\s)?(?:[\uac00-\ud7af]{1,5}(?:시|군|구)\\s){1,2}[\uac00-\ud7af\\d]{1,9}(?:로|길|동|읍"
    "|면)\\s?\\d+(?:번길\\s?\\d+)?(?:-\\d+)?(?:\\s\\d+(?:동|호|층))*"
    "|\\d{1,2}(?:-\\d{1,2}){1,2}\\s[A-Z][a-z]+(?:[ -][A-Z]?[a-z]+)*,\\s[A-Z][a-z]+-(?:ku|shi|cho|machi)(?:,\\s[A-Z][a-z]+(?:-(?:to|fu"
    "|ken))?)?(?:\\s\\d{3}-\\d{4})?"
)


def find_addresses(reading: Reading) -> Iterator[Span]:
    """Yield postal addresses."""
    text = reading.text
    numbers = [(start, end) for start, end in reading.numbers if end - start <= _LONGEST_CODE]
    if not numbers:
        return
    for word in _words_of_streets(reading, numbers):
        street = _street_at(text, word)
        if street:
            yield Span(street[0], _with_place(text, street[1]), "address")
    for start, end in numbers:
        code = _code_at(text, start, end)
        if code:
            yield code
    lower = reading.lower
    for signs, pattern, is_street in _SIGNED:
        if any(sign in lower for sign in signs):
            for found in pattern.finditer(text):
                yield Span(found.start(), _with_place(text, found.end()) if is_street else found.end(), "address")
    if not text.isascii() or "-ku" in text or "-shi" in text:
        for found in _EAST_ASIAN.finditer(text):
            yield Span(found.start(), found.end(), "address")


def _before_number(text: str, start: int) -> Iterator[int]:
    """Yield where the word ends that a number stands right behind."""
    if text[start - 1 : start].isspace() or text[start - 1 : start] in ".:º°":
        found = _BEFORE_NUMBER.search(text, max(0, start - _NUMBER_SIGN_LENGTH), start)
        if found:
            yield found.start()


_NUMBER_SIGN_LENGTH = 9


def _code_at(text: str, start: int, end: int) -> Span | None:
    """Return the postal code with its city that a run of digits is a part of."""
    length, before, after = end - start, text[start - 1 : start], text[end : end + 1]
    if length <= 2 and before.isupper():
        if not (after.isupper() or (after == " " and text[end + 2 : end + 4].isupper())):
            return None
        return _search_back(text, (_BRITISH, _CANADIAN), start, end)
    if length == 2 and after == "-" and text[end + 1 : end + 4].isdigit():
        return _match_code(text, _POLISH, start) or _search_back(text, (_STREET_THEN_CODE,), start, end, is_street=True)
    follows_comma = before == "," or text[start - 2 : start] == ", "
    if length == 3 and follows_comma and after == " " and text[end + 1 : end + 3].isdigit():
        return _search_back(text, (_STREET_THEN_CODE,), start, end, is_street=True)
    if length not in (4, 5):
        return None
    if before == " " and text[start - 3 : start - 1].isupper():
        return _search_back(text, (_AMERICAN,), start, end)
    if not text[end : end + 2].strip()[:1].isupper():
        return None
    if follows_comma or (before == "-" and text[start - 2 : start - 1].isupper()):
        found = _search_back(text, (_STREET_THEN_CODE, _WITH_COUNTRY), start, end, is_street=True)
        if found:
            return found
    if length == 4 and before not in "-." and text[end : end + 3].strip()[:2].isupper():
        return _match_code(text, _DUTCH, start)
    line = text.rfind("\n", 0, start) + 1
    is_first = line > 0 and not text[line:start].strip(" >")
    return (
        _match_code(text, _ON_ITS_LINE if is_first else _OF_A_KNOWN_CITY, start)
        if before not in ".,-" or not before
        else None
    )


def _match_code(text: str, pattern: re.Pattern[str], start: int) -> Span | None:
    found = pattern.match(text, start)
    return Span(start, found.end(), "address") if found else None


def _search_back(
    text: str, patterns: tuple[re.Pattern[str], ...], start: int, end: int, *, is_street: bool = False
) -> Span | None:
    """Return what a pattern finds around a run of digits, beginning at most some words before."""
    first = max(0, start - _FAR_BACK)
    while first and text[first - 1].isalnum():
        first -= 1
    for pattern in patterns:
        for found in pattern.finditer(text, first, end + _FAR_BACK):
            if found.start() > start:
                break
            if found.end() >= end:
                return Span(found.start(), _with_place(text, found.end()) if is_street else found.end(), "address")
    return None


_LONGEST_CODE = 5


def _words_of_streets(reading: Reading, numbers: Sequence[tuple[int, int]]) -> Iterator[Word]:
    """Yield the words that a street may have: those of the lists, and whatever ends like a street before a number."""
    listed = reading.vocabulary & _STREET_WORDS
    if listed:
        for place, lower in enumerate(reading.words):
            if lower in listed:
                yield reading.word(place)
    for start, _ in numbers:
        for end in _before_number(reading.text, start):
            word = _LAST_WORD.search(reading.lower, max(0, end - _LONGEST_WORD), end)
            if word and word[0].endswith(_ALL_ENDINGS):
                yield Word(word.start(), end, word[0])


def _street_at(text: str, word: Word) -> tuple[int, int] | None:
    """Return where a street with its number stands that a word is a part of."""
    lower = word.lower
    found = _between(text, word) if lower in BETWEEN else None
    if not found and lower in BEFORE:
        found = _before(text, word)
    if not found and lower.endswith(_ALL_ENDINGS):
        following = _NUMBER_FOLLOWS.match(text, word.end)
        if following and (lower.endswith(ENDINGS) or _is_said_or_placed(text, word.start, following.end())):
            found = _at_the_end(text, word, following.end())
    if not found and lower in PREPOSITIONS:
        named = _AFTER_PREPOSITION.match(text, word.end)
        if named and _CODE_AND_CITY_FOLLOW.match(text, named.end()):
            return word.start, named.end()
    return found


def _is_said_or_placed(text: str, start: int, end: int) -> bool:
    """Tell whether an address is spoken of just before, or a code and city follow."""
    return (
        _CODE_AND_CITY_FOLLOW.match(text, end) is not None or _SAID.search(text, max(0, start - 40), start) is not None
    )


def _between(text: str, word: Word) -> tuple[int, int] | None:
    """A number, a name, the word: all large, or in a text written small nothing but names."""
    first = max(0, word.start - _FAR_BACK)
    found = _NUMBER_BEFORE.search(text, first, word.start)
    if not found:
        return None
    names = found["name"].split()
    is_large = text[word.start].isupper() and all(
        not name[0].islower() or name in ("of", "the", "de", "la") for name in names
    )
    if not (is_large and names) and (not names or not _is_small_street(names, text[word.start : word.end])):
        return None
    direction = _DIRECTION.match(text, word.end)
    return found.start(), direction.end() if direction else word.end


def _is_small_street(names: list[str], word: str) -> bool:
    return (
        word
        in (
            "street",
            "avenue",
            "road",
            "boulevard",
            "lane",
            "drive",
            "st",
            "ave",
            "rd",
            "blvd",
            "terrace",
            "crescent",
            "parkway",
            "highway",
            "court",
            "place",
        )
        and len(names) <= 3
        and not any(name.lower() in NO_NAMES_OF_STREETS for name in names)
    )


def _before(text: str, word: Word) -> tuple[int, int] | None:
    """The word, a name, a number; or, in French, a number, the word, a name."""
    if word.lower in ABBREVIATED and text[word.end : word.end + 1] not in (".", "/"):
        return None
    if word.lower in NUMBER_FIRST:
        number = _NUMBER_AND_WORD.search(text, max(0, word.start - 12), word.start)
        named = _AFTER_NUMBER.match(text, word.end)
        if number and named:
            return number.start(), named.end()
    found = _AFTER_WORD.match(text, word.end) or _COLOMBIAN.match(text, word.end)
    if not found:
        return None
    is_sure = text[word.start].isupper() and word.lower != "via"
    if (
        is_sure
        or word.lower not in ("via", "place", "route", "cours", "passage", "largo", "camino", "strada", "cesta")
        or _with_place(text, found.end()) > found.end()
    ):
        return word.start, found.end()
    return None


def _at_the_end(text: str, word: Word, end: int) -> tuple[int, int] | None:
    """A name that ends in the word, or the word after a name, and a number."""
    if not text[word.start].isupper() and word.lower not in _ALL_ENDINGS:
        return None
    back = _BACK_OVER_NAMES.search(text, max(0, word.start - 40), word.start)
    start = back.start() if back else word.start
    names = text[start : word.start].split()
    while names and names[0].lower().strip(".") in NO_STREETS:
        start += len(names.pop(0)) + 1
    if not names and (word.lower in _ALL_ENDINGS or len(word.lower) < _SHORTEST_STREET):
        return None
    number = _HOUSE_BEFORE.search(text, max(0, start - 8), start)
    return (number.start() if number else start), end


_SHORTEST_STREET = 6


def _with_place(text: str, end: int) -> int:
    """Return where an address ends that has a street's number here: flat, code, city and state go along."""
    for _ in range(_MOST_PIECES):
        found = next(filter(None, (piece.match(text, end) for piece in _PIECES)), None)
        if not found:
            break
        end = found.end()
    return end
