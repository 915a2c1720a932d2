"""The peak of a process is its own, whoever started it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PARENT = """
import subprocess, sys
held = bytearray(300_000_000)
held[::4096] = b"x" * len(held[::4096])
child = "from studio.workspace.peak_memory import peak_rss_mb; print(peak_rss_mb())"
subprocess.run([sys.executable, "-c", child], check=True)
exec(child)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows is not asked")
def test_a_child_does_not_answer_for_its_parent() -> None:
    done = subprocess.run([sys.executable, "-c", _PARENT], capture_output=True, text=True, check=True)
    child, parent = map(float, done.stdout.split())
    assert child < 200 < 300 < parent
