"""The story of health: is everything in order, in words.

Absent on purpose: mending; each finding says what to do.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
from dataclasses import dataclass

import polars as pl

import studio
from studio.domain.validation import Catalogue
from studio.gallery.catalogue import Catalogue as Templates
from studio.store.store import Store
from studio.workspace.display import has_display
from studio.workspace.newest import newest_of_each

DISK_LEAST = 500_000_000
"""Bytes below which the disk is said to be almost full."""

ADVICE = frozenset({"backups", "sending", "left-overs", "disk"})
"""Findings that are worth a word but not an illness."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    title: str
    ok: bool
    words: str
    is_advice: bool = False


@dataclass(frozen=True, slots=True)
class Pulse:
    """The workspace in a few words. `state`: done (nothing wrong), waiting (a person is wanted) or failed."""

    state: str
    words: str


class HealthStory:
    """Health of one workspace and this computer."""

    def __init__(self, store: Store, nodes: Catalogue, templates: Templates) -> None:
        self._store = store
        self._nodes = nodes
        self._templates = templates

    def doctor(self) -> tuple[Check, ...]:
        """Everything looked at, worst news not first: in the order a person would ask."""
        own = [
            Check(
                c.name,
                c.name.capitalize(),
                ok=c.ok or c.name in ADVICE,
                words=f"{c.words} {'' if c.ok else c.hint}".strip(),
                is_advice=not c.ok and c.name in ADVICE,
            )
            for c in self._store.doctor().checks
        ]
        return (self._program(), *own, self._nodes_and_templates(), self._desktop())

    def pulse(self) -> Pulse:
        """What is wrong right now, the worst first; a few milliseconds, so that it can be asked again and again."""
        broken = [run for run in newest_of_each(self._store.runs.list_runs()) if run.state == "failed"]
        doubts = sum(states.get("in_doubt", 0) for states in self._store.runs.outbox_counts().values())
        free = shutil.disk_usage(self._store.folder).free
        if free < DISK_LEAST:
            return Pulse("failed", f"Disk almost full: {free / 1e6:,.0f} MB free")
        if broken:
            return Pulse("failed", f"{broken[0].name} stopped" if len(broken) == 1 else f"{len(broken)} runs stopped")
        if doubts:
            return Pulse("waiting", f"{doubts:,} {'message' if doubts == 1 else 'messages'} in doubt")
        return Pulse("done", "All systems fine")

    def back_up(self) -> str:
        """Makes a backup now, while work goes on; its name."""
        return self._store.backup().name

    def _program(self) -> Check:
        words = f"Flowlight Studio {studio.__version__}, Python {platform.python_version()}, Polars {pl.__version__}"
        return Check("program", "Program", ok=True, words=words)

    def _nodes_and_templates(self) -> Check:
        words = f"{len(self._nodes)} kinds of step, {len(self._templates.list())} templates"
        return Check("catalogue", "Catalogue", ok=True, words=words)

    def _desktop(self) -> Check:
        if importlib.util.find_spec("PySide6") is None:
            return Check("desktop", "Window", ok=True, words="Qt is not installed; every command works without it.")
        if not has_display():
            return Check(
                "desktop", "Window", ok=True, words="There is no display here; every command works without one."
            )
        return Check("desktop", "Window", ok=True, words="The window can open on this computer.")
