"""Finding node types, and the reference written out of them."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

from studio import nodes
from studio.domain.errors import Corrupt
from studio.nodes import catalogue, discovery
from studio.nodes.reference import markdown

ROOT = Path(__file__).parents[2]


def test_every_module_of_a_group_declares_a_node() -> None:
    modules = {
        f"{package.name}.{module.name}"
        for package in pkgutil.iter_modules(nodes.__path__)
        if package.ispkg
        for module in pkgutil.iter_modules([str(Path(nodes.__path__[0]) / package.name)])
    }
    declared = {node_class.__module__.removeprefix("studio.nodes.") for node_class in catalogue().values()}
    assert declared == modules
    assert set(discovery.GROUPS) == {name.split(".")[0] for name in modules}


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue()["flow.own"] = object  # pyright: ignore[reportIndexIssue] - that is the point


def test_two_types_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    delay = importlib.import_module("studio.nodes.flow.delay")
    twin = type("Twin", (), {"declaration": delay.Delay.declaration, "__module__": delay.__name__})
    monkeypatch.setattr(delay, "Twin", twin, raising=False)
    with pytest.raises(Corrupt, match=r"“flow\.delay”") as caught:
        discovery.find_node_types.__wrapped__()
    assert caught.value.code == "NODE-DUPLICATE"


def test_a_type_in_the_wrong_group_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    delay = importlib.import_module("studio.nodes.flow.delay")
    split = importlib.import_module("studio.nodes.exp.split")
    foreign = type("Foreign", (), {"declaration": split.Split.declaration, "__module__": delay.__name__})
    monkeypatch.setattr(delay, "Foreign", foreign, raising=False)
    with pytest.raises(Corrupt) as caught:
        discovery.find_node_types.__wrapped__()
    assert caught.value.code == "NODE-FOREIGN"


def test_the_reference_is_current() -> None:
    """Write it again with: python -m studio.nodes.reference > docs/nodes.md"""
    assert (ROOT / "docs" / "nodes.md").read_text(encoding="utf-8") == markdown()


def test_the_reference_names_every_node_and_parameter() -> None:
    text = markdown()
    for node_id, node_class in catalogue().items():
        section = text.split(f"`{node_id}`\n")[1].split("\n## ")[0]
        for name, field in node_class.Parameters.model_fields.items():
            assert f"| `{name}` | {field.title} |" in section
