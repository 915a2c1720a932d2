"""What the engine relies on, checked against every mailer: SMTP to a scripted server, SMTP to the catcher, the fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from studio.connectors.catcher_process import CatcherProcess
from studio.connectors.fake import FakeMailer, Mishap
from studio.connectors.smtp import SmtpMailer
from studio.domain.mail import Deferred, Envelope, InDoubt, Mailer, MailSession, Refused, Reply
from tests.connectors.scripted_smtp import ScriptedSmtp

ANNA = "anna@people.example"
BEN = "ben@people.example"

Mishaps = Mapping[str, Mishap]


@dataclass(frozen=True)
class Bench:
    """A mailer and the truth about what its server took: pairs of recipient and content."""

    mailer: Mailer
    accepted: Callable[[], list[tuple[str, bytes]]]
    until_body_arrived: Callable[[int], Awaitable[None]]
    until_dropped: Callable[[MailSession], Awaitable[None]]


def letter(to: str = ANNA, number: int = 1, text: bytes = b"Hello\r\n") -> Envelope:
    message_id = f"<{number}.{to}>"
    head = f"From: shop@sender.example\r\nTo: {to}\r\nMessage-ID: {message_id}\r\n\r\n".encode()
    return Envelope("shop@sender.example", to, message_id, head + text)


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 60.0))


async def until_closed(session: MailSession) -> None:
    while session.is_open:  # noqa: ASYNC110 - a session has no event for it, and no caller needs one
        await asyncio.sleep(0)


async def nothing() -> None:
    """A commit that always works."""


@asynccontextmanager
async def fake(mishaps: Mishaps, folder: Path) -> AsyncIterator[Bench]:
    async def at_once(_: object) -> None: ...

    mailer = FakeMailer({recipient: [mishap] for recipient, mishap in mishaps.items()})
    yield Bench(
        mailer, lambda: [(envelope.recipient, envelope.content) for envelope in mailer.accepted], at_once, at_once
    )


@asynccontextmanager
async def scripted(mishaps: Mishaps, folder: Path) -> AsyncIterator[Bench]:
    async with ScriptedSmtp({recipient: [mishap] for recipient, mishap in mishaps.items()}) as server:
        yield Bench(
            SmtpMailer(server.profile()),
            lambda: [(envelope.recipient, envelope.content) for envelope in server.accepted],
            server.until_body_bytes,
            until_closed,
        )


@asynccontextmanager
async def catcher(mishaps: Mishaps, folder: Path) -> AsyncIterator[Bench]:
    async def cannot_know(_count: int) -> None: ...

    options = [option for recipient, mishap in mishaps.items() for option in catcher_options(recipient, mishap)]
    async with CatcherProcess(folder, options=options) as process:
        mail = process.mail
        yield Bench(
            SmtpMailer(process.profile()),
            lambda: [(record.recipient, mail.content(record)) for record in mail.records()],
            cannot_know,
            until_closed,
        )


def catcher_options(recipient: str, mishap: Mishap) -> list[str]:
    if isinstance(mishap.answer, Reply):
        return ["--greylist" if mishap.at == "rcpt" else "--refuse", f"{recipient}={mishap.answer}"]
    moment = {"body": "before-dot", "dot": "after-dot", "accepted": "after-accept"}[mishap.at]
    return ["--drop", f"{recipient}={moment}"]


Opener = Callable[[Mishaps], AbstractAsyncContextManager[Bench]]


@pytest.fixture(params=[fake, scripted, catcher], ids=lambda maker: maker.__name__)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return lambda mishaps: request.param(mishaps, tmp_path)


def test_messages_arrive_unchanged_one_after_another(opened: Opener) -> None:
    texts = [b"Hello\r\n", b".\r\n", b"..\r\n.leading dot\r\n\r\n.\r\n", b"x" * 200_000 + b"\r\n", "Grüße\r\n".encode()]

    async def scenario() -> None:
        async with opened({}) as bench:
            session = await bench.mailer.open()
            sent = [letter(number=number, text=text) for number, text in enumerate(texts)]
            for envelope in sent:
                answer = await session.send(envelope, nothing)
                assert answer.reply.status == 250
            await session.close()
            assert not session.is_open
            assert bench.accepted() == [(ANNA, envelope.content) for envelope in sent]

    run(scenario())


def test_the_commit_comes_after_the_body_and_before_acceptance(opened: Opener) -> None:
    async def scenario() -> None:
        async with opened({}) as bench:
            envelope = letter()
            calls: list[list[tuple[str, bytes]]] = []

            async def commit() -> None:
                await bench.until_body_arrived(len(envelope.content))
                calls.append(bench.accepted())

            session = await bench.mailer.open()
            await session.send(envelope, commit)
            await session.close()
            assert calls == [[]]
            assert bench.accepted() == [(ANNA, envelope.content)]

    run(scenario())


def test_a_commit_that_fails_means_not_sent(opened: Opener) -> None:
    class DiskFull(Exception): ...

    async def scenario() -> None:
        async with opened({}) as bench:

            async def commit() -> None:
                raise DiskFull

            session = await bench.mailer.open()
            with pytest.raises(DiskFull):
                await session.send(letter(), commit)
            assert not session.is_open
            await session.close()
            again = await bench.mailer.open()
            assert await again.lookup(letter().message_id) == "unknown_to_server"
            await again.close()
            assert bench.accepted() == []

    run(scenario())


def test_cancelling_during_the_commit_means_not_sent(opened: Opener) -> None:
    async def scenario() -> None:
        async with opened({}) as bench:
            reached = asyncio.Event()

            async def commit() -> None:
                reached.set()
                await asyncio.Event().wait()

            session = await bench.mailer.open()
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(session.send(letter(), commit))
                await reached.wait()
                sending.cancel()
            assert sending.cancelled()
            assert not session.is_open
            again = await bench.mailer.open()
            assert await again.lookup(letter().message_id) == "unknown_to_server"
            await again.close()

    run(scenario())


@pytest.mark.parametrize(
    ("status", "text", "kind"), [(550, "5.1.1 no such user", Refused), (450, "4.2.1 mailbox busy", Deferred)]
)
def test_one_refused_recipient_leaves_the_session_usable(
    opened: Opener, status: int, text: str, kind: type[Refused] | type[Deferred]
) -> None:
    async def scenario() -> None:
        async with opened({ANNA: Mishap("rcpt", Reply(status, text))}) as bench:
            session = await bench.mailer.open()
            with pytest.raises(kind) as caught:
                await session.send(letter(), must_not_be_called)
            assert isinstance(caught.value, Refused | Deferred)
            assert caught.value.about == "recipient"
            assert caught.value.reply is not None
            assert (caught.value.reply.status, caught.value.reply.enhanced) == (status, text[:5])
            assert text in str(caught.value)
            assert session.is_open
            await session.send(letter(BEN), nothing)
            await session.close()
            assert bench.accepted() == [(BEN, letter(BEN).content)]

    run(scenario())


@pytest.mark.parametrize(
    ("status", "text", "kind"), [(554, "5.7.1 looks like spam", Refused), (452, "4.3.1 disk full", Deferred)]
)
def test_a_message_refused_after_the_dot_is_not_in_doubt(
    opened: Opener, status: int, text: str, kind: type[Refused] | type[Deferred]
) -> None:
    async def scenario() -> None:
        async with opened({ANNA: Mishap("dot", Reply(status, text))}) as bench:
            commits = 0

            async def commit() -> None:
                nonlocal commits
                commits += 1

            session = await bench.mailer.open()
            with pytest.raises(kind) as caught:
                await session.send(letter(), commit)
            assert isinstance(caught.value, Refused | Deferred)
            assert caught.value.about == "message"
            assert commits == 1
            assert session.is_open
            await session.send(letter(BEN), nothing)
            assert await session.lookup(letter().message_id) == "unknown_to_server"
            await session.close()
            assert [recipient for recipient, _ in bench.accepted()] == [BEN]

    run(scenario())


def test_service_not_available_closes_the_session(opened: Opener) -> None:
    async def scenario() -> None:
        async with opened({ANNA: Mishap("rcpt", Reply(421, "4.7.0 too many, come back in 5 minutes"))}) as bench:
            session = await bench.mailer.open()
            with pytest.raises(Deferred) as caught:
                await session.send(letter(), must_not_be_called)
            assert caught.value.about == "connection"
            assert caught.value.retry_after_s == 300.0
            assert not session.is_open
            with pytest.raises(Deferred):
                await session.send(letter(BEN), must_not_be_called)
            await session.close()
            again = await bench.mailer.open()
            await again.send(letter(), nothing)
            await again.close()
            assert bench.accepted() == [(ANNA, letter().content)]

    run(scenario())


def test_a_connection_lost_before_the_dot_is_safe_to_send_again(opened: Opener) -> None:
    async def scenario() -> None:
        async with opened({ANNA: Mishap("body", "drop")}) as bench:
            session = await bench.mailer.open()
            big = letter(text=(b"x" * 70 + b"\r\n") * 20_000)
            with pytest.raises(Deferred) as caught:
                await session.send(big, lambda: bench.until_dropped(session))
            assert caught.value.reply is None
            assert not session.is_open
            again = await bench.mailer.open()
            assert await again.lookup(big.message_id) == "unknown_to_server"
            await again.send(big, nothing)
            await again.close()
            assert bench.accepted() == [(ANNA, big.content)]

    run(scenario())


@pytest.mark.parametrize(("moment", "truth"), [("dot", "unknown_to_server"), ("accepted", "accepted")])
def test_a_connection_lost_after_the_dot_is_in_doubt_until_looked_up(opened: Opener, moment: str, truth: str) -> None:
    async def scenario() -> None:
        mishap = Mishap("dot", "drop") if moment == "dot" else Mishap("accepted", "drop")
        async with opened({ANNA: mishap}) as bench:
            session = await bench.mailer.open()
            with pytest.raises(InDoubt) as caught:
                await session.send(letter(), nothing)
            assert caught.value.message_id == letter().message_id
            assert not session.is_open
            again = await bench.mailer.open()
            assert await again.lookup(letter().message_id) == truth
            await again.close()
            assert bool(bench.accepted()) == (truth == "accepted")

    run(scenario())


def test_two_sessions_do_not_wait_for_each_other(opened: Opener) -> None:
    async def scenario() -> None:
        async with opened({}) as bench:
            first, second = await bench.mailer.open(), await bench.mailer.open()

            async def send_second() -> None:
                await second.send(letter(BEN), nothing)

            await first.send(letter(), send_second)
            assert [recipient for recipient, _ in bench.accepted()] == [BEN, ANNA]
            await first.close()
            await second.close()

    run(scenario())


async def must_not_be_called() -> None:
    pytest.fail("the server refused before the body, so there is nothing to commit")
