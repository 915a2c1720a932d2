"""A web server on this computer that answers by script."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SILENCE, CUT = "silence", "cut"


class Site:
    """A web server on this computer that answers by script, and keeps what it was asked.

    An answer is a status with headers, or that and a body; of a `CUT` body half is sent.
    """

    def __init__(self, *answers: str | tuple[str, bytes]) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._answers = list(answers)
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *fields = head.decode().strip().split("\r\n")
                headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append((line, headers, body))
                answer = self._answers.pop(0) if self._answers else "200 OK"
                if answer == CUT:
                    break
                if answer == SILENCE:
                    await asyncio.sleep(60)
                said, content = answer if isinstance(answer, tuple) else (answer, b"ok")
                status, *more = said.split("\r\n")
                length = f"Content-Length: {len(content)}"
                is_cut = CUT in more
                head_lines = [f"HTTP/1.1 {status}", length, *(line for line in more if line != CUT), "", ""]
                writer.write("\r\n".join(head_lines).encode() + content[: len(content) // (1 + is_cut)])
                await writer.drain()
                if is_cut:
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def site(*answers: str | tuple[str, bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Site, int]]:
    made = Site(*answers)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield made, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in made.writers:
            writer.transport.abort()
        # Two turns of the loop: one for the server's tasks to end, one for their sockets to close.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
