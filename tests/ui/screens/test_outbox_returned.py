"""A mailbox of returned mail is read in the outbox, and what it held is said in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from studio.ui.screens.runs.screen import RunsPage
from studio.workspace.workspace import Workspace
from tests.workspace.test_returned import box, shop  # noqa: F401 - fixtures

from .conftest import Trail, settle, words


def test_what_came_back_is_told_and_the_ledger_is_read_again(
    shop: Workspace,  # noqa: F811
    box: Path,  # noqa: F811
    trail: Trail,
    open_page: Callable,
    qtbot: QtBot,
) -> None:
    page = open_page(RunsPage(shop, trail), "outbox")
    returned = page.outbox.returned
    assert returned.button.isVisibleTo(page) and not returned.isVisibleTo(page)
    with qtbot.waitSignal(returned.taken_in):
        returned.read(box)
    settle(qtbot)
    said = words(returned)
    assert "5 of 8 messages are about messages of this workspace." in said
    assert "2 hard bounces: the address is dead" in said
    assert "2 addresses get no mail any more." in said
    assert "1 message in doubt has arrived; it is settled when its run goes on." in said
    returned.read(box / "nowhere")
    settle(qtbot)
    assert "There is no such file or folder." in words(returned)
