"""Finds the node types: every class with a `declaration` in the groups of this package, from a checkout or frozen."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from studio.domain.errors import Corrupt
from studio.domain.node import Declaration, NodeType

GROUPS = ("trigger", "source", "web", "audience", "flow", "data", "exp", "content", "send")


class _Catalogue(Mapping[str, type[NodeType]]):
    """Looks when it is first asked: a command that only names the catalogue need not load all node types."""

    def __getitem__(self, node_id: str) -> type[NodeType]:
        return find_node_types()[node_id]

    def __iter__(self) -> Iterator[str]:
        return iter(find_node_types())

    def __len__(self) -> int:
        return len(find_node_types())


_CATALOGUE = _Catalogue()


def catalogue() -> Mapping[str, type[NodeType]]:
    """Node type id → class, by group and then by id; looked for when it is first asked."""
    return _CATALOGUE


@cache
def find_node_types() -> Mapping[str, type[NodeType]]:
    """Node type id → class, looked for now.

    Raises Corrupt: NODE-DUPLICATE when two classes declare one id, NODE-FOREIGN when an id is not of its group.
    """
    found: dict[str, type[NodeType]] = {}
    for group in GROUPS:
        for node_class in sorted(_classes(group), key=lambda node_class: node_class.declaration.id):
            node_id = node_class.declaration.id
            if node_id in found:
                raise Corrupt("NODE-DUPLICATE", f"Two node types are called “{node_id}”.", where=_name(node_class))
            if not node_id.startswith(f"{group}."):
                raise Corrupt("NODE-FOREIGN", f"“{node_id}” does not belong to “{group}”.", where=_name(node_class))
            found[node_id] = node_class
    return MappingProxyType(found)


def _classes(group: str) -> list[type[NodeType]]:
    package = importlib.import_module(f"studio.nodes.{group}")
    # The frozen program's importer answers pkgutil as the file system does.
    names = [module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")]
    return [node_class for name in names for node_class in _declared(importlib.import_module(name))]


def _declared(module: ModuleType) -> list[type[NodeType]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and isinstance(getattr(value, "declaration", None), Declaration)
    ]


def _name(node_class: type[NodeType]) -> str:
    return f"{node_class.__module__}.{node_class.__name__}"
