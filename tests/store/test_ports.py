"""The store fills the ports: every method, with the parameters the port names."""

from __future__ import annotations

import inspect

import pytest

from studio.domain import ports
from studio.store import Store
from tests.store.conftest import NOON


@pytest.mark.parametrize("port", ["Runs", "Events", "Contacts", "EventView", "ContactView"])
def test_every_method_of_the_port_is_there(store: Store, port: str) -> None:
    implementation = {
        "Runs": store.runs,
        "Events": store.events,
        "Contacts": store.contacts,
        "EventView": store.events.at(NOON),
        "ContactView": store.contacts.at(NOON),
    }[port]
    declared = {name: member for name, member in vars(getattr(ports, port)).items() if inspect.isfunction(member)}
    methods = {name: member for name, member in declared.items() if not name.startswith("_")}
    assert methods
    for name, member in methods.items():
        wanted = list(inspect.signature(member).parameters.values())[1:]
        given = {p.name: p for p in inspect.signature(getattr(implementation, name)).parameters.values()}
        for parameter in wanted:
            assert parameter.name in given, f"{port}.{name}({parameter.name})"
            assert (given[parameter.name].kind, given[parameter.name].default) == (parameter.kind, parameter.default)
