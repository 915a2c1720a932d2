"""Finds node-state colours that stay apart for every kind of colour vision; holds the arithmetic that proves it.

Run `python tools/palette_search.py light` (or `dark`) and copy the result into `studio/ui/tokens.py`; the test
`tests/ui/test_tokens.py` measures whatever stands there with the functions below. Absent on purpose: CIEDE2000; the
bar of ΔE 20 was set for dE76, where it is the stricter one for saturated colours.

References:
    sRGB and CIE L*a*b* (D65): IEC 61966-2-1:1999; CIE 15:2004.
    Colour vision deficiency, severity 1.0: Machado, Oliveira, Fernandes, "A physiologically-based model for simulation
    of color vision deficiency", IEEE TVCG 15(6), 2009, table 1.
    Contrast ratio: WCAG 2.2, "relative luminance" and "contrast ratio".
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

Rgb: TypeAlias = tuple[float, float, float]
Lab: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Rgb, Rgb, Rgb]

VISIONS: Mapping[str, Matrix] = {
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
WHITE = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> Rgb:
    """Linear-light channels in [0, 1] of `#rrggbb`."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return r, g, b


def luminance(colour: str) -> float:
    r, g, b = linear(colour)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def seen(colour: str, vision: str) -> Lab:
    """L*, a*, b* of the colour as that vision perceives it."""
    source = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(m * c for m, c in zip(row, source, strict=True)))) for row in VISIONS[vision])
    x = 0.4124564 * r + 0.3575761 * g + 0.1804375 * b
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = 0.0193339 * r + 0.1191920 * g + 0.9503041 * b
    fx, fy, fz = (_curve(value / white) for value, white in zip((x, y, z), WHITE, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _curve(t: float) -> float:
    return t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116


def closest_pair(colours: Mapping[str, str]) -> tuple[float, str, str, str]:
    """The smallest dE76 over all pairs and visions, with the two names and the vision."""
    return min(
        (math.dist(seen(colours[a], vision), seen(colours[b], vision)), a, b, vision)
        for vision in VISIONS
        for a, b in combinations(colours, 2)
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a state should look like: hue band in degrees of the a*b* plane, chroma and lightness bands, an ideal."""

    hue: tuple[float, float]
    chroma: tuple[float, float]
    ideal: str
    lightness: tuple[float, float] = (24.0, 96.0)


@dataclass(frozen=True, slots=True)
class Ground:
    """What the colours lie on, and what is wished for there."""

    backgrounds: tuple[str, ...]
    wishes: Mapping[str, Wish]


GREY = (0.0, 12.0)
LIGHT = Ground(
    ("#ffffff", "#f6f7f9"),
    {
        "idle": Wish((240, 300), GREY, "#868e9c"),
        "skipped": Wish((240, 300), GREY, "#3f4652", (20, 42)),
        "queued": Wish((190, 240), (12, 60), "#00627a"),
        "running": Wish((255, 305), (40, 110), "#0b62d6"),
        "waiting": Wish((58, 82), (45, 110), "#c07d00"),
        "done": Wish((140, 172), (34, 90), "#007e52"),
        "warning": Wish((88, 108), (30, 100), "#9e8c49"),
        "failed": Wish((36, 56), (58, 120), "#b42500", (38, 96)),
        "paused": Wish((305, 345), (35, 100), "#a03fb5"),
    },
)
DARK = Ground(
    ("#171b22", "#0f1217"),
    {
        "idle": Wish((240, 300), GREY, "#7c8595"),
        "skipped": Wish((240, 300), GREY, "#b4bcc9", (60, 90)),
        "queued": Wish((190, 240), (12, 60), "#37b6c9"),
        "running": Wish((240, 295), (30, 110), "#5aa9ff"),
        "waiting": Wish((62, 82), (45, 110), "#f0a52e"),
        "done": Wish((140, 175), (30, 90), "#2bc79a"),
        "warning": Wish((92, 112), (40, 110), "#ffe45c"),
        "failed": Wish((30, 55), (50, 120), "#f0603a"),
        "paused": Wish((305, 345), (35, 100), "#c07be8"),
    },
)


def _allowed(colour: str, wish: Wish, ground: Ground) -> bool:
    if any(contrast(colour, background) < 3.1 for background in ground.backgrounds):
        return False
    lightness, a, b = seen(colour, "normal")
    chroma, hue = math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360
    in_hue = wish.chroma == GREY or wish.hue[0] <= hue <= wish.hue[1]
    return in_hue and wish.chroma[0] <= chroma <= wish.chroma[1] and wish.lightness[0] <= lightness <= wish.lightness[1]


def _near(colour: str, spread: float, rng: random.Random) -> str:
    channels = (int(colour[i : i + 2], 16) + round(rng.gauss(0, spread)) for i in (1, 3, 5))
    return "#" + "".join(f"{min(255, max(0, channel)):02x}" for channel in channels)


def _start(wish: Wish, ground: Ground, rng: random.Random) -> str:
    spread = 4.0
    while not _allowed(colour := _near(wish.ideal, spread, rng), wish, ground):
        spread = min(90.0, spread * 1.02)
    return colour


def search(ground: Ground, *, seed: int, steps: int = 60_000, apart: float = 21.0) -> dict[str, str]:
    """Colours nearest their ideals among those at least `apart` from each other. Annealing; O(steps · states).

    The cost is the squared shortfall of each pair, weighted to win in the end, plus the distance to the ideals.
    """
    rng = random.Random(seed)
    names = list(ground.wishes)
    ideals = {name: seen(wish.ideal, "normal") for name, wish in ground.wishes.items()}
    chosen = {name: _start(ground.wishes[name], ground, rng) for name in names}
    labs = {name: _all_visions(chosen[name]) for name in names}

    def cost_of(name: str, views: list[Lab]) -> float:
        short = sum(
            max(0.0, apart - math.dist(mine, theirs)) ** 2
            for other in names
            if other != name
            for mine, theirs in zip(views, labs[other], strict=True)
        )
        return 12 * short + math.dist(views[0], ideals[name]) ** 1.5

    for step in range(steps):
        heat = 1 - step / steps
        name = rng.choice(names)
        colour = _near(chosen[name], 2 + 26 * heat, rng)
        if not _allowed(colour, ground.wishes[name], ground):
            continue
        views = _all_visions(colour)
        change = cost_of(name, views) - cost_of(name, labs[name])
        if change < 0 or rng.random() < math.exp(-change / (0.05 + 60 * heat**2)):
            chosen[name], labs[name] = colour, views
    return chosen


def _all_visions(colour: str) -> list[Lab]:
    return [seen(colour, vision) for vision in VISIONS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scheme", choices=("light", "dark"))
    parser.add_argument("--seeds", type=int, default=3, help="how many starts to try")
    parser.add_argument("--steps", type=int, default=60_000)
    options = parser.parse_args()
    ground = LIGHT if options.scheme == "light" else DARK
    for seed in range(options.seeds):
        colours = search(ground, seed=seed, steps=options.steps)
        distance, first, second, vision = closest_pair(colours)
        print(f"seed {seed}: smallest ΔE {distance:.1f} ({first} and {second}, {vision})")
        for name, colour in colours.items():
            ratio = min(contrast(colour, background) for background in ground.backgrounds)
            print(f'    "{name}": "{colour}",  # {ratio:.1f}:1')


if __name__ == "__main__":
    main()
