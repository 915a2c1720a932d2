"""A tone of voice in messages: how people are greeted, how short the words are, and a subject line in that tone.

Deterministic word lists in `resources/gallery/tones.json`; whatever a message fills in or is laid out with stays
untouched. Absent on purpose: rewriting sentences, and German without “Sie”: both need somebody who can write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from studio.domain.template import BusinessContext
from studio.gallery import cues

NEUTRAL = "neutral"
_TOLD = 0.5
"""Below, a tone was guessed from a few words: no ground to speak differently to customers."""
_UNTOUCHED = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\$\{\w+\}|<[^>]*>|https?://\S+)", re.DOTALL)
"""Fields, conditions, parameters, markup and addresses."""


@dataclass(frozen=True, slots=True)
class _Tones:
    """`words`: pairs from → to by language and tone. `subjects`: by archetype, language and tone."""

    words: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]]
    subjects: Mapping[str, Mapping[str, Mapping[str, str]]]


def tone_of(context: BusinessContext) -> str:
    """The tone that the business speaks in, the first where several are told; `neutral` while none is sure."""
    fact = context.fact("tone")
    is_told = fact is not None and fact.confidence >= _TOLD
    said = str(fact.value).split(", ", maxsplit=1)[0] if fact is not None and is_told else NEUTRAL
    return said if said in _table().words["en"] else NEUTRAL


def in_tone(text: str, tone: str, language: str) -> str:
    """A message text with the words of a tone. Doing it twice changes nothing more."""
    pairs = _table().words.get(language, {}).get(tone, ())
    if not pairs:
        return text
    parts = _UNTOUCHED.split(text)
    return "".join(part if index % 2 else _spoken(part, pairs) for index, part in enumerate(parts))


def subject_in_tone(archetype: str, tone: str, language: str) -> str | None:
    """A subject line for a first message of that kind, None where the library has none."""
    return _table().subjects.get(archetype, {}).get(language, {}).get(tone)


def _spoken(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    told = {before.lower(): after for before, after in pairs}

    def swapped(match: re.Match[str]) -> str:
        after = told[match[0].lower()]
        return after[0].upper() + after[1:] if match[0][0].isupper() else after

    return _pattern(tuple(told)).sub(swapped, text)


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


def _table() -> _Tones:
    return cues.table("tones", _Tones)
