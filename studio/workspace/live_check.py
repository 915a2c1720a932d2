"""What stands in the way of sending a workflow to real people, before the first message is written.

A test run is told the same and goes on. Absent on purpose: the sender's own duties (`connectors/profile.py`) and what
is mere advice (`nodes/message_lint.py`; only what it calls an error stops a live run).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from pydantic import JsonValue

from studio.domain.errors import Problem, UserFixable
from studio.domain.validation import Catalogue
from studio.domain.workflow import Node, Workflow
from studio.nodes.message_lint import lint_message
from studio.nodes.message_rendering import Texts

_ADDRESS = re.compile(r"https?://[^\s\"'<>)}|{]+")
_NOBODYS = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|invalid|test|localhost)$")
"""Names that belong to nobody, for examples and trying out (RFC 2606, RFC 6761)."""


def unready(workflow: Workflow, catalogue: Catalogue) -> tuple[Problem, ...]:
    """Everything in the messages that nobody should get; empty when they may go.

    The workflow has passed `domain.validation.check`.
    """
    leading: dict[str, list[Node]] = {}
    letters: list[Problem] = []
    for node in workflow.nodes:
        known = catalogue.get(node.type)
        if known is None or known.declaration.role != "send" or not node.enabled:
            continue
        bound = workflow.bound(node)
        for host in nobodys(" ".join(value for value in bound.values() if isinstance(value, str))):
            leading.setdefault(host, []).append(node)
        if node.type == "send.email":
            letters += _letter(node, bound)
    return (*(_nobodys(workflow, host, nodes) for host, nodes in leading.items()), *letters)


def nobodys(text: str) -> list[str]:
    """The hosts of web addresses in a text that belong to nobody, each once.

    >>> nobodys("see https://shop.example/sale and https://python.org")
    ['shop.example']
    """
    hosts = {urlsplit(found).hostname or "" for found in _ADDRESS.findall(text)}
    return sorted(host for host in hosts if _NOBODYS.search(host))


def _nobodys(workflow: Workflow, host: str, nodes: Sequence[Node]) -> Problem:
    settings = workflow.template.parameters if workflow.template else {}
    said = [name for name, value in settings.items() if isinstance(value, str) and host in nobodys(value)]
    where = f"as the workflow's setting {said[0]}" if said else "in the message"
    messages = ", ".join(f"“{node.label or node.id}”" for node in nodes)
    return Problem(
        "LIVE-ADDRESS",
        f"Links lead to {host}, which is nobody's address: {messages}.",
        hint=f"Enter your own web address {where}.",
        node=nodes[0].id,
        field=f"settings.{said[0]}" if said else "parameters.body",
    )


def _letter(node: Node, bound: dict[str, JsonValue]) -> Iterable[Problem]:
    body = str(bound.get("body") or "")
    if "<" not in body or bound.get("purpose", "marketing") != "marketing":
        return
    texts = Texts(
        str(bound.get("subject") or ""), str(bound.get("preheader") or ""), body, str(bound.get("text") or "")
    )
    try:
        advice = lint_message(texts)
    except UserFixable as error:
        yield Problem(error.code, error.message, error.hint or "", node=node.id)
        return
    for one in advice:
        if one.level == "error":
            yield Problem(one.code, one.message, hint=one.hint, node=node.id, field=f"parameters.{one.place}")
