"""Reads a rule's text into the tree of `domain.expression`, or says where it is wrong and what to write instead.

    rule    = and {"or" and}        and = not {"and" not}       not = "not" not | compare
    compare = sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "(" list ")" | "is" ["not"] "missing"]
    sum     = product {("+" | "-") product}                     product = sign {("*" | "/") sign}
    sign    = "-" sign | number | text | true | false | null | name | function "(" … ")" | "(" rule ")"

A slip of grammar ends the reading; slips of type and name are all collected. Everything is bounded (`MAX_…`), and the
parser never recurses deeper than the tree may be. Absent on purpose: repairing what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from studio.domain.errors import UserFixable
from studio.domain.expression import (
    MAX_LITERAL,
    MAX_TEXT,
    And,
    Arithmetic,
    ArithmeticOperator,
    Call,
    Compare,
    CompareOperator,
    Constant,
    ContactField,
    EventPart,
    Expression,
    History,
    HistoryFunction,
    InstanceKey,
    IsMissing,
    Negative,
    Not,
    OneOf,
    Or,
    Scalar,
    Scope,
    TextCall,
    TextFunction,
    Variable,
)
from studio.domain.expression_functions import CALLS, DIGITS_MAX, CallFunction, Takes
from studio.domain.expression_reader import INSTEAD, Token
from studio.domain.expression_types import WORDS, Part, TypedReader, ValueType
from studio.domain.spelling import nearest

_KEYWORDS = {"and", "or", "not", "in", "is", "missing", "true", "false", "null"}
_COMPARISONS = {"==": "==", "=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_HISTORY: dict[str, ValueType] = {"count": "number", "sum": "number", "days_since": "number", "has": "boolean"}
_TEXT_FUNCTIONS: dict[str, tuple[int, ValueType]] = {
    "lower": (1, "text"),
    "length": (1, "number"),
    "contains": (2, "boolean"),
    "starts_with": (2, "boolean"),
}
_FUNCTIONS = (*_HISTORY, *_TEXT_FUNCTIONS, *CALLS)
_LONGEST_DAYS = 36_500


def parse_expression(text: str, scope: Scope = "contact") -> Expression:
    """The tree of a rule whose answer is yes or no.

    Raises:
        UserFixable: EXPRESSION-SYNTAX, -TYPE, -NAME or -LIMIT; the message shows the place, `problems` holds all found.
    """
    if len(text) > MAX_TEXT:
        raise UserFixable(
            "EXPRESSION-LIMIT",
            f"The rule has {len(text):,} characters; {MAX_TEXT:,} are the most.",
            hint="Split it over several steps.",
        )
    return _Parser(text, scope).parse()


def parse_value(text: str, scope: Scope = "contact") -> Expression:
    """The tree of a formula that may come out as anything: a number, a text, a yes or no, the value of a field.

    Raises what `parse_expression` raises.
    """
    if len(text) > MAX_TEXT:
        raise UserFixable(
            "EXPRESSION-LIMIT",
            f"The formula has {len(text):,} characters; {MAX_TEXT:,} are the most.",
            hint="Split it over several values.",
        )
    return _Parser(text, scope).parse(is_rule=False)


class _Parser(TypedReader):
    def __init__(self, text: str, scope: Scope) -> None:
        super().__init__(text)
        self._scope = scope

    def parse(self, *, is_rule: bool = True) -> Expression:
        if self.here.kind == "end":
            hint = 'Write something like country == "DE".' if is_rule else "Write something like score * 2."
            self.stop(self.here.at, f"The {'rule' if is_rule else 'formula'} is empty.", hint)
        whole = self._or()
        if self.here.kind != "end":
            self.stop(
                self.here.at, f"Nothing is expected after the rule, but here is “{self.here.text}”.", self.instead()
            )
        if is_rule:
            self.require(whole, "boolean", "The rule has to come out as yes or no")
        self.check_depth(whole)
        self.raise_problems()
        return whole.node

    # Grammar, loosest first

    def _or(self) -> Part:
        return self._joined("or", self._and, Or)

    def _and(self) -> Part:
        return self._joined("and", self._not, And)

    def _joined(self, word: str, part: Callable[[], Part], join: type[And | Or]) -> Part:
        parts = [part()]
        while self.is_word(word):
            self.take()
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        for one in parts:
            self.require(one, "boolean", f"“{word}” joins conditions")
        return self.made(join(tuple(one.node for one in parts)), "boolean", parts[0].at)

    def _not(self) -> Part:
        if not self.is_word("not"):
            return self._compare()
        at = self.take().at
        operand = self.nested(at, self._not)
        self.require(operand, "boolean", "“not” turns a condition round")
        return self.made(Not(operand.node), "boolean", at)

    def _compare(self) -> Part:
        left = self._sum()
        if self.here.kind == "sign" and self.here.text in _COMPARISONS:
            return self._comparison(left)
        if self.is_word("is"):
            return self._is_missing(left)
        if self.is_word("in"):
            return self._one_of(left, negated=False)
        if self.is_word("not") and self.follows("in"):
            self.take()
            return self._one_of(left, negated=True)
        if self.is_sign(*INSTEAD):
            self.stop(self.here.at, f"“{self.here.text}” means nothing in a rule.", self.instead())
        return left

    def _comparison(self, left: Part) -> Part:
        token = self.take()
        operator = cast(CompareOperator, _COMPARISONS[token.text])
        right = self._sum()
        if self.here.kind == "sign" and self.here.text in _COMPARISONS:
            self.stop(self.here.at, "Two comparisons follow each other.", "Join them: 10 <= value and value < 20.")
        if "missing" in (left.type, right.type) or Constant("") in (left.node, right.node):
            what = "null" if "missing" in (left.type, right.type) else "an empty text"
            hint = "To ask whether something is missing, write: is missing."
            self.wrong(token.at, f"Nothing compares with {what}.", hint)
        elif "any" not in (left.type, right.type) and left.type != right.type:
            self.wrong(
                token.at,
                f"{WORDS[left.type].capitalize()} does not compare with {WORDS[right.type]}.",
                "Compare like with like.",
            )
        elif operator not in ("==", "!=") and "boolean" in (left.type, right.type):
            self.wrong(token.at, "A yes or no is not larger or smaller.", "Use == or !=.")
        return self.made(Compare(operator, left.node, right.node), "boolean", left.at)

    def _is_missing(self, operand: Part) -> Part:
        self.take()
        negated = self.is_word("not")
        if negated:
            self.take()
        if not self.is_word("missing"):
            self.stop(
                self.here.at,
                f"After “is” comes missing or not missing, but here is {self.shown()}.",
                "For equality write ==.",
            )
        self.take()
        return self.made(IsMissing(operand.node, negated), "boolean", operand.at)

    def _one_of(self, operand: Part, *, negated: bool) -> Part:
        self.take()
        self.expect("(", "after “in”")
        options = [self._constant()]
        while self.is_sign(","):
            self.take()
            options.append(self._constant())
        self.expect(")", "at the end of the list")
        types = {option.type for option in options}
        if len(types) > 1:
            self.wrong(options[0].at, "The list mixes numbers, texts or yes and no.", "Let all be of one kind.")
        elif operand.type not in ("any", *types):
            self.wrong(
                operand.at,
                f"{WORDS[operand.type].capitalize()} cannot be in a list of such values.",
                "Compare like with like.",
            )
        values = tuple(cast(Scalar, cast(Constant, option.node).value) for option in options)
        return self.made(OneOf(operand.node, values, negated), "boolean", operand.at)

    def _constant(self) -> Part:
        at = self.here.at
        negative = self.is_sign("-")
        if negative:
            self.take()
        if self.here.kind == "number":
            value = cast(float, cast(Constant, self._number().node).value)
            return Part(Constant(-value if negative else value), "number", at)
        if negative or not (self.here.kind == "text" or self.is_word("true", "false")):
            message = f"The list holds numbers, quoted texts, true or false, but here is {self.shown()}."
            self.stop(self.here.at, message, "Put texts in quotes.")
        return self._string() if self.here.kind == "text" else self._name()

    def _sum(self) -> Part:
        return self._arithmetic(("+", "-"), self._product)

    def _product(self) -> Part:
        return self._arithmetic(("*", "/"), self._signed)

    def _arithmetic(self, operators: tuple[str, ...], part: Callable[[], Part]) -> Part:
        left = part()
        while self.is_sign(*operators):
            operator = cast(ArithmeticOperator, self.take().text)
            right = part()
            for one in (left, right):
                self.require(one, "number", f"“{operator}” reckons with numbers")
            left = self.made(Arithmetic(operator, left.node, right.node), "number", left.at)
        return left

    def _signed(self) -> Part:
        if not self.is_sign("-"):
            return self._primary()
        at = self.take().at
        operand = self.nested(at, self._signed)
        self.require(operand, "number", "“-” reckons with numbers")
        return self.made(Negative(operand.node), "number", at)

    def _primary(self) -> Part:
        token = self.here
        if token.kind == "number":
            return self._number()
        if token.kind == "text":
            return self._string()
        if token.kind == "name":
            return self._name()
        if self.is_sign(*INSTEAD):
            self.stop(token.at, f"“{token.text}” means nothing in a rule.", self.instead())
        if not self.is_sign("("):
            message = f"A value is missing here; instead there is {self.shown()}."
            self.stop(token.at, message, 'Write a field, a number or a "text".')
        self.take()
        inside = self.nested(token.at, self._or)
        self.expect(")", "here, to close the bracket")
        return Part(inside.node, inside.type, token.at)

    # Values

    def _number(self) -> Part:
        token = self.take()
        if len(token.text) > 20:
            self.stop(token.at, "This number is too long.", "Twenty digits are the most.", "EXPRESSION-LIMIT")
        if self.here.kind == "name" and self.here.at == token.at + len(token.text):
            self.stop(
                self.here.at,
                "A letter follows the number directly.",
                "Write the unit in words elsewhere, such as days=90.",
            )
        return self.made(Constant(float(token.text)), "number", token.at)

    def _string(self) -> Part:
        token = self.take()
        value = re.sub(
            r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), token.text[1:-1], flags=re.DOTALL
        )
        if len(value) > MAX_LITERAL:
            self.stop(
                token.at, f"This text has {len(value)} characters.", f"{MAX_LITERAL} are the most.", "EXPRESSION-LIMIT"
            )
        return self.made(Constant(value), "text", token.at)

    def _name(self) -> Part:
        token = self.take()
        word = token.text.lower()
        if word in ("true", "false"):
            return self.made(Constant(word == "true"), "boolean", token.at)
        if word == "null":
            return self.made(Constant(None), "missing", token.at)
        if word in _KEYWORDS:
            self.stop(
                token.at, f"“{token.text}” cannot stand here.", "A value is expected: a field, a number or a text."
            )
        if self.is_sign("("):
            return self._call(token)
        if self.is_sign(".", "["):
            return self._member(token)
        return self.made(self._bare(token.text), "any", token.at)

    def _bare(self, name: str) -> Expression:
        if self._scope == "event":
            return EventPart(name)
        return InstanceKey() if name == "key" else ContactField(name)

    def _member(self, owner: Token) -> Part:
        name = self._member_name()
        if self.is_sign(".", "["):
            self.stop(self.here.at, "Fields have no fields of their own.", "Write one name after the dot.")
        made: dict[str, Callable[[str], Expression]] = {"contact": ContactField}
        if self._scope == "event":
            made |= {"event": EventPart, "properties": EventPart}
        else:
            made |= {"var": Variable, "properties": ContactField}
        if owner.text not in made:
            names = ", ".join(f"{known}.…" for known in made)
            self.wrong(
                owner.at,
                f"“{owner.text}.” is not known here.",
                nearest(owner.text, made) or f"There are {names}.",
                "EXPRESSION-NAME",
            )
            return self.made(Constant(None), "any", owner.at)
        return self.made(made[owner.text](name), "any", owner.at)

    def _member_name(self) -> str:
        if self.take().text == ".":
            if self.here.kind != "name":
                self.stop(self.here.at, f"A name is missing after the dot; instead there is {self.shown()}.", "")
            return self.take().text
        token = self.here
        if token.kind != "text":
            self.stop(token.at, "Between [ and ] comes a name in quotes.", 'Write it like contact["first name"].')
        name = cast(str, cast(Constant, self._string().node).value)
        if not name.strip() or re.search(r"[\"'\\\x00-\x1f]", name):
            self.stop(token.at, "This is not the name of a field.", "Names have no quotes and no line breaks.")
        self.expect("]", "after the name")
        return name

    def _call(self, token: Token) -> Part:
        name = token.text
        if name not in _FUNCTIONS:
            hint = nearest(name, _FUNCTIONS) or f"There are {', '.join(_FUNCTIONS)}."
            self.stop(token.at, f"There is no function “{name}”.", hint, "EXPRESSION-NAME")
        self.take()
        read = self._history if name in _HISTORY else self._text_call if name in _TEXT_FUNCTIONS else self._function
        part = self.nested(token.at, lambda: read(token))
        self.expect(")", f"at the end of {name}(…)")
        return part

    def _history(self, token: Token) -> Part:
        function = cast(HistoryFunction, token.text)
        if self.here.kind != "text":
            self.stop(
                self.here.at,
                f"{function} asks for the kind of event in quotes.",
                f'Write it like {function}("order").',
            )
        kind_at = self.here.at
        kind = cast(str, cast(Constant, self._string().node).value)
        if not kind or re.search(r"[\s|=]", kind) or len(kind) > 64:
            self.wrong(
                kind_at,
                f"“{kind}” is not a kind of event.",
                "Kinds are single words, such as order or clicked.",
                "EXPRESSION-NAME",
            )
        days: float | None = None
        if self.is_sign(","):
            self.take()
            days = self._days(function)
        return self.made(History(function, kind, days), _HISTORY[function], token.at)

    def _days(self, function: HistoryFunction) -> float:
        at = self.here.at
        if not self.is_word("days") or function == "days_since":
            hint = (
                "It takes only the kind of event."
                if function == "days_since"
                else f'Write it like {function}("order", days=90).'
            )
            self.stop(at, f"{function} does not take {self.shown()} here.", hint)
        self.take()
        self.expect("=", "after days")
        if self.here.kind != "number":
            self.stop(
                self.here.at, f"days asks for a number; instead there is {self.shown()}.", "Write it like days=90."
            )
        days = cast(float, cast(Constant, self._number().node).value)
        if not 0 < days <= _LONGEST_DAYS:
            self.wrong(
                at,
                f"days={days:g} is out of range.",
                f"It lies above 0 and is at most {_LONGEST_DAYS:,}.",
                "EXPRESSION-LIMIT",
            )
        return days

    def _text_call(self, token: Token) -> Part:
        function = cast(TextFunction, token.text)
        count, result = _TEXT_FUNCTIONS[function]
        arguments = [self._sum()]
        while self.is_sign(","):
            self.take()
            arguments.append(self._sum())
        if len(arguments) != count:
            self.wrong(token.at, f"{function} takes {count} value{'s' if count > 1 else ''}, not {len(arguments)}.", "")
        for argument in arguments:
            self.require(argument, "text", f"{function} works on texts")
        return self.made(TextCall(function, tuple(part.node for part in arguments)), result, token.at)

    def _function(self, token: Token) -> Part:
        function = cast(CallFunction, token.text)
        signature = CALLS[function]
        arguments = [self._argument(function, signature.taken(0))]
        while self.is_sign(","):
            self.take()
            arguments.append(self._argument(function, signature.taken(len(arguments))))
        if not signature.least <= len(arguments) <= signature.most:
            self.wrong(
                token.at,
                f"{function} does not take {len(arguments)} value{'s' if len(arguments) > 1 else ''}.",
                f"Write it like {signature.example}.",
            )
        places = [place for place in range(len(arguments)) if signature.taken(place) == "value"]
        common = self.common(function, [arguments[place] for place in places])
        result = common if signature.gives == "value" else signature.gives
        return self.made(Call(function, tuple(part.node for part in arguments)), result, token.at)

    def _argument(self, function: CallFunction, takes: Takes) -> Part:
        part = self._or() if takes in ("condition", "value") else self._sum()
        match takes:
            case "condition":
                self.require(part, "boolean", f"{function} begins with a condition")
            case "number" | "text":
                self.require(part, takes, f"{function} works on {takes}s")
            case "separator" if not isinstance(part.node, Constant) or part.type != "text":
                self.wrong(
                    part.at, "join begins with what stands between the texts, in quotes.", f"{CALLS['join'].example}"
                )
            case "digits" if not (isinstance(part.node, Constant) and part.node.value in range(DIGITS_MAX + 1)):
                message = f"The number of digits is written out, 0 to {DIGITS_MAX}."
                self.wrong(part.at, message, f"Write it like {CALLS[function].example}.")
            case _:
                pass
        return part
