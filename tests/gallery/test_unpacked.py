"""What is kept unpacked is the same as what it was made of, and nothing depends on it being there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.gallery import unpacked
from studio.gallery.catalogue import catalogue
from studio.gallery.embedding import _flat, _nested


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def arrays() -> dict[str, np.ndarray]:
    return {"table": np.arange(20, dtype=np.uint8).reshape(4, 5), "w-0": np.ones((2, 3)), "eps": np.asarray(1e-5)}


def test_arrays_come_back_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "_LARGE", 20)
    unpacked.keep_arrays("model", "k1", arrays())
    kept = unpacked.read_arrays("model", "k1")
    assert kept is not None
    assert kept.keys() == arrays().keys()
    assert all(np.array_equal(kept[name], array) for name, array in arrays().items())
    assert isinstance(kept["table"], np.memmap)


def test_another_key_is_not_read_and_takes_the_place(folder: Path) -> None:
    unpacked.keep_arrays("model", "k1", arrays())
    assert unpacked.read_arrays("model", "k2") is None
    unpacked.keep_arrays("model", "k2", arrays())
    assert {file.name for file in folder.iterdir()} == {"model.k2.npz"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"{"])
def test_a_broken_file_is_as_if_there_were_none(folder: Path, content: bytes) -> None:
    folder.mkdir()
    (folder / "model.k1.npz").write_bytes(content)
    (folder / "templates.json").write_bytes(content)
    assert unpacked.read_arrays("model", "k1") is None
    assert unpacked.read_document("templates", "k1") is None


def test_a_folder_that_cannot_be_written_is_no_error(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    unpacked.keep_document("templates", "k1", {"a": 1})
    unpacked.keep_arrays("model", "k1", arrays())
    assert unpacked.read_document("templates", "k1") is None


def test_the_kept_catalogue_is_the_read_one(folder: Path) -> None:
    catalogue.cache_clear()
    read = catalogue()
    assert (folder / "templates.json").is_file()
    catalogue.cache_clear()
    assert catalogue() == read
    (folder / "templates.json").write_text((folder / "templates.json").read_text().replace('"archetype"', '"arch"'))
    catalogue.cache_clear()
    assert catalogue() == read
    catalogue.cache_clear()


def test_a_changed_template_file_is_another_key(tmp_path: Path) -> None:
    file = tmp_path / "en.md"
    file.write_text("Hello")
    before = unpacked.content_key([file])
    file.write_text("Hullo")
    assert unpacked.content_key([file]) != before


def test_a_network_is_taken_apart_and_put_together() -> None:
    state = {"table": np.arange(3), "w1": [np.ones(2), np.zeros(2)], "eps": 1e-5, "_feat_dim": 8, "threads": 1}
    again = _nested(_flat(state))
    assert set(again) == {"table", "w1", "eps", "_feat_dim"}
    assert (again["eps"], again["_feat_dim"]) == (1e-5, 8)
    assert [part.tolist() for part in again["w1"]] == [[1.0, 1.0], [0.0, 0.0]]  # type: ignore[attr-defined]
