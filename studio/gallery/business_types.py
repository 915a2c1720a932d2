"""Which kind of business a text is about, softly: a share for each of the types in `resources/gallery/types.json`.

The likelihood comes from cue words and from word overlap with each type's description. Absent on purpose: certainty.
The three likeliest are offered for confirmation; the type a person confirmed is taken as it is.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from studio.domain.errors import UserFixable
from studio.gallery import cues
from studio.gallery.lexical import Index

STRONG = 2.0
WEAK = 0.4
OVERLAP = 0.35
TEMPERATURE = 1.6
CONFIRMED = 0.97
"""Share of a type that a person confirmed."""


@dataclass(frozen=True, slots=True)
class TypeCues:
    """Phrases that point to a type: `strong` ones nearly name it, `weak` ones go with it."""

    strong: tuple[str, ...]
    weak: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusinessType:
    """One kind of business. `fit` says how well each archetype suits it: 1 first choice, 0.5 suits, absent does not.

    `schema` are the schema.org types that such a business gives itself on its pages.
    """

    id: str
    title: Mapping[str, str]
    about: str
    schema: tuple[str, ...]
    cues: TypeCues
    fit: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Table:
    types: tuple[BusinessType, ...]


@cache
def business_types() -> tuple[BusinessType, ...]:
    """All types, in the order of the file."""
    return cues.table("types", _Table).types


def business_type(type_id: str) -> BusinessType:
    """The type of that id. Raises UserFixable (`TYPE-UNKNOWN`) with the nearest one."""
    known = {kind.id: kind for kind in business_types()}
    if type_id in known:
        return known[type_id]
    near = difflib.get_close_matches(type_id, known, n=1)
    raise UserFixable(
        "TYPE-UNKNOWN",
        f"There is no business type “{type_id}”.",
        where="type",
        hint=f"Did you mean “{near[0]}”?" if near else f"The types are: {', '.join(known)}.",
    )


def likelihood(text: str, hints: Mapping[str, float] | None = None) -> dict[str, float]:
    """Share per type id; the shares sum to 1, and are equal when nothing in the text points anywhere.

    `hints` add to the score of a type, e.g. for what structured data on a page says (2 is one strong cue).
    """
    text = text[: cues.MAX_TEXT]
    overlap = _index().scores(text)
    scores = [
        STRONG * _evidence(kind.cues.strong, text)
        + WEAK * _evidence(kind.cues.weak, text)
        + OVERLAP * overlap[position]
        + (hints or {}).get(kind.id, 0.0)
        for position, kind in enumerate(business_types())
    ]
    top = max(scores)
    powers = [math.exp((score - top) / TEMPERATURE) for score in scores]
    total = sum(powers)
    return {kind.id: power / total for kind, power in zip(business_types(), powers, strict=True)}


def is_kind(word: str) -> bool:
    """Whether a single word says what kind of business it is (“Sprachschule”): it stands where a name could."""
    if " " in word:
        return False
    said = ((*kind.cues.strong, *kind.cues.weak) for kind in business_types())
    return any(match[0] == word for cued in said for match in cues.found(cued, word))


def confirmed(type_id: str) -> dict[str, float]:
    """The shares after a person confirmed a type."""
    business_type(type_id)
    rest = (1 - CONFIRMED) / (len(business_types()) - 1)
    return {kind.id: CONFIRMED if kind.id == type_id else rest for kind in business_types()}


@cache
def _index() -> Index:
    return Index.of([f"{kind.title['en']} {kind.title['de']} {kind.about}" for kind in business_types()])


def _evidence(words: tuple[str, ...], text: str) -> float:
    """Distinct cues found, each counting a little more when it is repeated; “no online shop” does not count."""
    seen = Counter(
        match.group().lower()
        for match in cues.found(words, text)
        if not cues.is_negated(text, match) and not cues.is_only_the_house(text, match)
    )
    return sum(1 + 0.5 * math.log(count) for count in seen.values())
