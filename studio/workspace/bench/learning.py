"""Benchmark of learning: what results bring over relevance alone, in a simulated world whose truth is known.

Absent on purpose: gains on real data; for those `studio learning` weighs the workspace's own log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from studio.gallery.learning_simulation import LearningPolicy, uplift
from studio.gallery.ranking import OUTCOMES, Policy
from studio.workspace.bench.figure import Figure

WORLDS = ((200, 0.3), (200, 0.5), (200, 0.8), (400, 0.5), (1_000, 0.3), (1_000, 0.5), (3_000, 0.5), (3_000, 0.8))
"""Outcomes, and how well relevance is correlated with the truth."""
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
