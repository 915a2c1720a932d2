"""Running unattended: the emergency stop, what fell due while nothing ran, and handing a workspace over."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from studio.domain.errors import UserFixable
from studio.domain.ports import Checkpoint, LedgerChange
from studio.domain.workflow import parse_workflow
from studio.engine.control import Control
from studio.workspace import autostart
from studio.workspace.emergency import EmergencyStop
from studio.workspace.runs import RunOptions
from studio.workspace.standby import MARK, REPORTS_EVERY, REQUEST, Kept, Standby, with_handover
from studio.workspace.unattended import TakenUp
from studio.workspace.workspace import Workspace

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Wall:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def shop(tmp_path: Path, wall: Wall):
    with Workspace.open(tmp_path / "shop", clock=wall) as workspace:
        people = pl.DataFrame({"key": ["a", "b", "c"], "email": [f"{k}@example.invalid" for k in "abc"]})
        workspace._store.contacts.upsert_contacts(people, "test")
        yield workspace


def waiting(days: int):
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "wait", "type": "flow.delay", "label": "A while", "parameters": {"duration": f"P{days}D"}},
        {"id": "end", "type": "flow.exit"},
    ]
    edges = [{"from": ["start", "out"], "to": ["wait", "in"]}, {"from": ["wait", "out"], "to": ["end", "in"]}]
    return parse_workflow(json.dumps({"name": "W", "nodes": nodes, "edges": edges}))


def begun(shop: Workspace, days: int) -> str:
    """A real run that waits, left behind as a closed program leaves it."""
    run_id = shop.runs.start(waiting(days), RunOptions(mode="test", clock="real"))
    until(lambda: shop.runs.view(run_id).step("wait").waiting == 3)
    shop._host.control(run_id).leave()
    shop._host.wait(run_id, 30)
    return run_id


def until(holds) -> None:
    """Gives the engine's thread time."""
    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come to that")


def test_the_emergency_stop_refuses_what_would_reach_people_and_nothing_else(shop: Workspace, wall: Wall) -> None:
    shop.unattended.stop_everything("the wrong price")
    assert "the wrong price" in shop.unattended.stop_words
    with pytest.raises(UserFixable) as caught:
        shop.runs.start(waiting(1), RunOptions(mode="test"))
    assert caught.value.code == "EMERGENCY-STOP"
    run_id = shop.runs.start(waiting(1), RunOptions(mode="simulate"))
    assert shop.runs.wait(run_id) == "done"
    shop.unattended.release()
    assert shop.unattended.stop_words == ""


def test_a_run_that_goes_on_holds_at_once_and_goes_on_after_the_release(shop: Workspace) -> None:
    run_id = shop.runs.start(waiting(1), RunOptions(mode="test", clock="real"), is_attended=True)
    assert shop.unattended.stop_everything() == (run_id,)
    until(lambda: shop.runs.get(run_id).state == "paused")
    view = shop.runs.view(run_id)
    assert (view.state, view.message.startswith("Emergency stop since 2026-03-02")) == ("paused", True)
    shop.unattended.release()
    assert shop.runs.end(run_id) == "stopped"


