"""What people call an output."""

from __future__ import annotations

import pytest

from studio.domain.port_words import port_words


@pytest.mark.parametrize(
    ("port", "said"),
    [("out", ""), ("timeout", "time is up"), ("error", "failed here"), ("no_such_port", "no such port")],
)
def test_outputs_are_called_as_people_would(port: str, said: str) -> None:
    assert port_words(port) == said


def test_the_label_of_a_way_goes_first() -> None:
    settings = {"branches": [{"id": "ordered", "label": "paid"}, {"id": "left"}], "timeout": "P1D"}
    assert [port_words(port, settings) for port in ("ordered", "left", "timeout")] == ["paid", "left", "time is up"]
