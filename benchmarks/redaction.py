"""How much personal data does redaction find, how often does it take something else, and how long does it take? Beside one plain pattern a kind.

Measured on marked texts: the 1,500 of presidio-research where the shared data is at hand, and our own lines (`tests/data/redaction`), of which the
tests hold a floor. Found means that at least 0.8 of a value's letters and digits are covered, by whatever kind; right means that what was taken
touches something marked. The people of a text are given, as a ticket's data gives them; how much is found of people without is printed too. False
hits are shares of lines with nothing to find in them. Time is that of a ticket of five messages and 2,500 characters: knowing its people and having
seen it (`redactor_for`), and taking out of its text. Left out: names of companies and towns, and whatever a text tells without naming anybody.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from measured import REPOSITORY
from peers import plain_patterns

from desktop.domain.outgoing import REDACTION_KINDS
from desktop.domain.tickets import Message, Role, Thread, TicketRow
from desktop.services.redaction import redactor_for
from tests.services.marked_lines import CLEAN, MARKED, Line, Place, Tally, add, find, load

PRESIDIO = REPOSITORY.parent / "shared" / "data" / "eval" / "presidio" / "synth_dataset_v2.json"
KINDS = {
    "PERSON": "person",
    "STREET_ADDRESS": "address",
    "CREDIT_CARD": "card",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
}
ALSO_RIGHT = frozenset(("ZIP_CODE", "GPE"))
AIMS = {"email": 0.98, "iban": 0.98, "card": 0.98, "ip": 0.98, "key": 0.98, "phone": 0.90, "person": 0.95}
AIM_FALSE, AIM_MS = 0.02, 2.0
ROUNDS = 300

Finder = Callable[[Line], list[Place]]
Marked = tuple[Line, tuple[Place, ...]]


@dataclass(frozen=True, slots=True)
class Share:
    """What was found of one kind in one set of texts, by ours and by the peer."""

    texts: str
    kind: str
    marked: int
    recall: float
    precision: float
    peer_recall: float
    peer_precision: float
    aim: float = 0.0


def presidio() -> list[Marked]:
    """Read the texts of presidio-research, people given; and what may be taken beside them: codes and towns, which are parts of addresses."""
    lines = []
    for document in json.loads(PRESIDIO.read_text(encoding="utf-8")):
        spans = document["spans"]
        places = _places(spans, KINDS)
        people = (span["entity_value"] for span in spans if span["entity_type"] == "PERSON")
        line = Line(document["full_text"], tuple(people), tuple(places))
        lines.append((line, tuple(_places(spans, dict.fromkeys(ALSO_RIGHT, "address")))))
    return lines


def _places(spans: Sequence[dict[str, Any]], kinds: dict[str, str]) -> Iterator[Place]:
    for span in spans:
        if span["entity_type"] in kinds:
            yield Place(span["start_position"], span["end_position"], kinds[span["entity_type"]])


def find_plainly(line: Line) -> list[Place]:
    """Return what the peer finds."""
    return [Place(*found) for found in plain_patterns.find(line.text, line.people)]


def tally(lines: Sequence[Marked], finder: Finder) -> Tally:
    """Count what is found of some lines."""
    counted = Tally()
    for line, also_right in lines:
        add(counted, line, finder(line), also_right=also_right)
    return counted


def shares(name: str, lines: Sequence[Marked]) -> list[Share]:
    """Return the figures of one set of texts, kind by kind."""
    ours, peer = tally(lines, find), tally(lines, find_plainly)
    rows = [
        Share(
            name,
            kind,
            ours.marked[kind],
            ours.recall(kind),
            ours.precision(kind),
            peer.recall(kind),
            peer.precision(kind),
            AIMS.get(kind, 0.0),
        )
        for kind in REDACTION_KINDS
        if ours.marked[kind]
    ]
    unknown = tally([(Line(line.text, (), line.places), right) for line, right in lines], find)
    return [*rows, Share(name, "person, not given", ours.marked["person"], unknown.recall("person"), 0.0, 0.0, 0.0)]


def false_hits(names: Sequence[str], finder: Finder) -> float:
    """Return the share of clean lines out of which something is taken."""
    lines = [line for name in names for line in load(name)]
    return sum(bool(finder(line)) for line in lines) / len(lines)


def ticket() -> Thread:
    """Return a ticket of five messages and 2,500 characters, with what such tickets have in them."""
    texts = (
        "Hi Tom,\n\nthe export of our monthly report fails with error 0x80070005 since we upgraded from version 4.18.2 to 4.19.0"
        " last Tuesday. I tried it in"
        " two browsers, with two accounts (maria.keller@northgate.example and ops@northgate.example), from our office at"
        " 203.0.113.7 as well as from home."
        ' The progress bar stops at 85% and then the page says "Something went wrong, please try again later". Order 20391-8842'
        " and invoice INV-2026-000481"
        " are affected. We need the figures for the board on Friday, so please treat it as urgent.\n\nBest regards,\nMaria"
        " Keller\nNorthgate Ltd\n+44 20 7946 0018",
        "Hello Maria,\n\nthank you for the details. Could you please clear the cache, log in again and send us the log file? You"
        " find it under Settings >"
        " Diagnostics. We also see that the payment of 1,249.00 EUR was booked twice on March 2, 2026, and we have asked our"
        " billing team to refund one of"
        " them to the account you gave us (GB82 WEST 1234 5698 7654 32). If it still fails after that, please call me at (415)"
        " 555-0134 between 9:00 and"
        " 17:30.\n\nKind regards,\nTom Becker\nCustomer Care",
        "Cleared it, no change. The log says: 2026-03-02 10:15:32,118 WARN queue depth=12000, worker-7 done in 1532ms, then"
        " nothing for a minute, then the"
        " same again. A colleague of mine with the same rights has it too, a third one without the add-on does not. I attach a"
        " picture of the page.\nMaria",
        "Thanks Maria, I have passed that on to our engineers, reference ENG-4412. They could reproduce it with the add-on and"
        " expect a fix in 4.19.1 this"
        " week. In the meantime the CSV export under Reports works, and I extended your trial until March 31. I will write as"
        " soon as it is out.\nTom",
        "Great, Tom. The CSV works. Please send the replacement dongle to 12 Harrow Lane, Leeds LS1 4DY and the invoice to"
        " ap@northgate.example. Can we"
        " keep the ticket open until the fix is out? Two of our teams depend on it, and I would like to be sure that it holds"
        " when the new quarter begins and"
        " everybody runs the report at once. Last time it took three attempts. Otherwise I am happy with how quickly this went,"
        " please pass that on as well.",
    )
    people = ("Maria Keller", "Tom Becker")
    messages = tuple(
        Message(number, people[(number - 1) % 2], (Role.CUSTOMER, Role.AGENT)[(number - 1) % 2], "", text)
        for number, text in enumerate(texts, start=1)
    )
    subject = "Export of the monthly report fails"
    row = TicketRow(1, "made", "1", subject, "open", "", "high", "", *people, "", "", len(messages), "")
    return Thread(row, {"Contact name": people[0]}, messages, "")


def times() -> dict[str, float]:
    """Return milliseconds of CPU a ticket: for its redactor, and for taking out of its text."""
    thread = ticket()
    text = "\n".join(f"[m{message.position}.1] {message.text}" for message in thread.messages)
    redactor = redactor_for(thread)
    return {
        "redactor_for": _median_ms(lambda: redactor_for(thread)),
        "redact": _median_ms(lambda: redactor.redact(text)),
    }


def _median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return statistics.median(taken) * 1000


def main() -> None:
    """Measure what is there and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    sets: dict[str, list[Marked]] = {"presidio-research": presidio()} if PRESIDIO.is_file() else {}
    sets |= {name: [(line, ()) for line in load(name)] for name in MARKED}
    rows = [row for name, lines in sets.items() for row in shares(name, lines)]
    false = {name: (false_hits([name], find), false_hits([name], find_plainly)) for name in CLEAN}
    milliseconds = times()
    if options.json:
        document = {"shares": [asdict(row) for row in rows], "false_hits": false, "milliseconds": milliseconds}
        print(json.dumps({"redaction": document}))
        return
    print(f"{'':38}{'marked':>7}{'recall':>8}{'right':>7}   {'plain patterns: recall':>22}{'right':>7}")
    for row in rows:
        aim = f"  aim {row.aim:.2f}" if row.aim else ""
        peer = f"{row.peer_recall:22.2f}{row.peer_precision:7.2f}" if row.precision else ""
        precision = f"{row.precision:7.2f}" if row.precision else ""
        print(f"{row.texts:20}{row.kind:18}{row.marked:7}{row.recall:8.3f}{precision}   {peer}{aim}")
    for name, (ours, peers) in false.items():
        print(f"{name:38}false hits {ours:.3f}, plain patterns {peers:.3f} (aim {AIM_FALSE:.2f})")
    for name, ms in milliseconds.items():
        print(f"{name:38}{ms:.2f} ms a ticket (aim {AIM_MS:.0f})")


if __name__ == "__main__":
    main()
