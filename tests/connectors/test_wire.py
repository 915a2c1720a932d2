"""Replies off the wire, however they are cut, and a connection that is known to be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.connectors.wire import Wire, WireLost, WireTimeout
from studio.domain.mail import Reply

SAID = b"250-first\r\n250-PIPELINING\r\n250 last line\r\n354\r\n550 5.1.1 no such \xff user\r\n"
MEANT = [Reply(250, "first\nPIPELINING\nlast line"), Reply(354, ""), Reply(550, "5.1.1 no such \ufffd user")]


class Line(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 20.0))


@given(cuts=st.lists(st.integers(0, len(SAID)), max_size=10))
def test_the_same_replies_however_the_bytes_come(cuts: list[int]) -> None:
    async def scenario() -> None:
        wire = Wire(Line())
        ends = [*sorted(cuts), len(SAID)]
        for start, end in zip([0, *ends], ends, strict=False):
            wire.data_received(SAID[start:end])
        assert [await wire.reply(60.0) for _ in MEANT] == MEANT
        assert not wire.has_reply

    run(scenario())


@pytest.mark.parametrize(
    "said",
    [b"hello\r\n", b"25\r\n", b"2500\r\n", b"\xd9\xa2\xd9\xa5\xd9\xa0 ok\r\n", b"x" * 70_000, b"250-\r\n" * 20_000],
)
def test_what_is_not_smtp_ends_the_connection(said: bytes) -> None:
    async def scenario() -> None:
        line = Line()
        wire = Wire(line)
        wire.data_received(b"250 ok\r\n" + said + b"250 not believed\r\n")
        assert line.is_aborted
        assert not wire.is_open
        assert await wire.reply(60.0) == Reply(250, "ok")
        with pytest.raises(WireLost):
            await wire.reply(60.0)
        with pytest.raises(WireLost):
            wire.write(b".\r\n")
        assert line.written == b""

    run(scenario())


@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_reply_that_came_before_the_end_is_delivered_and_then_the_end(is_waiting: bool) -> None:
    async def scenario() -> None:
        wire = Wire(Line())
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(wire.reply(60.0)) if is_waiting else None
            await asyncio.sleep(0)
            wire.data_received(b"421 bye\r\n")
            wire.eof_received()
            wire.connection_lost(None)
            reply = await waiting if waiting else await wire.reply(60.0)
        assert reply == Reply(421, "bye")
        with pytest.raises(WireLost):
            await wire.reply(60.0)

    run(scenario())


def test_one_who_waits_for_a_reply_learns_of_the_end_at_once() -> None:
    async def scenario() -> None:
        wire = Wire(Line())
        with pytest.raises(WireLost):
            async with asyncio.timeout(10.0):
                asyncio.get_running_loop().call_soon(wire.connection_lost, ConnectionResetError())
                await wire.reply(60.0)

    run(scenario())


def test_flushing_waits_until_all_has_left() -> None:
    async def scenario() -> None:
        wire = Wire(Line())
        await wire.flush(0.0)
        wire.pause_writing()
        with pytest.raises(WireTimeout):
            await wire.flush(0.0)
        asyncio.get_running_loop().call_soon(wire.resume_writing)
        await wire.flush(10.0)
        wire.pause_writing()
        asyncio.get_running_loop().call_soon(wire.connection_lost, None)
        with pytest.raises(WireLost):
            await wire.flush(10.0)

    run(scenario())


def test_no_reply_in_time() -> None:
    async def scenario() -> None:
        wire = Wire(Line())
        with pytest.raises(WireTimeout):
            await wire.reply(0.0)
        wire.data_received(b"250 late\r\n")
        assert wire.has_reply

    run(scenario())


def test_what_has_ended_is_not_dropped_once_more() -> None:
    async def scenario() -> None:
        line = Line()
        wire = Wire(line)
        wire.connection_lost(None)
        wire.abort()
        assert not line.is_aborted, "the transport of an ended TLS connection would fail"

    run(scenario())
