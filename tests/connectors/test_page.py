"""Fetching pages: only public addresses, only pages, only so much of them, and the letters right."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from studio.connectors.page import PAGE_BYTES_MAX, Page, fetch_page, read_html
from studio.domain.errors import Rejected, Transient, UserFixable
from tests.connectors.certificates import tls_contexts

# Making one that trusts the world's authorities takes longer than all the rest of a test.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
HTML = "<html><title>Käse & Brot</title></html>"


class Site:
    """A web server on this computer: path to (status line and headers, body); "hang" never answers."""

    def __init__(self, answers: Mapping[str, tuple[str, bytes]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.hosts: list[str] = []
        self.port = 0
        self.over = asyncio.Event()
        self.tasks: set[asyncio.Task[None] | None] = set()
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.current_task())
        self.writers.append(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ", 2)[1]
            self.asked.append(path)
            self.hosts += [line[6:] for line in head.split("\r\n") if line.lower().startswith("host: ")]
            top, body = self.answers[path]
            if top == "hang":
                await self.over.wait()
            length = "" if "content-length" in top.lower() else f"Content-Length: {len(body)}\r\n"
            writer.write(f"HTTP/1.1 {top}\r\nConnection: close\r\n{length}\r\n".encode() + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def site(answers: Mapping[str, tuple[str, bytes]], tls: object = None) -> AsyncIterator[Site]:
    served = Site(answers)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=tls)  # type: ignore[arg-type]
    served.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield served
        finally:  # from Python 3.12 on a server waits at its end for everybody it talks to
            served.over.set()
            await asyncio.gather(*(task for task in served.tasks if task is not None))
            for writer in served.writers:
                writer.transport.abort()
            await asyncio.sleep(0)


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def nowhere(host: str, port: int) -> Sequence[str]:
    raise OSError("no such host")


def ok(kind: str = "text/html; charset=utf-8", more: str = "") -> str:
    return f"200 OK\r\nContent-Type: {kind}{more}"


def fetched(answers: Mapping[str, tuple[str, bytes]], path: str = "/", within_s: float = 10.0) -> Page:
    async def scenario() -> Page:
        async with site(answers) as served:
            url = f"http://shop.example:{served.port}{path}"
            page = await fetch_page(url, allow_private=True, resolver=here, tls=NO_TLS, within_s=within_s)
            assert served.hosts[0] == f"shop.example:{served.port}"
            return page

    return asyncio.run(scenario())


def test_a_page_comes_with_its_address() -> None:
    page = fetched({"/a?b=1": (ok(), HTML.encode())}, "/a?b=1")
    assert page.html == HTML
    assert page.url.startswith("http://shop.example:")
    assert page.url.endswith("/a?b=1")


def test_redirects_are_followed_to_the_final_address() -> None:
    answers = {
        "/": ("301 Moved\r\nLocation: /b", b""),
        "/b": ("302 Found\r\nLocation: c?x=1#part", b""),
        "/c?x=1": (ok(), HTML.encode()),
    }
    assert fetched(answers).url.endswith("/c?x=1")


def test_redirects_end() -> None:
    with pytest.raises(UserFixable) as caught:
        fetched({"/": ("301 Moved\r\nLocation: /", b"")})
    assert caught.value.code == "PAGE-REDIRECTS"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://shop.example/", "http://user:pw@shop.example/", "javascript:alert(1)"]
)
def test_a_redirect_to_something_else_is_refused(location: str) -> None:
    with pytest.raises(UserFixable) as caught:
        fetched({"/": (f"301 Moved\r\nLocation: {location}", b"")})
    assert caught.value.code == "PAGE-ADDRESS"


def test_a_redirect_into_the_local_network_is_refused_before_connecting() -> None:
    async def scenario() -> None:
        async with site({"/": ("302 Found\r\nLocation: http://inside.example:9/secret", b"")}) as served:
            asked: list[str] = []

            async def resolver(host: str, port: int) -> Sequence[str]:
                asked.append(host)
                return ["127.0.0.1"] if host == "shop.example" else ["169.254.169.254"]

            # The test server itself is private, so the first hop passes by an exception for its very address.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("studio.connectors.page._is_public", lambda address: address == "127.0.0.1")
                with pytest.raises(UserFixable) as caught:
                    await fetch_page(f"http://shop.example:{served.port}/", resolver=resolver, tls=NO_TLS)
            assert caught.value.code == "PAGE-PRIVATE"
            assert asked == ["shop.example", "inside.example"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(address: str) -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return [address]

    literal = f"[{address}]" if ":" in address else address
    urls = ["http://shop.example/", *([f"http://{literal}/"] if "%" not in address else [])]
    for url in urls:
        with pytest.raises(UserFixable) as caught:
            asyncio.run(fetch_page(url, resolver=resolver, tls=NO_TLS))
        assert caught.value.code == "PAGE-PRIVATE"


def test_one_private_address_among_public_ones_is_refused() -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", "127.0.0.1"]

    with pytest.raises(UserFixable) as caught:
        asyncio.run(fetch_page("http://shop.example/", resolver=resolver, tls=NO_TLS))
    assert caught.value.code == "PAGE-PRIVATE"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_numbers_in_disguise_are_refused_as_what_they_are(host: str) -> None:
    """The system's resolver understands them; the address that it names is checked."""
    with pytest.raises((UserFixable, Transient)) as caught:
        asyncio.run(fetch_page(f"http://{host}/", tls=NO_TLS))
    assert caught.value.code in ("PAGE-PRIVATE", "PAGE-UNREACHABLE", "PAGE-ADDRESS")


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that resolves differently a moment later leads nowhere else: it is not asked again."""

    async def scenario() -> None:
        async with site({"/": (ok(), HTML.encode())}) as served:
            asked: list[str] = []

            async def resolver(host: str, port: int) -> Sequence[str]:
                asked.append(host)
                return ["127.0.0.1"]

            url = f"http://does-not-resolve.invalid:{served.port}/"
            page = await fetch_page(url, allow_private=True, resolver=resolver, tls=NO_TLS)
            assert page.html == HTML
            assert asked == ["does-not-resolve.invalid"]

    asyncio.run(scenario())


def test_https_checks_the_certificate_against_the_name(tmp_path: Path) -> None:
    async def scenario() -> None:
        server_tls, client_tls = tls_contexts(tmp_path, "shop.example")
        async with site({"/": (ok(), HTML.encode())}, tls=server_tls) as served:
            url = f"shop.example:{served.port}/"
            page = await fetch_page(url, allow_private=True, resolver=here, tls=client_tls)
            assert page.html == HTML
            assert page.url.startswith("https://shop.example:")
            with pytest.raises(Transient) as caught:
                await fetch_page(
                    f"https://other.example:{served.port}/", allow_private=True, resolver=here, tls=client_tls
                )
            assert "certificate" in caught.value.message

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "http://", "http://[::1", "mailto:a@b.example", "https://u:p@h.example"]
)
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(UserFixable) as caught:
        asyncio.run(fetch_page(url, resolver=here, tls=NO_TLS))
    assert caught.value.code == "PAGE-ADDRESS"


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_large_page_is_refused(is_announced: bool) -> None:
    body = b"x" * (PAGE_BYTES_MAX + 1)
    more = f"\r\nContent-Length: {len(body)}" if is_announced else ""
    with pytest.raises(UserFixable) as caught:
        fetched({"/": (ok(more=more), body)})
    assert caught.value.code == "PAGE-TOO-LARGE"
    assert len(fetched({"/": (ok(), body[:-1])}).html) == PAGE_BYTES_MAX


def test_a_packed_bomb_is_refused() -> None:
    with pytest.raises(UserFixable) as caught:
        fetched({"/": (ok(more="\r\nContent-Encoding: gzip"), gzip.compress(b"x" * 20_000_000))})
    assert caught.value.code == "PAGE-TOO-LARGE"
    assert fetched({"/": (ok(more="\r\nContent-Encoding: gzip"), gzip.compress(HTML.encode()))}).html == HTML


def test_the_whole_time_is_limited() -> None:
    with pytest.raises(Transient) as caught:
        fetched({"/": ("hang", b"")}, within_s=0.1)
    assert caught.value.code == "PAGE-TIMEOUT"


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/json"])
def test_what_is_no_page(kind: str) -> None:
    with pytest.raises(UserFixable) as caught:
        fetched({"/": (ok(kind), b"x")})
    assert caught.value.code == "PAGE-KIND"


def test_statuses() -> None:
    for status in ("404 Not Found", "403 Forbidden"):
        with pytest.raises(Rejected):
            fetched({"/": (status, b"")})
    for status in ("503 Busy", "429 Slow down"):
        with pytest.raises(Transient) as caught:
            fetched({"/": (f"{status}\r\nRetry-After: 30", b"")})
        assert caught.value.retry_after_s == 30.0


def test_no_such_server() -> None:
    with pytest.raises(Transient) as caught:
        asyncio.run(fetch_page("shop.example", resolver=nowhere, tls=NO_TLS))
    assert caught.value.code == "PAGE-UNREACHABLE"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", HTML.encode()),
        ("text/html; charset=ISO-8859-1", HTML.encode("latin-1")),
        ("text/html", b'<meta charset="windows-1252">' + HTML.encode("cp1252")),
        (
            "text/html",
            b"<meta http-equiv='Content-Type' content='text/html; charset=iso-8859-15'>" + HTML.encode("iso-8859-15"),
        ),
        ("text/html", HTML.encode("cp1252")),
        ("text/html; charset=nonsense", HTML.encode()),
        ("text/html; charset=latin-1", b"\xef\xbb\xbf" + HTML.encode()),
        ("text/html", HTML.encode("utf-16")),
        ("text/html", b'<meta charset="utf-16">' + HTML.encode()),
        ("text/html; charset=utf-8", HTML.encode("cp1252")),
        ("", HTML.encode()),
    ],
)
def test_the_letters_are_right_whatever_the_page_says(kind: str, body: bytes) -> None:
    assert fetched({"/": (ok(kind), body)}).html.endswith(HTML)


def test_a_saved_page(tmp_path: Path) -> None:
    path = tmp_path / "Meine Seite.html"
    path.write_bytes(b'<meta charset="windows-1252">' + HTML.encode("cp1252"))
    page = read_html(path)
    assert page.html.endswith(HTML)
    assert page.url == path.as_uri()


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "PAGE-UNREADABLE"), (b"x" * (PAGE_BYTES_MAX + 1), "PAGE-TOO-LARGE"), (b"\x89PNG\0\0", "PAGE-KIND")],
)
def test_a_saved_page_that_is_none(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "page.html"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserFixable) as caught:
        read_html(path)
    assert (caught.value.code, caught.value.where) == (code, str(path))
