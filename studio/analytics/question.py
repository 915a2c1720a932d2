"""A question in words, read by a fixed grammar: a figure, by what, of whom, when. Nothing is guessed.

`clicks by step for variant B in the last 7 days`, `how many people opened last week`, `revenue by week since march`.
Words the grammar does not know are named with the nearest it does, and what is not known by a dimension is refused
instead of answered with zeros. Absent on purpose: a language model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Literal, TypeAlias

from studio.analytics.askable import ADVERBS, DIMENSIONS, METRICS, TIME, WORDS, By, Metric, named, whole
from studio.analytics.question_times import times, written
from studio.domain.errors import UserFixable

Actor: TypeAlias = Literal["people", "machines", "everybody"]

_NOISE_WORDS = """
how many much what what's whats is was were be are been the a an show me give us of number our my did do does please in
and there tell total altogether we i get got have has had for with at to from on count that which it overall so far ever
all time until now this run workflow campaign can you see their they make made bring brought
"""
_NOISE = frozenset(_NOISE_WORDS.split())
_RANKING = frozenset(
    {"most", "best", "top", "highest", "fewest", "least", "worst", "lowest", "compare", "better", "worse"}
)
"""Says nothing once there are groups: both ends are named in the answer."""
_NEGATIONS = frozenset({"not", "no", "never", "without", "except", "excluding", "didn't", "don't", "didn’t", "don’t"})
_WORD = r"[\w\-:.%’']+"
_GOT = r"\b(?:got|get|gets|received?)(?: an?| the| our| my| any)? (?:e-?mails?|mails?|messages?|newsletters?)\b"
_ACTORS: tuple[tuple[str, Actor], ...] = (
    (r"\b(?:including|incl|with|and) (?:bots?|machines?|scanners)\b", "everybody"),
    (r"\b(?:by |from )?(?:people|humans?|persons) and (?:bots|machines)\b", "everybody"),
    (r"\b(?:excluding|without|not by|no) (?:bots?|machines?|scanners)\b", "people"),
    (r"\bby (?:real )?(?:people|humans?)(?: only)?\b", "people"),
    (r"\b(?:human|real)\b(?= )", "people"),
    (r"\bby (?:bots?|machines?|scanners)(?: only)?\b", "machines"),
    (r"\b(?:bot|machine|scanner)\b(?= )", "machines"),
)


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood. `step` is a node id; `since` is included, `until` is not, both whole hours.

    actor: whose opens and clicks count; None where machines do nothing of the kind.
    """

    metric: Metric
    by: By | None = None
    variant: str | None = None
    step: str | None = None
    actor: Actor | None = None
    since: datetime | None = None
    until: datetime | None = None

    def text(self, steps: Mapping[str, str] | None = None) -> str:
        """The query in the grammar's own words; reading it gives the same query. `steps`: node id → label."""
        named_by = (steps or {}).get(self.step or "", self.step)
        parts = [self.metric.name]
        parts += [f"by {self.by}"] if self.by else []
        parts += [f"for variant {self.variant}"] if self.variant else []
        parts += [f"at step {named_by}"] if self.step else []
        words = {"machines": "by machines only", "everybody": "including machines"}
        parts += [words[self.actor]] if self.actor in words and self.by != "actor" else []
        return " ".join([*parts, *written(self.since, self.until)])


@dataclass(frozen=True, slots=True)
class Known:
    """What a run has: variants of its first split, steps (node id → label), and its clock, which "last week" means."""

    now: datetime
    variants: Sequence[str] = ()
    steps: Mapping[str, str] | None = None


def read(text: str, known: Known, *, advise: bool = True) -> Query:
    """The query a question means. `advise`: look for what was meant instead of a word that means nothing.

    Raises:
        UserFixable: ASK-EMPTY; ASK-FIGURE when no figure is named, or more than one; ASK-WORD for a word that means
            nothing here; ASK-DATE; ASK-FIT when the figure is not known by what it is asked by.
    """
    rest = _plain(text)
    if not rest:
        hint = "For example: click rate by step in the last 7 days."
        raise UserFixable("ASK-EMPTY", "Nothing was asked.", hint=hint)
    since, until, rest = times(rest, known.now)
    step, rest = _step(rest, known.steps or {})
    variant, by, rest = _variant(rest, known.variants)
    split, rest = _dimension(rest) if by is None else (by, rest)
    actor, rest = _actor(rest)
    metric, left = _metric(rest)
    if split is not None:
        left = [word for word in left if word not in _RANKING]
    if left and step is None and variant is None:
        step, left = _bare_step(left, known.steps or {})
    if left:
        word = next((word for word in left if word not in ("by", "per")), left[0])
        raise _unknown(word, text, known, advise=advise)
    if metric is None:
        raise _no_figure(text)
    if metric.reads and split != "actor":
        actor = actor or "people"
    query = Query(metric, split, variant, step, "everybody" if split == "actor" else actor, since, until)
    return _fitting(query, known)


