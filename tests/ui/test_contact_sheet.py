"""The contact sheet: every registered screen, both looks, one sheet; and no Qt subclass of ours has `__slots__`."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def contact_sheet(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("tools.contact_sheet")


@pytest.mark.slow
def test_every_shot_is_taken_in_both_looks_at_full_size(contact_sheet: object, tmp_path: Path) -> None:
    taken(contact_sheet, tmp_path, "")
    assert QImage(str(tmp_path / "sheet.png")).height() > 4000


def test_a_shot_is_taken_in_both_looks_at_full_size(contact_sheet: object, tmp_path: Path) -> None:
    taken(contact_sheet, tmp_path, "controls")


def taken(contact_sheet: object, tmp_path: Path, only: str) -> None:
    files = contact_sheet.run(tmp_path, only=only, size=QSize(1440, 900))
    names = {file.name for file in files}
    shots = [shot.name for shot in contact_sheet.SHOTS if only in shot.name]
    assert names == {f"{name}-{scheme}.png" for name in shots for scheme in ("light", "dark")} | {"sheet.png"}
    for file in files[:-1]:
        image = QImage(str(file))
        assert (image.width(), image.height()) == (1440, 900)
        corner = image.pixelColor(1430, 890).lightness()
        assert corner > 150 if "light" in file.name else corner < 60


def test_no_qt_class_has_slots() -> None:
    """With `__slots__` on a Python subclass of a Qt class, building many of them crashes the binding."""
    guilty: list[str] = []
    for file in (ROOT / "studio" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and _looks_qt(node) and _has_slots(node):
                guilty.append(f"{file.name}: {node.name}")
    assert guilty == []


def _looks_qt(node: ast.ClassDef) -> bool:
    names = [base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases]
    return any(len(name) > 1 and name[0] == "Q" and name[1].isupper() for name in names)


def _has_slots(node: ast.ClassDef) -> bool:
    own = any(
        isinstance(item, ast.Assign) and any(getattr(target, "id", "") == "__slots__" for target in item.targets)
        for item in node.body
    )
    return own or any("slots=True" in ast.unparse(decorator) for decorator in node.decorator_list)
