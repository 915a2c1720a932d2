"""One switch changes the whole window; sizes follow the text; figures stand below each other."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QLabel

from studio.ui import icons, stylesheet, tokens
from studio.ui.preferences import Preferences
from studio.ui.theme import theme


def test_the_scheme_reaches_palette_style_sheet_and_painting() -> None:
    heard: list[str] = []
    theme().changed.connect(lambda: heard.append(theme().palette.scheme))
    theme().set_scheme("dark")
    assert QApplication.palette().color(QPalette.ColorRole.Window).name() == tokens.DARK.canvas
    assert tokens.DARK.surface in QApplication.instance().styleSheet()
    assert tokens.LIGHT.surface not in QApplication.instance().styleSheet()
    assert theme().colour("text").name() == tokens.DARK.text
    assert heard == ["dark"]


def test_opacity_and_literal_colours() -> None:
    assert theme().colour("accent", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)
    assert theme().colour("accent").alphaF() == 1
    assert theme().colour("#123456").name() == "#123456"
    theme().colour("accent").setAlphaF(0.1)
    assert theme().colour("accent").alphaF() == 1, "the cached colour must not be handed out itself"


def test_the_system_scheme_is_followed_until_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    theme().set_scheme("system")
    monkeypatch.setattr(theme(), "_scheme", lambda: "dark")
    theme()._follow_system()
    assert theme().palette.scheme == "dark"
    monkeypatch.undo()
    theme().set_scheme("light")
    theme()._follow_system()
    assert theme().palette.scheme == "light"


@pytest.mark.parametrize("weight", [400, 500, 600, 700])
def test_inter_is_bundled_in_every_weight(weight: int) -> None:
    font = QFont(tokens.FONT_FAMILY)
    font.setWeight(QFont.Weight(weight))
    assert QFontInfo(font).family() == tokens.FONT_FAMILY
    assert QFontInfo(font).weight() == weight


def test_tabular_figures_are_equally_wide_and_others_are_not() -> None:
    def widths(tabular: bool) -> set[int]:
        metrics = QFontMetrics(theme().font("figure", tabular=tabular))
        return {metrics.horizontalAdvance(figure * 8) for figure in "0123456789"}

    assert len(widths(True)) == 1
    assert len(widths(False)) > 1


def test_text_grows_to_twice_its_size_and_no_further() -> None:
    small = theme().font("body").pixelSize()
    theme().set_text_scale(2)
    assert theme().font("body").pixelSize() == 2 * small
    assert f"font-size: {2 * 13}px" in QApplication.instance().styleSheet()
    theme().set_text_scale(9)
    assert theme().text_scale == 2


@pytest.mark.parametrize("palette", [tokens.LIGHT, tokens.DARK], ids=["light", "dark"])
def test_the_style_sheet_names_only_colours_of_the_tokens(palette: tokens.Palette, tmp_path: Path) -> None:
    sheet = stylesheet.build(palette, round, stylesheet.write_pictures(palette, tmp_path))
    known = {getattr(palette, name) for name in palette.__slots__ if name not in ("states", "scheme")}
    without_files = re.sub(r'url\("[^"]*"\)', "", sheet)
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", without_files)) <= known
    for file in re.findall(r'url\("([^"]*)"\)', sheet):
        assert "currentColor" not in Path(file).read_text(encoding="utf-8")


def test_icons_take_the_tokens_colour_and_are_kept() -> None:
    drawn = icons.pixmap("house", "accent", 24)
    assert drawn.cacheKey() == icons.pixmap("house", "accent", 24).cacheKey()
    colours = {drawn.toImage().pixelColor(x, y).name() for x in range(24) for y in range(24)
               if drawn.toImage().pixelColor(x, y).alpha() == 255}  # fmt: skip
    accent = theme().colour("accent")
    assert colours
    for found in map(QColor, colours):  # one step of rounding is the renderer's
        assert max(abs(a - b) for a, b in zip(found.getRgb(), accent.getRgb(), strict=True)) <= 1
    theme().set_scheme("dark")
    assert icons.pixmap("house", "accent", 24).cacheKey() != drawn.cacheKey()


def test_every_icon_can_be_drawn_and_an_unknown_one_does_not_fail() -> None:
    for name in icons.names():
        image = icons.pixmap(name, "text", 24).toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(24) for y in range(24)), name
    assert icons.svg("no-such-icon", "#000000") == icons.svg("circle-question-mark", "#000000")


def test_filled_icons_cover_more() -> None:
    def covered(name: str) -> int:
        image = icons.pixmap(name, "text", 24).toImage()
        return sum(image.pixelColor(x, y).alpha() > 128 for x in range(24) for y in range(24))

    assert covered("play!") > covered("play") * 1.3


def test_preferences_survive_and_nonsense_is_ignored(tmp_path: Path) -> None:
    file = str(tmp_path / "window.ini")
    kept = Preferences(QSettings(file, QSettings.Format.IniFormat))
    kept.scheme, kept.text_scale, kept.reduced_motion = "dark", 1.5, True
    kept.settings.sync()
    again = Preferences(QSettings(file, QSettings.Format.IniFormat))
    assert (again.scheme, again.text_scale, again.reduced_motion) == ("dark", 1.5, True)
    again.settings.setValue("look/scheme", "pink")
    again.settings.setValue("look/text_scale", "huge")
    assert (again.scheme, again.text_scale) == ("system", 1.0)
    again.apply()
    assert theme().reduced_motion


def test_roles_differ_in_size_or_weight() -> None:
    looks = [(style.size, style.weight) for style in tokens.TYPE.values()]
    sizes = sorted({size for size, _weight in looks})
    assert all(b > a for a, b in pairwise(sizes))
    assert theme().font("title").pixelSize() == 23
    label = QLabel("x")
    label.setFont(theme().font("strong"))
    assert label.font().weight() == 600
