"""Prices: what a call costs, from a table that came with the program and one of the user's own laid over it.

A price is known for a host and a model; everything else costs *unknown*, never zero; a model on this machine costs nothing. A dollar a million
tokens is a micro-dollar a token, so the table's numbers are the factors. Providers change their prices: the shipped table says when it was written,
and the user's own, a file of the same form in the data folder, is read again whenever it has changed. A mistake in it is told with its line, and
the shipped prices hold until it is mended.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from desktop.domain.errors import DeskError
from desktop.domain.runs import Usage
from desktop.llm.presets import is_loopback

# A model's dated snapshot costs what the model costs: gpt-4o-mini-2024-07-18, but not gpt-4o-mini-audio.
_SNAPSHOT = re.compile(r"-(?:20\d{2}-\d{2}-\d{2}|20\d{6})")
_SHARE = "batch_share"
_HEADER = "# Prices of your own: US dollars a million tokens. They count in place of those that came with TLDesk.\n\n"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens."""

    input: float
    cached_input: float
    output: float


FREE = Price(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Table:
    prices: Mapping[tuple[str, str], Price] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)


class _MistakeError(Exception):
    """What is wrong in a table, in words."""


class PriceTable:
    """Prices by host and model. `own` is the user's file, which need not exist."""

    def __init__(self, shipped: Path, own: Path | None = None) -> None:
        """Read both.

        Raises:
            DeskError: `prices-broken`, when the shipped table cannot be read.
        """
        try:
            self._shipped = _parse(_read(shipped))
        except (_MistakeError, OSError) as error:
            raise DeskError(
                "prices-broken",
                f"The list of prices {shipped} cannot be read: {error}.",
                remedy="Install TLDesk again.",
            ) from None
        self._own_path = own
        self._own = _Table()
        self._seen: tuple[int, ...] | None = None
        self._warning = ""
        self._refresh()

    @property
    def warning(self) -> str:
        """Say what is wrong with the user's own table, with its file and line; '' when nothing is."""
        self._refresh()
        return self._warning

    def price(self, *, host: str, model: str) -> Price | None:
        """Return what a model costs at a host: nothing on this machine, unless the user says otherwise; None when it is not known."""
        self._refresh()
        for name in (model, _SNAPSHOT.sub("", model)):
            for table in (self._own, self._shipped):
                if (price := table.prices.get((host, name))) is not None:
                    return price
        return FREE if _is_local(host) else None

    def batch_share(self, host: str) -> float | None:
        """Return what share of the usual price a batch costs at a host; None when it takes none."""
        self._refresh()
        return self._own.shares.get(host, self._shipped.shares.get(host))

    def cost_microusd(self, *, host: str, model: str, usage: Usage) -> int | None:
        """Return what a call costs in micro-dollars, rounded; None when the price or the usage is unknown."""
        return self._cost(host, model, usage, 1.0)

    def batch_cost_microusd(self, *, host: str, model: str, usage: Usage) -> int | None:
        """Return what a call costs as a part of a batch; None when the host takes none, or the price or the usage is unknown."""
        share = self.batch_share(host)
        return None if share is None else self._cost(host, model, usage, share)

    def _cost(self, host: str, model: str, usage: Usage, share: float) -> int | None:
        price = self.price(host=host, model=model)
        if price is FREE:
            return 0
        if price is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        cached = min(usage.cached_input_tokens or 0, usage.input_tokens)
        fresh = usage.input_tokens - cached
        return round(share * (fresh * price.input + cached * price.cached_input + usage.output_tokens * price.output))

    def _refresh(self) -> None:
        """Read the user's file again if it has changed."""
        if self._own_path is None:
            return
        seen: tuple[int, ...] = ()
        with contextlib.suppress(OSError):
            status = self._own_path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen == self._seen:
            return
        self._seen, self._own, self._warning = seen, _Table(), ""
        if not seen:
            return
        try:
            self._own = _parse(_read(self._own_path))
        except (_MistakeError, OSError) as error:
            self._warning = f"Your prices in {self._own_path} are not used: {_why(error)}."


