"""Wording by a language model: what it is told, what of its answer is usable, and that nothing happens by itself."""

import json

import httpx
import pytest

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, Fact
from studio.workspace.assistant import AssistantStory
from studio.workspace.workspace import Workspace

CART = "cart-recovery"
CONTEXT = BusinessContext(
    (Fact("name", "Little Oak", 0.9, "x"), Fact("about", "Toys. Ask anna@oak.example or +49 40 123456.", 0.9, "x")),
)


def lines(*rows: tuple[str, str]) -> dict:
    answer = {"lines": [{"parameter": name, "text": text, "reason": "Shorter."} for name, text in rows]}
    return {"choices": [{"message": {"content": json.dumps(answer)}}]}


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


def story(workspace: Workspace, answer: dict) -> AssistantStory:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=answer))
    made = AssistantStory(workspace._store, workspace.templates, transport=transport)
    made.switch_on("openai", "http://127.0.0.1:8080/v1", "small")
    return made


def test_it_is_off_until_switched_on_and_forgets_when_switched_off(workspace):
    with pytest.raises(UserFixable) as caught:
        workspace.assistant.suggest(CART, CONTEXT)
    assert caught.value.code == "MODEL-OFF"
    made = story(workspace, lines())
    made.switch_off()
    assert made.settings() is None
    with pytest.raises(UserFixable):
        made.switch_on("openai", "http://127.0.0.1:8080/v1", "small", key="sk-plain")


def test_it_is_told_the_business_and_nothing_personal(workspace):
    shown = story(workspace, lines()).what_leaves(CART, CONTEXT).shown()
    assert "Little Oak" in shown
    assert "anna@" not in shown
    assert "123456" not in shown


def test_only_usable_lines_are_suggested_and_nothing_is_changed(workspace):
    made = story(
        workspace,
        lines(
            ("subject", "Your basket waits at Little Oak"),
            ("subject_b", "RE: YOUR ORDER!!! {name}"),
            ("discount", "99 %"),
            ("help_subject", "Re: your question"),
            ("no_such", "Hello there"),
        ),
    )
    (one,) = made.suggest(CART, CONTEXT)
    assert (one.parameter, one.after) == ("subject", "Your basket waits at Little Oak")
    assert one.before != one.after
    filled = {item.name: item.value for item in workspace.templates.fill(CART, CONTEXT)}
    assert filled["subject"] == one.before
