"""`studio recommend`: from what is known of a business to ranked templates."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from studio.cli.output import Output, table
from studio.cli.session import Session, common
from studio.domain.errors import UserFixable
from studio.gallery.embedding import find_embedder

if TYPE_CHECKING:
    from studio.domain.template import BusinessContext, Recommendation
    from studio.workspace.templates import Ranked
    from studio.workspace.workspace import Workspace

_SHOWN = 5


def add(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("recommend")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--text", metavar="S", help="the business in a few words")
    source.add_argument("--text-file", type=Path, metavar="F")
    source.add_argument("--html", type=Path, metavar="F", help="a saved page")
    source.add_argument("--url", metavar="U", help="a website address")
    source.add_argument("--context", type=Path, metavar="F", help="facts as this command prints them")
    source.add_argument("--batch", type=Path, metavar="FILE.jsonl", help="one business per line: id, text")
    command.add_argument("--allow-private", action="store_true", help="--url may be on this computer or network")
    command.add_argument("--type", metavar="T", help="confirms a business type")
    command.add_argument(
        "--top", type=int, default=None, metavar="N", help="how many; as text 5 unless said, as JSON all"
    )
    common(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.top is not None and arguments.top < 1:
        raise UserFixable("USAGE", "At least one template is asked for.", where="--top", hint="Such as --top 3.")
    if (model := find_embedder()) is not None:
        model.prepare()  # beside the workspace and all that it loads
    with Session(arguments) as workspace:
        if arguments.batch is not None:
            for business_id, text in _lines(arguments.batch):
                ranked = workspace.templates.recommend(workspace.templates.understand_text(text), top=arguments.top)
                out.line({"id": business_id, "recommendations": _ranked_json(ranked)})
            return 0
        context = _context(arguments, workspace)
        if arguments.type:
            context = workspace.templates.confirm_type(context, arguments.type)
        ranked = workspace.templates.recommend(context, top=arguments.top)
        unknown = workspace.templates.unknown(context)
    out.document(_json(context, ranked), _in_words(context, ranked, unknown, top=arguments.top or _SHOWN))
    return 0


def _context(arguments: argparse.Namespace, workspace: Workspace) -> BusinessContext:
    templates = workspace.templates
    if arguments.text is not None:
        return templates.understand_text(arguments.text)
    if arguments.text_file is not None:
        return templates.understand_text(_read(arguments.text_file))
    if arguments.html is not None:
        return templates.understand_page(arguments.html)
    if arguments.url is not None:
        return templates.understand_url(arguments.url, allow_private=arguments.allow_private)
    return templates.read_context(_read(arguments.context), where=str(arguments.context))


def _json(context: BusinessContext, ranked: Ranked) -> dict[str, object]:
    return {
        "context": {"facts": context.facts, "types": list(context.types), "text": context.text},
        "types": list(context.types),
        "recommendations": _ranked_json(ranked),
        "engine": ranked.engine,
    }


def _ranked_json(ranked: Ranked) -> list[dict[str, object]]:
    """The contract's form: a reason is its words and its fact."""
    return [
        {
            "template": r.template,
            "archetype": r.archetype,
            "score": r.score,
            "band": r.band,
            "confidence": r.confidence,
            "reasons": [{"text": reason.text, "fact": reason.fact} for reason in r.reasons],
            "prediction": {
                metric: {"mean": p.mean, "low": p.low, "high": p.high, "level": p.level, "source": p.source}
                for metric, p in r.prediction.items()
            },
        }
        for r in ranked.recommendations
    ]


def _in_words(context: BusinessContext, ranked: Ranked, unknown: tuple[str, ...], *, top: int) -> str:
    facts = table(
        [
            (f.name.replace("_", " "), _value(f.value), f.confidence, shorten(f.evidence, 60, placeholder=" …"))
            for f in context.facts
        ],
        ("fact", "value", "confidence", "found in"),
    )
    parts = [
        "What we understood",
        facts if context.facts else "Nothing yet: say what you sell, to whom, and what for.",
        "",
    ]
    missing = ", ".join(name.replace("_", " ") for name in unknown)
    if missing and context.facts:
        parts += [f"Not known: {missing}", ""]
    if context.types:
        parts += [f"Likeliest kinds of business: {', '.join(context.types)} (confirm one with --type)", ""]
    for index, r in enumerate(ranked.recommendations[:top], start=1):
        parts.append(f"{index}. {r.template}  ({_band(r)})")
        parts += [f"     {reason.text}" for reason in r.reasons]
    if (more := len(ranked.recommendations) - top) > 0:
        parts += ["", f"{more} more: --top {len(ranked.recommendations)}"]
    if ranked.recommendations:
        parts.append(f"Take one: studio templates instantiate {ranked.recommendations[0].template} --out F")
    return "\n".join(parts)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _band(one: Recommendation) -> str:
    words = one.band.replace("_", " ")
    return words if one.confidence is None else f"{words}: suits {one.confidence * 100:.0f} % of such businesses"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserFixable("FILE-MISSING", "There is no such file.", where=str(path), hint="Check the name.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The file cannot be read: {error}.", where=str(path), hint="Save it as UTF-8 text."
        ) from None


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    businesses = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            businesses.append((str(item["id"]), str(item["text"])))
        except (json.JSONDecodeError, KeyError, TypeError):
            raise UserFixable(
                "BATCH-LINE", "The line is not an object with id and text.", where=f"{path}, line {number}",
                hint='Write {"id": "…", "text": "…"}.',
            ) from None  # fmt: skip
    yield from businesses
