"""A process that takes a run through one leg and dies, by kill -9, at the N-th thing it does to store or server.

Counted: before and after each write of the store and to the mail server, and each answer that has come from it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from studio.connectors.profile import SendingProfile, SmtpServer
from studio.connectors.smtp import SmtpMailer
from studio.connectors.wire import Wire
from studio.domain.node import Sender
from studio.domain.ports import Pace, RunRow
from studio.domain.workflow import Workflow
from studio.engine.clocks import doze
from studio.engine.draft import Sizes
from studio.engine.driver import Driver, Surroundings
from studio.store import Store
from tests.engine.bench import Audience, workflow
from tests.engine.memory_store import MemoryContacts
from tests.engine.nodes import CATALOGUE

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE = 12
NODES = ("m1", "m2")
RUN_ID = "r1"


def journey() -> Workflow:
    return workflow(
        {"s": ("people", {"count": PEOPLE}), "m1": ("mail", {}), "p": ("pause", {"wait": "P1D"}), "m2": ("mail", {})},
        "s > m1",
        "m1 > p",
        "p > m2",
    )


class _Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)


class _Mailers:
    def __init__(self, port: int, domain: str) -> None:
        server = SmtpServer(host="127.0.0.1", port=port, security="none")
        profile = SendingProfile.model_validate({"smtp": server, "from": f"shop@{domain}"})
        self._domain = domain
        self._mailer = SmtpMailer(profile)

    def mailer(self, run: RunRow) -> SmtpMailer:
        return self._mailer

    def sender(self, run: RunRow) -> Sender:
        address = f"shop@{self._domain}"
        return Sender(address=address, reply_to=None, postal_address="1 Street", unsubscribe_base_url=None)

    def pace(self, run: RunRow) -> Pace:
        return Pace(connections=3)


class _Countdown:
    """Dies at the `left`-th call; 0: never."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def around(function: Callable, tick: _Countdown) -> Callable:
    def counted(*args, **kwargs):
        tick()
        done = function(*args, **kwargs)
        tick()
        return done

    return counted


def count_everything(store: Store, tick: _Countdown) -> None:
    """Only for a process of its own: it changes classes."""
    for name in ("commit", "change_outbox", "doubt_sending"):
        setattr(store.runs, name, around(getattr(store.runs, name), tick))
    Wire.write = around(Wire.write, tick)
    Wire._take_line = around(Wire._take_line, tick)


def driver_of(store: Store, port: int, domain: str) -> Driver:
    surroundings = Surroundings(
        runs=store.runs,
        events=store.events,
        contacts=MemoryContacts(PEOPLE),
        catalogue=CATALOGUE,
        mailers=_Mailers(port, domain),
        simulator=Audience(),
        build=lambda parts: b"",
        wall=_Wall(),
        tick=time.monotonic,
        doze=doze,
        sizes=Sizes(chunk=5, send=4),
    )
    return Driver(surroundings)


def prepare(folder: Path) -> None:
    """A workspace with a run that has not begun to run."""
    with Store.open(folder, clock=_Wall()) as store:
        run = RunRow(
            run_id=RUN_ID, workflow_id="w", version="v", name="Test", mode="test", seed=1, clock="max",
            state="queued", started_at=START, at=START,
        )  # fmt: skip
        driver_of(store, 25, "example.invalid").begin(run, journey())


def leg(folder: Path, port: int, domain: str, die_at: int, report: Path) -> None:
    """One leg; writes its final state and how many things it did into `report`, if it lives."""
    tick = _Countdown(die_at)
    with Store.open(folder, clock=_Wall()) as store:
        count_everything(store, tick)
        state = asyncio.run(driver_of(store, port, domain).run(RUN_ID))
    report.write_text(f"{state} {tick.calls}")
