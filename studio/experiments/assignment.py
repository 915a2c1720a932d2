"""Who gets which variant: a pure function of salt and contact, the same on every machine and in every version.

Absent on purpose: state, chance, Python's own `hash` (it differs between processes). Changing a constant here reassigns
every running experiment, so the tests pin the outputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SPAN = 2**64


def hash64(salt: str, units: NDArray[np.integer]) -> NDArray[np.uint64]:
    """One uniform 64-bit number per unit, independent between salts.

    The units go through the finaliser of SplitMix64, are combined with the first eight bytes (big endian) of
    SHA-256(salt), and go through it again; without the first pass neighbouring units of two salts would stay related.

    Args:
        salt: usually the experiment's id; any text.
        units: integers; a negative one counts as its two's complement. Raises TypeError on anything else.

    References:
        Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
        (with the constants of Stafford's variant 13).
    """
    if not np.issubdtype(units.dtype, np.integer):
        raise TypeError(f"units are integers, not {units.dtype}; turn text into numbers with stable_key")
    key = np.uint64(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big"))
    return _mixed(_mixed(units.astype(np.uint64) + _STEP) ^ key)


def hash64_of(salt: str, unit: int) -> int:
    """`hash64` of one unit (0 to 2⁶⁴ - 1) without arrays, which cost more than the numbers."""
    key = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big")
    return _mixed_one(_mixed_one((unit + int(_STEP)) % _SPAN) ^ key)


def assign(salt: str, units: NDArray[np.integer], weights: Sequence[float]) -> NDArray[np.intp]:
    """The index of each unit's variant; the same unit, salt and weights give the same variant for ever.

    A variant owns a stretch of the hash range as long as its weight, in the order given. With two variants a change of
    weights moves only the share that must move; with more, change weights of neighbours.

    Args:
        salt: the experiment's own text, so that two experiments split independently.
        units: one integer per contact or key.
        weights: any scale, none negative, at least one above zero. Raises ValueError otherwise.
    """
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    if not exact or total <= 0 or min(exact) < 0:
        raise ValueError(f"weights need one above zero and none below: {list(weights)}")
    ends = [int(sum(exact[: index + 1]) / total * _SPAN) for index in range(len(exact))]
    # An end at the top of the range is reached by no hash, and does not fit the type.
    inner = np.array([end for end in ends if end < _SPAN], dtype=np.uint64)
    return np.searchsorted(inner, hash64(salt, units), side="right")


def stable_key(text: str) -> np.uint64:
    """A number for a text key such as a cart id: the first eight bytes of its SHA-256, big endian."""
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def stable_keys(texts: Sequence[str]) -> NDArray[np.uint64]:
    """`stable_key` of each text, in order."""
    return np.array([stable_key(text) for text in texts], dtype=np.uint64)


def _mixed_one(z: int) -> int:
    z = (z ^ (z >> 30)) * int(_FIRST) % _SPAN
    z = (z ^ (z >> 27)) * int(_SECOND) % _SPAN
    return z ^ (z >> 31)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))