def load_prices(shipped: Path, own: Path | None = None) -> PriceTable:
    """Read the shipped table, and the user's own over it.

    Raises:
        DeskError: `prices-broken`, when the shipped table is missing or not what it should be.
    """
    return PriceTable(shipped, own)


def save_price(path: Path, host: str, *, model: str, price: Price | None) -> None:
    """Write one price into the user's own table, None to take it out; all else in it stays, but for comments below the first lines.

    Raises:
        DeskError: `prices-broken`, when the file has a mistake, which must be mended first, or cannot be written.
    """
    try:
        text = _read(path) if path.exists() else _HEADER
        _parse(text)
        values = tomllib.loads(text)
        models = values.setdefault("hosts", {}).setdefault(host, {})
        models.pop(model, None)
        if price is not None:
            models[model] = {"input": price.input, "cached_input": price.cached_input, "output": price.output}
        _write(path, _leading_comments(text) + tomli_w.dumps(values))
    except (_MistakeError, OSError) as error:
        raise DeskError(
            "prices-broken",
            f"The price was not saved in {path}: {_why(error)}.",
            remedy="Correct the file with a text editor, or move it away.",
        ) from None


def _parse(text: str) -> _Table:
    """Return a table; raise a `_MistakeError` with the line of the first mistake."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _MistakeError(_syntax_words(str(error), text)) from None
    hosts = values.get("hosts", {})
    if not isinstance(hosts, dict):
        raise _MistakeError(f"line {_line_of(text, 'hosts')}: “hosts” holds no hosts")
    prices: dict[tuple[str, str], Price] = {}
    shares: dict[str, float] = {}
    for host, models in hosts.items():
        if not isinstance(models, dict):
            raise _MistakeError(f"line {_line_of(text, host)}: “{host}” holds no models")
        for model, value in models.items():
            try:
                if model == _SHARE:
                    shares[host.lower()] = _number(value, _SHARE)
                else:
                    prices[host.lower(), model] = _price(value)
            except _MistakeError as error:
                raise _MistakeError(f"line {_line_of(text, host, model)}: {error}") from None
    return _Table(prices, shares)


def _price(value: object) -> Price:
    if not isinstance(value, dict):
        raise _MistakeError("a model needs { input = …, output = … }")
    unknown = sorted(value.keys() - {"input", "cached_input", "output"})
    if unknown:
        raise _MistakeError(f"“{unknown[0]}” is none of input, cached_input and output")
    missing = sorted({"input", "output"} - value.keys())
    if missing:
        raise _MistakeError(f"“{missing[0]}” is missing")
    return Price(
        _number(value["input"], "input"),
        _number(value.get("cached_input", value["input"]), "cached_input"),
        _number(value["output"], "output"),
    )


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise _MistakeError(f"“{name}” is not a number of 0 or more")
    return float(value)


def _syntax_words(message: str, text: str) -> str:
    """Return what the parser says, its line first."""
    found = re.search(r" ?\(at (?:line (\d+), column \d+|end of document)\)$", message)
    if found is None:
        return message
    line = found[1] or str(text.count("\n") + 1)
    words = message[: found.start()]
    return f"line {line}: {words[:1].lower()}{words[1:]}"


def _line_of(text: str, *names: str) -> int:
    """Return the number of the line where a name stands that comes after the others, from 1."""
    at = 0
    for name in names:
        places = re.finditer(rf"(?m)^[^#\n]*?(?<![\w/:-]){re.escape(name)}(?![\w/:-])", text[at:])
        at += next((place.end() for place in places), 0)
    return text.count("\n", 0, at) + 1


def _read(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _MistakeError(f"line {line}: the file is not UTF-8") from None


def _write(path: Path, text: str) -> None:
    """Write a file so that at every moment the old or the new one is there whole."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _leading_comments(text: str) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            break
        lines.append(line)
    return "\n".join(lines).rstrip() + "\n\n" if lines else ""


def _why(error: Any) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _is_local(host: str) -> bool:
    return is_loopback(f"//[{host}]" if ":" in host else f"//{host}")
