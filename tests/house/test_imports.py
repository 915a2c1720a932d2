"""Every module can be imported: one that nobody asks for in the tests may not rot."""

from __future__ import annotations

import importlib
import pkgutil

import studio

NAMES = sorted(
    found.name for found in pkgutil.walk_packages(studio.__path__, "studio.") if not found.name.endswith("__main__")
)


def test_every_module_can_be_imported() -> None:
    for name in NAMES:
        assert importlib.import_module(name)
