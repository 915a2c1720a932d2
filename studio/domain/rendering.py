"""Texts to be filled in for many people, and what comes of it, as the process that fills them in knows them.

Absent on purpose: pydantic and all that nodes are made of; that process starts while somebody waits for a preview.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTask:
    """Texts to be filled in for many people; JSON data only, so that it can be done in another process.

    kind: `text` makes one plain text each, `mail` subject, HTML and text. texts: the templates by name.
    columns: what is known of the people, by name, all of one length; a null is missing.
    """

    kind: Literal["text", "mail"]
    texts: Mapping[str, str]
    columns: Mapping[str, Sequence[JsonValue]]

    @property
    def people(self) -> int:
        """How many."""
        return max(map(len, self.columns.values()), default=0)


Rendered: TypeAlias = Mapping[str, Sequence[str | None]]
"""A column per text made (`text`; or `subject`, `html`, `text`), row for row, and `code` and `message`: null, or why
there are no texts for this person."""
