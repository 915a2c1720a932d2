"""Real orders of people whom nobody mailed: the win-back template runs over them and must not find an effect.

Everything the run reports is held against the raw file, and every message against what the mail catcher kept.
"""

from __future__ import annotations

import email
import email.policy
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from studio.connectors.caught_mail import CaughtMail
from studio.domain.errors import UserFixable
from studio.workspace.workspace import Workspace
from tests.cli.terminal import done
from tests.journeys import cdnow

RUN = "r1"
PAUSE = datetime(1997, 10, 15, 12, tzinfo=UTC)
"""Where the first leg stops: two of the three messages are out."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One caught message: to whom, which step of the campaign, and the moment it carries."""

    customer: str
    step: str
    at: datetime


def caught(folder: Path) -> list[Mail]:
    box = CaughtMail(folder / "mail")
    mails = []
    for record in box.records():
        message = email.message_from_bytes(box.content(record), policy=email.policy.default)
        assert message["to"] == record.recipient
        at = parsedate_to_datetime(message["date"])
        mails.append(Mail(record.recipient.partition("@")[0], cdnow.STEPS[message["subject"]], at))
    return mails


@dataclass(frozen=True, slots=True)
class Journey:
    """The whole story once: what every command said, and the workspace it left."""

    folder: Path
    contacts: dict
    events: dict
    midway: dict
    midway_kpis: dict
    midway_mails: list[Mail]
    end: dict
    mails: list[Mail]
    workspace: Workspace


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("cdnow")
    shop, file = folder / "shop", folder / "win-back.workflow.json"
    contacts = done("contacts", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-contacts.toml", workspace=shop)
    events = done("events", "import", cdnow.FILE, "--map", cdnow.EXAMPLES / "cdnow-orders.toml", workspace=shop)
    done("templates", "instantiate", "win-back", "--out", file, workspace=shop)
    leg = ("--mode", "test", "--as-of", "1997-10-01", "--until", PAUSE.isoformat())
    midway = done("run", file, *leg, workspace=shop)
    midway_kpis, midway_mails = done("analytics", "kpis", workspace=shop), caught(shop)
    end = done("resume", "--until", "1998-06-30", workspace=shop)
    with Workspace.open(shop) as workspace:
        yield Journey(shop, contacts, events, midway, midway_kpis, midway_mails, end, caught(shop), workspace)


@pytest.fixture(scope="module")
def treated(journey: Journey) -> set[str]:
    """Who got the first message."""
    return {mail.customer for mail in journey.mails if mail.step == "first"}


def test_everybody_and_every_order_is_taken_in(journey: Journey) -> None:
    rows = cdnow.orders()
    people = len({order.customer for order in rows})
    assert (journey.contacts["rows"], journey.contacts["added"]) == (len(rows), people)
    assert journey.contacts["repeated"] == len(rows) - people
    assert (journey.events["rows"], journey.events["added"]) == (len(rows), len(rows))
    assert journey.contacts["quarantined"] == journey.events["quarantined"] == 0


def test_who_was_idle_is_counted_from_what_came_before(journey: Journey) -> None:
    last = {order.customer: order.at for order in sorted(cdnow.orders(), key=lambda o: o.at) if order.at < cdnow.AS_OF}
    days = [(cdnow.AS_OF - at).days for at in last.values()]
    assert cdnow.IDLE_DAYS in days, "the slice must hold somebody at the edge"
    assert any(order.at == cdnow.AS_OF and order.customer in cdnow.idle() for order in cdnow.orders())
    counts = {step["node"]: step["in"] for step in journey.end["steps"]}
    assert counts["may_write"] == counts["holdout"] == len(cdnow.idle())


def test_the_run_is_done_and_nothing_is_left_over(journey: Journey) -> None:
    assert (journey.midway["status"], journey.end["status"]) == ("waiting", "done")
    assert journey.end["contacts"] == len({order.customer for order in cdnow.orders()})
    assert journey.end["outbox"] == {"sent": len(journey.mails), "failed": 0, "in_doubt": 0, "held": 0}
    assert sum(step["failed"] + step["quarantined"] + step["waiting"] for step in journey.end["steps"]) == 0


def test_nobody_gets_a_message_twice(journey: Journey) -> None:
    counts = Counter((mail.customer, mail.step) for mail in journey.mails)
    assert set(counts.values()) == {1}


def test_people_left_alone_get_nothing_and_everybody_else_idle_does(journey: Journey, treated: set[str]) -> None:
    held = cdnow.idle() - treated
    assert treated <= cdnow.idle()
    assert 0.05 < len(held) / len(cdnow.idle()) < 0.16
    shown = set(journey.workspace.runs.sample(RUN, "holdout", "held")["key"])
    assert shown
    assert shown <= held
    assert not held & {mail.customer for mail in journey.mails}


def test_who_ordered_gets_no_later_message_and_who_did_not_gets_all(journey: Journey, treated: set[str]) -> None:
    first_order: dict[str, datetime] = {}
    for order in sorted(cdnow.bought(treated), key=lambda o: o.at):
        first_order.setdefault(order.customer, order.at)
    due = {"offer": cdnow.AS_OF + timedelta(days=7), "last": cdnow.AS_OF + timedelta(days=21)}
    never = datetime.max.replace(tzinfo=UTC)
    for step, at in due.items():
        assert {mail.customer for mail in journey.mails if mail.step == step} == {
            customer for customer in treated if first_order.get(customer, never) > at
        }
    assert all(mail.at <= first_order.get(mail.customer, never) for mail in journey.mails)


def test_messages_carry_the_moment_they_were_due(journey: Journey) -> None:
    for step, day in {"first": 0, "offer": 7, "last": 21}.items():
        due = cdnow.AS_OF + timedelta(days=day)
        assert {mail.at for mail in journey.mails if mail.step == step} <= {due, due - timedelta(seconds=1)}


def test_conversions_and_revenue_are_those_of_the_file(journey: Journey, treated: set[str]) -> None:
    returned = journey.workspace.insights.of_run(RUN).returned
    bought, held = cdnow.bought(treated), cdnow.idle() - treated
    assert (returned.people, returned.held) == (len(treated), len(held))
    assert returned.buyers == len({order.customer for order in bought}) > 10
    assert returned.held_buyers == len({order.customer for order in cdnow.bought(held)})
    assert returned.orders == len(bought)
    assert returned.revenue == pytest.approx(sum(order.value for order in bought))
    assert returned.cost == pytest.approx(0.01 * len(journey.mails))


def test_there_is_nothing_to_be_found_and_nothing_is_found(journey: Journey) -> None:
    workspace = journey.workspace
    increment = workspace.insights.of_run(RUN).returned.increment
    assert increment is not None
    assert increment.indistinguishable
    assert increment.total_ci[0] < 0 < increment.total_ci[1]
    trial = workspace.trials.of(RUN)
    assert trial.result.analysis.decision.verdict in ("keep_running", "stop_futile")
    assert trial.shipped is None
    with pytest.raises(UserFixable) as refused:
        workspace.trials.ship(RUN)
    assert refused.value.code == "TRIAL-NO-WINNER"


def test_midway_nothing_later_than_the_clock_is_known(journey: Journey) -> None:
    assert {mail.step for mail in journey.midway_mails} == {"first", "offer"}
    treated = {mail.customer for mail in journey.midway_mails}
    so_far = cdnow.bought(treated, PAUSE)
    assert 0 < len(so_far) < len(cdnow.bought(treated))
    returned = journey.midway_kpis["return"]
    assert returned["revenue"] == pytest.approx(sum(order.value for order in so_far))
    assert returned["buyers"] == len({order.customer for order in so_far})


def test_no_event_of_the_run_is_later_than_its_clock(journey: Journey) -> None:
    insight = journey.workspace.insights.of_run(RUN)
    assert insight.run.at <= cdnow.AS_OF + cdnow.WINDOW
    assert insight.last_event_at <= insight.run.at
    assert max(event.at for event in journey.workspace.runs.events(RUN)) <= insight.run.at


def test_the_ledger_and_the_mailbox_tell_the_same(journey: Journey) -> None:
    rows = journey.workspace.runs.outbox(run_id=RUN)
    assert {row["state"] for row in rows} == {"sent"}
    box = CaughtMail(journey.folder / "mail")
    ids = Counter(record.message_id.strip("<>") for record in box.records())
    assert ids == Counter(str(row["message_id"]).strip("<>") for row in rows)
    by_person = defaultdict(int)
    for row in rows:
        by_person[str(row["contact"])] += 1
    assert by_person == Counter(mail.customer for mail in journey.mails)
