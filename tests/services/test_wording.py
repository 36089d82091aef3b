"""What is said of an import while it runs."""

from __future__ import annotations

import pytest

from desktop.domain.imports import ImportCounts, Progress
from desktop.services.wording import describe_progress


@pytest.mark.parametrize(
    ("rows", "seconds", "fraction", "text"),
    [
        (1, 0.5, 0.5, "1 row, 2 a second"),
        (42_000, 6.0, 0.42, "42,000 rows, 7,000 a second, about 9 s left"),
        (1_000, 10.0, 0.01, "1,000 rows, 100 a second, about 16 min left"),
        (1_000, 10.0, 0.0, "1,000 rows, 100 a second"),
        (1_000, 10.0, 1.0, "1,000 rows, 100 a second"),
    ],
)
def test_the_pace_and_the_time_left(rows: int, seconds: float, fraction: float, text: str) -> None:
    assert describe_progress(Progress("t.csv", ImportCounts(rows=rows), fraction, seconds)) == text
