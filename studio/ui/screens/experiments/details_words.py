"""What comes after who wins, as rows and sentences: for whom, in money, what happened when.

Absent on purpose: Qt and statistics; and any word that sounds like a verdict, which only the rule may give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.analytics.trial_details import BOUGHT, RevenueView, TrialDetails
from studio.experiments.segments import Segmentation
from studio.ui import numbers
from studio.ui.tokens import Tone
from studio.workspace.trial_history import HistoryEntry

CLEAR = 0.05
DIMENSIONS = {"country": "Country", "language": "Language", "device": "Device", "gender": "Gender"}
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One part of the audience; `tone` is coloured only where the corrected evidence is clear."""

    dimension: str
    name: str
    people: int
    lift: float | None
    p_value: float | None
    tone: Tone


def segment_rows(details: TrialDetails) -> list[SegmentRow]:
    """Every segment, those of one dimension together, in the order of the dimensions."""
    return [
        SegmentRow(dimension, _name(dimension, s.name), s.n, s.lift, s.p_value, _tone(s.lift, s.p_value))
        for dimension, found in details.segments.items()
        for s in found.segments
    ]


def _name(dimension: str, part: str) -> str:
    if dimension == BOUGHT:
        return part
    if dimension == "language":
        return LANGUAGES.get(part, part)
    return f"{DIMENSIONS.get(dimension, dimension.capitalize())}: {part}"


def _tone(lift: float | None, p_value: float | None) -> Tone:
    if lift is None or p_value is None or p_value >= CLEAR:
        return "default"
    return "good" if lift > 0 else "bad"


def segment_note(details: TrialDetails) -> str:
    """Whether the parts differ from each other, and what the table is not."""
    differing = [name for name, found in details.segments.items() if _differs(found, len(details.segments))]
    if not details.comparable:
        return "Shares followed the results in this test, so its parts cannot be compared."
    if not details.segments:
        return "Nothing is known of these people that would divide them."
    if not differing:
        return "No sign that it works differently for some. Read p-values as hints; they decide nothing."
    names = " and ".join(DIMENSIONS.get(name, name).lower() for name in differing)
    return f"It works differently by {names}. Test that on its own before acting on it."


def side_effect_note(details: TrialDetails) -> str:
    """What is hardly chance among the other outcomes."""
    if not details.side_effects:
        return "Nothing else is counted for such a test, or nothing else happened yet."
    clear = [s for s in details.side_effects if s.q_value is not None and s.q_value < CLEAR and s.lift is not None]
    if not clear:
        return "Any difference here may well be chance. This is for looking; it decides nothing."
    told = ", ".join(f"{s.title.lower()} {_signed(s.lift)}" for s in clear if s.lift is not None)
    return f"Hardly chance: {told}. This is for looking; it decides nothing."


def _differs(found: Segmentation, questions: int) -> bool:
    return found.differ_p is not None and found.differ_p * questions < CLEAR


def revenue_finding(details: TrialDetails) -> str:
    """The sentence about money, with its interval."""
    revenue, treatment = details.revenue, details.treatment
    if revenue.lift is None:
        return "Nobody has paid yet."
    change = f"{numbers.percent(abs(revenue.lift))} {'more' if revenue.lift >= 0 else 'less'}"
    if revenue.lift_ci is None and not details.comparable:
        return f"{treatment} earns {change} per person; shares followed the results, so this proves nothing by itself."
    if revenue.lift_ci is None:
        return f"{treatment} earns {change} per person so far: too few buyers to say more."
    low, high = revenue.lift_ci
    span = numbers.interval(_signed(low), _signed(high))
    if low > 0 or high < 0:
        return f"{treatment} earns {change} per person ({span})."
    return f"{treatment} earns {change} per person, which may be chance ({span})."


def revenue_facts(revenue: RevenueView, currency: str) -> list[tuple[str, str]]:
    """Where the difference comes from, and how it was measured."""
    facts = [
        ("More people who buy", _lift(revenue.rate_lift)),
        ("Larger orders", _lift(revenue.value_lift)),
        ("Without adjustment", _lift(revenue.lift_plain)),
    ]
    if revenue.cap is not None:
        facts.append(("Spending above this counts as this", numbers.money(revenue.cap, currency)))
    if revenue.explained is not None:
        share = numbers.percent(revenue.explained, 1)
        facts.append(("Explained by earlier purchases", share))
    if revenue.few:
        facts.append(("Careful", "1 in 100 buyers brings more than half"))
    return facts


def expectation(details: TrialDetails, *, decided: bool) -> str:
    """What to count on after shipping; empty while nothing is decided."""
    if not decided or details.expected is None:
        return ""
    return (
        f"Count on about {_signed(details.expected)} in the long run: a winner is chosen because it looked good, "
        "so it looked a little better than it is."
    )


def history_rows(history: Sequence[HistoryEntry]) -> list[tuple[str, str, str]]:
    """Date, words, and the state of the mark, the newest first."""
    states = {"started": "idle", "known": "running", "proven": "done", "kept": "waiting", "shipped": "done"}
    return [
        (f"{entry.at.day} {entry.at:%b %Y}", numbers.as_written_here(entry.text), states.get(entry.kind, "paused"))
        for entry in reversed(history)
    ]


def _lift(value: float | None) -> str:
    return numbers.NOTHING if value is None else _signed(value)


def _signed(value: float) -> str:
    return numbers.signed(numbers.percent(value, 1 if abs(value) < 0.1 else 0))
