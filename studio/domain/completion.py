"""What could be written next in a rule or a message: the names that exist and fit at the cursor.

Absent on purpose: judging what is written (`expression_parser`), and knowing where the names come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from studio.domain.expression import EVENT_PARTS, Scope

Kind: TypeAlias = Literal["field", "variable", "event", "function", "word", "filter"]

FUNCTIONS: Mapping[str, str] = {
    "days_since": 'days since the last event: days_since("order")',
    "has": 'whether there ever was one: has("order"), has("order", days=30)',
    "count": 'how many: count("order"), count("order", days=90)',
    "sum": 'the sum of their values: sum("order", days=365)',
    "lower": "the text in small letters",
    "length": "how many characters a text has",
    "contains": "whether a text holds another",
    "starts_with": "whether a text begins with another",
    "ends_with": 'whether a text ends with another: ends_with(email, ".org")',
    "if": 'one of two values: if(age >= 18, "adult", "minor")',
    "default": 'the first value there is: default(nickname, first_name, "friend")',
    "round": "rounded: round(score), round(score / 3, 1)",
    "min": 'the smallest: min(10, count("order"))',
    "max": "the largest: max(score, 0)",
    "abs": "without its minus sign",
    "join": 'texts one after the other: join(" ", first_name, last_name)',
    "upper": "the text in capitals",
    "trim": "the text without spaces around it",
    "days_to": "days until a date, below 0 after it: days_to(trial_ends) <= 3",
}
HISTORY = ("days_since", "has", "count", "sum")
WORDS: Mapping[str, str] = {
    "and": "both hold",
    "or": "either holds",
    "not": "turns a condition round",
    "in": 'one of several: country in ("DE", "AT")',
    "is missing": "there is no value",
    "is not missing": "there is a value",
    "true": "yes",
    "false": "no",
}
FILTERS: Mapping[str, str] = {
    "default": 'what stands there when it is missing: default("friend")',
    "money": "an amount: 30|money(event.currency)",
    "date": 'a date by a pattern: date("%d %B")',
    "times": "a product: times(0.9)",
    "fill": "fills in the fields inside this text",
    "upper": "in capitals",
    "lower": "in small letters",
    "title": "Each Word Capitalised",
    "round": "rounded",
}
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w*)?$")
_IN_CALL = re.compile(rf"\b({'|'.join(HISTORY)})\s*\(\s*([\"'])([^\"']*)$")
_COMPARED = re.compile(r"([^\W\d]\w*)\s*(?:==|=|!=)\s*([\"']?)([^\"'=]*)$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names there are. `fields`: contact field → its type in words; `values`: field → values people have;
    `events`: kinds in the event log; `properties`: event property → its type; `variables`: what instances carry.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    events: Sequence[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    variables: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that could be written. `text` takes the place of what stands from `start` to the cursor."""

    text: str
    note: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Completions:
    """Where what is being typed begins, and what could stand there; best first."""

    start: int
    items: Sequence[Completion] = ()


def complete_rule(text: str, cursor: int, vocabulary: Vocabulary, scope: Scope = "contact") -> Completions:
    """What could be written at a cursor in a rule; nothing inside a text in quotes, unless names belong there."""
    before = text[:cursor]
    call = _IN_CALL.search(before)
    if call is not None:
        kinds = (Completion(kind, "event", "event") for kind in vocabulary.events)
        return _fitting(call.start(3), call[3], kinds)
    compared = _COMPARED.search(before)
    if compared is not None and compared[1] in vocabulary.values:
        closing = compared[2] or '"'
        values = (f"{closing if not compared[2] else ''}{v}{closing}" for v in vocabulary.values[compared[1]])
        typed = compared[3].lstrip()
        start = cursor - len(typed)
        return _fitting(start, typed, (Completion(v, "value", "field") for v in values), quotes=True)
    if _is_in_quotes(before):
        return Completions(cursor)
    word = _NAME.search(before)
    typed = word[0] if word is not None else ""
    return _fitting(cursor - len(typed), typed, _rule_names(vocabulary, scope))


def complete_message(text: str, cursor: int, vocabulary: Vocabulary) -> Completions:
    """What could be written at a cursor in a message: names between `{{` and `}}`, filters behind a bar."""
    before = text[:cursor]
    opening = max(before.rfind("{{"), before.rfind("{%"))
    if opening < 0 or max(before.rfind("}}"), before.rfind("%}")) > opening:
        return Completions(cursor)
    word = _NAME.search(before[opening + 2 :])
    typed = word[0] if word is not None else ""
    start = cursor - len(typed)
    if before[:start].rstrip().endswith("|"):
        return _fitting(start, typed, (Completion(name, note, "filter") for name, note in FILTERS.items()))
    return _fitting(start, typed, _message_names(vocabulary))


def _rule_names(vocabulary: Vocabulary, scope: Scope) -> Iterable[Completion]:
    if scope == "event":
        yield from (Completion(name, "part of the event", "event") for name in EVENT_PARTS)
        yield from (Completion(name, kind, "event") for name, kind in vocabulary.properties.items())
    else:
        yield from (Completion(name, kind, "field") for name, kind in vocabulary.fields.items())
        yield from (Completion(f"var.{name}", "carried along", "variable") for name in vocabulary.variables)
        yield Completion("key", "the business key, such as a cart", "variable")
        yield from (Completion(f'{name}("', note, "function") for name, note in FUNCTIONS.items() if name in HISTORY)
    yield from (Completion(f"{name}(", note, "function") for name, note in FUNCTIONS.items() if name not in HISTORY)
    yield from (Completion(word, note, "word") for word, note in WORDS.items())


def _message_names(vocabulary: Vocabulary) -> Iterable[Completion]:
    yield from (Completion(f"contact.{name}", kind, "field") for name, kind in vocabulary.fields.items())
    yield from (Completion(f"var.{name}", "carried along", "variable") for name in vocabulary.variables)
    yield from (Completion(f"event.{name}", kind, "event") for name, kind in vocabulary.properties.items())
    yield from (Completion(f"event.{name}", "part of the event", "event") for name in ("value", "currency", "key"))
    yield Completion("unsubscribe_url", "where people unsubscribe", "word")
    yield Completion("postal_address", "the sender's postal address", "word")


def _fitting(start: int, typed: str, items: Iterable[Completion], *, quotes: bool = False) -> Completions:
    """Those that begin with what is typed, then those that hold it; never only what stands there already."""
    wanted = typed.casefold()

    def bare(item: Completion) -> str:
        return (item.text.strip("\"'") if quotes else item.text).casefold()

    known = list({item.text: item for item in items}.values())
    begins = [item for item in known if bare(item).startswith(wanted)]
    # The part behind a dot is what people remember: `first` finds `contact.first_name`.
    holds = [item for item in known if item not in begins and wanted in bare(item)]
    found = [*begins, *holds]
    return Completions(start, [] if [bare(item) for item in found] == [wanted] else found)


def _is_in_quotes(text: str) -> bool:
    quote = ""
    for letter in text:
        if letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
    return bool(quote)
