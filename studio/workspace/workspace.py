"""Opens a workspace folder and puts all parts of the program together around it.

A part is loaded and made when it is first asked for (`parts.py`), which is why the imports stand in the methods.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from studio.domain.clock import Clock, utc_now
from studio.store.store import Store
from studio.workspace.parts import part
from studio.workspace.standby import with_handover

if TYPE_CHECKING:
    from studio.connectors.render_pool import RenderPool
    from studio.domain.habits import Habits
    from studio.domain.rendering import Rendered, RenderTask
    from studio.domain.validation import Catalogue
    from studio.domain.workflow import Workflow
    from studio.engine.host import EngineHost
    from studio.gallery.catalogue import Catalogue as TemplateCatalogue
    from studio.gallery.catalogue import Entry
    from studio.workspace.analyses import AnalysesStory
    from studio.workspace.assistant import AssistantStory
    from studio.workspace.debugging import DebuggingStory
    from studio.workspace.drafts import DraftsStory
    from studio.workspace.emergency import EmergencyStop
    from studio.workspace.exports import ExportsStory
    from studio.workspace.health import HealthStory
    from studio.workspace.history import HistoryStory
    from studio.workspace.improvements import ImprovementsStory
    from studio.workspace.insights import InsightsStory
    from studio.workspace.known_runs import KnownRuns
    from studio.workspace.learning import LearningStory
    from studio.workspace.mail import Mailers
    from studio.workspace.moving import MovingStory
    from studio.workspace.overviews import OverviewsStory
    from studio.workspace.own_templates import OwnTemplates
    from studio.workspace.people import PeopleStory
    from studio.workspace.rehearsals import RehearsalsStory
    from studio.workspace.returned import ReturnedStory
    from studio.workspace.runs import RunsStory
    from studio.workspace.sending import SendingStory
    from studio.workspace.sharing import SharingStory
    from studio.workspace.shelf import ShelfStory
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
    from studio.nodes import catalogue

    return catalogue()


class Workspace:
    """An open workspace: its stories. Close it, or use it as a context manager."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.parts_lock = threading.RLock()
        self._store = store
        self._clock = clock

    @part
    def workflows(self) -> WorkflowsStory:
        from studio.workspace.workflows import WorkflowsStory

        return WorkflowsStory(self._store, node_catalogue())

    @part
    def catalogue(self) -> TemplateCatalogue:
        """Shipped templates and own ones, always up to date."""
        from studio.gallery.catalogue import Catalogue as TemplateCatalogue

        if any(self._own_folder.glob("*")):
            _ = self.own_templates  # adds them; where there are none, nothing of what they need is loaded
        return TemplateCatalogue(MappingProxyType(self._entries))

    @part
    def own_templates(self) -> OwnTemplates:
        from studio.workspace.own_templates import OwnTemplates

        return OwnTemplates(self._own_folder, self._entries, self.workflows, node_catalogue())

    @property
    def _own_folder(self) -> Path:
        return self._store.folder / "templates"

    @part
    def _entries(self) -> dict[str, Entry]:
        from studio.gallery import catalogue as shipped

        return dict(shipped.catalogue().entries)

    @part
    def people(self) -> PeopleStory:
        from studio.workspace.people import PeopleStory

        return PeopleStory(self._store, self._clock)

    @part
    def returned(self) -> ReturnedStory:
        from studio.workspace.returned import ReturnedStory

        return ReturnedStory(self._store, self.runs, self._clock)

    @part
    def drafts(self) -> DraftsStory:
        from studio.workspace.drafts import DraftsStory

        return DraftsStory(self._store, self._clock, self._rendered)

    @part
    def templates(self) -> TemplatesStory:
        from studio.gallery.embedding import find_embedder
        from studio.workspace.templates import TemplatesStory

        return TemplatesStory(
            self._store,
            self.catalogue,
            self._add_workflow,
            self._clock,
            self._rendered,
            find_embedder(),
        )

    @part
    def learning(self) -> LearningStory:
        from studio.workspace.learning import LearningStory

        return LearningStory(self._store, self.templates)

    @part
    def assistant(self) -> AssistantStory:
        from studio.workspace.assistant import AssistantStory

        return AssistantStory(self._store, self.templates)

    @part
    def sending(self) -> SendingStory:
        from studio.workspace.sending import SendingStory

        return SendingStory(self._store.folder, self._clock)

    @part
    def shelf(self) -> ShelfStory:
        from studio.workspace.shelf import ShelfStory

        return ShelfStory(self._store, self.catalogue, self.workflows)

    @part
    def insights(self) -> InsightsStory:
        from studio.workspace.insights import InsightsStory

        return InsightsStory(self._store)

    @part
    def analyses(self) -> AnalysesStory:
        from studio.workspace.analyses import AnalysesStory

        return AnalysesStory(self._store, self._clock)

    @part
    def overviews(self) -> OverviewsStory:
        from studio.workspace.overviews import OverviewsStory

        return OverviewsStory(self._store, self.analyses)

    @part
    def improvements(self) -> ImprovementsStory:
        from studio.workspace.improvements import ImprovementsStory

        return ImprovementsStory(self._store, self.analyses, self.workflows)

    @part
    def exports(self) -> ExportsStory:
        from studio.workspace.exports import ExportsStory

        return ExportsStory(self._store, self._clock)

    @part
    def sharing(self) -> SharingStory:
        from studio.workspace.sharing import SharingStory

        return SharingStory(self._store, self._clock, self.insights, self.analyses, self.trials)

    @part
    def trials(self) -> TrialsStory:
        from studio.workspace.trials import TrialsStory

        return TrialsStory(self._store, self._clock)

    @part
    def health(self) -> HealthStory:
        from studio.workspace.health import HealthStory

        return HealthStory(self._store, node_catalogue(), self.catalogue)

    @part
    def debugging(self) -> DebuggingStory:
        from studio.workspace.debugging import DebuggingStory

        return DebuggingStory(self._store, self._host)

    @part
    def runs(self) -> RunsStory:
        from studio.workspace.runs import RunsStory

        return RunsStory(
            self._store,
            self._host,
            self.workflows,
            self.templates,
            self.people,
            self.trials,
            self.debugging,
            self._emergency,
            self._clock,
            on_end=self._learn,
        )

    @part
    def known_runs(self) -> KnownRuns:
        from studio.workspace.known_runs import KnownRuns

        return KnownRuns(self._store, lambda run_id: self.at_work and self._host.is_running(run_id))

    @part
    def unattended(self) -> UnattendedStory:
        from studio.workspace.unattended import UnattendedStory

        return UnattendedStory(self._store, self._host, self.runs, self._emergency, self._clock)

    @part
    def moving(self) -> MovingStory:
        from studio.workspace.moving import MovingStory

        return MovingStory(self._store, self._host, self.workflows, node_catalogue())

    @part
    def rehearsals(self) -> RehearsalsStory:
        from studio.workspace.rehearsals import RehearsalsStory

        return RehearsalsStory(self._store, self._host, self.runs, self.workflows.catalogue)

    @part
    def history(self) -> HistoryStory:
        from studio.workspace.history import HistoryStory

        return HistoryStory(self._store, self.known_runs, node_catalogue(), self._clock)

    @part
    def _emergency(self) -> EmergencyStop:
        from studio.workspace.emergency import EmergencyStop

        return EmergencyStop(self._store.folder)

    @part
    def _mailers(self) -> Mailers:
        from studio.workspace.mail import Mailers

        return Mailers(self._store.folder / "mail")

    @part
    def _render(self) -> RenderPool:
        from studio.connectors.render_pool import RenderPool

        return RenderPool()

    @part
    def _host(self) -> EngineHost:
        from studio.connectors.feeds import Feeds
        from studio.connectors.message import build_message
        from studio.connectors.simulator import SimulatedAudience
        from studio.engine.driver import Surroundings
        from studio.engine.host import EngineHost

        return EngineHost(
            Surroundings(
                runs=self._store.runs,
                events=self._store.events,
                contacts=self._store.contacts,
                catalogue=node_catalogue(),
                mailers=self._mailers,
                simulator=SimulatedAudience(),
                build=build_message,
                feeds=Feeds(),
                render=self._render,
                wall=self._clock,
                tick=time.perf_counter,
                stop_words=lambda: self._emergency.words,
            )
        )

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

    @property
    def at_work(self) -> bool:
        """Whether the engine has been needed since the workspace was opened; before that nothing runs in it."""
        return Workspace._host.made(self)

    def habits(self) -> Habits:
        """What usually follows what in the templates and in this workspace's own workflows."""
        from studio.domain.habits import learn_habits
        from studio.domain.workflow import parse_workflow

        own = (parse_workflow(stored.document, where=stored.id) for stored in self.workflows.list())
        return learn_habits([*(template.workflow for template in self.templates.list()), *own])

    def close(self) -> None:
        """Lets runs finish the message they are at, ends the catcher, and closes the store."""
        with ExitStack() as ends:  # the last one named comes first, and none is left out when one before it fails
            ends.callback(self._store.close)
            if Workspace._render.made(self):
                ends.callback(self._render.close)
            if Workspace._host.made(self):
                ends.callback(self._host.close)
                ends.callback(lambda: self._host.call(self._mailers.stop(), STOP_WITHIN_S))
                ends.callback(self._host.leave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_workflow(self, workflow: Workflow) -> str:
        return self.workflows.add(workflow)

    def _rendered(self, task: RenderTask) -> Rendered:
        return self._render.render(task)

    def _learn(self, run_id: str) -> None:
        from studio.workspace.deciding import ship_decided
        from studio.workspace.outcomes import record_outcome

        record_outcome(self._store, self.insights, self.templates, run_id)
        ship_decided(self._store, self.trials, run_id)
