"""The SMTP client against a server that breaks off, stalls and lies, and against aiosmtpd as an independent judge."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd import smtp as aiosmtpd
from hypothesis import given
from hypothesis import strategies as st

from studio.connectors.fake import Mishap
from studio.connectors.profile import SendingProfile
from studio.connectors.secrets import Secrets
from studio.connectors.smtp import SmtpMailer, SmtpTimeouts
from studio.domain.errors import UserFixable
from studio.domain.mail import Deferred, Envelope, InDoubt, Refused, Reply
from tests.connectors.certificates import tls_contexts
from tests.connectors.scripted_smtp import EXTENSIONS, ScriptedSmtp

ANNA = "anna@people.example"
BEN = "ben@people.example"
IMPATIENT_BEFORE_DOT = SmtpTimeouts(command_s=0.05, body_s=0.05)
IMPATIENT_AFTER_DOT = SmtpTimeouts(final_s=0.05)
NO_PIPELINING = tuple(name for name in EXTENSIONS if name != "PIPELINING")


def letter(
    to: str = ANNA, content: bytes = b"Message-ID: <1@x>\r\n\r\nHi\r\n", sender: str = "a@b.example"
) -> Envelope:
    return Envelope(sender, to, "<1@x>", content)


async def nothing() -> None: ...


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 30.0))


async def never() -> None:
    pytest.fail("the server refused before the body, so there is nothing to commit")


@pytest.mark.parametrize("extensions", [EXTENSIONS, NO_PIPELINING], ids=["pipelined", "one by one"])
@pytest.mark.parametrize(("moment", "about"), [("mail", "sender"), ("rcpt", "recipient"), ("data", "message")])
def test_a_refusal_names_whom_it_is_about_and_the_next_message_goes_through(
    extensions: tuple[str, ...], moment: str, about: str
) -> None:
    async def scenario() -> None:
        mishap = Mishap(moment, Reply(550, "5.7.1 no"))  # type: ignore[arg-type]
        async with ScriptedSmtp({ANNA: [mishap]}, extensions=extensions) as server:
            session = await SmtpMailer(server.profile()).open()
            with pytest.raises(Refused) as caught:
                await session.send(letter(), never)
            assert (caught.value.about, caught.value.code) == (about, f"MAIL-REFUSED-{about.upper()}")
            await session.send(letter(BEN), nothing)
            await session.close()
            assert [envelope.recipient for envelope in server.accepted] == [BEN]
            assert server.connections == 1

    run(scenario())


@pytest.mark.parametrize("extensions", [EXTENSIONS, NO_PIPELINING], ids=["pipelined", "one by one"])
@pytest.mark.parametrize("moment", ["mail", "rcpt", "data", "body"])
@pytest.mark.parametrize("answer", ["drop", "silence"])
def test_nothing_before_the_dot_is_in_doubt(extensions: tuple[str, ...], moment: str, answer: str) -> None:
    async def scenario() -> None:
        mishap = Mishap(moment, answer)  # type: ignore[arg-type]
        async with ScriptedSmtp({ANNA: [mishap]}, extensions=extensions) as server:
            session = await SmtpMailer(server.profile(), timeouts=IMPATIENT_BEFORE_DOT).open()

            async def commit() -> None:
                while answer == "drop" and session.is_open:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0)

            # A body that no socket buffer takes, so that a server that stops reading is noticed.
            with pytest.raises(Deferred) as caught:
                await session.send(letter(content=(b"x" * 998 + b"\r\n") * 9_000), commit)
            assert (caught.value.code, caught.value.about) == ("MAIL-LOST", "connection")
            assert not session.is_open
            assert server.accepted == []
            await session.close()

    run(scenario())


@pytest.mark.parametrize("answer", ["drop", "silence"])
@pytest.mark.parametrize("moment", ["dot", "accepted"])
def test_no_answer_to_the_dot_is_in_doubt(moment: str, answer: str) -> None:
    async def scenario() -> None:
        mishap = Mishap(moment, answer)  # type: ignore[arg-type]
        async with ScriptedSmtp({ANNA: [mishap]}) as server:
            session = await SmtpMailer(server.profile(), timeouts=IMPATIENT_AFTER_DOT).open()
            with pytest.raises(InDoubt):
                await session.send(letter(), nothing)
            assert not session.is_open

    run(scenario())


def test_cancelling_after_the_dot_closes_the_session() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp({ANNA: [Mishap("accepted", "silence")]}) as server:
            session = await SmtpMailer(server.profile()).open()
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(session.send(letter(), nothing))
                while not server.accepted:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0)
                sending.cancel()
            assert sending.cancelled()
            assert not session.is_open

    run(scenario())


@pytest.mark.parametrize(("status", "kind"), [(552, Refused), (452, Deferred), (250, Deferred)])
def test_a_server_that_speaks_before_the_dot_never_gets_it(status: int, kind: type[Refused] | type[Deferred]) -> None:
    async def scenario() -> None:
        async with ScriptedSmtp({ANNA: [Mishap("body", Reply(status, "5.3.4 that is enough"))]}) as server:
            session = await SmtpMailer(server.profile()).open()
            content = b"line\r\n" * 10

            async def commit() -> None:
                await server.until_body_bytes(len(content))

            with pytest.raises(kind):
                await session.send(letter(content=content), commit)
            assert not session.is_open
            assert server.accepted == []

    run(scenario())


def test_service_not_available_after_the_dot_is_no_doubt_and_closes_the_session() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp({ANNA: [Mishap("dot", Reply(421, "4.3.2 shutting down"))]}) as server:
            session = await SmtpMailer(server.profile()).open()
            with pytest.raises(Deferred) as caught:
                await session.send(letter(), nothing)
            assert not session.is_open
            assert caught.value.about == "connection"
            assert server.accepted == []

    run(scenario())


def test_a_connection_that_ended_during_the_commit_is_no_doubt() -> None:
    """Also when the commit gives the loop no chance to notice by itself."""

    async def scenario() -> None:
        writers: list[asyncio.StreamWriter] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            writer.write(b"220 hi\r\n")
            for answer in (b"250 me", b"250 ok", b"250 ok", b"354 go"):
                await reader.readline()
                writer.write(answer + b"\r\n")
            await reader.read()

        async def commit() -> None:
            writers[0].get_extra_info("socket").shutdown(socket.SHUT_RDWR)

        async with one_connection(serve) as port:
            session = await SmtpMailer(profile_for(port)).open()
            with pytest.raises(Deferred):
                await session.send(letter(), commit)
            assert not session.is_open

    run(scenario())


def test_a_server_that_wants_a_body_after_refusing_the_recipient_gets_none() -> None:
    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hi\r\n")
            answers = {
                b"EHLO": b"250-x\r\n250 PIPELINING",
                b"MAIL": b"250 ok",
                b"RCPT": b"550 5.1.1 no",
                b"DATA": b"354 go",
            }
            while line := await reader.readline():
                got.append(line)
                writer.write(answers.get(line[:4], b"250 taken") + b"\r\n")

        got: list[bytes] = []
        async with one_connection(serve) as port:
            session = await SmtpMailer(profile_for(port)).open()
            with pytest.raises(Refused):
                await session.send(letter(), never)
            assert not session.is_open
        assert b".\r\n" not in got

    run(scenario())


def test_answers_in_pieces_and_of_several_lines_are_read_whole() -> None:
    async def scenario() -> None:
        refusal = Mishap("rcpt", Reply(550, "5.1.1 no such user"))
        async with ScriptedSmtp({ANNA: [refusal]}, dribbles=True) as server:
            session = await SmtpMailer(server.profile()).open()
            with pytest.raises(Refused) as caught:
                await session.send(letter(), never)
            assert caught.value.reply == Reply(550, "5.1.1 no such user")
            answer = await session.send(letter(BEN), nothing)
            assert answer.reply.text == "2.0.0 queued as 7"
            await session.close()

    run(scenario())


@pytest.mark.parametrize("extensions", [("PIPELINING",), NO_PIPELINING])
def test_round_trips(extensions: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with ScriptedSmtp(extensions=extensions) as server:
            session = await SmtpMailer(server.profile()).open()
            await session.send(letter(), nothing)
            await session.close()
            verbs = [command.partition(" ")[0] for command in server.commands]
            assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
            assert server.commands[0].startswith("EHLO [127.")

    run(scenario())


def test_pipelining_sends_all_three_commands_before_the_first_answer() -> None:
    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hi\r\n")
            await reader.readline()
            writer.write(b"250-me\r\n250 PIPELINING\r\n")
            await reader.readuntil(b"DATA\r\n")
            writer.write(b"250 ok\r\n250 ok\r\n354 go\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 taken\r\n")
            await reader.readline()
            writer.write(b"221 bye\r\n")

        async with one_connection(serve) as port, asyncio.timeout(10):
            session = await SmtpMailer(profile_for(port)).open()
            answer = await session.send(letter(), nothing)
            assert answer.reply == Reply(250, "taken")
            await session.close()

    run(scenario())


def test_no_look_up_where_the_server_offers_none() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp(extensions=("PIPELINING",)) as server:
            session = await SmtpMailer(server.profile()).open()
            assert await session.lookup("<1@x>") is None
            with pytest.raises(Deferred):
                await session.close()
                await session.lookup("<1@x>")

    run(scenario())


@pytest.mark.parametrize(
    "address", ["", "anna", "a@b>\r\nDATA", "a b@c.example", "a@", "@b.example", "a@b.example\r\nRSET", "ä@b.example"]
)
def test_an_address_that_is_none_is_refused_without_asking(address: str) -> None:
    async def scenario() -> None:
        async with ScriptedSmtp() as server:
            session = await SmtpMailer(server.profile()).open()
            with pytest.raises(Refused) as caught:
                await session.send(letter(address), never)
            assert (caught.value.code, caught.value.about) == ("MAIL-ADDRESS", "recipient")
            with pytest.raises(Refused) as caught:
                await session.send(letter(sender=address), never)
            assert caught.value.about == "sender"
            await session.send(letter(), nothing)
            await session.close()
            assert len(server.accepted) == 1

    run(scenario())


def test_letters_beyond_ascii_in_addresses() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp() as server:
            session = await SmtpMailer(server.profile()).open()
            await session.send(letter("anna@bücher.example"), nothing)
            await session.close()
        async with ScriptedSmtp(extensions=("SMTPUTF8",)) as modern:
            session = await SmtpMailer(modern.profile()).open()
            await session.send(letter("änna@bücher.example"), nothing)
            await session.close()
        assert server.accepted[0].recipient == "anna@xn--bcher-kva.example"
        assert modern.accepted[0].recipient == "änna@bücher.example"
        assert modern.commands[1].endswith("SMTPUTF8")

    run(scenario())


def test_what_the_server_says_it_cannot_take_is_refused_without_asking() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp(extensions=("SIZE 100",)) as server:
            session = await SmtpMailer(server.profile()).open()
            with pytest.raises(Refused) as large:
                await session.send(letter(content=b"x" * 101), never)
            with pytest.raises(Refused) as eight_bit:
                await session.send(letter(content="Grüße".encode()), never)
            await session.send(letter(content=b"x" * 100), nothing)
            await session.close()
            assert (large.value.code, eight_bit.value.code) == ("MAIL-TOO-LARGE", "MAIL-EIGHT-BIT")
            assert server.commands[1] == "MAIL FROM:<a@b.example> SIZE=100"

    run(scenario())


@given(content=st.binary(max_size=200) | st.text("ab.\r\n", max_size=60).map(str.encode))
def test_any_content_arrives_as_the_same_lines(content: bytes) -> None:
    """The dots, line ends and missing last line end of any content; aiosmtpd undoes the stuffing."""

    async def scenario() -> None:
        async with judge() as (port, taken):
            session = await SmtpMailer(profile_for(port)).open()
            await session.send(letter(content=content), nothing)
            await session.close()
        (arrived,) = taken
        lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert arrived.replace(b"\r\n", b"\n") == (lines if lines.endswith(b"\n") else lines + b"\n")
        assert arrived.count(b"\r\n") == arrived.count(b"\r") == arrived.count(b"\n")

    run(scenario())


@asynccontextmanager
async def one_connection(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A server written in the test, for one connection, which has to end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()
            done.set()

    done = asyncio.Event()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await done.wait()


class Judge:
    """What aiosmtpd took."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.taken.append(envelope.content)  # type: ignore[attr-defined]
        return "250 ok"


