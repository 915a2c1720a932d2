"""Races of several processes for one workspace, and copies of it: one owner, and only the owner sends.

All open the workspace at the same moment; who gets it takes the run to its end. Meanwhile, while it is open, the folder
is copied, as a backup program or a sync folder does it, and the copy is told to go on too. Each race is one trial.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults import child
from tests.faults.child import BY_NAME
from tests.faults.trial import Bench, Judge, Tally, processes

WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Race:
    """So many processes for the workspace of a journey."""

    journey: str
    can_look_up: bool
    racers: int
    name: str


def races(seed: int) -> Iterator[Race]:
    """Races without end, of two and, every third, of three."""
    for number in itertools.count():
        journey = tuple(BY_NAME)[number % len(BY_NAME)]
        yield Race(journey, number % 2 == 0, 3 if number % 3 == 0 else 2, f"r{seed}-{number}")


def run_race(bench: Bench, race: Race) -> Tally:
    """Carries a race out."""
    folder, port, sender = (
        bench.copy(race.journey, race.name),
        bench.port(race.can_look_up),
        f"shop@{race.name}.invalid",
    )
    tally = Tally(trials=1)
    gate, over, answers = processes.Barrier(race.racers), processes.Event(), processes.Queue()
    about = (folder, race.journey, port, sender, gate, over, answers)
    racers = [processes.Process(target=child.race, args=about) for _ in range(race.racers)]
    for racer in racers:
        racer.start()
    for _ in racers:
        tally.ended[answers.get(timeout=WITHIN_S)] += 1
    # The owner has it open and has not begun: what a copy holds now is what will be sent.
    shutil.copytree(folder, folder.parent / "copy")
    over.set()
    for racer in racers:
        racer.join(WITHIN_S)
        tally.unfinished += racer.exitcode != 0
        racer.close()
    tally.not_one_owner += tally.ended["owner"] != 1
    _go_on_in_the_copy(bench, race, folder.parent / "copy", tally)
    Judge(BY_NAME[race.journey], folder, port, sender, bench.sink, tally).judge(resumed_after=0)
    shutil.rmtree(folder.parent)
    return tally


def _go_on_in_the_copy(bench: Bench, race: Race, folder: Path, tally: Tally) -> None:
    sender = f"copy@{race.name}.invalid"
    tally.ended[f"copy {child.clone(folder, race.journey, bench.port(race.can_look_up), sender)}"] += 1
    tally.sent_by_copies += sum(bench.sink.accepted(sender).values())
