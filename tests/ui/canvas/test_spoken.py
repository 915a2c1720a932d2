"""What a screen reader is told, asked through AT-SPI of the program itself on a display and a bus of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.accessible_tree import ROOT, Desk, Spoken, missing

pytestmark = [
    pytest.mark.slow,  # a display, a bus and the program have to be started
    pytest.mark.skipif(bool(missing()), reason=f"no AT-SPI here: {missing()}"),
]
_TAKES_KEYS = {"push button", "check box", "text", "tree", "list", "table", "button menu", "radio button", "page tab"}
_OF_QT = {"Scroll Left", "Scroll Right"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(ROOT / "tests" / "ui" / "canvas" / "spoken_program.py", tmp_path_factory.mktemp("bus")) as made:
        yield made


@pytest.fixture(scope="module")
def tree(desk: Desk) -> Spoken:
    return desk.tree()


def named(tree: Spoken, name: str, role: str = "") -> Spoken:
    return next(one for one in tree.walk() if one.name.startswith(name) and role in one.role)


def test_the_canvas_is_a_list_of_steps_in_reading_order_with_their_states(tree: Spoken) -> None:
    steps = named(tree, "Workflow", "list").children
    assert steps[0].name.startswith("Cart abandoned, done, 12,480 out")
    assert any(one.name.startswith("Email B: “Your basket”, failed, 5,912 / 5,951, 39 failed") for one in steps)
    chosen = [one for one in steps if "selected" in one.states]
    assert [one.name.split(",")[0] for one in chosen] == ["Email A: “Still thinking?”"]


def test_the_outline_mirrors_the_graph_notes_included(tree: Spoken) -> None:
    lines = [one.name for one in named(tree, "Outline of the workflow", "tree").walk()]
    assert any(line.startswith("Wait for an order, waiting, 5,204 waiting") for line in lines)
    assert "Note: Mind the tone" in lines


def test_everything_that_takes_the_keyboard_has_a_name(tree: Spoken) -> None:
    nameless = [
        one
        for one in tree.walk()
        if one.role in _TAKES_KEYS and not one.name and "focusable" in one.states and "showing" in one.states
    ]
    assert nameless == []


def test_a_screen_reader_can_press_what_it_hears_of(desk: Desk, tree: Spoken) -> None:
    desk.press(named(tree, "Undo", "push button"))
    after = desk.tree()
    assert "Note: Mind the tone" not in [one.name for one in after.walk()]
    assert "enabled" not in named(after, "Undo", "push button").states
