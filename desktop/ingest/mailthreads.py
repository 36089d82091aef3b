"""Mail threads: which mails belong together, who asked, and who answered for the mailbox.

Mails that refer to each other are one thread, also through mails that are not in the file; the ticket is named after the thread's root. A mail that
refers to nothing joins by its subject only when it says that it is a reply, within a month, between the same people. Who answers is told by
the addresses that mail is delivered to and that requests are sent to. Deliberately not here: what mails say.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from desktop.domain.tickets import Role

JOINED_WITHIN = timedelta(days=30)
_LATEST_LOOKED_AT = 50
_REPLY = "re|aw|antw|antwort|sv|vs|rif|res|resp|odp|ynt|atb|ref|回复|答复|回覆|返信|회신|отв|ответ"
_FORWARD = "fw|fwd|wg|tr|rv|enc|pd|vb|vl|doorst|转发|轉寄|転送|전달|пересл"
_PREFIX = re.compile(
    rf"\s*(?:(?P<reply>{_REPLY})|(?P<forward>{_FORWARD}))\s*(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}}|\*\d{{1,3}})?\s*[:：]\s*",
    re.IGNORECASE,
)
_TAG = re.compile(r"\s*\[[^\]\n]{1,60}\]\s*")
_FREE_MAIL = re.compile(
    r"(?:gmail|googlemail|yahoo|ymail|hotmail|outlook|live|msn|aol|icloud|me|mac|gmx|web|t-online|freenet|mail|yandex|qq|163|126|proton|protonmail|"
    r"orange|wanadoo|free|laposte|libero|naver|hanmail|comcast|verizon|att)\.[a-z.]{2,6}"
)
_SUPPORT_NAME = re.compile(
    r"(?:it-?|customer[._-]?|tech(?:nical)?[._-]?)?(?:support|help|help-?desk|service-?desk|customer[._-]?(?:service|care))|kunden(?:service|dienst|betreuung)|"
    r"hilfe|soporte|ayuda|assistance|sav|suporte|assistenza|tickets?|servicecenter"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """What of a mail decides on its place. Addresses in lower case, `time` ISO 8601 UTC or ''; `refers_to` the oldest first.

    `groups` are marks that mails of one thread share, as some servers give them; `owners` whom it was delivered to.
    """

    id: str
    refers_to: tuple[str, ...]
    subject: str
    name: str
    address: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    time: str
    groups: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    is_automatic: bool = False

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.to + self.cc


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail belongs: its thread's id and subject, who asked, and what its author is to the thread."""

    thread: str
    subject: str
    requester: str
    requester_address: str
    role: Role


def bare_subject(subject: str) -> str:
    """Return a subject without `Re:`, `AW:`, `Fwd:` and the like at its beginning."""
    end = 0
    while match := _PREFIX.match(subject, end):
        end = match.end()
    return subject[end:].strip()


def is_reply(subject: str) -> bool:
    """Tell whether a subject says that the mail answers another."""
    match = _PREFIX.match(_TAG.sub("", subject, count=1) if subject.lstrip().startswith("[") else subject)
    return match is not None and match["reply"] is not None


def arrange(mails: Sequence[Mail]) -> list[Place]:
    """Give each mail its place."""
    forest = _Forest(mails)
    threads: dict[int, list[int]] = defaultdict(list)
    for number in forest.by_time:
        threads[forest.component(number)].append(number)
    desk = _Desk(mails, threads.values())
    places: dict[int, Place] = {}
    for members in threads.values():
        root = forest.root(members)
        opening = next((number for number in members if forest.node(number) == root), -1)
        first = mails[opening if opening >= 0 else members[0]]
        asked = desk.who_asked(members, first, is_alone=len(mails) == 1 and opening < 0)
        for number in members:
            places[number] = Place(
                forest.name(root),
                bare_subject(first.subject) or bare_subject(mails[members[0]].subject),
                (asked.name or asked.address) if asked else "",
                asked.address if asked else "",
                desk.role(mails[number], asked, first),
            )
    return [places[number] for number in range(len(mails))]


