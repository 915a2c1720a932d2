"""Whom a problem concerns: the server's answer and what became of each, from a run whose server refused some."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from studio.connectors.fake import FakeMailer, Mishap
from studio.domain.mail import Reply
from studio.domain.workflow import Workflow, parse_workflow
from studio.workspace import mail
from studio.workspace.concerned import Concerned
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def letter() -> Workflow:
    parameters = {"subject": "Hello there", "body": "<mjml><mj-body></mj-body></mjml>", "purpose": "transactional"}
    nodes = [
        {"id": "start", "type": "trigger.manual"},
        {"id": "mail", "type": "send.email", "parameters": parameters, "retry": {"max": 3}},
    ]
    edges = [{"from": ["start", "out"], "to": ["mail", "in"]}]
    return parse_workflow(json.dumps({"name": "Letter", "nodes": nodes, "edges": edges}))


def test_each_has_the_answer_he_got_and_what_became_of_him(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mishaps = {
        "ann@shop.org": [Mishap("rcpt", Reply(550, "5.1.1 no such user"))],
        "bob@shop.org": [Mishap("rcpt", Reply(450, "4.2.1 mailbox busy"))] * 9,
    }
    monkeypatch.setattr(mail, "CatcherMailer", lambda _: FakeMailer(mishaps))
    monkeypatch.setattr(FakeMailer, "stop", lambda _: done(), raising=False)
    with Workspace.open(tmp_path / "shop") as workspace:
        keys = ["ann", "bob", "cy"]
        rows = pl.DataFrame({"key": keys, "email": [f"{key}@shop.org" for key in keys]})
        workspace._store.contacts.upsert_contacts(rows, "test")
        options = RunOptions(mode="test", as_of=START)
        run_id = workspace.runs.start(letter(), options)
        workspace.runs.wait(run_id)
        problems = workspace.runs.view(run_id).step("mail").problems
        told = [one for problem in problems for one in workspace.history.concerned(run_id, "mail", problem.code)]
    assert sorted(told, key=lambda one: one.contact) == [
        Concerned("ann@shop.org", "550 5.1.1", "failed"),
        Concerned("bob@shop.org", "450 4.2.1", "failed"),
    ]


async def done() -> None:
    """A mailer that keeps everything in memory has nothing to end."""
