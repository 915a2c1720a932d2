"""Which texts a send node means: message files of the template by name, or the text itself; and what they must hold.

Absent on purpose: reading files; the texts of a workflow's template come with the context.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from studio.domain.errors import UserFixable
from studio.domain.spelling import nearest
from studio.nodes.gate import Purpose
from studio.nodes.message_rendering import check_template
from studio.nodes.parameters import refusing

TemplateText = Annotated[str, AfterValidator(refusing(check_template))]
"""A text that may hold fields; one that could not be filled in is refused where it is written."""

_FILE_NAME = re.compile(r"[\w][\w.-]{0,99}")
_FOOTER = {
    "unsubscribe_url": "a link for unsubscribing",
    "postal_address": "the sender's postal address",
}


def is_inline(body: str) -> bool:
    """Whether a message parameter holds MJML itself, not the name of a file."""
    return "<" in body


def check_footer(body: str, purpose: Purpose) -> None:
    """Passes over a message that has what the law asks for: a way to unsubscribe, and the sender's postal address.

    Raises UserFixable (MAIL-FOOTER) for a marketing message without.
    """
    lacking = " and ".join(words for name, words in _FOOTER.items() if name not in body)
    if lacking and purpose == "marketing":
        raise UserFixable(
            "MAIL-FOOTER",
            f"The message lacks {lacking}.",
            where="parameters, body",
            hint="Put {{ unsubscribe_url }} and {{ postal_address }} into its footer.",
        )


def is_text_file(text: str) -> bool:
    """Whether the plain-text parameter holds the name of a file, not the text itself."""
    return _FILE_NAME.fullmatch(text) is not None and text.endswith((".txt", ".text"))


def body_source(body: str, texts: Mapping[str, str]) -> str:
    """The MJML of a message. Raises UserFixable (MAIL-FILE) when there is no such file."""
    return body if is_inline(body) else _file(body, texts)


def text_source(text: str, texts: Mapping[str, str]) -> str:
    """The plain text of a message. Raises UserFixable (MAIL-FILE) when there is no such file."""
    return _file(text, texts) if is_text_file(text) else text


def _file(name: str, texts: Mapping[str, str]) -> str:
    if name in texts:
        return texts[name]
    raise UserFixable(
        "MAIL-FILE",
        f"There is no message file “{name}”.",
        where="parameters, body",
        hint=nearest(name, texts)
        or (f"There are {', '.join(texts)}." if texts else "This workflow has no message files."),
    )
