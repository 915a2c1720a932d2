"""The form of a step's policy says what the file says, and writes it back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from studio.domain.workflow import Node, Retry
from studio.nodes.policy import StepPolicy, policy_values, with_policy

KINDS = ("transient", "timeout", "busy", "unreachable", "error")


def covered(retry: Retry) -> set[str]:
    passing = {"timeout", "busy", "unreachable"} if "transient" in retry.retry_on else set()
    return {*retry.retry_on, *passing} - {"transient"}


@given(
    retry=st.builds(
        Retry,
        max=st.integers(0, 20),
        backoff=st.sampled_from(["PT0S", "PT30S", "PT1M", "P1D"]),
        retry_on=st.lists(st.sampled_from(KINDS), unique=True).map(tuple),
    ),
    timeout=st.sampled_from([None, "PT30S", "PT2H"]),
    condition=st.sampled_from([None, "age > 3"]),
)
def test_what_the_form_shows_is_written_back_with_the_same_meaning(
    retry: Retry, timeout: str | None, condition: str | None
) -> None:
    node = Node(id="n", type="flow.delay", retry=retry, timeout=timeout, condition=condition)
    after = with_policy(node, policy_values(node))
    assert covered(after.retry) == covered(retry)
    assert after.model_copy(update={"retry": retry}) == node
    assert (after.retry.max, after.retry.backoff, after.retry.jitter) == (retry.max, retry.backoff, retry.jitter)
    assert policy_values(after) == policy_values(node)


def test_a_step_as_it_comes_says_nothing_and_stays_as_it_is() -> None:
    node = Node(id="n", type="flow.delay")
    assert policy_values(node) == {}
    assert with_policy(node, {}) == node


@pytest.mark.parametrize("wrong", [{"tries": 21}, {"backoff": "soon"}, {"timeout": "PT0S"}, {"condition": "foo("}])
def test_what_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StepPolicy.model_validate(wrong)
