"""What a text says in words: the business's name, what it sells, to whom, in which tone, with which goal and traits.

Absent on purpose: understanding. These are listed phrases and a few sentence shapes, each answer with its quote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.domain.template import Fact
from studio.gallery import cues
from studio.gallery.business_types import is_kind

_PROPER = (
    r"[A-Z0-9ÄÖÜ][\w'’-]*[\w’](?:\s(?:(?:&|and|und|of|the|von|der|to)\s)?(?:Dr\.|[A-Z0-9ÄÖÜ][\w'’-]*)|\se\.\s?V\.){0,5}"
)
_IS = (
    r"(?:is|are|was|were|sells|offers|makes|roasts|runs|provides|operates|brews|produces|helps|gives|lets|connects|"
    r"delivers|specialises|specializes|ist|sind|verkauft|bietet|röstet|betreibt|produziert|vermietet|hilft|liefert|"
    r"kümmert)"
)
_NAME_SHAPES = (
    (re.compile(rf"(?:^|[.!?]\s+)(?:(?:The|Der|Die|Das)\s)?(?P<name>{_PROPER}),?\s{_IS}\b"), 0.85),
    (re.compile(rf"\b(?:[Ww]e are|[Ww]e're|[Ww]elcome to|called|named)\s(?P<name>{_PROPER})"), 0.8),
    (re.compile(rf"\b(?:[Ww]ir sind|[Ww]illkommen bei|heißt|heißen|namens)\s(?P<name>{_PROPER})"), 0.8),
    (re.compile(rf"\b(?:[Aa]t|[Bb]ei)\s(?P<name>{_PROPER}),?\s(?:we|you|our|wir|sie|finden)\b"), 0.75),
    (re.compile(rf"^(?P<name>{_PROPER}),?\s(?:in|aus|from|–|-)\s[A-ZÄÖÜ]"), 0.6),
)
_NOT_NAMES = frozenset(
    (
        *("we", "our", "the", "this", "that", "these", "it", "its", "i", "you", "they", "there", "here", "in", "at"),
        *("for", "with", "a", "an", "as", "since", "founded", "established", "home", "new", "old", "my", "small"),
        *("wir", "unser", "unsere", "die", "der", "das", "dies", "hier", "seit", "ein", "eine", "es", "ich", "sie"),
        *("bei", "am", "im", "mein", "meine", "viele", "many", "who", "what", "how", "join", "book", "trusted"),
    )
)
_SELLS = re.compile(
    r"\b(?:sells?|selling|offers?|offering|makes?|making|roasts?|roasting|brews?|brewing|produces?|producing|"
    r"manufactures?|manufacturing|provides?|providing|serves?|serving|speciali[sz](?:es?|ing) in|"
    r"verkaufen|verkauft|bieten|bietet|rösten|röstet|brauen|produzieren|fertigen|liefern|vermieten|"
    r"spezialisiert auf)\s+(?P<what>[^.;:!?\n()]{3,140})",
    re.IGNORECASE,
)
_SELLS_END = re.compile(
    r"\s(?:to|for|in|through|from|via|with|at|online|across|on|und liefern|and ship|and deliver|an|für|im|in unserem|"
    r"nach|aus|über|sowie bieten)\s",
    re.IGNORECASE,
)
_ALSO_DOES = re.compile(r"^(?:and|or|und|oder)\s\w+\s", re.IGNORECASE)
"""The second verb of “sell and let houses”."""
_DOES_FOR_YOU = re.compile(
    r",?\s(?:and|und)\s\w+\s(?:you|your|them|it\b|sie\b|ihr\w*|dein\w*|euch|euer|eure\w*)\b.*", re.IGNORECASE
)
"""A further deed after the wares: “houses and flats, and value your home”, “cashews and posts them to offices”."""
_NO_WARES = frozenset(
    (
        *(
            "you",
            "it",
            "them",
            "us",
            "him",
            "her",
            "me",
            "sense",
            "sure",
            "this",
            "that",
            "these",
            "those",
            "up",
            "more",
        ),
        *(
            "no",
            "not",
            "be",
            "is",
            "are",
            "to",
            "sie",
            "es",
            "uns",
            "dich",
            "euch",
            "ihn",
            "das",
            "dies",
            "sich",
            "use",
        ),
    )
)
"""Words after “offers”, “makes” … that begin no list of wares."""
_FOR_WHOM = re.compile(r"\b(?:for|to|helps?|helping|für|an|unterstützen)\s[^.;:!?]{0,30}$", re.IGNORECASE)
_WISH = re.compile(
    r"\b(?:wants?|goals?|aims?|would like|needs?|wish\w*|hope|möchten?|wollen|will|ziele?)\b", re.IGNORECASE
)
_TONE = re.compile(r"[^.;!?]{0,60}\b(?:tone|voice|ton|tonfall|sprache)\b[^.;!?]{0,40}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Trait:
    """A yes-or-no fact. A phrase of `no` decides at once, one of `yes` unless it is denied."""

    name: str
    words: Mapping[str, str]
    confidence: float
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Implied:
    fact: str
    because: str
    confidence: float
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Cued:
    """A value with the phrases that point to it; `names` are words that state a tone, `words` how a goal is said."""

    value: str
    cues: tuple[str, ...]
    names: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Table:
    facts: tuple[_Trait, ...]
    implied: tuple[_Implied, ...]
    channels: tuple[_Cued, ...]
    tones: tuple[_Cued, ...]
    goals: tuple[_Cued, ...]
    audiences: tuple[str, ...]


def name_fact(text: str) -> Fact | None:
    """The business's name, from the shape of its sentences; None when no sentence has one of the shapes."""
    for shape, confidence in _NAME_SHAPES:
        for match in shape.finditer(text[:3_000]):
            name = match.group("name").strip(" .,")
            if name.lower() not in _NOT_NAMES and name.split()[0].lower() not in _NOT_NAMES and not is_kind(name):
                return Fact("name", name, confidence, cues.quote(text, match.start("name"), match.end("name")))
    return None


