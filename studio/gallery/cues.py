"""Cue phrases: finding listed words in a text and quoting where they stand.

Cues are plain phrases with `*` for any letters and `?` for one letter (`donat*`, `organi?ations`). The lists lie in
`resources/gallery`. Absent on purpose: grammar. A cue is a hint with a quote, never proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from studio import resources
from studio.domain.errors import Corrupt

Shape = TypeVar("Shape")

MAX_TEXT = 200_000
"""Longer texts are cut: what a business is stands well before."""
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-ZÄÖÜ“\"])")
_NEGATED = re.compile(r"\b(?:no|not|never|without|don['’]t|kein\w*|nicht|ohne|nie)\W+(?:\w+\W+){0,2}$", re.IGNORECASE)
_ONCE = re.compile(
    r"\bin (?:(?:a|an|the) (?:old|former|converted|disused)|(?:einer|der|einem) (?:alt|ehemalig)\w*)\W+$", re.IGNORECASE
)


@cache
def table(name: str, shape: type[Shape]) -> Shape:
    """One word list of `resources/gallery`, by file name without ending, as the frozen dataclass that it holds.

    Raises Corrupt: RESOURCES-MISSING, or RESOURCES-BROKEN with the first place that does not have that shape.
    """
    found = resources.path("gallery", f"{name}.json")
    try:
        return TypeAdapter(shape).validate_json(found.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Corrupt(
            "RESOURCES-BROKEN", f"{place}: {first['msg']}.", where=str(found), hint="Install the program again."
        ) from None


@lru_cache(maxsize=4_096)
def pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    """One expression that finds any of the cues as whole words, case ignored; an empty list finds nothing."""
    if not cues:
        return re.compile(r"(?!)")
    longest_first = sorted(cues, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_expression, longest_first))})(?!\w)", re.IGNORECASE)


def found(cues: Sequence[str], text: str) -> Iterator[re.Match[str]]:
    """Where any of the cues stands in the text, in reading order.

    Only cues whose letters occur at all become an expression: compiling all of them took longer than reading the text.
    """
    lowered = _lowered(text)
    return pattern(tuple(cue for cue in cues if _letters(cue) in lowered)).finditer(text)


def is_negated(text: str, match: re.Match[str]) -> bool:
    """Whether a “no”, “without”, “kein …” stands up to two words before the match."""
    return bool(_NEGATED.search(text[max(0, match.start() - 24) : match.start()]))


def is_only_the_house(text: str, match: re.Match[str]) -> bool:
    """Whether the match says what the house was once: “in an old brewery”."""
    return bool(_ONCE.search(text[max(0, match.start() - 30) : match.start()]))


def quote(text: str, start: int, end: int, around: int = 40) -> str:
    """The found words with a little of their sentence around them, cut at word ends, on one line."""
    left, right = max(0, start - around), min(len(text), end + around)
    begins, ends = left == 0, right == len(text)
    if sentences := list(_SENTENCE_END.finditer(text, left, start + 1)):
        left, begins = sentences[-1].end(), True
    elif not begins:
        left = text.find(" ", left, start) + 1 or start
    if sentence := _SENTENCE_END.search(text, max(end - 1, start), right):
        right, ends = sentence.start() + 1, True
    elif not ends:
        right = text.rfind(" ", end, right)
        right = end if right < 0 else right
    piece = " ".join(text[left:right].split())
    return f"“{'' if begins else '… '}{piece}{'' if ends else ' …'}”"


@cache
def _letters(cue: str) -> str:
    """The longest run of letters that a match must contain."""
    return max(re.split(r"[*?\s]+", cue.lower()), key=len)


_lowered = lru_cache(maxsize=4)(str.lower)


def _expression(cue: str) -> str:
    parts = (re.escape(part).replace(r"\*", r"\w*").replace(r"\?", r"\w") for part in cue.split())
    return r"\s+".join(parts)
