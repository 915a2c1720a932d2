"""The house style that a linter does not know: module sizes, module docstrings, forbidden module names."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "studio").rglob("*.py"))
JUNK = {"utils", "util", "helpers", "helper", "common", "misc", "core", "manager", "base"}


def test_modules_are_well_kept() -> None:
    found: list[str] = []
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        if text.count("\n") > 500:
            found.append(f"{module.relative_to(ROOT)}: split it by reason to change")
        if module.stem in JUNK:
            found.append(f"{module.relative_to(ROOT)}: a module is named after its subject")
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            found.append(f"{module.relative_to(ROOT)}: say what the module is for, and what is absent on purpose")
    assert not found
