"""Budget: what the queue may still spend, in money and in tokens, in its run and in a day.

A summary is begun only when the most that it can cost fits beside what is set aside for those being written, so that a cap holds whatever becomes of
them. What a request without a report of its usage has spent is not known: all that was set aside for it counts as spent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that may be spent; None: no cap. Money in micro-dollars."""

    cost_run: int | None = None
    cost_day: int | None = None
    tokens_run: int | None = None
    tokens_day: int | None = None

    @property
    def any(self) -> bool:
        """Tell whether there is any cap."""
        return any(cap is not None for cap in (self.cost_run, self.cost_day, self.tokens_run, self.tokens_day))

    @property
    def of_day(self) -> bool:
        """Tell whether a day is capped."""
        return self.cost_day is not None or self.tokens_day is not None

    @property
    def of_money(self) -> bool:
        """Tell whether money is capped, which takes a price."""
        return self.cost_run is not None or self.cost_day is not None


def read_caps(settings: Settings) -> Caps:
    """Return the caps that the user set."""

    def cap(name: str, unit: int) -> int | None:
        value = settings.get(name)
        return round(value * unit) if value > 0 else None

    return Caps(
        cap("max_cost_run", 1_000_000),
        cap("max_cost_day", 1_000_000),
        cap("max_tokens_run", 1),
        cap("max_tokens_day", 1),
    )


def with_caps_of_day(caps: Caps, settings: Settings) -> Caps:
    """Return caps of a run with those of a day that the user set: they hold for many tickets whoever asks for them."""
    of_user = read_caps(settings)
    return replace(caps, cost_day=of_user.cost_day, tokens_day=of_user.tokens_day)


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in micro-dollars, None when no price is known, and tokens."""

    cost: int | None = 0
    tokens: int = 0


NOTHING = Amount()


@dataclass(slots=True)
class Budget:
    """Keeps to the caps. `run` and `day` are what was spent, `reserved` what is set aside for what is under way.

    `unreported` is what counts as spent although nobody reported it.
    """

    caps: Caps
    run: Amount = Amount()
    day: Amount = Amount()
    reserved: Amount = Amount()
    unreported: Amount = Amount()

    def refusal(self, most: Amount, model: str) -> str:
        """Say why something that can cost so much may not begin now, '' when it may."""
        if self.caps.of_money and most.cost is None:
            return f"no price is known for {model}, so the limit cannot be kept"
        for cap, spent, set_aside, needs, name in self._checks(most):
            if cap is not None and spent + set_aside + needs > cap:
                return name
        return ""

    def waits_for_others(self, most: Amount) -> bool:
        """Tell whether it may begin once what is under way has ended and cost less than was set aside for it."""
        return all(cap is None or spent + needs <= cap for cap, spent, _, needs, _ in self._checks(most))

    def reserve(self, most: Amount) -> None:
        """Set something aside."""
        self.reserved = _plus(self.reserved, most)

    def settle(self, most: Amount, spent: Amount | None) -> None:
        """Count what was spent in place of what was set aside; None: nobody knows."""
        self.reserved = Amount((self.reserved.cost or 0) - (most.cost or 0), self.reserved.tokens - most.tokens)
        counted = most if spent is None else spent
        if spent is None:
            self.unreported = _plus(self.unreported, most)
        self.run, self.day = _plus(self.run, counted), _plus(self.day, counted)

    def look_at_day(self, reported: Amount) -> None:
        """Take what was reported of the day, by whomever it was spent; midnight may have passed."""
        self.day = _plus(reported, self.unreported)

    def _checks(self, most: Amount) -> tuple[tuple[int | None, int, int, int, str], ...]:
        caps, reserved = self.caps, self.reserved
        money = (reserved.cost or 0, most.cost or 0)
        tokens = (reserved.tokens, most.tokens)
        return (
            (caps.cost_run, self.run.cost or 0, *money, "the cost limit was reached before this ticket"),
            (caps.cost_day, self.day.cost or 0, *money, "the cost limit of a day was reached before this ticket"),
            (caps.tokens_run, self.run.tokens, *tokens, "the limit of tokens was reached before this ticket"),
            (caps.tokens_day, self.day.tokens, *tokens, "the limit of tokens a day was reached before this ticket"),
        )


def _plus(one: Amount, other: Amount) -> Amount:
    return Amount((one.cost or 0) + (other.cost or 0), one.tokens + other.tokens)
