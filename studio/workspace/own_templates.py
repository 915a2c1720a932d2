"""The story of own templates: saving a workflow as one, passing it on as a file, looking at a file and taking it in.

They lie in the workspace's folder `templates/`, one bundle each, and stand in the catalogue beside the shipped ones.
Absent on purpose: ranking and filling in, which treat all templates alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from studio.domain.errors import UserFixable
from studio.domain.ids import stable_id
from studio.domain.template import Template
from studio.domain.validation import Catalogue as NodeCatalogue
from studio.gallery.archetypes import archetypes
from studio.gallery.bundle import BYTES_MAX, ReviewLine, read_bundle, review, to_bundle
from studio.gallery.catalogue import Catalogue, Entry
from studio.gallery.own_template import template_from
from studio.workspace.workflows import WorkflowsStory

SUFFIX = ".template.json"
_BAD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Inspected:
    """A template file before it is taken in: what it is, what it would do, and the id it would get here."""

    entry: Entry
    lines: tuple[ReviewLine, ...]
    id_here: str
    replaces: bool

    @property
    def template(self) -> Template:
        return self.entry.template

    @property
    def usable(self) -> bool:
        """Whether it can be taken in at all."""
        return not any(line.kind == "problem" for line in self.lines)


class OwnTemplates:
    """Own templates of one workspace.

    `entries`: the shipped ones by id; own ones are added to it and taken out again. `catalogue` shows them all, always
    up to date.
    """

    def __init__(
        self, folder: Path, entries: dict[str, Entry], workflows: WorkflowsStory, nodes: NodeCatalogue
    ) -> None:
        self._folder = folder
        self._shipped = frozenset(entries)
        self._workflows = workflows
        self._nodes = nodes
        self._entries = entries
        self.unreadable: dict[str, str] = {}
        """File name → what keeps it from being read. One bad file must not close the gallery."""
        for file in sorted(folder.glob(f"*{SUFFIX}")):
            self._load(file)
        self.catalogue = Catalogue(MappingProxyType(self._entries))

    def list(self) -> tuple[Template, ...]:
        """The own ones alone."""
        return tuple(entry.template for name, entry in self._entries.items() if name not in self._shipped)

    def kinds(self) -> dict[str, str]:
        """Kinds of workflow that a template can be of, id → title."""
        return {kind.id: kind.title["en"] for kind in archetypes()}

    def origin(self, workflow_id: str) -> Template | None:
        """The template a workflow was made from, as long as it is there. Raises UserFixable WORKFLOW-UNKNOWN."""
        made_from = self._workflows.get(workflow_id).template
        entry = self._entries.get(made_from.id) if made_from is not None else None
        return entry.template if entry is not None else None

    def replaced_by(self, name: str) -> Template | None:
        """The template that saving under this name would replace."""
        entry = self._entries.get(self._id(name))
        return entry.template if entry is not None else None

    def save(
        self,
        workflow_id: str,
        *,
        name: str = "",
        description: str = "",
        archetype: str = "",
        typical_for: str = "",
    ) -> Template:
        """Makes a template out of a workflow of the library; one of the same name is replaced.

        Raises UserFixable: WORKFLOW-UNKNOWN; TEMPLATE-ARCHETYPE when its kind is neither given nor known.
        """
        workflow = self._workflows.get(workflow_id)
        origin = self.origin(workflow_id)
        kind = archetype or (origin.archetype if origin else "")
        if not kind:
            raise UserFixable(
                "TEMPLATE-ARCHETYPE",
                "It is not known what kind of workflow this is.",
                where=workflow_id,
                hint="Name one, such as welcome-series; `studio templates list` shows them.",
            )
        title = name or workflow.name
        entry = template_from(
            workflow,
            template_id=self._id(title),
            name=title,
            description=description or (origin.description["en"] if origin else title),
            archetype=kind,
            typical_for=typical_for or (origin.typical_for if origin else "this business"),
            origin=origin,
            nodes=self._nodes,
        )
        self._keep(read_bundle(to_bundle(entry), title))
        return entry.template

    def share(self, template_id: str, path: Path) -> Path:
        """Writes any template of the catalogue as a file that others can take in; where it was written."""
        target = path / f"{template_id}{SUFFIX}" if path.is_dir() else path
        _write(target, to_bundle(self.catalogue.entry(template_id)))
        return target

    def inspect(self, path: Path) -> Inspected:
        """What a shared file would do. Nothing is taken in. Raises UserFixable TEMPLATE-BUNDLE, FILE-UNREADABLE."""
        entry = read_bundle(_read(path), str(path))
        name = entry.template.id
        id_here = self._id(name) if name in self._shipped else name
        return Inspected(entry, tuple(review(entry, self._nodes)), id_here, id_here in self._entries)

    def take_in(self, path: Path) -> Template:
        """Adds a shared file's template to the catalogue. A shipped one cannot be replaced: it gets another id.

        Raises UserFixable: TEMPLATE-BUNDLE, FILE-UNREADABLE; TEMPLATE-NOT-USABLE with what is wrong with it.
        """
        return self.keep(self.inspect(path), path)

    def keep(self, inspected: Inspected, path: Path) -> Template:
        """Takes in what was looked at, whatever became of the file since. Raises UserFixable TEMPLATE-NOT-USABLE."""
        if not inspected.usable:
            lines = [line.text for line in inspected.lines if line.kind == "problem"]
            hint = "Ask whoever sent it, or update the program."
            raise UserFixable("TEMPLATE-NOT-USABLE", " ".join(lines), where=str(path), hint=hint)
        template = inspected.template.model_copy(update={"id": inspected.id_here})
        self._keep(Entry(template, inspected.entry.texts))
        return template

    def remove(self, template_id: str) -> Callable[[], None]:
        """Takes an own template out; workflows made from it go on. What is answered puts it back.

        Raises UserFixable TEMPLATE-UNKNOWN, TEMPLATE-SHIPPED.
        """
        entry = self.catalogue.entry(template_id)
        if template_id in self._shipped:
            raise UserFixable(
                "TEMPLATE-SHIPPED",
                "This template came with the program.",
                where=template_id,
                hint="Only own templates can be removed.",
            )
        (self._folder / f"{template_id}{SUFFIX}").unlink(missing_ok=True)
        del self._entries[template_id]
        return partial(self._keep, entry)

    def _keep(self, entry: Entry) -> None:
        self._folder.mkdir(exist_ok=True)
        _write(self._folder / f"{entry.template.id}{SUFFIX}", to_bundle(entry))
        self._entries[entry.template.id] = entry

    def _load(self, file: Path) -> None:
        try:
            entry = read_bundle(_read(file), str(file))
        except UserFixable as error:
            self.unreadable[file.name] = str(error)
        else:
            self._entries.setdefault(entry.template.id, entry)

    def _id(self, title: str) -> str:
        """An id that no shipped template has; the same for the same title, so that saving again replaces."""
        plain = _BAD.sub("-", title.lower()).strip("-")[:50]
        if sum(map(str.isalnum, plain)) < sum(map(str.isalnum, title)):
            # Letters are missing from it (“Скидки”, a long name): another title must not replace this one.
            plain = f"{plain[:40] or 'template'}-{stable_id(title)[:8]}"
        plain = plain or "template"
        return f"own-{plain}" if not plain.startswith("own-") else plain


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = f"The file cannot be read: {error}."
        raise UserFixable("FILE-UNREADABLE", text, where=str(path), hint="Check its name.") from None


def _write(path: Path, text: str) -> None:
    """The whole file or none of it."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        text = f"The file cannot be written: {error.strerror}."
        raise UserFixable("FILE-UNWRITABLE", text, where=str(path), hint="Choose another place.") from None


def review_by_kind(lines: tuple[ReviewLine, ...]) -> Mapping[str, list[ReviewLine]]:
    """The lines of a review under what they are about, in the order they are shown."""
    groups: dict[str, list[ReviewLine]] = {}
    for line in lines:
        groups.setdefault(line.kind, []).append(line)
    return groups
