"""What may be meant otherwise although it is right: rules that ask for a contact field nobody has.

A run with such a rule is green and reaches nobody, so it is said before. Pure. Absent on purpose: what is wrong
(`studio.domain.validation`), and how names are found out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import JsonValue

from studio.domain.errors import Problem, UserFixable
from studio.domain.expression import unknown_fields
from studio.domain.expression_parser import parse_expression
from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, Workflow
from studio.ui.canvas.form_schema import FieldSpec, fields_of

_RULE = "rule"
_BRINGS_FIELDS = "source.import"


def doubts(workflow: Workflow, types: Catalogue, known: Collection[str]) -> list[Problem]:
    """One problem for each field that a rule asks for, no contact has and no step of the workflow makes.

    `known`: the contacts' fields; while there are none, or a file brings its own, nothing can be said.
    """
    if not known or any(node.type == _BRINGS_FIELDS for node in workflow.nodes):
        return []
    made = {name for node in workflow.nodes for name in _names(node.parameters)}
    return [
        Problem("EXPRESSION-FIELD", one.message, one.hint, node=node.id, field=f"parameters.{path}")
        for node in workflow.nodes
        if node.enabled and node.type in types
        for path, text in _rules(workflow, node, types)
        for one in _unknown(text, known)
        if one.field not in made
    ]


def _rules(workflow: Workflow, node: Node, types: Catalogue) -> Iterator[tuple[str, str]]:
    """Path in the settings and text of each rule about contacts."""
    try:
        values = workflow.bound(node)
    except UserFixable:
        return
    if node.condition:
        yield "condition", node.condition
    yield from _texts(fields_of(types[node.type].Parameters), values)


def _texts(fields: Sequence[FieldSpec], values: Mapping[str, JsonValue], before: str = "") -> Iterator[tuple[str, str]]:
    for field in fields:
        value = values.get(field.name)
        if field.widget == _RULE and isinstance(value, str) and value:
            yield f"{before}{field.name}", value
        elif isinstance(value, list):
            for place, entry in enumerate(value):
                if isinstance(entry, dict):
                    yield from _texts(field.items, entry, f"{before}{field.name}.{place}.")


def _unknown(text: str, known: Collection[str]) -> list[Problem]:
    try:
        return unknown_fields(parse_expression(text, "contact"), known)
    except UserFixable:  # a value that is no rule, or wrong and told as such
        return []


def _names(value: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    """Everything in settings that could be the name of a field a step writes."""
    if isinstance(value, str):
        if value.isidentifier():
            yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
