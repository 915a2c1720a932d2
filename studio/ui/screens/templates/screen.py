"""Tell about the business, choose a template ranked for it, look at what is filled in, create the workflow.

Absent on purpose: the parts themselves (`business`, `cards`, `settings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.ui import widgets as w
from studio.ui.background import Task, run_in_background
from studio.ui.faults import explain
from studio.ui.screens.loading import Loader
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.templates.business import BusinessPanel
from studio.ui.screens.templates.cards import CardWall
from studio.ui.screens.templates.settings import SettingsPanel
from studio.ui.screens.templates.sharing import Sharing
from studio.ui.screens.templates.trying import Filled, Gallery, fill_in, read_gallery
from studio.ui.screens.templates.wording import Model
from studio.ui.shell import Page
from studio.workspace.workspace import Workspace

ADDRESS, WORDS = "address", "words"
"""Targets that put the cursor into a field; any other target is a template's id."""


class TemplatesPage(Page):
    """`entered` takes `address`, `words`, or a template's id."""

    help_topic = "templates"

    def __init__(self, workspace: Workspace, navigator: Navigator) -> None:
        super().__init__("Templates")
        self._workspace, self._navigator = workspace, navigator
        self._gallery: Gallery | None = None
        self._chosen = ""
        self._is_picked = False
        """Whether a person chose the template; until then it is the best suited one, whatever is learned meanwhile."""
        self._overrides: dict[str, str] = {}
        self._reading: Task[Gallery] | None = None
        self.business, self.cards, self.settings = BusinessPanel(), CardWall(), SettingsPanel()
        self.panes = w.Panes(
            ("Templates", self.cards), left=("Your business", self.business), right=("Settings", self.settings)
        )
        self.pane = w.Pane(self.panes)
        self._load = Loader(self.pane, lambda: read_gallery(workspace), self.show_gallery, "Ranking templates …")
        self.sharing = Sharing(self.cards, workspace.own_templates, navigator, self._others_there)
        self.setLayout(w.column(self.pane, spacing=0))
        self._connect()

    def _connect(self) -> None:
        story = self._workspace.templates
        self.business.address_given.connect(
            lambda url: self._understand(lambda: story.understand_url(url), "Reading the page …")
        )
        self.business.words_given.connect(
            lambda words: self._understand(lambda: story.understand_text(words), "Reading your words …")
        )
        self.business.page_given.connect(self.read_page)
        self.business.stopped.connect(self._stop_reading)
        self.business.corrected.connect(self._correct)
        self.business.type_confirmed.connect(self._confirm_type)
        self.cards.chosen.connect(self.choose)
        self.cards.used.connect(self.use)
        self.cards.previewed.connect(self._preview)
        self.cards.favoured.connect(self._favour)
        self.settings.changed.connect(self._change)
        self.settings.create_wanted.connect(self._create)
        self.settings.try_wanted.connect(self._try)
        self._connect_wording()

    def _connect_wording(self) -> None:
        panel, assistant = self.settings.wording, self._workspace.assistant
        panel.on_wanted.connect(
            lambda kind, url, model, key: self._do_wording(lambda: assistant.switch_on(kind, url, model, key))
        )
        panel.off_wanted.connect(lambda: self._do_wording(assistant.switch_off))
        panel.asked.connect(self._ask_for_wording)
        self.settings.view.chosen.connect(lambda view: self._show_model() if view == "wording" else None)

    def _do_wording(self, change: Callable[[], None]) -> None:
        run_in_background(change, lambda _done: self._show_model(), self._no_wording, owner=self.settings)

    def _show_model(self) -> None:
        if self._gallery is None or not self._chosen:
            return
        assistant, name, context = self._workspace.assistant, self._chosen, self._gallery.context

        def read() -> Model | None:
            kept = assistant.settings()
            if kept is None:
                return None
            return Model(str(kept["model"]), str(kept["url"]), assistant.what_leaves(name, context).shown())

        run_in_background(read, self.settings.wording.show_model, self._no_wording, owner=self.settings)

    def _ask_for_wording(self) -> None:
        if self._gallery is None or not self._chosen:
            return
        assistant, name, context = self._workspace.assistant, self._chosen, self._gallery.context
        self.settings.wording.show_working()
        run_in_background(
            lambda: assistant.suggest(name, context),
            self.settings.wording.show_suggestions,
            self._no_wording,
            owner=self.settings,
        )

    def _no_wording(self, error: Exception) -> None:
        fault = explain(error)
        self.settings.wording.show_problem(f"{fault.happened} {fault.to_do}".strip())

    def entered(self, target: str = "") -> None:
        if target in (ADDRESS, WORDS):
            self.business.ask_for(target)
            self.panes.show_part("Your business")
            self.business.focus_field()
        elif target:
            self._chosen, self._overrides, self._is_picked = target, {}, True
            self.settings.close_editor()
        self.refresh()

    def refresh(self) -> None:
        """Reads business and ranking again, but not while the person is changing something."""
        if not self.business.is_editing and self.settings.editor is None:
            self._load()

    def show_gallery(self, gallery: Gallery) -> None:
        """Fills the screen and chooses the best suited template when none is chosen."""
        if gallery != self._gallery:
            self._gallery = gallery
            self.cards.show_gallery(gallery)
        self.business.show_working("")
        self.business.show_gallery(gallery)
        if gallery.offer(self._chosen) is None or not (self._is_picked or self._overrides):
            self._chosen = gallery.offers[0].template.id if gallery.offers else ""
        if self._chosen:
            self.cards.set_chosen(self._chosen)
            self._fill(self._overrides)

    def choose(self, template_id: str) -> None:
        """Shows a template's settings."""
        self._is_picked = True
        if template_id != self._chosen:
            self._chosen, self._overrides = template_id, {}
        self.cards.set_chosen(template_id)
        self.settings.show_settings()
        self.panes.show_part("Settings")
        self._fill(self._overrides)

    def _others_there(self, template_id: str) -> None:
        """Another template is there, or one is gone."""
        self._chosen, self._overrides, self._is_picked = template_id or self._chosen, {}, True
        self.settings.close_editor()
        self._load()

    def use(self, template_id: str) -> None:
        """One click: the workflow is created, with what was changed at the right when it is that template's."""
        self._is_picked = True
        if template_id != self._chosen:
            self._chosen, self._overrides = template_id, {}
        self._create()

    def read_page(self, path: Path) -> None:
        """Understands a saved page."""
        self._understand(lambda: self._workspace.templates.understand_page(path), "Reading the page …")

    def _favour(self, template_id: str, is_favourite: bool) -> None:
        shelf = self._workspace.shelf
        run_in_background(
            lambda: shelf.set_favourite(template_id, is_favourite=is_favourite), lambda _done: self._load(), owner=self
        )

    def _preview(self, template_id: str) -> None:
        self.choose(template_id)
        self.settings.show_messages()

    def _understand(self, read: Callable[[], BusinessContext], doing: str) -> None:
        self._stop_reading()
        self.business.show_working(doing)
        task = run_in_background(
            lambda: read_gallery(self._workspace, _something(read())),
            self._understood,
            self._not_understood,
            owner=self,
        )
        self._reading = task

    def _understood(self, gallery: Gallery) -> None:
        self._reading = None
        self._chosen, self._overrides, self._is_picked = "", {}, False
        self.show_gallery(gallery)

    def _not_understood(self, error: Exception) -> None:
        self._reading = None
        fault = explain(error)
        self.business.show_problem(f"{fault.happened} {fault.to_do}".strip())

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self.business.show_working("")

    def _correct(self, fact: str, value: object) -> None:
        self._change_context(lambda known: self._workspace.templates.correct(known, fact, value))

    def _confirm_type(self, kind: str) -> None:
        self._change_context(lambda known: self._workspace.templates.confirm_type(known, kind))

    def _change_context(self, change: Callable[[BusinessContext], BusinessContext]) -> None:
        if self._gallery is not None:
            known = self._gallery.context
            run_in_background(lambda: read_gallery(self._workspace, change(known)), self.show_gallery, owner=self)

    def _change(self, name: str, text: str) -> None:
        self._fill({**self._overrides, name: text})

    def _fill(self, overrides: Mapping[str, str]) -> None:
        if self._gallery is None:
            return
        wanted, context = self._chosen, self._gallery.context

        def show(filled: Filled) -> None:
            if wanted == self._chosen:
                self._overrides = dict(filled.overrides)
                self.settings.show_filled(filled)

        run_in_background(
            lambda: fill_in(self._workspace, wanted, context, overrides), show, self._refuse, owner=self.settings
        )

    def _refuse(self, error: Exception) -> None:
        if not isinstance(error, UserFixable) or self.settings.editor is None:
            raise error
        said = [f"{problem.message} {problem.hint}".strip() for problem in error.problems]
        self.settings.show_error(" ".join(said) or f"{error.message} {error.hint or ''}".strip())

    def _create(self) -> None:
        self._make(self._created)

    def _try(self) -> None:
        """Creates the workflow and simulates it at once: nobody gets anything."""
        self._make(self._created_to_try)

    def _make(self, then: Callable[[str], None]) -> None:
        if self._gallery is None or not self._chosen:
            return
        name, context, overrides = self._chosen, self._gallery.context, dict(self._overrides)
        self.settings.create_button.setEnabled(False)

        def create() -> str:
            return str(self._workspace.templates.create(name, context, overrides).workflow_id)

        run_in_background(create, then, self._not_created, owner=self)

    def _created(self, workflow_id: str) -> None:
        self.settings.create_button.setEnabled(True)
        self._overrides = {}
        self._navigator.notify("The workflow is filled in and ready to run")
        self._navigator.open_workflow(workflow_id)

    def _created_to_try(self, workflow_id: str) -> None:
        self._created(workflow_id)
        self._navigator.run_workflow(workflow_id)

    def _not_created(self, error: Exception) -> None:
        self.settings.create_button.setEnabled(True)
        raise error


def _something(context: BusinessContext) -> BusinessContext:
    if not context.facts:
        raise UserFixable(
            "CONTEXT-EMPTY",
            "Nothing could be understood from this.",
            hint="Write a sentence or two: what you sell, to whom, and what you want more of.",
        )
    return context
