"""Whatever a rule can hold is known to everything that evaluates, completes and explains rules."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from studio.domain.completion import FUNCTIONS
from studio.domain.expression_functions import CALLS
from studio.domain.expression_parser import parse_value
from studio.frames.expression import compile_text
from studio.frames.row_expression import row_form
from tests.nodes.world import NOW

REFERENCE = (Path(__file__).parents[2] / "docs" / "nodes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("function", CALLS)
def test_a_function_is_offered_explained_and_done(function: str) -> None:
    assert function in FUNCTIONS
    assert f"`{function}(" in REFERENCE
    formula = parse_value(CALLS[function].example)
    frame = pl.DataFrame({"total.order.ever.count": [1]})
    assert len(frame.select(compile_text(formula, frame.schema, NOW))) == 1


@pytest.mark.parametrize("function", CALLS)
def test_where_rules_have_a_form_for_single_rows_it_does_a_function_or_leaves_it_to_polars(function: str) -> None:
    formula = parse_value(CALLS[function].example)
    form = row_form(formula, {})
    assert form is None or form.as_text({}) == pl.DataFrame({"a": [1]}).select(compile_text(formula, {}, NOW)).item()
