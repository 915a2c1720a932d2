"""Calling web addresses: whatever the other side does, it is known whether it may be called again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from studio.connectors.secrets import Secrets
from studio.connectors.web import WebCaller
from studio.domain.errors import StudioError
from studio.domain.mail import Accepted, Deferred, InDoubt, Refused
from studio.domain.web import WebRequest
from studio.domain.web_answer import ANSWER_BYTES_MAX, Expected, Taking
from tests.connectors.certificates import tls_contexts
from tests.connectors.scripted_site import CUT, SILENCE, Site, site


def request(port: int, **changes: object) -> WebRequest:
    fields = {
        "message_id": "<abc123@shop.example>",
        "method": "POST",
        "url": f"http://127.0.0.1:{port}/hook",
        "headers": {"Content-Type": "application/json"},
        "content": b'{"email": "anna@example.org"}',
        "is_repeatable": False,
        "timeout_s": 5.0,
        **changes,
    }
    return WebRequest(**fields)


async def call(asked: WebRequest, caller: WebCaller | None = None) -> Accepted | StudioError:
    """What comes of one call; the intent is noted before a byte leaves."""
    session = await (caller or WebCaller(Secrets({}, keyring=lambda: None))).open()
    try:
        return await session.send(asked, _nothing)
    except StudioError as error:
        return error
    finally:
        await session.close()


async def _nothing() -> None: ...


def answered(*answers: str | tuple[str, bytes], **changes: object) -> tuple[Accepted | StudioError, Site]:
    async def scenario() -> tuple[Accepted | StudioError, Site]:
        async with site(*answers) as (made, port):
            return await call(request(port, **changes)), made

    return asyncio.run(scenario())


def test_the_call_carries_its_key_and_its_data() -> None:
    came, made = answered("201 Created")
    assert isinstance(came, Accepted)
    ((line, headers, body),) = made.asked
    assert line == "POST /hook HTTP/1.1"
    assert headers["idempotency-key"] == "abc123"
    assert headers["content-type"] == "application/json"
    assert body == b'{"email": "anna@example.org"}'


def test_nothing_leaves_before_the_intent_is_noted() -> None:
    async def scenario() -> None:
        async with site() as (made, port):
            session = await WebCaller().open()

            async def intend() -> None:
                await asyncio.sleep(0.05)
                assert made.asked == []
                raise OSError("the disk is full")

            with pytest.raises(OSError, match="disk"):
                await session.send(request(port), intend)
            await session.close()
            assert made.asked == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "repeatable", "kind", "code"),
    [
        ("429 Too Many Requests", False, Deferred, "WEB-RATE"),
        ("503 Service Unavailable", False, Deferred, "WEB-DEFERRED"),
        ("500 Internal Server Error", True, Deferred, "WEB-DEFERRED"),
        ("500 Internal Server Error", False, Refused, "WEB-SERVER-ERROR"),
        ("502 Bad Gateway", True, Deferred, "WEB-DEFERRED"),
        ("502 Bad Gateway", False, InDoubt, "MAIL-IN-DOUBT"),
        ("401 Unauthorized", False, Refused, "WEB-LOGIN"),
        ("302 Found\r\nLocation: https://elsewhere.example", False, Refused, "WEB-REDIRECT"),
        ("422 Unprocessable Content", False, Refused, "WEB-REFUSED"),
        (CUT, False, InDoubt, "MAIL-IN-DOUBT"),
        (CUT, True, Deferred, "WEB-LOST"),
    ],
)
def test_each_answer_means_what_may_be_done_next(answer: str, repeatable: bool, kind: type, code: str) -> None:
    came, made = answered(answer, is_repeatable=repeatable)
    assert isinstance(came, kind)
    assert came.code == code
    assert len(made.asked) == 1, "the connector itself never repeats"


@pytest.mark.parametrize(("repeatable", "kind"), [(True, Deferred), (False, InDoubt)])
def test_an_answer_that_does_not_come_in_time(repeatable: bool, kind: type) -> None:
    came, _ = answered(SILENCE, is_repeatable=repeatable, timeout_s=0.2)
    assert isinstance(came, kind)


def test_other_statuses_can_count_as_done() -> None:
    assert isinstance(answered("409 Conflict", accepts=(409,))[0], Accepted)
    assert isinstance(answered("204 No Content", accepts=(409,))[0], Accepted)
    assert isinstance(answered("410 Gone", accepts=(409,))[0], Refused)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Retry-After: 120", 120.0),
        ("Retry-After: Mon, 02 Mar 2026 12:10:00 GMT\r\nDate: Mon, 02 Mar 2026 12:00:00 GMT", 600.0),
        ("Retry-After: Mon, 02 Mar 2026 11:00:00 GMT\r\nDate: Mon, 02 Mar 2026 12:00:00 GMT", 0.0),
        ("Retry-After: 99999999", 86_400.0),
        ("Retry-After: soon", None),
        ("X: y", None),
    ],
)
def test_the_wait_that_is_asked_for_is_kept(headers: str, seconds: float | None) -> None:
    came, _ = answered(f"429 Too Many Requests\r\n{headers}")
    assert isinstance(came, Deferred)
    assert came.retry_after_s == seconds


def test_nobody_there() -> None:
    async def scenario() -> Accepted | StudioError:
        async with site() as (_, port):
            pass
        return await call(request(port))

    came = asyncio.run(scenario())
    assert isinstance(came, Deferred)
    assert (came.code, came.about) == ("WEB-CONNECT", "connection")


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    async def scenario() -> Accepted | StudioError:
        async with site(tls=tls_contexts(tmp_path)[0]) as (_, port):
            return await call(request(port, url=f"https://127.0.0.1:{port}/"))

    came = asyncio.run(scenario())
    assert isinstance(came, Refused)
    assert came.code == "WEB-CERTIFICATE"


def test_https_where_only_http_is_spoken() -> None:
    async def scenario() -> Accepted | StudioError:
        async with site() as (_, port):
            return await call(request(port, url=f"https://127.0.0.1:{port}/", timeout_s=0.3))

    came = asyncio.run(scenario())
    assert isinstance(came, Deferred), "the handshake never came to an end, so nothing was said"
    assert came.code == "WEB-CONNECT"


def test_a_server_that_answers_the_handshake_with_words() -> None:
    async def shout(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def scenario() -> Accepted | StudioError:
        async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await call(request(port, url=f"https://127.0.0.1:{port}/"))

    came = asyncio.run(scenario())
    assert isinstance(came, Refused)
    assert came.code == "WEB-TLS"


def test_secrets_are_filled_in_at_the_last_moment() -> None:
    async def scenario() -> tuple[Accepted | StudioError, Site]:
        caller = WebCaller(Secrets({"STUDIO_SECRET_CRM_KEY": "Bearer 123"}, keyring=lambda: None))
        async with site() as (made, port):
            return await call(request(port, headers={"Authorization": "secret://crm-key"}), caller), made

    came, made = asyncio.run(scenario())
    assert isinstance(came, Accepted)
    assert made.asked[0][1]["authorization"] == "Bearer 123"


PLAN = Taking(name="plan", path=("customer", "plan"))


def test_what_is_wanted_of_an_answer_comes_with_it() -> None:
    seats = Taking(name="seats", path=("customer", "seats"), kind="number")
    status = Taking(name="status", part="status", kind="number")
    accepted, _ = answered(("201 Created", b'{"customer": {"plan": "gold"}}'), takes=(PLAN, seats, status))
    assert isinstance(accepted, Accepted) and accepted.taken is not None
    assert accepted.taken.values == {"plan": "gold", "status": 201.0}
    assert accepted.taken.missing == {"seats": "the answer has no “customer.seats”"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (("200 OK", b'{"customer": {"plan": "' + b"x" * ANSWER_BYTES_MAX), "longer than a megabyte"),
        ((f"200 OK\r\n{CUT}", b'{"customer": {"plan": "gold"}}'), "line broke"),
        (("200 OK\r\nContent-Encoding: gzip", b"\x1f\x8b\x08"), "compressed"),
        (("200 OK", b"<html>"), "not JSON"),
        (("204 No Content", b""), "empty"),
    ],
)
def test_a_call_is_done_though_its_answer_cannot_be_read(answer: tuple[str, bytes], why: str) -> None:
    accepted, _ = answered(answer, takes=(PLAN,))
    assert isinstance(accepted, Accepted) and accepted.taken is not None
    assert why in accepted.taken.missing["plan"]


@pytest.mark.parametrize(
    ("answer", "repeatable", "kind", "code"),
    [
        (("200 OK", b'{"ok": false}'), False, Refused, "WEB-SAID-NO"),
        (("200 OK", b"ok"), False, Refused, "WEB-SAID-NO"),
        ((f"200 OK\r\n{CUT}", b'{"ok": true}'), False, InDoubt, "MAIL-IN-DOUBT"),
        ((f"200 OK\r\n{CUT}", b'{"ok": true}'), True, Deferred, "WEB-LOST"),
        (("200 OK", b'{"ok": true}'), False, Accepted, ""),
    ],
)
def test_an_answer_can_say_that_the_call_was_not_done(
    answer: tuple[str, bytes], repeatable: bool, kind: type, code: str
) -> None:
    came, _ = answered(answer, is_repeatable=repeatable, expects=(Expected(path=("ok",), value="True"),))
    assert isinstance(came, kind)
    assert getattr(came, "code", "") == code