class _Forest:
    """Mails and the mails they refer to, joined; nodes are numbers, those of mails that are not in the file too."""

    def __init__(self, mails: Sequence[Mail]) -> None:
        self._mails = mails
        self._names: list[str] = []
        self._node_of: dict[str, int] = {}
        self._leader: list[int] = []
        self._parent: list[int] = []
        self._nodes = [self._make(mail.id) for mail in mails]
        self.by_time = sorted(range(len(mails)), key=lambda number: (mails[number].time or "9999", number))
        for number, mail in enumerate(mails):
            self._link([*(self._make(each) for each in mail.refers_to), self._nodes[number]])
        self._join_groups()
        self._join_subjects()

    def node(self, number: int) -> int:
        return self._nodes[number]

    def name(self, node: int) -> str:
        return self._names[node]

    def component(self, number: int) -> int:
        return self._find(self._nodes[number])

    def root(self, members: Sequence[int]) -> int:
        """Return the node that the thread began with: of several beginnings that of the earliest mail. `members` are in order of time."""
        return self._top(self._nodes[members[0]])

    def _make(self, name: str) -> int:
        if name not in self._node_of:
            self._node_of[name] = len(self._names)
            self._names.append(name)
            self._leader.append(len(self._leader))
            self._parent.append(-1)
        return self._node_of[name]

    def _find(self, node: int) -> int:
        while self._leader[node] != node:
            self._leader[node] = self._leader[self._leader[node]]
            node = self._leader[node]
        return node

    def _top(self, node: int) -> int:
        while self._parent[node] >= 0:
            node = self._parent[node]
        return node

    def _link(self, chain: Sequence[int]) -> None:
        for above, below in pairwise(chain):
            # Only within a thread can a circle arise; elsewhere the long way up needs not be gone.
            is_apart = self._find(above) != self._find(below)
            if self._parent[below] < 0 and (is_apart or self._top(above) != below):
                self._parent[below] = above
            self._leader[self._find(below)] = self._find(above)

    def _join_groups(self) -> None:
        first: dict[str, int] = {}
        for number in self.by_time:
            for group in self._mails[number].groups:
                self._adopt(self._nodes[first.setdefault(group, number)], self._nodes[number])

    def _adopt(self, above: int, below: int) -> None:
        top = self._top(below)
        if self._find(above) != self._find(below):
            self._parent[top] = above
            self._leader[self._find(below)] = self._find(above)

    def _join_subjects(self) -> None:
        earlier: dict[str, list[int]] = defaultdict(list)
        for number in self.by_time:
            mail = self._mails[number]
            subject = _comparable(mail.subject)
            if len(subject) < 4 or not mail.time:
                continue
            if not mail.refers_to and is_reply(mail.subject):
                found = next(
                    (o for o in reversed(earlier[subject][-_LATEST_LOOKED_AT:]) if _same_talk(self._mails[o], mail)), -1
                )
                if found >= 0:
                    self._adopt(self._nodes[found], self._nodes[number])
            earlier[subject].append(number)


def _comparable(subject: str) -> str:
    before = None
    while subject != before:
        before = subject
        subject = bare_subject(_TAG.sub("", subject, count=1) if subject.lstrip().startswith("[") else subject)
    return " ".join(subject.casefold().split())


def _same_talk(earlier: Mail, reply: Mail) -> bool:
    """Tell whether a reply answers a mail: not long after it, its author took part and its reader wrote, or both wrote to the same."""
    if _moment(reply.time) - _moment(earlier.time) > JOINED_WITHIN:
        return False
    if reply.address == earlier.address:
        return bool(set(reply.recipients) & set(earlier.recipients))
    return reply.address in earlier.recipients and earlier.address in reply.recipients


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time.removesuffix("Z"))


class _Desk:
    """Who answers for the mailbox: told by where mail is delivered, where requests are sent, and who replies."""

    def __init__(self, mails: Sequence[Mail], threads: Iterable[Sequence[int]]) -> None:
        self._mails = mails
        delivered = Counter(owner for mail in mails for owner in set(mail.owners))
        with_owner = sum(bool(mail.owners) for mail in mails)
        self._addresses = {owner for owner, count in delivered.items() if count * 2 >= with_owner}
        asked: dict[str, set[str]] = defaultdict(set)
        answering: set[str] = set()
        domains: Counter[str] = Counter()
        answered = 0
        for members in threads:
            first = mails[members[0]]
            repliers = {mails[number].address for number in members} - {first.address, ""}
            for recipient in first.recipients:
                asked[recipient].add(first.address)
            answering |= repliers
            own = {_domain(address) for address in repliers} - {_domain(first.address), ""}
            domains.update(own)
            answered += bool(own)
        self._addresses |= {address for address in answering if len(asked[address]) >= 2}
        self._domains = {
            domain for domain, count in domains.items() if count >= 2 and count >= answered * 0.6 and _is_own(domain)
        }
        self._domains_of_addresses = frozenset(map(_domain, self._addresses))

    def who_asked(self, members: Sequence[int], first: Mail, *, is_alone: bool) -> Mail | None:
        """Return the mail of the one who asked; a mail that is alone and answers one that is not there may leave it open."""
        if is_alone:
            return first if any(map(self._is_ours, first.recipients)) and not self._is_ours(first.address) else None
        if not self._is_ours(first.address):
            return first if first.name or first.address else None
        # The desk wrote first: what it wrote to is the one it is about.
        written = (self._mails[number] for number in members)
        other = next((m for m in written if m.address and not m.is_automatic and not self._is_ours(m.address)), None)
        if other is None and first.to:
            return replace(first, name="", address=first.to[0])
        return other

    def role(self, mail: Mail, asked: Mail | None, first: Mail) -> Role:
        """Return what the author of a mail is to its thread."""
        if mail.is_automatic:
            return Role.SYSTEM
        if asked and (mail.address, mail.address or mail.name) == (asked.address, asked.address or asked.name):
            return Role.CUSTOMER
        own = _domain(mail.address)
        if own and asked and own != _domain(asked.address) and _is_own(own):
            was_asked = not self._is_ours(first.address) and own in map(_domain, first.to)
            if own in self._domains or was_asked:
                return Role.AGENT
        answers_for_itself = mail.address in first.to and not self._is_ours(first.address)
        return Role.AGENT if answers_for_itself or self._is_ours(mail.address) else Role.UNKNOWN

    def _is_ours(self, address: str) -> bool:
        if not address or address in self._addresses:
            return bool(address)
        if _SUPPORT_NAME.fullmatch(address.rpartition("@")[0]) is None:
            return False
        return not self._addresses or _domain(address) in self._domains_of_addresses


def _domain(address: str) -> str:
    return address.rpartition("@")[2] if "@" in address else ""


def _is_own(domain: str) -> bool:
    return bool(domain) and _FREE_MAIL.fullmatch(domain) is None