def _plain(text: str) -> str:
    return " ".join(word.strip(".:'’") for word in re.findall(_WORD, text.lower())).strip()


def complete(text: str, known: Known, limit: int = 8) -> list[str]:
    """How a question that has begun can go on: whole questions, likeliest first."""
    begun = text.lower().strip()
    heads = {metric.name: metric for metric in METRICS}
    if not any(begun.startswith(head) for head in heads):
        return [head for head in heads if head.startswith(begun) or begun in head][:limit]
    head = max((head for head in heads if begun.startswith(head)), key=len)
    metric = heads[head]
    is_split = any(f" by {by} " in f"{begun} " for by in DIMENSIONS)
    ends = [] if is_split else [f"by {by}" for by in _splits(metric, known)]
    ends += [f"for variant {variant}" for variant in known.variants if "variant" in metric.by]
    ends += [f"at step {label.lower()}" for label in (known.steps or {}).values() if "step" in metric.by]
    ends += ["in the last 7 days", "in the last 30 days", "yesterday"] if metric.spans else []
    ends += ["by machines only", "including machines"] if metric.reads else []
    return _continued(begun, head, ends)[:limit]


def _splits(metric: Metric, known: Known) -> list[By]:
    return [by for by in metric.by if by != "variant" or known.variants]


def _continued(begun: str, head: str, ends: Sequence[str]) -> list[str]:
    """Endings that what was typed last begins, else any that is not there yet."""
    said = begun[len(head) :].strip()
    for size in range(len(said), 0, -1):
        tail, front = said[-size:], begun[: len(begun) - size].rstrip()
        matching = [f"{front} {end}" for end in ends if end.startswith(tail) and end != tail]
        if matching:
            return matching
    return [f"{begun} {end}" for end in ends if end not in begun]


def _metric(rest: str) -> tuple[Metric | None, list[str]]:
    """The figure, and the words that are left: those of a name as a whole, else single words together."""
    names = [(words, metric) for metric in METRICS for words in (metric.name, *metric.words)]
    for words, metric in sorted(names, key=lambda pair: -len(pair[0])):
        found = re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", rest)
        if found:
            left = _left(rest[: found.start()] + " " + rest[found.end() :])
            if whole(metric, left):
                return metric, [word for word in left if word not in WORDS]
            if " " in words or "-" in words:
                # More than the name is asked for: its own words alone would answer another question.
                break
    rest = re.sub(r"\bhow many sales\b", "how many orders", re.sub(_GOT, "delivered", rest))
    words = rest.replace("%", " % ").split()
    spoken = [word for word in words if word in WORDS]
    return named(spoken), [word for word in _left(rest) if word not in WORDS and word != "%"]


def _left(rest: str) -> list[str]:
    return [word for word in rest.split() if word not in _NOISE]


def _dimension(rest: str) -> tuple[By | None, str]:
    for adverb, by in ADVERBS.items():
        if found := re.search(rf"\b{adverb}\b", rest):
            return by, rest[: found.start()] + " " + rest[found.end() :]
    before = r"(?:by|per|each|for each|for every|every|split by|broken down by|which|what)"
    for by, words in DIMENSIONS.items():
        for word in sorted(words, key=len, reverse=True):
            if found := re.search(rf"\b{before}\s+(?:the )?{re.escape(word)}(?![\w-])", rest):
                return by, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


def _actor(rest: str) -> tuple[Actor | None, str]:
    for pattern, actor in _ACTORS:
        if found := re.search(pattern, rest):
            return actor, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


