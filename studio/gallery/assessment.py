"""How good an order of archetypes is, measured on labelled businesses, beside simpler ways to order.

P@3: share of the first three that suit (grade 1 or 2). hit@3: share of businesses with a first choice (grade 2) among
the first three. Intervals are bootstrap intervals over businesses. Absent on purpose: the labels, which come from
outside, and any choice made by looking at them but the calibration, which is judged by cross-validation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.domain.errors import UserFixable
from studio.domain.ports import Embedder
from studio.gallery import examples
from studio.gallery.archetypes import archetypes
from studio.gallery.catalogue import Catalogue
from studio.gallery.context import confirm_type, read_text
from studio.gallery.lexical import Index, words
from studio.gallery.meaning import LONGEST, unit, vectors_of
from studio.gallery.ranking import rank, settled
from studio.gallery.weights import Calibration

Floats = NDArray[np.float64]

SHOWN = 3
FOLDS = 10
BOOTSTRAPS = 4_000
_NO_TEMPLATES = Catalogue({})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A business in words, with the grade of each archetype: 0 no, 1 suits, 2 first choice."""

    text: str
    grades: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Scores and grades, businesses × archetypes."""

    scores: Floats
    grades: NDArray[np.int64]

    def precision(self) -> Floats:
        """P@3 of each business."""
        return (self._top(self.grades) >= 1).mean(axis=1)

    def hits(self) -> Floats:
        """1 for each business with a first choice among the first three, else 0."""
        return (self._top(self.grades) >= 2).any(axis=1).astype(float)

    def shown(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Scores of the cards shown, three per business, and whether each suits."""
        return self._top(self.scores), self._top(self.grades) >= 1

    def _top(self, values: NDArray) -> NDArray:
        order = np.argsort(-self.scores, axis=1, kind="stable")[:, :SHOWN]
        return np.take_along_axis(values, order, axis=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 90 % bootstrap interval."""

    mean: float
    low: float
    high: float


def read_labels(file: Path) -> list[Labelled]:
    """JSON lines with `text` and `relevant` (archetype → 1 or 2). Raises UserFixable (`LABELS`) with the line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserFixable(
            "LABELS", f"The labels cannot be read: {error}.", where=str(file), hint="Check its name."
        ) from None
    found: list[Labelled] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            relevant = row["relevant"]
            found.append(Labelled(str(row["text"]), tuple(int(relevant.get(kind.id, 0)) for kind in archetypes())))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
            hint = 'Write {"text": "…", "relevant": {"welcome-series": 2}}.'
            where = f"{file}, line {number}"
            raise UserFixable("LABELS", "This line is no labelled business.", where=where, hint=hint) from None
    return found


def assess(labelled: Sequence[Labelled], embedder: Embedder | None, *, is_confirmed: bool = False) -> Assessment:
    """The program's own order.

    `is_confirmed`: of the three types proposed, the one under which most shown cards suit is taken as confirmed. That
    looks at the labels, as a person who knows the business would: an upper bound for a person's click.
    """
    grades = _grades(labelled)
    rows = []
    for one, wanted in zip(labelled, grades, strict=True):
        context = settled(read_text(one.text), embedder)
        options = [confirm_type(context, kind) for kind in context.types] if is_confirmed else []
        scored = [_scores(option, embedder) for option in options or [context]]
        rows.append(max(scored, key=lambda scores, wanted=wanted: _worth(scores, wanted)))
    return Assessment(np.array(rows), grades)


def baselines(labelled: Sequence[Labelled], embedder: Embedder | None) -> dict[str, Assessment]:
    """Simpler orders of the same businesses: random, popularity (from the others' labels), TF-IDF, BM25, embedding."""
    grades = _grades(labelled)
    texts = [one.text for one in labelled]
    own = [kind.text for kind in archetypes()]
    index = Index.of(own)
    popular = np.array([np.delete(grades, row, axis=0).mean(axis=0) for row in range(len(texts))])
    found = {
        "random": np.random.default_rng(0).random(grades.shape),
        "popularity": popular,
        "tfidf": _tfidf(texts, own),
        "bm25": np.array([index.scores(text) for text in texts]),
    }
    if embedder is not None:
        vectors = vectors_of(embedder)
        asked = unit(np.array(embedder.embed([text[:LONGEST] for text in texts]), dtype=np.float64))
        found["embedding"] = np.maximum(asked @ vectors.described.T, asked @ vectors.typical.T)
    return {name: Assessment(scores, grades) for name, scores in found.items()}


def with_fewer_examples(labelled: Sequence[Labelled], embedder: Embedder, share: float, seed: int) -> Assessment:
    """The order by examples alike in meaning alone, of which only a share is known: what more examples would bring."""
    vectors = vectors_of(embedder)
    known = np.random.default_rng(seed).random(len(vectors.examples)) < share
    asked = unit(np.array(embedder.embed([one.text[:LONGEST] for one in labelled]), dtype=np.float64))
    near = np.exp((asked @ vectors.examples[known].T) / 0.05)
    return Assessment(near / near.sum(axis=1, keepdims=True) @ examples.gains()[known], _grades(labelled))


def interval(values: Floats, *, level: float = 0.9, seed: int = 1) -> Interval:
    """Mean over businesses with its bootstrap interval; of differences it is the paired interval."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(BOOTSTRAPS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))


def fit_platt(scores: Floats, suits: NDArray[np.bool_], *, steps: int = 50) -> Calibration:
    """Logistic regression of being right on the score (Platt 1999), with his smoothed targets; Newton's method."""
    x, right = scores.ravel(), suits.ravel()
    wins, losses = int(right.sum()), int((~right).sum())
    wanted = np.where(right, (wins + 1) / (wins + 2), 1 / (losses + 2))
    design = np.column_stack([x, np.ones_like(x)])
    found = np.zeros(2)
    for _ in range(steps):
        sure = 1 / (1 + np.exp(-design @ found))
        hessian = (design * (sure * (1 - sure))[:, None]).T @ design + 1e-6 * np.eye(2)
        found += np.linalg.solve(hessian, design.T @ (wanted - sure))
    return Calibration(float(found[0]), float(found[1]))


def calibrated_by_others(
    assessed: Assessment, *, folds: int = FOLDS, seed: int = 0
) -> tuple[Floats, NDArray[np.bool_]]:
    """Probability of each shown card, calibrated on the other folds' businesses only, and whether it suits."""
    scores, suits = assessed.shown()
    order = np.random.default_rng(seed).permutation(len(scores))
    sure = np.zeros_like(scores)
    for fold in range(folds):
        held = order[fold::folds]
        rest = np.setdiff1d(order, held)
        known = fit_platt(scores[rest], suits[rest])
        sure[held] = np.vectorize(known.probability)(scores[held])
    return sure, suits


def expected_calibration_error(sure: Floats, suits: NDArray[np.bool_], bins: int = 5) -> float:
    """Mean distance between probability and share of right cards, over equally filled bins (Naeini et al. 2015)."""
    order = np.argsort(sure.ravel())
    parts = np.array_split(order, bins)
    flat, right = sure.ravel(), suits.ravel()
    return float(sum(len(part) * abs(flat[part].mean() - right[part].mean()) for part in parts) / len(flat))


def _grades(labelled: Sequence[Labelled]) -> NDArray[np.int64]:
    return np.array([one.grades for one in labelled], dtype=np.int64).reshape(len(labelled), len(archetypes()))


def _scores(context, embedder: Embedder | None) -> list[float]:
    scores = rank(replace(context), _NO_TEMPLATES, embedder=embedder).scores
    return [scores[kind.id] for kind in archetypes()]


def _worth(scores: list[float], wanted: NDArray[np.int64]) -> float:
    one = Assessment(np.array([scores]), wanted[None])
    return float(one.precision()[0] + 0.01 * one.hits()[0])


def _tfidf(texts: Sequence[str], documents: Sequence[str]) -> Floats:
    """Cosine of tf-idf vectors, idf over the documents."""
    spoken = [words(text) for text in (*documents, *texts)]
    vocabulary = {word: number for number, word in enumerate(sorted({word for each in spoken for word in each}))}
    counts = np.zeros((len(spoken), len(vocabulary)))
    for row, each in zip(counts, spoken, strict=True):
        np.add.at(row, [vocabulary[word] for word in each], 1)
    own = counts[: len(documents)]
    weighted = counts * np.log(1 + len(documents) / (1 + (own > 0).sum(axis=0)))
    rows = unit(weighted)
    return rows[len(documents) :] @ rows[: len(documents)].T
