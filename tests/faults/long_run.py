"""Many kill trials in a row: `python -m tests.faults.long_run 500`, or thousands in parts with a state file.

Prints one JSON document with what they came to; exit code 1 when anything was sent twice, lost, left undone or damaged.
A run that is stopped goes on where its state file says.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Literal, TypeAlias

from tests.faults.races import Race, races, run_race
from tests.faults.sink import SinkProcess
from tests.faults.trial import Bench, Plan, Tally, failing_calls, plans

TOLD_EVERY = 25


Kind: TypeAlias = Literal["kills", "calls", "races"]


def run_trials(wanted: int, *, seed: int, state: Path | None = None, kind: Kind = "kills") -> Tally:
    """Carries out trials until there are so many. `state`: where to go on, and to leave word after every few."""
    found = json.loads(state.read_text()) if state is not None and state.exists() else {}
    total = Tally.of_json(found["tally"]) if found else Tally()
    seconds, failed = found.get("seconds", 0.0), found.get("failed", [])
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", dir=memory)))
        bench = stack.enter_context(Bench(stack.enter_context(SinkProcess()), folder))
        began = time.monotonic()
        for plan in itertools.islice(_trials(bench, kind, seed), total.trials, wanted):
            tally = run_race(bench, plan) if isinstance(plan, Race) else bench.run(plan)
            total.add(tally)
            if not tally.is_clean:
                failed.append({"plan": asdict(plan), "tally": tally.as_json()})
                print(f"{plan} came to {tally.as_json()}", file=sys.stderr, flush=True)
            if state is not None and (total.trials % TOLD_EVERY == 0 or total.trials == wanted):
                spent = seconds + time.monotonic() - began
                _keep(state, {"seed": seed, "seconds": spent, "tally": total.as_json(), "failed": failed})
    return total


def _trials(bench: Bench, kind: Kind, seed: int) -> Iterator[Plan | Race]:
    match kind:
        case "kills":
            return plans(bench, seed)
        case "calls":
            return failing_calls(seed)
        case "races":
            return races(seed)


def _keep(path: Path, document: object) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1))
    fresh.replace(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trials", type=int, help="how many there are to be, those of the state file included")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="a file that keeps what was done, so that it can be done in parts")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--calls", action="store_const", dest="kind", const="calls", help="system calls fail (strace)")
    kinds.add_argument("--races", action="store_const", dest="kind", const="races", help="several start at once")
    parser.set_defaults(kind="kills")
    asked = parser.parse_args()
    total = run_trials(asked.trials, seed=asked.seed, state=asked.state, kind=asked.kind)
    print(json.dumps(total.as_json(), indent=1))
    return 0 if total.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
