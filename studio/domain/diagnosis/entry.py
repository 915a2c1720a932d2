"""What an entry of the catalogue of diagnoses is, and the signs by which it is recognised.

Absent on purpose: the entries themselves (one module per subject).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Whom: TypeAlias = Literal["person", "everybody", "step", "workspace"]
"""Whom it concerns: single people, all who were to get this, this step of the workflow, or the whole workspace."""

Action: TypeAlias = Literal[
    "retry", "resume", "resolve", "release", "setting", "people", "profile", "health", "restore", "file"
]
"""What the program can do about it: try the failed ones again, go on with the run, decide about each message, release a
held run, open the step's settings, show the people, open the sending profile, look at the workspace's health, restore a
backup, choose another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How a problem is recognised: by one of these codes and, where they are given, by what its words hold.

    reply: pattern of the mail server's status, enhanced status where it has one (`550 5.1.1`), else the plain one
    (`550`). words: pattern that is somewhere in the text. error: names of exception classes.
    """

    codes: tuple[str, ...]
    reply: str = ""
    words: str = ""
    error: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A cause: `title` says what happened, `cause` why, `remedy` what to do. `action` is what the program can do."""

    id: str
    signs: Signs
    title: str
    cause: str
    whom: Whom
    remedy: str
    action: Action | None

    @property
    def is_known(self) -> bool:
        """Whether the catalogue has an entry for the problem."""
        return bool(self.signs.codes)


def entry(
    subject: str,
    name: str,
    codes: str | tuple[str, ...],
    title: str,
    cause: str,
    remedy: str,
    *,
    whom: Whom,
    action: Action | None,
    reply: str = "",
    words: str = "",
    error: tuple[str, ...] = (),
) -> Diagnosis:
    """An entry as the tables of the subjects write it; a table gives what holds for most of its lines by `partial`."""
    signs = Signs(codes=(codes,) if isinstance(codes, str) else codes, reply=reply, words=words, error=error)
    return Diagnosis(
        id=f"{subject}.{name}", signs=signs, title=title, cause=cause, whom=whom, remedy=remedy, action=action
    )


_REPLY = re.compile(r'"(?P<status>[245]\d\d)[ -](?:(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})\b)?')
_ERROR = re.compile(r"\((?P<name>[A-Za-z_]\w*)(?::|\))")


def fits(signs: Signs, code: str, text: str) -> bool:
    """Whether a problem with this code and these words shows the signs."""
    if code not in signs.codes:
        return False
    if signs.reply:
        found = _REPLY.search(text)
        if found is None or not re.fullmatch(signs.reply, _said(found)):
            return False
    if signs.error:
        named = _ERROR.search(text)
        if named is None or named["name"] not in signs.error:
            return False
    return not signs.words or re.search(signs.words, text, re.IGNORECASE) is not None


def _said(found: re.Match[str]) -> str:
    return f"{found['status']} {found['enhanced']}" if found["enhanced"] else found["status"]
