"""A web request as the outbox hands it over: one call, known by its Idempotency-Key, beside the mails of `domain.mail`.

Absent on purpose: sending it (`connectors.web`), and deciding what a failure means for the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.domain.web_answer import Expected, Taking

REPEATABLE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
"""Doing one of these twice is doing it once (RFC 9110 section 9.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """One call to be made once. `message_id` is what the ledger knows it by.

    headers: a value may be a `secret://name`, resolved when it is sent. is_repeatable: the other side knows the
    Idempotency-Key, or the method is one that may be repeated. accepts: statuses that count as done beside every 2xx.
    takes: what is wanted of the answer. expects: what it has to say before the call counts as done.
    """

    message_id: str
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    is_repeatable: bool
    accepts: tuple[int, ...] = ()
    takes: tuple[Taking, ...] = ()
    expects: tuple[Expected, ...] = ()
    timeout_s: float = 30.0

    @property
    def key(self) -> str:
        """The Idempotency-Key: the same at every try."""
        return self.message_id.strip("<>").partition("@")[0]

    @property
    def recipient(self) -> str:
        """Whom it goes to, for people: the host."""
        return urlsplit(self.url).netloc
