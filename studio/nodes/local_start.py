"""Starting everybody at the same time of day where they live: who starts between two looks at the clock.

Absent on purpose: when the clock is looked at in the one zone of a workflow (`trigger/schedule.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import polars as pl

from studio.nodes.cadence import Cadence

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """Moments after `after` and up to `upto` start people; `following`: the next one found so far, in any zone."""

    after: datetime
    upto: datetime
    following: datetime | None = None

    def text(self) -> str:
        """As a part of a cursor."""
        return "|".join(moment.isoformat() if moment else "" for moment in (self.after, self.upto, self.following))

    @classmethod
    def read(cls, text: str) -> Look:
        """The look that `text` wrote down."""
        after, upto, following = (datetime.fromisoformat(part) if part else None for part in text.split("|"))
        assert after is not None, "a look has two ends"
        assert upto is not None, "a look has two ends"
        return cls(after, upto, following)


@dataclass(frozen=True, slots=True)
class LocalStart:
    """`cadence`: of a zone. From `begin` to `end`, in each zone at most `times`; not for moments before `oldest`."""

    cadence: Callable[[str], Cadence]
    begin: datetime
    end: datetime
    times: int | None
    oldest: datetime | None = None

    def starting(self, zones: pl.Series, look: Look) -> tuple[pl.Series, datetime | None]:
        """Per row whether somebody in that zone starts now, and the next moment in any of the zones."""
        found = {zone: self._in(zone, look) for zone in zones.unique()}
        hit = zones.replace_strict(list(found), [hit for hit, _ in found.values()], return_dtype=pl.Boolean())
        return hit, min((moment for _, moment in found.values() if moment is not None), default=None)

    def following(self, zone: str, look: Look) -> datetime | None:
        """The next moment after the look in a zone."""
        return self._in(zone, look)[1]

    def _in(self, zone: str, look: Look) -> tuple[bool, datetime | None]:
        cadence, end, is_hit = self.cadence(zone), self.end, False
        if self.times is not None:
            allowed = list(islice(cadence.moments(self.begin, end), self.times))
            end = allowed[-1] if allowed else self.begin - TICK
        for moment in cadence.moments(look.after + TICK, end):
            if moment > look.upto:
                return is_hit, moment
            is_hit = is_hit or self.oldest is None or moment >= self.oldest
        return is_hit, None
