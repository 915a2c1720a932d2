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
from functools import lru_cache

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
    """Documents ready to be scored: of each word, what it adds to the score of every document it is in."""

    documents: int
    postings: dict[str, tuple[tuple[int, float], ...]]

    @staticmethod
    def of(documents: Sequence[str]) -> Index:
        """An index of the documents, in order."""
        counts = [Counter(words(document)) for document in documents]
        present = Counter(word for count in counts for word in count)
        n = len(documents)
        mean = sum(count.total() for count in counts) / n if n else 1.0
        postings: dict[str, list[tuple[int, float]]] = {word: [] for word in present}
        for number, count in enumerate(counts):
            damping = K1 * (1 - B + B * count.total() / (mean or 1.0))
            for word, times in count.items():
                weight = math.log(1 + (n - present[word] + 0.5) / (present[word] + 0.5))
                postings[word].append((number, weight * times * (K1 + 1) / (times + damping)))
        return Index(n, {word: tuple(places) for word, places in postings.items()})

    def scores(self, text: str) -> list[float]:
        """One score ≥ 0 per document; each word of the text counts once, however often it is said."""
        scores = [0.0] * self.documents
        for word in sorted(set(words(text))):
            for number, part in self.postings.get(word, ()):
                scores[number] += part
        return scores


@lru_cache(maxsize=8_192)  # a language has few words, and they come again and again
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return word[: -len(ending)]
    return word
