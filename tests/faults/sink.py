"""The ground truth of the fault tests: a mail server in a process of its own that writes down what it accepted.

Written for these tests alone, so that it shares no mistake with the program's own catcher. It listens on two ports: one
answers look-ups (XLOOKUP), the other knows none, like most servers. What it does to a message depends on how the
recipient's address begins (`MISHAPS`). `SETTLED sender` is answered once every other connection is gone, with what was
accepted of that sender: everything that a killed client had still handed to the system has been read by then.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

MISHAPS = ("refuse", "later", "cut", "lost", "kept", "late")
"""refuse: 550 always. later: 450 at the first try. cut: the connection breaks before the dot at the first try. lost: it
breaks after the dot, the message is not kept. kept: the same, and it is kept. late: 421 at the first try.
"""


class Sink:
    """What both ports share: the truth, and who is connected."""

    def __init__(self) -> None:
        self.accepted: dict[str, list[tuple[str, str]]] = {}
        self.connections: set[Connection] = set()
        self.waiting: list[tuple[Connection, str, str]] = []
        self._known: set[str] = set()
        self._tries: Counter[tuple[str, str]] = Counter()

    def is_first(self, moment: str, message: str) -> bool:
        self._tries[moment, message] += 1
        return self._tries[moment, message] == 1

    def accept(self, sender: str, recipient: str, message_id: str) -> None:
        self.accepted.setdefault(sender, []).append((recipient, message_id))
        self._known.add(message_id)

    def ask(self, asker: Connection, verb: str, argument: str) -> None:
        self.waiting.append((asker, verb, argument))
        self.changed()

    def changed(self) -> None:
        """Answers the questions that nothing stands in the way of any more."""
        for question in self.waiting[:]:
            asker, verb, argument = question
            others = self.connections - {asker}
            if verb == "SETTLED" and not others:
                self.waiting.remove(question)
                asker.say("250 " + json.dumps(self.accepted.pop(argument, [])))
            elif verb == "XLOOKUP" and (argument in self._known or not any(other.is_in_body for other in others)):
                self.waiting.remove(question)
                asker.say("250 yes" if argument in self._known else "550 no")


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, sink: Sink, *, can_look_up: bool) -> None:
        self._sink = sink
        self._can_look_up = can_look_up
        self._unread = b""
        self._body: list[bytes] = []
        self._sender = self._recipient = ""
        self.is_in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections.add(self)
        self.say("220 sink")

    def connection_lost(self, exc: Exception | None) -> None:
        self._sink.connections.discard(self)
        self._sink.waiting = [question for question in self._sink.waiting if question[0] is not self]
        self._sink.changed()

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\r\n")
        for line in lines:
            if self._transport.is_closing():
                return
            if self.is_in_body:
                self._take_body(line)
            else:
                self._take(line.decode())
        if self._misfortune("cut", is_now=self.is_in_body and bool(self._body)):
            self._transport.abort()

    def say(self, text: str) -> None:
        self._transport.write(text.encode() + b"\r\n")

    def _misfortune(self, kind: str, *, is_now: bool = True) -> bool:
        message = f"{self._sender} {self._recipient} {b''.join(self._body[:1]).decode()}"
        return is_now and self._recipient.startswith(kind) and self._sink.is_first(kind, message)

    def _take(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        match verb:
            case "EHLO":
                offers = ["250-sink", "250-PIPELINING", "250-8BITMIME", *(["250-XLOOKUP"] if self._can_look_up else [])]
                self.say("\r\n".join([*offers, "250 HELP"]))
            case "MAIL":
                self._sender = rest.removeprefix("FROM:<").partition(">")[0]
                self.say("250 ok")
            case "RCPT":
                self._rcpt(rest.removeprefix("TO:<").partition(">")[0])
            case "DATA" if not self._recipient:
                self.say("503 5.5.1 nobody")
            case "DATA":
                self.is_in_body, self._body = True, []
                self.say("354 go")
            case "XLOOKUP" | "SETTLED":
                self._sink.ask(self, verb, rest)
            case "QUIT":
                self.say("221 bye")
                self._transport.close()
            case _:
                self._recipient = ""
                self.say("250 ok")

    def _rcpt(self, recipient: str) -> None:
        self._recipient, self._body = recipient, []
        if recipient.startswith("refuse"):
            self._recipient = ""
            self.say("550 5.1.1 no such user")
        elif self._misfortune("later"):
            self._recipient = ""
            self.say("450 4.2.1 busy, try again in 30 seconds")
        elif self._misfortune("late"):
            self.say("421 4.3.2 closing")
            self._transport.close()
        else:
            self.say("250 ok")

    def _take_body(self, line: bytes) -> None:
        if line != b".":
            self._body.append(line)
            return
        if self._misfortune("lost"):
            self._transport.abort()
            return
        (message_id,) = (text[12:].decode() for text in self._body if text.lower().startswith(b"message-id: "))
        self._sink.accept(self._sender, self._recipient, message_id)
        if self._misfortune("kept"):
            self._transport.abort()
        else:
            self.say("250 queued")
        self.is_in_body, self._recipient = False, ""
        self._sink.changed()


async def serve() -> None:
    """Serves on two ports, says which, and ends when its standard input does."""
    loop, sink = asyncio.get_running_loop(), Sink()
    servers = [
        await loop.create_server(lambda can=can: Connection(sink, can_look_up=can), "127.0.0.1", 0)
        for can in (True, False)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


class SinkProcess:
    """The sink, running inside `with`. `ports[can_look_up]` is where to send."""

    def __enter__(self) -> Self:
        command = [sys.executable, str(Path(__file__))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        with_lookup, without = json.loads(self._process.stdout.readline())
        self.ports = {True: with_lookup, False: without}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def accepted(self, sender: str) -> Counter[tuple[str, str]]:
        """(recipient, Message-ID) of all accepted from a sender since it was last asked, once nobody is connected."""
        return asyncio.run(_ask(self.ports[True], sender))


async def _ask(port: int, sender: str) -> Counter[tuple[str, str]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 26)
    await reader.readline()
    writer.write(f"SETTLED {sender}\r\n".encode())
    async with asyncio.timeout(60):
        told = await reader.readline()
    writer.close()
    await writer.wait_closed()
    truth = json.loads(told.removeprefix(b"250 "))
    return Counter((recipient, message_id) for recipient, message_id in truth)


if __name__ == "__main__":
    asyncio.run(serve())
