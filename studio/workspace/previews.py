"""A look at a workflow's messages before anybody gets one: subject and text, filled in for a made-up person.

Absent on purpose: sending, and whom a message would go to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from studio.domain.errors import StudioError
from studio.domain.rendering import Rendered, RenderTask
from studio.domain.workflow import Node, Workflow, topological_order
from studio.nodes.plain_text import plain_text

SEND_TYPE = "send.email"
READER: dict[str, JsonValue] = {
    "contact.name": "Anna Example",
    "contact.first_name": "Anna",
    "contact.last_name": "Example",
    "unsubscribe_url": "https://example.invalid/unsubscribe",
    "postal_address": "Your postal address",
    "tags": {},
}
"""Whom the preview is written to."""


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """One message as its reader would get it; `problem` says why it could not be written, otherwise empty."""

    node_id: str
    label: str
    subject: str
    text: str = ""
    html: str = ""
    problem: str = ""


def message_previews(workflow: Workflow, render: Callable[[RenderTask], Rendered]) -> tuple[MessagePreview, ...]:
    """Every message of the workflow that carries its text with it, in the order in which people get to them.

    render: fills in texts where they can do no harm: a workflow may come from anybody.
    """
    forward, looped = topological_order(workflow)
    place = {node_id: number for number, node_id in enumerate((*forward, *looped))}
    sent = [node for node in workflow.nodes if node.type == SEND_TYPE and node.enabled]
    return tuple(_preview(workflow, node, render) for node in sorted(sent, key=lambda node: place[node.id]))


def _preview(workflow: Workflow, node: Node, render: Callable[[RenderTask], Rendered]) -> MessagePreview:
    label = node.label or node.id
    try:
        bound = workflow.bound(node)
        texts = {name: str(bound.get(name) or "") for name in ("subject", "preheader", "body", "text")}
        made = render(RenderTask(kind="mail", texts=texts, columns={name: [value] for name, value in READER.items()}))
    except StudioError as error:
        return MessagePreview(node.id, label, "", problem=str(error))
    if made["code"][0] is not None:
        return MessagePreview(node.id, label, "", problem=str(made["message"][0]))
    subject, text, html = (str(made[name][0] or "") for name in ("subject", "text", "html"))
    return MessagePreview(node.id, label, subject, text or plain_text(html), html)
