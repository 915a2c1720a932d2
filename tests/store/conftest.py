"""A workspace in a temporary folder, and a clock that stands where a test puts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.store import Store

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class StandingClock:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shop"


@pytest.fixture(scope="session")
def empty_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once and copied, because making one costs as much as a test."""
    folder = tmp_path_factory.mktemp("empty") / "shop"
    Store.open(folder, clock=StandingClock()).close()
    return folder


@pytest.fixture
def store(empty_workspace: Path, folder: Path, clock: StandingClock) -> Iterator[Store]:
    shutil.copytree(empty_workspace, folder)
    with Store.open(folder, clock=clock) as opened:
        yield opened
