"""`studio experiment …`: analyse and plan without a workspace; the other verbs are in `experiment_results`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from studio.cli.experiment_results import add_results
from studio.cli.output import Output, table
from studio.cli.session import common
from studio.domain.clock import utc_now
from studio.domain.errors import UserFixable
from studio.experiments.analyze import analyze
from studio.experiments.bayes import RatePrior
from studio.experiments.planner import detectable_effect, plan
from studio.experiments.result import Analysis
from studio.experiments.spec_file import parse_spec


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser("experiment")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    command = verbs.add_parser("analyze", help="every kind of evidence, and the decision")
    command.add_argument("spec", metavar="SPEC.json", help="the experiment; - reads standard input")
    common(command)
    command.add_argument(
        "--prior",
        metavar="RATE:N",
        help="for the Bayesian view: a rate of earlier runs and what it is worth, as 0.03:150",
    )
    command.set_defaults(run=_analyze)
    command = verbs.add_parser("plan", help="how many people a test needs")
    command.add_argument("--baseline", type=float, required=True, metavar="R")
    command.add_argument("--mde", type=float, metavar="ABS", help="smallest effect worth finding, absolute")
    command.add_argument("--mde-relative", type=float, metavar="R", help="the same as a share of the baseline")
    command.add_argument(
        "--per-variant", type=int, metavar="N", help="the other way: the smallest effect N people find"
    )
    command.add_argument("--alpha", type=float, default=0.05)
    command.add_argument("--power", type=float, default=0.8)
    command.add_argument("--variants", type=int, default=2)
    command.add_argument("--metric", choices=["proportion", "mean"], default="proportion")
    command.add_argument("--sd", type=float, help="standard deviation of one person's outcome, for a mean")
    command.add_argument("--daily", type=int, metavar="N", help="people who enter per day")
    command.add_argument("--weights", metavar="W,W,…", help="unequal shares, the control's first: 9,1")
    command.add_argument("--correlation", type=float, default=0.0, help="of the outcome with a number known before")
    common(command)
    command.set_defaults(run=_plan)
    add_results(verbs)


def _analyze(arguments: argparse.Namespace, out: Output) -> int:
    analysis = analyze(parse_spec(_read(arguments.spec)), now=utc_now(), prior=_prior(arguments.prior))
    out.document(analysis.as_json(), _in_words(analysis))
    return 0


def _plan(arguments: argparse.Namespace, out: Output) -> int:
    if arguments.per_variant is not None:
        return _findable(arguments, out)
    planned = plan(
        baseline=arguments.baseline,
        mde=arguments.mde,
        mde_relative=arguments.mde_relative,
        alpha=arguments.alpha,
        power=arguments.power,
        variants=arguments.variants,
        metric=arguments.metric,
        sd=arguments.sd,
        daily=arguments.daily,
        weights=_weights(arguments.weights),
        covariate_correlation=arguments.correlation,
    )
    days = f", about {planned.days} days" if planned.days is not None else ""
    where = "in the smallest variant" if len(set(planned.sizes)) > 1 else "per variant"
    text = (
        f"{planned.n_per_variant:,} people {where}, {planned.n_total:,} in all{days}.\n"
        f"Looking whenever you like, half of such tests are decided by {planned.sequential.median_n_per_variant:,} "
        f"people {where}, at most {planned.sequential.max_n_per_variant:,} are needed."
    )
    if planned.days is not None:
        weeks = range(1, min(math.ceil(planned.days / 7) * 2, 26) + 1)
        rows = [(week, planned.chance_by_day(7 * week)) for week in weeks]
        text += f"\n\n{table(rows, ('week', 'chance to be decided'))}"
    out.document(planned.as_json(), text)
    return 0


def _findable(arguments: argparse.Namespace, out: Output) -> int:
    """What a given number of people is enough for."""
    people, baseline = arguments.per_variant, arguments.baseline
    problems = {
        "--per-variant": people >= 1 and arguments.mde is None and arguments.mde_relative is None,
        "--baseline": arguments.metric == "mean" or 0 < baseline < 1,
        "--sd": (arguments.metric == "mean") == (arguments.sd is not None and arguments.sd > 0),
        "--alpha": 0 < arguments.alpha < 1,
        "--power": 0 < arguments.power < 1,
        "--variants": arguments.variants >= 2,
    }
    wrong = [name for name, is_right in problems.items() if not is_right]
    if wrong:
        hint = "Give --per-variant at least 1 and no --mde, a rate between 0 and 1, and --sd only for a mean."
        raise UserFixable("EXPERIMENT-PLAN", "No answer follows from these.", where=", ".join(wrong), hint=hint)
    level = arguments.alpha / (arguments.variants - 1)
    found = detectable_effect(people, baseline=baseline, sd=arguments.sd, alpha=level, power=arguments.power)
    effect = found if math.isfinite(found) else None
    lift = effect / baseline if effect is not None and baseline else None
    text = "Nothing: no rate up to 100 % is far enough from it."
    if effect is not None:
        text = f"{effect:.4g}" + (f", a lift of {100 * lift:.1f} %." if lift is not None else ".")
    out.document({"n_per_variant": people, "effect": effect, "lift": lift}, f"The smallest effect they find: {text}")
    return 0


def _weights(text: str | None) -> list[float] | None:
    try:
        return [float(part) for part in text.split(",")] if text else None
    except ValueError:
        raise UserFixable(
            "USAGE", f"“{text}” are not numbers.", where="--weights", hint="Write them like 9,1"
        ) from None


def _prior(text: str | None) -> RatePrior | None:
    if text is None:
        return None
    rate, _, contacts = text.partition(":")
    try:
        return RatePrior(float(rate), float(contacts))
    except ValueError as error:
        raise UserFixable("USAGE", f"{error}.", where="--prior", hint="Write it like 0.03:150, up to 200.") from None


def _read(name: str) -> object:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except FileNotFoundError:
        raise UserFixable(
            "FILE-MISSING", "There is no such file.", where=name, hint="Check the name and the folder."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserFixable("FILE-JSON", f"The file is not JSON: {error}.", where=name, hint="Mend that line.") from None
    except OSError as error:
        raise UserFixable(
            "FILE-UNREADABLE", f"The file cannot be read: {error.strerror}.", where=name, hint="Name a readable file."
        ) from None


def _in_words(analysis: Analysis) -> str:
    rows = [
        (c.variant, c.effect, c.lift, *(c.anytime.ci or (None, None)), c.ship.lower_bound, c.bayes.p_better)
        for c in analysis.comparisons
    ]
    heads = ("variant", "effect", "lift", "any-time low", "high", "ship bound", "chance better")
    verdict = analysis.decision.verdict.replace("_", " ")
    about = f"{verdict}: {analysis.decision.variant}" if analysis.decision.variant else verdict
    return "\n".join((about, *(f"  {reason}" for reason in analysis.decision.reasons), "", table(rows, heads)))
