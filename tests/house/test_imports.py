"""Every module can be imported: one that nobody asks for in the tests may not rot."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import studio

NAMES = sorted(
    found.name for found in pkgutil.walk_packages(studio.__path__, "studio.") if not found.name.endswith("__main__")
)


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_imported(name: str) -> None:
    assert importlib.import_module(name)
