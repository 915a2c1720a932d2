"""A workspace of its own, the demo shop, and a navigator that writes down where it was sent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from studio.connectors import demo_shop
from studio.ui import background
from studio.ui.screens.gradually import Gradually
from studio.ui.widgets import Text
from studio.workspace.demo import demo_options, fill_demo
from studio.workspace.workspace import Workspace
from tests.shared import made_once


@dataclass
class Trail:
    """A navigator; every call becomes a line."""

    calls: list[tuple[str, ...]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def go(self, page_id: str, target: str = "") -> None:
        self.calls.append(("go", page_id, target))

    def open_workflow(self, workflow_id: str) -> None:
        self.calls.append(("workflow", workflow_id))

    def open_run(self, run_id: str) -> None:
        self.calls.append(("run", run_id))

    def run_workflow(self, workflow_id: str) -> None:
        self.calls.append(("start", workflow_id))

    def open_demo(self) -> None:
        self.calls.append(("demo",))

    def go_back(self, backup: str) -> None:
        self.calls.append(("back", backup))

    def notify(self, text: str, undo: Callable[[], object] | None = None) -> None:
        self.said.append(text)


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop, before anything ran."""
    return made_once(tmp_path_factory, "demo-shop", _fill)


def _fill(folder: Path) -> None:
    with Workspace.open(folder) as made:
        fill_demo(made, 1)


@pytest.fixture(scope="session")
def ran_folder(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo shop after sixteen days of cart recovery, when subject B has won."""

    def run(folder: Path) -> None:
        shutil.copytree(shop_folder, folder)
        with Workspace.open(folder) as made:
            created = made.templates.create("cart-recovery", made.templates.context())
            options = replace(demo_options(1), until=demo_shop.START + timedelta(days=16), step="P1D")
            made.runs.wait(made.runs.start(created.workflow, options, workflow_id=created.workflow_id))

    return made_once(tmp_path_factory, "demo-shop-ran", run)


@pytest.fixture
def shop(shop_folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    yield from _copy(shop_folder, tmp_path)


@pytest.fixture
def ran(ran_folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    yield from _copy(ran_folder, tmp_path)


@pytest.fixture(scope="module")
def seen(ran_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """As `ran`, for all tests of a module that only look: nothing may be changed in it."""
    yield from _copy(ran_folder, tmp_path_factory.mktemp("seen"))


def _copy(folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(folder, tmp_path / "copy")
    with Workspace.open(tmp_path / "copy") as opened:
        yield opened


@pytest.fixture
def open_page(qtbot: QtBot) -> Callable[..., QWidget]:
    """Shows a page, enters it, and waits until all it fetches has arrived."""

    def opened(page: QWidget, target: str = "") -> QWidget:
        qtbot.addWidget(page)
        page.resize(1300, 850)
        page.show()
        page.entered(target)  # type: ignore[attr-defined] - a page
        settle(qtbot)
        return page

    return opened


def settle(qtbot: QtBot) -> None:
    """Waits until everything that is being fetched has arrived and what was added is shown."""
    qtbot.waitUntil(lambda: not background.under_way(), timeout=20_000)
    for window in QApplication.topLevelWidgets():
        for made in window.findChildren(Gradually):
            made.finish()
    for _round in range(3):
        QApplication.processEvents()


def words(widget: QWidget) -> str:
    """Everything that can be read on a widget now."""
    labels = [label.text() for label in widget.findChildren(Text) if label.isVisibleTo(widget)]
    plain = [label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)]
    return "\n".join([*labels, *plain]).replace("\u00a0", " ").replace("\u2060", "").replace("\u200b", "")


def button(widget: QWidget, name: str) -> QAbstractButton:
    """The visible button of that text or accessible name; the first one."""
    QApplication.sendPostedEvents()  # rows that were just added show themselves a turn later
    found = [
        item
        for item in widget.findChildren(QAbstractButton)
        if item.isVisibleTo(widget) and name in (item.text(), item.accessibleName())
    ]
    assert found, f"no button “{name}”"
    return found[0]
