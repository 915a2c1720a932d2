"""The story of the language model: off until somebody switches it on, asked only when told to, changing nothing itself.

Absent on purpose: the adapters (connectors) and what is asked (gallery).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from pydantic import JsonValue

from studio.connectors.language_model import Endpoint, Kind, LanguageModel, Prompt, Request
from studio.connectors.secrets import SECRET_PREFIX, Secrets
from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext, FilledParameter
from studio.gallery.copywriting import CopyAnswer, Suggestion, question, suggestions
from studio.store.store import Store
from studio.workspace.templates import TemplatesStory

_SETTING = "language_model"


class AssistantStory:
    """Wording suggested by a language model that a person chose."""

    def __init__(
        self,
        store: Store,
        templates: TemplatesStory,
        secrets: Secrets | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._store = store
        self._templates = templates
        self._secrets = secrets or Secrets()
        self._transport = transport

    def switch_on(self, kind: Kind, url: str, model: str, key: str = "") -> None:
        """Keeps where the model answers. `key` is a reference (`secret://name`), never the key itself.

        Raises UserFixable: MODEL-SETTINGS, MODEL-KEY.
        """
        if key and not key.startswith(SECRET_PREFIX):
            hint = "Store it under a name, and give secret://name here."
            raise UserFixable("MODEL-KEY", "A key does not belong into the settings.", where="key", hint=hint)
        LanguageModel(Endpoint(kind, url, model))
        self._store.library.set_setting(_SETTING, {"kind": kind, "url": url, "model": model, "key": key})

    def switch_off(self) -> None:
        """Forgets it; nothing is ever sent again."""
        self._store.library.set_setting(_SETTING, None)

    def settings(self) -> Mapping[str, JsonValue] | None:
        """Kind, address, model and the key's name; None while it is off."""
        kept = self._store.library.setting(_SETTING)
        return kept if isinstance(kept, dict) else None

    def what_leaves(self, template_id: str, context: BusinessContext, language: str = "en") -> Request:
        """Exactly what would be sent for this template. Raises UserFixable (MODEL-OFF) while it is off."""
        prompt, _ = self._asked(template_id, context, language)
        return self._model("").request(prompt, CopyAnswer)

    def suggest(self, template_id: str, context: BusinessContext, language: str = "en") -> tuple[Suggestion, ...]:
        """Asks the model; every suggestion is for a person to accept. Raises as `LanguageModel.complete` does."""
        prompt, filled = self._asked(template_id, context, language)
        kept = self._on()
        key = self._secrets.resolve(str(kept["key"])) if kept.get("key") else ""
        answer = asyncio.run(self._model(key).complete(prompt, CopyAnswer))
        return suggestions(self._templates.get(template_id), filled, answer, language)

    def _asked(
        self, template_id: str, context: BusinessContext, language: str
    ) -> tuple[Prompt, tuple[FilledParameter, ...]]:
        filled = tuple(self._templates.fill(template_id, context, language=language))
        return Prompt(*question(self._templates.get(template_id), filled, context, language)), filled

    def _model(self, key: str) -> LanguageModel:
        kept = self._on()
        kind: Kind = "anthropic" if kept["kind"] == "anthropic" else "openai"
        return LanguageModel(Endpoint(kind, str(kept["url"]), str(kept["model"]), key), self._transport)

    def _on(self) -> Mapping[str, JsonValue]:
        kept = self.settings()
        if kept is None:
            raise UserFixable(
                "MODEL-OFF",
                "No language model is switched on.",
                hint="studio assistant on --url http://127.0.0.1:8080/v1 --model NAME; everything works without it.",
            )
        return kept