@asynccontextmanager
async def judge(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    def check(
        server: object, session: object, envelope: object, mechanism: str, data: aiosmtpd.LoginPassword
    ) -> aiosmtpd.AuthResult:
        return aiosmtpd.AuthResult(success=(data.login, data.password) == (b"shop", b"right"), handled=False)

    handler = Judge()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: aiosmtpd.SMTP(
            handler, hostname="judge", loop=loop, tls_context=tls, require_starttls=tls is not None,
            authenticator=check, auth_required=tls is not None,
        ),
        "127.0.0.1",
        0,
    )  # fmt: skip
    async with server:
        yield server.sockets[0].getsockname()[1], handler.taken


def profile_for(port: int, **smtp: object) -> SendingProfile:
    server = {"host": "127.0.0.1", "port": port, "security": "none", **smtp}
    return SendingProfile.model_validate({"smtp": server, "from": "shop@sender.example"})


def secrets_with(password: str) -> Secrets:
    return Secrets({"STUDIO_SECRET_SHOP": password}, keyring=lambda: None)


def test_starttls_and_login_at_an_independent_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        server_tls, client_tls = tls_contexts(tmp_path, "localhost")
        async with judge(server_tls) as (port, taken):
            login = {"host": "localhost", "security": "starttls", "username": "shop", "password": "secret://shop"}
            profile = profile_for(port, **login)
            session = await SmtpMailer(profile, secrets=secrets_with("right"), tls=client_tls).open()
            big = letter(content=(b"x" * 70 + b"\r\n") * 3_000)
            await session.send(big, nothing)
            await session.send(letter(), nothing)
            await session.close()
            assert taken == [big.content, letter().content]
            with pytest.raises(UserFixable) as caught:
                await SmtpMailer(profile, secrets=secrets_with("wrong"), tls=client_tls).open()
            assert (caught.value.code, caught.value.where) == ("MAIL-LOGIN", "smtp.username")
            assert "wrong" not in str(caught.value)

    run(scenario())


