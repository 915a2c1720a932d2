"""Calling a web address so that, whatever breaks, it is known whether the other side has the call.

Every try carries the same Idempotency-Key. A call that may be repeated is repeated; of one that may not, an answer that
does not come is a doubt. Redirects are not followed: they would carry the data to somebody else. Of an answer the first
megabyte is read and no more, and it is read as it comes, never unpacked. Absent on purpose: retry, pacing, circuit
breaking (the engine's).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from studio.connectors.secrets import Secrets, is_reference
from studio.domain.errors import StudioError
from studio.domain.mail import Accepted, Deferred, Envelope, InDoubt, LookupAnswer, Refused, Reply
from studio.domain.web import WebRequest
from studio.domain.web_answer import ANSWER_BYTES_MAX, Answer, disappointment, take

CONNECT_WITHIN_S = 15.0
_LONGEST_WAIT_S = 86_400.0
_SHOWN_CHARACTERS = 300
_NOT_DONE = frozenset({408, 425, 429, 503})
"""Statuses that say that the call was not carried out (RFC 9110, RFC 6585, RFC 8470)."""


class WebCaller:
    """Opens sessions that call. `verify` replaces the usual idea of which certificates to trust."""

    def __init__(self, secrets: Secrets | None = None, verify: ssl.SSLContext | None = None) -> None:
        self._secrets = secrets or Secrets()
        self._verify = verify

    async def open(self) -> WebSession:
        # Reading all trusted certificates takes longer than a call: once for all sessions, and not on the loop.
        self._verify = self._verify or await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        return WebSession(self._secrets, self._verify)


class WebSession:
    """Makes one call at a time; see `studio.domain.mail.MailSession` for what its methods promise."""

    def __init__(self, secrets: Secrets, verify: ssl.SSLContext) -> None:
        # A kept connection may have died unnoticed; a call that may not be repeated must not begin on one.
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        alone = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        self._kept = httpx.AsyncClient(limits=limits, verify=verify, trust_env=False)
        self._single = httpx.AsyncClient(limits=alone, verify=verify, trust_env=False)
        self._secrets = secrets
        self.is_open = True

    async def send(self, request: Envelope | WebRequest, before_final_dot: Callable[[], Awaitable[None]]) -> Accepted:
        """Make one call. `before_final_dot` is awaited once connected, before the first byte of the call leaves."""
        assert isinstance(request, WebRequest), "mails go over mail sessions"
        has_begun = False

        async def trace(event: str, _details: object) -> None:
            nonlocal has_begun
            if event.endswith("send_request_headers.started"):
                await before_final_dot()
                has_begun = True

        prepared = await self._prepared(request)
        prepared.extensions["trace"] = trace
        client = self._kept if request.is_repeatable else self._single
        try:
            # httpx keeps time for each part of the call; this is for an answer that comes drop by drop. It must not cut
            # off a handshake, which would leave the socket behind.
            async with asyncio.timeout(CONNECT_WITHIN_S + 2 * request.timeout_s):
                response = await client.send(prepared, stream=True)
        except (httpx.HTTPError, TimeoutError) as error:
            raise (_unanswered if has_begun else _unreached)(request, error) from error
        return _verdict(request, response, await _read(response, request.timeout_s))

    async def lookup(self, message_id: str) -> LookupAnswer | None:  # noqa: ARG002 - the protocol's shape
        """Web addresses cannot be asked; the Idempotency-Key is their way."""
        return None

    async def close(self) -> None:
        self.is_open = False
        await self._kept.aclose()
        await self._single.aclose()

    async def _prepared(self, request: WebRequest) -> httpx.Request:
        headers = dict(request.headers)
        for name, value in headers.items():
            if is_reference(value):
                # In a thread: a keyring may ask the person to unlock it.
                headers[name] = await asyncio.to_thread(self._secrets.resolve, value)
        headers["Idempotency-Key"] = request.key
        if not any(name.lower() == "accept-encoding" for name in headers):
            headers["Accept-Encoding"] = "identity"
        timeout = httpx.Timeout(request.timeout_s, connect=min(CONNECT_WITHIN_S, request.timeout_s))
        try:
            return self._single.build_request(
                request.method, request.url, headers=headers, content=request.content, timeout=timeout
            )
        except (httpx.InvalidURL, ValueError) as error:
            text = f"{request.url[:200]!r} cannot be called ({error})."
            raise Refused("WEB-ADDRESS", text, about="message", hint="Check the address and its fields.") from error


def _unreached(request: WebRequest, error: Exception) -> StudioError:
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        text = f"{request.recipient} shows a certificate that does not prove who it is ({certificate.verify_message})."
        return Refused("WEB-CERTIFICATE", text, about="connection", hint="Use the name that its owner gives for it.")
    if _cause(error, ssl.SSLError) is not None:
        text = f"{request.recipient} does not speak https."
        return Refused("WEB-TLS", text, about="connection", hint="Check the address and its port.")
    text = f"{request.recipient} cannot be reached ({str(error) or type(error).__name__})."
    return Deferred("WEB-CONNECT", text, about="connection", hint="Check the address and the network.")


def _cause(error: BaseException | None, kind: type[ssl.SSLError]) -> ssl.SSLError | None:
    while error is not None:
        # A handshake that is waiting for more is an SSLError too, of the kind that means nothing.
        if isinstance(error, kind) and not isinstance(error, (ssl.SSLWantReadError, ssl.SSLWantWriteError)):
            return error
        error = error.__cause__ or error.__context__
    return None


def _unanswered(request: WebRequest, error: Exception) -> StudioError:
    is_late = isinstance(error, (TimeoutError, httpx.TimeoutException))
    text = f"{request.recipient} was called, and {'it did not answer in time' if is_late else 'the line broke'}."
    if request.is_repeatable:
        hint = "It is called again with the same key."
        return Deferred("WEB-LOST", text, about="message", hint=hint, why="timeout" if is_late else "unreachable")
    return InDoubt(request.message_id, text)


async def _read(response: httpx.Response, within_s: float) -> Answer:
    """The answer behind its status line. What of it does not come changes nothing about the status."""
    content, lack = bytearray(), ""
    try:
        async with asyncio.timeout(within_s):
            async for part in response.aiter_raw():
                content += part
                if len(content) > ANSWER_BYTES_MAX:
                    lack = "the answer is longer than a megabyte"
                    break
    except (httpx.HTTPError, TimeoutError):
        lack = "the line broke before the answer was complete"
    finally:
        await response.aclose()
    if response.headers.get("Content-Encoding", "identity") != "identity":
        lack = "the answer came compressed, which was not asked for"
    return Answer(status=response.status_code, content=bytes(content[:ANSWER_BYTES_MAX]), lack=lack)


def _verdict(request: WebRequest, response: httpx.Response, answer: Answer) -> Accepted:
    status, reply = answer.status, Reply(answer.status, _shown(response, answer))
    if response.is_success or status in request.accepts:
        return _accepted(request, reply, answer)
    said = f'{request.recipient} answered "{reply}".'
    if status in _NOT_DONE or (status >= 500 and request.is_repeatable):
        code = "WEB-RATE" if status == 429 else "WEB-DEFERRED"
        deferred = Deferred(code, said, about="message", reply=reply)
        deferred.retry_after_s = retry_after_s(response)
        raise deferred
    if status in (502, 504):
        # The gateway does not know what became of the call behind it.
        raise InDoubt(request.message_id, said)
    if status in (401, 403, 407):
        raise Refused("WEB-LOGIN", said, about="connection", hint="Check the key or password in the headers.")
    if 300 <= status < 400:
        hint = "Use the address it points to, if you trust it."
        raise Refused("WEB-REDIRECT", said, about="connection", hint=hint)
    code = "WEB-SERVER-ERROR" if status >= 500 else "WEB-REFUSED"
    raise Refused(code, said, about="message", reply=reply, hint="Ask who runs it what was wrong with the call.")


def _accepted(request: WebRequest, reply: Reply, answer: Answer) -> Accepted:
    """The call is done, if what is expected of the answer is there."""
    if request.expects and answer.lack:
        text = f"{request.recipient} answered {reply.status}, but {answer.lack}."
        if request.is_repeatable:
            raise Deferred("WEB-LOST", text, about="message", hint="It is called again with the same key.")
        raise InDoubt(request.message_id, text)
    wrong = disappointment(request.expects, answer)
    if wrong is not None:
        text = f"{request.recipient} answered {reply.status}, but {wrong}."
        hint = "Ask who runs it what was wrong with the call, or correct what the step expects."
        raise Refused("WEB-SAID-NO", text, about="message", reply=reply, hint=hint)
    return Accepted(reply, take(request.takes, answer) if request.takes else None)


def retry_after_s(answer: httpx.Response) -> float | None:
    """The wait that the answer asks for, in seconds (RFC 9110 section 10.2.3), at most a day; None when it names none.

    A date is read against the answer's own `Date`, not against this computer's clock, which may be wrong.
    """
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(float(asked), _LONGEST_WAIT_S)
    until, now = _date(asked), _date(answer.headers.get("Date", ""))
    if until is None or now is None:
        return None
    return min(max((until - now).total_seconds(), 0.0), _LONGEST_WAIT_S)


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


def _shown(response: httpx.Response, answer: Answer) -> str:
    start = answer.content[: 8 * _SHOWN_CHARACTERS].decode(errors="replace")
    text = " ".join(start.split())[:_SHOWN_CHARACTERS]
    return text or response.reason_phrase
