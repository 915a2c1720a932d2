"""A mail as a reader sees it, at the width of a desktop or a phone.

Qt's text browser knows the tables and colours that mail is made of; what it does not know is written in another way
first. Nothing is fetched: a picture is a frame with its alternative text. Absent on purpose: a web engine, which would
double the size of the program.
"""

from __future__ import annotations

import re
from html import escape

from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QFrame, QTextBrowser

from studio.ui.theme import theme

WIDTHS = {"desktop": 640, "phone": 375}
_BLANK_SIZE = re.compile(r"font-size:\s*0(?:px)?\s*;?")
_LINE = re.compile(r"line-height:\s*0(?:px)?\s*;?")
_HIDDEN = re.compile(r'<div style="display:none;.*?</div>', re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)
_BUTTON = re.compile(
    r'(<td[^>]*?style="[^"]*)(")([^>]*>\s*<(?:a|p)\b[^>]*?style="[^"]*?)padding:\s*([^;"]+);?', re.DOTALL
)
_IMAGE = re.compile(r"<img\b[^>]*>")
_ALT = re.compile(r'\balt="([^"]*)"')
_BODY_COLOUR = re.compile(r"<body[^>]*?(?:background-color:\s*|bgcolor=\")(#[0-9a-fA-F]{3,6})")
_LAST_COLOUR = re.compile(r"background-color:\s*(#[0-9a-fA-F]{3,6})")


class MailView(QTextBrowser):
    """Shows HTML or plain text; links lead nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("The message as it will look")
        self._width = WIDTHS["desktop"]

    def set_width(self, name: str) -> None:
        """`desktop` or `phone`: how wide the reader's screen is."""
        self._width = WIDTHS[name]
        self.setFixedWidth(self._width)

    def show_mail(self, html: str) -> None:
        """The HTML of a message, on the ground it has."""
        place = self.verticalScrollBar().value()
        found = _BODY_COLOUR.search(html)
        head = html[html.find("<body") : html.find(">", html.find("<body")) + 1]
        colours = _LAST_COLOUR.findall(head)
        self._set_ground(colours[-1] if colours else found[1] if found else "#ffffff")
        self.setHtml(readable(html))
        self.verticalScrollBar().setValue(place)

    def show_text(self, text: str) -> None:
        """The plain part of a message."""
        self._set_ground(theme().palette.surface)
        colour = theme().palette.text
        self.setHtml(f'<pre style="white-space:pre-wrap;color:{colour};margin:14px">{escape(text)}</pre>')

    def loadResource(self, _kind: int, _name: QUrl) -> None:
        """Nothing is fetched: a message must not call home from here."""

    def _set_ground(self, colour: str) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, QColor(colour))
        self.setPalette(palette)
        rim = theme().palette.border
        self.setStyleSheet(
            f"QTextBrowser {{ background: {colour}; border: 1px solid {rim}; border-radius: 0; padding: 0; }}"
        )


def readable(html: str) -> str:
    """The mail as the text browser understands it: padding of buttons on their cells, no sizes of nothing."""
    shown = _COMMENT.sub("", _HEAD.sub("", html))
    shown = _HIDDEN.sub("", shown, count=1)
    shown = _LINE.sub("", _BLANK_SIZE.sub("", shown))
    shown = _BUTTON.sub(r"\1;padding:\4\2\3", shown)
    return _IMAGE.sub(_framed, shown)


def _framed(found: re.Match[str]) -> str:
    alt = _ALT.search(found[0])
    words = alt[1] if alt is not None and alt[1] else "picture"
    return f'<span style="background-color:#d5d9e0;color:#1f2430;font-size:13px">&nbsp;▧ {words}&nbsp;</span>'
