"""Workflows that nobody would draw, out of a seed: every kind of step, ways that divide, meet and go round.

Each is run twice. Once it is left alone; once it is killed, paused, stopped, stepped through, held at breakpoints, cut
at moments and moved to another version of itself, again and again. Who did what, when, by which way, who got which
message and which fields were changed must be the same both times.

`python -m tests.faults.wild 4711` plays a seed again; `python -m tests.faults.wild 100 200` all seeds from 100 to 199.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.debugging import parse_breakpoint
from studio.domain.mail import Reply
from studio.domain.validation import check
from studio.domain.workflow import Workflow, parse_workflow
from studio.engine.control import Control
from studio.engine.draft import Sizes
from studio.engine.moving import move, preview
from studio.engine.plan import compile_plan
from studio.nodes.discovery import catalogue
from tests.engine import nodes as test_nodes
from tests.engine.bench import START, World
from tests.engine.memory_store import Killed, MemoryContacts

CATALOGUE = {**catalogue(), **test_nodes.CATALOGUE}
STEP = timedelta(minutes=15)
LEGS_MAX = 400
# A refusal for good only: after a kill a server that was busy once may not be busy any more, and mail goes out earlier.
_REFUSED = Mishap("rcpt", Reply(550, "5.1.1 no such user"))
_COUNTRIES = ("DE", "FR", "JP")
_ZONES = {"DE": "Europe/Berlin", "FR": "Europe/Paris", "JP": "Asia/Tokyo"}


class People(MemoryContacts):
    """People with a country, a zone and a number."""

    def fields(self, ids: pl.Series, names: Sequence[str]) -> pl.DataFrame:
        known = super().fields(ids, names)
        countries = [_COUNTRIES[i % 3] for i in ids]
        own = {"country": countries, "timezone": [_ZONES[c] for c in countries], "points": [i * 7 % 11 for i in ids]}
        return known.with_columns(pl.Series(name, own[name]) for name in names if name in own)

    def names(self) -> tuple[str, ...]:
        return (*super().names(), "country", "timezone", "points")


@dataclass
class Drawn:
    """A workflow as it is being drawn: steps, edges, and the ways that lead nowhere yet."""

    chance: random.Random
    nodes: dict[str, dict] = field(default_factory=dict)
    edges: list[tuple[tuple[str, str], str]] = field(default_factory=list)
    loose: list[tuple[str, str]] = field(default_factory=list)

    def add(self, kind: str, parameters: dict, ports: Sequence[str], sources: Sequence[tuple[str, str]], **more) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes[name] = {"id": name, "type": kind, "parameters": parameters, **more}
        self.edges += [(source, name) for source in sources]
        self.loose += [(name, port) for port in ports]
        return name

    def take(self) -> list[tuple[str, str]]:
        """One or two loose ends; seldom one of them stays loose, so that the ways divide there."""
        count = 2 if len(self.loose) > 1 and self.chance.random() < 0.4 else 1
        taken = self.chance.sample(self.loose, count)
        for end in taken:
            if self.chance.random() > 0.15:
                self.loose.remove(end)
        return taken

    def draw(self) -> None:
        """One more step, or a loop with what is in it."""
        kind = self.chance.choice(_KINDS)
        if kind is _loop:
            self._draw_loop()
        else:
            kind_id, parameters, ports, more = kind(self.chance)
            self.add(kind_id, parameters, ports, self.take(), **more)

    def _draw_loop(self) -> None:
        loop = self.add("flow.loop", {"most": self.chance.randrange(1, 4)}, ["done"], self.take())
        end = (loop, "body")
        for make in self.chance.sample((_set_fields, _delay, _mail, _count, _split), self.chance.randrange(1, 3)):
            kind, parameters, ports, more = make(self.chance)
            name = self.add(kind, parameters, (), [end], **more)
            end = (name, ports[0])
            self.edges += [((name, port), loop) for port in ports[1:]]
        self.edges.append((end, loop))

    def workflow(self) -> Workflow:
        edges = [{"from": list(source), "to": [target, "in"]} for source, target in self.edges]
        starts = [source for source, _ in self.edges]
        if len(set(starts)) < len(starts) or self.nodes["n0"]["type"] == "trigger.event":
            # Which of his journeys is let on first is nobody's promise.
            for node in self.nodes.values():
                if node["type"] == "flow.throttle":
                    node["parameters"]["rate"] = 10_000_000
        document = {"name": "Wild", "nodes": list(self.nodes.values()), "edges": edges}
        return parse_workflow(json.dumps(document))


_Made = tuple[str, dict, tuple[str, ...], dict]
_PATIENT = {"on_error": "skip", "retry": {"max": 5, "backoff": "PT1M", "jitter": 0.1}}


def _filter(chance: random.Random) -> _Made:
    rule = chance.choice(("points > 4", 'country == "DE"', 'has("order")', 'points > 2 and not has("order")'))
    return "audience.filter", {"rule": rule}, ("pass", "fail"), {}


def _branch(chance: random.Random) -> _Made:
    rules = [{"id": "a", "rule": f"points < {chance.randrange(1, 10)}"}, {"id": "b", "rule": 'country == "FR"'}]
    return "flow.branch", {"conditions": rules}, ("a", "b", "else"), {}


def _switch(_: random.Random) -> _Made:
    cases = [{"id": "de", "values": "DE"}, {"id": "rest", "values": "FR, JP"}]
    return "flow.switch", {"value": "country", "cases": cases}, ("de", "rest", "else"), {}


def _delay(chance: random.Random) -> _Made:
    made: dict = {"duration": f"PT{chance.randrange(1, 60)}H"}
    if chance.random() < 0.3:
        made["until"] = f"{chance.randrange(24):02}:30"
    if chance.random() < 0.3:
        made["jitter"] = "PT3H"
    return "flow.delay", made, ("out",), {}


def _time_window(chance: random.Random) -> _Made:
    start = chance.randrange(6, 12)
    made = {"days": ["mon", "wed", "fri"], "start": f"{start:02}:00", "end": f"{start + 5:02}:00"}
    return "flow.time_window", made, ("out",), {}


def _wait_for(chance: random.Random) -> _Made:
    already = chance.choice(("since_entry", "from_now"))
    made = {
        "branches": [{"id": "came", "event": "order"}],
        "timeout": f"P{chance.randrange(1, 9)}D",
        "already": already,
    }
    return "flow.wait_for", made, ("came", "timeout"), {}


def _throttle(chance: random.Random) -> _Made:
    # Each person alone: which of several who come at one instant is let on first is nobody's promise.
    return "flow.throttle", {"rate": chance.randrange(1, 5), "per": "day", "key": "key"}, ("out",), {}


def _merge(chance: random.Random) -> _Made:
    if chance.random() < 0.5:
        return "flow.merge", {"wait_for": "any"}, ("out",), {}
    return "flow.merge", {"wait_for": "all", "timeout": f"P{chance.randrange(1, 9)}D"}, ("out", "timeout"), {}


def _exit(_: random.Random) -> _Made:
    return "flow.exit", {"reason": "enough"}, (), {}


def _split(_: random.Random) -> _Made:
    return "exp.split", {"variants": [{"id": "A", "value": 1}, {"id": "B", "value": 2}]}, ("A", "B"), {}


def _holdout(_: random.Random) -> _Made:
    return "exp.holdout", {"share": 0.3}, ("out", "held"), {}


def _set_fields(_: random.Random) -> _Made:
    return "data.set_fields", {"fields": [{"name": "twice", "value": "points * 2"}]}, ("out",), {}


def _count(_: random.Random) -> _Made:
    return "data.count", {"by": "country"}, ("out",), {}


def _record(_: random.Random) -> _Made:
    return "data.event", {"event": "noted"}, ("out",), {}


def _update(_: random.Random) -> _Made:
    changes = [{"action": "increment", "field": "points", "value": 1}]
    return "data.update", {"changes": changes}, ("out",), {}


def _mail(_: random.Random) -> _Made:
    return "test.mail", {}, ("out",), _PATIENT


def _loop(_: random.Random) -> _Made:
    raise NotImplementedError


_KINDS: tuple[Callable[[random.Random], _Made], ...] = (
    _filter, _branch, _switch, _delay, _delay, _time_window, _wait_for, _wait_for, _throttle, _merge, _merge, _exit,
    _split, _holdout, _set_fields, _count, _record, _update, _mail, _mail, _mail, _loop,
)  # fmt: skip


def divides(flow: Workflow) -> bool:
    """Whether somebody may be in two places: where his ways meet at once he is met once, otherwise twice."""
    starts = [edge.from_ for edge in flow.edges]
    return len(set(starts)) < len(starts)


@dataclass(frozen=True)
class Case:
    """Everything that a seed stands for."""

    seed: int
    flow: Workflow
    people: int
    events: tuple[tuple[str, int, float], ...]
    refused: tuple[int, ...]
    chunk: int

    @classmethod
    def of(cls, seed: int) -> Case:
        chance = random.Random(seed)
        drawn, people = Drawn(chance), chance.randrange(3, 12)
        if chance.random() < 0.7:
            drawn.add("test.people", {"count": people}, ("out",), ())
        else:
            drawn.add("trigger.event", {"event": "cart", "re_entry": "every_time"}, ("out",), ())
        for _ in range(chance.randrange(3, 11)):
            if drawn.loose:
                drawn.draw()
        if drawn.loose and chance.random() < 0.5:
            action = chance.choice(("exit", "continue"))
            goal = {"event": "order", "window": "P10D", "action": action}
            drawn.add("flow.goal", goal, (), drawn.loose[:2])
        events = [("order", chance.randrange(people), chance.uniform(1, 60 * 24 * 14)) for _ in range(people)]
        events += [("cart", chance.randrange(people), chance.uniform(1, 60 * 24 * 5)) for _ in range(people)]
        return cls(
            seed=seed,
            flow=drawn.workflow(),
            people=people,
            events=tuple(events),
            refused=tuple(who for who in range(people) if chance.random() < 0.2),
            chunk=chance.choice((2, 5, 100)),
        )

    def world(self) -> World:
        mishaps = {f"p{who}@example.invalid": [_REFUSED] * 99 for who in self.refused}
        sizes = Sizes(chunk=self.chunk, send=3)
        made = World(sizes=sizes, contacts=People(self.people), mailer=FakeMailer(mishaps), catalogue=CATALOGUE)
        made.happen(*self.events)
        made.begin(self.flow, mode="test" if self.seed % 3 else "simulate")
        return made


def left_alone(case: Case) -> World:
    """The world after an undisturbed run."""
    world = case.world()
    state = world.go()
    assert state == "done", f"left alone it is {state}: {world.view().message}"
    return world


def disturbed(case: Case) -> World:
    """The world after a run that everything happened to."""
    world, chance = case.world(), random.Random(f"{case.seed} disturbed")
    for leg in range(LEGS_MAX):
        if world.runs.get("r1").state == "done" and not world.runs.pending("r1"):
            break
        _disturb(world, chance if leg < 25 else None)
    return world


def _disturb(world: World, chance: random.Random | None) -> None:
    """One leg, cut off in some way; without chance it is left alone."""
    # Whoever is held on one of his ways meets himself at another time, or not at all.
    may_be_held = not divides(world_flow(world))
    what = chance.choice(_DISTURBANCES[: None if may_be_held else _NOT_HOLDING]) if chance is not None else _nothing
    control, until = Control(), None
    if chance is not None:
        until = what(world, chance, control)
    try:
        world.go(until=until, control=control)
    except (Killed, BaseExceptionGroup):
        pass
    finally:
        world.runs.fault.is_dead = False
        world.runs.fault.at = -1


def _nothing(world: World, chance: random.Random, control: Control) -> None:
    return None


def _kill(world: World, chance: random.Random, control: Control) -> None:
    world.die_at(chance.randrange(1, 12), is_after=chance.random() < 0.5)


def _until(world: World, chance: random.Random, control: Control):
    at = world.runs.get("r1").at
    at += (START - at) % STEP
    return at + STEP * chance.randrange(1, 200)


def _stop(world: World, chance: random.Random, control: Control) -> None:
    getattr(control, chance.choice(("pause", "stop", "leave")))()


def _step(world: World, chance: random.Random, control: Control) -> None:
    control.step(steps=chance.randrange(1, 4), by=chance.choice(("node", "chunk")))


def _breakpoints(world: World, chance: random.Random, control: Control) -> None:
    steps = [node.id for node in world_flow(world).nodes if node.id != "n0"]
    texts = [f"before:{chance.choice(steps)}", f"{chance.choice(steps)}>{chance.randrange(5)}"] if steps else []
    texts.append(f"contact:{chance.randrange(5)}")
    control.watch([parse_breakpoint(text) for text in chance.sample(texts, 1 if chance.random() < 0.5 else 2)])


def _unwatched(world: World, chance: random.Random, control: Control) -> None:
    control.watch([])


def _move(world: World, chance: random.Random, control: Control) -> None:
    """To a version that is called something else; everybody stays where he is."""
    run, old = world.runs.get("r1"), world_flow(world)
    new = parse_workflow(old.to_json().replace('"name": "Wild', '"name": "Wild!'))
    assert new.content_hash() != old.content_hash()
    if any(work.kind in ("send", "doubt") for work in world.runs.pending("r1")):
        return
    rows = preview(world.runs, run, old, new, {})
    assert {row.fate for row in rows} <= {"stays"}
    world.runs.commit(move(world.runs, run, compile_plan(new, CATALOGUE), rows))


def world_flow(world: World) -> Workflow:
    """The version that the run is of."""
    return parse_workflow(world.runs.document(world.runs.get("r1").version))


_DISTURBANCES = (_kill, _kill, _kill, _until, _until, _stop, _move, _step, _breakpoints, _unwatched)
_NOT_HOLDING = 7


_ARMS = 6
"""The place of the arms in an event of `World.outcome`."""


def verdict(case: Case) -> str:
    """Empty when both runs came to the same; otherwise what differs."""
    problems = check(case.flow, CATALOGUE)
    if problems:
        return f"not a workflow: {[str(p) for p in problems][:2]}"
    calm, wild = left_alone(case), disturbed(case)
    told = []
    if wild.runs.get("r1").state != "done" or wild.runs.pending("r1"):
        pending = [(w.kind, w.node_id) for w in wild.runs.pending("r1")]
        told.append(f"it is {wild.runs.get('r1').state} with {pending[:5]}")
    wanted, got = calm.outcome(), wild.outcome()
    if divides(case.flow):
        wanted, got = _without_ways(wanted), _without_ways(got)
    for name in wanted:
        if wanted[name] != got[name]:
            told.append(f"{name}: {_difference(wanted[name], got[name])}")
    wanted_changes, got_changes = _changes(calm), _changes(wild)
    if wanted_changes != got_changes:
        told.append(f"changes: {_difference(wanted_changes, got_changes)}")
    return "; ".join(told)


def _without_ways(outcome: dict[str, Any]) -> dict[str, Any]:
    """What holds where one person comes to a step by two ways: everything but how often he is counted there, which is
    once if both bring him at the same instant, and which way's variants are named.
    """
    return {
        **outcome,
        "events": sorted(map(repr, ((*row[:_ARMS], *row[_ARMS + 1 :]) for row in outcome["events"]))),
        "entries": sorted(map(repr, (row[:-1] for row in outcome["entries"]))),
        "steps": {node_id: step[0] for node_id, step in outcome["steps"].items()},
    }


def _changes(world: World) -> list:
    frames = [frame for frame in world.runs.changes if frame.height]
    return sorted(map(repr, pl.concat(frames, how="diagonal_relaxed").rows())) if frames else []


def _difference(wanted: object, got: object) -> str:
    if isinstance(wanted, dict) and isinstance(got, dict):
        keys = [key for key in {**wanted, **got} if wanted.get(key) != got.get(key)]
        return ", ".join(f"{key}: {wanted.get(key)} but {got.get(key)}" for key in keys[:3])
    if isinstance(wanted, list) and isinstance(got, list):
        missing, more = [x for x in wanted if x not in got], [x for x in got if x not in wanted]
        return f"missing {missing[:3]}, too many {more[:3]} ({len(wanted)} and {len(got)})"
    return f"{wanted} but {got}"


def main() -> int:
    first, last = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(sys.argv[1]) + 1
    bad = 0
    for seed in range(first, last):
        case = Case.of(seed)
        try:
            said = verdict(case)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            if last - first == 1:
                raise
        if last - first == 1:
            print(case.flow.to_json())
        if said:
            bad += 1
            print(seed, said[:600], flush=True)
    print(f"{last - first} seeds, {bad} bad")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
