"""Every size and colour of the window, as values. The style sheet, the palette and all painting read them from here.

Absent on purpose: Qt (see `theme.py`), and any second accent. The node-state colours are not picked by eye: they come
out of `tools/palette_search.py` (light: seed 4, dark: seed 1), which keeps them apart for every kind of colour vision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Scheme: TypeAlias = Literal["light", "dark"]
State: TypeAlias = Literal[
    "idle", "queued", "running", "waiting", "done", "warning", "failed", "paused", "skipped", "stopped"
]
TextRole: TypeAlias = Literal["title", "heading", "subheading", "body", "strong", "secondary", "caption", "figure"]
Tone: TypeAlias = Literal["default", "secondary", "muted", "accent", "good", "caution", "bad"]

SPACE = 4
RADIUS_CONTROL = 8
RADIUS_CARD = 12
CONTROL_HEIGHT = 32
FONT_FAMILY = "Inter"
BRAND = ("#4f46e5", "#8b5cf6")
"""The mark's two colours, the same in light and dark."""
TEXT_SCALE_MIN, TEXT_SCALE_MAX = 1.0, 2.0


@dataclass(frozen=True, slots=True)
class TypeStyle:
    """`size` in pixels at 100 % text scale; `tracking` in pixels between letters."""

    size: int
    weight: int
    tracking: float = 0.0


TYPE: Mapping[TextRole, TypeStyle] = MappingProxyType(
    {
        "title": TypeStyle(23, 700, -0.3),
        "heading": TypeStyle(20, 700, -0.2),
        "subheading": TypeStyle(14, 600),
        "body": TypeStyle(13, 400),
        "strong": TypeStyle(13, 600),
        "secondary": TypeStyle(12, 400),
        "caption": TypeStyle(11, 400),
        "figure": TypeStyle(23, 700, -0.2),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one scheme, `#rrggbb`. `states` are for graphics; words in a state's colour use the `…_text` ones."""

    scheme: Scheme
    canvas: str
    surface: str
    sunken: str
    hover: str
    border: str
    hairline: str
    control_border: str
    text: str
    text_secondary: str
    text_muted: str
    text_disabled: str
    accent: str
    accent_hover: str
    accent_pressed: str
    accent_soft: str
    accent_text: str
    on_accent: str
    good_text: str
    caution_text: str
    bad_text: str
    bad_soft: str
    on_state: str
    shadow: str
    scroll: str
    states: Mapping[str, str]

    def colour(self, name: str) -> str:
        """A colour by its field name, or a state's by `state.<name>`. Raises KeyError for a name there is not."""
        if name.startswith("state."):
            return self.states[name.removeprefix("state.")]
        if name not in self.__slots__:
            raise KeyError(name)
        value: str = getattr(self, name)
        return value

    def tone(self, tone: Tone) -> str:
        """The text colour of a tone."""
        return self.colour(_TONES[tone])


_TONES: Mapping[Tone, str] = MappingProxyType(
    {
        "default": "text",
        "secondary": "text_secondary",
        "muted": "text_muted",
        "accent": "accent_text",
        "good": "good_text",
        "caution": "caution_text",
        "bad": "bad_text",
    }
)


def _states(**colours: str) -> Mapping[str, str]:
    # A stopped run and a skipped step are the same grey, a step that is through so far and one that is done the same
    # green; their glyphs and words differ.
    return MappingProxyType(colours | {"stopped": colours["skipped"], "passed": colours["done"]})


LIGHT = Palette(
    scheme="light",
    canvas="#f6f7f9",
    surface="#ffffff",
    sunken="#eef0f3",
    hover="#f4f5f8",
    border="#e3e6eb",
    hairline="#eceef2",
    control_border="#848d9b",
    text="#14181f",
    text_secondary="#434c5a",
    text_muted="#5f6978",
    text_disabled="#9aa2ae",
    accent="#4f46e5",
    accent_hover="#4338ca",
    accent_pressed="#3730a3",
    accent_soft="#eeedfd",
    accent_text="#4f46e5",
    on_accent="#ffffff",
    good_text="#00754f",
    caution_text="#8f5d00",
    bad_text="#b12200",
    bad_soft="#fdf0ec",
    on_state="#ffffff",
    shadow="#14181f",
    scroll="#c6ccd5",
    states=_states(
        idle="#848d9c",
        queued="#00556e",
        running="#0666e7",
        waiting="#c17e01",
        done="#0d8b63",
        warning="#9e8c4a",
        failed="#b12200",
        paused="#9d3cae",
        skipped="#3c3d3c",
    ),
)

DARK = Palette(
    scheme="dark",
    canvas="#0f1217",
    surface="#171b22",
    sunken="#242831",
    hover="#1e232b",
    border="#2a303a",
    hairline="#222831",
    control_border="#6b7688",
    text="#eef1f5",
    text_secondary="#c3c9d3",
    text_muted="#959fae",
    text_disabled="#5b6471",
    accent="#8b85ff",
    accent_hover="#9d98ff",
    accent_pressed="#7a73f2",
    accent_soft="#25244a",
    accent_text="#a29dff",
    on_accent="#0f1217",
    good_text="#2bc79a",
    caution_text="#e9a63a",
    bad_text="#ff8060",
    bad_soft="#2d1d1b",
    on_state="#0f1217",
    shadow="#000000",
    scroll="#3b4350",
    states=_states(
        idle="#767a7b",
        queued="#0094b0",
        running="#99bcff",
        waiting="#e69c14",
        done="#44d09b",
        warning="#ffe761",
        failed="#ed5e3b",
        paused="#a66adc",
        skipped="#b8bfce",
    ),
)

PALETTES: Mapping[Scheme, Palette] = MappingProxyType({"light": LIGHT, "dark": DARK})


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a state is told without colour: the word on screen and the glyph (an icon of `resources/icons`)."""

    word: str
    icon: str


STATES: Mapping[str, StateLook] = MappingProxyType(
    {
        "idle": StateLook("not started", "circle"),
        "queued": StateLook("queued", "clock"),
        "running": StateLook("running", "play"),
        "waiting": StateLook("waiting", "ellipsis"),
        "passed": StateLook("done so far", "circle-check"),
        "done": StateLook("done", "check"),
        "warning": StateLook("done, look again", "triangle-alert"),
        "failed": StateLook("failed", "x"),
        "paused": StateLook("paused", "pause"),
        "skipped": StateLook("skipped", "skip-forward"),
        "stopped": StateLook("stopped", "square"),
    }
)
