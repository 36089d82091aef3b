"""Trimming: what a highlight leaves off a sentence's ends, and which sentences are only courtesy.

Handles, greetings and fillers in front, URLs and an agent's initials at the back: the rest is still one contiguous span. The lists are English;
a text in another language keeps its greetings, and nothing worse happens. It never looks inside a sentence.
"""

from __future__ import annotations

import re

from desktop.services.words import count_words

_PASSES = 4
_SHORTEST_REST = 8
_LONGEST_WORDS = 60
_CUT_AT_WORDS = 40

_FRONT = (
    re.compile(r"[\s>*•–—·,;:!-]+(?=\S)"),
    re.compile(r"\(?\d{1,2}[.)]\s+"),
    re.compile(r"(?:[.,]?@\w+[:,]?\s*)+"),
    re.compile(
        r"(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day)|greetings|morning|hallo|bonjour|hola|guten (?:tag|morgen))"
        r"(?:\s+(?:there|all|team|everyone|support|sir|madam|folks|guys|again|@?[A-ZÀ-Þ][\w’'-]*))*(?:(?<=[A-Z])\.)?\s*(?:[,!:–—-]+|\.(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:well|oh|ah|ok|okay|yes|yeah|yep|no|nope|sure|so|right|actually|sorry|of course|great|perfect|excellent|thanks|thank you(?: so much)?"
        r"|many thanks|hmm|um|uh|alright|fine|certainly|absolutely|understood|got it|i see|no problem|please|anyway|honestly|basically)"
        r"\s*(?:[,;:–—]|[.!…]+(?=\s)|-+(?=\s))\s*",
        re.IGNORECASE,
    ),
    re.compile(r"(?:and|but|so|then|also)\s+(?=\S)", re.IGNORECASE),
)
_BACK = (
    re.compile(r"\s*(?:https?://|www\.)\S+\s*$"),
    re.compile(r"\s+(?:\^\s?[A-Za-z]{1,8}|[-–][A-Z][A-Za-z]?|\*[A-Z]{2,3})\s*$"),
    re.compile(r"\s+\(?[1-9]\s?/\s?[1-9]\)?\s*$"),
    re.compile(r"[\s*_]+$"),
)
_CUT = re.compile(r"(?<=[,;:–—)])\s")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_GREETING = re.compile(
    r"\b(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank|thx|cheers|welcome|bye|goodbye|regards|appreciate[ds]?|greetings|ok|okay"
    r"|great|perfect|awesome|hallo|danke|bonjour|merci|hola|gracias|grazie|bedankt|obrigad[oa])\b",
    re.IGNORECASE,
)
_ONLY_GREETING = re.compile(
    r"\W*(?i:hi|hello|hey|hiya|dear|(?:good )?(?:morning|afternoon|evening|day)|greetings|thanks|thank you|thx|cheers|bye|goodbye"
    r"|(?:best|kind) regards|regards|hallo|guten (?:tag|morgen|abend)|danke|bonjour|merci|hola|gracias|ciao|grazie|bedankt|olá)"
    r"(?:[\s,]+(?:(?i:there|all|team|everyone|again|so much|very much|a lot|in advance|support|sir|madam|or)|@?[A-ZÀ-Þ][\w’'.-]*))*\W*"
)
_COURTESY = re.compile(
    r"anything else|feel free|happy to (?:help|assist)|glad to (?:help|assist|hear)|here to help|(?:have|enjoy) (?:a|the rest|your)\b.{0,20}"
    r"(?:day|evening|weekend|week|one|night)|thanks? (?:you )?(?:so much |very much )?for|let (?:us|me) know if|don'?t hesitate|do not hesitate"
    r"|you'?re (?:most |very )?welcome|my pleasure|no worries|sorry (?:to hear|for (?:the|any)|about (?:the|that|this))|apologi[sz]e for"
    r"|apologies for|understand (?:your|how) (?:frustrat|concern)|patience|look(?:ing)? forward to|hope (?:this|that) helps"
    r"|reach out to us|good luck|(?:write|call|contact us|reach out) any ?time|how (?:can|may) (?:i|we) (?:help|assist)"
    r"|(?:good|nice) to hear|stay safe|take care",
    re.IGNORECASE,
)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without what its ends can spare; a rest shorter than 8 characters is never left."""
    for _ in range(_PASSES):
        before = (start, end)
        for pattern in _FRONT:
            found = pattern.match(text, start, end)
            if found and end - found.end() >= _SHORTEST_REST:
                start = found.end()
        for pattern in _BACK:
            found = pattern.search(text[start:end])
            if found and found.start() >= _SHORTEST_REST:
                end = start + found.start()
        if (start, end) == before:
            break
    return _without_loose_ends(text, *_shortened(text, start, end))


def is_only_greeting(text: str) -> bool:
    """Tell whether a whole sentence is a greeting or thanks and at most a name."""
    return _ONLY_GREETING.fullmatch(text) is not None


def is_greeting(text: str) -> bool:
    """Tell whether a sentence of few words only greets or thanks."""
    return count_words(text) <= 7 and _GREETING.search(text) is not None


def is_courtesy(text: str) -> bool:
    """Tell whether a sentence is what agents write in every ticket."""
    return _COURTESY.search(text.replace("’", "'")) is not None


def is_machine_text(text: str) -> bool:
    """Tell whether a sentence is a log line, a stack frame or code: mostly signs and digits, or built of very long words."""
    visible = [character for character in text if not character.isspace()]
    letters = sum(character.isalpha() for character in visible)
    words = text.split()
    longest = max(map(len, words), default=0)
    is_spaceless = any(ord(character) > 0x2E80 for character in visible)
    return letters < 0.55 * len(visible) or (longest > 60 and not is_spaceless and len(words) < 6)


def _shortened(text: str, start: int, end: int) -> tuple[int, int]:
    """Cut a very long sentence at a comma, else at a word: a highlight is something to glance at."""
    words = list(_WORD.finditer(text, start, end))
    if len(words) <= _LONGEST_WORDS:
        return start, end
    limit = words[_CUT_AT_WORDS - 1].end()
    cuts = [found.start() for found in _CUT.finditer(text, words[_CUT_AT_WORDS // 2].start(), limit)]
    return start, cuts[-1] if cuts else limit


def _without_loose_ends(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;–—"):
        end -= 1
    return start, end