def test_tls_from_the_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        server_tls, client_tls = tls_contexts(tmp_path, "localhost")
        async with ScriptedSmtp({BEN: [Mishap("dot", "drop")]}, tls=server_tls) as server:
            profile = server.profile(host="localhost", security="tls")
            session = await SmtpMailer(profile, tls=client_tls).open()
            await session.send(letter(content=(b"x" * 70 + b"\r\n") * 3_000), nothing)
            with pytest.raises(InDoubt):
                await session.send(letter(BEN), nothing)
            await session.close()
            assert len(server.accepted) == 1

    run(scenario())


def test_a_certificate_for_another_name_is_said_to_be_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        server_tls, client_tls = tls_contexts(tmp_path, "elsewhere.example")
        for security, extensions in (("tls", EXTENSIONS), ("starttls", ("STARTTLS",))):
            async with ScriptedSmtp(tls=server_tls, extensions=extensions) as server:
                profile = server.profile(host="localhost", security=security)
                with pytest.raises(UserFixable) as caught:
                    await SmtpMailer(profile, tls=client_tls).open()
                assert (caught.value.code, caught.value.where) == ("MAIL-CERTIFICATE", "smtp.host")

    run(scenario())


def test_encryption_where_there_is_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ScriptedSmtp() as server:
            for security in ("tls", "starttls"):
                with pytest.raises(UserFixable) as caught:
                    await SmtpMailer(server.profile(security=security)).open()
                assert (caught.value.code, caught.value.where) == ("MAIL-TLS", "smtp.security")
            with pytest.raises(UserFixable) as caught:
                profile = server.profile(username="shop", password="secret://shop")
                await SmtpMailer(profile, secrets=secrets_with("right")).open()
            assert caught.value.code == "MAIL-LOGIN"

    run(scenario())


