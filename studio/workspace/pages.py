"""The story of pages: the pages and forms of a workflow, written as files that any web space can show.

Absent on purpose: a server. What forms send goes to the address that the file names; it comes back as events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.domain.errors import UserFixable
from studio.domain.validation import Catalogue, make_node
from studio.domain.workflow import Workflow
from studio.nodes.message_rendering import MessageTemplate, Texts
from studio.nodes.page_html import form_html, page_html
from studio.nodes.web.form import FormParameters
from studio.nodes.web.page import PageParameters

_EMPTY = "<mjml><mj-body></mj-body></mjml>"


@dataclass(frozen=True, slots=True)
class Published:
    """One page that was written. `kind`: page or form."""

    node: str
    kind: str
    path: Path


def publish(workflow: Workflow, nodes: Catalogue, folder: Path, *, action: str = "") -> list[Published]:
    """Writes every page and form of the workflow into the folder; what was there under these names is replaced.

    Args:
        workflow: with its pages.
        nodes: the node types there are.
        folder: is made when it is missing.
        action: where forms send to that name no address themselves.

    Raises:
        UserFixable: PAGES-NONE; PAGES-ACTION when a form would send nowhere; MAIL-TEMPLATE; FILE-UNWRITABLE.
    """
    written: list[Published] = []
    for node_id, kind, name, html in _pages(workflow, nodes, action):
        path = folder / f"{name}.html"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(html, encoding="utf-8")
        except OSError as error:
            text = f"The page cannot be written: {error.strerror}."
            raise UserFixable("FILE-UNWRITABLE", text, where=str(path), hint="Choose another folder.") from None
        written.append(Published(node_id, kind, path))
    if not written:
        raise UserFixable(
            "PAGES-NONE", "This workflow has no page and no form.", hint="Add the step Form or Show a page."
        )
    return written


def _pages(workflow: Workflow, nodes: Catalogue, action: str) -> Iterator[tuple[str, str, str, str]]:
    values = workflow.template.parameters if workflow.template else {}
    language, accent = str(values.get("language", "en")), str(values.get("brand_colour", "#4f46e5"))
    for node in workflow.nodes:
        if not node.enabled or node.type not in ("web.form", "web.page"):
            continue
        parameters = getattr(make_node(nodes, workflow, node), "parameters", None)
        if isinstance(parameters, FormParameters):
            target = parameters.action or action
            if not target:
                hint = "Name the address that receives it: --action https://…"
                raise UserFixable("PAGES-ACTION", "The form does not say where it sends to.", where=node.id, hint=hint)
            yield node.id, "form", parameters.form, form_html(parameters, language, target, accent)
        elif isinstance(parameters, PageParameters):
            rendered = MessageTemplate(Texts(parameters.subject, "", _EMPTY, parameters.body)).render(
                {"contact": {}, "var": {}, "event": {}}
            )
            yield (
                node.id,
                "page",
                parameters.path or node.id,
                page_html(rendered.subject, rendered.text, language, accent),
            )
