"""Letting a send node write a batch of messages, with the rows it cannot write set apart.

Absent on purpose: sending them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from studio.domain.errors import Transient
from studio.domain.node import Blocked, Composed, Letter, NodeContext, Sends
from studio.engine.attempts import attempt
from studio.engine.plan import Step


@dataclass(slots=True)
class Written:
    """Every instance of the batch in exactly one of these. failed: (instance, code, message)."""

    letters: list[Letter] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    failed: list[tuple[int, str, str]] = field(default_factory=list)
    later: list[tuple[int, Transient]] = field(default_factory=list)


async def compose(step: Step, batch: pl.DataFrame, context: NodeContext) -> Written:
    """Asks the node for its messages; a row that makes it fail costs no other row its message."""
    node = step.node
    assert isinstance(node, Sends), "only send nodes compose"

    async def call(part: pl.DataFrame) -> Composed:
        return _checked(part, await node.compose(part, context))

    attempted = await attempt(batch, call, step.timeout_s)
    written = Written()
    for composed in attempted.results:
        written.letters += composed.letters
        written.blocked += composed.blocked
        written.failed += [(item.instance_id, item.code, item.message) for item in composed.quarantined]
    for failure in attempted.failures:
        written.failed += [(instance, failure.code, failure.message) for instance in _ids(failure.rows)]
    for rows, error in attempted.later:
        written.later += [(instance, error) for instance in _ids(rows)]
    return written


def _checked(batch: pl.DataFrame, composed: Composed) -> Composed:
    """What was composed, once it is sure that it speaks of everybody once, under the Message-ID that was planned."""
    planned = dict(batch.select("instance_id", "message_id").iter_rows())
    met = [item.instance_id for item in (*composed.letters, *composed.blocked, *composed.quarantined)]
    assert len(met) == len(planned) and set(met) == set(planned), "the step lost messages, or wrote some twice"
    for letter in composed.letters:
        assert letter.envelope.message_id == planned[letter.instance_id], "a message changed its Message-ID"
    return composed


def _ids(rows: pl.DataFrame) -> Iterable[int]:
    return rows.get_column("instance_id")
