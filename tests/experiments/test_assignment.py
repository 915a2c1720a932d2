"""The hash is pinned, uniform, independent between salts; a change of weights moves as few contacts as possible."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from studio.experiments.assignment import assign, hash64, hash64_of, stable_key, stable_keys

UNITS = np.arange(200_000, dtype=np.uint64)
MASK = 2**64 - 1
FIXED = {
    "subject": [12664194952005631203, 14058583728807975573, 1455752847236737011, 6062914813306310544],
    "": [347369073669510594, 12243301898667393989],
    "cart-17": 9154517348390817433,
    "assigned": [1, 1, 0, 0, 0, 1, 0, 1, 2, 0, 0, 2],
}


def by_the_book(salt: str, unit: int) -> int:
    """The documented function in plain Python integers."""

    def mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    key = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big")
    return mix(mix((unit + 0x9E3779B97F4A7C15) & MASK) ^ key)


def test_fixed_vectors_never_change():
    assert [int(x) for x in hash64("subject", np.array([0, 1, 2, 2**64 - 1], dtype=np.uint64))] == FIXED["subject"]
    assert [int(x) for x in hash64("", np.array([0, 1], dtype=np.uint64))] == FIXED[""]
    assert int(stable_key("cart-17")) == FIXED["cart-17"]
    assert assign("subject", np.arange(12), [0.5, 0.3, 0.2]).tolist() == FIXED["assigned"]


def test_first_step_of_the_finaliser_is_splitmix64():
    # The published first output of SplitMix64 with seed 0; a salt whose key is zero does not exist, so by the book.
    assert by_the_book("s", 5) == int(hash64("s", np.array([5]))[0])
    z = 0x9E3779B97F4A7C15
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    assert z ^ (z >> 31) == 0xE220A8397B1DCDAF


@given(st.text(max_size=20), st.lists(st.integers(0, MASK), min_size=1, max_size=8))
def test_arrays_agree_with_plain_integers(salt, units):
    assert [int(h) for h in hash64(salt, np.array(units, dtype=np.uint64))] == [by_the_book(salt, u) for u in units]


def test_negative_units_count_as_their_bits():
    assert hash64("s", np.array([-1]))[0] == hash64("s", np.array([MASK], dtype=np.uint64))[0]


@pytest.mark.parametrize("salt", ["exp-1", "exp-2", "a"])
def test_uniform_over_neighbouring_units(salt):
    counts = np.bincount((hash64(salt, UNITS) >> np.uint64(56)).astype(int), minlength=256)
    assert stats.chisquare(counts).pvalue > 1e-4
    low = np.bincount((hash64(salt, UNITS) & np.uint64(255)).astype(int), minlength=256)
    assert stats.chisquare(low).pvalue > 1e-4


def test_salts_split_independently():
    first, second = assign("exp-1", UNITS, [1, 1, 1]), assign("exp-2", UNITS, [1, 1, 1])
    table = np.zeros((3, 3))
    np.add.at(table, (first, second), 1)
    assert stats.chi2_contingency(table).pvalue > 1e-4
    assert stats.chisquare(table.ravel()).pvalue > 1e-4


def test_shares_follow_weights_of_any_scale():
    counts = np.bincount(assign("w", UNITS, [10, 30, 60]), minlength=3)
    assert stats.chisquare(counts, UNITS.size * np.array([0.1, 0.3, 0.6])).pvalue > 1e-4
    assert (assign("w", UNITS, [0.1, 0.3, 0.6]) != assign("w", UNITS, [10, 30, 60])).mean() < 1e-5


def test_two_arms_move_only_what_must_move():
    before, after = assign("m", UNITS, [0.5, 0.5]), assign("m", UNITS, [0.7, 0.3])
    assert not ((before == 0) & (after == 1)).any()
    assert abs((before != after).mean() - 0.2) < 0.005


@pytest.mark.parametrize("weights", [[0, 1], [1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]])
def test_a_variant_without_weight_gets_nobody(weights):
    chosen = set(assign("z", UNITS[:20_000], weights).tolist())
    assert chosen == {index for index, weight in enumerate(weights) if weight}


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-1, 3]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        assign("z", UNITS[:1], weights)


def test_only_whole_numbers_are_units():
    with pytest.raises(TypeError, match="stable_key"):
        hash64("s", np.array([1.5]))


def test_text_keys():
    assert stable_keys(["a", "cart-17"]).tolist() == [int(stable_key("a")), int(stable_key("cart-17"))]
    assert stable_keys([]).dtype == np.uint64
    assert assign("s", stable_keys(["a", "b"]), [1, 1]).shape == (2,)


@given(st.text(max_size=8), st.integers(0, 2**64 - 1))
@settings(max_examples=50)
def test_one_unit_is_hashed_as_many_are(salt: str, unit: int) -> None:
    assert hash64_of(salt, unit) == hash64(salt, np.array([unit], dtype=np.uint64))[0]
