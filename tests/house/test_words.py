"""The house style that a linter does not know: module sizes, module docstrings, forbidden module names."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "studio").rglob("*.py"))
JUNK = {"utils", "util", "helpers", "helper", "common", "misc", "core", "manager", "base"}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_well_kept(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert text.count("\n") <= 500, "split it by reason to change"
    assert module.stem not in JUNK, "a module is named after its subject"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "say what the module is for, and what is absent on purpose"
