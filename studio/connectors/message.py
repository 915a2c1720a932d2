"""Building the bytes of one mail, quickly: plain text, or text and HTML as alternatives, in seven-bit ASCII.

Written out directly because the standard library's message classes make about a thousand a second; a property test
lets the standard parser read back what is built here. Absent on purpose: attachments, signing, the footer with postal
address and unsubscribe link (the template's), and folding of `List-Unsubscribe`, which breaks some DKIM signatures.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache

from studio.domain.errors import UserFixable

_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,60}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,250}>")
_LINE_MAX = 998
_FOLD_AT = 76
# "=_" occurs neither in quoted-printable nor in base64, so no part can contain this.
_BOUNDARY = b"=_flowlight_part"
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = BASE64


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address and, if there is one, the name to show with it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHeaders:
    """What stands above a message. `message_id` with angle brackets; `date` aware.

    `unsubscribe_url` (https) makes the one-click headers of RFC 8058, `unsubscribe_mailto` is an address for the same.
    `extra` are further headers, ASCII or not, one line each.
    """

    sender: Mailbox
    to: Mailbox
    subject: str
    message_id: str
    date: datetime
    reply_to: Mailbox | None = None
    unsubscribe_url: str | None = None
    unsubscribe_mailto: str | None = None
    extra: tuple[tuple[str, str], ...] = ()


def build_message(headers: MessageHeaders, text: str, html: str | None = None) -> bytes:
    """The whole message with CRLF line ends. `html` None makes a message of plain text only.

    Raises:
        UserFixable: a header holds a line break or another control character, an address is not one, or an
            unsubscribe link is not https; `where` names the header.
    """
    lines = [
        _mailbox_line("From", headers.sender),
        _mailbox_line("To", headers.to),
        _text_line("Subject", headers.subject),
        b"Date: " + format_datetime(headers.date).encode("ascii"),
        b"Message-ID: " + _message_id(headers.message_id),
    ]
    if headers.reply_to is not None:
        lines.append(_mailbox_line("Reply-To", headers.reply_to))
    lines += _unsubscribe_lines(headers.unsubscribe_url, headers.unsubscribe_mailto)
    lines += [_text_line(_header_name(name), value) for name, value in headers.extra]
    lines.append(b"MIME-Version: 1.0")
    head = b"\r\n".join(lines) + b"\r\n"
    if html is None:
        return head + _part(b"plain", text)
    return b"".join(
        (
            head,
            b'Content-Type: multipart/alternative; boundary="' + _BOUNDARY + b'"\r\n\r\n',
            b"--" + _BOUNDARY + b"\r\n" + _part(b"plain", text),
            b"--" + _BOUNDARY + b"\r\n" + _part(b"html", html),
            b"--" + _BOUNDARY + b"--\r\n",
        )
    )


def _part(subtype: bytes, text: str) -> bytes:
    data = _LINE_ENDS.sub("\r\n", text).encode("utf-8", "replace")
    # Quoted-printable stays readable and small for Latin letters, base64 is a third smaller for the others.
    if len(data) < 1.25 * len(text) + 64:
        encoding, body = b"quoted-printable", _quoted_printable(data)
    else:
        encoding, body = b"base64", _base64_lines(data)
    return b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b\r\n" % (
        subtype,
        encoding,
        body,
    )


def _quoted_printable(data: bytes) -> bytes:
    return binascii.b2a_qp(data, istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _base64_lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


@lru_cache(maxsize=4_096)
def _mailbox_line(name: str, mailbox: Mailbox) -> bytes:
    _refuse_breaks(name, mailbox.address)
    _refuse_breaks(name, mailbox.name)
    local, at, domain = mailbox.address.rpartition("@")
    try:
        address = local + at + (domain if domain.isascii() else domain.encode("idna").decode("ascii"))
        shown = formataddr((mailbox.name, address), _UTF8)
    except UnicodeError:
        at = ""
        shown = ""
    if not (local and at and domain) or re.search(r"[\s<>,;]", mailbox.address):
        text = f"{mailbox.address!r} is not a mail address."
        raise UserFixable("MAIL-ADDRESS", text, where=name, hint="Correct it.")
    return _folded(f"{name}: {shown}")


@lru_cache(maxsize=4_096)
def _text_line(name: str, value: str) -> bytes:
    _refuse_breaks(name, value)
    if not value.isascii() or "=?" in value:
        encoded = Header(value, _UTF8, header_name=name, maxlinelen=_FOLD_AT).encode(linesep="\r\n")
        return f"{name}: {encoded}".encode("ascii")
    return _folded(f"{name}: {value}")


def _folded(line: str) -> bytes:
    """The line broken before spaces where it is long; a single word may stay longer than the 78 characters advised."""
    if len(line) <= _FOLD_AT:
        return line.encode("ascii")
    lines: list[str] = []
    while len(line) > _FOLD_AT:
        cut = line.rfind(" ", 1, _FOLD_AT)
        cut = cut if cut > 0 and line[:cut].strip() else line.find(" ", _FOLD_AT)
        if cut < 0 or not line[cut:].strip():
            break
        lines.append(line[:cut])
        line = line[cut:]
    lines.append(line)
    return "\r\n".join(lines).encode("ascii")


def _unsubscribe_lines(url: str | None, mailto: str | None) -> list[bytes]:
    ways: list[str] = []
    if url is not None:
        _refuse_breaks("List-Unsubscribe", url)
        if not url.startswith("https://") or not url.isascii() or re.search(r"[\s<>]", url):
            text = f"{url!r} is not an https link."
            raise UserFixable("MAIL-UNSUBSCRIBE", text, where="List-Unsubscribe", hint="Correct the sending profile.")
        ways.append(f"<{url}>")
    if mailto is not None:
        _refuse_breaks("List-Unsubscribe", mailto)
        ways.append(f"<mailto:{mailto}>")
    if not ways:
        return []
    line = ("List-Unsubscribe: " + ", ".join(ways)).encode("ascii")
    if len(line) > _LINE_MAX:
        text = "The unsubscribe link is too long for a mail header."
        raise UserFixable("MAIL-UNSUBSCRIBE", text, where="List-Unsubscribe", hint="Shorten its address.")
    return [line, b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if url is not None else [line]


def _message_id(value: str) -> bytes:
    if not _MESSAGE_ID.fullmatch(value) or "@" not in value:
        raise ValueError(f"not a Message-ID: {value!r}")
    return value.encode("ascii")


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"not a header name: {name!r}")
    return name


def _refuse_breaks(name: str, value: str) -> None:
    if _BREAKS.search(value):
        raise UserFixable(
            "MAIL-HEADER-BREAK",
            f"The {name} has a line break or a control character in it.",
            where=name,
            hint="Remove it from the text or from the field that is filled in there.",
        )
