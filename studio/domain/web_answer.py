"""Reading values out of what a web address answered: a path into its JSON, a type for each value, words for what is not
there.

An answer is anybody's text: only its first megabyte is looked at, only single values are taken, and none is longer than
a short text. Absent on purpose: calling (`connectors.web`), and what the values are for (`nodes/send/http.py`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NoReturn, TypeAlias

from pydantic import JsonValue

from studio.domain.errors import UserFixable

ANSWER_BYTES_MAX = 1_000_000
TEXT_MAX = 500
_PATH_PARTS_MAX = 12
_PART = re.compile(r'\.?(?P<name>[^\s.\[\]"]+)|\[(?P<index>-?\d{1,6})\]|\["(?P<quoted>[^"]{1,100})"\]')

Kind: TypeAlias = Literal["text", "number", "yes_no", "date"]
Part: TypeAlias = Literal["json", "text", "status"]
Value: TypeAlias = str | float | bool
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """One value to take: `json` by a path (an empty one is the whole answer), the whole `text`, or the `status`."""

    name: str
    part: Part = "json"
    path: Path = ()
    kind: Kind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an answer has to say before its call counts as done."""

    path: Path
    value: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Values by name, and for those that are not there why. Dates are ISO 8601 texts, in UTC where they have a time."""

    values: Mapping[str, Value] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """As the ledger keeps it."""
        return json.dumps({"values": self.values, "missing": self.missing}, ensure_ascii=False)


def taken_of(text: str) -> Taken:
    """What `Taken.to_json` wrote."""
    found = json.loads(text)
    return Taken(found["values"], found["missing"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `lack`: why `content` is not all of it, in words; empty when it is."""

    status: int
    content: bytes
    lack: str = ""


class _NoValueError(Exception):
    """Why there is no value, in words."""


def parse_path(text: str) -> Path:
    """`customer.plan`, `items[0].id`, `["a name with spaces"][-1]`; an empty text is the whole answer.

    Raises:
        UserFixable: WEB-PATH.
    """
    parts: list[str | int] = []
    at, text = 0, text.strip()
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (found[0].startswith(".") and at == 0) or len(parts) == _PATH_PARTS_MAX:
            _refuse_path(text)
        if found["name"] is not None and at > 0 and not found[0].startswith("."):
            _refuse_path(text)
        parts.append(int(found["index"]) if found["index"] is not None else found["name"] or found["quoted"])
        at = found.end()
    return tuple(parts)


def _refuse_path(text: str) -> NoReturn:
    hint = "Write it like customer.plan or items[0].id."
    raise UserFixable("WEB-PATH", f"“{text[:80]}” is not a place in an answer", where="path", hint=hint)


def take(takings: Sequence[Taking], answer: Answer) -> Taken:
    """What is asked for, out of an answer. Never raises for what the answer holds; O(answer)."""
    values: dict[str, Value] = {}
    missing: dict[str, str] = {}
    document = _Document(answer)
    for taking in takings:
        try:
            values[taking.name] = typed(document.find(taking), taking.kind)
        except _NoValueError as lack:
            missing[taking.name] = str(lack)
    return Taken(values, missing)


def disappointment(expected: Sequence[Expected], answer: Answer) -> str | None:
    """What the answer says that it should not, in words; None where all is as expected."""
    document = _Document(answer)
    for wanted in expected:
        try:
            found = document.at(wanted.path)
        except _NoValueError as lack:
            return f"{_shown(wanted.path)} should be “{wanted.value}”, but {lack}"
        if _as_text(found).casefold() != wanted.value.strip().casefold():
            return f"{_shown(wanted.path)} should be “{wanted.value}”, and is “{_as_text(found)[:80]}”"
    return None


def typed(value: JsonValue, kind: Kind) -> Value:
    """The value as one of its kind. Raises a private error with words, see `example`."""
    if isinstance(value, (dict, list)):
        raise _NoValueError("it is a list or a group, not a single value")
    if value is None:
        raise _NoValueError("it is empty there")
    match kind:
        case "text":
            return _text(value)
        case "number":
            return _number(value)
        case "yes_no":
            return _yes_no(value)
        case "date":
            return _date(value)


def example(text: str, kind: Kind) -> Value:
    """A value that a person wrote, as one of its kind.

    Raises:
        UserFixable: WEB-EXAMPLE with what is wrong with it.
    """
    try:
        return typed(text, kind)
    except _NoValueError as lack:
        hint = "Write one as the service would answer it."
        raise UserFixable("WEB-EXAMPLE", f"The example does not fit: {lack}", where="example", hint=hint) from None


class _Document:
    """An answer, read when it is first asked for something."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._root: JsonValue = None
        self._is_read = False

    def find(self, taking: Taking) -> JsonValue:
        match taking.part:
            case "status":
                return self._answer.status
            case "text":
                return self._text().strip()
            case "json":
                return self.at(taking.path)

    def at(self, path: Path) -> JsonValue:
        if not self._is_read:
            self._root, self._is_read = self._read(), True
        value = self._root
        for depth, part in enumerate(path, start=1):
            try:
                value = _inside(value, part)
            except LookupError:
                raise _NoValueError(f"the answer has no {_shown(path[:depth])}") from None
        return value

    def _text(self) -> str:
        if self._answer.lack:
            raise _NoValueError(self._answer.lack)
        return self._answer.content.decode(errors="replace")

    def _read(self) -> JsonValue:
        text = self._text()
        if not text.strip():
            raise _NoValueError("the answer is empty")
        try:
            return json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise _NoValueError("the answer is not JSON") from None


def _inside(value: JsonValue, part: str | int) -> JsonValue:
    """What stands in a group under a name, or in a list at a place. Raises LookupError."""
    if isinstance(value, dict) and isinstance(part, str):
        return value[part]
    if isinstance(value, list) and isinstance(part, int):
        return value[part]
    raise LookupError(part)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _text(value: str | float) -> str:
    text = _as_text(value)
    if len(text) > TEXT_MAX:
        raise _NoValueError(f"it is longer than {TEXT_MAX} characters")
    return text


def _number(value: str | float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _NoValueError(f"“{_as_text(value)[:40]}” is not a number")
    return number


def _yes_no(value: str | float) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    text = _as_text(value).casefold()
    if text not in known:
        raise _NoValueError(f"“{text[:40]}” is neither yes nor no")
    return known[text]


def _date(value: str | float) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-05-01"):
            # A day alone is a day everywhere; in UTC it could become the one before.
            return moment.date().isoformat()
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        shown = _as_text(value)[:40]
        raise _NoValueError(f"“{shown}” is not a date like 2026-05-01 or 2026-05-01T09:30:00Z") from None


def _as_text(value: JsonValue) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return f"“{text}”" if text else "the answer"