def test_a_run_that_a_person_paused_stays_paused_after_an_emergency_stop(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = shop.runs.start(waiting(1), RunOptions(mode="test", clock="real"), is_attended=True)
    shop.runs.pause(run_id)
    until(lambda: shop.runs.get(run_id).state == "paused")
    turns: list[str] = []
    words = EmergencyStop.words.fget
    assert words is not None
    monkeypatch.setattr(EmergencyStop, "words", property(lambda stop: turns.append("asked") or words(stop)))
    shop.unattended.stop_everything()
    until(lambda: turns)
    shop._host.control(run_id).look()
    until(lambda: len(turns) > 1)
    assert shop.runs.view(run_id).message == ""
    asked: list[str] = []
    monkeypatch.setattr(Control, "go_on", lambda _: asked.append("go on"))
    shop.unattended.release()
    assert asked == []
    assert shop.runs.end(run_id) == "stopped"


@pytest.mark.parametrize("is_going_on", [True, False])
def test_a_doubt_is_settled_although_its_run_waits_for_days(shop: Workspace, is_going_on: bool) -> None:
    run_id = begun(shop, days=3)
    doubt(shop, run_id)
    if is_going_on:
        shop.runs.resume(run_id, is_attended=True)
    settling = threading.Thread(target=lambda: shop.runs.resolve("box", "sent"), daemon=True)
    settling.start()
    settling.join(20)
    assert not settling.is_alive()
    (row,) = shop.runs.outbox(run_id=run_id)
    assert row["state"] == "resolved_sent"
    assert shop.runs.is_running(run_id) is is_going_on


def test_settling_a_doubt_lets_nobody_go_on_in_a_run_that_was_stopped(shop: Workspace, wall: Wall) -> None:
    run_id = begun(shop, days=1)
    assert shop.runs.end(run_id) == "stopped"
    doubt(shop, run_id)
    wall.at += timedelta(days=2)
    shop.runs.resolve("box", "sent")
    assert [row["state"] for row in shop.runs.outbox(run_id=run_id)] == ["resolved_sent"]
    assert shop.runs.get(run_id).state == "stopped"
    assert shop.runs.view(run_id).step("end").arrived == 0


def test_a_workflow_that_waits_for_events_listens_on_after_a_doubt_was_settled(shop: Workspace) -> None:
    """And after its limit: the leg ends there, not the workflow."""
    nodes = [
        {"id": "start", "type": "trigger.event", "parameters": {"event": "cart"}},
        {"id": "wait", "type": "flow.exit"},
    ]
    edges = [{"from": ["start", "out"], "to": ["wait", "in"]}]
    flow = parse_workflow(json.dumps({"name": "L", "nodes": nodes, "edges": edges}))
    run_id = shop.runs.start(flow, RunOptions(mode="test", clock="real", until=NOW))
    assert shop.runs.wait(run_id) == "waiting"
    assert shop.unattended.take_up().started == (), "it has come to its limit"
    doubt(shop, run_id, contact=0)
    shop.runs.resolve("box", "sent")
    assert shop.runs.get(run_id).state == "waiting"


def doubt(shop: Workspace, run_id: str, contact: int | None = None) -> None:
    """One message of somebody who is in the run (or of nobody in it) is in doubt."""
    runs = shop._store.runs
    ids = runs.entries(run_id).head(1)
    if contact is not None:
        row = {"instance_id": [1], "contact_id": [contact], "key": [None], "arms": [""]}
        ids = pl.DataFrame(row, schema={name: ids.schema[name] for name in row})
    planned = ids.select("instance_id", "contact_id", "key", "arms").with_columns(
        outbox_id=pl.lit("box"), node_id=pl.lit("wait"), message_id=pl.lit("<m@example.invalid>")
    )
    runs.commit(Checkpoint(run_id=run_id, at=NOW, outbox=planned))
    for state in ("sending", "in_doubt"):
        runs.change_outbox(run_id, NOW, [LedgerChange(outbox_id="box", state=state)])


@pytest.mark.parametrize(("closed_for", "asks"), [(timedelta(hours=30), False), (timedelta(days=4), True)])
def test_what_fell_due_while_nothing_ran_is_told_and_very_late_things_ask(
    shop: Workspace, wall: Wall, closed_for: timedelta, asks: bool
) -> None:
    run_id = begun(shop, days=1)
    assert shop.unattended.missed() == ()
    wall.at = NOW + closed_for
    (missed,) = shop.unattended.missed()
    assert (missed.run_id, missed.label, missed.people, missed.asks) == (run_id, "A while", 3, asks)
    assert missed.late == closed_for - timedelta(days=1)
    taken = shop.unattended.take_up()
    assert taken == (TakenUp((), (missed,)) if asks else TakenUp((run_id,), ()))
    if not asks:
        until(lambda: shop.runs.view(run_id).step("end").arrived == 3)


def test_the_background_engine_hands_the_workspace_over_and_takes_it_back(tmp_path: Path) -> None:
    had: list[str] = []
    lock = threading.Lock()
    said: list[str] = []

    def take_up() -> TakenUp:
        had.append("background")
        return TakenUp(("r1",), ())

    @contextmanager
    def kept():
        try:
            yield Kept(take_up, lambda: None)
        finally:
            lock.release()

    def opened():
        if not lock.acquire(blocking=False):
            raise UserFixable("STORE-IN-USE", "open elsewhere")
        return kept()

    def taken() -> str:
        if not lock.acquire(blocking=False):
            raise UserFixable("STORE-IN-USE", "open elsewhere")
        return "window"

    standby = Standby(tmp_path, opened, said.append)
    thread = threading.Thread(target=standby.serve)
    thread.start()
    until(lambda: had)
    assert with_handover(tmp_path, taken) == "window"
    lock.release()
    until(lambda: len(had) == 2)
    standby.stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert not (tmp_path / MARK).exists() and not (tmp_path / REQUEST).exists()
    assert said[0] == "The background engine has the workspace. Runs that go on: r1."


def test_the_background_engine_asks_each_minute_for_a_due_report_and_outlives_its_failure(tmp_path: Path) -> None:
    said: list[str] = []
    looks, asked_at = [0], list[int]()

    class Jump(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            looks[0] += 1
            if looks[0] > 3 * REPORTS_EVERY:
                self.set()
            return self.is_set()

    def write_due() -> Path | None:
        asked_at.append(looks[0])
        if len(asked_at) in (2, 3):
            raise UserFixable("REPORT-WRITE", "The folder is gone.")
        return tmp_path / "report.pdf" if len(asked_at) == 4 else None

    kept = Kept(lambda: TakenUp((), ()), write_due)
    Standby(tmp_path, lambda: nullcontext(kept), said.append, stop=Jump()).serve()
    assert asked_at == [0, REPORTS_EVERY, 2 * REPORTS_EVERY, 3 * REPORTS_EVERY]
    assert [words for words in said if "gone" in words] == [
        "The scheduled report could not be written: The folder is gone."
    ]
    assert said[-1].endswith("report.pdf")


def test_without_a_background_engine_a_workspace_in_use_is_refused_at_once(tmp_path: Path) -> None:
    def refused():
        raise UserFixable("STORE-IN-USE", "open elsewhere")

    with pytest.raises(UserFixable):
        with_handover(tmp_path, refused)
    assert not (tmp_path / REQUEST).exists()


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_starting_at_login_is_written_and_removed(tmp_path: Path, platform: str, monkeypatch) -> None:
    monkeypatch.delenv("APPDATA", raising=False)
    path = autostart.install(tmp_path / "my shop", home=tmp_path, platform=platform)
    text = path.read_text(encoding="utf-8")
    assert "serve" in text and "--engine" in text and "my shop" in text
    assert autostart.uninstall(home=tmp_path, platform=platform)
    assert not autostart.uninstall(home=tmp_path, platform=platform)


def test_a_damaged_stop_file_still_stops(tmp_path: Path) -> None:
    stop = EmergencyStop(tmp_path)
    stop.engage(NOW)
    (tmp_path / "emergency-stop.json").write_text("{")
    assert stop.words == "Emergency stop: nothing goes out."


def test_closing_ends_the_runs_before_what_they_send_to(tmp_path: Path, wall: Wall) -> None:
    going: list[bool] = []
    with Workspace.open(tmp_path / "shop", clock=wall) as shop:
        people = pl.DataFrame({"key": ["a"], "email": ["a@example.invalid"]})
        shop._store.contacts.upsert_contacts(people, "test")
        run_id = shop.runs.start(waiting(1), RunOptions(mode="test", clock="real"), is_attended=True)
        stop = shop._mailers.stop

        async def noted() -> None:
            going.append(shop.runs.is_running(run_id))
            await stop()

        shop._mailers.stop = noted
    assert going == [False]
