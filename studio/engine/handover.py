"""Handing letters over to the mail server, several connections at a time.

Absent on purpose: what a failure means for the run, beyond this batch.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from studio.domain.errors import StudioError
from studio.domain.mail import Deferred, Envelope, InDoubt, LookupAnswer, MailSession, Refused
from studio.domain.web import WebRequest
from studio.engine.attempts import reason_of
from studio.engine.book import Book
from studio.engine.sessions import Connections, Unreachable

_LOSSES_MAX = 3
_LOOKUPS_MAX = 3

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Post:
    """A letter on its way. `losses`: how many connections broke while it was handed over."""

    row: int
    envelope: Envelope | WebRequest
    losses: int = 0
    is_intended: bool = False


class HandOver:
    """Sends a queue of letters and notes in the book what became of each. Those left in the queue were not touched."""

    def __init__(
        self,
        queue: deque[Post],
        book: Book,
        connections: Connections,
        *,
        is_asked_to_stop: Callable[[], bool],
        progress: Callable[[], Awaitable[None]],
    ) -> None:
        self._queue = queue
        self._book = book
        self._connections = connections
        self._is_asked_to_stop = is_asked_to_stop
        self._progress = progress

    async def run(self) -> None:
        """Returns when the queue is empty, or sending has to stop (`Book.result.stopped`, or by wish)."""
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._connections.most, len(self._queue))):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        session: MailSession | None = None
        try:
            while self._goes_on():
                if session is not None and not session.is_open:
                    # Given back before another is asked for: that may raise, and this one must not be counted twice.
                    self._connections.give_back(session)
                    session = None
                session = session or await self._connections.take()
                if session is None:
                    return
                await self._connections.turn()
                if self._goes_on():
                    await self._hand_over(session, self._queue.popleft())
                    await self._progress()
        except Unreachable as error:
            # Noted instead of raised: the other connections must finish the letters they are at.
            self._book.result.stopped = error
        finally:
            if session is not None:
                self._connections.give_back(session)

    def _goes_on(self) -> bool:
        return bool(self._queue) and self._book.result.stopped is None and not self._is_asked_to_stop()

    async def _hand_over(self, session: MailSession, post: Post) -> None:
        async def intend() -> None:
            post.is_intended = True
            await self._book.intend(post.row)

        try:
            accepted = await session.send(post.envelope, intend)
        except InDoubt as error:
            await self._doubtful(post, error)
        except Deferred as error:
            self._deferred(post, error)
        except Refused as error:
            self._refused(post, error)
        except Exception as error:
            if self._book.has_failed:
                raise
            self._choked(post, error)
        else:
            self._connections.note_success()
            self._book.sent(post.row, taken=accepted.taken)

    def _deferred(self, post: Post, error: Deferred) -> None:
        if error.about != "connection":
            self._book.try_again(post.row, error, is_counted=post.is_intended)
            self._note_answer(post, error)
            return
        post.losses += 1
        if post.losses < _LOSSES_MAX:
            self._put_back(post)
        else:
            # Perhaps it is this very letter that breaks connections: its neighbours go first.
            self._book.try_again(post.row, error, is_counted=post.is_intended)
        self._connections.note_loss(error)

    def _refused(self, post: Post, error: Refused) -> None:
        if error.about in ("recipient", "message"):
            self._connections.note_success()
            is_bounce = error.about == "recipient" and error.reply is not None
            bounce = error.reply.bounce_class if is_bounce and error.reply else None
            self._book.fail(post.row, error.code, error.message, bounce)
            return
        self._put_back(post)
        raise Unreachable(error.code, error.message, hint=error.hint or "Check the sending profile.") from error

    def _choked(self, post: Post, error: Exception) -> None:
        log.error("the mail connector failed at a letter", exc_info=error)
        code, message, _ = reason_of(error)
        if post.is_intended:
            self._book.doubt(post.row, message)
        else:
            self._book.fail(post.row, code, message)

    async def _doubtful(self, post: Post, error: InDoubt) -> None:
        answer = await look_up(self._connections, error.message_id)
        if answer == "accepted":
            self._book.sent(post.row)
        elif answer == "unknown_to_server":
            text = "The connection was lost, and the mail server says it has not got the message."
            self._deferred(post, Deferred("MAIL-LOST", text, about="connection"))
        else:
            self._book.doubt(post.row, error.message)
            if isinstance(post.envelope, WebRequest):
                self._connections.note_busy(post.envelope.recipient, error)

    def _note_answer(self, post: Post, error: Deferred) -> None:
        """A mail server that puts one message off takes others; a web service is one place with one load."""
        if isinstance(post.envelope, WebRequest):
            self._connections.note_busy(post.envelope.recipient, error)
        else:
            self._connections.note_success()

    def _put_back(self, post: Post) -> None:
        if post.is_intended:
            self._book.back_to_plan(post.row)
            post.is_intended = False
        self._queue.appendleft(post)


async def look_up(connections: Connections, message_id: str) -> LookupAnswer | None:
    """What the server knows of a message; None when it cannot be asked."""
    for _ in range(_LOOKUPS_MAX):
        session: MailSession | None = None
        try:
            session = await connections.take()
            return None if session is None else await session.lookup(message_id)
        except Deferred as error:
            log.info("the mail server could not tell about %s yet: %s", message_id, error)
        except StudioError as error:
            log.info("the mail server cannot be asked about %s: %s", message_id, error)
            return None
        finally:
            if session is not None:
                connections.give_back(session)
    return None
