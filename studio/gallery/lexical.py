"""Word overlap between a text and a set of short descriptions: Okapi BM25, the engine that is always there.

Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), equation 3.15 with k1 = 1.2,
b = 0.75. Absent on purpose: a stemmer for each language; plural and verb endings of English and German are cut roughly.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

K1 = 1.2
B = 0.75
_WORD = re.compile(r"[^\W\d_]{2,}")
_ENDINGS = ("ungen", "ings", "ing", "ies", "ern", "es", "en", "er", "ed", "s", "e")
_SHORTEST = 4


def words(text: str) -> list[str]:
    """Lower-case words of two letters and more, common endings cut from the longer ones.

    >>> words("Restaurants, roasting 2 coffees")
    ['restaurant', 'roast', 'coffe']
    """
    return [_stem(word) for word in _WORD.findall(text.lower())]


@dataclass(frozen=True, slots=True)
class Index:
    """Documents ready to be scored."""

    counts: tuple[Counter[str], ...]
    lengths: tuple[int, ...]
    weight: dict[str, float]

    @staticmethod
    def of(documents: Sequence[str]) -> Index:
        """An index of the documents, in order."""
        counts = tuple(Counter(words(document)) for document in documents)
        present = Counter(word for count in counts for word in count)
        n = len(documents)
        weight = {word: math.log(1 + (n - df + 0.5) / (df + 0.5)) for word, df in present.items()}
        return Index(counts, tuple(count.total() for count in counts), weight)

    def scores(self, text: str) -> list[float]:
        """One score ≥ 0 per document; each word of the text counts once, however often it is said."""
        if not self.counts:
            return []
        mean = sum(self.lengths) / len(self.lengths) or 1.0
        asked = sorted(set(words(text)) & set(self.weight))
        return [
            sum(
                self.weight[word] * count[word] * (K1 + 1) / (count[word] + K1 * (1 - B + B * length / mean))
                for word in asked
                if word in count
            )
            for count, length in zip(self.counts, self.lengths, strict=True)
        ]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return word[: -len(ending)]
    return word
