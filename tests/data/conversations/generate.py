"""Write `support_messages.csv`, an invented look-alike of a public export: one row a message, rows out of order, 500 threads, 639 messages.

It has the shape of a real file that is not always at hand (columns, ids, lengths, line ends, how many threads have how many messages), so
that tests of importing, joining and counting run on a bare checkout. The texts are put together from phrases made up here: nothing is
copied, nobody exists, and nothing about language can be learned from them.

Run `python tests/data/conversations/generate.py`; the same bytes come out every time.
"""

from __future__ import annotations

import csv
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

COLUMNS = ("conversation_id", "company", "author", "author_type", "created_at", "body")
THREADS_BY_LENGTH = {1: 432, 2: 18, 3: 40, 4: 2, 5: 6, 6: 1, 7: 1}
"""How many threads have how many messages: 500 threads and 639 messages in all."""

COMPANIES = (
    ("OrvaPrint", "printer", "the PrintMate app"),
    ("TallowBank", "card", "online banking"),
    ("Finchcast", "playlist", "the player"),
    ("KiteMobile", "SIM", "roaming"),
    ("NorrAir", "booking", "the check-in page"),
    ("Gladeworks", "licence", "the editor"),
    ("Pebblebox", "folder", "sync"),
    ("Umbergames", "account", "the launcher"),
)
OPENINGS = (
    "Hi {at}, ",
    "{at} ",
    "Hello? {at} anyone there? ",
    "Hey {at} - ",
    "So {at}, ",
    "{at} {at} ",
    "Good morning {at}! ",
    "",
)
PROBLEMS = (
    "my {thing} has not worked since {day}.",
    'I get "error {code}" whenever I open {place}.',
    "I was charged ${amount} twice for the same {thing}.",
    "{place} logs me out every {few} minutes",
    "the code for {place} never arrives, tried {few} times",
    "why does {place} say my {thing} expired on {day}??",
    "how do I move my {thing} to a new phone?",
    "order {order} still says processing after {few} days.",
    "{place} &amp; the website show different numbers for my {thing}",
    "your update {version} broke {place} completely 😡",
    "is {place} down? Nothing loads here 🤔",
    "someone else is using my {thing} and I can't get it back",
)
DETAILS = (
    " Already restarted, reinstalled &amp; cleared everything.",
    " Version {version}, if that helps.",
    "\n\nPlease help before {day}, I need it for work.",
    ' The chat said "please wait" and then closed itself.',
    " I have the receipt, {order}.",
    " 🙏",
    "\nThird time I ask.",
    " Still waiting for an answer…",
    "",
    "",
)
FOLLOW_UPS = (
    "Thanks, but that did not change anything.",
    "Sent you the details, order {order}.",
    "It says {code} now, before it was something else.",
    "Ok that worked 🎉 thank you!",
    "I did all of that on {day} already.\n\nWhat next?",
    "No. Same as before, version {version}.",
)
REPLIES = (
    "{who} Sorry about that! Which version of {place} do you have?",
    "{who} Thanks for the report. Could you send us order number &amp; e-mail in a private message?",
    "{who} We can see it and are working on it, reference {order}. No date yet.",
    "{who} Please sign out, wait {few} minutes and sign in again.\n\nDoes the message come back?",
    '{who} In {place}, choose "Repair" and tell us what it shows.',
    "{who} Your ${amount} are on their way back, allow 5 days.",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "the 3rd", "May 12", "last week")


@dataclass(frozen=True, slots=True)
class Row:
    """One message as it stands in the file; the fields are the columns, in order."""

    conversation_id: str
    company: str
    author: str
    author_type: str
    created_at: str
    body: str

    def cells(self) -> tuple[str, ...]:
        """Return the cells in the order of `COLUMNS`."""
        return (self.conversation_id, self.company, self.author, self.author_type, self.created_at, self.body)


def make_rows(seed: int = 20261124) -> list[Row]:
    """Make all rows, shuffled, the same for the same seed."""
    dice = random.Random(seed)
    lengths = [length for length, count in THREADS_BY_LENGTH.items() for _ in range(count)]
    dice.shuffle(lengths)
    rows = [row for length in lengths for row in _make_thread(dice, length)]
    dice.shuffle(rows)
    return rows


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows as UTF-8 with CRLF between records and LF inside bodies, as the public file has it."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        writer.writerows(row.cells() for row in rows)


def _make_thread(dice: random.Random, length: int) -> list[Row]:
    company, thing, place = dice.choice(COMPANIES)
    thread_id = "".join(dice.choices(string.ascii_letters + string.digits, k=20))
    customer = "user_" + "".join(dice.choices(string.ascii_lowercase, k=7))
    at = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(200 * 86_400))
    opens_with_agent = length == 1 and dice.random() < 0.02
    rows = []
    for index in range(length):
        is_agent = opens_with_agent or (index % 2 == 1 and dice.random() < 0.85)
        if is_agent:
            text = dice.choice(REPLIES)
        elif index == 0:
            text = dice.choice(OPENINGS) + dice.choice(PROBLEMS) + dice.choice(DETAILS)
        else:
            text = dice.choice(FOLLOW_UPS)
        rows.append(
            Row(
                conversation_id=thread_id,
                company=company,
                author=company if is_agent else customer,
                author_type="agent" if is_agent else "customer",
                created_at=at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                body=_fill(dice, text, at=f"@{company}", who=f"@{customer}", thing=thing, place=place),
            )
        )
        at += timedelta(minutes=dice.randrange(3, 900))
    return rows


def _fill(dice: random.Random, text: str, **words: str) -> str:
    return text.format(
        day=dice.choice(DAYS),
        code=f"E-{dice.randrange(100, 9_999)}",
        amount=f"{dice.randrange(3, 240)}.{dice.choice(('00', '49', '99'))}",
        few=str(dice.randrange(2, 12)),
        order=f"{dice.choice('ABKR')}{dice.randrange(10_000, 99_999)}",
        version=f"{dice.randrange(1, 9)}.{dice.randrange(20)}.{dice.randrange(9)}",
        **words,
    )


if __name__ == "__main__":
    write_csv(Path(__file__).with_name("support_messages.csv"), make_rows())
