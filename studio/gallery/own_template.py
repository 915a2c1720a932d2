"""A workflow made into a template: what another business would set differently becomes a setting.

Settings that the workflow's own template gave it stay, with the values of this workflow as their defaults; beside them
the subjects, waits and holdout shares that stand in its steps. Absent on purpose: keeping it (`workspace`), judging it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from studio.domain.duration import parse_duration
from studio.domain.template import Need, Rule, Template, TemplateParameter
from studio.domain.validation import Catalogue as NodeCatalogue
from studio.domain.workflow import Node, Workflow
from studio.gallery.catalogue import Entry

_BAD = re.compile(r"[^a-z0-9]+")
_HOURS = 3_600.0
_PARTS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("send.email", "subject"): ("text", "Subject: {0}", "What people see first."),
    ("send.push", "subject"): ("text", "Title: {0}", "The bold line of the message."),
    ("flow.delay", "duration"): ("duration", "{0}", "How long to wait here."),
    ("flow.wait_for", "timeout"): ("duration", "{0}", "How long to wait here at the longest."),
    ("flow.goal", "window"): ("duration", "Count success for", "How long after the start a success still counts."),
    ("exp.holdout", "share"): ("rate", "Left alone for comparison", "This share of people gets no message."),
}


def template_from(
    workflow: Workflow,
    *,
    template_id: str,
    name: str,
    description: str,
    archetype: str,
    typical_for: str,
    origin: Template | None,
    nodes: NodeCatalogue,
) -> Entry:
    """The template; its texts stand in the steps themselves, so it has no message files.

    Args:
        workflow: as it is in the library.
        template_id: free among all templates.
        name, description, typical_for: what the card says.
        archetype: the kind of workflow, for ranking.
        origin: the template it was made from, None when it was made by hand.
        nodes: the node types there are.
    """
    kept = _kept(workflow, origin)
    own: list[TemplateParameter] = []
    made: list[Node] = []
    for node in workflow.nodes:
        parameters = dict(node.parameters)
        for field, parameter in _own(node, {*(p.name for p in kept), *(p.name for p in own)}):
            own.append(parameter)
            parameters[field] = {"$param": parameter.name}
        made.append(node.model_copy(update={"parameters": parameters}))
    channels = {declared.channel for node in made if (declared := nodes[node.type].declaration).channel}
    template = Template(
        id=template_id,
        archetype=archetype,
        name={"en": name},
        description={"en": description},
        typical_for=typical_for,
        channels=tuple(sorted(channels - {"notice"})),
        goals=origin.goals if origin else (),
        parameters=(*kept, *own),
        workflow=workflow.model_copy(update={"template": None, "name": name, "nodes": tuple(made)}),
        simulation=origin.simulation if origin else {},
        benchmarks=origin.benchmarks if origin else (),
        needs=origin.needs if origin else Need(),
        sample=origin.sample if origin else {},
    )
    return Entry(template, {})


def _kept(workflow: Workflow, origin: Template | None) -> list[TemplateParameter]:
    """The settings of its template, as this workflow has them; those its texts were filled with are text by now."""
    if origin is None or workflow.template is None:
        return []
    values = workflow.template.parameters
    bound = str([node.parameters for node in workflow.nodes])
    return [
        parameter.model_copy(update={"default": values[parameter.name], "rule": _usual(values[parameter.name])})
        for parameter in origin.parameters
        if parameter.name in values and f"'$param': '{parameter.name}'" in bound
    ]


def _usual(_value: JsonValue) -> Rule:
    return Rule(kind="fixed", evidence="As it was in the workflow this template was made from.")


def _own(node: Node, taken: set[str]) -> Iterator[tuple[str, TemplateParameter]]:
    """New settings out of a step: which of its parameters, and the setting."""
    for (kind, field), (type_, title, words) in _PARTS.items():
        value = node.parameters.get(field)
        if node.type != kind or value is None or isinstance(value, Mapping) or value in ("", "PT0S"):
            continue
        label = node.label or node.id
        name = _free(f"{_BAD.sub('_', node.id.lower()).strip('_')}_{field}", taken)
        taken.add(name)
        yield (
            field,
            TemplateParameter(
                name=name,
                type=type_,  # type: ignore[arg-type] - one of three
                default=value,
                rule=_usual(value),
                title={"en": title.format(label)},
                help={"en": words},
                maximum=_most(type_, value),
            ),
        )


def _most(type_: str, value: JsonValue) -> float | None:
    if type_ == "text":
        return max(200.0, float(len(str(value))))
    if type_ == "duration":
        return max(8_784.0, parse_duration(str(value)).total_seconds() / _HOURS)
    return 0.9


def _free(name: str, taken: set[str]) -> str:
    name = name if name[:1].isalpha() else f"s_{name}"
    number, free = 2, name[:60]
    while free in taken:
        free, number = f"{name[:56]}_{number}", number + 1
    return free
