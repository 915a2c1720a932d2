"""Opens a workspace folder and puts all parts of the program together around it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from studio.connectors.feeds import Feeds
from studio.connectors.message import build_message
from studio.connectors.render_process import RenderProcess
from studio.connectors.simulator import SimulatedAudience
from studio.domain.clock import Clock, utc_now
from studio.domain.habits import Habits, learn_habits
from studio.domain.validation import Catalogue
from studio.domain.workflow import parse_workflow
from studio.engine.driver import Surroundings
from studio.engine.host import EngineHost
from studio.gallery import catalogue as templates_on_disk
from studio.gallery.embedding import find_embedder
from studio.nodes import catalogue
from studio.store.store import Store
from studio.workspace.analyses import AnalysesStory
from studio.workspace.assistant import AssistantStory
from studio.workspace.debugging import DebuggingStory
from studio.workspace.drafts import DraftsStory
from studio.workspace.emergency import EmergencyStop
from studio.workspace.exports import ExportsStory
from studio.workspace.health import HealthStory
from studio.workspace.history import HistoryStory
from studio.workspace.insights import InsightsStory
from studio.workspace.learning import LearningStory
from studio.workspace.mail import Mailers
from studio.workspace.moving import MovingStory
from studio.workspace.outcomes import record_outcome
from studio.workspace.own_templates import OwnTemplates
from studio.workspace.people import PeopleStory
from studio.workspace.rehearsals import RehearsalsStory
from studio.workspace.runs import RunsStory
from studio.workspace.sharing import SharingStory
from studio.workspace.shelf import ShelfStory
from studio.workspace.standby import with_handover
from studio.workspace.templates import TemplatesStory
from studio.workspace.trials import TrialsStory
from studio.workspace.unattended import UnattendedStory
from studio.workspace.workflows import WorkflowsStory

STOP_WITHIN_S = 20.0


class _Wall:
    def now(self):
        return utc_now()


@cache
def node_catalogue() -> Catalogue:
    """The node types there are, by id."""
    return catalogue()


class Workspace:
    """An open workspace: its stories. Close it, or use it as a context manager."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._mailers = Mailers(store.folder / "mail")
        self._render = RenderProcess()
        nodes = node_catalogue()
        emergency = EmergencyStop(store.folder)
        self._host = EngineHost(
            Surroundings(
                runs=store.runs,
                events=store.events,
                contacts=store.contacts,
                catalogue=nodes,
                mailers=self._mailers,
                simulator=SimulatedAudience(),
                build=build_message,
                feeds=Feeds(),
                render=self._render,
                wall=clock,
                tick=time.perf_counter,
                stop_words=lambda: emergency.words,
            )
        )
        self.workflows = WorkflowsStory(store, nodes)
        shipped = templates_on_disk.catalogue()
        self.own_templates = OwnTemplates(store.folder / "templates", shipped, self.workflows, nodes)
        templates = self.own_templates.catalogue
        self.people = PeopleStory(store, clock)
        self.drafts = DraftsStory(store, clock, self._render.render)
        self.templates = TemplatesStory(store, templates, self.workflows, clock, self._render.render, find_embedder())
        self.learning = LearningStory(store, self.templates)
        self.assistant = AssistantStory(store, self.templates)
        self.shelf = ShelfStory(store, templates, self.workflows)
        self.insights = InsightsStory(store)
        self.analyses = AnalysesStory(store, clock)
        self.exports = ExportsStory(store, clock)
        self.sharing = SharingStory(store, clock, self.insights, self.analyses)
        self.trials = TrialsStory(store, clock)
        self.health = HealthStory(store, nodes, templates)
        self.debugging = DebuggingStory(store, self._host)
        self.runs = RunsStory(
            store,
            self._host,
            self.workflows,
            self.templates,
            self.people,
            self.trials,
            self.debugging,
            emergency,
            clock,
            on_end=self._learn,
        )
        self.unattended = UnattendedStory(store, self._host, self.runs, emergency, clock)
        self.moving = MovingStory(store, self._host, self.workflows, nodes)
        self.rehearsals = RehearsalsStory(store, self._host, self.runs)
        self.history = HistoryStory(store, self.runs, nodes, clock)

    @classmethod
    def open(
        cls, folder: Path, *, clock: Clock | None = None, read_only: bool = False, hands_over: bool = True
    ) -> Workspace:
        """Opens the workspace in `folder`, making it where there is none.

        `hands_over`: where the background engine has it, it is asked to hand it over.

        Raises:
            UserFixable: it is no workspace, of a newer version, or open elsewhere.
            Corrupt: its store is damaged.
        """
        moments = clock or _Wall()

        def opened() -> Store:
            return Store.open(folder, clock=moments, read_only=read_only)

        return cls(with_handover(folder, opened) if hands_over else opened(), moments)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._store.folder

    @property
    def name(self) -> str:
        """The business's name, the folder's while that is not known."""
        fact = self.templates.context().fact("name")
        return str(fact.value) if fact else self.folder.name

    def habits(self) -> Habits:
        """What usually follows what in the templates and in this workspace's own workflows."""
        own = (parse_workflow(stored.document, where=stored.id) for stored in self.workflows.list())
        return learn_habits([*(template.workflow for template in self.templates.list()), *own])

    def close(self) -> None:
        """Lets runs finish the message they are at, ends the catcher, and closes the store."""
        with ExitStack() as ends:  # the last one named comes first, and none is left out when one before it fails
            ends.callback(self._store.close)
            ends.callback(self._render.close)
            ends.callback(self._host.close)
            ends.callback(lambda: self._host.call(self._mailers.stop(), STOP_WITHIN_S))
            ends.callback(self._host.leave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _learn(self, run_id: str) -> None:
        record_outcome(self._store, self.insights, self.templates, run_id)
