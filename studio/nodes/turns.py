"""The cursors of sources that come back at later moments: which time it is, when it is due, how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """One time a source hands out contacts. `number` from 0; `after`: the last contact id looked at, -1 for none."""

    at: datetime
    after: int = -1
    number: int = 0
    extra: str = ""

    def text(self) -> str:
        """As a cursor, one part after another; `extra` may hold anything but a line break."""
        return f"{self.at.isoformat()}\n{self.after}\n{self.number}\n{self.extra}"

    @classmethod
    def read(cls, cursor: str) -> Turn:
        """The turn that `text` wrote down."""
        at, after, number, extra = cursor.split("\n", 3)
        return cls(datetime.fromisoformat(at), int(after), int(number), extra)

    def went_on(self, after: int) -> Turn:
        """The same time, further on in the audience."""
        return replace(self, after=after)


def next_turn(turn: Turn, at: datetime | None, extra: str = "") -> str | None:
    """The cursor of the next time; None when there is none."""
    return None if at is None else Turn(at, number=turn.number + 1, extra=extra).text()
