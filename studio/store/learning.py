"""What was learnt: promoted parameters with their way back, experiments with every look at them, outcomes, impressions.

Looks and impressions are only ever appended. Absent on purpose: any statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.domain.template import PastOutcome, Prediction
from studio.store import schema
from studio.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A template parameter got another default, with where that came from."""

    id: int
    template: str
    parameter: str
    from_value: JsonValue
    to_value: JsonValue
    experiment_id: str | None
    run_id: str | None
    at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExperiment:
    """An experiment of a run. `planned_total` is N* over all arms, fixed at the start; `decision` None: still open."""

    id: str
    run_id: str
    node_id: str
    spec: Mapping[str, JsonValue]
    planned_total: int
    alpha: float
    started_at: datetime
    decision: Mapping[str, JsonValue] | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One template shown at one place of a slate, with the probability the policy gave it to stand there."""

    slate: str
    template: str
    position: int
    score: float
    propensity: float
    policy: str
    context_hash: str
    at: datetime
    chosen_at: datetime | None = None


class Learning:
    """Promotions, experiments, outcomes and impressions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def promote(
        self,
        *,
        template: str,
        parameter: str,
        from_value: JsonValue,
        to_value: JsonValue,
        at: datetime,
        experiment_id: str | None = None,
        run_id: str | None = None,
    ) -> Promotion:
        """Makes `to_value` the parameter's default from now on."""
        values = {"template": template, "parameter": parameter, "from_value": from_value, "to_value": to_value}
        values |= {"experiment_id": experiment_id, "run_id": run_id, "at": at}
        with self._database.write() as connection:
            number = connection.execute(schema.promotions.insert(), values).inserted_primary_key[0]
        return Promotion(**values, id=number, undone_at=None)

    def undo_promotion(self, promotion_id: int, at: datetime) -> Promotion:
        """Takes a promotion back: the one before it, or the template's own default, holds again.

        Raises:
            UserFixable: PROMOTION-UNKNOWN, PROMOTION-UNDONE.
        """
        table = schema.promotions
        with self._database.write() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == promotion_id)).mappings().first()
            if row is None:
                hint = "The template's history shows its promotions."
                raise UserFixable("PROMOTION-UNKNOWN", f"There is no promotion {promotion_id}.", hint=hint)
            if row["undone_at"] is not None:
                raise UserFixable("PROMOTION-UNDONE", "This change was taken back already.", hint="Nothing to do.")
            connection.execute(table.update().where(table.c.id == promotion_id), {"undone_at": at})
        return Promotion(**{**row, "undone_at": at})

    def promotions(self, template: str | None = None) -> list[Promotion]:
        """Every promotion, undone ones too, oldest first."""
        table = schema.promotions
        query = sa.select(table).order_by(table.c.id)
        if template is not None:
            query = query.where(table.c.template == template)
        with self._database.read() as connection:
            return [Promotion(**row) for row in connection.execute(query).mappings()]

    def start_experiment(self, experiment: StoredExperiment) -> None:
        """Keeps an experiment as it starts; one that is there already stays as it was fixed then."""
        table = schema.experiments
        with self._database.write() as connection:
            if connection.execute(sa.select(table.c.id).where(table.c.id == experiment.id)).first() is None:
                connection.execute(table.insert(), asdict(experiment))

    def experiments(self, run_id: str | None = None) -> list[StoredExperiment]:
        """Experiments, of one run or of all, the first one started first."""
        table = schema.experiments
        query = sa.select(table).order_by(table.c.started_at, table.c.id)
        if run_id is not None:
            query = query.where(table.c.run_id == run_id)
        with self._database.read() as connection:
            return [StoredExperiment(**row) for row in connection.execute(query).mappings()]

    def decide(self, experiment_id: str, decision: Mapping[str, JsonValue], at: datetime) -> None:
        """Keeps the decision. A second decision takes the place of the first."""
        table = schema.experiments
        values = {"decision": dict(decision), "decided_at": at}
        with self._database.write() as connection:
            if not connection.execute(table.update().where(table.c.id == experiment_id), values).rowcount:
                hint = "The list of experiments shows the ids there are."
                raise UserFixable("EXPERIMENT-UNKNOWN", f"There is no experiment {experiment_id}.", hint=hint)

    def save_outcome(self, outcome: PastOutcome, at: datetime) -> None:
        """Keeps how a run did; measured again, the newer measurement counts."""
        table = schema.outcomes
        values = {"run_id": outcome.run_id, "template": outcome.template, "outcome": asdict(outcome), "at": at}
        with self._database.write() as connection:
            connection.execute(table.delete().where(table.c.run_id == outcome.run_id))
            connection.execute(table.insert(), values)

    def outcomes(self, template: str | None = None) -> list[PastOutcome]:
        """What is known of finished runs, oldest measurement first."""
        table = schema.outcomes
        query = sa.select(table.c.outcome).order_by(table.c.at, table.c.run_id)
        if template is not None:
            query = query.where(table.c.template == template)
        with self._database.read() as connection:
            return [_outcome(row) for row in connection.execute(query).scalars()]

    def add_impressions(self, impressions: Sequence[Impression]) -> None:
        """Keeps what a slate of recommendations showed. A slate that is kept already stays as it is."""
        table = schema.impressions
        slates = {impression.slate for impression in impressions}
        with self._database.write() as connection:
            kept = set(connection.execute(sa.select(table.c.slate).where(table.c.slate.in_(slates))).scalars())
            rows = [asdict(impression) for impression in impressions if impression.slate not in kept]
            if rows:
                connection.execute(table.insert(), rows)

    def choose(self, slate: str, template: str, at: datetime) -> None:
        """Somebody took this template from that slate; the first time counts."""
        table = schema.impressions
        chosen = table.update().where(table.c.slate == slate, table.c.template == template, table.c.chosen_at.is_(None))
        with self._database.write() as connection:
            connection.execute(chosen, {"chosen_at": at})

    def impressions(self, slate: str | None = None) -> list[Impression]:
        """What was shown, in order of showing and position."""
        table = schema.impressions
        columns = [column for column in table.c if column.name != "id"]
        query = sa.select(*columns).order_by(table.c.id)
        if slate is not None:
            query = query.where(table.c.slate == slate)
        with self._database.read() as connection:
            return [Impression(**row) for row in connection.execute(query).mappings()]

    def last_showing(self, context_hash: str) -> list[Impression]:
        """The cards last shown for a business, by position; empty before the first time."""
        table = schema.impressions
        query = sa.select(table.c.slate).where(table.c.context_hash == context_hash).order_by(table.c.id.desc())
        with self._database.read() as connection:
            slate = connection.execute(query.limit(1)).scalar_one_or_none()
        return [] if slate is None else self.impressions(slate)


def _outcome(stored: Mapping[str, Any]) -> PastOutcome:
    predicted = {name: Prediction(**value) for name, value in stored["predicted"].items()}
    return PastOutcome(**{**stored, "predicted": predicted})
