"""Files made to do harm: nothing is read, nobody called, nothing dies, each is refused or stopped within seconds."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("the victim reads POSIX processor times", allow_module_level=True)

FOLDER = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
FILES = sorted(FOLDER.glob("*/*.json"))
KINDS = sorted(path.name for path in FOLDER.iterdir())
WITHIN_S = 3.0
CANARY = "canary-5f1e-only-in-the-secret-file"


@dataclass(frozen=True)
class Story:
    """What the victim told: file → what came of it; and how it ended."""

    told: Mapping[str, Mapping[str, Any]]
    last: str
    exit_code: int
    said: str
    calls: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    secret = tmp_path_factory.mktemp("home") / "secret.txt"
    secret.write_text(CANARY, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-m", "tests.hostile.victim", str(secret), str(port), *map(str, FILES)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        server.settimeout(0.0)
        calls = 0
        try:
            while True:
                server.accept()[0].close()
                calls += 1
        except BlockingIOError:
            pass
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    told = {line["ends"]: line for line in lines if "ends" in line}
    last = next((line["begins"] for line in reversed(lines) if "begins" in line), "")
    yield Story(told, last, done.returncode, done.stderr[-2_000:], calls)


def test_there_are_enough_files() -> None:
    assert len(FILES) >= 200


def test_the_program_lives_through_all_of_them(story: Story) -> None:
    assert story.exit_code == 0, f"it died at {story.last}: {story.said}"
    assert set(story.told) == {str(path) for path in FILES}


@pytest.mark.parametrize("kind", KINDS)
def test_each_ends_as_it_should_and_in_time(story: Story, kind: str) -> None:
    wrong: list[str] = []
    for path in FILES:
        if path.parent.name != kind or str(path) not in story.told:
            continue
        expected, told = json.loads(path.read_text(encoding="utf-8"))["expect"], story.told[str(path)]
        if told["outcome"] not in (expected if isinstance(expected, list) else [expected]):
            wrong.append(f"{path.stem}: {told['outcome']} ({told['said']})")
        # Processor time: a shared build machine may let a process wait as long as it likes.
        if told["cpu_s"] > WITHIN_S or told["wall_s"] > 10 * WITHIN_S:
            wrong.append(f"{path.stem}: took {told['cpu_s']:.1f} s, {told['wall_s']:.1f} s on the clock")
        if told["leaks"]:
            wrong.append(f"{path.stem}: shows {told['leaks']}")
    assert not wrong, "\n".join(wrong)


def test_no_file_is_read_nobody_is_called_and_nothing_started(story: Story) -> None:
    seen: list[str] = []
    for path, told in story.told.items():
        for line in told["noticed"]:
            is_ours = "render_worker" in line or _is_part_of_python(line)
            is_ours = is_ours or any(line.startswith(f"open '{place}") for place in (gettempdir(), os.devnull))
            is_ours = is_ours and "secret.txt" not in line
            if not is_ours:
                seen.append(f"{Path(path).stem}: {line}")
    assert not seen, "\n".join(seen[:20])
    assert story.calls == 0


def _is_part_of_python(line: str) -> bool:
    """Modules that are loaded late, tables of time zones, and the program's own resources."""
    if not line.startswith("open "):
        return False
    opened = line.removeprefix("open ").split("' ")[0].strip("'\"")
    own = (sys.prefix, sys.base_prefix, *zoneinfo.TZPATH, str(ROOT / "studio"), str(ROOT / "resources"))
    # A number is a pipe to the render process.
    return opened.startswith(own) or opened.split(" ")[0].isdigit()
