"""Sending mail over SMTP so that, whatever breaks, it is known whether the server has the message.

aiosmtplib connects, encrypts and logs in; the transaction is ours, because the caller must commit its intent between
the body and the final dot (RFC 5321 section 6.1, RFC 1047). Absent on purpose: retry, pacing, pooling (the engine's),
and any message with more than one recipient.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from studio.connectors.profile import SendingProfile, SmtpServer
from studio.connectors.secrets import Secrets
from studio.connectors.wire import Wire, WireLost, WireTimeout
from studio.domain.errors import StudioError, UserFixable
from studio.domain.mail import (
    CLOSING,
    About,
    Accepted,
    Deferred,
    Envelope,
    InDoubt,
    LookupAnswer,
    Refused,
    Reply,
    failure_of,
)

Cause = TypeVar("Cause", bound=BaseException)
BeforeFinalDot = Callable[[], Awaitable[None]]

_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f<>]")
_STEPS: tuple[tuple[About, int], ...] = (("sender", 2), ("recipient", 2), ("message", 3))
_UNKNOWN_MESSAGE = 550
_CLOSE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpTimeouts:
    """Seconds. RFC 5321 asks for ten minutes after the dot: less makes messages doubtful that a slow server took."""

    connect_s: float = 30.0
    command_s: float = 120.0
    body_s: float = 180.0
    final_s: float = 600.0


class SmtpMailer:
    """Opens sessions to the server of a sending profile. Touches the network in `open` only."""

    def __init__(
        self,
        profile: SendingProfile,
        *,
        timeouts: SmtpTimeouts | None = None,
        secrets: Secrets | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` replaces the system's idea of which certificates to trust; `secrets` resolves the password."""
        self._server = profile.smtp
        self._timeouts = timeouts or SmtpTimeouts()
        self._secrets = secrets or Secrets()
        self._tls = tls
        self._password: str | None = None

    async def open(self) -> SmtpSession:
        reference = self._server.password
        if self._password is None and reference is not None:
            # In a thread: a keyring may ask the person to unlock it.
            self._password = await asyncio.to_thread(self._secrets.resolve, reference)
        session = SmtpSession(self._server, password=self._password or "", timeouts=self._timeouts, tls=self._tls)
        await session.connect()
        return session


