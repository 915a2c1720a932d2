"""The process that fills in texts: it can hang, run out of memory or die without anybody else noticing more than that.

It reads tasks from its input and writes pieces of answers to its output, JSON behind a length. Once everything is
loaded it gives up the right to open files and sockets, to start processes and to grow, and each piece has a second of
processor time. Absent on purpose: deciding what follows from being stopped (`connectors.render_process`), and, on
Windows, the limits, which its parent sets there.
"""

from __future__ import annotations

import gc
import json
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from studio.domain.errors import UserFixable
from studio.domain.rendering import RenderTask
from studio.nodes.render_tasks import COLUMNS, PIECE, perform

MEMORY = 512_000_000
"""Bytes it may take beyond what it has when it is ready."""
CPU_S = 1.0
LENGTH = struct.Struct(">I")
OUT_OF_MEMORY = 77
"""The exit code for running out of memory where Python notices."""
_COLLECTED_FROM = 50_000

_WARM_UP = {
    "subject": "{{ contact.name|upper }}",
    "preheader": "",
    "text": "",
    "body": '<mjml><mj-body><mj-section><mj-column><mj-text>{{ "2026-03-10"|date("%d %B") }} {{ 5|money("EUR") }}'
    '<a href="{{ unsubscribe_url }}">x</a></mj-text></mj-column></mj-section></mj-body></mjml>',
}


def main(arguments: list[str]) -> int:
    """Works until its input ends. `--cpu S` and `--memory BYTES` change the limits; tests use lower ones."""
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    cpu_s = float(options.get("--cpu", CPU_S))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _warm_up()
    # A piece makes thousands of dictionaries without a cycle among them: looking for cycles took half of its time.
    gc.freeze()
    gc.set_threshold(_COLLECTED_FROM)
    if sys.platform != "win32":
        _give_up_rights(int(options.get("--memory", MEMORY)))
    _write(sink, {"ready": True})
    try:
        while (request := _read(source)) is not None:
            _answer(request, sink, cpu_s)
    except MemoryError:
        return OUT_OF_MEMORY
    except BrokenPipeError:
        return 0
    return 0


def _warm_up() -> None:
    """Loads everything there is to load: files cannot be opened any more later on."""
    columns = {
        "contact.name": ["Anna"],
        "unsubscribe_url": ["https://example.invalid/u"],
        "tags": [{"utm_source": "x"}],
    }
    list(perform(RenderTask(kind="mail", texts=_WARM_UP, columns=columns)))
    list(
        perform(RenderTask(kind="text", texts={"text": "{{ contact.name }}"}, columns={"contact.name": ["Anna", None]}))
    )


def _answer(request: Mapping[str, Any], sink: BinaryIO, cpu_s: float) -> None:
    task = RenderTask(kind=request["kind"], texts=request["texts"], columns=request["columns"])
    pieces = perform(task, request.get("piece") or PIECE[task.kind])
    try:
        while True:
            _limit_cpu(cpu_s)
            piece = next(pieces, None)
            _limit_cpu(0)
            if piece is None:
                break
            columns = [piece[name] for name in COLUMNS[task.kind]]
            people = len(columns[0])
            _write(sink, {"people": people, "piece": [None if c.count(None) == people else c for c in columns]})
        _write(sink, {"end": True})
    except UserFixable as error:
        _limit_cpu(0)
        told = {"code": error.code, "message": error.message, "where": error.where, "hint": error.hint}
        _write(sink, {"error": told})


def _limit_cpu(seconds: float) -> None:
    """So much processor time from now on, then the process ends, even inside a library's loop; 0: no limit."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _give_up_rights(memory: int) -> None:
    import resource  # noqa: PLC0415 - there is no such module on Windows

    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # Three files are open already, and no fourth will be: no file, no socket, no pipe.
    limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0, "RLIMIT_NOFILE": 3, "RLIMIT_NPROC": 0}
    if (taken := _address_space()) is not None:
        limits["RLIMIT_AS"] = taken + memory
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        try:
            resource.setrlimit(kind, (value, value))
        except (OSError, ValueError):
            # Some systems do not know every limit; the time limit and the parent's watch stay.
            continue


def _address_space() -> int | None:
    """Bytes this process has mapped; None where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read once, before files cannot be opened
            pages = int(file.read().split()[0])
    except OSError:
        return None
    import resource  # noqa: PLC0415 - as above

    return pages * resource.getpagesize()


def _read(source: BinaryIO) -> dict[str, Any] | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return json.loads(source.read(length))


def _write(sink: BinaryIO, answer: Mapping[str, object]) -> None:
    data = json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
    sink.write(LENGTH.pack(len(data)) + data)
    sink.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
