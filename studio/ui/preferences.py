"""What a person chose about the window itself: light or dark, text size, less motion.

Absent on purpose: anything about a workspace; that lives in the workspace.
"""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QSettings

from studio.ui.theme import SchemeChoice, theme

_SCHEME, _TEXT_SCALE, _MOTION = "look/scheme", "look/text_scale", "look/reduced_motion"
_CHOICES = ("system", "light", "dark")


class Preferences:
    """Reading gives a valid value whatever the file holds; writing takes effect at once and is kept."""

    def __init__(self, settings: QSettings) -> None:
        self.settings = settings

    @property
    def scheme(self) -> SchemeChoice:
        kept = str(self.settings.value(_SCHEME, "system"))
        return cast("SchemeChoice", kept) if kept in _CHOICES else "system"

    @scheme.setter
    def scheme(self, choice: SchemeChoice) -> None:
        self.settings.setValue(_SCHEME, choice)
        theme().set_scheme(choice)

    @property
    def text_scale(self) -> float:
        """1.0 to 2.0."""
        try:
            return min(2.0, max(1.0, float(str(self.settings.value(_TEXT_SCALE, 1.0)))))
        except ValueError:
            return 1.0

    @text_scale.setter
    def text_scale(self, scale: float) -> None:
        self.settings.setValue(_TEXT_SCALE, scale)
        theme().set_text_scale(scale)

    @property
    def reduced_motion(self) -> bool:
        return str(self.settings.value(_MOTION, "false")).lower() == "true"

    @reduced_motion.setter
    def reduced_motion(self, reduced: bool) -> None:
        self.settings.setValue(_MOTION, "true" if reduced else "false")
        theme().set_reduced_motion(reduced)

    def apply(self) -> None:
        """Puts everything kept into force."""
        theme().set_reduced_motion(self.reduced_motion)
        theme().set_text_scale(self.text_scale)
        theme().set_scheme(self.scheme)
