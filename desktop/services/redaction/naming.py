"""Naming: is a word that could be a name used as one? *Will said*, *in May*, *click Mark as solved*, *der Koch*.

What speaks: a capital inside a sentence, a title or greeting before, somebody's verb behind, a comma of address, a line of its own. What speaks
against: an article before, a month's preposition, a button's name, a question's or an order's verb at the beginning of a sentence.
"""

from __future__ import annotations

import re

from desktop.services.redaction.name_words import GREETINGS, TITLES
from desktop.services.redaction.reading import Reading, Word

_GIVEN = frozenset(
    "will mark may rose bill grace hope joy faith drew jack art rob sue pat dean guy chase hunter april june august dawn crystal ruby"
    " pearl amber ivy lily daisy iris olive"
    " holly heather jasmine violet max ernest victor miles cliff glen dale ray frank grant carol harry jimmy nick john mike tom bob"
    " tony don jo al ed bo ben lee li mac ali"
    " robin martin charity summer sandy terry randy josh gene dick rusty tiffany trinity melody brooke reed chad jordan austin sydney"
    " madison charlotte georgia paris"
    " israel sage sierra skip sonny stew wade vic wes pierre rose colombe aimé luz sol paz pilar consuelo mercedes dolores milagros"
    " león leon leone bruno vera chiara bianca"
    " stella viola gioia serena allegra libera lies storm engel ernst pace marino jan eva kitty pepper ginger harmony"
    " honey joyce wiley noel christian earl duke buck jolly ty an so"
    " paige tad tanner tucker spencer pierce colt cole drake heath lane penny sky star precious princess misty candy poppy eve destiny jewel".split()
)
"""Those that are first names."""
_MONTHS = frozenset(
    "summer winter spring autumn sommer herbst frühling frost storm may april june august march january february july"
    " september october november december".split()
)
_DATING = frozenset(
    "seit ab bis nach vor diesen letzten nächsten in on since until till by during of early late mid next last from to"
    " this every through for before after end".split()
)
_ARTICLES = frozenset(
    "the a an this that these those your our my his her its their no any each every some der die das den dem des ein eine einen einem"
    " einer im am zum zur vom beim kein"
    " keine keinen le la les un une des du ce cette el los las una il lo gli i o os as um uma het een de ten ter dit dat".split()
)
_BUTTONS = frozenset("click press select choose tap hit option button menu tab setting field".split())
_DEEDS = frozenset(
    "said says began wrote writes called calls told tells asked asks wants replied replies confirmed confirms needs sent sends paid"
    " opened opens tried tries reports reported mentioned"
    " agreed promised spoke went got found thinks knows knew gave and or here again signed called's confirmed still never also just"
    " already insists insisted claims claimed"
    " hat sagt sagte schrieb schreibt rief ruft a dit écrit dice dijo ha scrive schreef zegt disse napisał".split()
)
_BEING = frozenset(
    "is was has had will would can could does did isn't couldn't wouldn't shouldn't weren't aren't hadn't haven't"
    " wasn't hasn't won't can't didn't doesn't".split()
)
_BEGINNING = re.compile(r"(?:^|[.!?…:;]\s+|[\n\r]\s*|^\s*|[-*•>\"“(\[\]]\s*)$")
_LOOK_BACK = 12


def is_used_as_name(reading: Reading, at: int, part: str) -> bool:
    """Tell whether the word at a place of a reading, an ordinary one, names somebody here."""
    text = reading.text
    word = reading.word(at)
    if not text[word.start].isupper():
        return False
    written = text[word.start : word.end]
    line = _line_around(text, word.start, word.end)
    if line.strip(" .,!-–~*") == written:
        return True
    if len(written) > 1 and written.isupper() and line.isupper():
        return False
    before, following = _neighbors(reading, at, word)
    if before in TITLES or before in GREETINGS:
        return True
    if before in _ARTICLES or before in _BUTTONS:
        return False
    after = text[word.end : word.end + 3].lstrip(" ")
    if part in _MONTHS and (
        before in _DATING
        or after[:1].isdigit()
        or text[word.start - 2 : word.start - 1].isdigit()
        or following in _MONTHS
    ):
        return False
    if word.lower != part and word.lower.endswith(("'s", "’s")):
        return True
    if not _BEGINNING.search(text, max(0, word.start - _LOOK_BACK), word.start):
        return True
    if following in _DEEDS and after[:1].isalpha():
        return True
    is_given = part in _GIVEN
    if (is_given and not text[word.end :].strip(" .!\n")) or after.startswith("\n"):
        # Signed at the end of a paragraph: “…until Monday. Tom”
        return True
    return is_given and (
        after[:1] in (",", "!", ":")
        or following.endswith("ed")
        or text[word.start - 1 : word.start] == "@"
        or following in _BEING
    )


def _neighbors(reading: Reading, at: int, word: Word) -> tuple[str, str]:
    """Return the words right before and behind, '' where there is none near or a line ends between."""
    before = following = ""
    if at:
        other = reading.word(at - 1)
        if other.end > word.start - _NEAR and "\n" not in reading.text[other.end : word.start]:
            before = other.lower
    if at + 1 < len(reading.words):
        other = reading.word(at + 1)
        if other.start < word.end + _NEAR - 1:
            following = other.lower
    return before, following


_NEAR = 4


def _line_around(text: str, start: int, end: int) -> str:
    last = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : last if last >= 0 else len(text)]
