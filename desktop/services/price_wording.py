"""Price wording: what the window and the command both say of a price."""

from __future__ import annotations

from desktop.domain.providers import ModelPrice

UNKNOWN = "unknown"


def describe_price(price: ModelPrice) -> str:
    """Say what a model costs: `$0.15 input, $0.075 cached, $0.60 output a million tokens`; unknown is never nothing."""
    if price.is_local:
        return "nothing, it runs on this machine"
    if not price.is_known:
        return UNKNOWN
    return f"{dollars(price.input)} input, {dollars(price.cached_input)} cached, {dollars(price.output)} output a million tokens"


def dollars(amount: float | None) -> str:
    """Return US dollars with two decimals, more where they say more; `unknown` for None."""
    if amount is None:
        return UNKNOWN
    text = f"{amount:.6f}".rstrip("0")
    return f"${text if len(text.partition('.')[2]) >= 2 else f'{amount:.2f}'}"
