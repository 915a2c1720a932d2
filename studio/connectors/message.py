"""Building the bytes of one mail, quickly: plain text, or text and HTML as alternatives, in seven-bit ASCII.

Written out directly because the standard library's message classes make about a thousand a second; a property test
lets the standard parser read back what is built here. Absent on purpose: attachments, signing, the footer with postal
address and unsubscribe link (the template's), and folding of `List-Unsubscribe`, which breaks some DKIM signatures.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from email.charset import BASE64, Charset
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache

from studio.domain.errors import UserFixable
from studio.domain.node import MessageParts

_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,60}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,250}>")
_NOT_IN_ADDRESS = re.compile(r"[\s<>,;:\"()\[\]\\]")
_LINKS = re.compile(r"<(?:https://|mailto:)[!-;=?-~]+>(?:, ?<(?:https://|mailto:)[!-;=?-~]+>)*")
_LINE_MAX = 998
_FOLD_AT = 76
# "=_" occurs neither in quoted-printable nor in base64, so no part can contain this.
_BOUNDARY = b"=_flowlight_part"
_UTF8 = Charset("utf-8")
_UTF8.header_encoding = BASE64


def build_message(parts: MessageParts) -> bytes:
    """The whole message with CRLF line ends, as a `MessageBuilder` does. Empty `html` makes plain text only.

    Raises:
        UserFixable: a header holds a line break or another control character, an address is not one, or a
            List-Unsubscribe is not made of links; `where` names the header.
    """
    lines = [
        _mailbox_line("From", parts.from_address, parts.from_name),
        _mailbox_line("To", parts.to_address, parts.to_name),
        _text_line("Subject", parts.subject),
        b"Date: " + format_datetime(_whole_second(parts.sent_at)).encode("ascii"),
        b"Message-ID: " + _message_id(parts.message_id),
    ]
    if parts.reply_to:
        lines.append(_mailbox_line("Reply-To", *reversed(parseaddr(parts.reply_to))))
    lines += [_further_line(name, value) for name, value in parts.headers.items()]
    lines.append(b"MIME-Version: 1.0")
    head = b"\r\n".join(lines) + b"\r\n"
    if not parts.html:
        return head + _part(b"plain", parts.text)
    return b"".join(
        (
            head,
            b'Content-Type: multipart/alternative; boundary="' + _BOUNDARY + b'"\r\n\r\n',
            b"--" + _BOUNDARY + b"\r\n" + _part(b"plain", parts.text),
            b"--" + _BOUNDARY + b"\r\n" + _part(b"html", parts.html),
            b"--" + _BOUNDARY + b"--\r\n",
        )
    )


def _part(subtype: bytes, text: str) -> bytes:
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    # Quoted-printable stays readable and small for Latin letters, base64 is a third smaller for the others.
    if len(data) < 1.25 * len(text) + 64:
        encoding, body = b"quoted-printable", binascii.b2a_qp(data, istext=True).replace(b"\n", b"\r\n")
    else:
        data = data.replace(b"\n", b"\r\n")
        encoding, body = b"base64", base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    return b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b\r\n" % (
        subtype,
        encoding,
        body,
    )


@lru_cache(maxsize=4_096)
def _mailbox_line(header: str, address: str, name: str) -> bytes:
    _refuse_breaks(header, address)
    _refuse_breaks(header, name)
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or _NOT_IN_ADDRESS.search(address):
        raise _not_an_address(header, address)
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        spec = f"{local}@{ascii_domain}"
        spec.encode("ascii")
    except UnicodeError:
        raise _not_an_address(header, address) from None
    if name.isascii() and len(name) < _FOLD_AT and "=?" not in name:
        return _folded(f"{header}: {formataddr((name, spec))}")
    return f"{header}: {_encoded(header, name)}\r\n <{spec}>".encode("ascii")


def _not_an_address(header: str, address: str) -> UserFixable:
    return UserFixable("MAIL-ADDRESS", f"{address!r} is not a mail address.", where=header, hint="Correct it.")


@lru_cache(maxsize=4_096)
def _whole_second(moment: datetime) -> datetime:
    """Rounded, for the header cuts: a run as of midnight stands a microsecond before it, on the day before."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def _text_line(name: str, value: str) -> bytes:
    _refuse_breaks(name, value)
    if value.isascii() and "=?" not in value and max(map(len, value.split(" "))) < _LINE_MAX - _FOLD_AT:
        return _folded(f"{name}: {value}")
    return f"{name}: {_encoded(name, value)}".encode("ascii")


def _encoded(name: str, value: str) -> str:
    return Header(value, _UTF8, header_name=name, maxlinelen=_FOLD_AT).encode(linesep="\r\n")


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


def _further_line(name: str, value: str) -> bytes:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"not a header name: {name!r}")
    if name.lower() != "list-unsubscribe":
        return _text_line(name, value)
    line = f"{name}: {value}"
    if not _LINKS.fullmatch(value) or len(line) > _LINE_MAX:
        text = f"{value!r} is no way to unsubscribe."
        hint = "It takes links such as <https://shop.example/unsubscribe>, separated by commas, 998 characters at most."
        raise UserFixable("MAIL-UNSUBSCRIBE", text, where=name, hint=hint)
    return line.encode("ascii")


def _message_id(value: str) -> bytes:
    if not _MESSAGE_ID.fullmatch(value) or "@" not in value:
        raise ValueError(f"not a Message-ID: {value!r}")
    return value.encode("ascii")


def _refuse_breaks(name: str, value: str) -> None:
    if _BREAKS.search(value):
        raise UserFixable(
            "MAIL-HEADER-BREAK",
            f"The {name} has a line break or a control character in it.",
            where=name,
            hint="Remove it from the text or from the field that is filled in there.",
        )
