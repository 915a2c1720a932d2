"""The funnel: how many different people came how far. What machines open and click is nobody's step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.analytics.facts import Design, Facts, People, held_arms, treated_arms, united, variant_of

STEPS = {
    "entered": "Entered",
    "sent": "Sent",
    "delivered": "Delivered",
    "opened": "Opened",
    "clicked": "Clicked",
    "converted": "Converted",
}
BY_PEOPLE = ("opened", "clicked")
"""What only people do in a funnel: mail programs and scanners open and click too."""
_ASKED = ("exposed", "bounced", *STEPS)


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Different people at one step; shares are fractions of the first step and of the step before, None of zero."""

    kind: str
    title: str
    people: int
    share_of_entered: float | None
    share_of_previous: float | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Steps in order. `held` people entered but were kept out as the holdout; they count at no later step."""

    steps: tuple[FunnelStep, ...]
    held: int = 0
    group: str | None = None

    def people(self, kind: str) -> int:
        """People at one step; 0 for a step the funnel does not have."""
        return next((step.people for step in self.steps if step.kind == kind), 0)


def funnel(facts: Facts, run_id: str, design: Design) -> Funnel:
    """The run's funnel over everybody who was treated, with everybody who entered as its first step."""
    groups = _by_people(facts.people(run_id, _ASKED, by=("kind", "actor", "arms")))
    people = {
        kind: united(found for (of, _, arms), found in groups.items() if of == kind and _counts(design, kind, arms))
        for kind in STEPS
    }
    held = united(found for (kind, _, arms), found in groups.items() if kind == "exposed" and held_arms(design, arms))
    return _funnel(people, held=held)


def funnel_by(facts: Facts, run_id: str, design: Design, split: str) -> tuple[Funnel, ...]:
    """One funnel per variant of a split, from exposure on: only people who met the split are in it."""
    groups = _by_people(facts.people(run_id, _ASKED, by=("kind", "actor", "arms", "node_id")))
    treated = {key: found for key, found in groups.items() if not held_arms(design, key[2])}
    variants = sorted({variant for _, _, arms, _ in treated if (variant := variant_of(split, arms)) is not None})
    funnels = []
    for variant in variants:
        own = {key: found for key, found in treated.items() if variant_of(split, key[2]) == variant}
        people = {kind: united(found for key, found in own.items() if key[0] == kind) for kind in STEPS}
        people["entered"] = united(
            found for (kind, _, _, node), found in own.items() if (kind, node) == ("exposed", split)
        )
        funnels.append(_funnel(people, group=variant))
    return tuple(funnels)


def _by_people(groups: Mapping[tuple[str, ...], People]) -> dict[tuple[str, ...], People]:
    """By `kind`, `actor` and more, without what machines did; what nobody knows of counts as a person's.

    Mail servers seldom say that something was delivered. Where none did, it is what was sent to people who had no
    message back.
    """
    known = {key: found for key, found in groups.items() if key[0] not in BY_PEOPLE or key[1] != "machine"}
    if any(key[0] == "delivered" for key in known):
        return known
    back = [found for key, found in known.items() if key[0] == "bounced"]
    delivered = {("delivered", *key[1:]): found for key, found in known.items() if key[0] == "sent"}
    for bounced in back:
        delivered = {key: found - bounced for key, found in delivered.items()}
    return {**known, **delivered}


def _counts(design: Design, kind: str, arms: str) -> bool:
    # Only orders can happen without having been treated; entering comes before every arm.
    return treated_arms(design, arms) if kind == "converted" else not held_arms(design, arms)


def _funnel(people: dict[str, int], *, held: int = 0, group: str | None = None) -> Funnel:
    entered = int(people.get("entered", 0))
    steps, previous = [], None
    for kind, title in STEPS.items():
        count = int(people.get(kind, 0))
        steps.append(FunnelStep(kind, title, count, _share(count, entered), _share(count, previous)))
        previous = count
    return Funnel(tuple(steps), held, group)


def _share(part: int, whole: int | None) -> float | None:
    return part / whole if whole else None
