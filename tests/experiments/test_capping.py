"""Capping against NumPy and by hand."""

import numpy as np
import pytest

from studio.experiments.capping import cap_of, is_carried_by_few, top_share


def test_the_cap_is_the_percentile_of_payers_alone():
    paid = np.arange(1.0, 1_001.0)
    values = np.concatenate([np.zeros(50_000), paid])
    assert cap_of(values) == pytest.approx(np.percentile(paid, 99.9))
    assert cap_of(values, 50) == pytest.approx(500.5)


def test_refunds_count_as_values_too():
    assert cap_of([-5.0, 0.0, 5.0], 50) == 0.0


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_nobody_paid(values):
    assert cap_of(values) is None
    assert top_share(values) is None
    assert not is_carried_by_few(values)


def test_one_large_order_is_noticed():
    values = [1.0] * 99 + [100.0]
    assert top_share(values) == pytest.approx(100 / 199)
    assert is_carried_by_few(values)
    assert not is_carried_by_few([1.0] * 100)
    assert top_share([7.0]) == 1.0
