"""The Qt binding keeps its books: no reference of None, True or False is lost per call, nothing is deleted twice.

PySide6 6.12.0 on Python before 3.12 loses one per void call and aborts the program after some thousand calls.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

ROOT = Path(__file__).parents[2]
CALLS = 500
TOLERATED_LOSS = 50


class Emitter(QObject):
    told = Signal(bool)


def counts() -> dict[str, int]:
    return {str(value): sys.getrefcount(value) for value in (None, True, False)}


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None, True and False are immortal there")
def test_calls_into_qt_lose_no_references() -> None:
    label, emitter = QLabel(), Emitter()
    emitter.told.connect(label.setEnabled)
    before = counts()
    for number in range(CALLS):
        label.setText(str(number))
        emitter.told.emit(number % 2 == 0)
    drift = {name: count - before[name] for name, count in counts().items()}
    assert min(drift.values()) > -TOLERATED_LOSS, drift


FORGOTTEN = """
import gc
from PySide6.QtWidgets import QApplication
application = QApplication([])
from studio.ui.theme import theme
theme().install(application)
from tests.ui.canvas.test_edits import _GESTURES, Bench
for _ in range(6):
    bench = Bench()
    for pick, gesture in enumerate(sorted(_GESTURES)[:6]):
        bench.do(gesture, pick, pick + 1)
    bench.editor.tidy()
    bench.itself = bench
    del bench
    gc.collect()
"""


def test_a_document_that_is_forgotten_with_its_history_ends_no_program() -> None:
    command = [sys.executable, "-c", FORGOTTEN]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
