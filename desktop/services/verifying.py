"""Verifying: any text against a ticket, sentence by sentence: a summary written elsewhere, or an agent's own reply.

The text may cite sentences (`[m1.2]`) or not, may have headings, lists and section labels, and may be broken to fit a width. Greetings and signatures
say nothing of the ticket and are passed over, as are headings. It decides nothing itself: see `evidence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from desktop.domain.errors import DeskError
from desktop.domain.runs import CheckedClaim, Claim, Support, Verified
from desktop.domain.sections import SENTIMENT, STANDARD_SECTIONS
from desktop.domain.sentences import Sentence
from desktop.domain.tickets import Thread
from desktop.services.claims import SummaryParser
from desktop.services.evidence import PreparedThread, check_claim, coverage
from desktop.services.fields import sentiment_of
from desktop.services.trimming import is_only_greeting

_SHORTEST_WRAPPED_LINE = 40
_BEGINS_ANEW = re.compile(r"\s*(?:[-*•–—+>|#]|\(?\d{1,3}[.)]\s|[\w ]{1,30}[:：](?:\s|$))")
_ENDS = re.compile(r"[.!?…:;。！？\])][\"'”’»*_]*\s*$")
_HEADING = re.compile(r"\s*+#{1,6}\s")
_RULE = re.compile(r"\s*+(?:[-=*_]\s*+){3,}$|\s*+(?:\|?\s*+:?-{2,}+:?\s*+)+\|?\s*+$")
_CLOSING = re.compile(
    r"\s*(?:(?:best|kind|warm|many|with kind|with best)\s+)?(?:regards|wishes|greetings|thanks|sincerely|cheers|cordialement|saludos|saluti)\b"
    r"[^.!?]{0,20}$|\s*(?:yours (?:sincerely|faithfully|truly)|mit freundlichen grüßen|viele grüße|beste grüße|met vriendelijke groet(?:en)?"
    r"|atentamente|cordiali saluti)[,.!]?\s*$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"\w{3}[.!?][\"”)]*\s*$")
_SIGNED_LINES = 3
_MOST_NAME_WORDS = 5
_SENTIMENT_WORDS = 4
A_READING = "a reading of the tone, not the ticket's words"


def verify_text(thread: Thread, sentences: Sequence[Sentence], prepared: PreparedThread, text: str) -> Verified:
    """Check every sentence of a text against a ticket.

    Raises:
        DeskError: `text-empty` when there is no sentence in it.
    """
    claims = tuple(cut_claims(text))
    if not claims:
        raise DeskError(
            "text-empty", "There is no sentence to check in that text.", remedy="Give one or more whole sentences."
        )
    checked = tuple(check_sentence(claim, prepared) for claim in claims)
    return Verified(checked, coverage(prepared, checked, read=len(thread.messages)))


def check_sentence(claim: Claim, evidence: PreparedThread) -> CheckedClaim:
    """Check one claim. How somebody sounds is a reading and stands in no sentence: it is told as one, and asks only for a source."""
    checked = check_claim(claim, evidence)
    if claim.section != SENTIMENT or not sentiment_of(claim.text) or checked.missing_facts:
        return checked
    if len(claim.text.split()) > _SENTIMENT_WORDS:
        return checked
    support = Support.PARTIAL if checked.citations else Support.UNCITED
    return replace(checked, support=support, doubts=(A_READING,))


def cut_claims(text: str) -> Iterator[Claim]:
    """Yield the claims of a free text in their order, each once."""
    parser = SummaryParser(STANDARD_SECTIONS)
    for line in _lines(text):
        yield from parser.feed(line + "\n")
    yield from parser.finish()


def _lines(text: str) -> Iterator[str]:
    """Yield whole lines: wrapped ones joined; without headings, rules, greetings and signatures."""
    signed = 0
    for line in _unwrapped(text.replace("\r\n", "\n").replace("\r", "\n")):
        if not line.strip() or _RULE.fullmatch(line):
            continue
        if _CLOSING.match(line):
            signed = _SIGNED_LINES
            continue
        if signed and len(line.split()) <= _MOST_NAME_WORDS and not _SENTENCE_END.search(line):
            signed -= 1
            continue
        signed = 0
        heading = _HEADING.match(line)
        if heading and line[heading.end() :].rstrip().rstrip("#").strip().strip("*_: ") not in STANDARD_SECTIONS:
            continue
        if not is_only_greeting(line):
            yield line


def _unwrapped(text: str) -> Iterator[str]:
    """Yield lines, joined where one was only broken to fit a width."""
    parts: list[str] = []
    length = 0
    for line in [*text.split("\n"), ""]:
        line = line.rstrip()
        is_wrapped = length >= _SHORTEST_WRAPPED_LINE and not _ENDS.search(parts[-1])
        if line and is_wrapped and not _BEGINS_ANEW.match(line):
            parts.append(line.lstrip())
            length += 1 + len(parts[-1])
            continue
        if parts:
            yield " ".join(parts)
        parts = [line] if line else []
        length = len(line)
