"""One leg of a reference journey, with the real store and SMTP connector, in this process or in one that dies."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy.ma  # noqa: F401 - Polars loads it late: once in the parent instead of in each of ten thousand children

from studio.connectors.profile import SendingProfile, SmtpServer
from studio.connectors.smtp import SmtpMailer
from studio.domain.errors import StudioError
from studio.domain.node import Sender
from studio.domain.ports import Pace, RunRow
from studio.engine.clocks import doze
from studio.engine.control import Control
from studio.engine.draft import Sizes
from studio.engine.driver import Driver, Surroundings
from studio.engine.verdicts import Verdict
from studio.store import Store
from tests.engine.bench import Audience
from tests.engine.nodes import CATALOGUE
from tests.faults.journeys import JOURNEYS, START, Journey, People
from tests.faults.points import Points
from tests.faults.syscalls import once_attached

RUN_ID = "r1"
CONNECTIONS = 3
LEG_WITHIN_S = 600
"""Minutes, because the machine may be busy with something else; a leg takes a quarter of a second."""
STUCK = ".stuck"
BY_NAME: Mapping[str, Journey] = {journey.name: journey for journey in JOURNEYS}


def here(path: Path) -> str:
    """Trials begin with a copy of what was prepared, which is not what a copy is held for."""
    return "here"


class Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)


class _Mailers:
    def __init__(self, port: int, sender: str) -> None:
        server = SmtpServer(host="127.0.0.1", port=port, security="none")
        self._sender = sender
        self._mailer = SmtpMailer(SendingProfile.model_validate({"smtp": server, "from": sender}))

    def mailer(self, run: RunRow) -> SmtpMailer:
        return self._mailer

    def sender(self, run: RunRow) -> Sender:
        return Sender(address=self._sender, reply_to=None, postal_address="1 Street", unsubscribe_base_url=None)

    def pace(self, run: RunRow) -> Pace:
        return Pace(connections=CONNECTIONS)


def driver_of(store: Store, journey: Journey, port: int, sender: str) -> Driver:
    return Driver(
        Surroundings(
            runs=store.runs,
            events=store.events,
            contacts=People(journey),
            catalogue=CATALOGUE,
            mailers=_Mailers(port, sender),
            simulator=Audience(),
            build=lambda parts: b"",
            wall=Wall(),
            tick=time.monotonic,
            doze=doze,
            sizes=Sizes(chunk=4, send=3),
        )
    )


def prepare(folder: Path, journey: Journey) -> None:
    """A workspace with a run that has not begun to run, and the events that happen meanwhile."""
    with Store.open(folder, clock=Wall(), home=here) as store:
        run = RunRow(
            run_id=RUN_ID, workflow_id="w", version="v", name="Test", mode="test", seed=1, clock="max",
            state="queued", started_at=START, at=START,
        )  # fmt: skip
        driver_of(store, journey, 25, "shop@example.invalid").begin(run, journey.make())
        if journey.happenings:
            store.import_events([journey.events()], "happenings")


def go(
    folder: Path, name: str, port: int, sender: str, *, verdicts: Mapping[str, Verdict] | None = None,
    connection_class: type | None = None,
) -> str:  # fmt: skip
    """One leg; the state it ends in. `verdicts`: what a person says of messages in doubt before it goes on."""
    control = Control()
    for outbox_id, verdict in (verdicts or {}).items():
        control.resolve(outbox_id, verdict)
    with Store.open(folder, clock=Wall(), connection_class=connection_class, home=here) as store:
        return asyncio.run(driver_of(store, BY_NAME[name], port, sender).run(RUN_ID, control=control))


def leg(folder: Path, name: str, port: int, sender: str, die_at: int, report: Path) -> None:
    """One leg in a process of its own; writes its state and the names of the points it met, if it lives."""
    points = Points(die_at)
    with told_when_stuck(report):
        state = go(folder, name, port, sender, connection_class=points.watch_everything())
    report.write_text(json.dumps([state, points.names]))


@contextmanager
def told_when_stuck(report: Path) -> Iterator[None]:
    """Leaves word of where all threads stand, beside the report, when a leg does not end."""
    with report.with_suffix(STUCK).open("w") as file:
        faulthandler.dump_traceback_later(LEG_WITHIN_S - 10, file=file)
        yield
        faulthandler.cancel_dump_traceback_later()


def traced_leg(folder: Path, name: str, port: int, sender: str, talk: Connection, report: Path) -> None:
    """One leg while system calls fail; writes its state, or the code of the error that ended it."""

    def work() -> None:
        try:
            with told_when_stuck(report):
                ended = go(folder, name, port, sender)
        except StudioError as error:
            ended = error.code
        report.write_text(json.dumps([ended, []]))

    once_attached(talk, work)


def race(folder: Path, name: str, port: int, sender: str, gate: Any, over: Any, answers: Any) -> None:
    """Opens the workspace at the same moment as the others, says how that went; who got it takes the run to its end."""
    gate.wait()
    try:
        store = Store.open(folder, clock=Wall(), home=here)
    except StudioError as error:
        answers.put(error.code)
        return
    answers.put("owner")
    with store:
        over.wait(60)
        asyncio.run(driver_of(store, BY_NAME[name], port, sender).run(RUN_ID))


def clone(folder: Path, name: str, port: int, sender: str) -> str:
    """Goes on in a copy as in the original; the code of what refuses it, or the state the run ends in."""
    with Store.open(folder, clock=Wall()) as store:
        try:
            return asyncio.run(driver_of(store, BY_NAME[name], port, sender).run(RUN_ID))
        except StudioError as error:
            return error.code
