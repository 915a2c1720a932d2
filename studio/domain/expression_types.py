"""The pieces of a rule's tree with their types while it is read: what goes together, and how large a rule may be.

Absent on purpose: grammar (`expression_parser`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from studio.domain.expression import MAX_DEPTH, MAX_NODES, Expression, children
from studio.domain.expression_functions import CALLS, CallFunction
from studio.domain.expression_reader import Reader

ValueType: TypeAlias = Literal["number", "text", "boolean", "missing", "any"]
"""`any` is a field, whose type is known only with the data; `missing` is the word null."""

WORDS: dict[ValueType, str] = {
    "number": "a number",
    "text": "a text",
    "boolean": "a yes or no",
    "missing": "null",
    "any": "a field",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of tree with its type, and the place where its text begins."""

    node: Expression
    type: ValueType
    at: int


class TypedReader(Reader):
    """A reader that counts the parts of the tree and knows their types."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nesting = 0
        self._nodes = 0

    def common(self, function: CallFunction, parts: Sequence[Part]) -> ValueType:
        """The one type that values between which a function chooses have; what is missing goes with any."""
        types = {part.type for part in parts if part.type not in ("any", "missing")}
        if len(types) > 1:
            told = " and ".join(sorted(WORDS[one] for one in types))
            message = f"{function} chooses between values of one kind; here are {told}."
            self.wrong(parts[0].at, message, f"Write it like {CALLS[function].example}.")
        if types:
            return min(types)
        return "missing" if parts and all(part.type == "missing" for part in parts) else "any"

    def made(self, node: Expression, kind: ValueType, at: int) -> Part:
        """A new part of the tree, which is counted."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self.stop(
                at, f"The rule has more than {MAX_NODES} parts.", "Split it over several steps.", "EXPRESSION-LIMIT"
            )
        return Part(node, kind, at)

    def nested(self, at: int, part: Callable[[], Part]) -> Part:
        """What is read one level deeper."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            self._too_deep(at)
        inside = part()
        self._nesting -= 1
        return inside

    def check_depth(self, whole: Part) -> None:
        """Refuses a tree that is deeper than what was nested while reading."""
        if _depth(whole.node) > MAX_DEPTH:
            self._too_deep(whole.at)

    def _too_deep(self, at: int) -> NoReturn:
        self.stop(
            at, f"The rule is nested more than {MAX_DEPTH} deep.", "Split it over several steps.", "EXPRESSION-LIMIT"
        )

    def require(self, part: Part, wanted: ValueType, why: str) -> None:
        """Notes a problem when a part is of another type."""
        if part.type not in (wanted, "any") and not (part.type == "missing" and wanted == "boolean"):
            hint = "Compare it with something." if wanted == "boolean" else f"Here is {WORDS[part.type]}."
            self.wrong(part.at, f"{why}; this is {WORDS[part.type]}.", hint)


def _depth(node: Expression) -> int:
    return 1 + max((_depth(child) for child in children(node)), default=0)
