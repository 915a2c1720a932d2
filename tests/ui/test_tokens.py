"""The colours keep what they promise: legible text, and states that differ for every kind of colour vision."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from studio import resources
from studio.ui import tokens
from studio.ui.screens.experiments.words import COLOURS

PALETTES = pytest.mark.parametrize("palette", [tokens.LIGHT, tokens.DARK], ids=["light", "dark"])
TEXTS = ("text", "text_secondary", "text_muted", "accent_text", "good_text", "caution_text", "bad_text")
DISTINCT = tuple(state for state in tokens.LIGHT.states if state not in ("stopped", "passed"))


def load_search() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "palette_search.py"
    spec = importlib.util.spec_from_file_location("palette_search", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["palette_search"] = module
    spec.loader.exec_module(module)
    return module


colour = load_search()


@PALETTES
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("background", ["canvas", "surface", "sunken", "hover"])
def test_text_is_legible_on_every_ground(palette: tokens.Palette, name: str, background: str) -> None:
    assert colour.contrast(palette.colour(name), palette.colour(background)) >= 4.5


@PALETTES
@pytest.mark.parametrize(
    ("name", "background"),
    [("on_accent", "accent"), ("on_accent", "accent_hover"), ("accent_text", "accent_soft"), ("text", "accent_soft"),
     ("text_muted", "accent_soft"), ("bad_text", "bad_soft"), ("text", "bad_soft")],
)  # fmt: skip
def test_text_is_legible_on_coloured_grounds(palette: tokens.Palette, name: str, background: str) -> None:
    assert colour.contrast(palette.colour(name), palette.colour(background)) >= 4.5


@PALETTES
@pytest.mark.parametrize("background", ["surface", "canvas"])
def test_states_and_controls_stand_out_from_node_and_canvas(palette: tokens.Palette, background: str) -> None:
    ground = palette.colour(background)
    weak = {state: value for state, value in palette.states.items() if colour.contrast(value, ground) < 3}
    assert weak == {}
    assert colour.contrast(palette.accent, ground) >= 3
    assert colour.contrast(palette.control_border, ground) >= 3


@PALETTES
def test_the_glyph_on_a_state_colour_is_visible(palette: tokens.Palette) -> None:
    assert min(colour.contrast(palette.on_state, value) for value in palette.states.values()) >= 3


@PALETTES
def test_states_differ_for_every_colour_vision(palette: tokens.Palette) -> None:
    distance, first, second, vision = colour.closest_pair({state: palette.states[state] for state in DISTINCT})
    assert distance >= 20, f"{first} and {second} look alike in {vision} vision"


@PALETTES
def test_variants_of_a_test_differ_for_every_colour_vision(palette: tokens.Palette) -> None:
    names = (*COLOURS, "state.done", "state.failed")
    distance, first, second, vision = colour.closest_pair({name: palette.colour(name) for name in names})
    assert distance >= 20, f"{first} and {second} look alike in {vision} vision"
    assert min(colour.contrast(palette.colour(name), palette.colour("surface")) for name in names) >= 3


def test_the_colour_arithmetic_agrees_with_published_values() -> None:
    assert colour.seen("#ff0000", "normal") == pytest.approx((53.24, 80.09, 67.20), abs=0.02)
    assert colour.seen("#0000ff", "normal") == pytest.approx((32.30, 79.19, -107.86), abs=0.02)
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    for vision in colour.VISIONS:  # greys stay grey: the rows of every matrix sum to one
        lightness, a, b = colour.seen("#808080", vision)
        assert (lightness, a, b) == pytest.approx((53.59, 0, 0), abs=0.02)


def test_a_reader_without_red_cones_confuses_what_the_literature_says() -> None:
    """Dark red and dark green of equal protan luminance are the classic pair: far apart, then close."""
    red, green = "#b40000", "#4b4b00"

    def apart(vision: str) -> float:
        return (
            sum((x - y) ** 2 for x, y in zip(colour.seen(red, vision), colour.seen(green, vision), strict=True)) ** 0.5
        )

    assert apart("normal") > 60
    assert apart("protan") < 20


def test_the_search_is_reproducible_and_moves_states_apart() -> None:
    first = colour.search(colour.LIGHT, seed=7, steps=1500)
    assert first == colour.search(colour.LIGHT, seed=7, steps=1500)
    ideals = {name: wish.ideal for name, wish in colour.LIGHT.wishes.items()}
    assert colour.closest_pair(first)[0] > colour.closest_pair(ideals)[0]


def test_every_state_has_a_word_and_a_glyph_that_exists() -> None:
    assert set(tokens.STATES) == set(tokens.LIGHT.states) == set(tokens.DARK.states)
    assert len({look.word for look in tokens.STATES.values()}) == len(tokens.STATES)
    assert len({look.icon for look in tokens.STATES.values()}) == len(tokens.STATES)
    for look in tokens.STATES.values():
        assert resources.path("icons", f"{look.icon}.svg").is_file()


def test_the_type_scale_and_spacing_are_the_agreed_ones() -> None:
    assert {style.size for style in tokens.TYPE.values()} <= {11, 12, 13, 14, 20, 23}
    assert (tokens.SPACE, tokens.RADIUS_CONTROL, tokens.RADIUS_CARD) == (4, 8, 12)


def test_an_unknown_colour_name_is_refused() -> None:
    with pytest.raises(KeyError):
        tokens.LIGHT.colour("state.sleepy")
    with pytest.raises(KeyError):
        tokens.LIGHT.colour("tone")
