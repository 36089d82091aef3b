"""Quoting: which stretches of a message are not its own words.

A mail repeats what was said before (`>` lines, "On … wrote:", "-----Original Message-----", an Outlook header block) and ends in a signature and
legal text (see `disclaimers`). They are folded: shown on request, never numbered as sentences. It is conservative. A forwarded message is news to the
ticket and stays, an answer between quoted lines stays, and a message that would vanish whole keeps its signature, then its quotes. It works line by
line and never guesses at the meaning of a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from desktop.domain.disclaimers import is_banner, is_disclaimer, is_heading

_ATTRIBUTION_LINES = 3
_HEADER_LINES = 8
_SIGN_OFF_LINES = 8
_SIGN_OFF_WIDTH = 60
_DASHED_SIGNATURE_LINES = 12
_LEGAL_LINES = 30

_FENCE = re.compile(r"\s*(?:```|~~~)")
_QUOTE = re.compile(r"\s*>")
# "> 5 MB" alone on a line compares; "|> " and ">>> " are code.
_COMPARISON = re.compile(r"\s*>=?\s*[$€£]?\d")
_PROMPT = re.compile(r"\s*>>> ?\S")
_ATTRIBUTION = re.compile(
    r"\s*(?:(?:On|Am|Le|El|Em|Il|Op|Den|Dne)\s.{4,240}|.{4,200}<\S+@\S+>.{0,60})"
    r"\b(?:wrote|writes|schrieb|a écrit|écrit|escribió|escreveu|ha scritto|schreef|skrev|napisał)\b.{0,80}:\s*",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(r"\s*(?:On|Am|Le|El|Em|Il|Op|Den|Dne)\s")
_ORIGINAL = re.compile(
    r"\s*[-_=*]{2,}\s*(?:Original (?:Message|Appointment)|Ursprüngliche Nachricht|Message d'origine|Mensaje original"
    r"|Messaggio originale|Oorspronkelijk bericht|Mensagem original)\s*[-_=*]{2,}\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\s*(?:[-_=*]{2,}\s*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado)\b.*"
    r"|Begin forwarded message:\s*)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\s*\*{0,2}(?P<name>From|Von|De|Da|Van|Sent|Gesendet|Date|Datum|Data|Fecha|Enviado(?: el)?|Envoyé|Inviato|Verzonden|To|An|À|Para|A|Aan"
    r"|Cc|Subject|Betreff|Objet|Asunto|Oggetto|Onderwerp|Assunto)\s?:\*{0,2}\s",
    re.IGNORECASE,
)
_FROM = frozenset({"from", "von", "de", "da", "van"})
_RULE = re.compile(r"\s*[-_=*]{5,}\s*")
_SENT_FROM = re.compile(
    r"\s*(?:Sent (?:from|via) (?:my |the |an? )?[\w’' .-]{2,40}|Get Outlook for \w+.*|Von meinem .{2,40} gesendet"
    r"|Envoyé (?:de|depuis) mon .{2,40}|Enviado desde mi .{2,40})\s*",
    re.IGNORECASE,
)
_CLOSING = (
    r"(?:(?:with )?(?:best|kind|kindest|warm|warmest) (?:regards|wishes)|many thanks|best|regards|all the best|cheers|thanks(?: again)?"
    r"|thank you|thx|yours(?: (?:sincerely|faithfully|truly))?|sincerely(?: yours)?|respectfully|cordially|mit freundlichen grüßen"
    r"|mit freundlichen gruessen|mfg|freundliche grüße|(?:viele|liebe|beste|schöne) grüße|gruß|vg|lg|cordialement|bien cordialement"
    r"|bien à vous|saludos(?: cordiales)?|un saludo|atentamente|cordiali saluti|met vriendelijke groet(?:en)?|atenciosamente)"
)
_SIGN_OFF = re.compile(rf"\s*{_CLOSING}\s*[,.!]*\s*", re.IGNORECASE)
# On one line with the name, only what nobody says in passing: "Thanks, Works" is no signature.
_SIGN_OFF_WITH_NAME = re.compile(
    r"\s*(?i:(?:with )?(?:best|kind|kindest|warm) (?:regards|wishes)|regards|mit freundlichen grüßen|cordialement)\s*[,.!]*"
    r"\s+[A-ZÀ-Þ][\w’'.-]*(?:\s+[A-ZÀ-Þ][\w’'.-]*){0,3}\s*"
)
_NAME = re.compile(r"\s*[-–—~]{0,2}\s*[^\W\d_][\w’'.-]*(?:\s+(?:&\s+)?[^\W\d_][\w’'.-]*){0,4}\s*")
_CONTACT = re.compile(
    r"[@|]|https?:|www\.|\b(?:tel|phone|mobile|cell|fax|mob|t|m|e|p)\b\.?\s*:|\+?\d[\d\s().-]{6,}$", re.IGNORECASE
)
_FACT_WITH_LABEL = re.compile(r"[^:]{2,30}:\s*\S|.*\d{3}")


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    is_fenced: bool

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


@lru_cache(maxsize=512)
def folded_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans (start, end) of quoted history, signature and disclaimer, in order and apart; never all of a message's words.

    Kept for the texts that were asked for last: what is numbered in a worker is folded in the window a moment later.
    """
    lines = _read_lines(text)
    quoted = _find_quoted(lines)
    legal = _find_disclaimers(lines, quoted)
    signed = _find_signature(lines, quoted | legal, legal)
    for folded in (quoted | legal | signed, quoted | legal, legal, quoted, signed):
        if folded and any(number not in folded and not line.is_blank for number, line in enumerate(lines)):
            return _as_spans(lines, folded)
    return ()