def _variant(rest: str, variants: Sequence[str]) -> tuple[str | None, By | None, str]:
    """The variant a question is about, or `variant` as what it is split by (“A or B”)."""
    plain = {name: re.escape(_plain(name)) for name in variants}
    both = "|".join(plain.values())
    word = r"(?:variants?|versions?|arms?|group)"
    compared = rf"\b(?:between |of |for )?(?:{word} )?(?:{both}) (?:vs|versus|and|or|against) (?:{word} )?(?:{both})\b"
    if len(variants) > 1 and (found := re.search(compared, rest)):
        return None, "variant", rest[: found.start()] + " " + rest[found.end() :]
    for name in sorted(variants, key=len, reverse=True):
        if found := re.search(rf"\b(?:for |of |in )?(?:the )?{word} {plain[name]}(?![\w-])", rest):
            return name, None, rest[: found.start()] + " " + rest[found.end() :]
    return None, None, rest


def _step(rest: str, steps: Mapping[str, str]) -> tuple[str | None, str]:
    for words, node in _step_names(steps):
        found = re.search(
            rf"\b(?:at|of|for|in|on) (?:the )?(?:step |message |e?mail )?{re.escape(words)}(?![\w-])", rest
        )
        if found:
            return node, rest[: found.start()] + " " + rest[found.end() :]
    return None, rest


def _bare_step(left: list[str], steps: Mapping[str, str]) -> tuple[str | None, list[str]]:
    """A step whose name is what is left of the question: “offer click rate”."""
    for words, node in _step_names(steps):
        if " ".join(left) == " ".join(_left(words)):
            return node, []
    return None, left


def _step_names(steps: Mapping[str, str]) -> list[tuple[str, str]]:
    names = [(_plain(words), node) for node, label in steps.items() for words in (label, node)]
    return sorted((pair for pair in names if pair[0]), key=lambda pair: -len(pair[0]))


def _fitting(query: Query, known: Known) -> Query:
    """The query, if the figure is known by all that it asks for."""
    metric = query.metric
    wanted = [by for by in (query.by, "variant" if query.variant else None, "step" if query.step else None) if by]
    if (query.since or query.until) and not metric.spans:
        raise _unfit(metric, "for a span of time", "It is one figure of the whole run.")
    for by in wanted:
        if by not in metric.by:
            raise _unfit(metric, f"by {by}", _why(metric, by))
        if by == "variant" and not known.variants:
            raise _unfit(metric, "by variant", "This run tests nothing.")
    if query.actor is not None and not metric.reads:
        raise _unfit(metric, "by people or machines", "Only opens and clicks are.")
    return query


def _why(metric: Metric, by: By) -> str:
    if by == "step" and metric.kind == "converted":
        return "An order belongs to no single message: ask for the conversion rate by step, or look at the attribution."
    known = [name for name in metric.by if name not in TIME]
    return f"It is known by {', '.join(['day', *known])}." if metric.by else "It is one figure of the whole run."


def _unfit(metric: Metric, by: str, hint: str) -> UserFixable:
    return UserFixable("ASK-FIT", f"“{metric.name}” is not known {by}.", hint=hint)


def _no_figure(text: str) -> UserFixable:
    said = [word for word in _plain(text).split() if word in WORDS]
    if said:
        hint = "Ask for one figure at a time, such as “click rate” or “people who opened”."
        return UserFixable("ASK-FIGURE", "The question names no single figure.", where=text, hint=hint)
    hint = f"There are: {', '.join(metric.name for metric in METRICS[:12])} …"
    return UserFixable("ASK-FIGURE", "The question names no figure this program knows.", where=text, hint=hint)


def _unknown(word: str, text: str, known: Known, *, advise: bool) -> UserFixable:
    if word in _NEGATIONS:
        hint = "Ask for those who did, and for all, such as “people who opened” and “people who got a message”."
        return UserFixable("ASK-WORD", "Only what happened can be counted, not what did not.", where=text, hint=hint)
    names = [part for metric in METRICS for part in (*metric.name.split(), *metric.words)]
    names += [words for options in DIMENSIONS.values() for words in options]
    names += [f"variant {variant}" for variant in known.variants]
    names += [label.lower() for label in (known.steps or {}).values()]
    for near in get_close_matches(word, set(names) - {word}, 3, 0.7) if advise else ():
        corrected = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", near, _plain(text), count=1)
        if _is_read(corrected, known):
            hint = f"Did you mean “{corrected}”?"
            break
    else:
        near = next(iter(get_close_matches(word, set(names) - {word}, 1, 0.7)), None)
        hint = f"Did you mean “{near}”?" if near else "Ask for a figure, by what, for whom, and when."
    return UserFixable("ASK-WORD", f"“{word}” means nothing here.", where=text, hint=hint)


def _is_read(text: str, known: Known) -> bool:
    try:
        read(text, known, advise=False)
    except UserFixable:
        return False
    return True
