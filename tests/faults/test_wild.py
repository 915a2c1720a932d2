"""Whatever is drawn and whatever happens to it: a run that is disturbed comes to what it comes to when left alone."""

from __future__ import annotations

import pytest

from tests.faults.wild import Case, verdict


@pytest.mark.parametrize("seed", [21, 83, 209])
def test_disturbed_is_as_left_alone(seed: int) -> None:
    """Early ends of triggered runs, states of steps after a stop, two ways of one person: what such seeds found."""
    assert verdict(Case.of(seed)) == ""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 10_400, 50))
def test_hundreds_of_wild_workflows(first: int) -> None:
    for seed in range(first, first + 50):
        assert verdict(Case.of(seed)) == "", f"python -m tests.faults.wild {seed}"
