"""Identifiers: the one way to derive them. Absent on purpose: random identifiers.

Every id the engine makes is a digest of what it identifies, so doing a thing again names the same row and is a no-op.
"""

from __future__ import annotations

import hashlib


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
