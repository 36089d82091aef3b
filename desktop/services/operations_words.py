"""Operations in words: how a request ended, what was taken out of it, what to do about an error. The window and the command say the same.

The provider's own words about an error are shown as it gave them and are never trusted: they are data, like a ticket.
"""

from __future__ import annotations

from collections.abc import Mapping

from desktop.domain.operations import Figures
from desktop.domain.outgoing import OUTCOME_UNKNOWN, REDACTION_KINDS, LedgerEntry
from desktop.services.wording import count

_STATES = {
    "complete": "Complete",
    "incomplete": "Incomplete",
    "failed": "Failed",
    "cancelled": "Stopped",
    OUTCOME_UNKNOWN: "Outcome unknown",
}
_KINDS = dict(
    zip(
        REDACTION_KINDS,
        (
            "e-mail address",
            "phone number",
            "IBAN",
            "card number",
            "IP address",
            "key",
            "secret in a URL",
            "postal address",
            "name",
        ),
        strict=True,
    )
)
_PLURALS = {"e-mail address": "e-mail addresses", "IP address": "IP addresses", "secret in a URL": "secrets in URLs"}
_PLURALS["postal address"] = "postal addresses"
_PURPOSES = {
    "summarize": "Summary",
    "models": "List of models",
    "test": "Test of the provider",
    "opinion": "Second opinion",
    "embed": "Embedding",
    "embeddings": "Embedding",
    "batch": "File of a batch",
    "batch-item": "Summary in a batch",
    "batch-start": "Start of a batch",
    "batch-poll": "State of a batch",
    "batch-fetch": "Results of a batch",
    "batch-cancel": "Stop of a batch",
    "batch-clear": "Files of a batch deleted",
}
_REMEDIES = {
    "provider-name": "Check the provider's base URL and this machine's connection.",
    "provider-connection": "Check that the provider runs and is reachable, and the proxy if there is one.",
    "provider-certificate": "Set the CA file of your network in the provider's settings; TLS is never switched off.",
    "provider-key": "Enter a valid key in the provider's settings.",
    "provider-model": "Choose a model that the provider offers: fetch the list in the provider's settings.",
    "provider-quota": "Wait until the limit is over or raise it with the provider; fewer summaries at once help as well.",
    "provider-timeout": "Try again later, or choose a faster model.",
    "provider-request": "The provider refuses such requests: try another model, or see the raw answer.",
    "provider-broken": "Try again later; if it stays, see the raw answer and tell the provider.",
    "provider-rested": "It failed so often that it is left alone for a while; test it in the provider's settings.",
    "local-only": "Unlock the program in the provider's settings, or choose a provider on this machine.",
}
MOST_WORDS = 300


def describe_entry_state(state: str) -> str:
    """Say in a word or two how a request ended."""
    return _STATES.get(state, state.capitalize())


def describe_purpose(entry: LedgerEntry) -> str:
    """Say what a request was for."""
    return _PURPOSES.get(entry.purpose, entry.purpose.replace("-", " ").replace("_", " ").capitalize())


def describe_redactions(redactions: Mapping[str, int]) -> str:
    """Say what was taken out of a request: `2 e-mail addresses, 1 name`; `none` for nothing."""
    parts = []
    for kind, number in redactions.items():
        if number:
            noun = _KINDS.get(kind, kind)
            plural = _PLURALS.get(noun, f"{noun}s")
            parts.append(f"{number:,} {noun if number == 1 else plural}")
    return ", ".join(parts) or "none"


def describe_kind(kind: str) -> str:
    """Name what kind of value was taken out, as in `describe_redactions`."""
    return _KINDS.get(kind, kind)


def describe_money(microusd: int | None) -> str:
    """Say an amount: `$0.0042`, `$12.30`; `unknown` when no price is known, `$0` for nothing."""
    if microusd is None:
        return "unknown"
    usd = microusd / 1e6
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "under $0.0001"
    return f"${usd:.4f}" if usd < 0.1 else f"${usd:,.2f}"


def describe_spend(figures: Figures) -> str:
    """Say what calls cost, those without a known price beside it and never as nothing."""
    if figures.is_cost_unknown:
        return "unknown"
    return describe_money(figures.cost_microusd) + (f" + {figures.unpriced:,} unknown" if figures.unpriced else "")


def describe_seconds(seconds: float | None) -> str:
    """Say how long something took: `0.42 s`, `12 s`; `–` when it is not known."""
    if seconds is None:
        return "–"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.0f} s"


def describe_share(share: float | None) -> str:
    """Say a share in percent: `2.5%`, `–` when it is not known."""
    if share is None:
        return "–"
    percent = share * 100
    return f"{percent:.0f}%" if percent >= 10 or percent == int(percent) else f"{percent:.1f}%"


def describe_key(key: str) -> str:
    """Say what a group has in common, or that it was not recorded."""
    return key or "not recorded"


def describe_error(entry: LedgerEntry) -> str:
    """Say why a request ended badly, on one line and of a bearable length; '' when it did not."""
    if entry.state == OUTCOME_UNKNOWN:
        return "TLDesk was ended before its end was known, or it is still under way."
    if entry.state not in ("failed", "incomplete"):
        return ""
    words = " ".join(entry.message.split())
    words = words if len(words) <= MOST_WORDS else words[: MOST_WORDS - 1] + "…"
    status = f" (status {entry.status})" if entry.status >= 400 and str(entry.status) not in words else ""
    return (words or describe_entry_state(entry.state)) + status


def remedy_for(entry: LedgerEntry) -> str:
    """Say what to do about a request that ended badly; '' when there is nothing to do."""
    if entry.state == OUTCOME_UNKNOWN:
        return (
            "If it was for a summary, ask for it again; what the provider did with the first request is not known here."
        )
    if entry.state not in ("failed", "incomplete"):
        return ""
    if entry.state == "incomplete" and not entry.error:
        return "Ask for it again; where the limit of tokens was met, a shorter recipe or another model helps."
    remedy = _REMEDIES.get(entry.error, "Try again; if it stays, test the provider in its settings.")
    return "" if remedy in entry.message else remedy


def describe_totals(figures: Figures) -> str:
    """Say in one sentence what calls came to; the alternative to every plot."""
    if figures.is_empty:
        return "No calls."
    parts = [
        f"{count(figures.calls, 'call')}, {count(figures.errors, 'error')} ({describe_share(figures.error_rate)})",
        f"first token p50 {describe_seconds(figures.first_token.p50)}, p95 {describe_seconds(figures.first_token.p95)}",
        f"whole answer p50 {describe_seconds(figures.total.p50)}, p95 {describe_seconds(figures.total.p95)}",
        f"{figures.input_tokens:,} tokens in, {figures.output_tokens:,} out",
        f"spent {describe_spend(figures)}",
        f"{figures.cache_hits:,} {'summary' if figures.cache_hits == 1 else 'summaries'} from the cache,"
        f" {describe_money(figures.saved_microusd)} saved",
    ]
    return "; ".join(parts) + "."
