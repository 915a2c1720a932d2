"""The catcher as a process: it starts, waits its turn, dies with its parent, and loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.connectors import catcher_process
from studio.connectors.catcher import main
from studio.connectors.catcher_process import CatcherProcess, catcher_command
from studio.connectors.profile import SendingProfile
from studio.connectors.smtp import SmtpMailer
from studio.domain.errors import UserFixable
from studio.domain.mail import Deferred, Envelope, InDoubt

ROOT = Path(__file__).resolve().parents[2]


def letter(number: int) -> Envelope:
    content = f"Message-ID: <{number}@x>\r\n\r\nHello {number}\r\n".encode()
    return Envelope("shop@b.example", f"c{number}@d.example", f"<{number}@x>", content)


async def nothing() -> None: ...


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    async def scenario() -> None:
        acknowledged: set[str] = set()
        process = CatcherProcess(tmp_path)
        await process.start()

        async def send_from(first: int) -> None:
            session = await SmtpMailer(process.profile()).open()
            for number in range(first, 100_000, 4):
                try:
                    await session.send(letter(number), nothing)
                except (Deferred, InDoubt):
                    return
                acknowledged.add(f"<{number}@x>")
                if len(acknowledged) == 400:
                    os.kill(process.pid, signal.SIGKILL)

        await asyncio.gather(*(send_from(first) for first in range(4)))
        await process.stop()
        async with CatcherProcess(tmp_path) as again:
            caught = [record.message_id for record in again.mail.records()]
            assert acknowledged <= set(caught)
            assert len(caught) == len(set(caught)) <= len(acknowledged) + 4
            session = await SmtpMailer(again.profile()).open()
            assert {await session.lookup(known) for known in sorted(acknowledged)[:10]} == {"accepted"}
            assert await session.lookup("<never@x>") == "unknown_to_server"
            await session.send(letter(200_000), nothing)
            await session.close()
            assert again.mail.count() == len(caught) + 1

    asyncio.run(scenario())


def test_one_that_died_can_be_started_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = CatcherProcess(tmp_path)
        await process.start()
        first = await SmtpMailer(process.profile()).open()
        await first.send(letter(1), nothing)
        os.kill(process.pid, signal.SIGKILL)
        while process.is_running:  # noqa: ASYNC110 - told by the operating system
            await asyncio.sleep(0)
        await process.start()
        second = await SmtpMailer(process.profile()).open()
        assert await second.lookup("<1@x>") == "accepted"
        await second.close()
        await first.close()
        await process.stop()
        assert not process.is_running

    asyncio.run(scenario())


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    starter = f"""
import asyncio, sys
from pathlib import Path
from studio.connectors.catcher_process import CatcherProcess

async def run():
    async with CatcherProcess(Path({str(tmp_path)!r})) as process:
        print(process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(run())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()

    async def scenario() -> None:
        # The lock is free only when the other is gone, so starting is the proof.
        async with CatcherProcess(tmp_path, options=["--lock-within", "20"]) as process:
            assert process.pid != pid

    asyncio.run(scenario())


def test_a_second_one_waits_for_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        first, second = CatcherProcess(tmp_path), CatcherProcess(tmp_path)
        await first.start()
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(second.start())
            session = await SmtpMailer(first.profile()).open()
            await session.send(letter(1), nothing)
            await session.close()
            assert not starting.done()
            await first.stop()
        session = await SmtpMailer(second.profile()).open()
        assert await session.lookup("<1@x>") == "accepted"
        await session.close()
        await second.stop()

    asyncio.run(scenario())


def test_a_folder_in_use_is_refused_in_words(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with CatcherProcess(tmp_path):
            with pytest.raises(UserFixable) as caught:
                await CatcherProcess(tmp_path, options=["--lock-within", "0"]).start()
            assert caught.value.code == "CATCHER-START"
            assert "Another mail catcher works in this folder" in caught.value.message

    asyncio.run(scenario())


def test_stopping_lets_the_message_in_progress_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        process = CatcherProcess(tmp_path)
        await process.start()
        session = await SmtpMailer(process.profile()).open()
        idle = await SmtpMailer(process.profile()).open()
        async with asyncio.TaskGroup() as group:

            async def commit() -> None:
                group.create_task(process.stop())
                while idle.is_open:  # noqa: ASYNC110 - closed by the catcher once it is stopping
                    await asyncio.sleep(0)

            answer = await session.send(letter(1), commit)
            assert answer.reply.status == 250
        assert not process.is_running
        assert process.mail.count() == 1
        await session.close()
        await idle.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("option", ["--reject=oops", "--greylist=*=250 fine", "--drop=*=sometimes", "--refuse==550 x"])
def test_a_rule_that_is_none_is_refused_in_words(tmp_path: Path, option: str) -> None:
    async def scenario() -> None:
        with pytest.raises(UserFixable) as caught:
            await CatcherProcess(tmp_path, options=[option]).start()
        assert "is not a rule" in caught.value.message

    asyncio.run(scenario())


def test_damaged_mail_is_said_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").write_text("{broken\n{}\n")

    async def scenario() -> None:
        with pytest.raises(UserFixable) as caught:
            await CatcherProcess(tmp_path).start()
        assert "Line 1" in caught.value.message

    asyncio.run(scenario())
    assert (tmp_path / "index.jsonl").read_text() == "{broken\n{}\n"


def test_the_profile_keeps_the_sender_and_changes_the_server(tmp_path: Path) -> None:
    real = SendingProfile.model_validate(
        {
            "smtp": {"host": "mail.shop.example", "port": 587, "security": "starttls", "username": "shop"},
            "from": "Shop <hello@shop.example>",
            "postal_address": "1 High Street",
        }
    )

    async def scenario() -> None:
        async with CatcherProcess(tmp_path) as process:
            test = process.profile(real)
            assert (test.sender, test.postal_address) == (real.sender, real.postal_address)
            assert (test.smtp.host, test.smtp.username) == ("127.0.0.1", "")
            assert process.profile().smtp == test.smtp

    asyncio.run(scenario())


def test_the_packaged_program_calls_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catcher_process.sys, "frozen", True, raising=False)
    assert catcher_command(tmp_path, "--port", "0") == [
        sys.executable, "catcher", "--folder", str(tmp_path), "--port", "0",
    ]  # fmt: skip


def test_the_hidden_command_is_the_catcher(tmp_path: Path) -> None:
    own = catcher_command(tmp_path, "--reject", "*=550 5.1.1 no")
    command = [sys.executable, "-m", "studio", "catcher", *own[own.index("--folder") :]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, env=environment
    )
    assert json.loads(done.stdout)["port"] > 0


def test_a_folder_that_cannot_be_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--folder", str(tmp_path / "file")]) == 1
    assert "cannot work" in capsys.readouterr().err


def test_starting_it_imports_little() -> None:
    code = "import sys, studio.connectors.catcher; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    heavy = {"polars", "pydantic", "PySide6", "numpy", "httpx", "aiosmtplib", "aiosmtpd", "email", "sqlalchemy"}
    assert not heavy & set(done.stdout.split())
