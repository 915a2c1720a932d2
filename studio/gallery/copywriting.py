"""Asking a language model for wording, and taking its answer as suggestions that a person accepts one by one.

It gets to know the business's facts, the template and the texts as they are: never a contact, and no mail address or
telephone number that stood in the words about the business. Absent on purpose: the model (an argument of the caller),
and changing anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from studio.domain.template import BusinessContext, FilledParameter, Template
from studio.gallery.values import problems_of
from studio.nodes.message_lint import lint_subject

TOLD = ("name", "industry", "sells", "audience", "tone", "market", "goal", "discount", "about")
"""Facts that a model is told."""
_PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|\+?\d[\d\s()/-]{6,}\d")
_SYSTEM = (
    "You write short, honest marketing copy. Keep to the facts given; promise nothing else. No capitals, no more than "
    "one exclamation mark, no emoji. Keep {{ … }} and ${…} exactly as they are. Answer in the language asked for."
)


class CopyLine(BaseModel):
    """One suggested text."""

    parameter: str
    text: str = Field(max_length=300)
    reason: str = Field(default="", max_length=300)


class CopyAnswer(BaseModel):
    """What a model is asked to answer with."""

    lines: list[CopyLine] = Field(max_length=40)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that may take the place of another. `doubts`: what the linter says of it."""

    parameter: str
    title: str
    before: str
    after: str
    reason: str
    doubts: tuple[str, ...]


def question(
    template: Template, filled: Sequence[FilledParameter], context: BusinessContext, language: str
) -> tuple[str, str]:
    """How to answer, and what is asked with all that the model gets to know."""
    facts = [f"- {fact.name}: {_PERSONAL.sub('…', str(fact.value))}" for fact in context.facts if fact.name in TOLD]
    texts = [
        f"- {item.name} ({template.parameter(item.name).title['en']}): {item.value}"
        for item in filled
        if _is_copy(template, item)
    ]
    asked = (
        f"Workflow: {template.name['en']}. {template.description['en']}\nLanguage: {language}\n"
        f"The business:\n{chr(10).join(facts) or '- nothing known'}\n"
        f"The texts now:\n{chr(10).join(texts)}\n"
        "Suggest a better text for those that you can improve, each with one short reason. At most 60 characters for "
        "a subject."
    )
    return _SYSTEM, asked


def suggestions(
    template: Template, filled: Sequence[FilledParameter], answer: CopyAnswer, language: str
) -> tuple[Suggestion, ...]:
    """The usable lines of an answer: of texts that there are, that fit, and that differ. The others are dropped."""
    known = {item.name: item for item in filled if _is_copy(template, item)}
    found: dict[str, Suggestion] = {}
    for line in answer.lines:
        text = " ".join(line.text.split())
        item = known.get(line.parameter)
        if item is None or text == item.value or problems_of(template.parameter(line.parameter), text):
            continue
        advice = lint_subject(text, "-", language=language) if "subject" in line.parameter else []
        if any(one.level == "error" for one in advice):
            continue
        doubts = tuple(one.message for one in advice if one.level == "warning" and one.place == "subject")
        title = template.parameter(line.parameter).title["en"]
        found[line.parameter] = Suggestion(line.parameter, title, str(item.value), text, line.reason, doubts)
    return tuple(found.values())


def _is_copy(template: Template, item: FilledParameter) -> bool:
    return template.parameter(item.name).rule.kind == "copy"
