"""The folder in which the mail catcher keeps what it accepted: appended by one process, read by any.

`messages.mail` holds the messages one after another, `index.jsonl` one line for each. The message is written first, so
an index line that is whole always points at a whole message; what a killed process left torn is cut off at the next
start. Absent on purpose: syncing to the disk (this survives a killed process, not a power cut; the mail is test mail),
deleting, and any network.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from studio.domain.errors import Corrupt

MESSAGES = "messages.mail"
INDEX = "index.jsonl"

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CaughtRecord:
    """One accepted message for one recipient; `offset` and `length` are bytes in the messages file.

    `message_id` is the header's value with its angle brackets, empty when the message has none; `received_at` ISO 8601.
    """

    message_id: str
    sender: str
    recipient: str
    received_at: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """Reads a catcher's folder, also while the catcher writes to it; a folder without mail is empty."""

    folder: Path

    def records(self) -> Iterator[CaughtRecord]:
        """All records, oldest first. Reads the disk as it goes, O(messages)."""
        try:
            file = (self.folder / INDEX).open("rb")
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                yield _record(line, number, self.folder)

    def content(self, record: CaughtRecord) -> bytes:
        """The message of a record, headers included."""
        with (self.folder / MESSAGES).open("rb") as file:
            file.seek(record.offset)
            return file.read(record.length)

    def count(self) -> int:
        """How many messages were accepted; reads the index file once, without parsing it."""
        try:
            with (self.folder / INDEX).open("rb") as file:
                return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        except FileNotFoundError:
            return 0


class CaughtMailWriter:
    """The one writer of a folder; its owner holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        """Cut off what a killed writer left torn, and read which messages there are.

        Raises:
            Corrupt: a line in the middle of the index is damaged, or points beyond the messages.
        """
        self._accepted: set[str] = set()
        self._messages = _Appended(folder / MESSAGES)
        self._index = _Appended(folder / INDEX)
        index_end = messages_end = 0
        for number, line in enumerate((folder / INDEX).read_bytes().splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                break
            record = _record(line, number, folder)
            index_end += len(line)
            messages_end = max(messages_end, record.offset + record.length)
            self._accepted.add(_key(record.message_id))
        if messages_end > self._messages.size:
            text = f"The caught mail's index names {messages_end} bytes of messages; there are {self._messages.size}."
            raise Corrupt("CATCHER-INDEX", text, where=str(folder), hint="Move the folder away and start again.")
        self._index.cut(index_end)
        self._messages.cut(messages_end)

    def has(self, message_id: str) -> bool:
        """Whether a message with this id was accepted, now or by an earlier process; brackets do not matter."""
        return _key(message_id) in self._accepted

    def append(self, sender: str, recipients: list[str], content: bytes, received_at: str) -> None:
        """Write one message and a record per recipient, so that they survive this process being killed.

        Raises OSError with nothing half-written, for instance when the disk is full.
        """
        offset, index_end = self._messages.size, self._index.size
        message_id = message_id_of(content)
        records = (
            CaughtRecord(message_id, sender, recipient, received_at, offset, len(content)) for recipient in recipients
        )
        lines = "".join(json.dumps(asdict(record)) + "\n" for record in records)
        try:
            self._messages.append(content)
            self._index.append(lines.encode())
        except OSError:
            self._index.cut(index_end)
            self._messages.cut(offset)
            raise
        self._accepted.add(_key(message_id))

    def close(self) -> None:
        self._messages.close()
        self._index.close()


class _Appended:
    """A file that only grows, except for taking back what was not finished."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        self.size = os.lseek(self._file, 0, os.SEEK_END)

    def append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.write(self._file, rest)
            rest = rest[written:]
        self.size += len(data)

    def cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self.size = size

    def close(self) -> None:
        os.close(self._file)


def message_id_of(content: bytes) -> str:
    """The Message-ID header's value, or an empty text.

    >>> message_id_of(b"To: a@b.example" + bytes([13, 10]) + b"Message-ID: <1@x>" + bytes([13, 10, 13, 10]))
    '<1@x>'
    """
    found = _MESSAGE_ID.search(content[: content.find(b"\r\n\r\n") + 2])
    return found.group(1).decode("ascii", "replace") if found else ""


def _key(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _record(line: bytes, number: int, folder: Path) -> CaughtRecord:
    try:
        return CaughtRecord(**json.loads(line))
    except (ValueError, TypeError) as error:
        text = f"Line {number} of the caught mail's index is damaged."
        raise Corrupt("CATCHER-INDEX", text, where=str(folder / INDEX), hint="Move the folder away.") from error
