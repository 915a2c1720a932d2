"""What the forms ask while somebody types: names to complete, people to try a rule on, how a message looks.

Absent on purpose: the answers; whoever opens the page brings them, and without them forms work all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from studio.domain.completion import Vocabulary
from studio.domain.expression import Scope


@dataclass(frozen=True, slots=True)
class Trial:
    """`said`: one line about whom a rule holds for or how a text reads; `remarks`: doubts; `problem`: why not."""

    said: str = ""
    remarks: Sequence[str] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The texts of a message as they are being written."""

    subject: str
    preheader: str
    body: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Advised:
    """A piece of advice about a message. `level`: error, warning or hint; `line` in the body, None elsewhere."""

    level: str
    message: str
    hint: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A message as one person would get it."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    dark_html: str = ""
    text: str = ""
    advice: Sequence[Advised] = ()
    problem: str = ""


class Answers(Protocol):
    """Each answer comes later, on the Qt thread, and only while `owner` lives."""

    def try_rule(self, text: str, scope: Scope, then: Callable[[Trial], object], owner: QObject) -> None: ...

    def try_text(self, text: str, then: Callable[[Trial], object], owner: QObject) -> None: ...

    def fill(
        self,
        texts: Sequence[str],
        person: int | None,
        then: Callable[[Sequence[str], str], object],
        owner: QObject,
    ) -> None:
        """Each text filled in for somebody, and why that cannot be done, of which one is empty."""
        ...

    def look(self, draft: Draft, person: int | None, then: Callable[[Look], object], owner: QObject) -> None: ...

    def people(self, then: Callable[[Sequence[tuple[int | None, str]]], object], owner: QObject) -> None: ...


class FormAid(QObject):
    """Shared by all forms of a page. `changed`: other names are known now."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = Vocabulary()
        self.answers: Answers | None = None

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        if vocabulary != self.vocabulary:
            self.vocabulary = vocabulary
            self.changed.emit()
