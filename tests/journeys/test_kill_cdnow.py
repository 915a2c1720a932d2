"""The program is killed in the middle of sending to real customers and goes on: everybody is mailed once per step."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from studio.connectors.caught_mail import INDEX, CaughtMail
from tests.cli.terminal import done
from tests.journeys import cdnow

PATIENCE_S = 120
POLL_S = 0.002
LINE_BYTES = 180
"""Less than a line of the catcher's index takes."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    shop = folder / "shop"
    done("contacts", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-contacts.toml", workspace=shop)
    done("events", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-orders.toml", workspace=shop)
    done("templates", "instantiate", "win-back", "--out", folder / "win-back.workflow.json", workspace=shop)
    return folder


def killed_after(messages: int, folder: Path, *command: str) -> int:
    """Starts the program and kills it as soon as the catcher has kept so many; how many it had kept by then."""
    index = folder / "shop" / "mail" / INDEX
    process = subprocess.Popen(
        [sys.executable, "-m", "studio", *command, "--workspace", str(folder / "shop"), "--json"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not index.exists() or index.stat().st_size < messages * LINE_BYTES:
            assert process.poll() is None, f"it ended by itself: {process.communicate()[1].decode()}"
            assert time.monotonic() < deadline, "nothing was sent"
            time.sleep(POLL_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    return CaughtMail(index.parent).count()


def steps_per_person(folder: Path) -> Counter[tuple[str, str]]:
    """How often the catcher kept each message of the campaign, by person and Message-ID."""
    return Counter((record.recipient, record.message_id) for record in CaughtMail(folder / "shop" / "mail").records())


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param((40,), id="in the first message", marks=pytest.mark.slow),
        pytest.param((380, 700), id="twice, in the later ones", marks=pytest.mark.slow),
    ],
)
def test_killed_in_the_middle_everybody_is_still_mailed_once(
    prepared: Path, tmp_path: Path, kills: tuple[int, ...]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(prepared, folder)
    command = ["run", str(folder / "win-back.workflow.json"), "--mode", "test", "--as-of", "1997-10-01"]
    for messages in kills:
        kept = killed_after(messages, folder, *command)
        command = ["resume"]
    answer = done("resume", workspace=folder / "shop")

    counts = steps_per_person(folder)
    assert kept < len(counts), "it was killed too late to show anything"
    assert set(counts.values()) == {1}, "nobody is mailed twice"
    assert answer["status"] == "done"
    assert answer["outbox"] == {"sent": len(counts), "failed": 0, "in_doubt": 0, "held": 0}
    ledger = done("outbox", "list", workspace=folder / "shop")
    assert Counter((row["to"], row["message_id"].strip("<>")) for row in ledger) == Counter(
        (to, message_id.strip("<>")) for to, message_id in counts
    )
    assert nodes_by_person(ledger) == expected(ledger)


def nodes_by_person(ledger: list[dict]) -> dict[str, list[str]]:
    """The mail steps each person got, in the order of the campaign."""
    steps: dict[str, list[str]] = {}
    for row in sorted(ledger, key=lambda row: row["node"]):
        steps.setdefault(row["contact"], []).append(row["node"][:6])
    return steps


def expected(ledger: list[dict]) -> dict[str, list[str]]:
    """What the raw file says each person who was not left alone should get: nothing more after an order."""
    treated = {row["contact"] for row in ledger if row["node"] in ("mail_1a", "mail_1b")}
    assert len(treated) > 0.8 * len(cdnow.idle())
    late = {"mail_2": 7, "mail_3": 21}
    steps = {customer: ["mail_1"] for customer in treated}
    for step, days in late.items():
        ordered = {o.customer for o in cdnow.bought(treated) if (o.at - cdnow.AS_OF).days <= days}
        for customer in treated - ordered:
            steps[customer].append(step)
    return steps
