"""Finds what was meant by a few typed letters: they must occur in order; word starts and runs count more.

Absent on purpose: forgiveness for typing mistakes; with a short list, a missing letter is found by leaving it out.
"""

from __future__ import annotations

from dataclasses import dataclass

_WORD_START, _CONSECUTIVE, _FIRST, _GAP = 10, 6, 8, 1


@dataclass(frozen=True, slots=True)
class Match:
    """`positions` are the matched characters of the text."""

    score: int
    positions: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """The best way to find `query` in `text`, ignoring case and spaces of the query; None when it is not there.

    An empty query matches with score 0. O(len(query) · len(text)²); meant for titles.
    """
    wanted = [letter for letter in query.casefold() if not letter.isspace()]
    if not wanted:
        return Match(0, ())
    letters = text.casefold()
    if len(letters) != len(text):  # a letter that folds into two would shift the positions
        letters = text.lower() if len(text.lower()) == len(text) else text
    # best[i]: the best score of a match so far that ends at letter i, with its positions
    best: dict[int, Match] = {}
    for number, letter in enumerate(wanted):
        here = [index for index, other in enumerate(letters) if other == letter]
        if number == 0:
            best = {index: Match(_worth(letters, index), (index,)) for index in here}
        else:
            best = {index: found for index in here if (found := _extended(best, letters, index)) is not None}
        if not best:
            return None
    found = max(best.values(), key=lambda candidate: candidate.score)
    return Match(found.score - len(letters) // 8, found.positions)


def match_words(query: str, text: str) -> Match | None:
    """For longer texts, in which scattered letters mean nothing: every word of the query stands there as it is."""
    folded = text.casefold()
    return Match(0, ()) if all(word in folded for word in query.casefold().split()) else None


def _extended(best: dict[int, Match], letters: str, index: int) -> Match | None:
    candidates = [
        Match(before.score + _worth(letters, index) + _join(end, index), (*before.positions, index))
        for end, before in best.items()
        if end < index
    ]
    return max(candidates, key=lambda candidate: candidate.score, default=None)


def _join(end: int, index: int) -> int:
    return _CONSECUTIVE if index == end + 1 else -_GAP * min(6, index - end - 1)


def _worth(letters: str, index: int) -> int:
    if index == 0:
        return 1 + _FIRST + _WORD_START
    return 1 + (_WORD_START if not letters[index - 1].isalnum() else 0)
