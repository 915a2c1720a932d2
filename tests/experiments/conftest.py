"""Seeded experiments as cumulative counts, for the tests that check error rates."""

from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def converted() -> Callable[..., np.ndarray]:
    """Cumulative conversions of each arm: shape (runs, looks, arms), `step` contacts per arm and look."""

    def simulate(rates: tuple[float, ...], *, runs: int, looks: int, step: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return rng.binomial(step, rates, (runs, looks, len(rates))).cumsum(axis=1)

    return simulate
