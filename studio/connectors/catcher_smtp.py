"""The SMTP side of the mail catcher: takes every message, records it before it says 250, and misbehaves on request.

Our own parser, because aiosmtpd reads a message line by line and its addresses through the e-mail package: it takes a
third of the messages per second. `XLOOKUP <message-id>` (advertised in EHLO) says whether a message was accepted.
Absent on purpose: TLS, login, delivery, and listening on anything but this computer.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from studio.connectors.caught_mail import CaughtMailWriter
from studio.domain.clock import iso

MESSAGE_BYTES_MAX = 36_700_160
_LINE_BYTES_MAX = 8_192

_PATH = re.compile(rb"(?:FROM|TO):\s*<?([^<>\s]*)>?", re.IGNORECASE)
_EHLO = f"catcher\nPIPELINING\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nXLOOKUP\nSIZE {MESSAGE_BYTES_MAX}"

Misbehaviour = Literal["refuse-recipient", "refuse-message", "drop-before-dot", "drop-after-dot", "drop-after-accept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to do to recipients that match a shell pattern, for their first `tries` tries (None: always).

    `reply` is `550 5.1.1 text`, for the two that refuse. `drop-after-dot` forgets the message, `drop-after-accept`
    records it; both leave the sender in doubt.
    """

    pattern: str
    misbehaviour: Misbehaviour
    reply: str = ""
    tries: int | None = None


class Catcher:
    """What all connections share: the record, the rules, and which messages are on their way."""

    def __init__(
        self,
        writer: CaughtMailWriter,
        now: Callable[[], datetime],
        rules: Sequence[Rule] = (),
        *,
        lookup_within_s: float = 5.0,
    ) -> None:
        self._writer = writer
        self._lookup_within_s = lookup_within_s
        self._now = now
        self._rules = tuple(rules)
        self._tries: Counter[tuple[Rule, str]] = Counter()
        self._connections: set[CatcherConnection] = set()
        self._lookups: dict[CatcherConnection, _Lookup] = {}
        self._is_closing = False
        self._empty = asyncio.Event()
        self._empty.set()

    def connection(self) -> CatcherConnection:
        """The protocol for one incoming connection."""
        return CatcherConnection(self)

    def rule_for(self, recipient: str) -> Rule | None:
        """The first rule that still applies; counts the try."""
        for rule in self._rules:
            if not fnmatch.fnmatchcase(recipient.lower(), rule.pattern.lower()):
                continue
            self._tries[rule, recipient] += 1
            if rule.tries is None or self._tries[rule, recipient] <= rule.tries:
                return rule
        return None

    def record(self, sender: str, recipients: list[str], content: bytes) -> bool:
        """Keep a message; False when it cannot be kept (and nothing of it was)."""
        try:
            self._writer.append(sender, recipients, content, iso(self._now()))
        except OSError:
            return False
        return True

    def look_up(self, message_id: str, asker: CatcherConnection) -> None:
        """Answer at once if the message is here; else when nothing that is on its way now can be it any more."""
        others = {connection for connection in self._connections if connection.is_in_body} - {asker}
        if self._writer.has(message_id) or not others:
            self._answer_lookup(message_id, asker)
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._lookup_within_s, self._give_up_lookup, asker)
        self._lookups[asker] = _Lookup(message_id, others, timer)

    def _answer_lookup(self, message_id: str, asker: CatcherConnection) -> None:
        found = self._writer.has(message_id)
        asker.answer_lookup("250 2.0.0 Accepted" if found else "550 5.0.0 Not accepted here")

    def _give_up_lookup(self, asker: CatcherConnection) -> None:
        del self._lookups[asker]
        asker.answer_lookup("451 4.0.0 Other messages are still on their way")

    def settled(self, connection: CatcherConnection) -> None:
        """A connection's message is now recorded, refused, or lost with its connection."""
        for asker, lookup in list(self._lookups.items()):
            lookup.waiting_for.discard(connection)
            if not lookup.waiting_for:
                lookup.timer.cancel()
                del self._lookups[asker]
                self._answer_lookup(lookup.message_id, asker)
        if self._is_closing:
            connection.close()

    def joined(self, connection: CatcherConnection) -> None:
        self._connections.add(connection)
        self._empty.clear()
        if self._is_closing:
            connection.close()

    def left(self, connection: CatcherConnection) -> None:
        lookup = self._lookups.pop(connection, None)
        if lookup is not None:
            lookup.timer.cancel()
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()
        self.settled(connection)

    async def finish(self, within_s: float) -> None:
        """Let the messages that are being received end, close every connection, cut off what takes longer."""
        self._is_closing = True
        for connection in list(self._connections):
            if not connection.is_in_body:
                connection.close()
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()


@dataclass(slots=True)
class _Lookup:
    message_id: str
    waiting_for: set[CatcherConnection]
    timer: asyncio.TimerHandle


