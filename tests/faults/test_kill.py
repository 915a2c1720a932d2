"""kill -9 at any moment, with the real store and a real mail server: everybody is mailed once, nothing is left undone.

What the catcher kept is the truth; what the ledger says is only compared with it.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.connectors.catcher_process import catcher_command
from studio.connectors.caught_mail import CaughtMail
from studio.store import Store
from tests.faults import kill_child
from tests.faults.kill_child import NODES, PEOPLE, RUN_ID

SEED = 20_260_302
KILLS = 15
DOUBLE_KILLS = 3

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.faults.kill_child"])


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    folder = tmp_path_factory.mktemp("mail")
    catcher = subprocess.Popen(catcher_command(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = json.loads(catcher.stdout.readline())["port"]
    yield folder, port
    catcher.stdin.close()
    assert catcher.wait(30) == 0
    catcher.stdout.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "shop"
    kill_child.prepare(folder)
    return folder


def go(folder: Path, port: int, domain: str, die_at: int = 0) -> tuple[str, int] | None:
    """What a leg in its own process ended with; None when it was killed."""
    report = folder.parent / "report"
    report.unlink(missing_ok=True)
    process = _processes.Process(target=kill_child.leg, args=(folder, port, domain, die_at, report))
    process.start()
    process.join(60)
    if process.exitcode == -9:
        assert not report.exists()
        return None
    assert process.exitcode == 0
    state, calls = report.read_text().split()
    return state, int(calls)


def accepted(mailbox: Path, domain: str) -> Counter[tuple[str, str]]:
    """(recipient, Message-ID) of every message of this sender that the catcher kept."""
    counts: Counter[tuple[str, str]] = Counter()
    for record in CaughtMail(mailbox).records():
        if record.sender.endswith(f"@{domain}"):
            counts[record.recipient, record.message_id] += 1
    return counts


def check(folder: Path, mailbox: Path, domain: str) -> None:
    truth = accepted(mailbox, domain)
    assert set(truth.values()) == {1}, "nobody is mailed twice"
    assert len(truth) == PEOPLE * len(NODES), "nobody is forgotten"
    with Store.open(folder, clock=kill_child._Wall()) as store:
        ledger = store.runs.outbox(RUN_ID)
        assert set(ledger.get_column("state")) <= {"sent", "resolved_sent"}
        assert {message_id for _, message_id in truth} == set(ledger.get_column("message_id"))
        sent = store.events.at(kill_child.START.replace(year=2027)).rows(["sent"], since=kill_child.START)
        assert sorted(sent.select("contact_id", "node_id").rows()) == sorted(
            (i, n) for i in range(PEOPLE) for n in NODES
        )
        run = store.runs.get(RUN_ID)
        assert (run.state, store.runs.pending(RUN_ID)) == ("done", [])


def test_killed_at_many_points_and_resumed(mailbox: tuple[Path, int], prepared: Path, tmp_path: Path) -> None:
    folder, port = mailbox
    whole = tmp_path / "whole" / "shop"
    shutil.copytree(prepared, whole)
    state, calls = go(whole, port, "whole.invalid")
    assert state == "done"
    check(whole, folder, "whole.invalid")
    assert calls > 150
    chance = random.Random(SEED)
    points = sorted(chance.sample(range(1, calls + 1), KILLS))
    killed = 0
    for number, point in enumerate(points):
        domain = f"kill{point}.invalid"
        shop = tmp_path / domain / "shop"
        shutil.copytree(prepared, shop)
        # How many changes share a commit depends on the moment, so a point near the end may lie behind it.
        killed += go(shop, port, domain, die_at=point) is None
        if number < DOUBLE_KILLS:
            go(shop, port, domain, die_at=chance.randrange(1, 40))
        ended = go(shop, port, domain)
        assert ended is not None, f"killed at point {point}"
        assert ended[0] == "done", f"killed at point {point}"
        check(shop, folder, domain)
    assert killed >= KILLS - 2
