"""What the engine and a mail connector say to each other: envelope, answer, failure, and the two Protocols.

Absent on purpose: any network code, retry policy and pacing (the engine's), and the building of messages.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from studio.domain.errors import Passing, Rejected, StudioError, Transient
from studio.domain.web_answer import Taken

About = Literal["connection", "sender", "recipient", "message"]
"""Whom a failure concerns: one about the connection or the sender will meet every other message too."""

LookupAnswer = Literal["accepted", "unknown_to_server"]
BounceClass = Literal["hard", "soft", "policy"]

CLOSING = 421
"""The status with which a server ends the whole connection, whatever was asked (RFC 5321 section 3.8)."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")
_WAIT = re.compile(r"\b(?:in|for|after|another)\s+(\d{1,5})\s*(s|sec|second|m|min|minute|h|hour)s?\b", re.IGNORECASE)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_WAIT_S = 86_400.0


_SAYS_NOTHING_ABOUT_THE_ADDRESS = re.compile(r"5\.(?:2\.[234]|3\.\d+|4\.(?:[5-7])|5\.\d+|6\.\d+)$")
"""Full mailboxes, trouble of the system or on the way, messages that are too large or cannot be read (RFC 3463)."""


def bounce_class(grade: int, enhanced: str) -> BounceClass:
    """What a refusal says about an address. `grade` 4: not now, 5: never; `enhanced` such as `5.1.1`, or empty.

    `hard`: the address is dead. `policy`: 5.7.X, they do not want the message (RFC 3463 section 3.8). `soft`: a
    mailbox that is full or closed for now, or trouble on the way.
    """
    if grade < 5 or _SAYS_NOTHING_ABOUT_THE_ADDRESS.match(enhanced):
        return "soft"
    return "policy" if enhanced.startswith("5.7.") else "hard"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one recipient. `message_id` is the Message-ID header's value with its angle brackets.

    `content` is the whole message, headers included; line ends are made CRLF when it is sent.
    """

    sender: str
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A mail server's answer: basic status (RFC 5321) and text, whose lines are joined by newlines."""

    status: int
    text: str

    @property
    def enhanced(self) -> str | None:
        """The enhanced status such as `5.1.1` (RFC 3463) that opens the text, if there is one."""
        found = _ENHANCED.match(self.text)
        return found.group() if found else None

    @property
    def bounce_class(self) -> BounceClass:
        """See `bounce_class`."""
        return bounce_class(self.status // 100, self.enhanced or "")

    @property
    def retry_after_s(self) -> float | None:
        """A wait asked for in words ("try again in 5 minutes"), at most a day; None when none is named."""
        found = _WAIT.search(self.text)
        if found is None:
            return None
        return min(int(found.group(1)) * _SECONDS[found.group(2)[0].lower()], _LONGEST_WAIT_S)

    def __str__(self) -> str:
        return f"{self.status} {self.text}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the message over. `reply` is its answer to the final dot (queue id and so on).

    `taken`: what a web call's answer held of the values that were wanted; None when none were.
    """

    reply: Reply
    taken: Taken | None = None


class Deferred(Transient):
    """The server does not have the message, and may take it later: sending it again cannot make a duplicate.

    Raised when the connection failed before the final dot, or the server said 4xx. `reply` is None for the former.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        about: About,
        reply: Reply | None = None,
        hint: str | None = None,
        why: Passing | None = None,
    ) -> None:
        wait_s = reply.retry_after_s if reply else None
        super().__init__(
            code, message, hint=hint, retry_after_s=wait_s, why=why or ("busy" if reply else "unreachable")
        )
        self.about: About = about
        self.reply = reply


class Refused(Rejected):
    """The server said 5xx (or would have to: `reply` is None when we did not even ask). It has not got the message."""

    def __init__(
        self, code: str, message: str, *, about: About, reply: Reply | None = None, hint: str | None = None
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.about: About = about
        self.reply = reply


class InDoubt(StudioError):
    """The final dot went out and no answer came back: the server may or may not have the message.

    Neither Transient nor Rejected, so that no retry policy picks it up (RFC 1047). `MailSession.lookup` may settle it.
    """

    def __init__(self, message_id: str, message: str) -> None:
        hint = "Look it up at the mail server, or decide in the send ledger."
        super().__init__("MAIL-IN-DOUBT", message, hint=hint)
        self.message_id = message_id


def failure_of(reply: Reply, about: About) -> Deferred | Refused:
    """The failure that a reply other than "go on" means; 421 is always about the connection."""
    about = "connection" if reply.status == CLOSING else about
    if reply.status // 100 == 5:
        code, text = f"MAIL-REFUSED-{about.upper()}", f'The mail server refused the {about}: "{reply}".'
        return Refused(code, text, about=about, reply=reply)
    return Deferred("MAIL-DEFERRED", f'The mail server asks to try again later: "{reply}".', about=about, reply=reply)


class MailSession(Protocol):
    """One connection that sends one message at a time; not to be shared by two tasks."""

    @property
    def is_open(self) -> bool:
        """False once the connection is gone or was closed; open another one then."""
        ...

    async def send(self, envelope: Any, before_final_dot: Callable[[], Awaitable[None]]) -> Accepted:
        """Hand one message over: an `Envelope` to a mail server, a `WebRequest` to a web address.

        `before_final_dot` is awaited once, when the whole body is out and before the dot that makes the server
        responsible; not at all when the server refused earlier. When it raises (or is cancelled), the dot is never
        sent, the connection is closed and the error comes out unchanged.

        Raises:
            Deferred: not accepted, safe to send again.
            Refused: not accepted, and asking again is useless.
            InDoubt: the dot is out, the answer is unknown.
        """
        ...

    async def lookup(self, message_id: str) -> LookupAnswer | None:
        """Whether the server has accepted this message; None when it cannot be asked.

        `unknown_to_server` is final: no message sent earlier under this id will be accepted any more.
        Raises Deferred when the server cannot tell yet.
        """
        ...

    async def close(self) -> None:
        """Say goodbye and close; does nothing on a closed one, and never raises for a connection that is gone."""
        ...


class Mailer(Protocol):
    """Opens sessions to one mail server."""

    async def open(self) -> MailSession:
        """A connected session, logged in and ready to send.

        Raises:
            Deferred: the server cannot be reached, or asks to come back later.
            Refused: the server does not serve us.
            UserFixable: credentials, encryption or profile are wrong.
        """
        ...
