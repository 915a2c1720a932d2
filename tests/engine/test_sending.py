"""The outbox: each message once, one person's trouble is nobody else's, and a server that is away loses nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.errors import UserFixable
from studio.domain.mail import Refused, Reply
from studio.domain.ports import Pace
from studio.engine.control import Control
from studio.engine.draft import Sizes
from studio.engine.mending import revive_doubts
from tests.engine.bench import START, World, workflow

LATER = Mishap("rcpt", Reply(450, "4.2.1 Try again in 20 minutes"))
BUSY_AFTER_DOT = Mishap("dot", Reply(451, "4.3.0 Busy"))
NOBODY = Mishap("rcpt", Reply(550, "5.1.1 No such user"))
SPAM = Mishap("dot", Reply(554, "5.7.1 Refused"))
LOST_BEFORE = Mishap("body", "drop")
LOST_AFTER_DOT = Mishap("dot", "drop")
TAKEN_AND_LOST = Mishap("accepted", "drop")
CLOSING = Mishap("mail", Reply(421, "4.7.0 Too busy"))


def mailing(count: int = 8, mail: dict | None = None, **more):
    nodes = {"s": ("people", {"count": count}), "m": ("mail", mail or {}, more), "e": ("end", {}), "f": ("end", {})}
    return workflow(nodes, "s > m", "m > e", "m.error > f")


def world_with(**mishaps: list) -> World:
    return World(mishaps={f"{who}@example.invalid": script for who, script in mishaps.items()})


def state_of(world: World, contact_id: int) -> dict:
    return world.runs.outbox("r1").filter(contact_id=contact_id).to_dicts()[0]


def test_everybody_is_mailed_once_and_it_is_written_down() -> None:
    world = World(sizes=Sizes(send=3))
    assert world.run(mailing()) == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(8)}
    assert world.people("sent") == world.people("delivered") == list(range(8))
    ledger = world.runs.outbox("r1")
    assert ledger.get_column("state").unique().to_list() == ["sent"]
    assert ledger.get_column("attempts").unique().to_list() == [1]
    assert set(ledger.get_column("message_id")) == {envelope.message_id for envelope in world.mailer.accepted}
    assert dict(world.view().step("m").sending)["sent"] == 8


def test_live_mail_is_not_delivered_because_it_was_sent() -> None:
    world = World()
    world.run(mailing(), mode="live")
    assert world.people("sent") == list(range(8))
    assert world.people("delivered") == []


def test_the_ledger_says_sending_before_the_final_dot() -> None:
    world = World()
    seen = []
    send = FakeMailer.open

    async def spying(self):
        session = await send(self)
        original = session.send

        async def sent(envelope, before_final_dot):
            async def looking():
                await before_final_dot()
                seen.append(world.runs.outbox("r1").filter(message_id=envelope.message_id).item(0, "state"))

            return await original(envelope, looking)

        session.send = sent
        return session

    world.mailer.open = spying.__get__(world.mailer)
    assert world.run(mailing()) == "done"
    assert seen == ["sending"] * 8


@pytest.mark.parametrize("mishap", [LATER, BUSY_AFTER_DOT], ids=["at the address", "after the dot"])
def test_a_deferred_message_is_tried_again_by_policy(mishap: Mishap) -> None:
    world = world_with(p3=[mishap, mishap])
    assert world.run(mailing(retry={"max": 3, "backoff": "PT1M", "jitter": 0})) == "done"
    assert set(world.mailed().values()) == {1}
    assert world.people("sent") == list(range(8))
    row = state_of(world, 3)
    assert (row["state"], row["attempts"]) == ("sent", 3)
    sent_at = world.contact_events("sent").filter(contact_id=3).item(0, "occurred_at")
    assert sent_at == START + (timedelta(minutes=60) if mishap is LATER else timedelta(minutes=30))
    assert world.view().step("m").attempts == 3


def test_a_message_is_not_tried_again_where_the_policy_does_not_cover_it() -> None:
    world = world_with(p3=[LATER] * 9)
    assert world.run(mailing(retry={"max": 5, "retry_on": ["unreachable"]})) == "done"
    assert state_of(world, 3)["state"] == "failed"
    assert (len(world.mailed()), world.wall.at) == (7, START)


def test_after_the_last_attempt_a_deferred_message_has_failed() -> None:
    world = world_with(p3=[LATER] * 9)
    assert world.run(mailing(retry={"max": 1, "backoff": "PT1M"})) == "done"
    assert state_of(world, 3)["state"] == "failed"
    assert world.people("exited", "e") == [0, 1, 2, 4, 5, 6, 7]
    assert world.view().step("m").failed == 1


@pytest.mark.parametrize(
    ("policy", "goes_on", "through_error"), [("fail", False, False), ("skip", True, False), ("route", False, True)]
)
def test_a_refused_recipient_bounces_and_goes_where_the_policy_says(
    policy: str, goes_on: bool, through_error: bool
) -> None:
    world = world_with(p3=[NOBODY], p4=[SPAM])
    assert world.run(mailing(on_error=policy)) == "done"
    assert world.people("bounced") == [3]
    assert '"hard"' in world.contact_events("bounced").item(0, "properties")
    assert {3, 4}.isdisjoint(world.people("sent"))
    assert (3 in world.people("exited", "e")) is goes_on
    assert (world.people("exited", "f") == [3, 4]) is through_error
    step = world.view().step("m")
    assert step.sending["failed"] == 2
    assert step.failed == (2 if policy == "fail" else 0)
    assert step.state == "warning"
    assert world.states()["e"] == "done"


def test_who_may_not_be_mailed_is_blocked_with_the_reason_and_goes_on() -> None:
    world = World()
    assert world.run(mailing(mail={"blocks": [2]})) == "done"
    assert state_of(world, 2)["state"] == "blocked"
    assert '"consent"' in world.contact_events("blocked").item(0, "properties")
    assert world.people("exited", "e") == list(range(8))
    assert world.view().step("m").sending["blocked"] == 1


def test_who_may_not_be_mailed_now_is_mailed_later() -> None:
    world = World()
    assert world.run(mailing(mail={"defers": [2, 5], "until": "PT3H"})) == "done"
    sent = dict(world.contact_events("sent").select("contact_id", "occurred_at").rows())
    assert sent[2] == sent[5] == START + timedelta(hours=3)
    assert sent[1] == START
    assert state_of(world, 2)["attempts"] == 1


def test_letters_that_cannot_be_written_fail_alone() -> None:
    world = World()
    assert world.run(mailing(mail={"raises": [2], "quarantines": [4]})) == "done"
    assert world.people("sent") == [0, 1, 3, 5, 6, 7]
    assert state_of(world, 4)["reason"] == "TEST-NAME: has no name"
    assert {p.code for p in world.view().step("m").problems} == {"STEP-ERROR", "TEST-NAME"}


def test_a_broken_connection_before_the_dot_is_no_ones_failure() -> None:
    world = world_with(p1=[LOST_BEFORE], p5=[LOST_BEFORE, LOST_BEFORE], p6=[CLOSING])
    assert world.run(mailing()) == "done"
    assert set(world.mailed().values()) == {1}
    assert world.people("sent") == list(range(8))


def test_a_letter_that_breaks_every_connection_is_put_off_and_its_neighbours_go_first() -> None:
    world = world_with(p3=[LOST_BEFORE] * 4)
    assert world.run(mailing(retry={"max": 3, "backoff": "PT1M"})) == "done"
    sent = dict(world.contact_events("sent").select("contact_id", "occurred_at").rows())
    assert sent[3] > sent[4] == START
    assert set(world.mailed().values()) == {1}


@pytest.mark.parametrize("mishap", [LOST_AFTER_DOT, TAKEN_AND_LOST], ids=["not taken", "taken"])
def test_a_doubt_is_settled_by_asking_the_server(mishap: Mishap) -> None:
    world = world_with(p3=[mishap])
    assert world.run(mailing()) == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(8)}
    assert world.people("sent") == list(range(8))


@pytest.mark.parametrize("verdict", ["sent", "resend"])
def test_a_doubt_that_the_server_cannot_settle_waits_for_a_person(verdict: str) -> None:
    world = World(mishaps={"p3@example.invalid": [LOST_AFTER_DOT]}, can_look_up=False)
    assert world.run(mailing()) == "waiting"
    assert world.view().message.startswith("1 message is in doubt")
    assert world.states() == {"s": "done", "m": "waiting", "e": "waiting"}
    assert world.people("exited", "e") == [0, 1, 2, 4, 5, 6, 7]
    row = state_of(world, 3)
    assert row["state"] == "in_doubt"
    control = Control()
    control.resolve(row["outbox_id"], verdict)
    assert world.go(control=control) == "done"
    assert world.people("exited", "e") == list(range(8))
    assert world.people("sent") == list(range(8))
    assert world.mailed()["p3", "m"] == (1 if verdict == "resend" else 0)
    assert world.view().step("m").sending["in_doubt"] == 0
    assert state_of(world, 3)["state"] == ("sent" if verdict == "resend" else "resolved_sent")


def test_deciding_about_what_is_not_in_doubt_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.begin(mailing())
    control = Control()
    control.resolve("no such message", "sent")
    assert world.go(control=control) == "done"
    sent = state_of(world, 0)["outbox_id"]
    control.resolve(sent, "resend")
    assert world.go(control=control) == "done"
    assert set(world.mailed().values()) == {1}
    assert "LEDGER" not in caplog.text
    assert caplog.text.count("was not settled") == 2


def test_a_server_that_is_away_for_a_moment_is_waited_for() -> None:
    world = World()
    world.mailer.failing_opens = 3
    assert world.run(mailing()) == "done"
    assert set(world.mailed().values()) == {1}
    assert sum(world.doze.naps) == pytest.approx(0.5 + 1 + 2, rel=0.2)


def test_a_server_that_stays_away_pauses_the_run_and_loses_nobody() -> None:
    world = World(sizes=Sizes(send=4))
    world.mailer.failing_opens = 1_000
    assert world.run(mailing()) == "paused"
    assert world.view().state == world.runs.get("r1").state == "paused"
    (problem,) = world.view().step("m").problems
    assert (problem.code, problem.action, problem.count) == ("MAIL-UNREACHABLE", "retry", 4)
    assert "cannot be reached" in world.view().message
    assert world.runs.outbox_counts("r1") == {"m": {"planned": 8}}
    world.mailer.failing_opens = 0
    assert world.go() == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(8)}


def test_a_server_that_breaks_every_connection_pauses_the_run() -> None:
    world = World(mishaps={f"p{i}@example.invalid": [LOST_BEFORE] * 50 for i in range(8)})
    assert world.run(mailing()) == "paused"
    assert not world.mailer.accepted
    assert world.view().step("m").sending["failed"] == 0


def test_a_server_that_refuses_the_sender_pauses_the_run_instead_of_failing_everybody() -> None:
    world = world_with(p2=[Mishap("mail", Reply(550, "5.7.1 Not you"))])
    assert world.run(mailing()) == "paused"
    assert "refused the sender" in world.view().message
    assert state_of(world, 2)["state"] == "planned"
    assert world.go() == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(8)}


class _Locked(FakeMailer):
    async def open(self):
        raise UserFixable("MAIL-LOGIN", "The server refused the login.", hint="Check the password.")


def test_wrong_credentials_pause_the_run_in_the_servers_words() -> None:
    world = World(mailer=_Locked())
    assert world.run(mailing()) == "paused"
    assert world.view().message == "The server refused the login."
    assert world.view().hint == "Check the password."


class _Narrow(FakeMailer):
    """Takes two connections at once and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.open_now = 0

    async def open(self):
        if self.open_now >= 2:
            self.failing_opens += 1
        session = await super().open()
        self.open_now += 1
        return session


