"""The text of a rule as words and signs, and complaints that show the place.

Absent on purpose: grammar (`domain.expression_parser`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias, cast

from studio.domain.errors import Problem, UserFixable

TokenKind: TypeAlias = Literal["number", "text", "name", "sign", "end"]

INSTEAD = {"<>": "!=", "&&": "and", "||": "or", "!": "not"}
"""Signs of other languages, and what to write here."""

_TOKENS = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>==|!=|<=|>=|<>|&&|\|\||[-+*/()<>=,.\[\]!]))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign; `at` counts characters from 0."""

    kind: TokenKind
    text: str
    at: int


class Reader:
    """Walks over the tokens of one text, and gathers what is wrong with it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._problems: list[Problem] = []
        self._tokens = self._tokenised()
        self._next = 0

    @property
    def here(self) -> Token:
        """The token that comes next; the last one is of kind `end` and is never taken."""
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self.here
        self._next += 1
        return token

    def follows(self, word: str) -> bool:
        """Whether the token after the next one is this word."""
        return self.here.kind != "end" and self._tokens[self._next + 1].text.lower() == word

    def is_word(self, *words: str) -> bool:
        return self.here.kind == "name" and self.here.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        return self.here.kind == "sign" and self.here.text in signs

    def expect(self, sign: str, why: str) -> Token:
        if not self.is_sign(sign):
            self.stop(self.here.at, f"“{sign}” is missing {why}.", f"Here is {self.shown()}.")
        return self.take()

    def shown(self) -> str:
        """The next token as a sentence names it."""
        return "the end of the rule" if self.here.kind == "end" else f"“{self.here.text}”"

    def instead(self) -> str:
        """What to do about a sign that cannot stand here."""
        if self.is_sign(*INSTEAD):
            return f"Write {INSTEAD[self.here.text]} instead."
        return "Join two conditions with “and” or “or”."

    def wrong(self, at: int, message: str, hint: str, code: str = "EXPRESSION-TYPE") -> None:
        """Notes a problem and goes on."""
        self._problems.append(Problem(code, self._placed(at, message), hint, field=f"character {at + 1}"))

    def stop(self, at: int, message: str, hint: str, code: str = "EXPRESSION-SYNTAX") -> NoReturn:
        """Ends the reading with this problem; those noted before come along."""
        problem = Problem(code, self._placed(at, message), hint, field=f"character {at + 1}")
        raise UserFixable(
            code, problem.message, where=problem.field, hint=hint or None, problems=(*self._problems, problem)
        )

    def raise_problems(self) -> None:
        """Raises what was noted, if anything was."""
        if self._problems:
            first = self._problems[0]
            raise UserFixable(
                first.code, first.message, where=first.field, hint=first.hint or None, problems=self._problems
            )

    def _tokenised(self) -> list[Token]:
        tokens: list[Token] = []
        end = len(self._text.rstrip())
        at = 0
        while at < end:
            found = _TOKENS.match(self._text, at)
            if found is None:
                self._stop_at_character(end - len(self._text[at:end].lstrip()))
            kind = cast(TokenKind, found.lastgroup)
            tokens.append(Token(kind, found[kind], found.start(kind)))
            at = found.end()
        return [*tokens, Token("end", "", end)]

    def _stop_at_character(self, at: int) -> NoReturn:
        character = self._text[at]
        if character in "\"'":
            self.stop(at, "This text is not closed.", f"Put {character} at its end.")
        if character in "“”„‘’":
            self.stop(at, f"{character} does not begin a text here.", 'Use straight quotes: "text".')
        self.stop(at, f"“{character}” means nothing in a rule.", "Remove it, or put it in quotes if it is text.")

    def _placed(self, at: int, message: str) -> str:
        """The message, and below it the line it is about with a caret under the place."""
        start = self._text.rfind("\n", 0, at) + 1
        stop = self._text.find("\n", at)
        first = max(start, at - 40)
        line = self._text[first : stop if stop >= 0 else None][:80].replace("\t", " ")
        return f"{message}\n  {line}\n  {' ' * (at - first)}^"
