"""The funnel: how many different people came how far. What machines open and click is nobody's step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.analytics.facts import Design, Facts, People, held_arms, treated_arms, union, united, variant_of

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
    """Different people at one step.

    share_of_entered: `people` as a fraction of the first step's.
    share_of_previous: of the people at the step before, the fraction that is at this one too. Some order without a
        click and click without an opening that was seen: they count in `people` and not here. Both None of zero.
    """

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
        kind: union(found for (of, _, arms), found in groups.items() if of == kind and _counts(design, kind, arms))
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
        people = {kind: union(found for key, found in own.items() if key[0] == kind) for kind in STEPS}
        people["entered"] = union(
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


def chain(people: Mapping[str, People | None], titles: Mapping[str, str]) -> tuple[FunnelStep, ...]:
    """A step for each of `titles`, kind → title, in that order, with the people of its kind."""
    steps: list[FunnelStep] = []
    before: People | None = None
    for kind, title in titles.items():
        who = people.get(kind)
        count = _size(who)
        of_entered = _share(count, steps[0].people if steps else count)
        steps.append(FunnelStep(kind, title, count, of_entered, _share(_both(before, who), _size(before))))
        before = who
    return tuple(steps)


def _funnel(people: Mapping[str, People | None], *, held: int = 0, group: str | None = None) -> Funnel:
    return Funnel(chain(people, STEPS), held, group)


def _size(who: People | None) -> int:
    return 0 if who is None else len(who)


def _both(some: People | None, others: People | None) -> int:
    return 0 if some is None or others is None else len(some & others)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
