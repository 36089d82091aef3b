"""Found names: whom a text greets, who signs it, who introduces themselves, and the heads of quoted mail.

Only what the text itself marks as a name is taken: a person who is merely mentioned is found when the ticket's data or another text gives the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from desktop.services.redaction.name_words import (
    CLOSERS,
    GREETING_REST,
    GREETINGS,
    NO_NAMES,
    ORDINARY_NAMES,
    ROLE_WORDS,
    TITLES,
)
from desktop.services.redaction.reading import Reading, Word

_PREFIX = re.compile(r"(?:[\s>|*•]|\[m\d+(?:\.\d+)?\])*")
_TOKEN = re.compile(r"[^\W\d_]\.(?=[ \u00a0][^\W\d_])|[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_SPACE = re.compile(r"[ \u00a0]+")
_PARTICLES = frozenset(
    "de da do dos das del della di du la le van von der den ter ten zu zur al el bin ibn ben abu y e".split()
)
_MOST_TOKENS = 4
_LONGEST_GREETING = 120
_LONGEST_CLOSER = 60
_BEFORE_NAME = GREETING_REST | GREETINGS
_NEAR = re.compile(r"[ .,\u00a0]{1,2}")
_HEAD = re.compile(
    r"(?:from|to|cc|bcc|von|an|de|à|para|da|van|aan|od|do|från|till|fra|til|от|кому|contact|contact name|name|full name|customer"
    r"|customer name|client|client name|requester|requested by"
    r"|reported by|reporter|caller|assigned to|assignee|agent|attn|attention|sender|recipient|account holder|cardholder|kunde|kontakt"
    r"|kontoinhaber|ansprechpartner|absender|empfänger"
    r"|nom|prénom|titulaire|contact client|nombre|titular|remitente|nome|cognome|intestatario|mittente|naam|klant|afzender"
    r"|imię i nazwisko|nadawca|namn|navn|имя|фио|author|user|signed"
    r"|氏名|お名前|名前|差出人|姓名|发件人|이름|성명|보낸사람|billing address|shipping address|ship to|bill to|deliver to)\s?[:：]\s*(?P<value>.+)",
    re.IGNORECASE,
)
_BEFORE_ADDRESS = re.compile(
    r"(?P<name>\"[^\"\n]{2,60}\"|[^\n<>:;\"(]{2,60}?)\s*<\s*(?P<local>[^<>\s@]+)@(?P<domain>[^<>\s]+)>"
)
_WROTE = re.compile(
    r"(?:[,\d]\s|^|schrieb\s)(?P<value>[^\n,<>\d:]{2,50}?)\s(?:wrote|writes|a écrit|escribió|ha scritto|schreef|escreveu"
    r"|napisał\(?a?\)?|skrev)\s?:|(?:schrieb|escribió|skrev|napisał|escreveu)\s(?P<after>[^\n,<>\d:]{2,50}?)\s?:"
)
_INTRODUCTIONS: dict[str, re.Pattern[str]] = {
    "name": re.compile(r"(?:'s)? (?:is|was|ist) "),
    "name's": re.compile(r" "),
    "heiße": re.compile(r" "),
    "heisse": re.compile(r" "),
    "appelle": re.compile(r" "),
    "m'appelle": re.compile(r" "),
    "m’appelle": re.compile(r" "),
    "nom": re.compile(r" est "),
    "llamo": re.compile(r" "),
    "nombre": re.compile(r" es "),
    "chiamo": re.compile(r" "),
    "nome": re.compile(r" (?:è|é) "),
    "naam": re.compile(r" is "),
    "chamo": re.compile(r" "),
    "nazywam": re.compile(r" się "),
    "зовут": re.compile(r" "),
    "звати": re.compile(r" "),
    "navn": re.compile(r" er "),
    "namn": re.compile(r" är "),
    "heter": re.compile(r" "),
    "jmenuji": re.compile(r" se "),
    "adım": re.compile(r" "),
}
_WEAK_INTRODUCTIONS = {
    "this": re.compile(r" is "),
    "i'm": re.compile(r" "),
    "i’m": re.compile(r" "),
    "i": re.compile(r" am "),
    "it's": re.compile(r" "),
    "calls": re.compile(r" me "),
    "call": re.compile(r" me "),
    "bin": re.compile(r" "),
    "suis": re.compile(r" "),
    "soy": re.compile(r" "),
    "sono": re.compile(r" "),
    "sou": re.compile(r" "),
    "ben": re.compile(r" "),
}
"""After these a single word may be anything: two that are large count, or one before *from*, *here* and the like."""
_THANKS = frozenset(
    "thanks thx thank cheers merci danke gracias grazie obrigado obrigada bedankt dank tack tak takk kiitos dziękuję děkuji".split()
)
_CUES = frozenset((*_INTRODUCTIONS, *_WEAK_INTRODUCTIONS, *TITLES, *_THANKS))
_AFTER_WEAK = re.compile(r"[ ,]*(?:from|here|with|again|calling|speaking|at|von|aus|de|da|van|di)\b|\s*$")
_JAPANESE = re.compile(
    "(?P<a>[\u4e00-\u9fff]{1,5})(?:様|さま|さん|氏|殿)(?![\u4e00-\u9fff])|(?P<b>[\u4e00-\u9fff]{2,5})(?:と申します|です。|でございます)"
    "|(?P<c>[\u4e00-\u9fff]{2,4}?)(?:先生|女士|小姐)|(?P<d>[\uac00-\ud7af]{2,4})\\s?(?:님|씨)|(?P<e>[\u4e00-\u9fff]{2,4})より"
)
_NO_UNSPACED = re.compile(
    "客|皆|各位|担当|お|御|貴|社|部|課|番|号|件|고객|선생|담당|부모|사장|회원|尊敬|先方|弊|何|誰|方|店|会|係|者"
)


def find_names(reading: Reading) -> Iterator[str]:
    """Yield the names that a text marks as such; roles and ordinary words left out."""
    yield from _on_lines(reading)
    yield from _introduced(reading)
    yield from _signed_only(reading.text)
    text = reading.text
    if "<" in text and "@" in text:
        for found in _BEFORE_ADDRESS.finditer(text):
            for name in _last_name(found["name"]):
                if not _is_sender_of_mail(name, found["local"].lower(), found["domain"].lower()):
                    yield name
    if ":" in text:
        for found in _WROTE.finditer(text):
            yield from _last_name(found["value"] or found["after"])
    if not text.isascii():
        for found in _JAPANESE.finditer(text):
            name = found[str(found.lastgroup)]
            if not _NO_UNSPACED.search(name):
                yield name


def _signed_only(text: str) -> Iterator[str]:
    """Yield the name that is the last line of a letter with a greeting: not everybody writes regards."""
    lines = text.rstrip().split("\n")
    greeting = _TOKEN.match(lines[0].lstrip(" >"))
    if len(lines) < _SHORTEST_LETTER or not greeting or greeting[0].lower() not in GREETINGS:
        return
    last = lines[-1].strip(" *_-–—.")
    if len(last) < _LONGEST_SIGNATURE and not last.isupper():
        yield from _signature(last, most=3)


_SHORTEST_LETTER = 3
_LONGEST_SIGNATURE = 40


def _on_lines(reading: Reading) -> Iterator[str]:
    lines = reading.text.split("\n")
    closes = False
    for place, line in enumerate(lines):
        begin = _PREFIX.match(line)
        own = line[begin.end() :].rstrip() if begin else line
        if not own:
            continue
        if closes:
            yield from _signature(own)
        closes = len(own) < _LONGEST_CLOSER and _closes(own)
        if closes:
            continue
        yield from _greeted(own)
        closer, comma, name = own.rpartition(",")
        if comma and closer.lower().strip(" !.") in CLOSERS:
            yield from _signature(name.strip())
        yield from _signed_at_once(own)
        if ":" in own or "：" in own:
            head = _HEAD.match(own)
            if head:
                yield from _in_head(head["value"])
                if head[0].lower().startswith(_NAME_LABELS):
                    yield from _in_lower_case(head["value"].strip())
        if (
            own[0] in "-–—~"
            and place == len(lines) - 1
            and not any(other.lstrip().startswith(own[0]) for other in lines[:-1])
        ):
            yield from _signature(own[1:].strip(), most=2)


def _signed_at_once(line: str) -> Iterator[str]:
    """Yield the name of a line that closes and signs: *Viele Grüße Hendrik*."""
    if len(line) > _LONGEST_CLOSER:
        return
    words = line.split()
    for count in range(min(_MOST_TOKENS, len(words) - 1), 0, -1):
        closer = " ".join(words[:count]).lower().strip(" ,")
        if closer in CLOSERS and (count > 1 or closer in _SHORT_CLOSERS):
            yield from _signature(" ".join(words[count:]))
            return


_SHORT_CLOSERS = frozenset(
    "gruß gruss grüße lg vg mfg regards rgds cheers saludos saluti groet groeten groetjes pozdrawiam abraços mvh hilsen"
    " cdt cordialement atentamente atte sincerely".split()
)


def _closes(line: str) -> bool:
    """Tell whether a line closes a letter, with a few words more perhaps: *Viele Grüße aus Hamburg*."""
    plain = line.lower().strip(" ,.!;:-–~*_。、！")
    if plain in CLOSERS or line.strip() in ("--", "—", "–", "__"):
        return True
    words = plain.split()
    return (
        2 < len(words) < 7
        and (" ".join(words[:2]) in CLOSERS or " ".join(words[:3]) in CLOSERS)
        and words[-2] in ("aus", "from", "de", "da", "uit")
    )


def _greeted(line: str) -> Iterator[str]:
    first = _TOKEN.match(line)
    if not first or first[0].lower().rstrip(".") not in GREETINGS:
        return
    tokens = list(_TOKEN.finditer(line[:_LONGEST_GREETING]))
    at = 1
    while (
        at < len(tokens)
        and tokens[at][0].lower().rstrip(".") in _BEFORE_NAME
        and _NEAR.fullmatch(line, tokens[at - 1].end(), tokens[at].start())
    ):
        at += 1
    if at < len(tokens) and _NEAR.fullmatch(line, tokens[at - 1].end(), tokens[at].start()):
        name, end = _name_at(line, tokens[at].start())
        if name:
            yield name
        elif line[end : end + 1] in (",", "!", "") or not line[end:].strip():
            yield from _in_lower_case(line[tokens[at].start() : end])


def _signature(line: str, *, most: int = _MOST_TOKENS) -> Iterator[str]:
    """Yield the name of a line that signs: up to its comma or bar, a name and nothing else."""
    own = re.split(r"[,|/•·(]|\s[-–—]\s", line.strip(" *_~.!-–—"), maxsplit=1)[0].strip()
    if not own or any(character.isdigit() for character in own):
        return
    name, end = _name_at(own, 0)
    if name and end >= len(own.rstrip(".")) and len(name.split()) <= most:
        yield name
    elif not name and own.isalpha() and len(own) < 13:
        yield from _in_lower_case(own)


def _in_head(value: str) -> Iterator[str]:
    for one in re.split(r"[;]", value):
        own = one.split("<")[0].strip(" \"'")
        name, end = _name_at(own, 0)
        if (
            name
            and (end == len(own) or own[end : end + 1] in ",(")
            and not any(character.isdigit() for character in own[:end])
        ):
            yield own if _is_surname_first(own, end) else name


_NAME_LABELS = ("full name", "customer name", "contact name", "client name", "your name", "my name")


def _is_surname_first(text: str, end: int) -> bool:
    given, last = _name_at(text, end + 2) if text.startswith(", ", end) else ("", 0)
    return bool(given) and last == len(text)


def _introduced(reading: Reading) -> Iterator[str]:
    text, lower = reading.text, reading.lower
    known = reading.vocabulary & _CUES
    for at, cue in enumerate(reading.words) if known else ():
        if cue not in known:
            continue
        word = reading.word(at)
        joint = _INTRODUCTIONS.get(cue) or _WEAK_INTRODUCTIONS.get(cue)
        found = joint.match(lower, word.end) if joint else None
        if found:
            yield from _name_after(text, found.end(), is_weak=cue not in _INTRODUCTIONS)
        elif cue in TITLES:
            yield from _titled(text, word)
        elif cue in _THANKS:
            yield from _thanked(text, word)


def _name_after(text: str, start: int, *, is_weak: bool) -> Iterator[str]:
    name, end = _name_at(text, start)
    if name and is_weak and len(name.split()) < 2 and not _AFTER_WEAK.match(text[end : end + 12].split("\n")[0]):
        return
    if name:
        yield name
    elif not is_weak and (
        end >= len(text) or text[end] in ".,!?\n" or text.startswith((" and ", " und ", " but "), end)
    ):
        yield from _in_lower_case(text[start:end])


def _thanked(text: str, word: Word) -> Iterator[str]:
    """Yield the name of one who thanks, or is thanked, at a line's end: *merci Sophie*."""
    rest = text[word.end : word.end + _LONGEST_SIGNATURE].split("\n")[0]
    own = rest.strip(" ,.!")
    name, end = _name_at(own, 0)
    if name and rest[:1] in " ," and end == len(own) and len(rest) < _LONGEST_SIGNATURE:
        yield name


