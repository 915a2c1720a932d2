"""The story of sending for real: this workspace's own sender, kept as a sending profile in its folder.

A live run takes it when no other profile is named. Absent on purpose: passwords in the file (they lie in the system's
keyring, the file holds `secret://name`) and DNS records.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from email_validator import EmailNotValidError, validate_email
from pydantic import JsonValue

from studio.connectors.message import build_message
from studio.connectors.profile import SendingProfile, load_profile, read_profile
from studio.connectors.secrets import SECRET_PREFIX, Secrets
from studio.connectors.smtp import SmtpMailer
from studio.domain.clock import Clock, iso
from studio.domain.errors import Problem, UserFixable
from studio.domain.ids import stable_id
from studio.domain.mail import Envelope, Mailer
from studio.domain.node import MessageParts
from studio.workspace.mail import live_problems, own_profile, profile_file

PASSWORD = f"{SECRET_PREFIX}smtp"
"""Under which name a password is kept that somebody enters; a profile of his own may name another."""


class SendingStory:
    """Who sends, through which server, how fast; whether it is ready; a letter to try it out."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        secrets: Secrets | None = None,
        mailer: Callable[[SendingProfile], Mailer] | None = None,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._secrets = secrets or Secrets()
        self._mailer = mailer or (lambda profile: SmtpMailer(profile, secrets=self._secrets))

    def profile(self) -> SendingProfile | None:
        """This workspace's own; None while there is none. Raises UserFixable PROFILE-… for a damaged file."""
        path = own_profile(self._folder)
        return load_profile(path) if path is not None else None

    def keep(self, content: Mapping[str, JsonValue], password: str = "") -> SendingProfile:
        """Checks and keeps a profile; what live runs send with from now on.

        Args:
            content: the sending profile's form (CONTRACT). Its password may be left out when one was kept before.
            password: goes to the keyring. Empty: the one kept before stays.

        Raises:
            UserFixable: PROFILE-INVALID with every mistake, SECRET-… when the password cannot be kept.
        """
        content = _with_password(content, bool(password), self.profile_or_none())
        profile = read_profile(content, profile_file(self._folder))
        if password:
            self._secrets.store(profile.smtp.password or PASSWORD, password)
        path = profile_file(self._folder)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(path)
        return profile

    def profile_or_none(self) -> SendingProfile | None:
        """As `profile`, and None for a damaged one: whoever writes it anew need not read it."""
        try:
            return self.profile()
        except UserFixable:
            return None

    def take(self, path: Path, password: str = "") -> SendingProfile:
        """Keeps the profile in a file. Raises what `keep` raises, and UserFixable PROFILE-UNREADABLE."""
        load_profile(path)
        return self.keep(json.loads(path.read_text(encoding="utf-8")), password)

    def forget(self) -> None:
        """Live runs need a profile of their own again. The password stays in the keyring."""
        profile_file(self._folder).unlink(missing_ok=True)

    def problems(self) -> tuple[Problem, ...]:
        """What stands in the way of a live run; empty when it may go. Asks the keyring, not the network."""
        return live_problems(own_profile(self._folder), self._secrets)

    def try_out(self, to: str) -> str:
        """Sends one letter to an address of the person's own and says what the server answered.

        Raises:
            UserFixable: the address, or what stands in the way.
            StudioError: what the server said instead.
        """
        profile = self.profile()
        problems = self.problems()
        if profile is None or problems:
            raise UserFixable(
                problems[0].code, problems[0].message, hint=problems[0].hint, where=problems[0].field, problems=problems
            )
        try:
            address = validate_email(to, check_deliverability=False).normalized
        except EmailNotValidError as error:
            raise UserFixable("SENDING-TO", f"{to} is not a mail address ({error}).", where="to") from error
        return asyncio.run(self._hand_over(profile, address, self._clock.now()))

    async def _hand_over(self, profile: SendingProfile, to: str, now: datetime) -> str:
        message_id = f"<{stable_id('letter', to, iso(now))}@{profile.sender_address.rpartition('@')[2]}>"
        parts = MessageParts(
            from_address=profile.sender_address,
            from_name=profile.sender_name,
            to_address=to,
            to_name="",
            reply_to=profile.reply_to,
            subject="A letter to try out sending",
            text=f"This letter came the way that live runs take.\r\n\r\n{profile.postal_address}\r\n",
            html="",
            message_id=message_id,
            sent_at=now,
        )
        session = await self._mailer(profile).open()
        try:
            accepted = await session.send(
                Envelope(profile.sender_address, to, message_id, build_message(parts)), _nothing
            )
        finally:
            await session.close()
        return f"{accepted.reply.status} {accepted.reply.text}"


async def _nothing() -> None:
    """No ledger stands behind a letter to oneself."""


def _with_password(
    content: Mapping[str, JsonValue], has_new: bool, before: SendingProfile | None
) -> dict[str, JsonValue]:
    """The content with the reference of the password that is kept, where a user name is given and none is named."""
    server = content.get("smtp")
    if not isinstance(server, dict) or server.get("password") or not server.get("username"):
        return dict(content)
    known = before.smtp.password if before is not None else None
    reference = known or (PASSWORD if has_new else None)
    return {**content, "smtp": {**server, "password": reference}} if reference else dict(content)
