"""Deeds: who is said to do something, whether it is done or to come, and what is promised.

A claim names its actor at its beginning (“Tobias deleted …”, “The customer will …”) or after *by*; a message says *I* and *we*. It compares only
what is said that plainly: a claim without such an actor, or a ticket whose roles are unknown and whose authors are not named, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from desktop.domain.tickets import Message, Role, Thread
from desktop.services.words import stem, tokenize

_CUSTOMER = re.compile(
    r"^(?:the |our |this )?(?:customer|client|user|requester|caller|guest|passenger|patient|tenant|buyer"
    r"|subscriber)s?\b(?!['’])",
    re.I,
)
_AGENT = re.compile(
    r"^(?:the |our )?(?:agent|support|staff|representative|help ?desk|service desk|support team|shop"
    r"|seller)s?\b(?!['’])",
    re.I,
)
_BY = re.compile(r"\bby ((?:[A-Z][\w'’-]+ ?){1,3}|the (?:customer|client|user|agent)|support)\b")
_SELF = re.compile(r"\b(?:himself|herself|themselves|personally)\b", re.I)
_ACTED = re.compile(
    r"\b(?:I|we)(?:['’]ve| have|['’]ll| will|['’]m| am|['’]re| are)?(?: just| now| already| also"
    r"| then)?\s+(?!(?:not|n['’]t|am|are|can|could|would|see|think|know|hope)\b)(\w+)",
    re.I,
)
_TO_OTHER = re.compile(r"\b(?:you|please|could you|can you|your)\b", re.I)
_PROMISE = re.compile(
    r"\b(?:promis\w+|assur\w+|guarant\w+|commit(?:s|ted)?|pledg\w+|agreed to|undertook|offer(?:s|ed)?|vow\w+"
    r"|will|going to|would)\b",
    re.I,
)
_STRONG_PROMISE = re.compile(r"\b(?:promis\w+|assur\w+|guarant\w+|agreed to|pledg\w+|vow\w+)\b", re.I)
_TO_COME = re.compile(
    r"\b(?:will|['’]ll|going to|once|if|unless|until|would|could|can you|please|should|plan|expect\w*"
    r"|intend\w*|want|tomorrow|next|soon|tonight|wait\w*|pending|running|do not|don['’]t|before|not yet|asked"
    r"|requested|may|might)\b|['’]ll\b|\?",
    re.I,
)
_DONE = re.compile(
    r"\b(?:has|have|had|was|were|is|are|been|managed to|able to)(?: (?:already|now|since|also|been|fully"
    r"|both))* (?!been\b)(\w{3,}(?:ed|en|nt|id|ld|de)|\w+)\b",
    re.I,
)
_ANNOUNCING = frozenset(
    "will i'll we'll you'll it'll can could would should may might please to if once unless before until not"
    " don't cannot can't want".split()
)
_HAPPENED = re.compile(
    r"['’]ve\b|\b(?:have|has|had|was|were|been|did|got|done|arrived|works?|working|worked|sent|paid|found"
    r"|here|back|in|through|sorted|solved|went|came|took)\b|\b\w{3,}ed\b",
    re.I,
)
_STILL = re.compile(
    r"\b(?:still|not yet|yet to|remains?|unresolved|pending|under way|ongoing|waiting|continues?)\b", re.I
)


_LOOK_BACK = 5


@dataclass(frozen=True, slots=True)
class People:
    """The authors by the words of their names, and the side of each author."""

    author_of: Mapping[str, str]
    role_of: Mapping[str, Role]


def read_people(thread: Thread) -> People:
    """Return who wrote, under every word of their names that belongs to one author only."""
    role_of: dict[str, Role] = {}
    for message in thread.messages:
        if message.author:
            role_of.setdefault(message.author, message.role)
    author_of: dict[str, str] = {}
    shared: set[str] = set()
    for author in role_of:
        for word in re.findall(r"[^\W\d_]{2,}", author.casefold()):
            if author_of.setdefault(word, author) != author:
                shared.add(word)
    return People({word: author for word, author in author_of.items() if word not in shared}, role_of)


def find_actor(text: str, people: People) -> tuple[str, Role] | None:
    """Return who acts in a claim: an author ('' when only the side is said) and the side; None when the claim does not say."""
    by = _BY.search(text)
    start = by[1].strip() if by else text.strip()
    # A clause in front hides the actor: the part after its comma is looked at instead.
    if (
        not by
        and re.match(r"(?:After|Because|Since|Although|When|Once|As|If|While|In|At|On|For|To|According)\b", start)
        and "," in start
    ):
        start = start.partition(",")[2].strip()
    if _CUSTOMER.match(start):
        return "", Role.CUSTOMER
    if _AGENT.match(start):
        return "", Role.AGENT
    first = re.match(r"(?:(?:Mr|Ms|Mrs|Dr|Herr|Frau)\.? )?([^\W\d_][\w-]*)(?!['’]s\b)", start)
    if first is None or re.match(r"[\w-]+(?: [A-Z][\w-]+)*['’]s?\s", start):
        return None
    author = people.author_of.get(first[1].casefold().split("-")[0])
    return (author, people.role_of[author]) if author and first[1][0].isupper() else None


def is_other(actor: tuple[str, Role], message: Message) -> bool:
    """Tell whether somebody else than the actor wrote a message."""
    author, role = actor
    if author:
        return message.author != author
    return message.role is not role and Role.UNKNOWN not in (message.role, role)


def acts(text: str) -> bool:
    """Tell whether the writer of a sentence says what they did or will do themselves."""
    return _ACTED.search(text) is not None


def addresses(text: str) -> bool:
    """Tell whether a sentence speaks of what the other is to do, or has."""
    return _TO_OTHER.search(text) is not None


def promises(text: str) -> tuple[bool, bool]:
    """Tell whether a claim promises something, and whether it says so in so many words."""
    return _PROMISE.search(text) is not None, _STRONG_PROMISE.search(text) is not None


def find_done(text: str) -> str:
    """Return the stem of what a claim says was done (“has been issued”, “has confirmed”, “managed to pay”); '' when it does not say so."""
    found = _DONE.search(text)
    return stem(found[1].lower()) if found and not _TO_COME.search(text) else ""


def is_announced(text: str, verbs: Collection[str]) -> bool:
    """Tell whether a sentence has one of the verbs only as something asked, possible or to come."""
    tokens = [token.lower() for token in tokenize(text)]
    places = [place for place, token in enumerate(tokens) if stem(token) in verbs]
    return bool(places) and all(
        text.rstrip().endswith("?") or not _ANNOUNCING.isdisjoint(tokens[max(0, place - _LOOK_BACK) : place])
        for place in places
    )


def someone_else_acts(text: str, verbs: Sequence[str]) -> bool:
    """Tell whether a sentence of another writer has one of a claim's verbs without asking the other (*you*, *please*) to do it."""
    tokens = [token.lower() for token in tokenize(text)]
    for place, token in enumerate(tokens):
        if stem(token) in verbs and not {"you", "please", "your", "you'll", "you've", "you're"} & set(
            tokens[max(0, place - _LOOK_BACK) : place]
        ):
            return True
    return False


def lasts(text: str) -> bool:
    """Tell whether a claim says that something still goes on."""
    return _STILL.search(text) is not None


def has_happened(texts: Iterable[str]) -> bool:
    """Tell whether any of the sentences speaks of something that happened."""
    return any(_HAPPENED.search(text) for text in texts)


def speaks_for_itself(text: str) -> bool:
    """Tell whether a claim stresses that its actor did it alone."""
    return _SELF.search(text) is not None