def test_a_server_that_takes_few_connections_is_served_with_those() -> None:
    world = World(mailer=_Narrow())
    world.mailers.pace_ = Pace(connections=6)
    assert world.run(mailing(30)) == "done"
    assert set(world.mailed().values()) == {1}
    assert len(world.mailed()) == 30


class _Choking(FakeMailer):
    """Fails with an error of its own: before handing over for p2, while handing over for p3."""

    async def open(self):
        session = await super().open()
        original = session.send

        async def send(envelope, before_final_dot):
            if envelope.recipient.startswith("p2@"):
                raise UnicodeError("a letter I cannot read")
            if envelope.recipient.startswith("p3@"):
                await before_final_dot()
                raise RuntimeError("something broke")
            return await original(envelope, before_final_dot)

        session.send = send
        return session


def test_a_fault_of_the_connector_costs_one_letter_and_is_never_taken_for_not_sent() -> None:
    world = World(mailer=_Choking(can_look_up=False))
    assert world.run(mailing()) == "waiting"
    assert state_of(world, 2)["state"] == "failed"
    assert state_of(world, 3)["state"] == "in_doubt"
    assert world.people("sent") == [0, 1, 4, 5, 6, 7]


def test_the_pace_is_kept() -> None:
    world = World()
    world.mailers.pace_ = Pace(connections=3, rate_per_second=4)
    world.tick = world.wall_tick
    assert world.run(mailing(9)) == "done"
    # Naps of several connections at once each move the bench's one wall: by up to three gaps more, never by less.
    assert 8 / 4 - 0.01 <= sum(world.doze.naps) <= (8 + 3) / 4 + 0.01


