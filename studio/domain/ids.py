"""Identifiers: typed names, and the one way to derive them. Absent on purpose: random identifiers.

Every id the engine makes is a digest of what it identifies, so doing a thing again names the same row and is a no-op.
"""

from __future__ import annotations

import hashlib
from typing import NewType

RunId = NewType("RunId", str)
NodeId = NewType("NodeId", str)
WorkflowId = NewType("WorkflowId", str)
VersionHash = NewType("VersionHash", str)
TemplateId = NewType("TemplateId", str)
OutboxId = NewType("OutboxId", str)
ContactId = NewType("ContactId", int)
"""Dense and small inside one store (bitmaps need that); never shown to a person."""


def stable_id(*parts: object) -> str:
    """32 hex digits that depend on every part and its position (SHA-256, truncated to 128 bits).

    >>> stable_id("run", 1) == stable_id("run", 1), stable_id("a", "bc") == stable_id("ab", "c")
    (True, False)
    """
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(len(text).to_bytes(8, "big"))
        digest.update(text)
    return digest.hexdigest()[:32]
