"""A second process that fills in texts, for large tasks: their parts are done side by side.

A task for a few people needs one process, so there are no more until a large one comes. Absent on purpose: watching
and ending a process (`render_process`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from pydantic import JsonValue

from studio.connectors.render_process import RenderLimits, RenderProcess
from studio.domain.rendering import Rendered, RenderTask

PROCESSES_MAX = 2
PART_MIN = 4_000
"""Fewer texts are not worth a second process. Whole mails take a hundred times as long as one text."""
_PARTS_OF_MAILS = 100


class RenderPool:
    """The processes of one workspace, each started when it is first needed. May be called from any thread."""

    def __init__(self, limits: RenderLimits | None = None, processes: int | None = None) -> None:
        count = processes or min(os.cpu_count() or 1, PROCESSES_MAX)
        self._processes = [RenderProcess(limits) for _ in range(count)]
        self._executor = ThreadPoolExecutor(count, "render")

    async def __call__(self, task: RenderTask) -> Rendered:
        """Does a task while other work of the loop goes on. Raises what `RenderProcess.render` raises."""
        loop = asyncio.get_running_loop()
        parts = _parts(task, len(self._processes))
        doing = [
            loop.run_in_executor(self._executor, process.render, part)
            for process, part in zip(self._processes, parts, strict=False)
        ]
        # All are waited for, whatever becomes of one: none may go on behind the caller's back.
        done = await asyncio.gather(*doing, return_exceptions=True)
        answers: list[Rendered] = []
        for answer in done:
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return _together(answers)

    def render(self, task: RenderTask) -> Rendered:
        """Does a task in one process. Raises what `RenderProcess.render` raises."""
        return self._processes[0].render(task)

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [process.pid for process in self._processes if process.pid is not None]

    def close(self) -> None:
        """Ends the processes. The next task would start others."""
        self._executor.shutdown(wait=True)
        for process in self._processes:
            process.close()


def _parts(task: RenderTask, processes: int) -> list[RenderTask]:
    """The task cut into as many parts as are worth a process each, all of nearly the same size."""
    least = PART_MIN if task.kind == "text" else PART_MIN // _PARTS_OF_MAILS
    count = max(1, min(processes, task.people // least))
    if count == 1:
        return [task]
    cuts = [task.people * place // count for place in range(count + 1)]
    return [_part(task, start, end) for start, end in pairwise(cuts)]


def _part(task: RenderTask, start: int, end: int) -> RenderTask:
    columns: dict[str, Sequence[JsonValue]] = {name: values[start:end] for name, values in task.columns.items()}
    return RenderTask(kind=task.kind, texts=task.texts, columns=columns)


def _together(answers: Sequence[Rendered]) -> Rendered:
    first, *others = answers
    if not others:
        return first
    return {name: [value for answer in answers for value in answer[name]] for name in first}
