"""A workflow as a shop would have it, and the events of a run in which one message had trouble. Shared by the tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from studio.domain.run import RunEvent, RunView, fold
from studio.domain.workflow import Workflow

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def workflow(*, placed: bool = False) -> Workflow:
    """Cart recovery with a subject test; `placed`: with positions as the tidy layout would give them."""
    nodes = [
        _node("carts", "trigger.event", "Cart abandoned", {"event": "cart", "filter": "value >= 30"}),
        _node("gate", "audience.eligibility", "Consent & suppression", {}),
        _node(
            "subject",
            "exp.split",
            "A/B test: subject",
            {
                "variants": [
                    {"id": "A", "label": "A", "value": "Still thinking?"},
                    {"id": "B", "label": "B", "value": "Your basket is waiting"},
                ],
                "parameter": "subject",
            },
        ),
        _node("mail_a", "send.email", "Email A: “Still thinking?”", _mail({"$param": "subject"})),
        _node("mail_b", "send.email", "Email B: “Your basket”", _mail("Your basket is waiting")),
        _node(
            "wait",
            "flow.wait_for",
            "Wait for an order",
            {"branches": [{"id": "ordered", "event": "order", "match_key": True}], "timeout": "P2D"},
        ),
        _node("goal", "flow.goal", "Goal: purchase", {"event": "order", "window": "P14D", "match_key": True}),
        _node("reminder", "send.email", "Reminder with a code", _mail("10 % off, until Sunday")),
        _node("end", "flow.exit", "Exit", {}),
    ]
    edges = [
        ("carts", "out", "gate"),
        ("gate", "allowed", "subject"),
        ("gate", "blocked", "end"),
        ("subject", "A", "mail_a"),
        ("subject", "B", "mail_b"),
        ("mail_a", "out", "wait"),
        ("mail_b", "out", "wait"),
        ("wait", "ordered", "goal"),
        ("wait", "timeout", "reminder"),
    ]
    return Workflow.model_validate(
        {
            "name": "Cart recovery",
            "template": {"id": "cart-recovery", "version": 1, "parameters": {"subject": "Still thinking?"}},
            "nodes": nodes,
            "edges": [{"from": [a, port], "to": [b, "in"]} for a, port, b in edges],
        }
    )


def _mail(subject: JsonValue) -> dict[str, JsonValue]:
    return {"subject": subject, "body": "m1.en.mjml"}


def _node(node_id: str, type_id: str, label: str, parameters: Mapping[str, JsonValue]) -> dict[str, object]:
    return {"id": node_id, "type": type_id, "label": label, "parameters": dict(parameters)}


class Script:
    """Numbers events and moves the clock."""

    def __init__(self, run_id: str = "r1") -> None:
        self.run_id = run_id
        self.at = START
        self.events: list[RunEvent] = []

    def say(self, node_id: str | None, kind: str, **payload: JsonValue) -> None:
        clean = {key.rstrip("_"): value for key, value in payload.items()}
        self.events.append(RunEvent(self.run_id, len(self.events) + 1, self.at, node_id, kind, clean))  # type: ignore[arg-type]

    def later(self, **length: float) -> None:
        self.at += timedelta(**length)

    def ran(self, node_id: str, arrived: int, out: Mapping[str, int], ms: float, **more: int) -> None:
        self.say(node_id, "step.state", state="running")
        payload = {"failed": 0, "quarantined": 0, "attempt": 1} | more
        self.say(node_id, "step.ran", in_=arrived, out=dict(out), duration_ms=ms, **payload)


def run_events() -> list[RunEvent]:
    """Email A is being sent, 39 of Email B's messages were refused, people wait for their order."""
    run = Script()
    run.say(None, "run.started", mode="simulate", seed=7, clock="1440", name="Cart recovery")
    run.ran("carts", 0, {"out": 12_480}, 312)
    run.say("carts", "step.state", state="done")
    run.later(minutes=40)
    run.ran("gate", 12_480, {"allowed": 11_902, "deferred": 0, "blocked": 578}, 188)
    run.say("gate", "step.state", state="done")
    run.later(minutes=30)
    run.ran("subject", 11_902, {"A": 5_951, "B": 5_951}, 96)
    run.say("subject", "step.state", state="done")
    run.ran("end", 578, {}, 4)
    run.later(minutes=20)
    run.ran("mail_b", 5_951, {}, 40)
    run.say("mail_b", "step.sending", planned=5_951, sent=0, failed=0, retry=0, in_doubt=0, blocked=0)
    run.ran("mail_a", 5_951, {}, 40)
    run.later(hours=3)
    run.say("mail_b", "step.sending", planned=0, sent=5_912, failed=8, retry=31, in_doubt=0, blocked=0)
    run.say("mail_b", "step.ran", in_=0, out={"out": 5_912}, failed=39, quarantined=0, duration_ms=9_400, attempt=2)
    run.say(
        "mail_b",
        "step.problem",
        code="MAIL-REFUSED",
        message="The mail server answered 450 4.2.1 mailbox busy for 31 addresses and 550 5.1.1 no such user for 8.",
        hint="Try the 31 again in a few minutes; put the 8 dead addresses on the suppression list.",
        count=39,
        sample=[11, 12, 13],
        action="retry",
        severity="error",
    )
    run.say("wait", "step.state", state="running")
    run.say("wait", "step.ran", in_=5_912, out={}, failed=0, quarantined=0, duration_ms=20, attempt=1)
    run.say("wait", "step.waiting", waiting=5_204, next_due="2026-03-04T11:30:00Z")
    run.later(hours=2)
    run.say("mail_a", "step.sending", planned=1_633, sent=4_318, failed=0, retry=0, in_doubt=0, blocked=0)
    run.say("mail_a", "step.ran", in_=0, out={"out": 4_318}, failed=0, quarantined=0, duration_ms=8_100, attempt=1)
    run.say("wait", "step.ran", in_=4_318, out={"ordered": 312}, failed=0, quarantined=0, duration_ms=30, attempt=1)
    run.say("goal", "step.state", state="running")
    run.say("goal", "step.ran", in_=312, out={"reached": 312}, failed=0, quarantined=0, duration_ms=5, attempt=1)
    return run.events


def run_view() -> RunView:
    return fold(RunView("r1"), run_events())