def signature_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans (start, end) of the signature of whoever wrote a text, `()` where it has none."""
    lines = _read_lines(text)
    quoted = _find_quoted(lines)
    legal = _find_disclaimers(lines, quoted)
    return tuple(_as_spans(lines, _find_signature(lines, quoted | legal, legal)))


def _read_lines(text: str) -> list[_Line]:
    lines, start, is_fenced = [], 0, False
    for raw in text.split("\n"):
        is_fence = _FENCE.match(raw) is not None
        lines.append(_Line(start, start + len(raw), raw, is_fenced or is_fence))
        is_fenced ^= is_fence
        start += len(raw) + 1
    # A fence that is never closed fences nothing.
    return [_Line(line.start, line.end, line.text, False) for line in lines] if is_fenced else lines


def _find_quoted(lines: list[_Line]) -> set[int]:
    """Return the numbers of the lines that repeat history."""
    quoted = _quote_runs(lines)
    forwarded = next((n for n, line in enumerate(lines) if _FORWARDED.fullmatch(line.text)), len(lines))
    number = 0
    while number < min(forwarded, len(lines)):
        length = 0 if number in quoted or lines[number].is_fenced else _history_opening(lines, number)
        if not length:
            number += 1
            continue
        after = next((n for n in range(number + length, len(lines)) if not lines[n].is_blank), len(lines))
        quoted.update(range(number, number + length))
        if after not in quoted:
            # Nothing marks its end, so it reaches to the end; where `>` lines follow, they are the history and an answer may come after.
            quoted.update(range(number, len(lines)))
            break
        number = after
    return quoted


def _quote_runs(lines: list[_Line]) -> set[int]:
    quoted: set[int] = set()
    run: list[int] = []
    for number, line in enumerate([*lines, _Line(0, 0, "end", False)]):
        if not line.is_fenced and _QUOTE.match(line.text):
            run.append(number)
            continue
        if line.is_blank and run:
            continue
        if (
            run
            and not all(_PROMPT.match(lines[n].text) for n in run)
            and not (len(run) == 1 and _COMPARISON.match(lines[run[0]].text))
        ):
            quoted.update(range(run[0], run[-1] + 1))
        run = []
    return quoted


def _history_opening(lines: list[_Line], number: int) -> int:
    """Return over how many lines a line or block stretches that announces repeated history; 0 if it does not."""
    text = lines[number].text
    if _ORIGINAL.fullmatch(text) or _ATTRIBUTION.fullmatch(text):
        return 1
    if _ATTRIBUTION_START.match(text) and len(text) <= 100:
        joined = text
        for length in range(2, _ATTRIBUTION_LINES + 1):
            if number + length > len(lines) or lines[number + length - 1].is_blank:
                break
            joined += " " + lines[number + length - 1].text.strip()
            if _ATTRIBUTION.fullmatch(joined):
                return length
    skip = 1 if _RULE.fullmatch(text) else 0
    return skip + block if (block := _header_block(lines, number + skip)) else 0


def _header_block(lines: list[_Line], number: int) -> int:
    """Return the length of an Outlook header block that begins here: From first, and two more headers in the lines after it."""
    names = []
    for line in lines[number : number + _HEADER_LINES]:
        found = _HEADER.match(line.text + " ")
        if not found:
            break
        names.append(found["name"].casefold())
    return len(names) if len(set(names)) >= 3 and names[0] in _FROM else 0


def _find_disclaimers(lines: list[_Line], quoted: set[int]) -> set[int]:
    """Return the numbers of the lines of legal text, the last of a message's own words, and of a mail system's warning, the first of them."""
    paragraphs = _own_paragraphs(lines, quoted)
    legal: set[int] = set()
    for paragraph in reversed(paragraphs):
        # Legal text may follow the name without a blank line; a log of thousands of lines is not looked through for it.
        ending = paragraph[-_LEGAL_LINES:]
        texts = [lines[number].text.strip() for number in ending]
        first = next((place for place in range(len(texts)) if is_disclaimer(" ".join(texts[place:]))), None)
        if first is None and legal and is_heading(" ".join(texts)):
            first = 0
        if first is not None:
            legal.update(ending[first:])
        is_whole = first == 0 and ending == paragraph
        if not is_whole and not all(_SENT_FROM.fullmatch(text) for text in texts):
            break
    opening = paragraphs[0][:_LEGAL_LINES] if paragraphs else []
    if opening and is_banner(" ".join(lines[number].text.strip() for number in opening)):
        legal.update(opening)
    return legal


def _own_paragraphs(lines: list[_Line], quoted: set[int]) -> list[list[int]]:
    paragraphs: list[list[int]] = []
    is_open = False
    for number, line in enumerate(lines):
        is_own = not line.is_blank and not line.is_fenced and number not in quoted
        if is_own and is_open:
            paragraphs[-1].append(number)
        elif is_own:
            paragraphs.append([number])
        is_open = is_own
    return paragraphs


def _find_signature(lines: list[_Line], quoted: set[int], legal: set[int]) -> set[int]:
    """Return the numbers of the lines of a signature: the last thing before trailing history and legal text, or before the end."""
    own = [number for number in range(len(lines)) if number not in quoted]
    end = own[-1] + 1 if own else 0
    while end and (lines[end - 1].is_blank or end - 1 in quoted):
        end -= 1
    if not end:
        return set()
    dashed = _dashed_signature(lines, end, quoted)
    if dashed is not None:
        return set(range(dashed, end))
    start = end
    while start and (
        lines[start - 1].is_blank or start - 1 in legal or _SENT_FROM.fullmatch(lines[start - 1].text) is not None
    ):
        start -= 1
    signed = _sign_off(lines, start)
    first = start if signed is None else signed
    return {n for n in range(first, end) if n not in quoted and not (lines[n].is_blank and n == first)}


def _dashed_signature(lines: list[_Line], end: int, quoted: set[int]) -> int | None:
    """Return the line of `-- ` that opens a signature of believable length."""
    filled = 0
    for number in range(end - 1, max(-1, end - 40), -1):
        if number in quoted:
            return None
        text = lines[number].text
        if text.rstrip() == "--" and not lines[number].is_fenced:
            return number if filled <= _DASHED_SIGNATURE_LINES or text == "-- " else None
        filled += not lines[number].is_blank
    return None


def _sign_off(lines: list[_Line], end: int) -> int | None:
    """Return the line of a closing ("Best regards,") that is followed by nothing but a short name block up to `end`."""
    block: list[str] = []
    for number in range(end - 1, max(-1, end - 2 * _SIGN_OFF_LINES), -1):
        text = lines[number].text
        if _SIGN_OFF_WITH_NAME.fullmatch(text) and not block:
            return number
        if _SIGN_OFF.fullmatch(text):
            return number if block and _is_name_block(block[::-1]) else None
        if lines[number].is_blank:
            continue
        block.append(text)
        if len(block) > _SIGN_OFF_LINES or len(text) > _SIGN_OFF_WIDTH:
            return None
    return None


def _is_name_block(block: list[str]) -> bool:
    if not _NAME.fullmatch(block[0]):
        return False
    for text in block[1:]:
        if text.rstrip().endswith(("?", "!", ":")) or re.match(r"\s*p\.?\s?s\b", text, re.IGNORECASE):
            return False
        if _FACT_WITH_LABEL.match(text) and not _CONTACT.search(text):
            return False
    return True


def _as_spans(lines: list[_Line], folded: set[int]) -> tuple[tuple[int, int], ...]:
    """Join lines to spans; blank lines between two folded ones belong to them."""
    spans: list[tuple[int, int]] = []
    is_open = False
    for number, line in enumerate(lines):
        if line.is_blank:
            continue
        if number not in folded:
            is_open = False
        elif is_open:
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
            is_open = True
    return tuple(spans)
