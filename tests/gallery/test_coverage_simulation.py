"""The world that predictions are judged in judges rightly."""

from __future__ import annotations

import pytest
from scipy import stats

from studio.gallery.coverage_simulation import _wilson, coverage


@pytest.mark.parametrize(("count", "people"), [(0, 50), (7, 200), (31, 1_000)])
def test_one_run_alone_is_judged_as_elsewhere(count: int, people: int) -> None:
    expected = stats.binomtest(count, people).proportion_ci(0.9, method="wilson")
    assert _wilson(count, people) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_intervals_are_narrower_than_of_one_run_alone_and_hold() -> None:
    held = coverage(200, 0.35, worlds=3)
    assert held.width < held.wilson_width
    assert held.known > 0.7
