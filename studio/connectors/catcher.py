"""The mail catcher, a process of its own: `python -m studio.connectors.catcher --folder DIR`.

It takes mail on 127.0.0.1 only and keeps it in DIR. When ready it prints `{"port": N}`. It ends when its standard input
does, so that it dies with the program that started it, after finishing the messages in progress; the next one on the
same folder waits until then, so that what it answers to XLOOKUP is final. Absent on purpose: anything that is slow to
import, because every test run starts one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from studio.connectors.catcher_smtp import Catcher, Misbehaviour, Rule
from studio.connectors.caught_mail import CaughtMailWriter
from studio.domain.clock import utc_now
from studio.domain.errors import StudioError, Transient, UserFixable

LOCK = "catcher.lock"
_LOCK_POLL_S = 0.02
_FINISH_WITHIN_S = 10.0
_REPLY_STATUS = range(400, 600)
_DROPS: dict[str, Misbehaviour] = {
    "before-dot": "drop-before-dot",
    "after-dot": "drop-after-dot",
    "after-accept": "drop-after-accept",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until standard input ends or the process is asked to stop; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        rules = _rules(options)
        options.folder.mkdir(parents=True, exist_ok=True)
        with (options.folder / LOCK).open("a+b") as lock:
            _wait_for_lock(lock, options.lock_within)
            asyncio.run(_serve(options, rules))
    except OSError as error:
        sys.stderr.write(f"The mail catcher cannot work ({error}).\n")
        return 1
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, UserFixable) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="catcher", description="Keeps every mail that it is sent in a folder.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--lock-within", type=float, default=20.0, help="seconds to wait for an older catcher")
    parser.add_argument("--stay", action="store_true", help="go on when standard input ends")
    parser.add_argument("--reject", action="append", default=[], help="'pattern=550 5.1.1 text', at RCPT")
    parser.add_argument("--refuse", action="append", default=[], help="'pattern=554 5.7.1 text', after the message")
    parser.add_argument("--greylist", action="append", default=[], help="'pattern=450 4.2.1 text', for the first tries")
    parser.add_argument(
        "--drop", action="append", default=[], help=f"'pattern={'|'.join(_DROPS)}', for the first tries"
    )
    parser.add_argument("--tries", type=int, default=1, help="how many tries --greylist and --drop spoil")
    return parser


def _rules(options: argparse.Namespace) -> list[Rule]:
    rules: list[Rule] = []
    for text in options.reject:
        pattern, reply = _split(text, _is_reply)
        rules.append(Rule(pattern=pattern, misbehaviour="refuse-recipient", reply=reply))
    for text in options.refuse:
        pattern, reply = _split(text, _is_reply)
        rules.append(Rule(pattern=pattern, misbehaviour="refuse-message", reply=reply))
    for text in options.greylist:
        pattern, reply = _split(text, _is_reply)
        rules.append(Rule(pattern=pattern, misbehaviour="refuse-recipient", reply=reply, tries=options.tries))
    for text in options.drop:
        pattern, moment = _split(text, _DROPS.__contains__)
        rules.append(Rule(pattern=pattern, misbehaviour=_DROPS[moment], tries=options.tries))
    return rules


def _split(text: str, is_good: Callable[[str], bool]) -> tuple[str, str]:
    pattern, _, value = text.partition("=")
    if not pattern or not is_good(value):
        raise UserFixable("CATCHER-RULE", f"{text!r} is not a rule.", hint="See --help for the form of each.")
    return pattern, value


def _is_reply(text: str) -> bool:
    return text[:3].isdecimal() and int(text[:3]) in _REPLY_STATUS and text[3:4] == " " and text.isprintable()


def _wait_for_lock(file: BinaryIO, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not _try_lock(file):
        if time.monotonic() > deadline:
            text = "Another mail catcher works in this folder."
            raise Transient("CATCHER-BUSY", text, where=file.name, hint="Stop it, or choose another folder.")
        time.sleep(_LOCK_POLL_S)


def _try_lock(file: BinaryIO) -> bool:
    """Locks end with their process, however it ends."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists there only

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _serve(options: argparse.Namespace, rules: list[Rule]) -> None:
    writer = CaughtMailWriter(options.folder)
    catcher = Catcher(writer, utc_now, rules)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(catcher.connection, "127.0.0.1", options.port, backlog=256)
    if not options.stay:
        threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    with suppress(NotImplementedError):
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
    sys.stdout.write(json.dumps({"port": server.sockets[0].getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    await catcher.finish(_FINISH_WITHIN_S)
    writer.close()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Reads the file descriptor: sys.stdin holds a lock that would hang the interpreter's exit.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())