def sells_fact(text: str) -> Fact | None:
    """What it sells or does, in the text's own words, at most eight of them."""
    for match in _SELLS.finditer(text):
        what = _SELLS_END.split(f"{match.group('what')} ")[0].strip(" ,-–")
        what = _ALSO_DOES.sub("", _DOES_FOR_YOU.sub("", what))
        what = re.sub(r"^(?:a|an|the|our|you|your|ein|eine|einen|unsere|ihnen)\s", "", what, flags=re.IGNORECASE)
        if not what or what.split()[0].lower() in _NO_WARES or re.match(r"\d+\s?%", what):
            continue
        listed = " ".join(what.split()[:8]).rstrip(" ,")
        listed = re.sub(r"\s(?:and|und|or|oder|of|&)$", "", listed)
        if len(listed) >= 3:
            # “make” has many meanings; on a page that is not enough to go by.
            sure = 0.65 if match[0].lower().startswith("mak") else 0.75
            return Fact("sells", listed, sure, cues.quote(text, match.start(), match.end("what"), around=10))
    return None


def audience_fact(text: str) -> Fact | None:
    """Whom it addresses: up to three listed groups, those after “for” or “to” first."""
    aimed: dict[str, re.Match[str]] = {}
    named: dict[str, re.Match[str]] = {}
    for match in cues.found(_table().audiences, text):
        place = aimed if _FOR_WHOM.search(text[max(0, match.start() - 45) : match.start()]) else named
        place.setdefault(match.group().lower(), match)
    chosen = aimed or named
    if not chosen:
        return None
    first = next(iter(chosen.values()))
    confidence = 0.78 if aimed else 0.5
    return Fact("audience", ", ".join(list(chosen)[:3]), confidence, cues.quote(text, *first.span()))


