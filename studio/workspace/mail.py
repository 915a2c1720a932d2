"""What a run sends with: the local catcher in test, the profile's server in live, nothing in a simulation.

Absent on purpose: SMTP (connectors) and deciding when to send (engine).
"""

from __future__ import annotations

import asyncio
from email.utils import parseaddr
from pathlib import Path

from studio.connectors.catcher_process import CatcherProcess
from studio.connectors.profile import SendingProfile, load_profile, preflight
from studio.connectors.secrets import Secrets
from studio.connectors.smtp import SmtpMailer
from studio.connectors.web import WebCaller
from studio.domain.errors import Problem, UserFixable
from studio.domain.mail import Mailer, MailSession
from studio.domain.node import Sender
from studio.domain.ports import Pace, RunRow

TEST_PROFILE = SendingProfile.model_validate(
    {
        "smtp": {"host": "127.0.0.1", "port": 25, "security": "none"},
        "from": "Test sender <test@example.invalid>",
        "reply_to": "test@example.invalid",
        "postal_address": "Test sender, 1 Example Street, Exampletown",
        "unsubscribe_base_url": "https://example.invalid/unsubscribe",
        "rate_per_second": 10_000.0,
        "connections": 8,
    }
)
"""Who test mail is from when no profile is named. The server in it is never used: the catcher takes its place."""

PROFILE_OPTION = "profile"
_NO_PROFILE = "Nobody has said yet who sends, and through which server."
_NAME_ONE = (
    "Enter it in the settings under Sending, or keep one with studio sending use FILE; --profile FILE names another."
)


class CatcherMailer:
    """Starts the catcher when the first session is asked for; every session goes to it."""

    def __init__(self, folder: Path) -> None:
        self._catcher = CatcherProcess(folder)
        self._starting = asyncio.Lock()

    async def open(self) -> MailSession:
        async with self._starting:
            if not self._catcher.is_running:
                await self._catcher.start()
        return await SmtpMailer(self._catcher.profile()).open()

    async def stop(self) -> None:
        """Lets the catcher finish the messages in progress and ends it."""
        if self._catcher.is_running:
            await self._catcher.stop()


class Mailers:
    """The engine's `MailerFactory` for one workspace. One catcher serves all test runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._catcher: CatcherMailer | None = None

    def mailer(self, run: RunRow) -> Mailer:
        """Where the run's messages go.

        Raises:
            UserFixable: a live run without a profile, or one whose pre-flight list is not green.
        """
        profile = self._named(run)
        if run.mode == "live":
            return SmtpMailer(_green(profile))
        if profile is not None:
            return SmtpMailer(profile)
        if self._catcher is None:
            self._catcher = CatcherMailer(self._folder)
        return self._catcher

    def web(self, run: RunRow) -> Mailer:  # noqa: ARG002 - the port's shape
        """What calls web addresses; only live runs ask for it."""
        return WebCaller(Secrets())

    def sender(self, run: RunRow) -> Sender:
        """Who the run's messages are from."""
        profile = self._named(run) or TEST_PROFILE
        return Sender(
            address=profile.sender_address,
            reply_to=profile.reply_to and parseaddr(profile.reply_to)[1],
            postal_address=profile.postal_address,
            unsubscribe_base_url=profile.unsubscribe_base_url or None,
        )

    def pace(self, run: RunRow) -> Pace:
        """How many sessions, and how fast; the catcher is asked for no restraint."""
        profile = self._named(run)
        if profile is None:
            return Pace(connections=TEST_PROFILE.connections)
        return Pace(connections=profile.connections, rate_per_second=profile.rate_per_second)

    async def stop(self) -> None:
        """Ends the catcher, if it was started."""
        if self._catcher is not None:
            await self._catcher.stop()

    def _named(self, run: RunRow) -> SendingProfile | None:
        path = run.options.get(PROFILE_OPTION)
        return load_profile(Path(str(path))) if path else None


def profile_file(folder: Path) -> Path:
    """Where a workspace keeps its own sending profile."""
    return folder / "sending.json"


def own_profile(folder: Path) -> Path | None:
    """The workspace's own sending profile, None while there is none."""
    path = profile_file(folder)
    return path if path.exists() else None


def live_problems(path: Path | None, secrets: Secrets | None = None) -> tuple[Problem, ...]:
    """What stands in the way of a live run with this profile; empty when it may go."""
    if path is None:
        return (Problem("PROFILE-MISSING", _NO_PROFILE, _NAME_ONE),)
    return tuple(preflight(load_profile(path), secrets or Secrets()))


def _green(profile: SendingProfile | None) -> SendingProfile:
    if profile is None:
        raise UserFixable("PROFILE-MISSING", _NO_PROFILE, hint=_NAME_ONE)
    problems = preflight(profile, Secrets())
    if problems:
        raise UserFixable(
            "PROFILE-NOT-READY",
            f"Nothing may be sent live yet: {problems[0].message}",
            hint=problems[0].hint,
            problems=problems,
        )
    return profile
