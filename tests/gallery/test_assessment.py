"""Measuring an order: metrics by hand, calibration on others only, labels read with the line that is wrong."""

import json

import numpy as np
import pytest

from studio.domain.errors import UserFixable
from studio.gallery.archetypes import archetypes
from studio.gallery.assessment import (
    Assessment,
    Labelled,
    assess,
    baselines,
    calibrated_by_others,
    expected_calibration_error,
    fit_platt,
    interval,
    read_labels,
)

IDS = [kind.id for kind in archetypes()]
BUSINESSES = [
    ("Our web shop sells shoes, with basket and checkout.", {"abandoned-cart": 2, "win-back": 1, "welcome-series": 1}),
    ("A small restaurant with a menu of twelve dishes.", {"restaurant-loyalty": 2, "review-request": 2}),
]


def labelled() -> list[Labelled]:
    return [Labelled(text, tuple(grades.get(name, 0) for name in IDS)) for text, grades in BUSINESSES]


def test_metrics_by_hand():
    grades = np.array([[2, 0, 1, 0], [0, 1, 0, 0]])
    scores = np.array([[0.9, 0.8, 0.1, 0.7], [0.1, 0.9, 0.8, 0.7]])
    found = Assessment(scores, grades)
    assert found.precision() == pytest.approx([1 / 3, 1 / 3])
    assert found.hits().tolist() == [1.0, 0.0]
    shown, suits = found.shown()
    assert shown[0].tolist() == [0.9, 0.8, 0.7]
    assert suits[0].tolist() == [True, False, False]


def test_a_constant_has_no_width_and_a_paired_difference_keeps_its_sign():
    assert interval(np.full(20, 0.5)).low == pytest.approx(0.5)
    better = interval(np.r_[np.full(30, 0.3), np.zeros(5)])
    assert 0 < better.low < better.mean < better.high


def test_calibration_finds_the_curve_that_made_the_data():
    rng = np.random.default_rng(3)
    scores = rng.random((4_000, 3))
    suits = rng.random(scores.shape) < 1 / (1 + np.exp(-(4 * scores - 1)))
    known = fit_platt(scores, suits)
    assert (known.slope, known.offset) == pytest.approx((4, -1), abs=0.35)
    assert known.probability(0.25) == pytest.approx(0.5, abs=0.03)


def test_a_card_is_calibrated_by_other_businesses_only():
    rng = np.random.default_rng(5)
    scores = rng.random((40, 6))
    grades = (rng.random((40, 6)) < scores).astype(int)
    sure, suits = calibrated_by_others(Assessment(scores, grades), folds=40)
    turned = grades.copy()
    turned[0] = 1 - turned[0]
    again, _ = calibrated_by_others(Assessment(scores, turned), folds=40)
    assert again[0] == pytest.approx(sure[0])
    assert again[1] != pytest.approx(sure[1])
    assert 0 <= expected_calibration_error(sure, suits) <= 1


def test_the_program_finds_the_obvious_and_beats_chance():
    found = assess(labelled(), None)
    assert found.hits().tolist() == [1.0, 1.0]
    assert assess(labelled(), None, is_confirmed=True).precision().mean() >= found.precision().mean()
    assert set(baselines(labelled(), None)) == {"random", "popularity", "tfidf", "bm25"}


def test_a_wrong_line_of_labels_is_named(tmp_path):
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps({"text": "A shop", "relevant": {"win-back": 2}}) + "\nnonsense\n", encoding="utf-8")
    with pytest.raises(UserFixable) as caught:
        read_labels(file)
    assert "line 2" in str(caught.value)
    with pytest.raises(UserFixable):
        read_labels(tmp_path / "none.jsonl")