def tone_fact(text: str) -> Fact | None:
    """How it speaks, as stated, or else told from its words with at most 0.6: that is close to guessing."""
    stated = _TONE.search(text)
    if stated:
        named = [row.value for row in _table().tones if cues.pattern(row.names).search(stated[0])]
        if named:
            return Fact("tone", ", ".join(named), 0.85, cues.quote(text, *stated.span(), around=0))
    ranked = sorted(((_distinct(row, text), row) for row in _table().tones), key=lambda item: -len(item[0]))
    (best, row), (second, _) = ranked[0], ranked[1]
    if not best or len(best) == len(second):
        return None
    confidence = min(0.6, 0.35 + 0.08 * (len(best) - len(second)))
    return Fact("tone", row.value, round(confidence, 2), cues.quote(text, *best[0].span(), around=20))


def goal_fact(text: str) -> Fact | None:
    """What it wants to reach, in the words of the goal list; a sentence that says “we want” counts three times."""
    best: tuple[int, _Cued, re.Match[str]] | None = None
    for row in _table().goals:
        matches = _distinct(row, text)
        wished = [match for match in matches if _WISH.search(_sentence_before(text, match))]
        score = len(matches) + 2 * len(wished)
        if score and (best is None or score > best[0]):
            best = (score, row, (wished or matches)[0])
    if best is None:
        return None
    score, row, match = best
    return Fact("goal", row.words["en"], 0.8 if score > 2 else 0.55, cues.quote(text, *match.span()))


def goal_id(words: str) -> str | None:
    """The id of a goal said in one of its languages, None for a goal that is not listed."""
    for row in _table().goals:
        if words.strip().lower() in (row.value, *(said.lower() for said in row.words.values())):
            return row.value
    return None


def channels_fact(text: str) -> Fact | None:
    """The channels it names."""
    named = [(row.value, _distinct(row, text)) for row in _table().channels]
    there = [(value, matches) for value, matches in named if matches]
    if not there:
        return None
    return Fact("channels", ", ".join(value for value, _ in there), 0.75, cues.quote(text, *there[0][1][0].span()))


def trait_facts(text: str) -> list[Fact]:
    """Yes-or-no facts such as `sells_online`; those that follow from another fact come last, with less confidence."""
    facts: dict[str, Fact] = {}
    for row in _table().facts:
        fact = _trait(row, text)
        if fact is not None:
            facts[fact.name] = fact
    for row in _table().implied:
        cause = facts.get(row.because)
        if cause is not None and cause.value is True and row.fact not in facts:
            confidence = round(row.confidence * cause.confidence, 2)
            facts[row.fact] = Fact(row.fact, True, confidence, f"{row.words['en']}: {cause.evidence}")
    return list(facts.values())


def trait_words(name: str, language: str = "en") -> str | None:
    """A yes-or-no fact in words (“sells online”), None for a name that is none."""
    for row in _table().facts:
        if row.name == name:
            return row.words.get(language) or row.words["en"]
    return None


def _trait(row: _Trait, text: str) -> Fact | None:
    denied = next(cues.found(row.no, text), None)
    if denied is not None:
        return Fact(row.name, False, 0.92, cues.quote(text, *denied.span()))
    seen: dict[str, re.Match[str]] = {}
    negated: re.Match[str] | None = None
    for match in cues.found(row.yes, text):
        if cues.is_only_the_house(text, match):
            continue
        if cues.is_negated(text, match):
            negated = negated or match
        else:
            seen.setdefault(match.group().lower(), match)
    if seen:
        confidence = 1 - (1 - row.confidence) / (1 + 0.6 * (len(seen) - 1))
        return Fact(
            row.name, True, round(min(confidence, 0.98), 2), cues.quote(text, *next(iter(seen.values())).span())
        )
    return Fact(row.name, False, 0.75, cues.quote(text, *negated.span())) if negated else None


def _sentence_before(text: str, match: re.Match[str]) -> str:
    return re.split(r"[.!?]\s", text[max(0, match.start() - 160) : match.start()])[-1]


def _distinct(row: _Cued, text: str) -> list[re.Match[str]]:
    seen: dict[str, re.Match[str]] = {}
    for match in cues.found(row.cues, text):
        seen.setdefault(match.group().lower(), match)
    return list(seen.values())


def _table() -> _Table:
    return cues.table("cues", _Table)
