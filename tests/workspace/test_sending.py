"""The workspace's own sender: kept, checked, tried out, taken by live runs; and messages that are not ready to go."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.connectors.fake import FakeMailer
from studio.connectors.secrets import SERVICE, Secrets
from studio.domain.errors import StudioError, UserFixable
from studio.domain.workflow import Workflow
from studio.gallery.catalogue import catalogue
from studio.gallery.context import read_text
from studio.gallery.customise import fill, instantiate
from studio.workspace.live_check import unready
from studio.workspace.runs import RunOptions
from studio.workspace.sending import PASSWORD, SendingStory
from studio.workspace.workspace import Workspace, node_catalogue
from tests.connectors.test_secrets import MemoryKeyring

PROFILE = {
    "smtp": {"host": "mail.python.org", "port": 587, "security": "starttls", "username": "shop"},
    "from": "Rye & Co <shop@python.org>",
    "postal_address": "Rye & Co, Mill Lane 1, Vienna",
    "unsubscribe_base_url": "https://python.org/unsubscribe",
}


class Standing:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def keyring() -> MemoryKeyring:
    return MemoryKeyring()


@pytest.fixture
def mailer() -> FakeMailer:
    return FakeMailer()


@pytest.fixture
def sending(tmp_path: Path, keyring: MemoryKeyring, mailer: FakeMailer) -> SendingStory:
    return SendingStory(tmp_path, Standing(), Secrets({}, keyring=lambda: keyring), lambda _: mailer)


def welcome(**settings: str) -> Workflow:
    entry = catalogue().entry("welcome-series")
    filled = fill(entry, read_text("We sell bread"), overrides={"business_name": "Rye & Co", **settings})
    return instantiate(entry, filled, language="en")


def test_a_password_goes_to_the_keyring_and_never_into_the_file(
    sending: SendingStory, keyring: MemoryKeyring, tmp_path: Path
) -> None:
    sending.keep(PROFILE, "open sesame")
    assert "open sesame" not in (tmp_path / "sending.json").read_text()
    assert keyring.stored == {(SERVICE, "smtp"): "open sesame"}
    assert sending.profile().smtp.password == PASSWORD
    sending.keep({**PROFILE, "rate_per_second": 5})
    assert sending.profile().smtp.password == PASSWORD, "a password that is not entered again stays"
    assert not sending.problems()


def test_mistakes_are_told_by_field_and_nothing_is_kept(sending: SendingStory, tmp_path: Path) -> None:
    with pytest.raises(UserFixable) as refused:
        sending.keep({**PROFILE, "from": "nobody", "connections": 0, "smtp": {"host": "x", "port": 1}}, "secret")
    assert {problem.field for problem in refused.value.problems} == {"from", "connections", "smtp.security"}
    assert not list(tmp_path.iterdir())


def test_nothing_is_tried_out_before_it_is_ready(sending: SendingStory, mailer: FakeMailer) -> None:
    assert [problem.code for problem in sending.problems()] == ["PROFILE-MISSING"]
    sending.keep({**PROFILE, "postal_address": ""}, "secret")
    with pytest.raises(UserFixable) as refused:
        sending.try_out("me@python.org")
    assert [problem.field for problem in refused.value.problems] == ["postal_address"]
    assert not mailer.accepted


def test_a_letter_to_oneself(sending: SendingStory, mailer: FakeMailer) -> None:
    sending.keep(PROFILE, "secret")
    answer = sending.try_out("me@python.org")
    (letter,) = mailer.accepted
    assert answer.startswith("250")
    assert (letter.sender, letter.recipient) == ("shop@python.org", "me@python.org")
    assert b"Mill Lane 1" in letter.content
    with pytest.raises(UserFixable, match="not a mail address"):
        sending.try_out("me")
    mailer.failing_opens = 1
    with pytest.raises(StudioError, match="cannot be reached"):
        sending.try_out("me@python.org")
    sending.forget()
    assert sending.profile() is None


def test_a_live_run_takes_the_own_sender_and_refuses_what_nobody_should_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_SECRET_SMTP", "secret")
    live = RunOptions(mode="live")
    with Workspace.open(tmp_path / "shop", clock=Standing()) as workspace:
        with pytest.raises(UserFixable) as refused:
            workspace.runs.prepared(welcome(), live, None)
        assert [problem.code for problem in refused.value.problems] == ["PROFILE-MISSING", "LIVE-ADDRESS"]
        given = tmp_path / "sending.json"
        given.write_text(json.dumps({**PROFILE, "smtp": {**PROFILE["smtp"], "password": PASSWORD}}))
        workspace.sending.take(given)
        assert [one.code for one in workspace.runs.preflight(welcome(), live)] == ["LIVE-ADDRESS"]
        _, run, _ = workspace.runs.prepared(welcome(shop_url="https://python.org/shop"), live, None)
        assert Path(str(run.options["profile"])) == workspace.folder / "sending.json"
        tested = RunOptions(mode="test")
        assert [one.code for one in workspace.runs.preflight(welcome(), tested)] == ["LIVE-ADDRESS"]


def test_what_is_not_ready_says_where_it_was_said() -> None:
    (found,) = unready(welcome(), node_catalogue())
    assert (found.node, found.field) == ("mail_1a", "settings.shop_url")
    assert "shop.example" in found.message
    assert found.message.count("“") == 5, "every message that leads there is named"
    assert not unready(welcome(shop_url="https://python.org"), node_catalogue())


def test_what_the_law_forbids_stops_a_live_run_and_advice_does_not() -> None:
    forbidden = welcome(shop_url="https://python.org", subject="RE: your order", start_subject="WIN WIN WIN FREE")
    assert {(one.node, one.code) for one in unready(forbidden, node_catalogue())} == {("mail_1a", "LINT-DECEPTIVE")}
