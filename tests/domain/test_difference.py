"""What differs between two workflows: every kind of change is found, alone, and said in words."""

from __future__ import annotations

import pytest

from studio.domain.difference import Difference, differences, in_words
from studio.domain.workflow import Edge, Group, Node, Note, Settings, Workflow

NODES = (
    Node(id="start", type="trigger.manual", label="Start"),
    Node(id="mail", type="send.email", label="Email A", parameters={"subject": "Hi", "tags": {"a": 1}}),
)
LINK = Edge.model_validate({"from": ("start", "out"), "to": ("mail", "in")})
BASE = Workflow(name="Cart", nodes=NODES, edges=(LINK,), notes=(Note(text="Mind the tone"),))
NAMES = {"start": "Start", "mail": "Email A"}


def changed(**update: object) -> Workflow:
    return BASE.model_copy(update=update)


def mail(**update: object) -> tuple[Node, ...]:
    return NODES[0], NODES[1].model_copy(update=update)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (changed(name="Carts"), ["Name was “Cart”, is “Carts”"]),
        (changed(settings=Settings(topic="news")), ["Topic was “marketing”, is “news”"]),
        (changed(nodes=NODES[:1], edges=()), ["Email A: removed", "Edge Start → Email A: removed"]),
        (changed(nodes=(*NODES, Node(id="end", type="flow.exit"))), ["end: added"]),
        (changed(nodes=mail(position=(10.0, 0.0))), ["Email A: moved"]),
        (changed(nodes=mail(enabled=False)), ["Email A: enabled was yes, is no"]),
        (
            changed(nodes=mail(parameters={"subject": "Hello", "tags": {"a": 1}})),
            ["Email A: subject was “Hi”, is “Hello”"],
        ),
        (
            changed(nodes=mail(parameters={"subject": "Hi", "tags": {"a": 2}})),
            ["Email A: tags, a was “1”, is “2”"],
        ),
        (changed(edges=()), ["Edge Start → Email A: removed"]),
        (changed(notes=(Note(text="Mind the tone!"),)), ["Note “Mind the tone!”: changed"]),
        (changed(notes=()), ["Note “Mind the tone”: removed"]),
        (changed(groups=(Group(title="Mails", nodes=("mail",)),)), ["Group “Mails”: added"]),
    ],
)
def test_each_change_is_told_and_nothing_else(after: Workflow, words: list[str]) -> None:
    assert [in_words(one, NAMES) for one in differences(BASE, after)] == words


def test_equal_workflows_have_no_differences() -> None:
    assert differences(BASE, Workflow.model_validate_json(BASE.to_json())) == ()


def test_turned_round_an_addition_is_a_removal() -> None:
    smaller = changed(nodes=NODES[:1], edges=())
    there = {(d.kind, d.what) for d in differences(smaller, BASE)}
    back = {(d.kind, d.what) for d in differences(BASE, smaller)}
    assert there == {("added", "node"), ("added", "edge")}
    assert back == {("removed", "node"), ("removed", "edge")}


def test_an_output_is_named_when_it_is_not_the_plain_one() -> None:
    found = Difference(kind="added", what="edge", node="start", edge=(("start", "timeout"), ("mail", "in")))
    assert in_words(found, NAMES) == "Edge Start → Email A through “time is up”: added"
