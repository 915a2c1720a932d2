"""What `text_columns` fills in by columns, for a few people one by one: the same texts, without Polars' engine.

None wherever MiniJinja has to be asked. Absent on purpose: reading templates (`text_columns`).
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from studio.frames.expression import field_column
from studio.frames.row_expression import WHITE, Row, Value, lowered
from studio.nodes.text_columns import MAX_BYTES, ColumnText, If, Part, Print, Test, literals, paths_in

_COMPARED: Mapping[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Unclear(Exception):
    """MiniJinja has to say what stands here."""


def fill_rows(text: ColumnText, dtypes: Mapping[str, pl.DataType], rows: Sequence[Row]) -> list[str | None]:
    """One text per row of facts, None where MiniJinja has to be asked; as `ColumnText.fill`."""
    columns = [(path, name) for path in text.paths if (name := _column(path)) in dtypes]
    if not all(_is_simple(dtypes[name]) for _, name in columns):
        return [None] * len(rows)
    uses = Counter(paths_in(text.parts))
    fixed = sum(len(part.encode()) for part in literals(text.parts))
    nothing: dict[str, Value] = dict.fromkeys(text.paths)
    told = ({**nothing, **{path: None if row[name] == "" else row[name] for path, name in columns}} for row in rows)
    return [_filled(text.parts, values, uses, fixed) for values in told]


def _column(path: str) -> str:
    return field_column(path.removeprefix("contact.")) if path.startswith("contact.") else path


def _is_simple(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Boolean, pl.Null) or dtype.is_integer() or dtype.is_float()


def _filled(parts: Sequence[Part], row: Row, uses: Mapping[str, int], fixed: int) -> str | None:
    long = fixed + sum(len(_printed(value).encode()) * uses[path] for path, value in row.items() if _is_clear(value))
    if long > MAX_BYTES:
        return None
    try:
        return _joined(parts, row)
    except Unclear:
        return None


def _is_clear(value: Value) -> bool:
    try:
        _printed(value)
    except Unclear:
        return False
    return True


def _printed(value: Value) -> str:
    if value is None:
        raise Unclear
    if isinstance(value, bool):
        return "True" if value else "False"
    if not isinstance(value, float):
        return str(value)
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if not 1e-4 <= abs(value) <= 1e15:
        raise Unclear
    return repr(value)


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else pl.Series([text], dtype=pl.String).str.to_uppercase().item()


_FILTERS: Mapping[str, Callable[[str], str]] = {
    "upper": _upper,
    "lower": lowered,
    "trim": lambda text: text.strip(WHITE),
}


def _joined(parts: Sequence[Part], row: Row) -> str:
    return "".join(_text(part, row) for part in parts)


def _text(part: Part, row: Row) -> str:
    match part:
        case str():
            return part
        case Print():
            return _print(part, row[part.path])
        case If():
            return _chosen(part, row)


def _print(part: Print, value: Value) -> str:
    is_given = value is None and part.filters and part.filters[0][0] in ("default", "d")
    text = part.filters[0][1] if is_given else _printed(value)
    for name, _ in part.filters:
        text = text if name in ("default", "d") else _FILTERS[name](text)
    return text


def _chosen(part: If, row: Row) -> str:
    for test, body in part.ways:
        if test is None or _holds(test, row[test.path]):
            return _joined(body, row)
    return ""


def _holds(test: Test, value: Value) -> bool:
    if value is not None and value != value:  # noqa: PLR0124 - that is how not-a-number is known
        raise Unclear
    if not test.sign:
        is_true = value is not None and (isinstance(value, str) or value != 0)
        return is_true != test.negated
    if value is None:
        raise Unclear
    if isinstance(test.literal, str) != isinstance(value, str):
        if test.sign not in ("==", "!="):
            raise Unclear
        return test.sign == "!="
    return _COMPARED[test.sign](value, test.literal)
