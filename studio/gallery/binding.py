"""Parameters inside texts: `${discount}` in a rule or a message of a template.

A whole value is bound with `{"$param": name}` and stays bound in the workflow, so that a promotion knows what it
writes. Inside a text that cannot be, so the value is written in when the workflow is made. Absent on purpose:
expressions; `{{ … }}` belongs to the message and is filled in for each person at send time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape

from pydantic import JsonValue

_REFERENCE = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


def text_refs(value: JsonValue, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, parameter) of every `${name}` in the texts inside a value."""
    if isinstance(value, str):
        yield from ((path, name) for name in _REFERENCE.findall(value))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from text_refs(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from text_refs(inner, f"{path}[{index}]")


def fill_text(text: str, words: Mapping[str, str], *, markup: bool = False) -> str:
    """The text with every `${name}` replaced; in `markup` the values are escaped. KeyError for a name without value."""
    return _REFERENCE.sub(lambda found: escape(words[found[1]]) if markup else words[found[1]], text)


def fill_value(value: JsonValue, words: Mapping[str, str]) -> JsonValue:
    """The value with the texts inside it filled in."""
    if isinstance(value, str):
        return fill_text(value, words)
    if isinstance(value, Mapping):
        return {key: fill_value(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_value(inner, words) for inner in value]
    return value
