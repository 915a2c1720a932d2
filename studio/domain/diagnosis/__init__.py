"""From a problem to its cause, whom it concerns, what to do, and what the program can do about it.

Window and command line show the same words. Absent on purpose: carrying the actions out.
"""

from __future__ import annotations

from studio.domain.diagnosis import data, mail, web, workspace
from studio.domain.diagnosis.entry import Action, Diagnosis, Signs, Whom, fits
from studio.domain.errors import StudioError

__all__ = ["CATALOGUE", "COMMANDS", "Action", "Diagnosis", "Whom", "command", "diagnose", "diagnose_error"]

CATALOGUE: tuple[Diagnosis, ...] = (*mail.REPLIES, *mail.ON_THE_WAY, *web.ENTRIES, *data.ENTRIES, *workspace.ENTRIES)
"""All entries; where several fit, the first one counts."""

COMMANDS: dict[Action, str] = {
    "retry": "studio retry {run} --node {node}",
    "resume": "studio resume {run}",
    "resolve": "studio outbox list --state in_doubt --run {run}",
    "release": "studio outbox release {run} --as doubt",
    "people": "studio outbox list --state failed --run {run}",
    "health": "studio doctor",
    "restore": "studio restore",
}
"""What to type for an action. Opening a setting, a profile or a file is done where it lies."""

_UNKNOWN = Diagnosis(
    id="unknown",
    signs=Signs(codes=()),
    title="Something went wrong",
    cause="The program has no entry for this problem; what it says stands above.",
    whom="step",
    remedy="Try the failed ones again; if it stays, look at Health and at the log.",
    action="retry",
)


def diagnose(code: str, text: str) -> Diagnosis:
    """The entry for a problem by its code and words; one that says so when there is none."""
    return next((entry for entry in CATALOGUE if fits(entry.signs, code, text)), _UNKNOWN)


def diagnose_error(error: BaseException) -> Diagnosis:
    """The entry for an exception: a studio error by its code and words, any other by the names of its classes."""
    if isinstance(error, StudioError):
        return diagnose(error.code, error.message)
    for kind in type(error).__mro__:
        found = diagnose("STEP-ERROR", f"({kind.__name__})")
        if found.signs.error:
            return found
    return diagnose("STEP-ERROR", f"({type(error).__name__})")


def command(diagnosis: Diagnosis, run_id: str, node_id: str) -> str | None:
    """What to type to carry the diagnosis's action out; None where there is nothing to type."""
    text = COMMANDS.get(diagnosis.action) if diagnosis.action else None
    return None if text is None else text.format(run=run_id, node=node_id)
