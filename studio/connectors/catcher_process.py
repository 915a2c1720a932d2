"""Runs the mail catcher beside this program and points a sending profile at it.

Absent on purpose: noticing by itself that it died (whoever sends sees the connections fail, and may start it again).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import studio
from studio.connectors.caught_mail import CaughtMail
from studio.connectors.profile import SendingProfile, SmtpServer
from studio.domain.errors import UserFixable

CATCHER_COMMAND = "catcher"
"""The hidden sub-command under which the packaged program runs `catcher.main`."""

_LOG = "catcher.log"
_START_WITHIN_S = 40.0
_STOP_WITHIN_S = 15.0

# A group of its own: Ctrl-C in a terminal must not end the catcher before the sender's last messages.
_OWN_WINDOWS_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0


def catcher_command(folder: Path, *options: str) -> list[str]:
    """How to start one: the packaged program has no interpreter to call, so it calls itself."""
    program = [CATCHER_COMMAND] if getattr(sys, "frozen", False) else ["-P", "-m", "studio.connectors.catcher"]
    return [sys.executable, *program, "--folder", str(folder), *options]


class CatcherProcess:
    """One catcher on one folder, running inside `async with`.

    Other programs and threads may send to it too. Leaving waits for the messages in progress.
    """

    def __init__(self, folder: Path, *, options: Sequence[str] = ()) -> None:
        """`options` are more arguments of the catcher, such as `--reject`."""
        self._folder = folder
        self._options = tuple(options)
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the catcher was started"
        return self._process.pid

    @property
    def server(self) -> SmtpServer:
        """Where it takes mail."""
        assert self._port, "the catcher was started"
        return SmtpServer(host="127.0.0.1", port=self._port, security="none")

    @property
    def mail(self) -> CaughtMail:
        """What it has accepted so far, also before it runs and after it ended."""
        return CaughtMail(self._folder)

    def profile(self, like: SendingProfile | None = None) -> SendingProfile:
        """A profile that sends here; sender and texts as in `like`, so that messages look as they would live."""
        if like is not None:
            return like.model_copy(update={"smtp": self.server})
        return SendingProfile.model_validate(
            {
                "smtp": self.server,
                "from": "Test sender <test@example.invalid>",
                "reply_to": "test@example.invalid",
                "postal_address": "Test sender, 1 Example Street, Exampletown",
                "unsubscribe_base_url": "https://example.invalid/unsubscribe",
                "rate_per_second": 10_000.0,
                "connections": 8,
            }
        )

    async def start(self) -> None:
        """Start it, also again after it ended, and wait until it takes mail. The port is another one each time.

        Raises:
            UserFixable: it did not start; the message is what it said.
        """
        assert not self.is_running, "one catcher at a time"
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / _LOG
        with log.open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *catcher_command(self._folder, *self._options),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                start_new_session=True,
                creationflags=_OWN_WINDOWS_GROUP,
            )
        try:
            self._port = await self._read_port(self._process)
        except BaseException:
            await self.stop()
            raise
        if not self._port:
            await self.stop()
            said = log.read_text("utf-8", "replace").strip().splitlines()
            text = said[-1] if said else "The mail catcher did not start."
            raise UserFixable("CATCHER-START", text, where=str(self._folder), hint="Run the check of this computer.")

    async def _read_port(self, process: asyncio.subprocess.Process) -> int:
        """The port it reports, 0 when it ended or kept silent."""
        assert process.stdout is not None, "the output is a pipe"
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                line = await process.stdout.readline()
        except TimeoutError:
            return 0
        return int(json.loads(line)["port"]) if line else 0

    async def stop(self) -> None:
        """Let it finish what it is receiving and end; killed if it does not. Does nothing when it ended already."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None, "the input is a pipe"
        process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _environment() -> dict[str, str]:
    """So that the child finds the same `studio` as we did, wherever it lies."""
    source = str(Path(studio.__file__).resolve().parent.parent)
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([source, known] if known else [source])}
