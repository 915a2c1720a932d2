"""The Qt binding keeps its books: no reference of None, True or False is lost per call.

PySide6 6.12.0 on Python before 3.12 loses one per void call and aborts the program after some thousand calls.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

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
