"""The process that fills in texts: the same texts as here, and an end to whatever does not come to one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.connectors.render_process import RenderLimits, RenderProcess
from studio.domain.errors import UserFixable
from studio.domain.rendering import RenderTask
from studio.nodes.render_tasks import PIECE, render_here

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of processor time are POSIX")

MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>%s</mj-text></mj-column></mj-section></mj-body></mjml>"
LIST = '{"properties":"{\\"l\\":[' + ",".join("1" * 70) + ']}"}'
LOOPS = "{% for a in event.l %}{% for b in event.l %}%s{% endfor %}{% endfor %}"
HANG = LOOPS.replace("%s", "{{ var.inner|fill }}")
EMPTY_LOOPS = LOOPS.replace("%s", "")


@pytest.fixture(scope="module")
def render() -> Iterator[RenderProcess]:
    process = RenderProcess(RenderLimits(cpu_s=0.3, silent_s=20.0, memory=150_000_000))
    yield process
    process.close()


def texts(source: str, **columns: list[object]) -> RenderTask:
    return RenderTask(kind="text", texts={"text": source}, columns={n.replace("_", "."): c for n, c in columns.items()})


def test_the_folder_it_is_started_in_adds_no_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    process = RenderProcess()
    assert process.render(texts("x {{ contact.name }}", contact_name=["Ann"]))["text"] == ["x Ann"]
    process.close()


def test_it_writes_what_is_written_here(render: RenderProcess) -> None:
    people = PIECE["text"] + 7
    task = texts(
        "Hi {{ contact.name }} {{ var.n }}", contact_name=["ä", None, "c"] * people, var_n=[1, 2.5, True] * people
    )
    assert dict(render.render(task)) == dict(asyncio.run(render_here(task)))
    columns = {
        "contact.name": ["A<b>", None] * 20,
        "unsubscribe_url": ["https://example.invalid/u"] * 40,
        "tags": [{}] * 40,
    }
    body = {
        "subject": "Hi {{ contact.name }}",
        "preheader": "",
        "body": MJML % "{{ contact.name|default('x') }}",
        "text": "",
    }
    mails = RenderTask(kind="mail", texts=body, columns=columns)
    assert dict(asyncio.run(render(mails))) == dict(asyncio.run(render_here(mails)))
    nameless = texts("Hi {{ contact.name }}", contact_name=[None] * 3)
    assert dict(render.render(nameless)) == dict(asyncio.run(render_here(nameless)))
    nobody = texts("x", key=[])
    assert dict(render.render(nobody)) == dict(asyncio.run(render_here(nobody)))


def test_a_refused_text_is_refused_in_the_same_words(render: RenderProcess) -> None:
    with pytest.raises(UserFixable) as there:
        render.render(texts("{% include 'x' %}", key=["a"]))
    with pytest.raises(UserFixable) as here:
        asyncio.run(render_here(texts("{% include 'x' %}", key=["a"])))
    assert str(there.value) == str(here.value)
    assert (there.value.code, there.value.hint) == (here.value.code, here.value.hint)


def test_a_text_that_never_ends_is_stopped_and_then_refused_at_once(render: RenderProcess) -> None:
    task = texts(HANG, var_inner=[EMPTY_LOOPS], var_event=[LIST])
    before = render.stops
    for _ in range(2):
        with pytest.raises(UserFixable, match="longer than it may") as refused:
            render.render(task)
        assert refused.value.code == "RENDER-TIME"
    assert render.stops == before + 1
    assert render.render(texts("{{ key }}", key=["on"]))["text"] == ["on"]


def test_a_text_that_eats_memory_is_stopped() -> None:
    small = RenderProcess(RenderLimits(cpu_s=20.0, silent_s=60.0, memory=20_000_000))
    inner = LOOPS.replace("%s", "{{ contact.bio }}")
    try:
        with pytest.raises(UserFixable) as refused:
            small.render(texts(HANG, var_inner=[inner], var_event=[LIST], contact_bio=["x" * 10_000]))
        assert refused.value.code == "RENDER-MEMORY"
    finally:
        small.close()


def test_one_person_that_breaks_a_text_costs_one_text(render: RenderProcess) -> None:
    source = "{# one #}" + HANG
    inner = ["a", "b", EMPTY_LOOPS, "d"]
    short = '{"properties":"{\\"l\\":[1]}"}'
    made = render.render(texts(source, var_inner=inner, var_event=[short, short, LIST, short]))
    assert [code is None for code in made["code"]] == [True, True, False, True]
    assert made["code"][2] == "RENDER-TIME"
    assert [len(text or "") for text in made["text"]] == [1, 1, 0, 1]


def test_a_process_that_was_killed_is_started_again(render: RenderProcess) -> None:
    assert render.render(texts("{{ key }}", key=["a"]))["text"] == ["a"]
    assert render.pid is not None
    os.kill(render.pid, signal.SIGKILL)
    assert render.render(texts("{{ key }}!", key=["a"]))["text"] == ["a!"]


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells the limits of a process")
def test_it_has_given_up_the_right_to_open_files_and_to_grow(render: RenderProcess) -> None:
    render.render(texts("{{ key }}", key=["a"]))
    limits = {
        line[:26].strip(): line[26:].split()[:2] for line in Path(f"/proc/{render.pid}/limits").read_text().splitlines()
    }
    assert limits["Max open files"] == ["3", "3"]
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max address space"][0] != "unlimited"
    environment = Path(f"/proc/{render.pid}/environ").read_text().split("\0")
    assert not any(name.startswith(("HOME=", "USER=")) for name in environment)
