"""Did ranking get better? What today's order would have earned on the showings that were logged, with an interval.

Each place counts by itself (item-position model, Swaminathan et al. 2017, section 3): a card that today's order has at
the place where it was shown is weighed by one over the chance it had there; what was never tried there cannot be judged
and is reported as not covered. Self-normalised (Swaminathan, Joachims 2015); its interval is normal, from the influence
of each showing. The doubly robust estimate (Dudík et al. 2011) stands beside it as a second opinion. Absent on purpose:
a verdict from few showings; below the limits it says that the data are too thin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PLACES = 3
"""Places that are judged: the cards at the top."""
LEAST_EFFECTIVE = 100.0
"""Effective showings (Kish 1965) below which nothing is said."""
WIDEST = 0.1
"""Half-width of the 90 % interval of the share taken above which nothing is said."""
_COVERED = 0.5
_Z90 = 1.6448536269514722

Answer: TypeAlias = Literal["better", "worse", "no_difference", "too_thin"]


@dataclass(frozen=True, slots=True)
class ShownCard:
    template: str
    position: int
    propensity: float
    is_taken: bool


@dataclass(frozen=True, slots=True)
class Showing:
    """One slate as it was logged, its cards by position from 1."""

    at: datetime
    policy: str
    cards: tuple[ShownCard, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """Share of showings from which a card of the first places was taken, with its 90 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`logged`: what was shown; `today`: what today's order would have earned; `difference`: today less logged.

    The estimates are None where nothing can be said. `effective`: effective showings; `covered`: share of the first
    places of today's order that were ever shown there. `by_policy`: share taken per version of the policy.
    """

    answer: Answer
    showings: int
    effective: float
    covered: float
    logged: Value | None
    today: Value | None
    today_robust: float | None
    difference: Value | None
    by_policy: Mapping[str, Value]

    def in_words(self) -> str:
        """The answer as a person reads it."""
        if self.answer == "too_thin":
            return (
                f"The data are too thin to tell whether ranking got better: {self.showings} showings, worth "
                f"{self.effective:.0f} where today's order can be judged; about {LEAST_EFFECTIVE:.0f} are needed."
            )
        assert self.difference is not None
        span = f"{100 * self.difference.low:+.1f} to {100 * self.difference.high:+.1f} points"
        if self.answer == "better":
            return f"Yes: today's order would have been taken more often than what was shown ({span})."
        if self.answer == "worse":
            return f"No: today's order would have been taken less often than what was shown ({span})."
        return f"No difference can be seen yet: {span} between today's order and what was shown."


def judge(showings: Sequence[Showing], today: Sequence[str]) -> Verdict:
    """Compares today's order (template ids, best first) with what was shown. O(showings)."""
    taken, weights = _table(showings, today[:PLACES])
    covered = float((weights > 0).any(axis=0).mean()) if weights.size else 0.0
    effective = _effective(weights)
    by_policy = _by_policy(showings)
    thin = Verdict("too_thin", len(showings), effective, covered, None, None, None, None, by_policy)
    if not len(showings) or covered < _COVERED or effective < LEAST_EFFECTIVE:
        return thin
    logged = taken.sum(axis=1)
    own, influence = _snips(weights, taken)
    value = _value(own, influence)
    if (value.high - value.low) / 2 > WIDEST:
        return thin
    mean = float(logged.mean())
    difference = _value(own - mean, influence - (logged - mean))
    answer: Answer = "better" if difference.low > 0 else "worse" if difference.high < 0 else "no_difference"
    robust = float(_doubly_robust(weights, taken))
    shown = _value(mean, logged - mean)
    return Verdict(answer, len(showings), effective, covered, shown, value, robust, difference, by_policy)


def _table(showings: Sequence[Showing], today: Sequence[str]) -> tuple[Floats, Floats]:
    """Showings × places: whether the card there was taken, and 1/propensity where it is today's card, else 0."""
    taken = np.zeros((len(showings), len(today)))
    weights = np.zeros_like(taken)
    for row, showing in enumerate(showings):
        for card in showing.cards:
            if card.position <= len(today):
                place = card.position - 1
                taken[row, place] = card.is_taken
                weights[row, place] = (card.template == today[place]) / max(card.propensity, 1e-6)
    return taken, weights


def _snips(weights: Floats, taken: Floats) -> tuple[float, Floats]:
    """Sum over places of the self-normalised share taken, and the influence of each showing on it.

    A place never covered adds what was logged there.
    """
    total = weights.mean(axis=0)
    covered = total > 0
    shares = np.where(covered, (weights * taken).mean(axis=0) / np.where(covered, total, 1), taken.mean(axis=0))
    weighed = weights * (taken - shares) / np.where(covered, total, 1)
    return float(shares.sum()), np.where(covered, weighed, taken - shares).sum(axis=1)


def _doubly_robust(weights: Floats, taken: Floats) -> float:
    """Mean share of each place as the model of what is taken, corrected by the weighed difference from it."""
    model = taken.mean(axis=0)
    return float((model + (weights * (taken - model)).mean(axis=0)).sum())


def _effective(weights: Floats) -> float:
    """The least effective number of showings over the places that are covered at all."""
    squares = (weights**2).sum(axis=0)
    sizes = weights.sum(axis=0) ** 2 / np.where(squares > 0, squares, 1)
    return float(min(sizes[squares > 0], default=0.0))


def _value(mean: float, influence: Floats) -> Value:
    half = _Z90 * float(influence.std()) / len(influence) ** 0.5
    return Value(mean, mean - half, mean + half)


def _by_policy(showings: Sequence[Showing]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for policy in dict.fromkeys(showing.policy for showing in showings):
        own = [showing for showing in showings if showing.policy == policy]
        taken = sum(any(card.is_taken and card.position <= PLACES for card in showing.cards) for showing in own)
        found[policy] = _wilson(taken, len(own))
    return found


def _wilson(taken: int, showings: int) -> Value:
    """Wilson's score interval (1927): it stays between 0 and 1 for few showings."""
    share, z2 = taken / showings, _Z90**2
    centre = (share + z2 / (2 * showings)) / (1 + z2 / showings)
    half = _Z90 * (share * (1 - share) / showings + z2 / (4 * showings**2)) ** 0.5 / (1 + z2 / showings)
    return Value(share, centre - half, centre + half)
