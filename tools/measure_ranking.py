"""Measures the ranking on labelled business descriptions, beside random order, popularity and plain BM25.

    python tools/measure_ranking.py LABELS.jsonl

Each line: `text` and `relevant` (archetype → 1 suits, 2 first choice). P@3: share of the first three with a grade;
hit@3: share of businesses with a first choice among the first three. Intervals are 90 % bootstrap intervals over
businesses. Nothing is fitted on the labels but popularity, which leaves the business itself out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from studio.domain.ports import Embedder
from studio.domain.template import BusinessContext
from studio.gallery.archetypes import archetypes
from studio.gallery.business_types import business_types, likelihood
from studio.gallery.catalogue import Catalogue
from studio.gallery.context import confirm_type, read_text
from studio.gallery.embedding import find_embedder
from studio.gallery.lexical import Index
from studio.gallery.ranking import LIKELY, STRONG, rank

IDS = [archetype.id for archetype in archetypes()]
NO_TEMPLATES = Catalogue({})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path)
    rows = [json.loads(line) for line in parser.parse_args().labels.read_text(encoding="utf-8").splitlines()]
    grades = np.array([[row["relevant"].get(archetype, 0) for archetype in IDS] for row in rows])
    texts = [row["text"] for row in rows]
    bm25 = Index.of([archetype.text for archetype in archetypes()])
    automatic = np.array([_scores(read_text(text)) for text in texts])
    table = {
        "random (mean of 200)": np.random.default_rng(0).random((200, *grades.shape)),
        "popularity (others' labels)": np.array([np.delete(grades, k, 0).mean(0) for k in range(len(rows))])[None],
        "BM25 alone": np.array([bm25.scores(text) for text in texts])[None],
        "business type alone": np.array([_types_alone(text) for text in texts])[None],
        "this ranking": automatic[None],
        "this ranking, best of three types confirmed": _confirmed(texts, grades)[None],
    }
    embedder = find_embedder()
    if embedder is not None:
        with_model = [_scores(read_text(text), embedder) for text in texts]
        table["this ranking with the sentence encoder"] = np.array(with_model)[None]
    print(f"{len(rows)} businesses, {len(IDS)} archetypes")
    for name, scores in table.items():
        p3, hit3 = zip(*(_metrics(one, grades) for one in scores), strict=True)
        print(f"{name:44s} P@3 {_interval(np.mean(p3, axis=0))}   hit@3 {_interval(np.mean(hit3, axis=0))}")
    difference = _metrics(automatic, grades)[0] - _metrics(table["popularity (others' labels)"][0], grades)[0]
    print(f"P@3, this ranking less popularity: {_interval(difference)}")
    _bands(automatic, grades)


def _scores(context: BusinessContext, embedder: Embedder | None = None) -> list[float]:
    scores = rank(context, NO_TEMPLATES, embedder=embedder).scores
    return [scores[archetype] for archetype in IDS]


def _types_alone(text: str) -> list[float]:
    shares = likelihood(text)
    return [sum(shares[kind.id] * kind.fit.get(one, 0.0) for kind in business_types()) for one in IDS]


def _confirmed(texts: list[str], grades: np.ndarray) -> np.ndarray:
    """The type is picked by looking at the labels, so this is what a person who knows could reach at best."""
    chosen = []
    for text, row in zip(texts, grades, strict=True):
        context = read_text(text)
        options = [_scores(confirm_type(context, kind)) for kind in context.types]
        chosen.append(max(options, key=lambda scores, row=row: _metrics(np.array([scores]), row[None])[0][0]))
    return np.array(chosen)


def _metrics(scores: np.ndarray, grades: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shown = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    found = np.take_along_axis(grades, shown, axis=1)
    return (found >= 1).mean(axis=1), (found >= 2).any(axis=1).astype(float)


def _interval(values: np.ndarray) -> str:
    rng = np.random.default_rng(1)
    means = values[rng.integers(len(values), size=(4_000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def _bands(scores: np.ndarray, grades: np.ndarray) -> None:
    shown = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    score = np.take_along_axis(scores, shown, axis=1).ravel()
    grade = np.take_along_axis(grades, shown, axis=1).ravel()
    for name, low, high in (("strong", STRONG, 9), ("likely", LIKELY, STRONG), ("worth a look", -9, LIKELY)):
        cards = (score >= low) & (score < high)
        right = grade[cards] >= 1
        share = f"{right.mean():.2f}" if cards.any() else "–"
        print(f"{name:14s} {cards.sum():4d} cards, right {share}, first choice {(grade[cards] == 2).sum()}")


if __name__ == "__main__":
    main()
