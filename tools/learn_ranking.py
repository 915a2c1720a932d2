"""Makes what the ranking is shipped with: vectors of the program's own texts, and the weights of the parts.

    python tools/learn_ranking.py [--labels LABELS.jsonl]

Weights are a ridge regression of gains on the parts, over the examples of `resources/gallery/examples.json`, each left
out in turn. Labelled businesses, when given, only calibrate: how often a shown card with a score was right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from studio.domain.ports import Embedder
from studio.gallery import examples, meaning
from studio.gallery.assessment import Labelled, assess, fit_platt, read_labels
from studio.gallery.business_types import likelihood
from studio.gallery.embedding import find_embedder
from studio.gallery.likeness import PARTS, compare
from studio.gallery.weights import Weights

FOLDER = Path(__file__).parent.parent / "resources" / "gallery"
PENALTY = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path)
    labels = parser.parse_args().labels
    embedder = find_embedder()
    assert embedder is not None, "install the sentence model first"
    texts = meaning.own_texts()
    vectors = meaning.unit(np.array(embedder.embed(texts), dtype=np.float64)).astype(np.float16)
    np.savez_compressed(FOLDER / "vectors.npz", model=embedder.name, digest=meaning.digest(texts), vectors=vectors)
    file = FOLDER / "weights.json"
    known = json.loads(file.read_text()) if file.exists() else _uncalibrated()
    known |= {"with_model": asdict(learn(embedder)), "by_words": asdict(learn(None))}
    file.write_text(json.dumps(_rounded(known), indent=2) + "\n", encoding="utf-8")
    if labels is not None:
        known |= calibrate(read_labels(labels), embedder)
        file.write_text(json.dumps(_rounded(known), indent=2) + "\n", encoding="utf-8")
    print(file.read_text())


def learn(embedder: Embedder | None) -> Weights:
    """Weights from the examples, each compared with the others only."""
    parts = [_parts_without(number, embedder) for number in range(len(examples.examples()))]
    table = np.stack(parts)  # examples × parts × archetypes
    if embedder is not None:
        table[:, 1 + PARTS.index("meaning")] = _meaning_without_itself(embedder)
    names = ("type", *PARTS)
    used = [i for i in range(len(names)) if table[:, i].std() > 0]
    rows = table[:, used].transpose(0, 2, 1).reshape(-1, len(used))
    wanted = examples.gains().ravel()
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - centre) / spread
    inner = scaled.T @ scaled + PENALTY * np.eye(len(used))
    slopes = np.linalg.solve(inner, scaled.T @ (wanted - wanted.mean())) / spread
    found = dict.fromkeys(names, 0.0) | {names[i]: float(slope) for i, slope in zip(used, slopes, strict=True)}
    return Weights(**found, base=float(wanted.mean() - slopes @ centre))


def _parts_without(number: int, embedder: Embedder | None) -> np.ndarray:
    example = examples.examples()[number]
    like = compare(example.text, embedder, leave_out=number)
    joint = np.array(list(likelihood(example.text).values())) * (like.types() + 1e-4)
    gains = examples.type_gains().copy()
    own = int(examples.types()[number].argmax())
    count = examples.types()[:, own].sum() + 2.0
    gains[own] = (gains[own] * count - examples.gains()[number]) / (count - 1)
    return np.stack([joint / joint.sum() @ gains, *(getattr(like, part) for part in PARTS)])


def _meaning_without_itself(embedder: Embedder) -> np.ndarray:
    """Ridge predictions of each example by the others: (fitted − h·own) / (1 − h), h its leverage."""
    own = meaning.vectors_of(embedder)
    spread = own.examples - own.centre
    hat = spread @ np.linalg.solve(spread.T @ spread + meaning.RIDGE * np.eye(spread.shape[1]), spread.T)
    leverage = np.diag(hat)[:, None]
    wanted = examples.gains() - examples.gains().mean(axis=0)
    return (hat @ wanted - leverage * wanted) / (1 - leverage) + examples.gains().mean(axis=0)


def calibrate(labelled: Sequence[Labelled], embedder: Embedder) -> dict[str, dict[str, float]]:
    """Platt scaling of the scores of shown cards, for each way an order comes about."""
    found = {}
    for name, model in (("with_model", embedder), ("by_words", None)):
        found[f"calibrated_{name}"] = asdict(fit_platt(*assess(labelled, model).shown()))
        found[f"confirmed_{name}"] = asdict(fit_platt(*assess(labelled, model, is_confirmed=True).shown()))
    return found


def _uncalibrated() -> dict[str, dict[str, float]]:
    names = ("calibrated_with_model", "calibrated_by_words", "confirmed_with_model", "confirmed_by_words")
    return {name: {"slope": 4.0, "offset": -1.0} for name in names}


def _rounded(values: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: {key: round(value, 5) for key, value in inner.items()} for name, inner in values.items()}


if __name__ == "__main__":
    main()
