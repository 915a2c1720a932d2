"""Resources are found from a checkout, an installed package and the packaged program; a gap is said in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio import resources
from studio.domain.errors import Corrupt


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    resources.root.cache_clear()
    yield
    resources.root.cache_clear()


def test_a_checkout_has_its_resources_beside_the_package() -> None:
    assert resources.path("icons", "house.svg").is_file()
    assert resources.root() == Path(__file__).parents[1] / "resources"


def test_the_packaged_program_looks_only_into_its_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    with pytest.raises(Corrupt, match="missing"):
        resources.root()
    (tmp_path / "resources").mkdir()
    assert resources.root() == tmp_path / "resources"


def test_an_installed_package_carries_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studio" / "_resources").mkdir(parents=True)
    (tmp_path / "resources").mkdir()
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "studio" / "resources.py"))
    assert resources.root() == tmp_path / "studio" / "_resources"


def test_a_missing_file_names_itself() -> None:
    with pytest.raises(Corrupt, match=r"icons/no-such\.svg") as told:
        resources.path("icons", "no-such.svg")
    assert told.value.code == "RESOURCES-MISSING"


def test_bundled_works_carry_their_licences() -> None:
    assert "SIL OPEN FONT LICENSE" in resources.path("fonts", "OFL.txt").read_text(encoding="utf-8")
    assert "ISC License" in resources.path("icons", "LICENSE").read_text(encoding="utf-8")
