"""The bar above everything: workspace, where one is, the command field, the mode of running, the state of the system.

Absent on purpose: buttons of a single screen; those stand on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QWidget

from studio.ui.focus import paint_ring
from studio.ui.shell.actions import shortcut_text
from studio.ui.shell.mark import Mark
from studio.ui.theme import theme
from studio.ui.tokens import RADIUS_CONTROL
from studio.ui.widgets.buttons import Button, LinkButton, MenuChip, Segmented
from studio.ui.widgets.labels import ElidingLabel, Text
from studio.ui.widgets.layout import STRETCH, clear, row, widgets_of
from studio.ui.widgets.marks import Pill

MODES = {"simulate": "Simulate", "test": "Test", "live": "Live"}
COMMAND_HINT = "Search templates, nodes, runs, or type a command"
_HEIGHT = 52
_HERE_LEAST = 60
"""Of the name of where one is, beside a state, in pixels at 100 % text scale."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way to what is shown; the last one is where one is."""

    text: str
    on_click: Callable[[], object] | None = None


class CommandField(QAbstractButton):
    """Looks like a search field; opens the command palette."""

    def __init__(self) -> None:
        super().__init__()
        self.setText(COMMAND_HINT)
        self.setAccessibleName(f"{COMMAND_HINT}, {shortcut_text('Ctrl+K')}")
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        words = QFontMetrics(theme().font("body")).horizontalAdvance(COMMAND_HINT)
        return QSize(max(380, words + self._key_width() + 34), theme().px(32))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._key_width() + theme().px(60), theme().px(32))

    def _key_width(self) -> int:
        return QFontMetrics(theme().font("caption")).horizontalAdvance(shortcut_text("Ctrl+K")) + 12

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme().colour("control_border" if self.underMouse() else "border"), 1))
        painter.setBrush(theme().colour("canvas"))
        painter.drawRoundedRect(frame, RADIUS_CONTROL, RADIUS_CONTROL)
        key = QRectF(0, 0, self._key_width(), theme().px(17))
        key.moveCenter(frame.center())
        key.moveRight(frame.right() - 10)
        painter.setBrush(theme().colour("surface"))
        painter.setPen(QPen(theme().colour("border"), 1))
        painter.drawRoundedRect(key, 4, 4)
        painter.setPen(theme().colour("text_muted"))
        painter.setFont(theme().font("caption"))
        painter.drawText(key, Qt.AlignmentFlag.AlignCenter, shortcut_text("Ctrl+K"))
        words = frame.adjusted(11, 0, -(self._key_width() + 18), 0)
        painter.setFont(theme().font("body"))
        elided = QFontMetrics(painter.font()).elidedText(self.text(), Qt.TextElideMode.ElideRight, int(words.width()))
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, elided)
        paint_ring(painter, self, QRectF(self.rect()), RADIUS_CONTROL)


