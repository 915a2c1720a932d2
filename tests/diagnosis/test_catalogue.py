"""What holds of every entry of the catalogue, and which of them a real error has been seen to reach."""

from __future__ import annotations

import pytest

from studio.cli.reporting import in_words
from studio.domain.diagnosis import CATALOGUE, COMMANDS, Diagnosis, command, diagnose, diagnose_error
from studio.domain.errors import UserFixable
from studio.domain.run import StepProblem
from studio.workspace.reports import RunReport, StepReport, diagnosis_json
from tests.diagnosis import test_data_and_workspace as here
from tests.diagnosis import test_mail_and_web as there

PROVOKED = {
    *(f"mail.{name}" for name in there.REPLIES),
    *there.ON_THE_WAY,
    *there.ANSWERS,
    *there.PAGES,
    *here.DATA,
    *here.STEPS,
    *here.STORES,
    "web.certificate",
    "web.tls",
    "web.unreachable",
    "data.expression-field",
    "data.cycle",
    "data.too-slow",
}


def test_most_entries_are_reached_by_a_real_error() -> None:
    ids = {entry.id for entry in CATALOGUE}
    assert ids >= PROVOKED, PROVOKED - ids
    assert len(PROVOKED) >= 110
    assert len(ids) - len(PROVOKED) <= 25


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)
def test_an_entry_is_whole_and_in_plain_words(entry: Diagnosis) -> None:
    assert sum(other.id == entry.id for other in CATALOGUE) == 1
    assert entry.title[0].isupper() and not entry.title.endswith(".")
    for text in (entry.cause, entry.remedy):
        assert text[0].isupper() and text.endswith(".") and "!" not in text
    assert not any(word in f"{entry.title} {entry.cause} {entry.remedy}".lower() for word in ("exception", "traceback"))
    typed = command(entry, "r7", "mail_1")
    assert (typed is None) == (entry.action not in COMMANDS)
    assert typed is None or typed.startswith("studio ")


def test_an_entry_is_not_hidden_by_one_before_it() -> None:
    """Whoever has only a code, and no words that something more special asks for, is reached by that code alone."""
    for entry in CATALOGUE:
        signs = entry.signs
        if not (signs.words or signs.reply or signs.error):
            assert diagnose(signs.codes[0], "") is entry


def test_what_nobody_knows_is_said_so() -> None:
    assert not diagnose("NO-SUCH-CODE", "").is_known
    assert diagnose_error(UserFixable("NO-SUCH-CODE", "What?")).id == "unknown"
    assert diagnose_error(ArithmeticError()).id == "workspace.own-error"
    assert diagnose_error(ZeroDivisionError()).id == "data.division"


def test_the_report_tells_cause_remedy_and_what_to_type() -> None:
    said = 'The mail server refused the recipient: "550 5.1.1 no such user".'
    problem = StepProblem("MAIL-REFUSED-RECIPIENT", said, "", 3, action="retry")
    told = diagnosis_json(problem, "r7", "m1")
    assert told is not None
    assert (told["id"], told["whom"]) == ("mail.unknown-mailbox", "person")
    assert told["command"] == "studio outbox list --state failed --run r7"
    step = StepReport("m1", "First mail", "send.email", "failed", 3, 0, 3, 0, 0, 1.0, 1, (problem,))
    report = RunReport("r7", "failed", 3, (step,), {}, 0, 1.0, None, "", "")
    assert "The mailbox does not exist: Nobody has this address" in in_words(report)
    assert "Type: studio outbox list --state failed --run r7" in in_words(report)
    assert diagnosis_json(StepProblem("NORM-COUNT", "Fewer than usual.", "", 3), "r7", "m1") is None
