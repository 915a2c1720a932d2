"""What people call an output."""

from __future__ import annotations

import pytest

from studio.domain.debugging import Breakpoint
from studio.domain.norms import Profile, alarms
from studio.domain.port_words import labels_of, left_words, port_words


@pytest.mark.parametrize(
    ("port", "said"),
    [("out", ""), ("timeout", "time is up"), ("error", "failed here"), ("no_such_port", "no such port")],
)
def test_outputs_are_called_as_people_would(port: str, said: str) -> None:
    assert port_words(port) == said


def test_the_label_of_a_way_goes_first() -> None:
    settings = {"branches": [{"id": "ordered", "label": "paid"}, {"id": "left"}], "timeout": "P1D"}
    assert [port_words(port, labels_of(settings)) for port in ("ordered", "left", "timeout")] == [
        "paid",
        "left",
        "time is up",
    ]


def test_a_variant_goes_by_its_label_wherever_it_is_read() -> None:
    labels = labels_of({"variants": [{"id": "A", "label": "Short subject"}, {"id": "B"}]})
    ways = {"split": labels}
    assert left_words("A", labels) == "left through “Short subject”"
    assert left_words("out", labels) == "went on"
    given = Breakpoint(when="empty", node="split", port="A")
    assert given.in_words({"split": "Which subject?"}, ways) == (
        "when nobody leaves “Which subject?” through “Short subject”"
    )
    usual, now = (
        Profile(came={"split": 1_000}, left={"split": {"A": a, "B": 1_000 - a}}, filled={}, rows={}) for a in (500, 900)
    )
    (told, _other) = alarms(now, [usual], ["split"], set(), ways)
    assert "left through “Short subject”" in told.message
