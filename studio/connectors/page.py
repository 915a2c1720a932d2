"""Fetching one web page, or reading a saved one: the raw HTML and where it came from.

The address may come from a shared workflow, so every host is resolved here, refused when it is not on the public
internet, and connected to by that very IP address; each redirect is checked again. Absent on purpose: reading facts
out of the page (`gallery` does), scripts, cookies, proxies of the system, and further pages of the same site.
"""

from __future__ import annotations

import asyncio
import codecs
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

import studio
from studio.domain.errors import Rejected, Transient, UserFixable

PAGE_BYTES_MAX = 3_000_000
REDIRECTS_MAX = 5
TOTAL_WITHIN_S = 20.0

_CHARSET_IN_TYPE = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_CHARSET_IN_PAGE = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")
_SAVE_IT = "Open it in a browser, save it, and use the saved file."

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Page:
    """`url` is where the page really was, after redirects; the file's URI for a saved one."""

    url: str
    html: str


async def resolve(host: str, port: int) -> Sequence[str]:
    """All IP addresses of a host, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


async def fetch_page(
    url: str,
    *,
    allow_private: bool = False,
    types: Sequence[str] = _PAGE_TYPES,
    resolver: Resolver = resolve,
    tls: ssl.SSLContext | None = None,
    within_s: float = TOTAL_WITHIN_S,
) -> Page:
    """Get a page of at most 3 MB over http or https, following at most five redirects.

    Without a scheme, https is meant. `types`: the kinds of content that are taken.
    `allow_private` permits addresses of this computer and the local network.

    Raises:
        UserFixable: the address is not one, is private, or leads to something that is not a page.
        Rejected: the server said 4xx.
        Transient: no network, no answer in time, or the server said 5xx.
    """
    target = _parsed(url)
    try:
        verify = True if tls is None else tls
        async with asyncio.timeout(within_s), httpx.AsyncHTTPTransport(verify=verify, trust_env=False) as transport:
            for _ in range(REDIRECTS_MAX + 1):
                answer = await _get(transport, target, types, allow_private=allow_private, resolver=resolver)
                if isinstance(answer, Page):
                    return answer
                target = answer
    except TimeoutError:
        text = f"{url} did not answer within {within_s:g} seconds."
        raise Transient("PAGE-TIMEOUT", text, hint="Try again. " + _SAVE_IT, why="timeout") from None
    except httpx.HTTPError as error:
        text = f"{url} cannot be reached ({error})."
        raise Transient(
            "PAGE-UNREACHABLE", text, hint="Check address and network. " + _SAVE_IT, why="unreachable"
        ) from error
    raise UserFixable("PAGE-REDIRECTS", f"{url} leads from one address to the next without end.", hint=_SAVE_IT)


def read_html(path: Path) -> Page:
    """A page saved from a browser, at most 3 MB.

    Raises:
        UserFixable: there is no such file, or it is too large or no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(PAGE_BYTES_MAX + 1)
    except OSError as error:
        text = f"The saved page cannot be read ({error.strerror})."
        raise UserFixable("PAGE-UNREADABLE", text, where=str(path), hint="Check the path.") from error
    if len(content) > PAGE_BYTES_MAX:
        raise _too_large(str(path))
    return Page(path.resolve().as_uri(), _decoded(content, "", str(path)))


