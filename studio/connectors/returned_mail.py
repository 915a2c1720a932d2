"""Mail that comes back to the sender: bounce reports, complaints and answers, out of .eml, mbox and Maildir.

Reports are read by their standards (RFC 3464 and RFC 5965); servers that answer in plain words are understood where
they name the message. Absent on purpose: fetching mail from a server, and knowing which messages are ours.
"""

from __future__ import annotations

import email
import mailbox
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal, TypeAlias

from studio.domain.errors import UserFixable
from studio.domain.mail import BounceClass, bounce_class

ReturnKind: TypeAlias = Literal["bounced", "delayed", "delivered", "complained", "replied", "automatic", "unreadable"]

MESSAGE_MAX = 25_000_000
"""Bytes; a longer message is no report about one of ours."""
_TEXT_MAX = 100_000
_PARTS_MAX = 200
_SAID_MAX = 300
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,250}>")
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_STATUS = re.compile(r"\b([45])\d\d\b(?=[ -])")
_ADDRESS = re.compile(r"[^\s<>;:,\"()]+@[^\s<>;:,\"()]+")
_ACTIONS: dict[str, ReturnKind] = {
    "failed": "bounced",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
_ROBOTS = ("mailer-daemon", "postmaster", "mail-daemon")
_UNREADABLE = (RecursionError, ValueError, LookupError, TypeError, AttributeError)
"""What the standard parser raises over broken mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """One message that came back. `message_ids`: which messages it may be about, the likeliest first.

    `class_` of a bounce; `status` as X.Y.Z where one is named; `said` in the server's words, without addresses.
    `at`: when it was written, None when it does not say.
    """

    kind: ReturnKind
    message_ids: tuple[str, ...] = ()
    class_: BounceClass | None = None
    status: str = ""
    said: str = ""
    at: datetime | None = None


def read_returned(path: Path) -> Iterator[Returned]:
    """Everything in a file (.eml or mbox) or folder (Maildir, or files in it and below), in the order of its names.

    Raises:
        UserFixable: MAIL-MISSING, MAIL-UNREADABLE, MAIL-NONE (a folder without any mail in it).
    """
    for data in _messages(path):
        yield Returned(kind="unreadable") if data is None else understand(data)


def understand(data: bytes) -> Returned:
    """What one message says. Never raises: what cannot be read is `unreadable`."""
    try:
        message = email.message_from_bytes(data)
        return _understood(message)
    except _UNREADABLE:
        return Returned(kind="unreadable")


def _messages(path: Path) -> Iterator[bytes | None]:
    """Each message, None for one that is too long."""
    if not path.exists():
        raise UserFixable("MAIL-MISSING", "There is no such file or folder.", where=str(path), hint="Check the name.")
    try:
        if path.is_file():
            yield from _of_file(path)
            return
        files = _files(path)
        if not files:
            raise UserFixable(
                "MAIL-NONE", "There is no mail in this folder.", where=str(path),
                hint="Choose a Maildir, or a folder with .eml or .mbox files.",
            )  # fmt: skip
        for file in files:
            yield from _of_file(file)
    except OSError as error:
        raise UserFixable(
            "MAIL-UNREADABLE", f"The mail cannot be read: {error.strerror}.", where=str(path),
            hint="Check its permissions.",
        ) from error  # fmt: skip


def _files(folder: Path) -> list[Path]:
    if (folder / "cur").is_dir() or (folder / "new").is_dir():
        found = [file for part in ("cur", "new") if (folder / part).is_dir() for file in (folder / part).iterdir()]
    else:
        found = [file for file in folder.rglob("*") if file.suffix.lower() in (".eml", ".mbox", ".mbx")]
    return sorted(file for file in found if file.is_file() and not file.name.startswith("."))


def _of_file(file: Path) -> Iterator[bytes | None]:
    with file.open("rb") as opened:
        is_mbox = opened.read(5) == b"From "
    if not is_mbox:
        yield file.read_bytes() if file.stat().st_size <= MESSAGE_MAX else None
        return
    box = mailbox.mbox(file, create=False)
    try:
        for key in box.iterkeys():
            with box.get_file(key) as part:
                data = part.read(MESSAGE_MAX + 1)
            yield data if len(data) <= MESSAGE_MAX else None
    finally:
        box.close()


def _understood(message: Message) -> Returned:
    at = _moment(message)
    parts = _parts(message)
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            return _delivery_report(part, parts, at)
        if part.get_content_type() == "message/feedback-report":
            return _complaint(part, parts, at)
    if _is_from_robot(message):
        return _told_in_words(message, parts, at)
    answered = _named(_header(message, "In-Reply-To"), _header(message, "References"))
    return Returned(kind="automatic" if _is_automatic(message) else "replied", message_ids=answered, at=at)


def _parts(message: Message) -> list[Message]:
    """The parts down to the original message, whose own parts say nothing about the report."""
    found: list[Message] = []
    open_ = [message]
    while open_ and len(found) < _PARTS_MAX:
        part = open_.pop(0)
        found.append(part)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            open_[:0] = [inner for inner in part.get_payload() if isinstance(inner, Message)]
    return found


def _delivery_report(report: Message, parts: Sequence[Message], at: datetime | None) -> Returned:
    """RFC 3464: one block about the message, then one per recipient. The gravest of them counts: ours have one."""
    blocks = [block for block in report.get_payload() if isinstance(block, Message)] if report.is_multipart() else []
    told = [block for block in blocks if block.get("Action")]
    rank = {"failed": 0, "delayed": 1}
    block = min(told, key=lambda block: rank.get(_word(block, "Action"), 2), default=None)
    ids = _original_ids(parts)
    if block is None:
        return Returned(kind="unreadable", message_ids=ids, at=at)
    said = _header(block, "Diagnostic-Code").partition(";")[2].strip() or _header(block, "Diagnostic-Code")
    status = _enhanced(_header(block, "Status")) or _enhanced(said)
    if status.endswith(".0.0"):
        # A status that says nothing but “failed”; the server's words are often more exact.
        status = _enhanced(said) or status
    kind = _ACTIONS.get(_word(block, "Action"), "unreadable")
    grade = bounce_class(_grade(status, said), status) if kind == "bounced" else None
    return Returned(kind=kind, message_ids=ids, class_=grade, status=status, said=_without_addresses(said), at=at)


def _complaint(report: Message, parts: Sequence[Message], at: datetime | None) -> Returned:
    """RFC 5965: somebody pressed “this is spam”."""
    payload = report.get_payload()
    block = payload[0] if isinstance(payload, list) and payload else email.message_from_string(_text(report))
    kind = _word(block, "Feedback-Type")
    named = _original_ids(parts)
    if kind in ("abuse", "fraud", "virus", "other"):
        return Returned(kind="complained", message_ids=named, said=kind, at=at)
    return Returned(kind="automatic", message_ids=named, said=kind, at=at)


def _told_in_words(message: Message, parts: Sequence[Message], at: datetime | None) -> Returned:
    """A mail server's own words: what they say stands in the text, and the original message after it."""
    text = "\n".join(_text(part) for part in parts if part.get_content_maintype() == "text")[:_TEXT_MAX]
    failed = _header(message, "X-Failed-Recipients")
    ids = (*_original_ids(parts), *_named(text))
    status = _enhanced(text)
    found = _STATUS.search(text)
    if not (failed or status or found) or not ids:
        return Returned(kind="unreadable", message_ids=ids, at=at)
    line = next((line for line in text.splitlines() if _ENHANCED.search(line) or _STATUS.search(line)), "")
    is_delay = bool(re.search(r"\b(?:delayed|will (?:be retried|keep trying)|still trying)\b", text, re.IGNORECASE))
    if is_delay and (status or line).strip().startswith("4"):
        return Returned(kind="delayed", message_ids=ids, status=status, at=at)
    grade = bounce_class(_grade(status, line), status)
    said = _without_addresses(line.strip())
    return Returned(kind="bounced", message_ids=ids, class_=grade, status=status, said=said, at=at)


def _original_ids(parts: Sequence[Message]) -> tuple[str, ...]:
    """The Message-ID of the message that is attached, whole or only its headers."""
    ids: list[str] = []
    for part in parts:
        kind = part.get_content_type()
        inner = part.get_payload()
        if kind == "message/rfc822" and isinstance(inner, list) and inner and isinstance(inner[0], Message):
            ids += _named(_header(inner[0], "Message-ID"))
        elif kind in ("text/rfc822-headers", "message/rfc822"):
            ids += _named(_header(email.message_from_string(_text(part)), "Message-ID"))
    # Some servers attach the original as text, or name it in a header of their own.
    for name in ("X-Original-Message-ID", "Original-Message-ID", "In-Reply-To", "References"):
        ids += _named(_header(parts[0], name))
    return tuple(dict.fromkeys(ids))


def _is_from_robot(message: Message) -> bool:
    sender = _header(message, "From").lower()
    if any(name in sender for name in _ROBOTS):
        return True
    return _header(message, "Return-Path").strip() == "<>" and not _is_automatic(message)


def _is_automatic(message: Message) -> bool:
    """RFC 3834, and what was used before it."""
    if _word(message, "Auto-Submitted") not in ("", "no") or _header(message, "X-Autoreply"):
        return True
    return bool(_header(message, "X-Autorespond")) or _word(message, "Precedence") in ("auto_reply", "bulk", "junk")


def _grade(status: str, said: str) -> int:
    """5 for “never”, 4 for “not now”: as the enhanced status says, else the basic one; never when neither is named."""
    if status:
        return int(status[0])
    found = _STATUS.search(said + " ")
    return int(found.group(1)) if found else 5


def _enhanced(text: str) -> str:
    found = _ENHANCED.search(text)
    return ".".join(found.groups()) if found else ""


def _named(*texts: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found for text in texts for found in _MESSAGE_ID.findall(text) if "@" in found))


def _without_addresses(text: str) -> str:
    """Person data does not belong among events."""
    return _ADDRESS.sub("(address)", " ".join(text.split()))[:_SAID_MAX]


def _header(message: Message, name: str) -> str:
    value = message.get(name)
    return "" if value is None else str(value)[:_TEXT_MAX]


def _word(message: Message, name: str) -> str:
    return _header(message, name).partition(";")[0].strip().lower()


def _text(part: Message) -> str:
    data = part.get_payload(decode=True)
    if isinstance(data, bytes):
        return data[:_TEXT_MAX].decode("utf-8", "replace")
    held = part.get_payload()
    return held[:_TEXT_MAX] if isinstance(held, str) else ""


def _moment(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(_header(message, "Date"))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
