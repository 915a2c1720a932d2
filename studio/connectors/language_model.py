"""Language models behind two kinds of endpoint: OpenAI-compatible (local servers too) and Anthropic's.

What would be sent can be looked at before it is (`request`); the answer is checked against a schema, and a wrong one is
asked for once more with what is wrong about it. Absent on purpose: streaming, tools, conversations, the clients of the
vendors, and any use that nobody switched on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from studio.domain.errors import Rejected, Transient, UserFixable

Answer = TypeVar("Answer", bound=BaseModel)
Kind: TypeAlias = Literal["openai", "anthropic"]

WITHIN_S = 60.0
ANSWER_TOKENS_MAX = 1_500
ANSWER_BYTES_MAX = 1_000_000
ANTHROPIC_VERSION = "2023-06-01"
_TOOL = "answer"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers. `url` without the path of the call (`http://127.0.0.1:8080/v1`); `key` empty: none."""

    kind: Kind
    url: str
    model: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: how to answer, and the question with everything the model gets to know."""

    system: str
    question: str


@dataclass(frozen=True, slots=True)
class Request:
    """What leaves this computer, whole but for the key: its headers stand without it."""

    url: str
    body: Mapping[str, JsonValue]

    def shown(self) -> str:
        """As a person reads it before agreeing."""
        return f"POST {self.url}\n{json.dumps(self.body, ensure_ascii=False, indent=2)}"


class LanguageModel:
    """One endpoint. Nothing is sent before `complete` is called."""

    def __init__(self, endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None = None) -> None:
        if not endpoint.url.startswith(("http://", "https://")) or not endpoint.model.strip():
            raise UserFixable(
                "MODEL-SETTINGS",
                "The language model needs an address and a model's name.",
                where=endpoint.url,
                hint="For example http://127.0.0.1:8080/v1 and the name that the server gives its model.",
            )
        self._endpoint = endpoint
        self._transport = transport

    def request(self, prompt: Prompt, schema: type[BaseModel]) -> Request:
        """What would be sent for this question."""
        base = self._endpoint.url.rstrip("/")
        if self._endpoint.kind == "anthropic":
            return Request(f"{base}/messages", self._anthropic(prompt, schema))
        return Request(f"{base}/chat/completions", self._openai(prompt, schema))

    async def complete(self, prompt: Prompt, schema: type[Answer]) -> Answer:
        """The model's answer in the form of the schema.

        Raises:
            Transient: no answer in time, or the server is busy.
            Rejected: the server refuses (key, model, request), or answers twice in another form.
        """
        async with httpx.AsyncClient(transport=self._transport, timeout=WITHIN_S, trust_env=False) as client:
            text = await self._ask(client, self.request(prompt, schema))
            try:
                return schema.model_validate_json(text)
            except ValidationError as error:
                wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
            again = f"{prompt.question}\n\nYour last answer did not fit the schema ({wrong}). Answer again."
            text = await self._ask(client, self.request(replace(prompt, question=again), schema))
            try:
                return schema.model_validate_json(text)
            except ValidationError:
                raise Rejected(
                    "MODEL-FORM",
                    f"{self._endpoint.model} answered twice in another form than was asked for.",
                    hint="Use a model that follows a JSON schema.",
                ) from None

    def _openai(self, prompt: Prompt, schema: type[BaseModel]) -> dict[str, JsonValue]:
        form: dict[str, JsonValue] = {"name": _TOOL, "strict": True, "schema": schema.model_json_schema()}
        return {
            "model": self._endpoint.model,
            "max_tokens": ANSWER_TOKENS_MAX,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.question},
            ],
            "response_format": {"type": "json_schema", "json_schema": form},
        }

    def _anthropic(self, prompt: Prompt, schema: type[BaseModel]) -> dict[str, JsonValue]:
        return {
            "model": self._endpoint.model,
            "max_tokens": ANSWER_TOKENS_MAX,
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.question}],
            "tools": [{"name": _TOOL, "description": "The answer.", "input_schema": schema.model_json_schema()}],
            "tool_choice": {"type": "tool", "name": _TOOL},
        }

    async def _ask(self, client: httpx.AsyncClient, request: Request) -> str:
        try:
            response = await client.post(request.url, json=request.body, headers=self._headers())
        except httpx.TimeoutException:
            text = f"The language model did not answer within {WITHIN_S:g} seconds."
            raise Transient("MODEL-TIMEOUT", text, where=request.url, hint="Try again.", why="timeout") from None
        except httpx.HTTPError as error:
            text = f"The language model cannot be reached ({error})."
            hint = "Is its server running? Everything else works without it."
            raise Transient("MODEL-UNREACHABLE", text, where=request.url, hint=hint, why="unreachable") from None
        if response.status_code == 429 or response.status_code >= 500:
            text = f"The language model is busy (status {response.status_code})."
            raise Transient("MODEL-BUSY", text, where=request.url, hint="Try again later.")
        if not response.is_success:
            said = response.text[:200]
            text = f"The language model refused (status {response.status_code}): {said}"
            raise Rejected("MODEL-REFUSED", text, where=request.url, hint="Check the key and the model's name.")
        return self._answer(response)

    def _headers(self) -> dict[str, str]:
        key = self._endpoint.key
        if self._endpoint.kind == "anthropic":
            return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": key} if key else {})
        return {"authorization": f"Bearer {key}"} if key else {}

    def _answer(self, response: httpx.Response) -> str:
        """The JSON text of the answer; an answer of another make gives a text that no schema accepts."""
        try:
            data = response.json() if len(response.content) <= ANSWER_BYTES_MAX else {}
            if self._endpoint.kind == "anthropic":
                return json.dumps(next(part["input"] for part in data["content"] if part.get("type") == "tool_use"))
            return str(data["choices"][0]["message"]["content"])
        except (json.JSONDecodeError, KeyError, IndexError, TypeError, StopIteration, AttributeError):
            return "null"