def test_login_without_encryption_where_the_server_allows_it() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp(login=("shop", "right")) as server:
            profile = server.profile(username="shop", password="secret://shop")
            session = await SmtpMailer(profile, secrets=secrets_with("right")).open()
            await session.send(letter(), nothing)
            await session.close()
            assert len(server.accepted) == 1

    run(scenario())


@pytest.mark.parametrize(
    ("greeting", "kind"), [("554 5.7.1 go away", Refused), ("421 4.3.2 later", Deferred), ("HTTP/1.1 200 OK", Deferred)]
)
def test_a_server_that_does_not_welcome_us(greeting: str, kind: type[Exception]) -> None:
    async def scenario() -> None:
        async with ScriptedSmtp(greeting=greeting) as server:
            with pytest.raises(kind) as caught:
                await SmtpMailer(server.profile()).open()
            assert isinstance(caught.value, Refused | Deferred)
            assert caught.value.about == "connection"

    run(scenario())


def test_no_server_at_all() -> None:
    async def scenario() -> None:
        async with ScriptedSmtp() as server:
            profile = server.profile()
        with pytest.raises(Deferred) as caught:
            await SmtpMailer(profile).open()
        assert caught.value.code == "MAIL-CONNECT"
        assert f"127.0.0.1:{server.port}" in str(caught.value)

    run(scenario())


@pytest.mark.parametrize(
    ("status", "text", "enhanced", "bounce", "wait"),
    [
        (550, "5.1.1 no such user", "5.1.1", "hard", None),
        (550, "5.7.515 Access denied", "5.7.515", "policy", None),
        (550, "no such user 5.1.1", None, "hard", None),
        (450, "4.2.0 greylisted, try again in 300 seconds", "4.2.0", "soft", 300.0),
        (421, "4.7.0 Try again in 2 hours", "4.7.0", "soft", 7_200.0),
        (451, "4.7.1 please wait for 90000 minutes", "4.7.1", "soft", 86_400.0),
        (451, "5.1.1x", None, "soft", None),
    ],
)
def test_what_a_reply_means(status: int, text: str, enhanced: str | None, bounce: str, wait: float | None) -> None:
    reply = Reply(status, text)
    assert (reply.enhanced, reply.bounce_class, reply.retry_after_s) == (enhanced, bounce, wait)
