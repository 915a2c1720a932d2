"""What a screen reader is told of the canvas: starts it on a display and a bus of its own, and asks through AT-SPI.

Run `python -m tools.accessible_tree [FILE]` to write the whole tree down; the tests ask the same way. Needs Linux with
Xvfb, dbus-daemon, at-spi2-core and Qt's X11 libraries. Absent on purpose: a real screen reader.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUS_SERVICE = Path("/usr/share/dbus-1/services/org.a11y.Bus.service")
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_START_S = 60.0
_CALL_S = 20.0
_DEEPEST = 40
STATES = {1: "active", 4: "checked", 8: "enabled", 11: "focusable", 12: "focused", 23: "selected", 25: "showing"}
"""Bits of AT-SPI's state set that are told here."""

Reference = tuple[str, str]
"""Bus name and object path."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One accessible object as a screen reader is told of it."""

    role: str
    name: str
    description: str
    states: frozenset[str]
    reference: Reference
    children: tuple[Spoken, ...] = ()

    def walk(self) -> Iterator[Spoken]:
        """This and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The tree as indented text."""
        told = ", ".join(sorted(self.states & {"focused", "selected", "checked"}))
        words = [f"{'  ' * depth}{self.role} “{self.name}”", f"– {self.description}" if self.description else ""]
        yield " ".join(part for part in (*words, f"[{told}]" if told else "") if part)
        for child in self.children:
            yield from child.lines(depth + 1)


def missing() -> str:
    """What this computer lacks for asking through AT-SPI; empty when it can."""
    if not sys.platform.startswith("linux"):
        return "AT-SPI is of Linux"
    lacking = [name for name in ("Xvfb", "dbus-daemon") if shutil.which(name) is None]
    lacking += [] if BUS_SERVICE.is_file() else ["at-spi2-core"]
    lacking += [] if importlib.util.find_spec("jeepney") else ["jeepney"]
    return f"{', '.join(lacking)} not installed" if lacking else ""


class Desk:
    """A display, a session bus and the program on them; everything ends with the `with` block."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._script = script
        self._folder = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Desk:
        with contextlib.ExitStack() as stack:
            env = {**os.environ, "XDG_RUNTIME_DIR": str(self._folder), "XDG_CACHE_HOME": str(self._folder)}
            env |= {"QT_QPA_PLATFORM": "xcb", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "PYTHONPATH": str(ROOT)}
            env.pop("WAYLAND_DISPLAY", None)
            address = self._start(stack, ["dbus-daemon", "--session", "--print-address", "--nofork"], env)
            env["DBUS_SESSION_BUS_ADDRESS"] = address
            env["DISPLAY"] = ":" + self._start(
                stack, ["Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"], env
            )
            self._connect(stack, address)
            self._start(stack, [sys.executable, str(self._script)], env)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack, command: list[str], env: dict[str, str]) -> str:
        """Starts a process that ends with the desk; the first line it says."""
        errors = stack.enter_context((self._folder / f"{Path(command[0]).name}.err").open("w+"))
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT)
        stack.callback(_end, process)
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            errors.seek(0)
            raise RuntimeError(f"{command[0]} did not start: {errors.read()[-2_000:]}")
        return line

    def _connect(self, stack: contextlib.ExitStack, address: str) -> None:
        from jeepney import DBusAddress, new_method_call  # noqa: PLC0415 - only on Linux
        from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415

        with open_dbus_connection(address) as session:
            bus = DBusAddress("/org/a11y/bus", bus_name="org.a11y.Bus", interface="org.a11y.Bus")
            (where,) = session.send_and_get_reply(new_method_call(bus, "GetAddress"), timeout=_START_S).body
        self._bus = stack.enter_context(open_dbus_connection(where))

    def _call(self, reference: Reference, interface: str, method: str, signature: str = "", body: tuple = ()):
        from jeepney import DBusAddress, MessageType, new_method_call  # noqa: PLC0415

        address = DBusAddress(reference[1], bus_name=reference[0], interface=interface)
        reply = self._bus.send_and_get_reply(new_method_call(address, method, signature or None, body), timeout=_CALL_S)
        if reply.header.message_type is MessageType.error:
            raise RuntimeError(f"{method} of {reference}: {reply.body}")
        return reply.body

    def _property(self, reference: Reference, name: str) -> str:
        body = (_ACCESSIBLE, name)
        ((_kind, value),) = self._call(reference, "org.freedesktop.DBus.Properties", "Get", "ss", body)
        return str(value)

    def tree(self) -> Spoken:
        """Everything the program tells now."""
        registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
        (programs,) = self._call(registry, _ACCESSIBLE, "GetChildren")
        if not programs:
            raise RuntimeError("the program has not announced itself")
        return self._spoken(tuple(programs[0]), 0)

    def _spoken(self, reference: Reference, depth: int) -> Spoken:
        (role,) = self._call(reference, _ACCESSIBLE, "GetRoleName")
        ((low, high),) = self._call(reference, _ACCESSIBLE, "GetState")
        bits = low | high << 32
        states = frozenset(word for bit, word in STATES.items() if bits >> bit & 1)
        children = self._call(reference, _ACCESSIBLE, "GetChildren")[0] if depth < _DEEPEST else ()
        return Spoken(
            str(role),
            self._property(reference, "Name"),
            self._property(reference, "Description"),
            states,
            reference,
            tuple(self._spoken(tuple(child), depth + 1) for child in children),
        )

    def press(self, what: Spoken) -> None:
        """Does the first thing a screen reader can do with it: a button is pressed."""
        self._call(what.reference, "org.a11y.atspi.Action", "DoAction", "i", (0,))


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?")
    options = parser.parse_args()
    if lacking := missing():
        sys.exit(lacking)
    program = ROOT / "tests" / "ui" / "canvas" / "spoken_program.py"
    with tempfile.TemporaryDirectory(prefix="studio-speech-") as folder, Desk(program, Path(folder)) as desk:
        # The program's own description is the interpreter's path, which says nothing to anybody.
        text = "\n".join(replace(desk.tree(), description="").lines())
    if options.file is not None:
        options.file.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
