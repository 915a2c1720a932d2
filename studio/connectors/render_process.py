"""Fills in texts in a process of its own, watches it, and ends it when a text does not come to an end.

One person whose data breaks a text costs that person the text; a text that breaks for everybody, or for several, is
refused, and refused at once from then on. Absent on purpose: filling in (`nodes.render_worker`, which runs there), and
templates' words.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

import studio
from studio.connectors.process_limit import limit_memory
from studio.domain.errors import UserFixable
from studio.domain.rendering import Rendered, RenderTask

RENDER_COMMAND = "render"
"""The hidden sub-command under which the packaged program runs `render_worker.main`."""

SILENT_S = 2.5
"""Without a piece for so long it is ended: several times what the process allows itself of processor time."""
_START_S = 60.0
_SUSPECTS_MAX = 3
_REFUSED_MAX = 256
_ANSWER_MAX = 256_000_000
_LENGTH = struct.Struct(">I")
_PROFILE_SIGNAL = 27
_PIPE_BYTES = 1 << 20
_KILLED = (-9, -15)
_MURDERS_MAX = 2
OUTSIDE = "outside"
"""By whom a process was ended that somebody killed: no text is to blame, unless it happens again and again."""
_COLUMNS = {"text": ("text", "code", "message"), "mail": ("subject", "html", "text", "code", "message")}
_PIECE = {"text": 2_000, "mail": 25}
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TZDIR", "PYTHONHASHSEED")
_WINDOWS_FLAGS = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0

if sys.platform == "linux":
    import fcntl

log = logging.getLogger(__name__)


class _StoppedError(Exception):
    """The process ended before the answer; `args[0]` says by what: time or memory."""


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """What the process may take. cpu_s: per piece, on POSIX. memory: bytes beyond what it has when it is ready."""

    cpu_s: float = 1.0
    silent_s: float = SILENT_S
    memory: int = 512_000_000


class RenderProcess:
    """The process of one workspace, started when it is first needed. All methods may be called from any thread."""

    def __init__(self, limits: RenderLimits | None = None) -> None:
        self._limits = limits or RenderLimits()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._refused: dict[str, UserFixable] = {}
        self._executor = ThreadPoolExecutor(1, "render")
        self.stops = 0
        """How often it had to be ended, or ended by itself."""

    async def __call__(self, task: RenderTask) -> Rendered:
        """Does a task while other work of the loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.render, task)

    def render(self, task: RenderTask) -> Rendered:
        """Does a task. Raises UserFixable: what the templates raise, RENDER-TIME, RENDER-MEMORY, RENDER-START."""
        key = hashlib.sha256(json.dumps([task.kind, dict(task.texts)]).encode()).hexdigest()
        with self._lock:
            if key in self._refused:
                raise self._refused[key]
            try:
                return self._whole(task)
            except UserFixable as error:
                if error.code in ("RENDER-TIME", "RENDER-MEMORY"):
                    self._refused[key] = error
                    while len(self._refused) > _REFUSED_MAX:
                        self._refused.pop(next(iter(self._refused)))
                raise

    @property
    def pid(self) -> int | None:
        """Of the process, None when none runs."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def close(self) -> None:
        """Ends the process. The next task would start another one."""
        self._executor.shutdown(wait=True)
        with self._lock:
            self._end()

    def _whole(self, task: RenderTask) -> Rendered:
        answer: dict[str, list[str | None]] = {name: [] for name in _COLUMNS[task.kind]}
        done = single_until = suspects = murders = 0
        while done < task.people:
            is_single = done < single_until or done == task.people - 1
            part = _part(task, done, max(single_until, done + 1) if is_single else task.people)
            try:
                for people, piece in self._pieces(part, 1 if is_single else _PIECE[task.kind]):
                    for name, values in zip(answer, piece, strict=True):
                        answer[name] += [None] * people if values is None else values
                    done += people
            except _StoppedError as stopped:
                if str(stopped) == OUTSIDE and murders < _MURDERS_MAX:
                    murders += 1
                    continue
                if not is_single:
                    # Who of the piece was it? They are asked one by one.
                    single_until = min(done + _PIECE[task.kind], task.people)
                    continue
                suspects += 1
                if suspects >= _SUSPECTS_MAX or suspects > done:
                    raise _refusal(str(stopped)) from None
                error = _refusal(str(stopped))
                told = {"code": error.code, "message": error.message}
                for name, values in answer.items():
                    values.append(told.get(name))
                done += 1
        return answer

    def _pieces(self, task: RenderTask, piece: int) -> Iterator[tuple[int, list[list[str | None] | None]]]:
        """How many people, and a column each of what is told of them; None: nothing of anybody."""
        process = self._started()
        request = {"kind": task.kind, "texts": dict(task.texts), "columns": dict(task.columns), "piece": piece}
        message = self._exchange(process, request)
        while "piece" in message:
            yield message["people"], message["piece"]
            message = self._exchange(process, None)
        if "error" in message:
            told = message["error"]
            raise UserFixable(told["code"], told["message"], where=told["where"], hint=told["hint"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()  # one that ended by itself leaves its pipes open
        options = ["--cpu", str(self._limits.cpu_s), "--memory", str(self._limits.memory)]
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [*_command(), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            close_fds=True,
            creationflags=_WINDOWS_FLAGS,
        )
        self._process = process
        _widen(process)
        try:
            self._exchange(process, None, _START_S)
        except _StoppedError:
            hint = "Run the check of this computer."
            raise UserFixable("RENDER-START", "The process that writes messages did not start.", hint=hint) from None
        limit_memory(process, self._limits.memory)
        return process

    def _exchange(
        self, process: subprocess.Popen[bytes], request: Mapping[str, object] | None, within_s: float | None = None
    ) -> dict[str, Any]:
        """Sends a request, or none, and reads the next message. Raises _StoppedError; the process is gone then."""
        assert process.stdin is not None and process.stdout is not None, "both are pipes"
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        watch = threading.Timer(within_s or self._limits.silent_s, end)
        watch.daemon = True
        watch.start()
        try:
            if request is not None:
                data = json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")
                process.stdin.write(_LENGTH.pack(len(data)) + data)
                process.stdin.flush()
            head = process.stdout.read(_LENGTH.size)
            length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
            data = process.stdout.read(length) if 0 < length <= _ANSWER_MAX else b""
        except OSError:
            data, length = b"", 0
        finally:
            watch.cancel()
        if length and len(data) == length:
            return json.loads(data)
        self._end()
        self.stops += 1
        is_time = is_late.is_set() or process.returncode == -_PROFILE_SIGNAL
        log.warning(
            "the process that writes texts was stopped (exit code %s, by time: %s)", process.returncode, is_time
        )
        if process.returncode in _KILLED and not is_late.is_set():
            raise _StoppedError(OUTSIDE)
        raise _StoppedError("time" if is_time else "memory")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None, "both are pipes"
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()
            except OSError:
                continue  # what was still to be written has nobody to read it


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Lets a whole piece lie in the pipes: with less, both sides wait for each other several times in each."""
    if sys.platform != "linux":
        return
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None, "both are pipes"
        # Some systems allow less: then it stays as it is.
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _part(task: RenderTask, start: int, end: int) -> RenderTask:
    if start == 0 and end == task.people:
        return task
    columns: dict[str, Sequence[JsonValue]] = {name: values[start:end] for name, values in task.columns.items()}
    return RenderTask(kind=task.kind, texts=task.texts, columns=columns)


def _refusal(by: str) -> UserFixable:
    if by == "time":
        return UserFixable(
            "RENDER-TIME",
            "Writing this text took longer than it may, so it was stopped.",
            hint="Simplify its loops and conditions.",
        )
    return UserFixable(
        "RENDER-MEMORY",
        "Writing this text took more memory than it may, so it was stopped.",
        hint="Shorten it: it repeats long values too often.",
    )


def _command() -> list[str]:
    """The packaged program has no interpreter to call, so it calls itself."""
    program = [RENDER_COMMAND] if getattr(sys, "frozen", False) else ["-P", "-m", "studio.nodes.render_worker"]
    return [sys.executable, *program]


def _environment() -> dict[str, str]:
    """As little as it needs: whatever secrets lie in the environment, a text shall not see them."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    source = str(Path(studio.__file__).resolve().parent.parent)
    return {**kept, "PYTHONPATH": source, "PYTHONUTF8": "1"}