class CatcherConnection(asyncio.Protocol):
    """One client. All its work happens inside `data_received`, so nothing is ever half done."""

    def __init__(self, catcher: Catcher) -> None:
        self._catcher = catcher
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._searched = 0
        self._out = bytearray()
        self._is_asking = False
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._rule: Rule | None = None
        self.is_in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say("220 catcher ESMTP")
        self._send()
        self._catcher.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        self._transport = None
        self.is_in_body = False
        self._catcher.left(self)

    def close(self) -> None:
        """Close after what was said has been sent."""
        if self._transport is not None:
            self._send()
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._work()

    def _work(self) -> None:
        while self._transport is not None and not self._transport.is_closing() and not self._is_asking:
            if not (self._take_body() if self.is_in_body else self._take_line()):
                break
        self._send()

    def _say(self, text: str) -> None:
        *before, last = text.split("\n")
        status, _, first = (before or [last])[0].partition(" ")
        if before:
            lines = [f"{status}-{first}", *(f"{status}-{line}" for line in before[1:]), f"{status} {last}"]
            self._out += "\r\n".join(lines).encode() + b"\r\n"
        else:
            self._out += text.encode() + b"\r\n"

    def _send(self) -> None:
        if self._out and self._transport is not None:
            self._transport.write(bytes(self._out))
            self._out.clear()

    def _take_line(self) -> bool:
        end = self._unread.find(b"\n")
        if end < 0:
            if len(self._unread) > _LINE_BYTES_MAX:
                self._say("500 5.5.2 Line too long")
                self.close()
            return False
        line = bytes(self._unread[:end]).rstrip(b"\r")
        del self._unread[: end + 1]
        verb, _, rest = line.partition(b" ")
        command = _COMMANDS.get(verb.upper())
        if command is None:
            self._say("500 5.5.1 Command not known")
        else:
            command(self, rest)
        return True

    def _hello(self, _name: bytes) -> None:
        self._forget()
        self._say("250 " + _EHLO)

    def _plain_hello(self, _name: bytes) -> None:
        self._forget()
        self._say("250 catcher")

    def _mail(self, argument: bytes) -> None:
        found = _PATH.match(argument)
        if self._sender is not None:
            self._say("503 5.5.1 One message at a time")
        elif found is None:
            self._say("501 5.5.4 MAIL FROM:<address>")
        else:
            self._sender = found.group(1).decode("utf-8", "replace")
            self._say("250 2.1.0 Ok")

    def _rcpt(self, argument: bytes) -> None:
        found = _PATH.match(argument)
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
            return
        if found is None or not found.group(1):
            self._say("501 5.5.4 RCPT TO:<address>")
            return
        recipient = found.group(1).decode("utf-8", "replace")
        rule = self._catcher.rule_for(recipient)
        if rule is not None and rule.misbehaviour == "refuse-recipient":
            self._say(rule.reply)
            if rule.reply.startswith("421"):
                self.close()
            return
        self._rule = rule or self._rule
        self._recipients.append(recipient)
        self._say("250 2.1.5 Ok")

    def _data(self, _argument: bytes) -> None:
        if not self._recipients:
            self._say("503 5.5.1 No valid recipients")
            return
        self.is_in_body = True
        self._searched = 0
        self._say("354 Go ahead")

    def _take_body(self) -> bool:
        if self._rule is not None and self._rule.misbehaviour == "drop-before-dot" and self._unread:
            self.abort()
            return False
        if self._unread.startswith(b".\r\n"):
            end, past = 0, 3
        else:
            end = self._unread.find(b"\r\n.\r\n", self._searched) + 2
            past = end + 3
            if end < 2:
                self._searched = max(0, len(self._unread) - 4)
                if len(self._unread) > MESSAGE_BYTES_MAX:
                    self._say("552 5.3.4 Message too large")
                    self.close()
                return False
        content = bytes(self._unread[:end])
        del self._unread[:past]
        self._take_message(_unstuffed(content))
        return True

    def _take_message(self, content: bytes) -> None:
        sender, recipients, rule = self._sender or "", self._recipients, self._rule
        self._forget()
        misbehaviour = rule.misbehaviour if rule else None
        if rule is not None and misbehaviour == "refuse-message":
            self._say(rule.reply)
        elif misbehaviour == "drop-after-dot":
            self.abort()
        elif not self._catcher.record(sender, recipients, content):
            self._say("452 4.3.1 The disk of this computer is full")
        elif misbehaviour == "drop-after-accept":
            self.abort()
        else:
            self._say("250 2.0.0 Caught")
        self.is_in_body = False
        self._catcher.settled(self)

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []
        self._rule = None

    def _reset(self, _argument: bytes) -> None:
        self._forget()
        self._say("250 2.0.0 Ok")

    def _nothing(self, _argument: bytes) -> None:
        self._say("250 2.0.0 Ok")

    def _quit(self, _argument: bytes) -> None:
        self._say("221 2.0.0 Bye")
        self.close()

    def _look_up(self, argument: bytes) -> None:
        self._is_asking = True
        self._catcher.look_up(argument.decode("ascii", "replace").strip(), self)

    def answer_lookup(self, text: str) -> None:
        """The catcher's answer to this connection's question; goes on with the commands that came meanwhile."""
        self._is_asking = False
        self._say(text)
        # Not from inside the other connection's work, which would be a recursion without bound.
        asyncio.get_running_loop().call_soon(self._work)


_COMMANDS: dict[bytes, Callable[[CatcherConnection, bytes], None]] = {
    b"EHLO": CatcherConnection._hello,
    b"HELO": CatcherConnection._plain_hello,
    b"MAIL": CatcherConnection._mail,
    b"RCPT": CatcherConnection._rcpt,
    b"DATA": CatcherConnection._data,
    b"RSET": CatcherConnection._reset,
    b"NOOP": CatcherConnection._nothing,
    b"QUIT": CatcherConnection._quit,
    b"XLOOKUP": CatcherConnection._look_up,
}


def _unstuffed(body: bytes) -> bytes:
    if b"\r\n." not in body and not body.startswith(b"."):
        return body
    return (b"\r\n" + body).replace(b"\r\n.", b"\r\n")[2:]
