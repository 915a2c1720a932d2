"""A mail server in memory, for tests and the engine's simulations: same promises as `smtp`, misfortune by script.

Deterministic: what happens depends on recipient and number of the try, never on time. Absent on purpose: the network,
and everything about how a message looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.domain.mail import (
    CLOSING,
    About,
    Accepted,
    Deferred,
    Envelope,
    InDoubt,
    LookupAnswer,
    Reply,
    failure_of,
)

Moment = Literal["mail", "rcpt", "data", "body", "dot", "accepted"]
"""When it happens: at a command, after the body, after the final dot (not kept), after the message was kept."""

_ABOUT: dict[Moment, About] = {"mail": "sender", "rcpt": "recipient"}


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong with one try: the server gives `answer`, or the connection drops, or nothing comes at all."""

    at: Moment
    answer: Reply | Literal["drop", "silence"]


class FakeMailer:
    """Opens sessions that share one mailbox.

    `mishaps` maps a recipient to what happens at his first, second, ... try; None and later tries succeed.
    `failing_opens` is how many of the next `open` calls find no server; it counts down.
    """

    def __init__(
        self, mishaps: Mapping[str, Sequence[Mishap | None]] | None = None, *, can_look_up: bool = True
    ) -> None:
        self.accepted: list[Envelope] = []
        self.failing_opens = 0
        self.sessions_opened = 0
        self._mishaps = dict(mishaps or {})
        self._tries: Counter[str] = Counter()
        self._can_look_up = can_look_up

    async def open(self) -> FakeSession:
        if self.failing_opens:
            self.failing_opens -= 1
            raise Deferred("MAIL-CONNECT", "The mail server cannot be reached.", about="connection")
        self.sessions_opened += 1
        return FakeSession(self)

    def next_mishap(self, recipient: str) -> Mishap | None:
        """Counts a try and says what goes wrong with it."""
        script = self._mishaps.get(recipient, ())
        number = self._tries[recipient]
        self._tries[recipient] += 1
        return script[number] if number < len(script) else None

    def look_up(self, message_id: str) -> LookupAnswer | None:
        if not self._can_look_up:
            return None
        known = any(envelope.message_id == message_id for envelope in self.accepted)
        return "accepted" if known else "unknown_to_server"


class FakeSession:
    """See `studio.domain.mail.MailSession`."""

    def __init__(self, mailer: FakeMailer) -> None:
        self._mailer = mailer
        self._is_open = True

    @property
    def is_open(self) -> bool:
        return self._is_open

    async def send(self, envelope: Envelope, before_final_dot: Callable[[], Awaitable[None]]) -> Accepted:
        self._require_open()
        mishap = self._mailer.next_mishap(envelope.recipient)
        if mishap is not None and mishap.at in ("mail", "rcpt", "data"):
            raise self._refusal(mishap)
        try:
            await before_final_dot()
        except BaseException:
            self._is_open = False
            raise
        if mishap is not None and mishap.at == "body":
            self._is_open = False
            raise self._refusal(mishap)
        if mishap is None or mishap.at == "accepted":
            self._mailer.accepted.append(envelope)
        if mishap is None:
            return Accepted(Reply(250, "2.0.0 Ok"))
        if isinstance(mishap.answer, Reply):
            raise self._refusal(mishap)
        self._is_open = False
        raise InDoubt(envelope.message_id, f"The mail server did not confirm the message to {envelope.recipient}.")

    def _refusal(self, mishap: Mishap) -> Exception:
        if not isinstance(mishap.answer, Reply):
            self._is_open = False
            text = "The connection failed before the message was handed over."
            return Deferred("MAIL-LOST", text, about="connection")
        if mishap.answer.status == CLOSING:
            self._is_open = False
        return failure_of(mishap.answer, _ABOUT.get(mishap.at, "message"))

    async def lookup(self, message_id: str) -> LookupAnswer | None:
        self._require_open()
        return self._mailer.look_up(message_id)

    async def close(self) -> None:
        self._is_open = False

    def _require_open(self) -> None:
        if not self._is_open:
            raise Deferred("MAIL-LOST", "The connection is closed.", about="connection")
