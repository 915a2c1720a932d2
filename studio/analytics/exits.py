"""Where people leave a run, and why: exits, refusals of the gate, bounces, opting out, success.

Absent on purpose: instances; a person who leaves twice for the same reason counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.analytics.facts import Design, Facts, People, held_arms, treated_arms, union, united

_WHY = {
    "converted": "Reached the goal",
    "unsubscribed": "Unsubscribed",
    "complained": "Complained",
}
_DETAILED = ("exited", "blocked", "bounced")
_REASONS = {
    "invalid_address": "No usable address",
    "no_consent": "No consent",
    "frequency_cap": "Too many messages already",
    "quiet_hours": "Quiet hours",
    "unsubscribed": "Unsubscribed before",
    "complained": "Complained before",
    "bounced": "Bounced before",
}


@dataclass(frozen=True, slots=True)
class Exit:
    """Different people who left for one reason. `kind` is the event's, `reason` what it said, `share` of all entered.

    Somebody can be in several rows: who unsubscribed may have bought as well.
    """

    kind: str
    reason: str
    title: str
    people: int
    share: float | None


def exits(facts: Facts, run_id: str, design: Design) -> tuple[Exit, ...]:
    """Most people first; the last row is who is still on the way or came to an end that gives no reason."""
    groups = facts.people(run_id, ["entered", "exposed", *_WHY, *_DETAILED], by=("kind", "detail", "arms"))
    entered = _who(groups, "entered")
    total = len(entered) if entered is not None else 0
    kinds = sorted({(kind, detail) for kind, detail, _ in groups if kind in _WHY or kind in _DETAILED})
    found: dict[tuple[str, str], People] = {}
    for kind, detail in kinds:
        who = union(
            people
            for (of, said, arms), people in groups.items()
            if (of, said) == (kind, detail) and (kind != "converted" or treated_arms(design, arms))
        )
        if who is not None:
            found[kind, detail if kind in _DETAILED else ""] = who
    held = union(p for (kind, _, arms), p in groups.items() if kind == "exposed" and held_arms(design, arms))
    rows = [
        Exit(kind, said, _title(kind, said), len(who), _share(len(who), total)) for (kind, said), who in found.items()
    ]
    if held is not None and len(held):
        rows.append(Exit("exposed", "held", "Held out for comparison", len(held), _share(len(held), total)))
    rows.sort(key=lambda row: (-row.people, row.kind, row.reason))
    left = union([*found.values(), *([held] if held is not None else [])])
    rest = total if entered is None or left is None else len(entered - left)
    if total:
        rows.append(Exit("", "", "On the way, or at an end without a reason", rest, _share(rest, total)))
    return tuple(rows)


def exits_at(facts: Facts, run_id: str, node_id: str) -> tuple[Exit, ...]:
    """Why people left at one step, most people first; shares are of all who have a row here."""
    kinds = [*_DETAILED, "unsubscribed", "complained"]
    groups = facts.people(run_id, kinds, by=("kind", "detail"), node_ids=[node_id])
    found: dict[tuple[str, str], People] = {}
    for (kind, detail), people in groups.items():
        key = (kind, detail if kind in _DETAILED else "")
        found[key] = found[key] | people if key in found else people
    total = united(found.values())
    rows = [Exit(kind, said, _title(kind, said), len(p), _share(len(p), total)) for (kind, said), p in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.people, row.kind, row.reason)))


def bounces(facts: Facts, run_id: str) -> dict[str, int]:
    """Bounce class (`hard`, `soft`, …; `unknown` where none was said) → different people."""
    groups = facts.people(run_id, ["bounced"], by=("detail",))
    return {(detail or "unknown"): united([people]) for (detail,), people in sorted(groups.items())}


def _title(kind: str, said: str) -> str:
    if kind in _WHY:
        return _WHY[kind]
    if kind == "bounced":
        return f"Bounced ({said})" if said else "Bounced"
    if kind == "blocked":
        reason, _, about = said.partition(":")
        words = _REASONS.get(reason, f"On the suppression list ({about})" if reason == "suppressed" else said)
        return f"Kept back: {words[:1].lower()}{words[1:]}" if said else "Kept back before sending"
    return f"Exit: {said}" if said else "Exit"


def _who(groups: Mapping[tuple[str, ...], People], kind: str) -> People | None:
    return union(people for (of, *_), people in groups.items() if of == kind)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
