"""Whatever people and fate do to a run, in any order, it agrees with a dictionary of who is to get what.

Hypothesis chooses what happens: the clock goes on, the program is killed at some write, the mail server goes away or
loses connections, people pause, stop, retry, decide about doubts and change their minds. The model is plain.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.mail import Reply
from studio.domain.run import OutboxState
from studio.engine.control import Control
from studio.engine.draft import Sizes
from tests.engine.bench import START, World, workflow
from tests.engine.memory_store import Killed

PEOPLE = 6
STEPS = ("m1", "m2", "m3")
BEFORE = {"m1": timedelta(0), "m2": timedelta(days=2), "m3": timedelta(days=9)}
"""How long after the start each mail is due."""

MISFORTUNES = {
    "no": None,
    "refused once": Mishap("rcpt", Reply(550, "5.1.1 no such user")),
    "later": Mishap("rcpt", Reply(450, "4.2.1 busy")),
    "cut": Mishap("body", "drop"),
    "lost": Mishap("dot", "drop"),
    "kept": Mishap("accepted", "drop"),
}


class Fate(FakeMailer):
    """A mail server whose next misfortune for a person can be chosen while it runs."""

    def set(self, address: str, mishap: Mishap | None) -> None:
        self._mishaps[address] = [*[None] * self._tries[address], mishap]


class Campaign(RuleBasedStateMachine):
    """Three mails with pauses between them, to six people."""

    def __init__(self) -> None:
        super().__init__()
        self.mailer = Fate(can_look_up=False)
        self.world = World(people=PEOPLE, sizes=Sizes(chunk=3, send=2), mailer=self.mailer)
        patient = {"retry": {"max": 2, "backoff": "PT1M"}}
        nodes = {
            "s": ("people", {"count": PEOPLE}),
            "m1": ("mail", {}, patient),
            "p1": ("pause", {"wait": "P2D"}),
            "m2": ("mail", {}, patient),
            "p2": ("pause", {"wait": "P7D"}),
            "m3": ("mail", {}, patient),
        }
        self.world.begin(workflow(nodes, "s > m1", "m1 > p1", "p1 > m2", "m2 > p2", "p2 > m3"))
        self.is_stopped = False
        self.called_sent: set[str] = set()
        self.sent_again: set[str] = set()

    def _go(self, *, until: datetime | None = None, control: Control | None = None) -> None:
        try:
            self.world.go(until=until, control=control)
        except (Killed, BaseExceptionGroup):
            pass
        finally:
            self.world.runs.fault.is_dead = False
            self.world.runs.fault.at = -1
            self.mailer.failing_opens = 0

    @rule(hours=st.integers(1, 24 * 12))
    def time_goes_on(self, hours: int) -> None:
        self._go(until=self.world.runs.get("r1").at + timedelta(hours=hours))

    @rule(write=st.integers(1, 25), is_after=st.booleans(), hours=st.integers(1, 24 * 9))
    def it_is_killed(self, write: int, is_after: bool, hours: int) -> None:
        self.world.die_at(write, is_after=is_after)
        self._go(until=self.world.runs.get("r1").at + timedelta(hours=hours))

    @rule(who=st.integers(0, PEOPLE - 1), what=st.sampled_from(sorted(MISFORTUNES)))
    def somebody_is_out_of_luck(self, who: int, what: str) -> None:
        self.mailer.set(f"p{who}@example.invalid", MISFORTUNES[what])

    @rule(opens=st.integers(1, 12))
    def the_server_goes_away(self, opens: int) -> None:
        self.mailer.failing_opens = opens
        self._go(until=self.world.runs.get("r1").at + timedelta(hours=1))

    @rule(wish=st.sampled_from(["pause", "stop", "leave"]))
    def somebody_breaks_it_off(self, wish: str) -> None:
        control = Control()
        getattr(control, wish)()
        self._go(control=control)

    @rule()
    def the_failed_are_tried_again(self) -> None:
        control = Control()
        control.retry()
        self._go(until=self.world.runs.get("r1").at, control=control)

    def _in(self, *states: str) -> list[dict]:
        return self.world.runs.outbox("r1", states=list(states)).to_dicts()

    @precondition(lambda self: self._in("in_doubt"))
    @rule(data=st.data(), verdict=st.sampled_from(["sent", "resend", "truth"]))
    def somebody_decides(self, data: st.DataObject, verdict: str) -> None:
        row = data.draw(st.sampled_from(sorted(self._in("in_doubt"), key=lambda row: row["outbox_id"])))
        arrived = row["message_id"] in {envelope.message_id for envelope in self.mailer.accepted}
        said = ("sent" if arrived else "resend") if verdict == "truth" else verdict
        self._say(row["outbox_id"], said)
        if said == "sent":
            self.called_sent.add(row["message_id"])
        elif arrived:
            self.sent_again.add(row["message_id"])

    @precondition(lambda self: self._in("resolved_sent"))
    @rule(data=st.data())
    def somebody_changes_their_mind(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self._in("resolved_sent"), key=lambda row: row["outbox_id"])))
        if row["message_id"] in {envelope.message_id for envelope in self.mailer.accepted}:
            self.sent_again.add(row["message_id"])
        self._say(row["outbox_id"], "resend")

    def _say(self, outbox_id: str, verdict: str) -> None:
        control = Control()
        control.resolve(outbox_id, verdict)
        self._go(until=self.world.runs.get("r1").at, control=control)

    @invariant()
    def nobody_gets_a_mail_twice_unless_a_person_wanted_it(self) -> None:
        counts = Counter(envelope.message_id for envelope in self.mailer.accepted)
        assert {message for message, count in counts.items() if count > 1} <= self.sent_again

    @invariant()
    def what_is_called_sent_was_accepted_or_a_person_said_so(self) -> None:
        accepted = {envelope.message_id for envelope in self.mailer.accepted}
        assert {row["message_id"] for row in self._in("sent")} <= accepted
        assert {row["message_id"] for row in self._in("resolved_sent")} <= self.called_sent

    @invariant()
    def nobody_gets_a_mail_too_early(self) -> None:
        for node_id, who, at in self.world.contact_events("sent").select("node_id", "contact_id", "occurred_at").rows():
            assert at >= START + BEFORE[node_id], f"{who} got {node_id} at {at}"

    def teardown(self) -> None:
        """In the end, with a server that works and people who tell the truth, everybody got everything."""
        for who in range(PEOPLE):
            self.mailer.set(f"p{who}@example.invalid", None)
        for _ in range(30):
            control = Control()
            control.retry()
            for row in self._in("in_doubt"):
                arrived = row["message_id"] in {envelope.message_id for envelope in self.mailer.accepted}
                control.resolve(row["outbox_id"], "sent" if arrived else "resend")
            self._go(control=control)
            if self.world.runs.get("r1").state == "done" and not self.world.runs.pending("r1"):
                break
        assert self.world.runs.get("r1").state == "done"
        assert not self.world.runs.pending("r1")
        ledger = {(row["node_id"], row["contact_id"]): row["state"] for row in self._in(*get_args(OutboxState))}
        assert set(ledger) == {(step, who) for step in STEPS for who in range(PEOPLE)}
        assert set(ledger.values()) <= {"sent", "resolved_sent"}
        facts = self.world.contact_events("sent").select("node_id", "contact_id").rows()
        assert sorted(facts) == sorted(ledger)


TestCampaign = Campaign.TestCase
TestCampaign.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.slow
def test_hundreds_of_campaigns() -> None:
    many = settings(max_examples=400, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Campaign, settings=many)
