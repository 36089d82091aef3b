"""Series: what the plots of the operations view show, as plain values: a bucket each day or hour, empty ones among them, with words for each.

Deliberately free of any plotting library: that is loaded when there is something to draw, see `operations_plots`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from desktop.domain.operations import HOUR, Figures
from desktop.gui.thread_view import MONTHS
from desktop.services.operations_words import describe_money, describe_seconds
from desktop.services.wording import count

NO_VALUE = float("nan")
MOST_BUCKETS = 1_000
_SPOKEN_BUCKETS = 60


@dataclass(frozen=True, slots=True)
class Series:
    """One set of values, a bucket each. `color` names a token; NaN where there is nothing. Bars of one plot stand on each other if `is_stacked`."""

    name: str
    color: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlotContent:
    """One plot: its title, its series, the words of a value, and whether it has bars or lines."""

    title: str
    series: tuple[Series, ...]
    describe: Callable[[float], str]
    is_line: bool = False
    is_stacked: bool = False
    is_whole: bool = False
    """Values are counted: there is nothing between 1 and 2."""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to draw."""
        return not any(value > 0 for series in self.series for value in series.values)

    def words(self, place: int) -> str:
        """Say what is drawn at one bucket."""
        told = [f"{s.name} {self.describe(s.values[place])}" for s in self.series if s.values[place] == s.values[place]]
        return ", ".join(told) or "nothing"

    def spoken(self, keys: Sequence[str]) -> str:
        """Say the whole plot: the text in its place for who does not see it. The table of days below has the same figures."""
        with_value = [i for i in range(len(keys)) if any(s.values[i] > 0 for s in self.series)]
        told = [f"{label(keys[i])}: {self.words(i)}" for i in with_value[-_SPOKEN_BUCKETS:]]
        return "; ".join(told) or "Nothing in this time."


def bucket_keys(since: str, by: str, groups: Sequence[Figures], *, today: datetime | None = None) -> tuple[str, ...]:
    """Return the keys of all days (or hours of today) from `since` on, or from the first there is, to now."""
    end = today or datetime.now(UTC)
    if by == HOUR:
        return tuple(f"{end:%Y-%m-%d}T{hour:02}" for hour in range(end.hour + 1))
    first = since[:10] or (groups[0].key if groups else f"{end:%Y-%m-%d}")
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    days = min((end - begin).days, MOST_BUCKETS - 1)
    return tuple(f"{end - timedelta(days=back):%Y-%m-%d}" for back in range(days, -1, -1))


def label(key: str) -> str:
    """Say a bucket's key: `3 Nov`, `14:00`."""
    if "T" in key:
        return f"{key[-2:]}:00"
    return f"{int(key[8:10])} {MONTHS[int(key[5:7]) - 1][:3]}"


def short_number(value: float) -> str:
    """Say a number as an axis has room for: `950`, `1.2k`, `3M`."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + unit
    return f"{value:g}"


def axis_money(usd: float) -> str:
    """Say dollars as an axis has them: as many digits as it takes."""
    if usd >= 1_000:
        return f"${short_number(usd)}"
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.3g}"


def plot_contents(keys: Sequence[str], groups: Sequence[Figures], *, has_cache: bool = True) -> tuple[PlotContent, ...]:
    """Return the plots, in their order; `has_cache` unless the buckets are finer than the cache is counted by."""
    by_key = {figures.key: figures for figures in groups}
    rows = [by_key.get(key, Figures(key)) for key in keys]

    def values(value: Callable[[Figures], float | None]) -> tuple[float, ...]:
        return tuple(NO_VALUE if (found := value(row)) is None else float(found) for row in rows)

    plots = [
        PlotContent(
            "Calls and errors",
            (
                Series("calls", "accent", values(lambda f: f.calls)),
                Series("errors", "error", values(lambda f: f.errors)),
            ),
            lambda v: f"{v:,.0f}",
            is_whole=True,
        ),
        PlotContent(
            "Time to the first token",
            (
                Series("p50", "accent", values(lambda f: f.first_token.p50)),
                Series("p95", "warning", values(lambda f: f.first_token.p95)),
            ),
            describe_seconds,
            is_line=True,
        ),
        PlotContent(
            "Time to the whole answer",
            (
                Series("p50", "accent", values(lambda f: f.total.p50)),
                Series("p95", "warning", values(lambda f: f.total.p95)),
            ),
            describe_seconds,
            is_line=True,
        ),
        PlotContent(
            "Spend",
            (Series("spent", "accent", values(lambda f: f.cost_microusd / 1e6)),),
            lambda v: describe_money(round(v * 1e6)),
        ),
        PlotContent(
            "Tokens",
            (
                Series("in", "accent", values(lambda f: f.input_tokens)),
                Series("out", "ok", values(lambda f: f.output_tokens)),
            ),
            lambda v: f"{v:,.0f}",
            is_stacked=True,
            is_whole=True,
        ),
        PlotContent(
            "Answered from the cache",
            (Series("summaries", "ok", values(lambda f: f.cache_hits)),),
            lambda v: count(round(v), "hit"),
            is_whole=True,
        ),
    ]
    return tuple(plots if has_cache else plots[:-1])