def _titled(text: str, title: Word) -> Iterator[str]:
    start = title.end + (text[title.end : title.end + 1] == ".")
    if text[start : start + 1] not in (" ", "\u00a0"):
        return
    name, end = _name_at(text, start + 1)
    if name and (text[title.start].isupper() or start > title.end):
        yield name
    elif start > title.end and title.lower in ("mr", "mrs", "ms", "dr") and end > start + 1:
        yield from _in_lower_case(text[start + 1 : end].split(" ")[0])


def _name_at(text: str, start: int) -> tuple[str, int]:
    """Return the name that begins here, at most four words written large, and its end; without one, the end of the words that stand there."""
    tokens: list[str] = []
    at = end = start
    while len(tokens) < _MOST_TOKENS:
        found = _TOKEN.match(text, at)
        if not found:
            break
        token = found[0]
        lower = token.lower().rstrip(".").replace("’", "'")
        is_particle = lower in _PARTICLES and (bool(tokens) or token[0].isupper())
        if not is_particle and (
            token[0].islower()
            or lower in NO_NAMES
            or (token.isupper() and len(token.rstrip(".")) > 1 and tokens and not tokens[-1].isupper())
        ):
            break
        if lower in ROLE_WORDS:
            return "", found.end()
        tokens.append(token)
        end = found.end()
        space = _SPACE.match(text, end)
        if not space:
            break
        at = space.end()
    while tokens and tokens[-1].lower() in _PARTICLES:
        tokens.pop()
        end = start + len(text[start:end].rstrip().rsplit(None, 1)[0]) if tokens else start
    if not tokens or (len(tokens) == 1 and len(tokens[0].rstrip(".")) < 2):
        found = re.compile(r"[^\W\d_]+(?:[ '’\-][^\W\d_]+)?").match(text, start)
        return "", found.end() if found else start
    return " ".join(tokens), end


