"""`studio templates messages | compare`: a look at templates before one is taken.

Absent on purpose: choosing, and anything written down.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.output import Output
from studio.cli.session import Session, common, settings

if TYPE_CHECKING:
    from studio.domain.template import BusinessContext, Recommendation, Template
    from studio.workspace.workspace import Workspace

_METRIC = "incremental_revenue_per_recipient"


def add_looks(verbs: argparse._SubParsersAction, read: Callable[[Path], str]) -> None:
    """The two commands; `read` gives the text of a file or says what is wrong with it."""
    command = verbs.add_parser("messages", help="every message as a reader would get it, filled in for your business")
    command.add_argument("template", metavar="ID")
    command.add_argument("--set", dest="pairs", action="append", metavar="NAME=VALUE")
    command.add_argument("--language", metavar="CODE", help="language of the messages")
    command.set_defaults(run=lambda arguments, out: _messages(arguments, out, read))
    _with_business(command)
    command = verbs.add_parser("compare", help="two templates side by side, for your business")
    command.add_argument("first", metavar="ID")
    command.add_argument("second", metavar="ID")
    command.set_defaults(run=lambda arguments, out: _compare(arguments, out, read))
    _with_business(command)


def _with_business(command: argparse.ArgumentParser) -> None:
    command.add_argument("--context", type=Path, metavar="F", help="facts, as `studio recommend --json` prints them")
    common(command)


def _context(workspace: Workspace, arguments: argparse.Namespace, read: Callable[[Path], str]) -> BusinessContext:
    if arguments.context is None:
        return workspace.templates.context()
    return workspace.templates.read_context(read(arguments.context), where=str(arguments.context))


def _messages(arguments: argparse.Namespace, out: Output, read: Callable[[Path], str]) -> int:
    with Session(arguments) as workspace:
        story = workspace.templates
        context = _context(workspace, arguments, read)
        made = story.instantiate(arguments.template, context, settings(arguments.pairs), language=arguments.language)
        messages = story.messages(made.workflow)
    rows = [
        {"node": m.node_id, "label": m.label, "subject": m.subject, "text": m.text, "problem": m.problem or None}
        for m in messages
    ]
    words = [f"{m.label}\nSubject: {m.subject}\n\n{m.problem or m.text}".strip() for m in messages]
    out.document(rows, "\n\n────\n\n".join(words) or "This template sends no mail.")
    return 0


def _compare(arguments: argparse.Namespace, out: Output, read: Callable[[Path], str]) -> int:
    with Session(arguments) as workspace:
        story = workspace.templates
        both = [story.get(name) for name in (arguments.first, arguments.second)]
        context = _context(workspace, arguments, read)
        ranked = story.recommend(context) if context.facts else None
        cards = {r.template: r for r in (*ranked.recommendations, *ranked.alternatives)} if ranked else {}
        ran = {t.id: sum(outcome.template == t.id for outcome in story.outcomes()) for t in both}
    sides = [_side(template, cards.get(template.id), ran[template.id]) for template in both]
    lines = [f"{both[0].name['en']}  |  {both[1].name['en']}"]
    for name in sides[0]:
        lines += ["", name.replace("_", " ").capitalize(), *(f"  {_in_words(side[name])}" for side in sides)]
    out.document(sides, "\n".join(lines))
    return 0


def _side(template: Template, card: Recommendation | None, ran: int) -> dict[str, object]:
    prediction = (card.prediction.get(_METRIC) if card else None) or None
    return {
        "template": template.id,
        "what_it_does": template.description["en"],
        "band": card.band if card else None,
        "confidence": card.confidence if card else None,
        "why": card.reasons[0].text if card and card.reasons else None,
        "expected_revenue_per_person": {"mean": prediction.mean, "low": prediction.low, "high": prediction.high}
        if prediction
        else None,
        "least_sure_of": prediction.driver if prediction else None,
        "runs_here": ran,
        "channels": list(template.channels),
        "steps": len(template.workflow.nodes),
        "needs": [*template.needs.events, *template.needs.fields],
        "typical_for": template.typical_for,
    }


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['mean']:.2f} ({value['low']:.2f} to {value['high']:.2f})"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, float):
        return f"{value:.0%}"
    return "–" if value is None else str(value).replace("worth_a_look", "worth a look")
