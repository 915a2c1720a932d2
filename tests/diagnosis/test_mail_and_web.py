"""Real servers on this computer answer, break and lie; each failure is recognised and gets its cause and remedy.

Nothing here is made up by hand: what is diagnosed is the error that the connector raises.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.connectors.fake import Mishap
from studio.connectors.page import PAGE_BYTES_MAX, fetch_page
from studio.connectors.profile import SendingProfile
from studio.connectors.secrets import Secrets
from studio.connectors.smtp import SmtpMailer, SmtpTimeouts
from studio.connectors.web import WebCaller
from studio.domain.diagnosis import diagnose_error
from studio.domain.errors import StudioError
from studio.domain.mail import Envelope, Reply
from studio.domain.web import WebRequest
from studio.domain.web_answer import Expected
from tests.connectors.certificates import tls_contexts
from tests.connectors.scripted_site import CUT, site
from tests.connectors.scripted_smtp import EXTENSIONS, ScriptedSmtp
from tests.connectors.test_page import NO_TLS, here
from tests.connectors.test_page import site as page_site

ANNA = "anna@example.org"
SOON = SmtpTimeouts(connect_s=0.3, command_s=0.3, body_s=0.3, final_s=0.3)


async def _nothing() -> None: ...


def letter(recipient: str = ANNA, content: bytes = b"Hello\r\n") -> Envelope:
    return Envelope(
        "shop@sender.example", recipient, "<1@sender.example>", b"Message-ID: <1@sender.example>\r\n" + content
    )


async def mailed(profile: SendingProfile, envelope: Envelope, **mailer: object) -> StudioError:
    """The error that sending one message ends with."""
    try:
        session = await SmtpMailer(profile, secrets=Secrets({}, keyring=lambda: None), **mailer).open()
    except StudioError as error:
        return error
    try:
        await session.send(envelope, _nothing)
    except StudioError as error:
        return error
    finally:
        await session.close()
    raise AssertionError("nothing went wrong")


def raised(work: Awaitable[StudioError]) -> StudioError:
    async def waited() -> StudioError:
        error = await work
        # Servers notice that their clients are gone and close their sockets in the next turns of the loop.
        for _ in range(20):
            await asyncio.sleep(0)
        return error

    return asyncio.run(waited())


REPLIES = {
    "listed": ("rcpt", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    "unknown-mailbox": ("rcpt", "550 5.1.1 The email account that you tried to reach does not exist"),
    "null-mx": ("rcpt", "556 5.1.10 Domain does not accept mail (nullMX)"),
    "unknown-domain": ("rcpt", "550 5.1.2 Bad destination system address"),
    "bad-address": ("rcpt", "501 5.1.3 Bad recipient address syntax"),
    "bad-sender": ("mail", "550 5.1.8 Sender address rejected: Domain not found"),
    "disabled-mailbox": ("rcpt", "550 5.2.1 The email account that you tried to reach is disabled"),
    "full-mailbox": ("rcpt", "452 4.2.2 The email account that you tried to reach is over quota"),
    "too-large": ("dot", "552 5.3.4 Message size exceeds fixed limit"),
    "loop": ("rcpt", "554 5.4.6 Too many hops"),
    "content": ("dot", "554 5.6.0 Message content rejected by policy of form"),
    "login": ("mail", "530 5.7.11 Encryption required for requested authentication mechanism"),
    "dkim": ("dot", "550 5.7.20 No valid DKIM signature"),
    "spf": ("dot", "550 5.7.23 SPF validation failed"),
    "reverse-dns": ("mail", "550 5.7.25 The sending IP does not have a PTR record"),
    "dmarc": ("dot", "550 5.7.26 This mail is unauthenticated"),
    "sender-without-mx": ("mail", "550 5.7.27 Sender address has null MX"),
    "too-fast": ("rcpt", "421 4.7.0 Our system has detected an unusual rate of unsolicited mail"),
    "relay": ("rcpt", "554 5.7.1 <anna@example.org>: Relay access denied"),
    "spam": ("dot", "554 5.7.1 Message identified as SPAM"),
    "policy": ("rcpt", "550 5.7.1 Recipient address rejected: Access denied"),
    "refused-sender": ("mail", "553 sender not allowed"),
    "refused-recipient": ("rcpt", "550 no"),
    "refused-message": ("dot", "554 Transaction failed"),
    "greylisted": ("rcpt", "450 4.7.1 Greylisted, please try again in 300 seconds"),
    "server-full": ("dot", "452 4.3.1 Insufficient system storage"),
    "their-network": ("dot", "451 4.4.1 No answer from host"),
    "closing": ("rcpt", "421 4.3.2 Shutting down"),
    "deferred": ("rcpt", "451 Local error in processing"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_what_mail_servers_answer(name: str) -> None:
    moment, said = REPLIES[name]
    status, _, text = said.partition(" ")

    async def scenario() -> StudioError:
        async with ScriptedSmtp({ANNA: [Mishap(moment, Reply(int(status), text))]}) as server:
            return await mailed(server.profile(), letter())

    assert diagnose_error(raised(scenario())).id == f"mail.{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def profile(port: int, **smtp: object) -> SendingProfile:
    server = {"host": "127.0.0.1", "port": port, "security": "none", **smtp}
    return SendingProfile.model_validate({"smtp": server, "from": "shop@sender.example"})


async def no_such_server(_: Path) -> StudioError:
    return await mailed(profile(25, host="mail.no-such-host.invalid"), letter())


async def nobody_listens(_: Path) -> StudioError:
    return await mailed(profile(_free_port()), letter())


async def silent_server(_: Path) -> StudioError:
    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        return await mailed(profile(server.sockets[0].getsockname()[1]), letter(), timeouts=SOON)


async def refused_connection(_: Path) -> StudioError:
    async with ScriptedSmtp(greeting="554 5.3.2 not for you") as server:
        return await mailed(server.profile(), letter())


async def in_doubt(_: Path) -> StudioError:
    async with ScriptedSmtp({ANNA: [Mishap("accepted", "drop")]}) as server:
        return await mailed(server.profile(), letter())


async def lost(_: Path) -> StudioError:
    async with ScriptedSmtp({ANNA: [Mishap("data", "drop")]}) as server:
        return await mailed(server.profile(), letter())


async def untrusted(folder: Path) -> StudioError:
    async with ScriptedSmtp(tls=tls_contexts(folder)[0]) as server:
        return await mailed(server.profile(security="tls"), letter())


async def other_name(folder: Path) -> StudioError:
    serves, trusts = tls_contexts(folder, "another.example")
    async with ScriptedSmtp(tls=serves) as server:
        return await mailed(server.profile(security="tls", host="localhost"), letter(), tls=trusts)


async def expired(folder: Path) -> StudioError:
    serves, trusts = tls_contexts(folder, "localhost", until=datetime.now(UTC) - timedelta(hours=1))
    async with ScriptedSmtp(tls=serves) as server:
        return await mailed(server.profile(security="tls", host="localhost"), letter(), tls=trusts)


async def not_encrypted(_: Path) -> StudioError:
    async with ScriptedSmtp() as server:
        return await mailed(server.profile(security="tls"), letter())


async def no_starttls(_: Path) -> StudioError:
    async with ScriptedSmtp() as server:
        return await mailed(server.profile(security="starttls"), letter())


async def no_login(_: Path) -> StudioError:
    async with ScriptedSmtp() as server:
        return await mailed(server.profile(username="anna"), letter())


async def wrong_password(_: Path) -> StudioError:
    async with ScriptedSmtp(login=("anna", "right")) as server:
        return await mailed(server.profile(username="anna"), letter())


async def too_large(_: Path) -> StudioError:
    async with ScriptedSmtp(extensions=["SIZE 1000"]) as server:
        return await mailed(server.profile(), letter(content=b"x" * 2_000 + b"\r\n"))


async def eight_bit(_: Path) -> StudioError:
    async with ScriptedSmtp(extensions=[name for name in EXTENSIONS if name != "8BITMIME"]) as server:
        return await mailed(server.profile(), letter(content="Grüße\r\n".encode()))


async def bad_address(_: Path) -> StudioError:
    async with ScriptedSmtp() as server:
        return await mailed(server.profile(), letter("anna at example.org"))


async def secret_missing(_: Path) -> StudioError:
    async with ScriptedSmtp(login=("anna", "right")) as server:
        return await mailed(server.profile(username="anna", password="secret://none"), letter())


ON_THE_WAY: dict[str, Callable[[Path], Awaitable[StudioError]]] = {
    "mail.no-such-server": no_such_server,
    "mail.nobody-listens": nobody_listens,
    "mail.silent-server": silent_server,
    "mail.refused-connection": refused_connection,
    "mail.in-doubt": in_doubt,
    "mail.lost": lost,
    "mail.certificate": untrusted,
    "mail.certificate-name": other_name,
    "mail.certificate-expired": expired,
    "mail.tls": not_encrypted,
    "mail.no-starttls": no_starttls,
    "mail.no-login": no_login,
    "mail.wrong-password": wrong_password,
    "mail.larger-than-allowed": too_large,
    "mail.eight-bit": eight_bit,
    "mail.address": bad_address,
    "workspace.keyring": secret_missing,
}


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_what_goes_wrong_on_the_way_to_a_mail_server(name: str, tmp_path: Path) -> None:
    error = raised(ON_THE_WAY[name](tmp_path))
    assert diagnose_error(error).id == name, f"{error.code}: {error.message}"


async def called(port: int, **changes: object) -> StudioError:
    fields = {
        "message_id": "<1@shop>", "method": "POST", "url": f"http://127.0.0.1:{port}/hook", "headers": {},
        "content": b"", "is_repeatable": False, "timeout_s": 20.0, **changes,
    }  # fmt: skip
    session = await WebCaller(Secrets({}, keyring=lambda: None)).open()
    try:
        await session.send(WebRequest(**fields), _nothing)
    except StudioError as error:
        return error
    finally:
        await session.close()
    raise AssertionError("nothing went wrong")


ANSWERS = {
    "web.rate": ("429 Too Many Requests", {}),
    "web.maintenance": ("503 Service Unavailable", {}),
    "web.deferred": ("500 Internal Server Error", {"is_repeatable": True}),
    "web.server-error": ("500 Internal Server Error", {}),
    "web.login": ("403 Forbidden", {}),
    "web.redirect": ("301 Moved Permanently\r\nLocation: https://elsewhere.example", {}),
    "web.not-found": ("404 Not Found", {}),
    "web.refused-data": ("422 Unprocessable Content", {}),
    "web.conflict": ("409 Conflict", {}),
    "web.refused": ("405 Method Not Allowed", {}),
    "web.lost": (CUT, {"is_repeatable": True}),
    "web.said-no": (("200 OK", b'{"ok": false}'), {"expects": (Expected(path=("ok",), value="true"),)}),
    "mail.in-doubt": (CUT, {}),
    "web.address": ("200 OK", {"url": "http://127.0.0.1:port/"}),
    "web.no-such-site": ("200 OK", {"url": "http://no-such-host.invalid/"}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_web_addresses_answer(name: str) -> None:
    answer, changes = ANSWERS[name]

    async def scenario() -> StudioError:
        async with site(answer) as (_, port):
            return await called(port, **changes)

    error = raised(scenario())
    assert diagnose_error(error).id == name, f"{error.code}: {error.message}"


def test_a_site_that_nobody_vouches_for(tmp_path: Path) -> None:
    async def scenario() -> StudioError:
        async with site(tls=tls_contexts(tmp_path)[0]) as (_, port):
            return await called(port, url=f"https://127.0.0.1:{port}/")

    assert diagnose_error(raised(scenario())).id == "web.certificate"


def test_a_site_without_encryption_and_one_that_is_gone() -> None:
    async def shout(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def unencrypted() -> StudioError:
        async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await called(port, url=f"https://127.0.0.1:{port}/")

    assert diagnose_error(raised(unencrypted())).id == "web.tls"
    assert diagnose_error(raised(called(_free_port()))).id == "web.unreachable"


PAGES = {
    "web.page-refused": ("403 Forbidden", b""),
    "web.page-kind": ("200 OK\r\nContent-Type: image/png", b"x"),
    "web.page-large": (f"200 OK\r\nContent-Type: text/html\r\nContent-Length: {PAGE_BYTES_MAX + 1}", b"x"),
    "web.page-redirects": ("302 Found\r\nLocation: /", b""),
    "web.page-timeout": ("hang", b""),
    "web.page-private": ("200 OK", b""),
    "web.page-unreachable": ("", b""),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_that_cannot_be_read(name: str) -> None:
    async def scenario() -> StudioError:
        async with page_site({"/": PAGES[name]}) as served:
            port = _free_port() if name == "web.page-unreachable" else served.port
            try:
                await fetch_page(
                    f"http://127.0.0.1:{port}/", allow_private=name != "web.page-private", resolver=here, tls=NO_TLS,
                    within_s=0.3 if name == "web.page-timeout" else 20.0,
                )  # fmt: skip
            except StudioError as error:
                return error
        raise AssertionError("nothing went wrong")

    error = raised(scenario())
    assert diagnose_error(error).id == name, f"{error.code}: {error.message}"
