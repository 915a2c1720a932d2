"""Green but wrong: what is far from usual is said, what varies as ever is not."""

from __future__ import annotations

import pytest

from studio.domain.norms import Profile, alarms, read_profile


def profile(came: int = 1_000, passed: int | None = None, name: tuple[str, float] | None = ("String", 0.02)) -> Profile:
    passed = came // 2 if passed is None else passed
    return Profile(
        came={"start": came, "filter": came},
        left={"start": {"out": came}, "filter": {"pass": passed, "fail": came - passed}},
        filled={"start.out": {"name": name} if name is not None else {}},
        rows={"start.out": 50},
    )


def codes(now: Profile, *earlier: Profile) -> list[tuple[str, str]]:
    return [(alarm.node, alarm.code) for alarm in alarms(now, earlier, ["start", "filter"], {"start"})]


def test_nothing_is_said_without_a_run_to_compare_with_or_about_the_usual() -> None:
    assert codes(profile()) == []
    assert codes(profile(), profile(), profile(980), profile(1_040)) == []


@pytest.mark.parametrize(("came", "told"), [(1_900, False), (2_001, True), (510, False), (490, True), (0, True)])
def test_a_doubled_or_halved_audience_is_told(came: int, told: bool) -> None:
    assert (("start", "NORM-COUNT") in codes(profile(came), profile())) is told


def test_an_audience_that_always_varies_may_vary() -> None:
    usual = [profile(n) for n in (100, 900, 250, 3_000, 500)]
    assert codes(profile(2_500), *usual) == []
    assert ("start", "NORM-COUNT") in codes(profile(2_000_000), *usual)


def test_a_share_far_from_usual_is_told_with_both_figures() -> None:
    (first, second) = alarms(profile(passed=900), [profile(), profile()], ["filter"], {"start"})
    assert (first.code, second.code) == ("NORM-SHARE-pass", "NORM-SHARE-fail")
    assert first.message == "90% of the people left through “fits”; usually it is 50%."
    assert codes(profile(passed=560), profile(), profile()) == []


def test_few_people_prove_nothing() -> None:
    assert codes(profile(12, passed=12), profile(12, passed=1)) == []


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (("String", 0.9), "NORM-EMPTY-name"),
        (("Int64", 0.0), "NORM-TYPE-name"),
        (None, "NORM-GONE-name"),
        (("String", 0.3), None),
    ],
)
def test_a_column_that_became_empty_changed_its_type_or_went_away_is_told(column, code) -> None:
    assert codes(profile(name=column), profile()) == ([("start", code)] if code else [])


def test_a_profile_is_read_as_it_was_kept() -> None:
    assert read_profile(profile().as_json()) == profile()


def test_a_field_that_no_earlier_run_had_is_told_where_people_come_in() -> None:
    places = ("start.out", "filter.pass")
    usual = {"name": ("String", 0.0)}
    wider = {**usual, "vorname": ("String", 0.1), "var.score": ("Int64", 0.0), "never": ("String", 1.0)}
    now, before = (Profile(came={"start": 100}, filled=dict.fromkeys(places, c)) for c in (wider, usual))
    told = alarms(now, [before], ["start", "filter"], {"start"})
    assert [(alarm.node, alarm.code) for alarm in told] == [("start", "NORM-NEW")]
    assert "“score”, “vorname”" in told[0].message
    assert "never" not in told[0].message
    assert codes(now, before, now) == [], "an earlier run knew them"
    assert alarms(now, [Profile(came={"start": 100})], ["start"], {"start"}) == [], (
        "nothing is known of what came before"
    )
