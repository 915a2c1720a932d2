"""Buttons and choices: primary, secondary, link, icon, pill with a menu, segmented control.

Absent on purpose: toggle switches (a check box says it) and more than one primary button a card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from studio.ui import icons
from studio.ui.faults import guarded
from studio.ui.focus import paint_ring
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL
from studio.ui.widgets.layout import row

_ICON_SIZE = 16
_ICON_GAP = 3


class Button(QPushButton):
    """The secondary button, and what the others share. `icon` is a name of `studio.ui.icons`."""

    kind = "secondary"
    icon_colour = "text_secondary"

    def __init__(self, text: str, on_click: Callable[[], object] | None = None, *, icon: str = "") -> None:
        super().__init__()
        self.setText(text)
        self._icon_name = icon
        self._menu: QMenu | None = None
        self.setProperty("kind", self.kind)
        self.setAutoDefault(False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if on_click is not None:
            self.clicked.connect(guarded(lambda _checked=False: on_click()))
        if icon:
            self._redraw_icon()
            theme().changed.connect(self._redraw_icon)

    def set_menu(self, menu: QMenu) -> None:
        """Opens this menu instead of doing something; a chevron says so."""
        # Not Qt's own menu button: with a style sheet it lays out text and arrow over each other.
        if self._menu is None:
            self.clicked.connect(self.open_menu)
        self._menu = menu
        self.setProperty("hasMenu", True)
        self.setAccessibleDescription("Opens a menu")
        self.style().unpolish(self)
        self.style().polish(self)

    def menu_of(self) -> QMenu | None:
        """The menu it opens, if any."""
        return self._menu

    def open_menu(self) -> None:
        if self._menu is not None:
            self._menu.popup(self.mapToGlobal(QPoint(0, self.height() + 2)))

    def setText(self, text: str) -> None:
        # Names of people and shops hold “&”, which Qt would take for the mark of a shortcut.
        super().setText(text.replace("&", "&&"))

    def text(self) -> str:
        """The words as they were given."""
        return super().text().replace("&&", "&")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._menu is not None:
            place = QPointF(self.width() - 15, self.height() / 2 + 0.5)
            icons.draw(QPainter(self), place, "chevron-down", "text_muted", theme().px(12))

    def _redraw_icon(self) -> None:
        size, gap = theme().px(_ICON_SIZE), theme().px(_ICON_GAP) if self.text() else 0
        self.setIcon(icons.icon(self._icon_name, self.icon_colour, size, gap=gap))
        self.setIconSize(QSize(size + gap, size))


class SecondaryButton(Button):
    """What can also be done."""


class PrimaryButton(Button):
    """The one thing to do here."""

    kind = "primary"
    icon_colour = "on_accent"


class DangerButton(Button):
    """Removes something; offered with undo."""

    kind = "danger"
    icon_colour = "bad_text"


class LinkButton(Button):
    """An action in the size of text. `quiet` is grey."""

    kind = "link"
    icon_colour = "accent_text"

    def __init__(self, text: str, on_click: Callable[[], object] | None = None, *, quiet: bool = False) -> None:
        super().__init__(text, on_click)
        if quiet:
            self.setProperty("kind", "quiet-link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)


class IconButton(QToolButton):
    """A glyph only; `name` is what it does, for the tooltip and for screen readers."""

    def __init__(
        self,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        size: int = 18,
        checkable: bool = False,
    ) -> None:
        super().__init__()
        self._icon_name = icon
        self._size = size
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if on_click is not None:
            self.clicked.connect(guarded(lambda _checked=False: on_click()))
        self._redraw()
        theme().changed.connect(self._redraw)

    def set_icon(self, icon: str) -> None:
        if icon != self._icon_name:
            self._icon_name = icon
            self._redraw()

    def _redraw(self) -> None:
        size = theme().px(self._size)
        self.setIcon(icons.icon(self._icon_name, "text_secondary", size))
        self.setIconSize(icons.size_of(size))


class Chip(Button):
    """A small round button: an offer (“Add goal”), or a filter that is on or off when `checkable`."""

    kind = "pill"

    def __init__(
        self, text: str, on_click: Callable[[], object] | None = None, *, icon: str = "", checkable: bool = False
    ) -> None:
        super().__init__(text, on_click, icon=icon)
        self.setCheckable(checkable)


class MenuChip(Chip):
    """A filter with a few choices: shows the chosen one, opens the others. `chosen(key)` when the person picks."""

    chosen = Signal(str)

    def __init__(self, choices: Mapping[str, str], value: str | None = None, *, name: str = "") -> None:
        """`choices` maps keys to words; `name` says for screen readers what is chosen (“Industry”)."""
        super().__init__("")
        self._choices = dict(choices)
        self._name = name
        self.value = value if value is not None else next(iter(self._choices))
        menu = QMenu(self)
        for key, words in self._choices.items():
            menu.addAction(words.replace("&", "&&")).triggered.connect(lambda _checked=False, key=key: self._pick(key))
        self.set_menu(menu)
        self.set_value(self.value)

    def set_value(self, value: str) -> None:
        """Shows a choice without announcing it. Raises KeyError for one there is not."""
        self.setText(self._choices[value])
        self.value = value
        self.setAccessibleName(f"{self._name}: {self.text()}" if self._name else self.text())

    @property
    def is_set(self) -> bool:
        """Whether it leaves something out: the choice of everything, where there is one, has no key."""
        return "" in self._choices and self.value != ""

    def add_to(self, menu: QMenu) -> None:
        """Offers the same choices in another menu, for where there is no room for the chip itself."""
        own = menu.addMenu(f"{self._name or 'Filter'}: {self.text()}".replace("&", "&&"))
        for key, words in self._choices.items():
            action = own.addAction(words.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(key == self.value)
            action.triggered.connect(lambda _checked=False, key=key: self._pick(key))

    def _pick(self, key: str) -> None:
        self.set_value(key)
        self.chosen.emit(key)


class MenuButton(Button):
    """A secondary button that opens a menu (“Export”)."""

    def __init__(self, text: str, entries: Sequence[tuple[str, Callable[[], object]]]) -> None:
        super().__init__(text)
        menu = QMenu(self)
        for words, run in entries:
            menu.addAction(words.replace("&", "&&")).triggered.connect(guarded(lambda _checked=False, run=run: run()))
        self.set_menu(menu)


class Segmented(QWidget):
    """One of a few, all visible. Arrow keys move the choice.

    `chosen(key)` when the person changes it, `changed` also when the program does.
    """

    chosen = Signal(str)
    changed = Signal()

    def __init__(self, choices: Mapping[str, str], value: str | None = None, *, name: str = "") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for key, words in choices.items():
            button = _Segment(words)
            button.clicked.connect(lambda _checked=False, key=key: self._pick(key))
            self._group.addButton(button)
            self._buttons[key] = button
        self.setLayout(row(*self._buttons.values(), spacing=0, margins=(1, 1, 1, 1)))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._value = ""
        self.set_value(value if value is not None else next(iter(choices)))

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        """Shows a choice without announcing it. Raises KeyError for one there is not."""
        self._buttons[value].setChecked(True)
        self._value = value
        self.update()
        self.changed.emit()

    def set_enabled_choice(self, key: str, enabled: bool, why: str = "") -> None:
        """Greys a choice out; `why` becomes its tooltip."""
        self._buttons[key].setEnabled(enabled)
        self._buttons[key].setToolTip(why)

    def button(self, key: str) -> QPushButton:
        return self._buttons[key]

    def _pick(self, key: str) -> None:
        if key != self._value:
            self.set_value(key)
            self.chosen.emit(key)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        self._paint_chosen(painter, frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        for button in list(self._buttons.values())[:-1]:
            x = button.geometry().right() + 0.5
            painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 1))

    def _paint_chosen(self, painter: QPainter, frame: QRectF) -> None:
        chosen = QRectF(self._buttons[self._value].geometry()).adjusted(-1, -1, 0, 1)
        painter.save()
        painter.setClipRect(chosen)
        painter.setBrush(theme().colour("accent_soft"))
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        painter.restore()


class _Segment(QPushButton):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.setProperty("kind", "segment")
        self.setAutoDefault(False)

    def sizeHint(self) -> QSize:
        # Room for the bolder word of the chosen state, so that choosing does not move its neighbours.
        hint = super().sizeHint()
        return QSize(hint.width() + theme().px(4), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ring(painter, self, QRectF(self.rect()), RADIUS_CONTROL - 2)