class StatusPill(Pill):
    """The system's state in a dot and a few words; a click leads to Health."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__("Starting …", "state.idle")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_ring(painter, self, QRectF(self.rect()), self.height() / 2)


class Breadcrumb(QWidget):
    """“/ Workflows / Cart recovery · v7”, and small widgets of the screen behind it.

    Where it gets narrow it leaves out the extras first, then the note, then the way; never where one is. A state in a
    pill goes last: where one is gets shorter for it. Filters that are left out are in the menu of one chip, which says
    how many of them are set.
    """

    def __init__(self, before: QWidget) -> None:
        """`before` is what has the keyboard before the crumbs."""
        super().__init__()
        self._before = before
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(6)
        self._place: tuple[object, ...] = ()
        self._texts: list[Text] = []
        self._optional: list[QWidget] = []
        self._filters: list[MenuChip] = []
        self._states: list[QWidget] = []
        self._here: list[QWidget] = []
        self._more = _MoreChip()
        self._more.setParent(self)
        self._more.hide()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def set_place(self, crumbs: Sequence[Crumb], note: str = "", extras: Sequence[QWidget] = ()) -> None:
        """`extras` are taken over, and deleted by a call that does not bring them again."""
        self.setAccessibleName("You are at " + ", ".join(crumb.text for crumb in crumbs))
        place = (*crumbs[:-1], len(crumbs), bool(note), *extras)
        if place == self._place:  # the same way to something else: making widgets anew costs more than other words
            for text, words in zip(self._texts, (crumbs[-1].text, f"· {note}"), strict=False):
                text.setText(words)
            self._fit()
            return
        self._place = place
        for kept in (self._more, *extras):
            self._box.removeWidget(kept)
        clear(self._box)
        way = [widget for crumb in crumbs[:-1] for widget in (_slash(), _crumb(crumb))]
        name = [ElidingLabel(crumbs[-1].text, "strong")] if crumbs else []
        here: list[QWidget] = [_slash(), *name] if crumbs else []
        noted = [ElidingLabel(f"· {note}", "body", "muted")] if note else []
        self._texts = [*name, *noted] if crumbs else []
        for widget in (*way, *here, *noted, *extras):
            self._box.addWidget(widget)
            # Before that its width is that of another font.
            widget.ensurePolished()
        self._filters = [widget for widget in extras if isinstance(widget, MenuChip)]
        self._more.hide()
        self._box.addWidget(self._more)
        self._more.ensurePolished()
        self._box.addStretch(1)
        self._set_tab_order()
        self._states = [widget for widget in extras if isinstance(widget, Pill)]
        others = [widget for widget in reversed(extras) if widget not in self._states]
        self._optional = [*others, *noted, *way, *self._states]
        self._here = here[-1:]
        self._fit()

    def _set_tab_order(self) -> None:
        last = self._before
        for widget in self._widgets():
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                QWidget.setTabOrder(last, widget)
                last = widget

    def sizeHint(self) -> QSize:
        whole = [widget for widget in self._widgets() if widget is not self._more]
        return QSize(self._width_of(whole), self._box.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        kept = [widget for widget in self._widgets() if widget not in self._optional and widget is not self._more]
        filters = self._width_of([self._more]) if self._filters else 0
        states = self._width_of(self._states)
        return QSize(min(theme().px(90), self._width_of(kept)) + filters + states, self._box.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _widgets(self) -> list[QWidget]:
        return widgets_of(self._box)

    def _width_of(self, widgets: Sequence[QWidget]) -> int:
        return sum(widget.sizeHint().width() + self._box.spacing() for widget in widgets)

    def _spare(self) -> int:
        """By how much where one is can be shortened."""
        return sum(max(0, widget.sizeHint().width() - theme().px(_HERE_LEAST)) for widget in self._here)

    def _fit(self) -> None:
        shown = [widget for widget in self._widgets() if widget is not self._more]
        for widget in self._optional:
            spare = self._spare() if widget in self._states else 0
            if self._width_of(shown) - spare <= self.width() + self._box.spacing():
                break
            shown.remove(widget)
            if widget in self._filters and self._more not in shown:
                shown.append(self._more)
        for widget in (*self._optional, self._more):
            widget.setVisible(widget in shown)
        self._more.show_filters([chip for chip in self._filters if chip not in shown])


class _MoreChip(Button):
    """Opens the filters there is no room for."""

    kind = "pill"

    def __init__(self) -> None:
        super().__init__("Filters")
        self._left_out: Sequence[MenuChip] = ()
        self._choices = QMenu(self)
        self._choices.aboutToShow.connect(self._offer)
        self.set_menu(self._choices)

    def show_filters(self, left_out: Sequence[MenuChip]) -> None:
        self._left_out = left_out
        on = [chip.text() for chip in left_out if chip.is_set]
        self.setText(f"Filters: {len(on)} on" if on else "Filters")
        self.setAccessibleName(f"Filters: {', '.join(on) or 'none is on'}")
        self.setToolTip(", ".join(on))

    def _offer(self) -> None:
        self._choices.clear()
        for chip in self._left_out:
            chip.add_to(self._choices)


def _slash() -> QWidget:
    return Text("/", "body", "muted", wrap=False)


def _crumb(crumb: Crumb) -> QWidget:
    if crumb.on_click is not None:
        button = LinkButton(crumb.text, crumb.on_click, quiet=True)
        # Shown whole or not at all: a button does not elide its words, it cuts them off.
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        return button
    return Text(crumb.text, "body", "muted", wrap=False)


class WorkspaceButton(Button):
    """The workspace's name; its menu opens below."""

    kind = "workspace"


class TopBar(QWidget):
    """Signals: `mode_chosen(mode)`, `command_wanted`, `status_clicked`."""

    mode_chosen = Signal(str)
    command_wanted = Signal()
    status_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.workspace = WorkspaceButton("")
        self.breadcrumb = Breadcrumb(self.workspace)
        self.command = CommandField()
        self.mode = Segmented(MODES, name="Mode of running")
        self.status = StatusPill()
        self.mode.chosen.connect(self.mode_chosen)
        self.mode.changed.connect(self.update)
        self.command.clicked.connect(self.command_wanted)
        self.status.clicked.connect(self.status_clicked)
        line = row(Mark(), 10, self.workspace, 2, self.breadcrumb, 8, STRETCH, self.command, STRETCH, spacing=0)
        line.setContentsMargins(16, 0, 16, 1)
        line.addSpacing(12)
        line.addWidget(self.mode)
        line.addSpacing(14)
        line.addWidget(self.status)
        self.setLayout(line)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_workspace("No workspace")
        theme().changed.connect(self.updateGeometry)

    def set_workspace(self, name: str, menu: QMenu | None = None) -> None:
        self.workspace.setText(name)
        self.workspace.setAccessibleName(f"Workspace {name}")
        if menu is not None:
            self.workspace.set_menu(menu)

    def sizeHint(self) -> QSize:
        return QSize(960, max(_HEIGHT, theme().px(_HEIGHT * 0.8)))

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme().colour("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme().colour("border"))
        if self.mode.value == "live":
            # Real messages go to real people: the whole window says so, not only the switch.
            painter.fillRect(0, self.height() - 2, self.width(), 2, theme().colour("state.waiting"))
