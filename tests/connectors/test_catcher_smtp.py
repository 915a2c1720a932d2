"""The catcher's conversation, byte by byte and without a network."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.connectors import catcher_smtp
from studio.connectors.catcher_smtp import Catcher, CatcherConnection, Rule
from studio.connectors.caught_mail import CaughtMail, CaughtMailWriter

SESSION = (
    b"EHLO me\r\nNONSENSE\r\n"
    b"MAIL FROM:<a@b.example> SIZE=10\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@f.example>\r\nDATA\r\n"
    b"Message-ID: <1@x>\r\n\r\n..two dots\r\n.. \r\nend\r\n.\r\n"
    b"mail from:<>\r\nrcpt to:g@h.example\r\ndata\r\n..first\r\n.\r\n"
    b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n.\r\n"
    b"XLOOKUP <1@x>\r\nXLOOKUP <2@x>\r\nNOOP\r\nQUIT\r\n"
)
STATUSES = [220, 250, 500, 250, 250, 250, 354, 250, 250, 250, 354, 250, 250, 250, 354, 250, 250, 550, 250, 221]


class Line(asyncio.Transport):
    """The other end of a connection, in memory."""

    def __init__(self, connection: CatcherConnection) -> None:
        super().__init__()
        self.said = b""
        self.is_cut = False
        self._is_closing = False
        self._connection = connection
        connection.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing
        self.said += bytes(data)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    def abort(self) -> None:
        self.is_cut = True
        self.close()

    def tell(self, data: bytes) -> None:
        self._connection.data_received(data)

    @property
    def statuses(self) -> list[int]:
        """Of each whole reply so far."""
        return [int(line[:3]) for line in self.said.splitlines() if line[3:4] == b" "]


def now() -> datetime:
    return datetime(1997, 10, 1, tzinfo=UTC)


def with_catcher(
    talk: Callable[[Catcher], object], folder: Path, rules: list[Rule] | None = None, lookup_within_s: float = 60.0
) -> CaughtMail:
    """Runs `talk` on a loop; a coroutine is awaited."""

    async def scenario() -> None:
        writer = CaughtMailWriter(folder)
        answer = talk(Catcher(writer, now, rules or [], lookup_within_s=lookup_within_s))
        if asyncio.iscoroutine(answer):
            await answer
        await turns()
        writer.close()

    asyncio.run(scenario())
    return CaughtMail(folder)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def begin(catcher: Catcher, to: str = "c@d.example") -> Line:
    line = Line(catcher.connection())
    line.tell(f"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode())
    return line


@given(cuts=st.lists(st.integers(0, len(SESSION)), max_size=12))
def test_the_same_answers_however_the_bytes_come(cuts: list[int]) -> None:
    lines: list[Line] = []

    async def talk(catcher: Catcher) -> None:
        line = Line(catcher.connection())
        lines.append(line)
        ends = [*sorted(cuts), len(SESSION)]
        for start, end in zip([0, *ends], ends, strict=False):
            line.tell(SESSION[start:end])
            await turns(2)

    with tempfile.TemporaryDirectory() as folder:
        mail = with_catcher(talk, Path(folder))
        assert lines[0].statuses == STATUSES
        records = list(mail.records())
        assert [(record.sender, record.recipient) for record in records] == [
            ("a@b.example", "c@d.example"),
            ("a@b.example", "e@f.example"),
            ("", "g@h.example"),
            ("a@b.example", "c@d.example"),
        ]
        assert mail.content(records[0]) == b"Message-ID: <1@x>\r\n\r\n.two dots\r\n. \r\nend\r\n"
        assert mail.content(records[2]) == b".first\r\n"
        assert mail.content(records[3]) == b""


def test_a_message_is_on_disk_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said_when_written: list[bytes] = []

    def talk(catcher: Catcher) -> None:
        line = begin(catcher)
        real = CaughtMailWriter.append
        monkeypatch.setattr(
            CaughtMailWriter, "append", lambda *args: (real(*args), said_when_written.append(line.said))[0]
        )
        line.tell(b"hello\r\n.\r\n")
        assert line.said.endswith(b"250 2.0.0 Caught\r\n")

    with_catcher(talk, tmp_path)
    assert said_when_written
    assert not said_when_written[0].endswith(b"Caught\r\n")


def test_a_full_disk_is_said_and_the_next_message_may_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(catcher: Catcher) -> None:
        def full(*_args: object) -> None:
            raise OSError(28, "full")

        with monkeypatch.context() as patch:
            patch.setattr(CaughtMailWriter, "append", full)
            line = begin(catcher)
            line.tell(b"hello\r\n.\r\n")
        assert line.statuses[-1] == 452
        line.tell(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nhi\r\n.\r\n")
        assert line.statuses[-1] == 250

    assert with_catcher(talk, tmp_path).count() == 1


def test_a_look_up_waits_for_the_message_that_is_on_its_way(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        sender, asker = begin(catcher), Line(catcher.connection())
        sender.tell(b"Message-ID: <1@x>\r\n\r\nhello\r\n")
        asker.tell(b"XLOOKUP <1@x>\r\nNOOP\r\n")
        await turns()
        assert asker.statuses == [220], "it may still become accepted, so there is no final answer"
        sender.tell(b".\r\n")
        await turns()
        assert asker.statuses == [220, 250, 250]

    with_catcher(talk, tmp_path)


def test_a_look_up_is_answered_when_the_message_can_no_longer_come(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        sender, other, asker = begin(catcher), begin(catcher), Line(catcher.connection())
        sender.tell(b"Message-ID: <1@x>\r\n\r\nhello\r\n")
        asker.tell(b"XLOOKUP <1@x>\r\n")
        begin(catcher)  # a message begun later is not waited for
        sender.abort()
        await turns()
        assert asker.statuses == [220]
        other.tell(b"another\r\n.\r\n")
        await turns()
        assert asker.statuses == [220, 550]

    with_catcher(talk, tmp_path)


def test_a_look_up_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        sender, asker = begin(catcher), Line(catcher.connection())
        asker.tell(b"XLOOKUP <1@x>\r\n")
        while len(asker.statuses) < 2:  # noqa: ASYNC110 - the transport has no event
            await asyncio.sleep(0)
        assert asker.statuses == [220, 451]
        sender.tell(b"Message-ID: <1@x>\r\n\r\n.\r\n")
        asker.tell(b"XLOOKUP <1@x>\r\n")
        assert asker.statuses == [220, 451, 250]

    with_catcher(talk, tmp_path, lookup_within_s=0.0)


def test_one_who_asked_and_left_is_forgotten(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        sender, asker = begin(catcher), Line(catcher.connection())
        asker.tell(b"XLOOKUP <1@x>\r\n")
        asker.abort()
        await turns()
        sender.tell(b"hi\r\n.\r\n")
        assert sender.statuses[-1] == 250

    with_catcher(talk, tmp_path)


def test_finishing_lets_messages_in_progress_end(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        busy, idle, late = begin(catcher), Line(catcher.connection()), begin(catcher)
        busy.tell(b"hello\r\n")
        async with asyncio.TaskGroup() as group:
            finishing = group.create_task(catcher.finish(within_s=60.0))
            await turns()
            assert idle.is_closing()
            assert not busy.is_closing()
            assert not finishing.done()
            busy.tell(b".\r\n")
            assert busy.statuses[-1] == 250
            assert busy.is_closing()
            newcomer = Line(catcher.connection())
            assert newcomer.is_closing()
            late.abort()
        assert not busy.is_cut

    assert with_catcher(talk, tmp_path).count() == 1


def test_finishing_cuts_off_what_takes_too_long(tmp_path: Path) -> None:
    async def talk(catcher: Catcher) -> None:
        slow = begin(catcher)
        slow.tell(b"hello\r\n")
        await catcher.finish(within_s=0.0)
        assert slow.is_cut

    assert with_catcher(talk, tmp_path).count() == 0


def rule(misbehaviour: str, reply: str = "", tries: int | None = 1) -> Rule:
    return Rule(pattern="*@bad.example", misbehaviour=misbehaviour, reply=reply, tries=tries)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("misbehaviour", "kept", "is_cut"),
    [("drop-before-dot", 0, True), ("drop-after-dot", 0, True), ("drop-after-accept", 1, True)],
)
def test_drops_leave_no_answer(tmp_path: Path, misbehaviour: str, kept: int, is_cut: bool) -> None:
    def talk(catcher: Catcher) -> None:
        line = begin(catcher, "A@Bad.example")
        line.tell(b"hello\r\n.\r\n")
        assert line.is_cut == is_cut
        assert line.statuses[-1] == 354
        good = begin(catcher)
        good.tell(b"hello\r\n.\r\n")
        assert good.statuses[-1] == 250

    assert with_catcher(talk, tmp_path, [rule(misbehaviour)]).count() == kept + 1


def test_greylisting_accepts_the_later_try(tmp_path: Path) -> None:
    def talk(catcher: Catcher) -> None:
        line = Line(catcher.connection())
        for _ in range(4):
            line.tell(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<a@bad.example>\r\nRSET\r\n")
        line.tell(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<other@bad.example>\r\nRSET\r\n")
        assert line.statuses[2::3] == [450, 450, 250, 250, 450]

    with_catcher(talk, tmp_path, [rule("refuse-recipient", "450 4.2.1 busy", tries=2)])


def test_refusing_the_message_leaves_the_connection_usable(tmp_path: Path) -> None:
    def talk(catcher: Catcher) -> None:
        line = begin(catcher, "a@bad.example")
        line.tell(b"hello\r\n.\r\n")
        assert line.statuses[-1] == 554
        line.tell(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nhi\r\n.\r\n")
        assert line.statuses[-1] == 250

    assert with_catcher(talk, tmp_path, [rule("refuse-message", "554 5.7.1 no", tries=None)]).count() == 1


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"DATA\r\n", 503),
        (b"RCPT TO:<a@b.example>\r\n", 503),
        (b"MAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n", 503),
        (b"MAIL FROM\r\n", 501),
        (b"MAIL FROM:<a@b.example>\r\nRCPT TO:<>\r\n", 501),
        (b"HELO me\r\n", 250),
        (b"\r\n", 500),
        (b"x" * 9_000, 500),
    ],
)
def test_out_of_order_and_malformed_commands(tmp_path: Path, told: bytes, status: int) -> None:
    def talk(catcher: Catcher) -> None:
        line = Line(catcher.connection())
        line.tell(told)
        assert line.statuses[-1] == status

    assert with_catcher(talk, tmp_path).count() == 0


def test_a_message_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catcher_smtp, "MESSAGE_BYTES_MAX", 1_000)

    def talk(catcher: Catcher) -> None:
        line = begin(catcher)
        line.tell(b"x" * 1_001)
        assert line.statuses[-1] == 552
        assert line.is_closing()

    assert with_catcher(talk, tmp_path).count() == 0