class SmtpSession:
    """One connection; see `studio.domain.mail.MailSession` for what its methods promise."""

    def __init__(
        self, server: SmtpServer, *, password: str, timeouts: SmtpTimeouts, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._password = password
        self._timeouts = timeouts
        self._tls = tls
        self._capabilities: Mapping[str, str] = {}
        self._wire: Wire | None = None

    @property
    def is_open(self) -> bool:
        return self._wire is not None and self._wire.is_open

    async def connect(self) -> None:
        """Connect, encrypt and log in as the profile says; `Mailer.open` lists what it raises."""
        assert self._wire is None, "a session connects once"
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.security == "tls",
            start_tls=False,
            timeout=self._timeouts.connect_s,
            tls_context=self._tls,
            local_hostname="localhost",
        )
        try:
            await client.connect()
            await self._greet(client)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise _connect_failure(self._server, error) from error
        except BaseException:
            client.close()
            raise
        self._capabilities = dict(client.esmtp_extensions)
        transport = client.transport
        assert transport is not None, "a connected client has a transport"
        self._wire = Wire(transport)  # pyright: ignore[reportArgumentType] - typed as the base class there

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        # An address literal (RFC 5321 section 4.1.4): the host's own name costs a DNS look-up and is often wrong.
        address = client.get_transport_info("sockname")[0]
        client.local_hostname = f"[IPv6:{address}]" if ":" in address else f"[{address}]"
        await _say_hello(client)
        if self._server.security == "starttls":
            if not client.supports_extension("starttls"):
                raise _no_starttls(self._server)
            await client.starttls()
            await _say_hello(client)
        if self._server.username:
            if not client.supports_extension("auth"):
                raise _no_login(self._server)
            await client.login(self._server.username, self._password)

    async def send(self, envelope: Envelope, before_final_dot: BeforeFinalDot) -> Accepted:
        wire = self._require_wire()
        commands = _commands(envelope, self._capabilities)
        try:
            failure = await self._offer(wire, commands)
            if failure is None:
                failure = await self._give_body(wire, _body(envelope.content), before_final_dot)
        except (WireLost, WireTimeout) as error:
            wire.abort()
            raise Deferred(
                "MAIL-LOST",
                f"The connection to {self._server.host} failed before the message was handed over. {error}",
                about="connection",
                hint="It is safe to send it again.",
            ) from error
        except BaseException:
            # The dot is not out, and dropping the connection is what makes sure that it never will be.
            wire.abort()
            raise
        if failure is not None:
            raise failure
        return await self._finish(wire, envelope)

    async def _offer(self, wire: Wire, commands: tuple[bytes, bytes, bytes]) -> Deferred | Refused | None:
        """MAIL, RCPT and DATA, up to the server's wish for the body."""
        is_pipelined = "pipelining" in self._capabilities
        if is_pipelined:
            wire.write(b"".join(commands))
        refusal: tuple[Reply, About] | None = None
        for command, (about, wanted) in zip(commands, _STEPS, strict=True):
            if not is_pipelined:
                wire.write(command)
            reply = await wire.reply(self._timeouts.command_s)
            if refusal is None and reply.status // 100 != wanted:
                refusal = reply, about
            if refusal is not None and (reply.status == CLOSING or about == "message" or not is_pipelined):
                await self._withdraw(wire, reply)
                return failure_of(*refusal)
        return None

    async def _give_body(self, wire: Wire, body: bytes, before_final_dot: BeforeFinalDot) -> Deferred | Refused | None:
        """The body, the caller's commit, and the dot, unless the server spoke up before it."""
        wire.write(body)
        await wire.flush(self._timeouts.body_s)
        await before_final_dot()
        # A reset or refusal that has arrived is to be noticed now, not after the dot as a doubt. It takes two turns of
        # the loop, as what one turn finds readable is read after the tasks that were already due.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if not wire.has_reply:
            wire.write(b".\r\n")
            return None
        reply = await wire.reply(self._timeouts.command_s)
        wire.abort()
        if reply.status < 400:
            raise WireLost(f'The server answered out of turn ("{reply}").')
        return failure_of(reply, "message")

    async def _withdraw(self, wire: Wire, last: Reply) -> None:
        """Make the connection fit for the next message, or drop it where that cannot be."""
        # 3xx here: the server waits for a body although it refused the recipient. Giving it an empty one is a message.
        if last.status == CLOSING or last.status < 400:
            wire.abort()
            return
        try:
            wire.write(b"RSET\r\n")
            reset = await wire.reply(self._timeouts.command_s)
        except (WireLost, WireTimeout):
            wire.abort()
            return
        if reset.status // 100 != 2:
            wire.abort()

    async def _finish(self, wire: Wire, envelope: Envelope) -> Accepted:
        try:
            reply = await wire.reply(self._timeouts.final_s)
        except (WireLost, WireTimeout) as error:
            wire.abort()
            raise InDoubt(
                envelope.message_id,
                f"{self._server.host} did not confirm the message to {envelope.recipient}. {error}",
            ) from error
        except BaseException:
            wire.abort()
            raise
        if reply.status // 100 == 2:
            return Accepted(reply)
        if reply.status < 400:
            wire.abort()
            text = f'{self._server.host} answered "{reply}" to the message to {envelope.recipient}.'
            raise InDoubt(envelope.message_id, text)
        if reply.status == CLOSING:
            wire.abort()
        raise failure_of(reply, "message")

    async def lookup(self, message_id: str) -> LookupAnswer | None:
        wire = self._require_wire()
        if "xlookup" not in self._capabilities:
            return None
        try:
            wire.write(b"XLOOKUP " + _word(message_id) + b"\r\n")
            reply = await wire.reply(self._timeouts.command_s)
        except (WireLost, WireTimeout) as error:
            wire.abort()
            raise Deferred("MAIL-LOST", f"The look-up was cut off. {error}", about="connection") from error
        except BaseException:
            wire.abort()
            raise
        if reply.status // 100 == 2:
            return "accepted"
        if reply.status == _UNKNOWN_MESSAGE:
            return "unknown_to_server"
        raise Deferred("MAIL-LOOKUP", f'The server cannot tell yet ("{reply}").', about="message", reply=reply)

    async def close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is None:
            return
        try:
            wire.write(b"QUIT\r\n")
            await wire.reply(_CLOSE_WITHIN_S)
            await wire.close(_CLOSE_WITHIN_S)
        except (WireLost, WireTimeout):
            pass
        finally:
            wire.abort()

    def _require_wire(self) -> Wire:
        if self._wire is None or not self._wire.is_open:
            raise Deferred("MAIL-LOST", f"The connection to {self._server.host} is closed.", about="connection")
        return self._wire


async def _say_hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


