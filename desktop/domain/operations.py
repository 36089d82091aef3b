"""Operations: what the calls of models came to, in figures, and what of that the user wants to be warned of.

A *call* is one HTTP request to a model, as the ledger has it: what retries cost is counted. What each figure means is said in `docs/operations.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUPINGS = ("day", "provider", "model", "recipe")
"""What figures can be grouped by."""
HOUR = "hour"
"""What the window also groups by, where it shows a single day."""
LEDGER_STATES = ("complete", "incomplete", "failed", "cancelled", "outcome unknown")


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The middle and the slow end of times in seconds, by nearest rank: values that were measured. None where nothing was."""

    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What some calls came to. `key` is what they have in common: a day, an hour, a provider, a model or a recipe; '' for all, or not recorded.

    `errors` ended failed or incomplete; cancelled calls are none. `unpriced` calls cost something that is not known, and are not in
    `cost_microusd`. `written` are the summaries for which a model was asked, `cache_hits` those that were there already.
    """

    key: str = ""
    calls: int = 0
    errors: int = 0
    cancelled: int = 0
    unknown: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cost_microusd: int = 0
    unpriced: int = 0
    written: int = 0
    cache_hits: int = 0
    saved_microusd: int = 0
    first_token: Percentiles = Percentiles()
    total: Percentiles = Percentiles()

    @property
    def error_rate(self) -> float | None:
        """Return the share of calls that ended badly, None without calls."""
        return self.errors / self.calls if self.calls else None

    @property
    def cache_hit_rate(self) -> float | None:
        """Return the share of summaries that needed no call, None when none was asked for."""
        asked = self.cache_hits + self.written
        return self.cache_hits / asked if asked else None

    @property
    def is_cost_unknown(self) -> bool:
        """Tell whether no price of any of these calls is known, though some have one."""
        return self.unpriced > 0 and self.cost_microusd == 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was sent, spent or saved."""
        return not (self.calls or self.cache_hits or self.cost_microusd or self.unpriced)


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a period as a whole, and by what it was grouped by: days and hours in their order, others by their calls, most first."""

    since: str
    by: str
    total: Figures
    groups: tuple[Figures, ...]


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """Which entries of the ledger are meant. `since` and `until` (excluded) are ISO 8601 UTC, a day or a moment; '' for any.

    `text` stands in the host, provider, model, purpose, recipe, error, or the ticket's own id.
    """

    since: str = ""
    until: str = ""
    state: str = ""
    host: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """Above what the user wants to be warned; 0 for never. Dollars a day (UTC), a share 0..1 of the last calls, seconds to the first token."""

    spend_day: float = 0.0
    error_rate: float = 0.0
    first_token_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Recent:
    """What alerts are judged by: today's spend, and the last calls within an hour, `AlertLimits` says of which there must be enough."""

    spent_microusd: int = 0
    unpriced: int = 0
    calls: int = 0
    errors: int = 0
    timed: int = 0
    first_token_p95: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One limit that is passed: which, in a few words, and in a sentence."""

    kind: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class SpanStatus:
    """How the sending of spans stands. `address` is '' when it is off, else where they go, in full; `pending` ended calls are not sent yet.

    `failure` and `remedy` say why the last try did not succeed, '' when it did or none was made. `sent` were taken since the program began.
    """

    address: str = ""
    pending: int = 0
    sent: int = 0
    failure: str = ""
    remedy: str = ""
