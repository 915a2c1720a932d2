"""Benchmark of the recommendations: how often shown cards suit, beside simpler orders, and how long an answer takes.

The labels come from outside (`--labels`, or the file that STUDIO_LABELS names); without them only time is measured.
Nothing is chosen by looking at them but the calibration, which is cross-validated here. Times are given as processor
seconds too: other work on the computer does not count there. Absent on purpose: pass or fail, and the time from nothing
to the first cards (`bench startup`).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from studio.domain.ports import Embedder
from studio.gallery.assessment import (
    Assessment,
    Labelled,
    assess,
    baselines,
    calibrated_by_others,
    expected_calibration_error,
    interval,
    read_labels,
    with_fewer_examples,
)
from studio.gallery.catalogue import catalogue
from studio.gallery.context import read_text
from studio.gallery.embedding import find_embedder
from studio.gallery.examples import examples
from studio.gallery.ranking import rank, settled
from studio.gallery.weights import STRONG
from studio.workspace.bench.figure import Figure

LABELS = "STUDIO_LABELS"
SHARES = (0.125, 0.25, 0.5, 1.0)
SEEDS = 5
Progress = Callable[[str], None]


def recommend(_contacts: int, progress: Progress) -> Iterator[Figure]:
    """Quality on labelled businesses where there are labels, then time."""
    named = os.environ.get(LABELS)
    if named:
        yield from _quality(read_labels(Path(named)), progress)
    else:
        progress(f"No labelled businesses: give them with --labels FILE, or name the file in {LABELS}.")
    yield from _times(progress)


def _quality(labelled: list[Labelled], progress: Progress) -> Iterator[Figure]:
    embedder = find_embedder()
    progress(f"Ranking {len(labelled)} businesses by simpler orders …")
    simpler = baselines(labelled, embedder)
    popular = simpler["popularity"]
    for name, order in simpler.items():
        yield from _figures(name, order, popular)
    orders = {"words_only": (None, False), "automatic": (embedder, False), "confirmed": (embedder, True)}
    for name, (model, is_confirmed) in orders.items():
        progress(f"Ranking them by this program, {name.replace('_', ' ')} …")
        order = assess(labelled, model, is_confirmed=is_confirmed)
        yield from _figures(name, order, popular)
        yield from _bands(name, order)
    if embedder is not None:
        progress("Ranking them with fewer examples …")
        yield from _curve(labelled, embedder)


def _figures(name: str, order: Assessment, popular: Assessment) -> Iterator[Figure]:
    for metric, own, theirs in (
        ("p_at_3", order.precision(), popular.precision()),
        ("hit_at_3", order.hits(), popular.hits()),
    ):
        whole, beyond = interval(own), interval(own - theirs)
        base = float(theirs.mean())
        yield Figure(f"{metric}.{name}", _round(whole.mean), "share", _round(base), _round(whole.mean / base))
        yield Figure(f"{metric}_low90.{name}", _round(whole.low), "share")
        yield Figure(f"{metric}_high90.{name}", _round(whole.high), "share")
        if order is not popular:
            yield Figure(f"{metric}_beyond_popularity_low90.{name}", _round(beyond.low), "share")


def _bands(name: str, order: Assessment) -> Iterator[Figure]:
    """Bands by probabilities that are calibrated on other businesses than those they are judged on."""
    sure, suits = calibrated_by_others(order)
    strong = sure >= STRONG
    if strong.any():
        yield Figure(f"strong_cards_right.{name}", _round(float(suits[strong].mean())), "share", _round(suits.mean()))
    yield Figure(f"strong_cards.{name}", int(strong.sum()), "cards", int(suits.size))
    yield Figure(f"calibration_error.{name}", _round(expected_calibration_error(sure, suits)), "share")


def _curve(labelled: list[Labelled], embedder: Embedder) -> Iterator[Figure]:
    for share in SHARES:
        found = [
            with_fewer_examples(labelled, embedder, share, seed).precision().mean()
            for seed in range(SEEDS if share < 1 else 1)
        ]
        count = round(share * len(examples()))
        yield Figure(f"p_at_3.businesses_alike_only_{count}_examples", _round(float(np.mean(found))), "share")


def _times(progress: Progress) -> Iterator[Figure]:
    progress("Asking again and again …")
    for name, model in (("words_only", None), ("automatic", find_embedder())):
        taken = [_asked_ms(example.text, model) for example in examples()[:40]]
        yield Figure(f"ms_to_ranked_cards.warm_{name}", round(statistics.median(each[0] for each in taken), 1), "ms")
        yield Figure(
            f"cpu_ms_to_ranked_cards.warm_{name}", round(statistics.median(each[1] for each in taken), 1), "ms"
        )


def _asked_ms(text: str, embedder: Embedder | None) -> tuple[float, float]:
    """Milliseconds, and those of the processor, for a business never asked about before: the model remembers texts."""
    before, worked = time.perf_counter(), time.process_time()
    rank(settled(read_text(f"{text} Since 1998."), embedder), catalogue(), embedder=embedder)
    return 1_000 * (time.perf_counter() - before), 1_000 * (time.process_time() - worked)


def _round(value: float) -> float:
    return round(float(value), 4)
