"""One SMTP connection as lines: replies in the order of their commands, writes that are known to have left.

Absent on purpose: connecting, TLS and login (aiosmtplib does them and hands its transport over), and what replies mean.
aiosmtplib's own protocol drops what arrives while no command waits, so it can neither pipeline nor notice a refusal
that a server sends in the middle of a body.
"""

from __future__ import annotations

import asyncio
from collections import deque

from studio.domain.mail import Reply

_REPLY_BYTES_MAX = 65_536
_TOO_LONG = "The server's answer is far too long."


class WireLost(Exception):
    """The connection is gone, or what came over it is not SMTP."""


class WireTimeout(Exception):
    """The other side did not answer, or did not read, in time."""


class Wire(asyncio.Protocol):
    """Takes over a connected transport whose greeting and capabilities have been read."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._unread = bytearray()
        self._lines: list[str] = []
        self._line_bytes = 0
        self._replies: deque[Reply] = deque()
        self._answered: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()
        self._lost: str | None = None
        # Any byte left behind counts as "not flushed"; 0 would make TLS transports pause when they are empty.
        transport.set_write_buffer_limits(high=1, low=0)
        transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return self._lost is None and not self._transport.is_closing()

    @property
    def has_reply(self) -> bool:
        """Whether an answer lies here unread."""
        return bool(self._replies)

    def write(self, data: bytes) -> None:
        """Queue bytes for sending. Raises WireLost, in which case none of them was sent."""
        if not self.is_open:
            raise WireLost(self._lost or "The connection is closed.")
        self._transport.write(data)

    async def flush(self, within_s: float) -> None:
        """Wait until everything written has left this process."""
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(within_s):
                    await self._writable.wait()
            except TimeoutError:
                raise WireTimeout(f"The server took no data for {within_s:g} seconds.") from None
        if self._lost is not None:
            raise WireLost(self._lost)

    async def reply(self, within_s: float) -> Reply:
        """The next reply. One that came before the connection was lost is still delivered."""
        if not self._replies:
            if self._lost is not None:
                raise WireLost(self._lost)
            self._answered = self._loop.create_future()
            try:
                async with asyncio.timeout(within_s):
                    await self._answered
            except TimeoutError:
                raise WireTimeout(f"The server did not answer for {within_s:g} seconds.") from None
            finally:
                self._answered = None
        if not self._replies:
            raise WireLost(self._lost or "The connection is closed.")
        return self._replies.popleft()

    async def close(self, within_s: float) -> None:
        """Send what is queued and close; cut off after `within_s`."""
        self._transport.close()
        try:
            async with asyncio.timeout(within_s):
                await self._gone.wait()
        except TimeoutError:
            self._transport.abort()

    def abort(self) -> None:
        """Drop the connection at once; what was queued and not yet sent is never sent."""
        self._lost = self._lost or "The connection was dropped."
        # A TLS transport whose connection has ended fails when it is aborted (Python before 3.11.5).
        if not self._gone.is_set():
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        *lines, rest = self._unread.split(b"\n")
        self._unread = rest
        for line in lines:
            if self._lost is None:
                self._take_line(bytes(line.rstrip(b"\r")))
        if len(self._unread) > _REPLY_BYTES_MAX:
            self._fail(_TOO_LONG)
        if self._replies:
            self._wake()

    def _take_line(self, line: bytes) -> None:
        status, mark, text = line[:3], line[3:4], line[4:]
        if len(status) != 3 or not status.isdigit() or mark not in (b"", b" ", b"-"):
            self._fail("The server's answer is not SMTP.")
            return
        self._lines.append(text.decode("utf-8", "replace").strip())
        self._line_bytes += len(line) + 1
        if self._line_bytes > _REPLY_BYTES_MAX:
            self._fail(_TOO_LONG)
            return
        if mark != b"-":
            self._replies.append(Reply(int(status), "\n".join(self._lines)))
            self._lines.clear()
            self._line_bytes = 0

    def _fail(self, reason: str) -> None:
        self._lost = self._lost or reason
        self._transport.abort()

    def _wake(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def eof_received(self) -> None:
        self._lost = self._lost or "The server closed the connection."
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._lost or (f"The connection broke ({exc})." if exc else "The connection was closed.")
        self._writable.set()
        self._gone.set()
        self._wake()
