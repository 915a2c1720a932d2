"""A step that decides a test ships a proven winner once: nothing unproven, simulated, or taken back before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from studio.domain.errors import UserFixable
from studio.domain.workflow import parse_workflow
from studio.engine.memory import NOTE
from studio.nodes.exp.decide import Verdict
from studio.workspace.deciding import ship_decided

AT = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Kept:
    """The store's part of it, and a trials story whose rule says what it is told to."""

    mode: str = "live"
    winner: str | None = "B"
    promote: bool = True
    is_proven: bool = True
    before: tuple[str, ...] = ()
    shipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def store(self) -> SimpleNamespace:
        promotions = [SimpleNamespace(experiment_id=name) for name in self.before]
        runs = SimpleNamespace(
            get=lambda _run_id: SimpleNamespace(mode=self.mode, version="v"),
            document=lambda _version: self._document(),
            kept=lambda _run_id, _prefix: self._notes(),
        )
        return SimpleNamespace(runs=runs, learning=SimpleNamespace(promotions=lambda: promotions))

    def ship(self, run_id: str, node_id: str) -> tuple[str, str]:
        if not self.is_proven:
            raise UserFixable("TRIAL-NO-WINNER", "No variant may be shipped.")
        self.shipped.append((run_id, node_id))
        return run_id, node_id

    def _notes(self) -> Mapping[str, bytes]:
        return {} if self.winner is None else {f"{NOTE}choose": Verdict(self.winner, AT).to_note().encode()}

    def _document(self) -> str:
        variants = [{"id": "A"}, {"id": "B"}]
        choose = {"test": "ab", "variants": variants, "promote": self.promote}
        return json.dumps({"name": "w", "nodes": [{"id": "choose", "type": "exp.decide", "parameters": choose}]})


def test_a_proven_winner_is_written_back() -> None:
    kept = Kept()
    assert parse_workflow(kept.store.runs.document("v")).name == "w"
    assert ship_decided(kept.store, kept, "r1") == [("r1", "ab")]


@pytest.mark.parametrize(
    "kept",
    [
        Kept(mode="simulate"),
        Kept(winner=None),
        Kept(winner="A"),
        Kept(promote=False),
        Kept(is_proven=False),
        Kept(before=("r1/ab",)),
    ],
    ids=["a simulation", "nothing decided", "the control stays", "not asked to", "not proven", "shipped before"],
)
def test_nothing_else_is(kept: Kept) -> None:
    assert ship_decided(kept.store, kept, "r1") == []
    assert kept.shipped == []