def _commands(envelope: Envelope, capabilities: Mapping[str, str]) -> tuple[bytes, bytes, bytes]:
    """MAIL, RCPT, DATA; raises Refused for what this server cannot take, before anything is sent."""
    _check_size(envelope, capabilities)
    mail = b"MAIL FROM:<" + _address(envelope.sender, "sender", capabilities) + b">"
    rcpt = b"RCPT TO:<" + _address(envelope.recipient, "recipient", capabilities) + b">\r\n"
    if "size" in capabilities:
        mail += b" SIZE=%d" % len(envelope.content)
    if not envelope.content.isascii():
        if "8bitmime" not in capabilities:
            raise Refused("MAIL-EIGHT-BIT", "The mail server takes plain ASCII messages only.", about="message")
        mail += b" BODY=8BITMIME"
    if not (envelope.sender + envelope.recipient).isascii() and "smtputf8" in capabilities:
        mail += b" SMTPUTF8"
    return mail + b"\r\n", rcpt, b"DATA\r\n"


def _check_size(envelope: Envelope, capabilities: Mapping[str, str]) -> None:
    limit = capabilities.get("size", "").strip()
    if limit.isdecimal() and 0 < int(limit) < len(envelope.content):
        raise Refused(
            "MAIL-TOO-LARGE",
            f"The message has {len(envelope.content)} bytes; the mail server takes at most {limit}.",
            about="message",
            hint="Shorten the message or use smaller pictures.",
        )


def _address(address: str, about: About, capabilities: Mapping[str, str]) -> bytes:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or _NOT_IN_ADDRESS.search(address):
        raise Refused("MAIL-ADDRESS", f"{address!r} is not a mail address.", about=about)
    if address.isascii():
        return address.encode("ascii")
    if "smtputf8" in capabilities:
        return address.encode()
    try:
        return local.encode("ascii") + b"@" + domain.encode("idna")
    except UnicodeError:
        text = f"The mail server cannot address {address!r}, which has letters beyond ASCII."
        raise Refused("MAIL-ADDRESS", text, about=about) from None


def _word(message_id: str) -> bytes:
    if not message_id.isascii() or re.search(r"[\x00-\x20\x7f]", message_id):
        raise ValueError(f"not a Message-ID: {message_id!r}")
    return message_id.encode("ascii")


def _body(content: bytes) -> bytes:
    """CRLF line ends throughout, and a dot more where a line begins with one (RFC 5321 section 4.5.2)."""
    ends = content.count(b"\r\n")
    if not (ends == content.count(b"\n") == content.count(b"\r") and content.endswith(b"\r\n")):
        content = normalize_message_line_endings(content)
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _connect_failure(server: SmtpServer, error: Exception) -> StudioError:
    place = f"{server.host}:{server.port}"
    certificate = _find_cause(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        return UserFixable(
            "MAIL-CERTIFICATE",
            f"{place} shows a certificate that does not prove it is {server.host} ({certificate.verify_message}).",
            where="smtp.host",
            hint="Use the name that the provider gives for its mail server.",
        )
    if _find_cause(error, ssl.SSLError) is not None:
        hint = 'Check "security" and the port: 465 goes with "tls", 587 with "starttls".'
        return UserFixable(
            "MAIL-TLS", f"{place} does not speak the encryption asked for.", where="smtp.security", hint=hint
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reply = Reply(error.code, error.message)
        if isinstance(error, aiosmtplib.SMTPAuthenticationError) and reply.status // 100 == 5:
            hint = "Check user name and password; many providers want an app password."
            return UserFixable("MAIL-LOGIN", f'{place} refused the login: "{reply}".', where="smtp.username", hint=hint)
        return failure_of(reply, "connection")
    text = f"The mail server {place} cannot be reached ({error})."
    return Deferred("MAIL-CONNECT", text, about="connection", hint="Check host, port and network.")


def _find_cause(error: BaseException | None, kind: type[Cause]) -> Cause | None:
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__
    return None


def _no_starttls(server: SmtpServer) -> UserFixable:
    text = f"{server.host}:{server.port} offers no encryption (STARTTLS)."
    hint = 'Set "security" to "tls" (port 465), or ask the provider for the right port.'
    return UserFixable("MAIL-TLS", text, where="smtp.security", hint=hint)


def _no_login(server: SmtpServer) -> UserFixable:
    text = f"{server.host}:{server.port} offers no login on this kind of connection."
    hint = 'Most servers offer it on an encrypted one only: set "security" to "starttls" or "tls".'
    return UserFixable("MAIL-LOGIN", text, where="smtp.username", hint=hint)
