"""An SMTP server on this computer that misbehaves by script, and notes all that it was told."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from studio.connectors.fake import Mishap, Moment
from studio.connectors.profile import SendingProfile
from studio.domain.mail import Envelope, Reply

EXTENSIONS = ("PIPELINING", "8BITMIME", "XLOOKUP", "SIZE 10000000")


class _Dropped(Exception):
    """The script says to cut the connection."""


class ScriptedSmtp:
    """Listens inside `async with`. `mishaps` as for `FakeMailer`: by recipient and number of the try.

    `dribbles` makes it send its answers byte by byte. `greeting` replaces "220". `tls` encrypts from the start, or on
    STARTTLS when that is among the extensions. `login` is the one user name and password that it takes.
    """

    def __init__(
        self,
        mishaps: Mapping[str, Sequence[Mishap | None]] | None = None,
        *,
        extensions: Sequence[str] = EXTENSIONS,
        greeting: str = "220 scripted",
        dribbles: bool = False,
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.accepted: list[Envelope] = []
        self.commands: list[str] = []
        self.body_bytes = 0
        self.connections = 0
        self._mishaps = dict(mishaps or {})
        self._tries: Counter[str] = Counter()
        self._extensions = [*extensions, *(["AUTH PLAIN"] if login else [])]
        self._greeting = greeting
        self._dribbles = dribbles
        self._tls = tls
        self._login = login
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        implicit = self._tls if "STARTTLS" not in self._extensions else None
        # A small window, so that a client soon notices when this server stops reading.
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._server = await asyncio.start_server(self._serve, sock=listening, ssl=implicit, limit=1 << 20)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.close()
        for task in list(self._tasks):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    def profile(self, **smtp: object) -> SendingProfile:
        server = {"host": "127.0.0.1", "port": self.port, "security": "none", **smtp}
        return SendingProfile.model_validate({"smtp": server, "from": "shop@sender.example"})

    async def until_body_bytes(self, count: int) -> None:
        """Wait until this much of the body being sent has arrived."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.body_bytes >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        conversation = _Conversation(self, reader, writer)
        try:
            await conversation.run(self._greeting)
        except (_Dropped, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Cancelled by `__aexit__` only; asyncio would report it as an error of the server.
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    def take_mishap(self, recipient: str) -> Mishap | None:
        script = self._mishaps.get(recipient, ())
        number = self._tries[recipient]
        self._tries[recipient] += 1
        return script[number] if number < len(script) else None

    async def note_body(self, count: int) -> None:
        async with self._changed:
            self.body_bytes = count
            self._changed.notify_all()


class _Conversation:
    def __init__(self, server: ScriptedSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._sender = ""
        self._recipient = ""
        self._mishap: Mishap | None = None
        # MAIL comes before the recipient is known, so its mishap is that of the script's only recipient.
        self._mail_mishap: Mishap | None = None

    async def run(self, greeting: str) -> None:
        await self._say(greeting)
        while line := await self._reader.readline():
            text = line.decode().rstrip("\r\n")
            self._server.commands.append(text)
            verb, _, rest = text.partition(" ")
            await getattr(self, f"_{verb.lower()}")(rest)
            if verb == "QUIT":
                return

    async def _say(self, text: str) -> None:
        data = text.encode() + b"\r\n"
        pieces = [data[i : i + 1] for i in range(len(data))] if self._server._dribbles else [data]
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(0)

    async def _goes_wrong(self, moment: Moment) -> bool:
        """Do what the script says for this moment; whether it said anything."""
        mishap = self._mishap
        if mishap is None or mishap.at != moment:
            return False
        if mishap.answer == "silence":
            await self._server._over.wait()
            raise _Dropped
        if mishap.answer == "drop":
            raise _Dropped
        assert isinstance(mishap.answer, Reply)
        await self._say(str(mishap.answer))
        if mishap.answer.status == 421:
            raise _Dropped
        return True

    async def _ehlo(self, _rest: str) -> None:
        await self._say("250-scripted")
        for extension in self._server._extensions:
            await self._say(f"250-{extension}")
        await self._say("250 HELP")

    async def _starttls(self, _rest: str) -> None:
        assert self._server._tls is not None
        await self._say("220 go")
        await self._writer.start_tls(self._server._tls)

    async def _auth(self, rest: str) -> None:
        given = base64.b64decode(rest.removeprefix("PLAIN ")).decode().split("\0")[1:]
        await self._say("235 in" if tuple(given) == self._server._login else "535 5.7.8 wrong")

    async def _mail(self, rest: str) -> None:
        self._sender = rest.removeprefix("FROM:<").partition(">")[0]
        for recipient, script in self._server._mishaps.items():
            first = script[0] if script else None
            if first is not None and first.at == "mail":
                self._mishap = self._server.take_mishap(recipient)
                if await self._goes_wrong("mail"):
                    self._sender = ""
                    return
        await self._say("250 2.1.0 ok")

    async def _rcpt(self, rest: str) -> None:
        if not self._sender:
            await self._say("503 5.5.1 MAIL first")
            return
        recipient = rest.removeprefix("TO:<").partition(">")[0]
        self._mishap = self._server.take_mishap(recipient)
        if await self._goes_wrong("rcpt"):
            return
        self._recipient = recipient
        await self._say("250 2.1.5 ok")

    async def _data(self, _rest: str) -> None:
        if not self._recipient:
            await self._say("503 5.5.1 RCPT first")
            return
        if await self._goes_wrong("data"):
            return
        await self._say("354 go")
        lines: list[bytes] = []
        count = 0
        while (line := await self._reader.readline()) != b".\r\n":
            if not line:
                raise _Dropped
            lines.append(line[1:] if line.startswith(b".") else line)
            count += len(lines[-1])
            await self._server.note_body(count)
            if self._mishap is not None and self._mishap.at == "body":
                await self._goes_wrong("body")
                self._mishap = None
        await self._take(b"".join(lines))

    async def _take(self, content: bytes) -> None:
        await self._server.note_body(0)
        envelope = Envelope(self._sender, self._recipient, _message_id(content), content)
        self._sender = self._recipient = ""
        if await self._goes_wrong("dot"):
            return
        self._server.accepted.append(envelope)
        if not await self._goes_wrong("accepted"):
            await self._say("250 2.0.0 queued as 7")

    async def _rset(self, _rest: str) -> None:
        self._sender = self._recipient = ""
        await self._say("250 2.0.0 ok")

    async def _xlookup(self, rest: str) -> None:
        known = any(envelope.message_id == rest for envelope in self._server.accepted)
        await self._say("250 2.0.0 yes" if known else "550 5.0.0 no")

    async def _quit(self, _rest: str) -> None:
        await self._say("221 2.0.0 bye")


def _message_id(content: bytes) -> str:
    for line in content.splitlines():
        if line.lower().startswith(b"message-id: "):
            return line[12:].decode()
    return ""
