"""Disclaimers: the legal text below a mail, and the warning of a mail system above it, in the languages that mails come in.

A paragraph is one when it begins as such texts do and says what only they say. Both must hold, so that "this e-mail address is not mine" and "please
keep this confidential" stay what they are: a customer's words. Deliberately not here: where in a message they may stand, see `quoting`.
"""

from __future__ import annotations

import re
from functools import cache

LONGEST_BANNER = 500
"""Characters. A warning above a mail is short; a longer paragraph that begins like one has the mail's own words in it."""

_LEAD = r"[\s*_\-–—=>|#•!\[(«\"“]*"
_HEADINGS = (
    r"(?:confidentiality|legal|privacy) (?:notice|disclaimer|statement)|disclaimer|haftungsausschluss|vertraulichkeits?hinweis"
    r"|(?:avis|clause) de confidentialité|aviso (?:legal|de confidencialidad(?:e)?)|avviso di riservatezza"
)
_BEGINNINGS = (
    # English
    r"(?:this|the (?:information|contents?) (?:contained )?(?:in|of) this|the contents? of this) (?:e-?mail|message|communication|transmission)",
    r"if you (?:are not the (?:intended|named) (?:recipient|addressee)|(?:have )?received? this (?:e-?mail|message|communication))",
    r"(?:please )?(?:consider|think (?:of|about)) the environment before",
    # German
    r"diese (?:e-?mail|nachricht|mitteilung)|die (?:in dieser (?:e-?mail|nachricht)|information)",
    r"(?:wenn|falls|sollten) sie (?:nicht der|diese (?:e-?mail|nachricht) (?:irrtümlich|versehentlich))",
    r"(?:bitte )?(?:denken sie an die umwelt|prüfen sie[^.]{0,60}ausdruck|schonen sie die umwelt)",
    # French
    r"ce (?:message|courriel|courrier électronique|mail|e-?mail)|(?:les informations contenues dans|le contenu de) ce (?:message|courriel|mail)",
    r"si vous (?:n['’]êtes pas (?:le|un) destinataire|avez reçu ce (?:message|courriel|mail))",
    r"(?:pensez à l['’]environnement|avant d['’]imprimer)",
    # Spanish
    r"(?:este|el presente) (?:mensaje|correo(?: electrónico)?|e-?mail)|la información contenida en este (?:mensaje|correo)",
    r"si (?:usted )?(?:no es el destinatario|ha recibido este (?:mensaje|correo))|antes de imprimir",
    # Italian
    r"(?:questo|il presente) messaggio|(?:questa|la presente) (?:e-?mail|comunicazione)|le informazioni contenute (?:in|nel|nella|nei|nelle)",
    r"(?:se|qualora) (?:avete|ha|abbiate|abbia|non siete|non è) (?:ricevuto|il destinatario|i destinatari)|prima di stampare",
    # Portuguese
    r"esta mensagem|este e-?mail|as informações contidas (?:nesta|neste)",
    r"se (?:você |o senhor )?(?:não (?:é|for) o destinatário|recebeu esta mensagem)|antes de imprimir",
    # Dutch
    r"(?:dit|de inhoud van dit) (?:bericht|e-?mailbericht)|deze e-?mail|de informatie in (?:dit|deze)",
    r"(?:indien|als|wanneer) u (?:niet de (?:geadresseerde|beoogde)|dit bericht)",
    # Swedish, Danish, Norwegian, Polish, Czech
    r"(?:detta|dette|denne|den här) (?:meddelande|meddelelse|melding|e-?post|e-?mail|mail)",
    r"(?:niniejsza |ta )?(?:wiadomość|korespondencja)|tato (?:zpráva|e-?mailová zpráva)",
    # A heading of its own before the text
    _HEADINGS,
)
_BEGINNING = f"{_LEAD}(?:{'|'.join(_BEGINNINGS)})\\b"
_SAYS = r"""(?x)
    confidential(?:\s+and|\s+information|\s+or|,|\.|\s+to) | (?:is|are|be)\s+(?:strictly\s+)?confidential | legally\s+privileged | privileged
    | intended\s+(?:only|solely|exclusively)? \s*(?:for|recipient) | intended\s+recipient | (?:sole|exclusive)\s+use\s+of
    | received?\s+(?:this|it)\b.{0,60}\bin\s+error
    | before\s+printing
    | vertraulich | rechtlich\s+geschützt | ausschließlich\s+für | (?:richtige|beabsichtigte|vorgesehene)[rn]?\s+(?:adressat|empfänger)
    | irrtümlich\s+erhalten | versehentlich\s+erhalten | umwelt | ausdruck
    | confidentiel | exclusivement | à\s+l['’]attention\s+exclusive | strictement\s+réservé | par\s+erreur | destinataire | d['’]imprimer
    | confidencial | exclusivamente | uso\s+exclusivo | privilegiad | por\s+error | destinatario | de\s+imprimir
    | riservat | confidenzial | esclusiv | per\s+errore | di\s+stampare
    | destinatário | por\s+engano
    | vertrouwelijk | uitsluitend\s+bestemd | geadresseerde | ten\s+onrechte | per\s+abuis
    | konfidentiell | konfidensiell | fortrolig | avsedd\s+(?:endast|enbart) | poufn | wyłącznie\s+dla | důvěrn
    """
_HEADING = rf"{_LEAD}(?:{_HEADINGS})\W*|[\s*_\-–—=]{{3,}}"
_BANNER = (
    rf"{_LEAD}(?:(?:\W*(?:external|extern|externe|externo|caution|warning|attention|achtung|vorsicht|e-?mail|sender|notice)\b[\W_]*){{0,5}}"
    r"(?:this (?:e-?mail|message) (?:has )?(?:originated|was sent|came|comes|is) from (?:outside|an? (?:external|sender outside))"
    r"|diese (?:e-?mail|nachricht) (?:stammt|kommt|wurde) von (?:außerhalb|einem externen|extern)"
    r"|ce (?:courriel|message|mail) (?:provient|vient) (?:de l['’]extérieur|d['’]un expéditeur externe)"
    r"|este (?:correo|mensaje)[^.]{0,20} proviene (?:de fuera|del exterior)"
    r"|you don['’]t often get email from)"
    r"|\[?(?:external|extern)(?: (?:e-?mail|sender|mail))?\]?:?\s*$)"
)


def is_disclaimer(paragraph: str) -> bool:
    """Tell whether a paragraph, its lines joined by spaces, is legal text."""
    return _compiled(_BEGINNING).match(paragraph) is not None and _compiled(_SAYS).search(paragraph) is not None


def is_heading(paragraph: str) -> bool:
    """Tell whether a paragraph is nothing but the heading of legal text, or a line drawn above it."""
    return _compiled(_HEADING).fullmatch(paragraph) is not None


def is_banner(paragraph: str) -> bool:
    """Tell whether a paragraph is the warning of a mail system that a mail came from outside."""
    return len(paragraph) <= LONGEST_BANNER and _compiled(_BANNER).match(paragraph) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when a text first asks for it: 4 ms for all of them, which a start that reads no mail need not wait for."""
    return re.compile(pattern, re.IGNORECASE)