def _headers(target: httpx.URL) -> dict[str, str]:
    return {
        "Host": target.netloc.decode("ascii"),
        "User-Agent": f"FlowlightStudio/{studio.__version__}",
        "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
        # Unpacked only piece by piece (64 kB at a time), so a packed bomb cannot hurt; still, nobody needs one.
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _parsed(url: str) -> httpx.URL:
    text = url.strip()
    try:
        return _checked(httpx.URL(text if "://" in text else f"https://{text}"))
    except httpx.InvalidURL as error:
        raise _no_address(url) from error


def _checked(target: httpx.URL) -> httpx.URL:
    if target.scheme not in ("http", "https") or not target.host or target.userinfo:
        raise _no_address(str(target))
    return target.copy_with(fragment=None)


async def _get(
    transport: httpx.AsyncHTTPTransport,
    target: httpx.URL,
    types: Sequence[str],
    *,
    allow_private: bool,
    resolver: Resolver,
) -> Page | httpx.URL:
    """The page, or where to look for it. On the transport: the client above it interprets redirects in its own way."""
    port = target.port or (443 if target.scheme == "https" else 80)
    address = await _address_of(target, port, allow_private=allow_private, resolver=resolver)
    # By address, so that a name that resolves differently a moment later cannot lead elsewhere (DNS rebinding);
    # name and certificate are still those of the host.
    request = httpx.Request(
        "GET",
        target.copy_with(host=address),
        headers=_headers(target),
        extensions={"sni_hostname": target.raw_host.decode("ascii")},
    )
    response = await transport.handle_async_request(request)
    try:
        if response.has_redirect_location:
            return _next(target, response.headers["location"])
        _check_status(target, response)
        kind = response.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() not in types:
            text = f"{target} is no web page but {kind}."
            raise UserFixable("PAGE-KIND", text, hint="Give the address of a page.")
        content = await _content(target, response)
    finally:
        await response.aclose()
    return Page(str(target), _decoded(content, kind, str(target)))


def _next(target: httpx.URL, location: str) -> httpx.URL:
    try:
        return _checked(target.join(location))
    except httpx.InvalidURL as error:
        raise _no_address(location) from error


async def _address_of(target: httpx.URL, port: int, *, allow_private: bool, resolver: Resolver) -> str:
    host = target.host
    try:
        addresses = [str(ipaddress.ip_address(host))]
    except ValueError:
        try:
            addresses = list(await resolver(target.raw_host.decode("ascii"), port))
        except OSError as error:
            text = f"There is no server named {host}, or no network."
            raise Transient(
                "PAGE-UNREACHABLE", text, hint="Check address and network. " + _SAVE_IT, why="unreachable"
            ) from error
    if not addresses:
        raise Transient(
            "PAGE-UNREACHABLE", f"There is no server named {host}.", hint="Check the address.", why="unreachable"
        )
    private = [address for address in addresses if not _is_public(address)]
    if private and not allow_private:
        text = f"{host} is not on the public internet ({private[0]})."
        raise UserFixable(
            "PAGE-PRIVATE",
            text,
            hint="Save the page and give its file; on the command line --allow-private reads it all the same.",
        )
    return addresses[0]


def _is_public(address: str) -> bool:
    """Globally reachable, also when the address hides in an IPv6 form of IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        hidden = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if hidden is not None:
            return _is_public(str(hidden))
        if parsed in _NAT64:
            return _is_public(str(ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)))
    return parsed.is_global and not parsed.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _check_status(target: httpx.URL, response: httpx.Response) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        wait = response.headers.get("retry-after", "")
        text = f"{target} cannot answer just now (status {status})."
        retry_after_s = float(wait) if wait.isdecimal() else None
        raise Transient("PAGE-BUSY", text, hint="Try again later. " + _SAVE_IT, retry_after_s=retry_after_s)
    if not response.is_success:
        raise Rejected("PAGE-REFUSED", f"{target} does not give this page (status {status}).", hint=_SAVE_IT)


async def _content(target: httpx.URL, response: httpx.Response) -> bytes:
    if int(response.headers.get("content-length") or 0) > PAGE_BYTES_MAX:
        raise _too_large(str(target))
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > PAGE_BYTES_MAX:
            raise _too_large(str(target))
    return bytes(content)


def _decoded(content: bytes, kind: str, where: str) -> str:
    """By byte order mark, the server's word, the page's own, else UTF-8, else Windows-1252 (as browsers do)."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content.decode(name, "replace")
    if b"\0" in content[:1_024]:
        raise UserFixable("PAGE-KIND", "This is not a web page.", where=where, hint="Choose a saved page (.html).")
    in_type = _CHARSET_IN_TYPE.search(kind)
    in_page = _CHARSET_IN_PAGE.search(content, 0, 4_096)
    said = [in_type.group(1)] if in_type else []
    # A page whose ASCII letters could be read cannot be UTF-16, whatever it claims.
    said += [in_page.group(1).decode("ascii")] if in_page and b"utf-16" not in in_page.group(1).lower() else []
    for name in (*said, "utf-8"):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")


def _no_address(url: str) -> UserFixable:
    hint = "Write it as shop.example or https://shop.example/page."
    return UserFixable("PAGE-ADDRESS", f"{url!r} is not the address of a web page.", hint=hint)


def _too_large(where: str) -> UserFixable:
    text = f"The page has more than {PAGE_BYTES_MAX // 1_000_000} MB."
    return UserFixable("PAGE-TOO-LARGE", text, where=where, hint="Choose a smaller page, such as the start page.")
