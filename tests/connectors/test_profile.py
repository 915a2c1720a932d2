"""The sending profile: every mistake at once, each with its field, and what a live send needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.connectors.profile import SendingProfile, load_profile, preflight
from studio.connectors.secrets import Secrets
from studio.domain.errors import UserFixable

GOOD: dict[str, Any] = {
    "smtp": {
        "host": "smtp.shop.example",
        "port": 587,
        "security": "starttls",
        "username": "shop",
        "password": "secret://smtp",
    },
    "from": "The Shop <hello@shop.com>",
    "reply_to": "answers@shop.com",
    "postal_address": "1 High Street, Town",
    "unsubscribe_base_url": "https://shop.com/u",
    "rate_per_second": 5,
    "connections": 2,
}
SECRETS = Secrets({"STUDIO_SECRET_SMTP": "right"}, keyring=lambda: None)


def load(tmp_path: Path, content: object) -> SendingProfile:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(content))
    return load_profile(path)


def with_smtp(**changes: object) -> dict[str, Any]:
    return {**GOOD, "smtp": {**GOOD["smtp"], **changes}}


def test_a_good_profile(tmp_path: Path) -> None:
    profile = load(tmp_path, GOOD)
    assert (profile.sender_address, profile.sender_name) == ("hello@shop.com", "The Shop")
    assert (profile.smtp.port, profile.rate_per_second, profile.connections) == (587, 5.0, 2)
    assert preflight(profile, SECRETS) == []


def test_every_mistake_is_named_with_its_field(tmp_path: Path) -> None:
    bad = {**with_smtp(port=70_000, security="ssl", password="hunter2", hots="x"), "from": "nobody", "conections": 3}
    del bad["smtp"]["host"]
    with pytest.raises(UserFixable) as caught:
        load(tmp_path, bad)
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {"smtp.port", "smtp.security", "smtp.password", "smtp.hots", "smtp.host", "from", "conections"}
    hints = {problem.field: problem.hint for problem in caught.value.problems}
    assert hints["conections"] == 'Did you mean "connections"?'
    assert hints["smtp.hots"] == 'Did you mean "host"?'
    assert "hunter2" not in str(caught.value), "a password written into the file must not come out in a message"
    assert "smtp.port" in str(caught.value)


@pytest.mark.parametrize("content", [[], "text", None, 3])
def test_what_is_no_object(tmp_path: Path, content: object) -> None:
    with pytest.raises(UserFixable) as caught:
        load(tmp_path, content)
    assert caught.value.code == "PROFILE-INVALID"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"from": }', b" " * 70_000])
def test_what_is_no_json(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(raw)
    with pytest.raises(UserFixable) as caught:
        load_profile(path)
    assert caught.value.code == "PROFILE-UNREADABLE"
    assert caught.value.where == str(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserFixable) as caught:
        load_profile(tmp_path / "none.json")
    assert caught.value.code == "PROFILE-UNREADABLE"


@pytest.mark.parametrize("address", ["test@example.invalid", "Test <test@shop.test>", "root@localhost", "a@mail.local"])
def test_reserved_domains_serve_tests_and_not_live(tmp_path: Path, address: str) -> None:
    profile = load(tmp_path, {**GOOD, "from": address})
    assert [problem.field for problem in preflight(profile, SECRETS)] == ["from"]


@pytest.mark.parametrize("address", ["nobody", "a@b@c.example", "a b@c.example", "@c.example", "a@invalid invalid", ""])
def test_an_address_that_is_none(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserFixable) as caught:
        load(tmp_path, {**GOOD, "from": address})
    assert [problem.field for problem in caught.value.problems] == ["from"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"postal_address": " "}, "postal_address"),
        ({"unsubscribe_base_url": ""}, "unsubscribe_base_url"),
        ({"unsubscribe_base_url": "http://shop.com/u"}, "unsubscribe_base_url"),
        ({"unsubscribe_base_url": "https://"}, "unsubscribe_base_url"),
        ({"reply_to": "answers@shop.test"}, "reply_to"),
        (with_smtp(security="none"), "smtp.security"),
        (with_smtp(password=None), "smtp.password"),
        (with_smtp(password="secret://unknown"), "smtp.password"),
    ],
)
def test_each_thing_that_stands_in_the_way_of_a_live_send(
    tmp_path: Path, changed: dict[str, object], field: str
) -> None:
    problems = preflight(load(tmp_path, {**GOOD, **changed}), SECRETS)
    assert [problem.field for problem in problems] == [field]
    assert problems[0].hint


def test_a_server_on_this_computer_needs_no_encryption(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        local = load(tmp_path, with_smtp(host=host, security="none"))
        assert preflight(local, SECRETS) == []


def test_preflight_collects_everything(tmp_path: Path) -> None:
    bare = {"smtp": {"host": "h.example", "port": 25, "security": "none", "username": "u"}, "from": "a@b.test"}
    fields = {problem.field for problem in preflight(load(tmp_path, bare), SECRETS)}
    assert fields == {"from", "postal_address", "unsubscribe_base_url", "smtp.security", "smtp.password"}
