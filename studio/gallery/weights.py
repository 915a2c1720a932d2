"""What the parts of a score are worth, and how often a card with a score was right.

`weights.json` holds both. The weights are learned from the program's own examples, each left out in turn
(`tools/learn_ranking.py`); the calibration from labelled businesses that nothing else was learned from. Absent on
purpose: learning them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.domain.template import Band
from studio.gallery import cues

STRONG, LIKELY = 0.9, 0.7
"""A strong card is right nine times in ten, a likely one seven times."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Factor of each part; `base` is added."""

    type: float
    meaning: float
    neighbours: float
    closeness: float
    words: float
    overlap: float
    base: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling (1999): probability = 1 / (1 + exp(−(slope · score + offset)))."""

    slope: float
    offset: float

    def probability(self, score: float) -> float:
        """Share of cards with this score, among the first three shown, that suited the business."""
        return 1 / (1 + math.exp(-(self.slope * score + self.offset)))


@dataclass(frozen=True, slots=True)
class Learned:
    """Weights and calibrations, with a model and by words alone; `confirmed_*` after a person confirmed the type."""

    with_model: Weights
    by_words: Weights
    calibrated_with_model: Calibration
    calibrated_by_words: Calibration
    confirmed_with_model: Calibration
    confirmed_by_words: Calibration


def learned() -> Learned:
    """What was learned. Raises Corrupt as `cues.table` does."""
    return cues.table("weights", Learned)


def calibration(*, has_model: bool, is_confirmed: bool) -> Calibration:
    """The calibration for how an order came about."""
    known = learned()
    if is_confirmed:
        return known.confirmed_with_model if has_model else known.confirmed_by_words
    return known.calibrated_with_model if has_model else known.calibrated_by_words


def band(probability: float) -> Band:
    """Three bands of a calibrated probability."""
    return "strong" if probability >= STRONG else "likely" if probability >= LIKELY else "worth_a_look"
