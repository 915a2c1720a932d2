"""Many widgets are made a few at a time: all of them come, in their order, once."""

from __future__ import annotations

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from studio.ui.screens.gradually import Gradually


def test_the_first_few_are_there_at_once_and_all_follow_in_their_order(qtbot: QtBot) -> None:
    owner = QObject()
    made: list[int] = []
    ended: list[int] = []
    Gradually(owner).each(range(40), made.append, lambda: ended.append(len(made)), at_once=3)
    assert made == [0, 1, 2]
    assert ended == []
    qtbot.waitUntil(lambda: bool(ended))
    assert made == list(range(40))
    assert ended == [40]


def test_beginning_anew_drops_what_was_left(qtbot: QtBot) -> None:
    owner = QObject()
    adding, made = Gradually(owner), []
    adding.each(["old"] * 9, made.append)
    adding.each(["new"] * 3, made.append)
    qtbot.waitUntil(lambda: len(made) >= 4)
    assert made == ["old", "new", "new", "new"]


def test_what_is_left_can_be_had_at_once_or_dropped() -> None:
    owner = QObject()
    adding, made = Gradually(owner), []
    adding.each("abcd", made.append)
    adding.finish()
    adding.each("xyz", made.append)
    adding.stop()
    adding.finish()
    assert made == list("abcdx")
