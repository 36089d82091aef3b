"""Vocabulary: the words of help desks for status, priority and the kind of author, in the languages exports come in.

Normalizing adds a common word beside the original and never replaces it; a word nobody knows normalizes to '' and stays visible as it was.
A system's own table (its TOML) goes first. Deliberately not here: names of columns, see `mapping`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from desktop.domain.tickets import Role

NOTHING = frozenset({"", "null", "(null)", "none", "nil", "n/a", "na", "nan", "?", "-", "--", "[]", "{}", "undefined"})
"""How exports write that a cell holds nothing, folded to lower case."""

_STATUS_WORDS = {
    "open": "open|new|to do|todo|in progress|active|assigned|reopened|re opened|work in progress|in review|backlog"
    "|triage|accepted|started"
    "|waiting for support|selected for development|escalated|offen|neu|in bearbeitung|in arbeit|zu erledigen"
    "|wiedereröffnet|abierto|abierta|nuevo|nueva|en curso"
    "|en progreso|por hacer|tareas por hacer|reabierto|nouveau|nouvelle|ouvert|ouverte|en cours|à faire|réouvert"
    "|rouvert|opened|aberto|aperto",
    "pending": "pending|awaiting user info|awaiting caller|awaiting info|awaiting customer|waiting on customer"
    "|waiting for customer|waiting on user"
    "|waiting for user|awaiting reply|waiting for reply|waiting|needs info|need info|feedback|wartend|ausstehend"
    "|warten auf kunden|wartet auf kunden|pendiente"
    "|esperando al cliente|en espera del cliente|en attente|en attente du client|pendente",
    "on-hold": "hold|on hold|onhold|awaiting vendor|awaiting problem|awaiting change|awaiting evidence"
    "|waiting on third party|waiting for third party"
    "|waiting for approval|blocked|paused|snoozed|postponed|deferred|zurückgestellt|angehalten|blockiert|en espera"
    "|bloqueado|bloqueada|suspendu|bloqué",
    "solved": "solved|resolved|done|fixed|answered|complete|completed|finished|verified|gelöst|erledigt|fertig"
    "|behoben|abgeschlossen"
    "|resuelto|resuelta|hecho|hecha|listo|finalizado|finalizada|résolu|résolue|terminé|terminée|fini|resolvido"
    "|risolto",
    "closed": "closed|close|cancelled|canceled|rejected|declined|deleted|archived|spam|merged|duplicate|won't do"
    "|wontfix|closed complete|closed incomplete"
    "|closed skipped|geschlossen|abgebrochen|abgelehnt|cerrado|cerrada|cancelado|cancelada|fermé|fermée|clos|annulé"
    "|annulée|fechado|chiuso",
}
_PRIORITY_WORDS = {
    "low": "low|lowest|minor|trivial|planning|very low|p4|p5|sev4|niedrig|sehr niedrig|gering|baja|bajo|muy baja"
    "|trivial|basse|faible|très basse|mineure|menor"
    "|baixa|bassa",
    "normal": "normal|medium|moderate|standard|p3|sev3|mittel|media|medio|moyenne|normale|modérée|média",
    "high": "high|major|important|p2|sev2|hoch|schwer|schwerwiegend|alta|alto|haute|élevée|majeure|importante|mayor",
    "urgent": "urgent|critical|highest|blocker|emergency|immediate|showstopper|very high|p0|p1|sev1|dringend"
    "|kritisch|sehr hoch|höchste|sofort|urgente|crítica"
    "|crítico|muy alta|más alta|bloqueante|urgence|critique|très haute|la plus haute|bloquante|bloqueadora",
}
_AUTHOR_WORDS = {
    Role.CUSTOMER: "customer|client|user|end user|enduser|requester|contact|lead|visitor|consumer|reporter|caller"
    "|kunde|kundin|cliente|usuario|utilisateur|inbound"
    "|incoming|external|buyer|guest",
    Role.AGENT: "agent|admin|administrator|staff|operator|support|teammate|employee|representative|rep|company"
    "|owner|team|team member|technician|agente|mitarbeiter"
    "|outbound|outgoing|internal|seller",
    Role.SYSTEM: "system|bot|automation|auto|trigger|workflow|robot|api|assistant bot|chatbot",
}


def _index(words: Mapping[str, str]) -> dict[str, str]:
    return {word: meaning for meaning, listed in words.items() for word in listed.split("|")}


_STATUSES = _index(_STATUS_WORDS)
_PRIORITIES = _index(_PRIORITY_WORDS)
_AUTHORS = {word: role for role, listed in _AUTHOR_WORDS.items() for word in listed.split("|")}
_STATUS_STARTS = (
    ("awaiting", "pending"),
    ("waiting", "pending"),
    ("pending", "pending"),
    ("on hold", "on-hold"),
    ("closed", "closed"),
    ("resolved", "solved"),
    ("solved", "solved"),
    ("open", "open"),
)


def fold(word: str) -> str:
    """Lower case, with runs of spaces, dashes, dots, slashes and underscores as one space: what makes two names the same."""
    return re.sub(r"[\s_\-./:]+", " ", word.replace("\ufeff", "").replace("’", "'").casefold()).strip() or word.strip()


def is_nothing(value: str) -> bool:
    """Tell whether a cell holds nothing, however the export writes that."""
    return len(value) <= 9 and value.strip().casefold() in NOTHING


def normalize_status(original: str, own: Mapping[str, str]) -> str:
    """Return open, pending, on-hold, solved or closed; '' when the word is not known. `own` is the system's table, keys folded."""
    word = _core(original)
    known = own.get(fold(original)) or own.get(word) or _STATUSES.get(word)
    if not known and word.endswith(")"):
        # “Waiting on us (Support Pipeline)”, “Closed (Resolved)”
        bare = word[: word.rfind("(")].strip()
        known = own.get(bare) or _STATUSES.get(bare)
    if known or not word:
        return known or ""
    return next((meaning for start, meaning in _STATUS_STARTS if word.startswith(start + " ")), "")


def normalize_priority(original: str, own: Mapping[str, str]) -> str:
    """Return low, normal, high or urgent; '' when the word is not known. `own` is the system's table, keys folded."""
    word = _core(original)
    return own.get(fold(original)) or own.get(word) or _PRIORITIES.get(word) or ""


def author_role(original: str, own: Mapping[str, str]) -> Role:
    """Return who a kind of author is. `own` is the system's table, keys folded."""
    word = fold(original)
    if word in own:
        return Role(own[word])
    return _AUTHORS.get(word, Role.UNKNOWN)


def _core(original: str) -> str:
    """`3 - Moderate`, `(2) High` and `P1 - Critical` mean their word; `P1` stays."""
    word = fold(original)
    return re.sub(r"^\(?(?:p|s|sev)?\d{1,2}\)? +(?=\D)", "", word)
