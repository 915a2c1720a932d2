"""Turns tokens into what Qt draws with: colours, fonts, palette, style sheet; light and dark, text scale.

Absent on purpose: per-widget style sheets. A widget that paints itself asks `theme()` at paint time; one that caches
sizes listens to `changed`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from studio import resources
from studio.ui import stylesheet, tokens

SchemeChoice: TypeAlias = Literal["system", "light", "dark"]

_NUMERIC = QFont.Tag("tnum")
_WEIGHT_FILES = ("Inter-Regular.ttf", "Inter-Medium.ttf", "Inter-SemiBold.ttf", "Inter-Bold.ttf")


class Theme(QObject):
    """The look now in force. `changed` fires after application palette, font and style sheet have been replaced."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.palette: tokens.Palette = tokens.LIGHT
        self.text_scale = 1.0
        self.reduced_motion = False
        self._choice: SchemeChoice = "system"
        self._colours: dict[str, QColor] = {}
        self._fonts: dict[tuple[str, bool], QFont] = {}
        self._app: QApplication | None = None
        # Style sheets take pictures by file name only; the few they need are written here in the scheme's colours.
        self._pictures = QTemporaryDir()

    def install(self, app: QApplication) -> None:
        """Fusion, fonts, palette and style sheet for the whole program; follows the system from then on."""
        self._app = app
        app.setStyle(QStyleFactory.create("Fusion"))
        for name in _WEIGHT_FILES:
            QFontDatabase.addApplicationFont(str(resources.path("fonts", name)))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self.apply()

    @property
    def scheme_choice(self) -> SchemeChoice:
        return self._choice

    def set_scheme(self, choice: SchemeChoice) -> None:
        self._choice = choice
        hints = QGuiApplication.styleHints()
        # Also asks the platform to draw the window's own frame in that scheme, where it can.
        hints.setColorScheme(
            {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}[choice]
        )
        self.apply()

    def set_text_scale(self, scale: float) -> None:
        """`scale` is 1.0 to 2.0; outside it is brought to the nearer end."""
        self.text_scale = min(tokens.TEXT_SCALE_MAX, max(tokens.TEXT_SCALE_MIN, scale))
        self.apply()

    def set_reduced_motion(self, reduced: bool) -> None:
        self.reduced_motion = reduced
        self.changed.emit()

    def apply(self) -> None:
        """Makes everything anew from the tokens."""
        self.palette = tokens.PALETTES[self._scheme()]
        self._colours.clear()
        self._fonts.clear()
        if self._app is not None:
            self._app.setPalette(qt_palette(self.palette))
            self._app.setFont(self.font("body"))
            pictures = stylesheet.write_pictures(self.palette, Path(self._pictures.path()))
            self._app.setStyleSheet(stylesheet.build(self.palette, self.px, pictures))
        self.changed.emit()

    def px(self, size: float) -> int:
        """A text-bound size at the current text scale, in device-independent pixels."""
        return round(size * self.text_scale)

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """A token (`text`, `accent_soft`, `state.running`) or a literal `#rrggbb`, with opacity 0 to 1."""
        key = f"{name}/{alpha}"
        found = self._colours.get(key)
        if found is None:
            found = QColor(name if name.startswith("#") else self.palette.colour(name))
            found.setAlphaF(alpha)
            self._colours[key] = found
        return QColor(found)

    def tone(self, tone: tokens.Tone) -> QColor:
        return self.colour(self.palette.tone(tone))

    def font(self, role: tokens.TextRole = "body", *, tabular: bool = False) -> QFont:
        """The font of a text role. `tabular` makes figures equally wide, for columns and counters; it also widens
        hyphens, so running text goes without."""
        found = self._fonts.get((role, tabular))
        if found is None:
            found = _make_font(tokens.TYPE[role], self.text_scale, tabular)
            self._fonts[role, tabular] = found
        return QFont(found)

    def _scheme(self) -> tokens.Scheme:
        if self._choice != "system":
            return self._choice
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def _follow_system(self) -> None:
        if self._choice == "system" and self._scheme() != self.palette.scheme:
            self.apply()


def _make_font(style: tokens.TypeStyle, scale: float, tabular: bool) -> QFont:
    font = QFont(tokens.FONT_FAMILY)
    font.setPixelSize(round(style.size * scale))
    font.setWeight(QFont.Weight(style.weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if style.tracking:
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, style.tracking * scale)
    if tabular:
        font.setFeature(_NUMERIC, 1)
    return font


def qt_palette(palette: tokens.Palette) -> QPalette:
    """Qt's palette for what Fusion draws by itself."""
    role = QPalette.ColorRole
    colours = {
        role.Window: palette.canvas,
        role.WindowText: palette.text,
        role.Base: palette.surface,
        role.AlternateBase: palette.hover,
        role.Text: palette.text,
        role.Button: palette.surface,
        role.ButtonText: palette.text,
        role.BrightText: palette.bad_text,
        role.ToolTipBase: palette.surface,
        role.ToolTipText: palette.text,
        role.PlaceholderText: palette.text_muted,
        role.Highlight: palette.accent,
        role.HighlightedText: palette.on_accent,
        role.Accent: palette.accent,
        role.Link: palette.accent_text,
        role.LinkVisited: palette.accent_text,
        role.Light: palette.surface,
        role.Midlight: palette.hairline,
        role.Mid: palette.border,
        role.Dark: palette.control_border,
        role.Shadow: palette.shadow,
    }
    made = QPalette()
    for name, colour in colours.items():
        made.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(palette.text_disabled))
    return made


@cache
def theme() -> Theme:
    """The program's theme. Made on first use, after the QApplication."""
    return Theme()