def _is_sender_of_mail(name: str, local: str, domain: str) -> bool:
    """Tell a company's name before its own address from a person's: *Acme <hello@acme.example>*."""
    if local in _MAILBOXES or local.replace("-", "").startswith(("noreply", "donotreply")):
        return True
    return len(name.split()) == 1 and name.lower() in domain.split(".")


_MAILBOXES = ROLE_WORDS | frozenset(
    "mail contact newsletter news notifications notification alerts alert receipts orders office post kontakt contacto".split()
)


def _last_name(text: str) -> Iterator[str]:
    """Yield the name that a stretch of text ends with."""
    own = text.strip(" \"'*_>")
    surname, comma, given = own.rpartition(", ")
    if (
        comma
        and _name_at(given, 0)[1] == len(given)
        and _name_at(surname, 0)[1] == len(surname)
        and _name_at(surname, 0)[0]
        and _name_at(given, 0)[0]
    ):
        yield own
        return
    tokens = list(_TOKEN.finditer(own))
    for token in tokens[-_MOST_TOKENS:]:
        name, end = _name_at(own, token.start())
        if name and end == len(own):
            yield name
            return


def _in_lower_case(words: str) -> Iterator[str]:
    """Yield a name that is written small, unless one of its words is an ordinary one."""
    tokens = _TOKEN.findall(words)
    if tokens and not any(
        t.lower() in NO_NAMES
        or t.lower() in ROLE_WORDS
        or t.lower() in ORDINARY_NAMES
        or t.lower() in _STATES
        or len(t) < 3
        for t in tokens
    ):
        yield " ".join(tokens)


_STATES = frozenset(
    "wrong incorrect misspelled mispelled spelled missing correct shown displayed listed different changed misprinted blank empty"
    " invalid appearing appears required"
    " falsch richtig geschrieben incorrecto fausse faux sbagliato verkeerd błędne".split()
)
