"""From a template to a workflow for one business: every parameter filled in, with confidence and evidence.

What a person set comes first, then what won a test here, then the parameter's rule, then its default. Absent on
purpose: a language model, and inventing what is not known: such a value keeps its default, with low confidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from studio.domain.errors import Problem, UserFixable
from studio.domain.spelling import nearest
from studio.domain.template import BusinessContext, Fact, FilledParameter, Template, TemplateParameter
from studio.domain.workflow import Node, TemplateRef, Workflow
from studio.gallery.binding import fill_text, fill_value
from studio.gallery.catalogue import Entry
from studio.gallery.promotion import Promoted
from studio.gallery.tone import NEUTRAL, in_tone, subject_in_tone, tone_of
from studio.gallery.values import parse_value, problems_of, words_for_people

SET_BY_PERSON = 1.0
WANTS_A_LOOK = 0.5
"""Below this confidence a person should look at the value before anything is sent."""
ANY = "*"
"""In the `when` of a choice: the fact is known, whatever its value."""
_FALLBACK = 0.4
_USUAL = 0.7
_COPY = 0.65
_COPY_IN_TONE = 0.75
_SLOT_WORDS = {"name": "business's name", "sells": "own words for what you sell"}
_FACT_SLOT = re.compile(r"\{([a-z_]+)\}")


def fill(
    entry: Entry,
    context: BusinessContext,
    *,
    language: str | None = None,
    promoted: Mapping[str, Promoted] | None = None,
    overrides: Mapping[str, JsonValue] | None = None,
) -> list[FilledParameter]:
    """Every parameter of the template, in its order, with a value of its type and in its range.

    Args:
        entry: the template with its messages.
        context: what is known of the business.
        language: of the messages; None takes the business's if the template has it, else English.
        promoted: what won tests here, by parameter.
        overrides: what a person set, by parameter; a text is read as typed (`10 %`, `2 days`).

    Raises:
        UserFixable: PARAMETERS with every override that names no parameter, or does not fit its type or range.
    """
    template = entry.template
    given, problems = _read_overrides(template, overrides or {})
    spoken = _language(entry, context, language, given, problems)
    if problems:
        raise UserFixable(
            "PARAMETERS",
            f"{len(problems)} of the settings cannot be used.",
            where=template.id,
            hint="Mend the ones named.",
            problems=problems,
        )
    won = promoted or {}
    tone = str(given.get("tone") or tone_of(context)) if _has_tone(template) else NEUTRAL
    filled: list[FilledParameter] = []
    for parameter in template.parameters:
        if parameter.name in given:
            value = FilledParameter(parameter.name, given[parameter.name], SET_BY_PERSON, "You set this.")
        elif parameter.name in won and not problems_of(parameter, won[parameter.name].value):
            best = won[parameter.name]
            value = FilledParameter(parameter.name, best.value, best.confidence, best.evidence)
        elif parameter.name == "language":
            value = _of_language(parameter, spoken, context)
        elif parameter.name == "tone":
            value = _of_tone(parameter, tone, context)
        elif parameter.name == "subject" and (line := subject_in_tone(template.archetype, tone, spoken)):
            value = FilledParameter("subject", line, _COPY_IN_TONE, f"Written in a {tone} tone, as you speak.")
        else:
            value = _by_rule(parameter, context, spoken)
        assert not problems_of(parameter, value.value), (parameter.name, value.value)
        filled.append(value)
    return filled


def instantiate(
    entry: Entry,
    filled: Sequence[FilledParameter],
    context: BusinessContext | None = None,
    *,
    language: str | None = None,
) -> Workflow:
    """A workflow of its own: graph, messages and values, bound to the template's parameters.

    Nothing of the template is read at run time, so that a later edition cannot change what a running version says.

    Args:
        entry: the template with its messages.
        filled: every parameter of the template, as `fill` gives them.
        context: gives the currency where no cost does.
        language: of the messages; None takes the parameter `language`.

    Raises:
        UserFixable: PARAMETERS with every parameter that is missing or does not fit.
    """
    template = entry.template
    values = {item.name: item.value for item in filled}
    problems = [problem for parameter in template.parameters for problem in _fitting(parameter, values)]
    if problems:
        raise UserFixable(
            "PARAMETERS", f"{len(problems)} settings are missing or do not fit.", where=template.id, problems=problems
        )
    language = language or str(values.get("language", "en"))
    rule_words = {name: _as_rule(value) for name, value in values.items()}
    people_words = words_for_people(template.parameters, values, language)
    tone = str(values.get("tone", NEUTRAL))
    said = {name: in_tone(text, tone, language) for name, text in entry.texts.items()}
    entry = replace(entry, texts=said)
    nodes = tuple(_node(node, entry, language, rule_words, people_words) for node in template.workflow.nodes)
    return template.workflow.model_copy(
        update={
            "name": workflow_name(template, values, language),
            "template": TemplateRef(id=template.id, version=template.version, parameters=values),
            "settings": template.workflow.settings.model_copy(update=_settings(values, context)),
            "nodes": nodes,
        }
    )


def to_look_at(filled: Iterable[FilledParameter]) -> list[FilledParameter]:
    """The values a person should look at before anything is sent, least sure first."""
    return sorted((item for item in filled if item.confidence < WANTS_A_LOOK), key=lambda item: item.confidence)


def workflow_name(template: Template, values: Mapping[str, JsonValue], language: str) -> str:
    """What the workflow is called: the template's name, and the business's where it is known."""
    name = template.name.get(language) or template.name["en"]
    business = values.get("business_name")
    known = isinstance(business, str) and business != template.parameter("business_name").default
    return f"{name} – {business}" if known else name


def _read_overrides(
    template: Template, overrides: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], list[Problem]]:
    known = {parameter.name: parameter for parameter in template.parameters}
    given: dict[str, JsonValue] = {}
    problems: list[Problem] = []
    for name, value in overrides.items():
        if name not in known:
            hint = nearest(name, known) or f"There are: {', '.join(known)}."
            problems.append(Problem("PARAMETER-UNKNOWN", "There is no such setting.", hint, field=name))
            continue
        try:
            given[name] = parse_value(known[name], value) if isinstance(value, str) else value
        except UserFixable as error:
            problems += error.problems
            continue
        problems += problems_of(known[name], given[name])
    return given, problems


def _language(
    entry: Entry,
    context: BusinessContext,
    asked: str | None,
    given: Mapping[str, JsonValue],
    problems: list[Problem],
) -> str:
    wanted = asked or given.get("language")
    if wanted is not None:
        if wanted in entry.languages:
            return str(wanted)
        hint = f"There are: {', '.join(entry.languages)}."
        problems.append(Problem("PARAMETER-VALUE", f"No messages in “{wanted}”.", hint, field="language"))
        return "en"
    fact = context.fact("language")
    return str(fact.value) if fact is not None and fact.value in entry.languages else "en"


def _of_language(parameter: TemplateParameter, spoken: str, context: BusinessContext) -> FilledParameter:
    fact = context.fact("language")
    if fact is not None and fact.value == spoken:
        return FilledParameter(parameter.name, spoken, fact.confidence, fact.evidence)
    if fact is not None:
        evidence = f"There are no messages in “{fact.value}” yet."
        return FilledParameter(parameter.name, spoken, _FALLBACK, evidence)
    return FilledParameter(parameter.name, spoken, _FALLBACK, "Your language is not known.")


def _has_tone(template: Template) -> bool:
    return any(parameter.name == "tone" for parameter in template.parameters)


def _of_tone(parameter: TemplateParameter, tone: str, context: BusinessContext) -> FilledParameter:
    fact = context.fact("tone")
    if fact is None or tone == NEUTRAL:
        return FilledParameter(parameter.name, tone, _USUAL, parameter.rule.evidence)
    return FilledParameter(parameter.name, tone, fact.confidence, fact.evidence)


def _by_rule(parameter: TemplateParameter, context: BusinessContext, language: str) -> FilledParameter:
    rule = parameter.rule
    if rule.kind == "fact":
        return _of_fact(parameter, context, language)
    if rule.kind == "choice":
        return _chosen(parameter, context)
    if rule.kind == "copy":
        return _written(parameter, context, language)
    confidence = 0.8 if rule.kind == "benchmark" else _USUAL
    return FilledParameter(parameter.name, parameter.default, confidence, rule.evidence or "The usual value.")


def _of_fact(parameter: TemplateParameter, context: BusinessContext, language: str) -> FilledParameter:
    fact = context.fact(parameter.rule.fact or "")
    if fact is not None:
        value = _as_type(parameter, fact.value)
        if not problems_of(parameter, value):
            return FilledParameter(parameter.name, value, fact.confidence, fact.evidence)
    written = [option for option in parameter.rule.options if option.get("language") == language]
    value = written[0]["text"] if written else parameter.default
    sure = _USUAL if parameter.rule.evidence.startswith("Usual") else 0.2
    return FilledParameter(parameter.name, value, sure, parameter.rule.evidence or "Not found in what you told.")


def _as_type(parameter: TemplateParameter, value: JsonValue) -> JsonValue:
    if parameter.type == "money" and isinstance(value, str) and isinstance(parameter.default, Mapping):
        return {"amount": parameter.default["amount"], "currency": value}
    if parameter.type == "text" and not isinstance(value, str):
        return str(value)
    return value


def _chosen(parameter: TemplateParameter, context: BusinessContext) -> FilledParameter:
    for option in parameter.rule.options:
        wanted = option.get("when")
        assert isinstance(wanted, Mapping)
        facts = [context.fact(name) for name in wanted]
        if all(fact is not None and _holds(fact, value) for fact, value in zip(facts, wanted.values(), strict=True)):
            sure = min((fact.confidence for fact in facts if fact is not None), default=1.0)
            evidence = str(option.get("evidence") or parameter.rule.evidence)
            return FilledParameter(parameter.name, option["value"], round(0.85 * sure, 2), evidence)
    evidence = parameter.rule.evidence or "The usual value."
    return FilledParameter(parameter.name, parameter.default, _USUAL, evidence)


def _holds(fact: Fact, wanted: JsonValue) -> bool:
    return wanted == ANY or (fact.value in wanted if isinstance(wanted, list) else fact.value == wanted)


def _written(parameter: TemplateParameter, context: BusinessContext, language: str) -> FilledParameter:
    tone = context.fact("tone")
    tones = str(tone.value).split(", ") if tone is not None else []
    spoken = [option for option in parameter.rule.options if option.get("language") == language]
    # Stable: within the same tone the template's own order decides.
    for option in sorted(spoken, key=lambda one: one.get("tone") not in tones if one.get("tone") else 1):
        in_tone = option.get("tone") in tones
        if option.get("tone") and not in_tone:
            continue
        facts = {slot: context.fact(slot) for slot in _FACT_SLOT.findall(str(option["text"]))}
        text = _FACT_SLOT.sub(lambda found, facts=facts: str(_value(facts[found[1]])), str(option["text"]))
        if None in facts.values() or problems_of(parameter, text):
            continue
        named = [f"with your {_SLOT_WORDS.get(slot, slot.replace('_', ' '))}" for slot in facts]
        about = [f"{option['tone']} tone, as your text is written"] if in_tone else []
        evidence = "; ".join((*about, *named)) or parameter.rule.evidence or "The template's own wording."
        return FilledParameter(parameter.name, text, _COPY_IN_TONE if in_tone else _COPY, _sentence(evidence))
    return FilledParameter(parameter.name, parameter.default, _FALLBACK, "The template's own wording.")


def _value(fact: Fact | None) -> JsonValue:
    return fact.value if fact is not None else None


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _fitting(parameter: TemplateParameter, values: Mapping[str, JsonValue]) -> list[Problem]:
    if parameter.name not in values:
        return [Problem("PARAMETER-MISSING", "This setting has no value.", field=parameter.name)]
    return problems_of(parameter, values[parameter.name])


def _as_rule(value: JsonValue) -> str:
    """A value inside a rule; texts are quoted as the rule language wants them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _node(
    node: Node, entry: Entry, language: str, rule_words: Mapping[str, str], people_words: Mapping[str, str]
) -> Node:
    parameters: dict[str, JsonValue] = {}
    for name, value in node.parameters.items():
        message = value if isinstance(value, str) and value in entry.template.messages else None
        if message is not None and name == "body" and f"{message}.{language}.mjml" in entry.texts:
            parameters[name] = fill_text(entry.texts[f"{message}.{language}.mjml"], people_words, markup=True)
        elif message is not None and name in ("body", "text"):
            parameters[name] = fill_text(entry.texts[f"{message}.{language}.txt"], people_words)
        else:
            parameters[name] = fill_value(value, rule_words)
    return node.model_copy(update={"parameters": parameters})


def _settings(values: Mapping[str, JsonValue], context: BusinessContext | None) -> dict[str, JsonValue]:
    settings: dict[str, JsonValue] = {}
    cost = values.get("cost_per_message")
    if isinstance(cost, Mapping):
        settings = {"cost_per_message": dict(cost), "currency": cost["currency"]}
    currency = context.fact("currency") if context is not None else None
    if currency is not None and "currency" not in settings:
        settings["currency"] = currency.value
    return settings
