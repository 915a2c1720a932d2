"""Ninety days in the life of a campaign, made of one number: workflow, people, misfortunes, kills and clock all follow
from the seed, and so does what everybody must have got (`expected`, a plain loop over days that shares no code with
the engine).

`python -m tests.faults.simulation 4711` plays a seed again and tells what it was.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.mail import Reply
from studio.domain.workflow import Workflow
from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import Killed

DAYS = 90
GOAL_DAYS = 60
LEGS_MAX = 60
STEP = timedelta(minutes=15)

_MISHAPS = {
    "refused": [Mishap("rcpt", Reply(550, "5.1.1 no such user"))] * 99,
    "later": [Mishap("rcpt", Reply(450, "4.2.1 busy")), None, Mishap("dot", Reply(451, "4.3.0 busy"))],
    "cut": [Mishap("body", "drop"), Mishap("data", "drop")],
    "lost": [Mishap("dot", "drop"), None, Mishap("dot", "drop")],
    "kept": [Mishap("accepted", "drop"), Mishap("accepted", "drop")],
    "closing": [Mishap("rcpt", Reply(421, "4.3.2 closing"))],
}


@dataclass(frozen=True)
class Case:
    """Everything that a seed stands for. steps: mail; pause and await with their hours; keep with its remainder."""

    seed: int
    people: int
    steps: tuple[tuple[str, int], ...]
    has_goal: bool
    orders: tuple[tuple[int, float], ...]
    mishaps: dict[int, str]
    kills: tuple[int, ...]
    chunk: int

    @classmethod
    def of(cls, seed: int) -> Case:
        chance = random.Random(seed)
        steps: list[tuple[str, int]] = [("mail", 0)]
        for _ in range(chance.randrange(2, 7)):
            kind = chance.choice(("mail", "mail", "pause", "pause", "keep", "await"))
            steps.append((kind, chance.randrange(1, 24 * 14) if kind in ("pause", "await") else chance.randrange(3)))
        steps.append(("mail", 0))
        people = chance.randrange(4, 30)
        # At odd seconds, so that an order never meets a step's own moment.
        orders = tuple(
            (chance.randrange(people), chance.randrange(1, 24 * 60 * DAYS) + chance.uniform(0.1, 0.9))
            for _ in range(chance.randrange(people))
        )
        return cls(
            seed=seed,
            people=people,
            steps=tuple(steps),
            has_goal=chance.random() < 0.5,
            orders=orders,
            mishaps={who: chance.choice(tuple(_MISHAPS)) for who in range(people) if chance.random() < 0.3},
            kills=tuple(chance.randrange(1, 30) for _ in range(chance.randrange(6))),
            chunk=chance.choice((2, 5, 100)),
        )

    def workflow(self) -> Workflow:
        nodes: dict = {"s": ("people", {"count": self.people})}
        edges, before = [], ["s"]
        patient = {"on_error": "skip", "retry": {"max": 5, "backoff": "PT1M", "jitter": 0.1}}
        for place, (kind, number) in enumerate(self.steps):
            name = f"n{place}"
            match kind:
                case "mail":
                    nodes[name] = ("mail", {}, patient)
                case "pause":
                    nodes[name] = ("pause", {"wait": f"PT{number}H"})
                case "keep":
                    nodes[name] = ("keep", {"remainder": number % 2, "of": 2 + number % 2})
                case _:
                    nodes[name] = ("await", {"kind": "order", "timeout": f"PT{number}H", "match_key": False})
            edges += [f"{source} > {name}" for source in before]
            before = {"keep": [f"{name}.pass"], "await": [f"{name}.came", f"{name}.timeout"]}.get(kind, [name])
        if self.has_goal:
            nodes["goal"] = ("target", {"window": f"P{GOAL_DAYS}D"})
            edges += [f"{source} > goal" for source in before]
        return workflow(nodes, *edges)

    def expected(self) -> Counter[tuple[str, str]]:
        """(address, step) → how many messages: one for each mail step that a person comes to."""
        counts: Counter[tuple[str, str]] = Counter()
        for who in range(self.people):
            orders = sorted(START + timedelta(minutes=minutes) for person, minutes in self.orders if person == who)
            for step in self._way(who, orders):
                if self.mishaps.get(who) != "refused":
                    counts[f"p{who}", step] += 1
        return counts

    def _way(self, who: int, orders: Sequence[datetime]) -> list[str]:
        """The mail steps that one person comes to, each at its moment, unless an order came before."""
        now, mails = START, []
        window_ends = START + timedelta(days=GOAL_DAYS)
        leaves = next((at for at in orders if at <= window_ends), None) if self.has_goal else None
        for place, (kind, number) in enumerate(self.steps):
            if kind == "pause":
                now += timedelta(hours=number)
            elif kind == "keep" and who % (2 + number % 2) != number % 2:
                return mails
            elif kind == "await":
                due = now + timedelta(hours=number)
                came = next((at for at in orders if at >= START and _ceil(at) <= _ceil(due)), None)
                now = max(now, min(due, _ceil(came))) if came is not None else due
            if leaves is not None and _ceil(leaves) <= _ceil(now):
                return mails
            if kind == "mail":
                mails.append(f"n{place}")
        return mails


def _ceil(moment: datetime) -> datetime:
    """When a virtual clock comes to a moment: at the next multiple of its step."""
    return moment + (-(moment - START)) % STEP


def play(case: Case) -> World:
    """The world after the campaign, killed and begun again as the case says."""
    mishaps = {f"p{who}@example.invalid": list(_MISHAPS[kind]) for who, kind in case.mishaps.items()}
    world = World(people=case.people, sizes=Sizes(chunk=case.chunk, send=3), mailer=FakeMailer(mishaps))
    world.happen(*(("order", who, minutes) for who, minutes in case.orders))
    world.begin(case.workflow())
    for write in case.kills:
        world.die_at(write, is_after=bool(write % 2))
        try:
            world.go()
        except (Killed, BaseExceptionGroup):
            continue
        finally:
            world.runs.fault.is_dead = False
            world.runs.fault.at = -1
    for _ in range(LEGS_MAX):
        if world.go() == "done":
            break
    return world


def verdict(case: Case, world: World) -> str:
    """Empty when everything is as the plain model says; otherwise what is not."""
    wanted, got = case.expected(), world.mailed()
    told = [] if got == wanted else [f"too many {got - wanted}, too few {wanted - got}"]
    sent = Counter(
        (f"p{who}", step) for who, step in world.contact_events("sent").select("contact_id", "node_id").iter_rows()
    )
    if sent != wanted:
        told.append(f"events tell another story: too many {sent - wanted}, too few {wanted - sent}")
    if world.view().state != "done" or world.runs.pending("r1"):
        told.append(f"it is {world.view().state} with {len(world.runs.pending('r1'))} pieces of work left")
    return "; ".join(told)


def main() -> int:
    case = Case.of(int(sys.argv[1]))
    said = verdict(case, play(case))
    print(case, said or "as expected", sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
