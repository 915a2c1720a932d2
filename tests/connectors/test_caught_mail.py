"""The catcher's folder: what was acknowledged survives any torn write, and nothing else does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.connectors import caught_mail
from studio.connectors.caught_mail import INDEX, MESSAGES, CaughtMail, CaughtMailWriter, message_id_of
from studio.domain.errors import Corrupt

AT = "1997-10-01T00:00:00Z"


def letter(number: int) -> bytes:
    return f"Subject: {number}\r\nMessage-ID: <{number}@x>\r\n\r\n{'text' * number}\r\n".encode()


def write(folder: Path, *numbers: int) -> None:
    writer = CaughtMailWriter(folder)
    for number in numbers:
        writer.append("shop@b.example", [f"c{number}@d.example"], letter(number), AT)
    writer.close()


def contents(folder: Path) -> list[bytes]:
    mail = CaughtMail(folder)
    return [mail.content(record) for record in mail.records()]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    write(tmp_path, 3)
    mail = CaughtMail(tmp_path)
    assert contents(tmp_path) == [letter(1), letter(2), letter(3)]
    assert mail.count() == 3
    first = next(mail.records())
    assert (first.message_id, first.sender, first.recipient) == ("<1@x>", "shop@b.example", "c1@d.example")
    assert first.received_at == AT


def test_a_folder_without_mail_is_empty(tmp_path: Path) -> None:
    assert CaughtMail(tmp_path / "none").count() == 0
    assert list(CaughtMail(tmp_path / "none").records()) == []


def test_each_recipient_has_a_record_of_the_one_message(tmp_path: Path) -> None:
    writer = CaughtMailWriter(tmp_path)
    writer.append("a@b.example", ["c@d.example", "e@f.example"], letter(1), AT)
    writer.close()
    records = list(CaughtMail(tmp_path).records())
    assert [record.recipient for record in records] == ["c@d.example", "e@f.example"]
    assert contents(tmp_path) == [letter(1)] * 2
    assert (tmp_path / MESSAGES).stat().st_size == len(letter(1))


def test_ids_are_known_across_processes_with_or_without_brackets(tmp_path: Path) -> None:
    write(tmp_path, 1)
    writer = CaughtMailWriter(tmp_path)
    assert writer.has("<1@x>")
    assert writer.has("1@x")
    assert not writer.has("<2@x>")
    writer.append("a@b.example", ["c@d.example"], letter(2), AT)
    assert writer.has("<2@x>")
    writer.close()


def test_a_process_killed_at_any_byte_keeps_what_was_whole(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    whole = (tmp_path / MESSAGES).stat().st_size, (tmp_path / INDEX).stat().st_size
    write(tmp_path, 3)
    messages, index = (tmp_path / MESSAGES).read_bytes(), (tmp_path / INDEX).read_bytes()
    # The third message is written first, then its index line: every moment in between is one of these states.
    states = [(end, whole[1]) for end in range(whole[0], len(messages) + 1)]
    states += [(len(messages), end) for end in range(whole[1], len(index) + 1)]
    for messages_end, index_end in states:
        (tmp_path / MESSAGES).write_bytes(messages[:messages_end])
        (tmp_path / INDEX).write_bytes(index[:index_end])
        is_whole = index_end == len(index)
        expected = [letter(1), letter(2), *([letter(3)] if is_whole else [])]
        assert contents(tmp_path) == expected, "a reader sees whole records only, before anything is repaired"
        write(tmp_path, 4)
        assert contents(tmp_path) == [*expected, letter(4)]
        assert (tmp_path / MESSAGES).stat().st_size == sum(map(len, expected)) + len(letter(4))


def test_damage_in_the_middle_stops_the_catcher(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    lines = (tmp_path / INDEX).read_bytes().splitlines(keepends=True)
    (tmp_path / INDEX).write_bytes(b"{broken\n" + lines[1])
    with pytest.raises(Corrupt) as caught:
        CaughtMailWriter(tmp_path)
    assert "Line 1" in str(caught.value)


def test_an_index_that_points_beyond_the_messages_stops_the_catcher(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    os.truncate(tmp_path / MESSAGES, 10)
    with pytest.raises(Corrupt):
        CaughtMailWriter(tmp_path)
    assert len((tmp_path / INDEX).read_bytes().splitlines()) == 2


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    write(tmp_path, 1)
    before = (tmp_path / MESSAGES).read_bytes(), (tmp_path / INDEX).read_bytes()
    writer = CaughtMailWriter(tmp_path)
    monkeypatch.setattr(caught_mail.os, "write", write_half_until(failing, os.write))
    with pytest.raises(OSError, match="full"):
        writer.append("a@b.example", ["c@d.example"], letter(2), AT)
    monkeypatch.undo()
    assert ((tmp_path / MESSAGES).read_bytes(), (tmp_path / INDEX).read_bytes()) == before
    assert not writer.has("<2@x>")
    writer.append("a@b.example", ["c@d.example"], letter(3), AT)
    writer.close()
    assert contents(tmp_path) == [letter(1), letter(3)]


def test_a_reader_never_sees_half_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = CaughtMailWriter(tmp_path)
    real = os.write
    seen: list[list[bytes]] = []

    def write_and_look(file: int, data: memoryview) -> int:
        written = real(file, data[: max(1, len(data) // 2)])
        seen.append(contents(tmp_path))
        return written

    monkeypatch.setattr(caught_mail.os, "write", write_and_look)
    writer.append("a@b.example", ["c@d.example"], letter(1), AT)
    monkeypatch.undo()
    writer.close()
    assert seen[-1] == [letter(1)]
    assert all(content == letter(1) for contents_then in seen for content in contents_then)


def write_half_until(failing: int, real: Callable[[int, memoryview], int]) -> Callable[[int, memoryview], int]:
    """Every file gets half of what is left at its first write, the rest at its second; the given call fails."""
    calls = 0

    def write_half(file: int, data: memoryview) -> int:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(28, "The disk is full")
        return real(file, data[: len(data) // 2] if calls % 2 else data)

    return write_half


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Message-ID: <1@x>", "<1@x>"),
        (b"message-id:<1@x>", "<1@x>"),
        (b"Message-ID:\r\n <1@x>", "<1@x>"),
        (b"X-Message-ID: <1@x>", ""),
        (b"Subject: a\r\n\r\nMessage-ID: <in the body@x>", ""),
    ],
)
def test_the_message_id_is_that_of_the_header(head: bytes, expected: str) -> None:
    assert message_id_of(head + b"\r\n\r\nMessage-ID: <9@x>\r\n") == expected


def test_the_index_is_one_json_object_a_line(tmp_path: Path) -> None:
    write(tmp_path, 7)
    (line,) = (tmp_path / INDEX).read_text().splitlines()
    assert json.loads(line) == {
        "message_id": "<7@x>",
        "sender": "shop@b.example",
        "recipient": "c7@d.example",
        "received_at": AT,
        "offset": 0,
        "length": len(letter(7)),
    }
