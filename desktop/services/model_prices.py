"""Model prices: what the model of a provider costs, as the user sees and changes it.

A price belongs to a host and a model, not to a provider: two providers at one host share it. What runs on this machine costs nothing; what nobody
knows the price of is unknown, which is never nothing. What the user enters lies in a file of the user's own, laid over the one of the program.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from desktop.domain.errors import DeskError
from desktop.domain.providers import ModelPrice
from desktop.services.outbound import Target

Amounts = tuple[float, float, float]
"""US dollars a million tokens: input, cached input, output."""


class Priced(Protocol):
    """A price as the table has it."""

    @property
    def input(self) -> float: ...
    @property
    def cached_input(self) -> float: ...
    @property
    def output(self) -> float: ...


class Prices(Protocol):
    """The table of prices; `container` gives it, so that this module need not know the `llm` layer."""

    @property
    def warning(self) -> str: ...
    def price(self, *, host: str, model: str) -> Priced | None: ...


class ModelPrices:
    """Prices of providers' models. `path` is the user's own file, `write(host, model, amounts)` changes it."""

    def __init__(
        self,
        prices: Prices,
        path: Path,
        *,
        write: Callable[[str, str, Amounts | None], None],
        target: Callable[[str, str], Target],
    ) -> None:
        self._prices = prices
        self.path = path
        self._write = write
        self._target = target

    @property
    def warning(self) -> str:
        """Say what is wrong with the user's file, with its line; '' when nothing is."""
        return self._prices.warning

    def of(self, provider: str, model: str = "") -> ModelPrice:
        """Return the price of a provider's model ('' for its own).

        Raises:
            DeskError: `provider-missing`.
        """
        target = self._target(provider, model)
        return self.at(target.host, target.model, is_local=target.is_local)

    def at(self, host: str, model: str, *, is_local: bool) -> ModelPrice:
        """Return the price of a model at a host."""
        if is_local:
            return ModelPrice(host, model, 0.0, 0.0, 0.0, is_local=True)
        found = self._prices.price(host=host, model=model) if model else None
        if found is None:
            return ModelPrice(host, model)
        return ModelPrice(host, model, found.input, found.cached_input, found.output)

    def save(self, price: ModelPrice) -> ModelPrice:
        """Keep a price as the user's own and return it as it holds from now on; without input and output the program's own holds again.

        Cached input costs what input costs where nothing is said of it.

        Raises:
            DeskError: `price-bad`, `price-local`, `prices-broken`.
        """
        if price.is_local:
            raise DeskError(
                "price-local",
                f"What runs on {price.host} costs nothing.",
                remedy="Enter prices for models on other machines.",
            )
        if not price.model:
            raise DeskError("price-bad", "A price needs a model.", remedy="Choose a model first.")
        amounts = (price.input, price.cached_input, price.output)
        if all(amount is None for amount in amounts):
            self._write(price.host, price.model, None)
        else:
            self._write(price.host, price.model, _checked(*amounts))
        return self.at(price.host, price.model, is_local=False)


def _checked(input_: float | None, cached: float | None, output: float | None) -> Amounts:
    if input_ is None or output is None:
        missing = "input" if input_ is None else "output"
        raise DeskError("price-bad", f"The price of {missing} is missing.", remedy="Enter both input and output.")
    amounts = (input_, input_ if cached is None else cached, output)
    if not all(math.isfinite(amount) and amount >= 0 for amount in amounts):
        raise DeskError(
            "price-bad", "A price is a number of 0 or more.", remedy="Enter US dollars a million tokens, such as 0.15."
        )
    return amounts
