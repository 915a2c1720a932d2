"""Benchmark of learning: what results bring over relevance alone, and whether predicted intervals hold the truth.

Both in simulated worlds whose truth is known.

Absent on purpose: gains on real data; for those `studio learning` weighs the workspace's own log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from studio.gallery.coverage_simulation import coverage
from studio.gallery.learning_simulation import LearningPolicy, uplift
from studio.gallery.ranking import OUTCOMES, Policy
from studio.workspace.bench.figure import Figure

WORLDS = ((200, 0.3), (200, 0.5), (200, 0.8), (400, 0.5), (1_000, 0.3), (1_000, 0.5), (3_000, 0.5), (3_000, 0.8))
"""Outcomes, and how well relevance is correlated with the truth."""
COVERED = tuple((people, spread) for spread in (0.35, 0.8) for people in (50, 200, 1_000))
"""People per run, and how much runs differ."""
Progress = Callable[[str], None]


def learning(_contacts: int, progress: Progress) -> Iterator[Figure]:
    """Gain of success over relevance alone in the last 100 outcomes, beside that of somebody who knows the truth."""
    policy = LearningPolicy(OUTCOMES, Policy().bonus)
    for outcomes, correlation in WORLDS:
        progress(f"Simulating {outcomes:,} outcomes, relevance correlated {correlation} with the truth …")
        gain = uplift(policy, outcomes=outcomes, correlation=correlation)
        name = f"{outcomes}_outcomes_rho_{correlation:g}"
        ratio = round(gain.mean / gain.ceiling, 3) if gain.ceiling else None
        yield Figure(f"uplift.{name}", round(gain.mean, 4), "share", round(gain.ceiling, 4), ratio)
        yield Figure(f"uplift_p10.{name}", round(gain.low, 4), "share")
        yield Figure(f"uplift_p90.{name}", round(gain.high, 4), "share")
    for people, spread in COVERED:
        progress(f"Predicting 30 runs of {people:,} people each, again and again …")
        held = coverage(people, spread)
        name = f"{people}_people_spread_{spread:g}"
        yield Figure(f"coverage_90.known_rate_{name}", round(held.known, 3), "share", round(held.wilson, 3))
        yield Figure(f"coverage_90.next_run_{name}", round(held.new, 3), "share")
        ratio = round(held.width / held.wilson_width, 3)
        yield Figure(f"interval_width.{name}", round(held.width, 4), "share", round(held.wilson_width, 4), ratio)
