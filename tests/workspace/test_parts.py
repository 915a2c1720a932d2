"""Parts of the workspace are made when they are asked for, once, and what was never opened needs no closing."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from studio.workspace.parts import part
from studio.workspace.workspace import Workspace


class _Whole:
    def __init__(self) -> None:
        self.parts_lock = threading.RLock()
        self.count = 0
        self.gate = threading.Barrier(4)

    @part
    def inner(self) -> list[str]:
        self.count += 1
        return ["inner"]

    @part
    def outer(self) -> list[str]:
        return [*self.inner, "outer"]


def test_a_part_is_made_once_whichever_thread_asks() -> None:
    whole = _Whole()

    def ask() -> list[str]:
        whole.gate.wait(5)
        return whole.outer

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(ask) for _ in range(4)]]
    assert whole.count == 1
    assert all(answer is answers[0] for answer in answers)
    assert answers[0] == ["inner", "outer"]


def test_made_tells_without_making() -> None:
    whole = _Whole()
    assert not _Whole.inner.made(whole)
    assert whole.count == 0
    assert whole.inner == ["inner"]
    assert _Whole.inner.made(whole)


def test_a_workspace_that_was_only_opened_starts_no_engine(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        assert not Workspace._host.made(workspace)
        assert "engine" not in {thread.name for thread in threading.enumerate()}


def test_ranking_needs_neither_engine_nor_network_nor_special_functions() -> None:
    code = (
        "import sys, studio.workspace.workspace, studio.workspace.templates, studio.workspace.own_templates\n"
        "print(sorted({'scipy.special', 'httpx', 'studio.engine', 'studio.analytics'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
