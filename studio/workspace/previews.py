"""A look at a workflow's messages before anybody gets one: subject and text, filled in for a made-up person.

Absent on purpose: sending, and whom a message would go to.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import JsonValue

from studio.domain.errors import StudioError
from studio.domain.workflow import Node, Workflow
from studio.nodes.message_rendering import MessageTemplate, Texts
from studio.nodes.mjml_conversion import RenderError
from studio.nodes.plain_text import plain_text

SEND_TYPE = "send.email"
READER: dict[str, JsonValue] = {
    "contact": {"name": "Anna Example", "first_name": "Anna", "last_name": "Example"},
    "var": {},
    "event": {},
    "unsubscribe_url": "https://example.invalid/unsubscribe",
    "postal_address": "Your postal address",
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


def message_previews(workflow: Workflow) -> tuple[MessagePreview, ...]:
    """Every message of the workflow that carries its text with it, in the order of its nodes."""
    return tuple(_preview(workflow, node) for node in workflow.nodes if node.type == SEND_TYPE and node.enabled)


def _preview(workflow: Workflow, node: Node) -> MessagePreview:
    label = node.label or node.id
    try:
        bound = workflow.bound(node)
        texts = Texts(*(str(bound.get(name) or "") for name in ("subject", "preheader", "body", "text")))
        rendered = MessageTemplate(texts).render(READER)
    except (StudioError, RenderError) as error:
        return MessagePreview(node.id, label, "", problem=str(error))
    return MessagePreview(node.id, label, rendered.subject, rendered.text or plain_text(rendered.html), rendered.html)
