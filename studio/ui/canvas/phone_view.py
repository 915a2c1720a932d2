"""An SMS or a push message as it stands on a phone, for somebody, while it is being written.

Absent on purpose: the looks of single makers' phones; and mail, which has its own window (`message_window.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from studio.domain.node import Channel
from studio.nodes.send.push import TEXT_MAX, TITLE_MAX
from studio.nodes.send.sms import segments
from studio.ui.canvas.form_aid import FormAid
from studio.ui.numbers import count, plural
from studio.ui.theme import theme
from studio.ui.widgets import Field, Text

_LOOK_MS = 200
_PAD = 12.0
_WRAP = int(Qt.TextFlag.TextWordWrap)
_BREAK = "\u200b"
"""Where a long address may go on in the next line."""


class PhoneScreen(QWidget):
    """A bubble (SMS) or a card on the locked screen (push)."""

    def __init__(self) -> None:
        super().__init__()
        self._who = self._title = self._text = ""
        self._channel: Channel = "sms"
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme().changed.connect(self.updateGeometry)

    def show_message(self, channel: Channel, who: str, title: str, text: str) -> None:
        self._channel, self._who, self._title, self._text = channel, who, title, text
        kind = "SMS" if channel == "sms" else "Push message"
        self.setAccessibleName(f"{kind} as it will look: {' '.join((title, text)).strip()}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, self.heightForWidth(280))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(sum(part.height() for _words, part, _role in self._parts(width)) + 5 * _PAD)

    def _parts(self, width: float) -> list[tuple[str, QRectF, str]]:
        inner = width - 4 * _PAD - (width / 8 if self._channel == "sms" else 0)
        text = self._text.replace("/", f"/{_BREAK}")
        shown = [(self._who, "caption"), (self._title, "strong"), (text, "body")]
        top, parts = 0.0, []
        for words, role in shown:
            if words:
                metrics = QFontMetricsF(theme().font(role))  # type: ignore[arg-type] - one of the roles above
                box = metrics.boundingRect(QRectF(0, 0, inner, 4_000), _WRAP, words)
                parts.append((words, QRectF(0, top, inner, box.height() + 2), role))
                top += box.height() + 2
        return parts

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme().colour("border"))
        painter.setBrush(theme().colour("canvas"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 18, 18)
        parts = self._parts(self.width())
        height = sum(part.height() for _words, part, _role in parts)
        width = parts[0][1].width() if parts else 0
        bubble = QRectF(_PAD, 1.5 * _PAD, width + 2 * _PAD, height + 2 * _PAD)
        painter.setBrush(theme().colour("surface"))
        painter.drawRoundedRect(bubble, 14, 14)
        for words, part, role in parts:
            painter.setFont(theme().font(role))  # type: ignore[arg-type] - one of the roles above
            painter.setPen(theme().colour("text_muted" if role == "caption" else "text"))
            painter.drawText(part.translated(bubble.topLeft() + QRectF(0, 0, _PAD, _PAD).bottomRight()), _WRAP, words)


class PhonePreview(QWidget):
    """The message as it comes to a person, with how long it is."""

    def __init__(self, aid: FormAid) -> None:
        super().__init__()
        self._aid = aid
        self._channel: Channel = "sms"
        self._who = ""
        self._texts: tuple[str, ...] = ()
        self._has_asked_people = False
        self.person = QComboBox()
        self.person.addItem("Anna Example (made up)", None)
        self.person.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.screen = PhoneScreen()
        self.length = Text("", "caption", "muted")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(Field("As it comes to", self.person))
        box.addWidget(self.screen)
        box.addWidget(self.length)
        self._timer = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look_now)
        self.person.activated.connect(lambda _index: self.look_now())

    def show_texts(self, channel: Channel, who: str, title: str, text: str) -> None:
        """The texts as they are being written; `who` is the sender a phone shows."""
        wanted = (title, text) if channel == "push" else (text,)
        if (channel, who, wanted) == (self._channel, self._who, self._texts):
            return
        self._channel, self._who, self._texts = channel, who, wanted
        if not self._has_asked_people and self._aid.answers is not None:
            self._has_asked_people = True
            self._aid.answers.people(self._show_people, self)
        self._timer.start()

    def look_now(self) -> None:
        """Asks how the message looks, as it stands now."""
        asked = self._texts
        if self._aid.answers is None:
            self._show(asked, "")
        else:
            self._aid.answers.fill(
                asked,
                self.person.currentData(),
                lambda made, problem: self._show(made, problem) if asked == self._texts else None,
                self,
            )

    def _show_people(self, people: Sequence[tuple[int | None, str]]) -> None:
        self.person.clear()
        for number, title in people:
            self.person.addItem(title, number)

    def _show(self, made: Sequence[str], problem: str) -> None:
        if problem:
            self.screen.show_message(self._channel, self._who, "", "…")
            self._say(problem.splitlines()[0], is_wrong=True)
            return
        *title, text = made
        self.screen.show_message(self._channel, self._who, "".join(title), text)
        if self._channel == "sms":
            self._say(f"{plural(len(text), 'character')}, paid as {count(segments(text))} SMS")
        else:
            over = len(made[0]) > TITLE_MAX or len(text) > TEXT_MAX
            said = f"Title {count(len(made[0]))} of {TITLE_MAX} characters, text {count(len(text))} of {TEXT_MAX}"
            self._say(said, is_wrong=over)

    def _say(self, words: str, *, is_wrong: bool = False) -> None:
        self.length.setText(words)
        self.length.set_tone("bad" if is_wrong else "muted")
