"""Facts: the same value is the same fact however it is written, and another value is not."""

from __future__ import annotations

from datetime import date

import pytest

from desktop.services.facts import find_facts

WEDNESDAY = date(2026, 3, 4)


def _stands_in(claim: str, ticket: str) -> bool:
    facts = find_facts(claim).facts
    assert facts, f"no fact was found in {claim!r}"
    values = find_facts(ticket, on=WEDNESDAY).values
    return all(fact.readings & values for fact in facts)


@pytest.mark.parametrize(
    ("claim", "ticket"),
    [
        ("$1,249.00", "1249 USD"),
        ("1.249,00 €", "EUR 1,249"),
        ("€1.5k", "1500 euros"),
        ("$49", "we paid 49 for it"),
        ("order a1183", "Order A-1183"),
        ("4711", "ticket INC-4711"),
        ("2 pm", "at 14:00"),
        ("2:30", "14:30"),
        ("2026-03-05", "tomorrow"),
        ("2026-03-03", "yesterday morning"),
        ("2026-03-06", "by Friday"),
        ("March 6", "on 2026-03-06"),
        ("6 March 2026", "March 6th"),
        ("3/6/26", "2026-03-06"),
        ("Friday", "2026-03-06"),
        ("7 users", "seven users"),
        ("50%", "50 percent"),
        ("v4.18.2", "version 4.18.2"),
        ("+49 30 1234567", "(030) 1234567"),
        ("example.com/help", "https://www.example.com/help/"),
        ("Maria@Example.com", "maria@example.com."),
        ("30 s", "after 30s"),
        ("the 5th", "tomorrow"),
        ("2026-03-19", "it came on the 19th"),
        ("12 December", "12-14 December"),
        ("14 December", "12-14 December"),
        ("twelve months", "a 12-month promotion"),
        ("420 NOK", "NOK 420"),
    ],
)
def test_the_same_fact_in_other_words(claim: str, ticket: str) -> None:
    assert _stands_in(claim, ticket)


@pytest.mark.parametrize(
    ("claim", "ticket"),
    [
        ("$94", "$49"),
        ("€49", "$49"),
        ("A-1182", "A-1183"),
        ("4.18.3", "4.18.2"),
        ("2026-03-07", "tomorrow"),
        ("March 7", "March 6"),
        ("24 hours", "within a day"),
        ("50%", "50 users"),
        ("2 pm", "2 am"),
        ("https://example.com/a", "https://example.com/b"),
        ("5555-123456", "5555-123457"),
    ],
)
def test_another_value_is_another_fact(claim: str, ticket: str) -> None:
    assert not _stands_in(claim, ticket)


def test_facts_come_in_the_order_of_the_text_and_as_written() -> None:
    found = find_facts("Since 2 March, order A-1183 cost $49 (error 502).")
    assert [fact.text for fact in found.facts] == ["2 March", "A-1183", "$49", "502"]


@pytest.mark.parametrize(
    "text", ["two options", "one of them", "both failed", "the third-party app", "May we call?", "e.g. this"]
)
def test_what_people_say_in_passing_is_no_fact(text: str) -> None:
    assert find_facts(text).facts == ()


@pytest.mark.parametrize("on", [date.min, date.max, date(1582, 10, 15)])
def test_a_day_that_only_a_database_knows_is_not_counted_from(on: date) -> None:
    values = find_facts("By Friday, or tomorrow; on March 6 at the latest.", on=on).values
    assert {value.partition(":")[0] for value in values} == {"weekday", "day", "monthday", "month"}


@pytest.mark.parametrize("text", ["99/99/9999", "1" * 5000, "31 February 2026", "25:99", "$" * 50, "1,2,3,4.5.6,7"])
def test_what_only_looks_like_a_fact_takes_no_fact_beside_it_along(text: str) -> None:
    facts = find_facts(f"{text} and order A-1183", on=WEDNESDAY).facts
    assert facts[-1].text == "A-1183"
    assert all(fact.text in text for fact in facts[:-1])
