"""Prices: what a call costs, from a table that came with the program.

A price is known for a host and a model; everything else costs *unknown*, never zero. A dollar a million tokens is a micro-dollar a token, so the
table's numbers are the factors. Providers change their prices: the table says when it was written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import DeskError
from desktop.domain.runs import Usage

# A model's dated snapshot costs what the model costs: gpt-4o-mini-2024-07-18, but not gpt-4o-mini-audio.
_SNAPSHOT = re.compile(r"-(?:20\d{2}-\d{2}-\d{2}|20\d{6})")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens."""

    input: float
    cached_input: float
    output: float


class PriceTable:
    """Prices by host and model."""

    def __init__(self, prices: dict[tuple[str, str], Price], batch_shares: Mapping[str, float] | None = None) -> None:
        """`batch_shares` are the hosts that take batches, and the share of the price that they ask for them."""
        self._prices = prices
        self._batch_shares = dict(batch_shares or {})

    def batch_share(self, host: str) -> float | None:
        """Return what share of the price a host asks for batches; None when it takes none."""
        return self._batch_shares.get(host)

    def batch_cost_microusd(self, *, host: str, model: str, usage: Usage) -> int | None:
        """Return what a call costs as a part of a batch; None when the host takes none, or the price or the usage is unknown."""
        share, cost = self.batch_share(host), self.cost_microusd(host=host, model=model, usage=usage)
        return None if share is None or cost is None else round(cost * share)

    def cost_microusd(self, *, host: str, model: str, usage: Usage) -> int | None:
        """Return what a call costs in micro-dollars, rounded; None when the price or the usage is unknown."""
        price = self._prices.get((host, _SNAPSHOT.sub("", model)))
        if price is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = min(usage.cached_input_tokens or 0, usage.input_tokens)
        fresh = usage.input_tokens - cached
        return round(fresh * price.input + cached * price.cached_input + usage.output_tokens * price.output)


def load_prices(path: Path) -> PriceTable:
    """Read the table.

    Raises:
        DeskError: `prices-broken`, when the file is missing or not what it should be.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return PriceTable(
            {
                (host, model): Price(float(p["input"]), float(p.get("cached_input", p["input"])), float(p["output"]))
                for host, models in values["hosts"].items()
                for model, p in models.items()
            },
            {host: float(share) for host, share in values.get("batch", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeskError(
            "prices-broken", f"The list of prices {path} cannot be read: {error}.", remedy="Install TLDesk again."
        ) from None
