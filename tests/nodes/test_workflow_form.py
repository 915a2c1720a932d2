"""The form of a whole workflow's settings and its file say the same."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from studio.domain.workflow import Settings, Workflow
from studio.nodes.gate import cap_of, quiet_hours_of
from studio.nodes.workflow_form import form_values, with_settings


def values(settings: Settings) -> dict:
    return form_values(Workflow(name="w", settings=settings))


def test_a_workflow_as_it_begins_says_nothing() -> None:
    assert values(Settings()) == {}
    assert with_settings(Settings(), {}) == Settings()


def test_what_a_file_says_comes_back_out_of_the_form() -> None:
    told = Settings(
        topic="news",
        goal="order",
        exit='country == "DE"',
        re_entry="after_exit",
        quiet_hours=("21:00", "08:00"),
        zone="Europe/Berlin",
        frequency_cap={"max": 2, "per": "P3D", "action": "drop"},
        cost_per_message={"amount": 0.01, "currency": "USD"},
        currency="USD",
    )
    assert with_settings(Settings(), values(told)) == told


def test_what_the_form_makes_is_what_sending_reads() -> None:
    made = with_settings(Settings(), {"cap": 3, "quiet_from": "21:00", "quiet_until": "7:30"})
    cap, quiet = cap_of(made), quiet_hours_of(made)
    assert cap is not None
    assert (cap.most, cap.per.days, cap.action) == (3, 7, "defer")
    assert quiet is not None
    assert [f"{at:%H:%M}" for at in quiet] == ["21:00", "07:30"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quiet_from": "21:00"}, "a beginning and an end"),
        ({"zone": "Europe/Berlni"}, "There is no time zone"),
        ({"exit": "country ="}, "EXPRESSION"),
        ({"cap": 0}, "greater than or equal"),
        ({"currency": "euro"}, "pattern"),
    ],
)
def test_what_is_wrong_is_refused(wrong: dict, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        with_settings(Settings(), wrong)
    told = " ".join(f"{item['msg']} {item.get('ctx')}" for item in refused.value.errors())
    assert said in told
