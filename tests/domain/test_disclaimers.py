"""Disclaimers: legal text and warnings are folded in the languages mails come in; a customer's own words never are."""

from __future__ import annotations

import pytest

from desktop.domain.quoting import folded_spans

OWN = "The export fails with error 502 since Monday.\nPlease have a look."
LEGAL = {
    "en": "This e-mail and any attachments are confidential and intended solely for the use of the individual to whom they are\n"
    "addressed. If you have received this e-mail in error please notify the sender and delete it.",
    "en, two paragraphs": "CONFIDENTIALITY NOTICE: The contents of this email message may contain confidential and/or privileged information.\n\n"
    "If you are not the intended recipient, please delete this message.",
    "en, heading": "Disclaimer\n\nThe information contained in this communication is confidential and may be legally privileged.",
    "en, printing": "Please consider the environment before printing this email.",
    "de": "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat\n"
    "sind, informieren Sie bitte sofort den Absender und vernichten Sie diese Mail.",
    "fr": "Ce message et toutes les pièces jointes sont établis à l'attention exclusive de leurs destinataires et sont confidentiels.",
    "es": "AVISO LEGAL: Este mensaje y sus archivos adjuntos van dirigidos exclusivamente a su destinatario, pudiendo contener\n"
    "información confidencial sometida a secreto profesional.",
    "it": "Le informazioni contenute nella presente comunicazione sono riservate e destinate esclusivamente al destinatario.",
    "pt": "Esta mensagem pode conter informação confidencial ou privilegiada. Se recebeu esta mensagem por engano, apague-a.",
    "nl": "Dit bericht kan vertrouwelijke informatie bevatten en is uitsluitend bestemd voor de geadresseerde.",
    "sv": "Detta meddelande kan innehålla konfidentiell information och är avsedd endast för mottagaren.",
    "pl": "Niniejsza wiadomość zawiera informacje poufne i jest przeznaczona wyłącznie dla adresata.",
}


def kept(text: str) -> str:
    """Return what is left of a text when all that is folded is taken out."""
    parts, end = [], 0
    for start, stop in folded_spans(text):
        parts.append(text[end:start])
        end = stop
    return "".join([*parts, text[end:]]).strip()


@pytest.mark.parametrize("legal", LEGAL.values(), ids=LEGAL.keys())
def test_legal_text_at_the_end_is_folded(legal: str) -> None:
    assert kept(f"{OWN}\n\n{legal}") == OWN
    assert kept(f"{OWN}\n\nKind regards\nMaria Kowalski\n\n{legal}") == OWN
    assert kept(f"{OWN}\n\nKind regards\nMaria Kowalski\n\n_____\n{legal}\n\nSent from my iPhone") == OWN


def test_legal_text_right_below_the_name_is_folded() -> None:
    assert kept(f"{OWN}\n\nMaria Kowalski\nACME Inc.\n{LEGAL['en']}") == f"{OWN}\n\nMaria Kowalski\nACME Inc."


def test_legal_text_before_repeated_history_is_folded() -> None:
    history = "On Mon, 2 Mar 2026 at 09:14, Sam wrote:\n> We will look into it."
    assert kept(f"{OWN}\n\n{LEGAL['de']}\n\n{history}") == OWN


@pytest.mark.parametrize(
    "banner",
    [
        "[EXTERNAL]",
        "CAUTION: This email originated from outside of the organization. Do not click links unless you recognize the sender.",
        "EXTERNAL EMAIL - This message came from an external sender.",
        "ACHTUNG: Diese E-Mail stammt von außerhalb der Organisation.",
        "You don't often get email from ada@example.com. Learn why this is important",
    ],
)
def test_the_warning_of_a_mail_system_is_folded(banner: str) -> None:
    assert kept(f"{banner}\n\n{OWN}") == OWN


@pytest.mark.parametrize(
    "own",
    [
        "This email address is not mine, please remove it.",
        "This message appears every time I open the app.",
        "Please keep this confidential and delete it after reading.",
        "Diese Nachricht erscheint bei jedem Start.",
        "Ce message s'affiche à chaque démarrage.",
        "If you have received this ticket twice, close one.",
        "External monitors flicker since the update.",
        "Attention: the meter shows 3 kWh.",
        "Disclaimer",
    ],
)
def test_a_customers_own_words_stay(own: str) -> None:
    assert kept(f"Hello,\n\n{own}") == f"Hello,\n\n{own}"
    assert kept(f"{own}\n\nCan you help?") == f"{own}\n\nCan you help?"


def test_legal_text_in_the_middle_or_alone_stays() -> None:
    assert kept(LEGAL["en"]) == LEGAL["en"]
    discussed = f"Your mails end like this:\n\n{LEGAL['en']}\n\nCan you remove that?"
    assert kept(discussed) == discussed


def test_a_long_log_is_not_searched_line_by_line() -> None:
    log = "\n".join(f"line {number} of a log" for number in range(100_000))
    assert kept(log) == log
