"""Makes the profile of a run, and says what is far from the profiles of earlier ones.

Absent on purpose: what counts as far (`domain/norms.py`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

import polars as pl

from studio.domain.norms import Alarm, Profile, alarms, read_profile
from studio.domain.port_words import labels_of
from studio.domain.ports import Contacts, Runs
from studio.engine.memory import RunMemory
from studio.engine.plan import Step
from studio.frames.samples import place_of

KEPT = "profile"
_FIELDS_MAX = 100


class Norms:
    """What is usual for a run's workflow, by its option `earlier_runs` (ids, oldest first)."""

    def __init__(self, memory: RunMemory, runs: Runs, contacts: Contacts) -> None:
        self._memory = memory
        self._contacts = contacts
        self._told: set[tuple[str, str]] = set()
        earlier = memory.run.options.get("earlier_runs")
        self._earlier = list(_profiles(runs, earlier if isinstance(earlier, list) else ()))

    def alarms(self, nodes: Collection[str]) -> list[Alarm]:
        """What is far from usual at nodes that nobody comes to any more; each is told once."""
        if not self._earlier or not nodes:
            return []
        ways = {step.id: labels_of(step.declared.parameters) for step in self._memory.plan.steps.values()}
        found = alarms(self.profile(), self._earlier, nodes, {step.id for step in self._entrances()}, ways)
        fresh = [alarm for alarm in found if (alarm.node, alarm.code) not in self._told]
        self._told.update((alarm.node, alarm.code) for alarm in fresh)
        return fresh

    def to_bytes(self) -> bytes:
        """The run's own profile, for runs that follow."""
        return json.dumps(self.profile().as_json()).encode()

    def profile(self) -> Profile:
        """What the run looks like now."""
        view, entrances = self._memory.view, {step.id for step in self._entrances()}
        filled: dict[str, dict[str, tuple[str, float]]] = {}
        rows: dict[str, int] = {}
        for name, sample in self._memory.samples.items():
            node_id, port = place_of(name)
            if port is not None:
                place = f"{node_id}.{port}"
                frame = self._with_fields(sample) if node_id in entrances else sample
                filled[place], rows[place] = _filled(frame), frame.height
        return Profile(
            came={step.node_id: step.arrived for step in view.steps.values()},
            left={step.node_id: dict(step.out) for step in view.steps.values()},
            filled=filled,
            rows=rows,
        )

    def _entrances(self) -> Iterable[Step]:
        return (*self._memory.plan.sources, *self._memory.plan.triggers)

    def _with_fields(self, sample: pl.DataFrame) -> pl.DataFrame:
        contacts = self._contacts.at(self._memory.scheduler.now)
        names = contacts.names()[:_FIELDS_MAX]
        fields = contacts.fields(sample.get_column("contact_id").unique().sort(), names)
        renamed = fields.rename({name: f"field.{name}" for name in names})
        return sample.join(renamed, on="contact_id", how="left")


def _filled(frame: pl.DataFrame) -> dict[str, tuple[str, float]]:
    columns = [c for c in frame.get_columns() if c.name.startswith(("var.", "field."))]
    return {c.name.removeprefix("field."): (str(c.dtype), round(_empty(c) / max(frame.height, 1), 4)) for c in columns}


def _empty(column: pl.Series) -> int:
    blank = int((column == "").sum()) if column.dtype == pl.String else 0
    return column.null_count() + blank


def _profiles(runs: Runs, run_ids: Iterable[object]) -> Iterable[Profile]:
    for run_id in run_ids:
        kept = runs.kept(str(run_id), KEPT).get(KEPT)
        if kept is not None:
            yield read_profile(json.loads(kept))
