"""Large tasks are cut into parts for several processes; what comes back is one answer, person by person in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from studio.connectors import render_pool
from studio.connectors.render_pool import RenderPool
from studio.domain.errors import UserFixable
from studio.domain.rendering import RenderTask
from studio.nodes.render_tasks import render_here


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderPool]:
    made = RenderPool(processes=2)
    yield made
    made.close()


def numbered(people: int, text: str = "{% if var.n > 3 %}No. {{ var.n }}{% endif %}{{ contact.name }}") -> RenderTask:
    names = ["ä" if n % 5 else None for n in range(people)]
    return RenderTask(kind="text", texts={"text": text}, columns={"var.n": list(range(people)), "contact.name": names})


def test_a_large_task_is_done_in_parts_and_a_small_one_is_not(
    pool: RenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_pool, "PART_MIN", 10)
    before = len(pool.pids)
    for people in (0, 7):
        task = numbered(people)
        assert dict(asyncio.run(pool(task))) == dict(asyncio.run(render_here(task)))
        assert len(pool.pids) <= max(before, 1)
    task = numbered(41)
    assert dict(asyncio.run(pool(task))) == dict(asyncio.run(render_here(task)))
    assert len(pool.pids) == 2


def test_what_is_refused_is_refused_once(pool: RenderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_pool, "PART_MIN", 10)
    with pytest.raises(UserFixable) as refused:
        asyncio.run(pool(numbered(40, "{{ broken")))
    assert refused.value.code == "MAIL-TEMPLATE"
    task = numbered(40)
    assert dict(asyncio.run(pool(task))) == dict(asyncio.run(render_here(task)))
