"""Languages: told right for what customers write, not told where it would be a guess, and never of what others wrote."""

from __future__ import annotations

import csv
import tomllib
from contextlib import aclosing
from pathlib import Path

import pytest

from desktop.domain.tickets import Message, Role, TicketQuery
from desktop.services.languages import detect_language, own_words
from tests.conftest import LOOK_ALIKES
from tests.services.conftest import import_path, opened_desk

SUPPORT_TEXTS: dict[str, list[str]] = tomllib.loads(
    (LOOK_ALIKES / "languages" / "support.toml").read_text(encoding="utf-8")
)


def message(text: str, role: Role = Role.CUSTOMER, *, position: int = 1, internal: bool = False) -> Message:
    return Message(position, "x", role, "", text, internal)


def told(*texts: str, subject: str = "") -> str:
    return detect_language(own_words(subject, [message(text) for text in texts]))


def test_short_support_texts_in_24_languages_are_told() -> None:
    cases = [(language, text) for language, texts in SUPPORT_TEXTS.items() for text in texts]
    wrong = [(language, told(text), text) for language, text in cases if told(text) not in (language, "")]
    untold = [text for _, text in cases if not told(text)]
    assert len(SUPPORT_TEXTS) == 24
    # Danish and Norwegian are often the same words.
    assert {(language, guess) for language, guess, _ in wrong} <= {("da", "no")}
    assert len(untold) <= len(cases) * 0.02


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "Thanks!",
        "merci",
        "12345 67890 4711",
        "https://example.com/a/long/path?with=words&in=it",
        "\x00\ud800\ufffe",
        "好的",
    ],
)
def test_what_is_too_short_is_not_guessed(text: str) -> None:
    assert told(text) == ""


def test_characters_that_are_no_text_do_no_harm() -> None:
    assert told("Guten Tag,\x00 ich kann mich\ud800 seit heute\ufffe früh nicht anmelden.") == "de"


def test_repeated_history_code_and_links_say_nothing() -> None:
    history = "\n\nOn Mon, 2 Mar 2026 at 09:14, Sam wrote:\n> Thank you for your message. We will look into it as soon as possible.\n> Kind regards"
    code = "\n```\nfor item in items: print(item, file=error_output)\n```\n"
    assert told("Guten Tag, das hat leider nicht geholfen, der Fehler bleibt." + history) == "de"
    assert told("Bonjour, voici ce que je vois :" + code + "Que dois-je faire maintenant ?") == "fr"


def test_only_what_the_customer_wrote_counts() -> None:
    messages = [
        message("Kundin ruft an, bitte dringend bearbeiten und zurückrufen.", Role.AGENT, internal=True),
        message("Hello, thank you for contacting our support team today.", Role.AGENT, position=2),
        message("No puedo iniciar sesión desde esta mañana, ¿pueden ayudarme?", position=3),
    ]
    assert detect_language(own_words("Login", messages)) == "es"


def test_a_subject_stands_in_for_messages_that_say_too_little() -> None:
    assert told("Hallo", subject="Die Rechnungsadresse lässt sich nicht ändern") == "de"


async def test_tickets_get_a_language_behind_the_import_and_again_when_they_change(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "desk.csv"

    def write(texts: dict[str, str]) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(
                [["Id", "Subject", "Description"], *([i, "s", text] for i, text in texts.items())]
            )

    def among_them(language: str) -> TicketQuery:
        return TicketQuery(where=(("source", "desk"), ("language", language)))

    write({f"{language}-{n}": text for language in ("de", "ja") for n, text in enumerate(SUPPORT_TEXTS[language])})
    async with opened_desk(data_dir) as desk:
        await import_path(desk, path)
        assert (await desk.tickets.counts()).by_language == {}
        async with aclosing(desk.languages.fill()) as batches:
            seen = [number async for number in batches]
        counts = await desk.tickets.counts()
        assert seen[-1] == counts.total
        assert len(await desk.tickets.ids(among_them("de"))) == len(SUPPORT_TEXTS["de"]) <= counts.by_language["de"]
        assert len(await desk.tickets.ids(among_them("ja"))) == len(SUPPORT_TEXTS["ja"])
        async with aclosing(desk.languages.fill()) as batches:
            assert [number async for number in batches] == []
        write({"de-0": SUPPORT_TEXTS["fr"][0]})
        done = await import_path(desk, path)
        assert done.counts.tickets_updated == 1
        ticket_id = await desk.tickets.find("desk:de-0")
        await desk.languages.look_at([ticket_id])
        (row,) = await desk.tickets.rows([ticket_id])
        assert row.language == "fr"
        await desk.imports.undo(done.import_id)
        await desk.languages.look_at([ticket_id])
        (row,) = await desk.tickets.rows([ticket_id])
        assert row.language == "de"


async def test_a_ticket_that_one_import_changes_twice_is_looked_at_again(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "chat.csv"
    path.write_text("Ticket ID,Author,Body,Created\n7,Ada,ok,2026-03-01\n,Ada,lost,2026-03-02\n", encoding="utf-8")
    async with opened_desk(data_dir, with_sample=False) as desk:
        done = await import_path(desk, path)
        ticket_id = await desk.tickets.find("chat:7")
        await desk.languages.look_at([ticket_id])
        (row,) = await desk.history.rejects(done.import_id)
        text = "I cannot sign in since this morning, and the page for a new password stays empty."
        assert (await desk.history.retry(row.id, cells=["7", "Ada", text, "2026-03-02"])).reason == ""
        await desk.languages.look_at([ticket_id])
        (listed,) = await desk.tickets.rows([ticket_id])
        assert listed.language == "en"