def test_a_pause_finishes_the_letters_under_way_and_keeps_the_rest_planned() -> None:
    world = World()
    control = Control()
    taken = world.mailer.open

    async def opening():
        session = await taken()
        send = session.send

        async def sending(envelope, before_final_dot):
            if len(world.mailer.accepted) == 5:
                control.pause()
            return await send(envelope, before_final_dot)

        session.send = sending
        return session

    world.mailer.open = opening
    world.begin(mailing(20))
    assert world.go(control=control) == "paused"
    assert 5 < len(world.mailer.accepted) < 12
    world.mailer.open = taken
    assert world.go() == "done"
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(20)}


def test_failed_ones_are_tried_again_on_request() -> None:
    world = world_with(p3=[NOBODY], p4=[NOBODY, NOBODY])
    assert world.run(mailing()) == "done"
    control = Control()
    control.retry("m")
    assert world.go(control=control) == "done"
    assert world.people("sent") == [0, 1, 2, 3, 5, 6, 7]
    assert state_of(world, 3)["state"] == "sent"
    step = world.view().step("m")
    assert (step.failed, step.left, step.arrived, step.state) == (1, 7, 8, "warning")
    assert step.sending["failed"] == 1
    assert [p.count for p in step.problems] == [1]
    control.retry()
    assert world.go(control=control) == "done"
    step = world.view().step("m")
    assert (step.failed, step.left, step.state) == (0, 8, "done")
    assert world.mailed() == {(f"p{i}", "m"): 1 for i in range(8)}
    control.retry()
    assert world.go(control=control) == "done"


def test_progress_is_told_while_a_batch_goes_on() -> None:
    world = World(sizes=Sizes(send=50))
    world.mailers.pace_ = Pace(connections=2, rate_per_second=5)
    world.tick = world.wall_tick
    assert world.run(mailing(20)) == "done"
    told = [e.payload["sent"] for e in world.runs.run_events("r1") if e.kind == "step.sending"]
    assert told == sorted(told)
    assert len(told) > 3
    assert told[-1] == 20


def test_refusals_without_an_answer_are_no_bounce() -> None:
    class _Picky(FakeMailer):
        async def open(self):
            session = await super().open()

            async def send(envelope, before_final_dot):
                raise Refused("MAIL-ADDRESS", "Not a mail address.", about="recipient")

            session.send = send
            return session

    world = World(mailer=_Picky())
    assert world.run(mailing(3)) == "failed"
    assert world.people("bounced") == []
    assert world.view().step("m").failed == 3


def test_nothing_to_revive() -> None:
    class _Nothing:
        scheduler = type("S", (), {"pending": staticmethod(lambda kind: {})})

    assert revive_doubts(_Nothing()) is None
