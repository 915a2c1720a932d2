"""`send.http`: calls a web address once per instance, with the person's data, at the moment it goes out.

In test mode the call is written out as a mail for the catcher and nobody is called. What is answered can go on with the
person, value by value (`nodes/web_answers.py`). Absent on purpose: calling (the engine's outbox, through
`connectors.web`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote, urlencode, urlsplit

import polars as pl
from pydantic import AfterValidator, BaseModel, Field, model_validator

from studio.domain.mail import Envelope
from studio.domain.node import (
    Composed,
    Declaration,
    Letter,
    MessageParts,
    NodeContext,
    Outcome,
    Parameters,
    Quarantined,
    RenderTask,
)
from studio.domain.web import REPEATABLE_METHODS, WebRequest
from studio.nodes.message_source import TemplateText
from studio.nodes.parameters import refuse
from studio.nodes.personal import personal_columns, with_fields
from studio.nodes.render_tasks import render_here, text_template
from studio.nodes.web_answers import AnswerValue, ExpectedValue, answered, distinct, expectations, takings

_LOCAL = ("localhost", "127.0.0.1", "::1")
_FIXED = re.compile(r"https?://[^{}/?#\s]+(?:[/?#]|$)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = ("idempotency-key", "content-type", "content-length", "host")

_Text = Annotated[TemplateText, Field(max_length=2_000)]


class DataField(Parameters):
    """One value that is sent."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        title="Name", description="What the other side calls the value, such as email."
    )
    value: _Text = Field(
        title="Value",
        description="What is sent, such as {{ contact.email }}. May hold fields.",
        json_schema_extra={"widget": "template"},
    )


class Header(Parameters):
    """One header of the call."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        title="Name", description="Of the header, such as Authorization."
    )
    value: Annotated[str, Field(max_length=1_000)] = Field(
        title="Value", description="As it is, or secret://name for a key or password that the keyring holds."
    )


class HttpParameters(Parameters):
    """What `send.http` can be told."""

    url: Annotated[_Text, Field(min_length=8)] = Field(
        title="Address",
        description="Where to call, such as https://crm.example/contacts. May hold fields after the host name.",
        json_schema_extra={"widget": "template"},
    )
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = Field(
        default="POST", title="Method", description="POST sends something new, PUT replaces, GET only asks."
    )
    body: Annotated[tuple[DataField, ...], Field(max_length=50)] = Field(
        default=(),
        title="Data",
        description="What is sent, value by value. Empty: nothing but the address.",
        json_schema_extra={"widget": "conditions"},
    )
    format: Literal["json", "form"] = Field(default="json", title="Sent as", description="How the data is written.")
    headers: Annotated[tuple[Header, ...], Field(max_length=20)] = Field(
        default=(),
        title="Headers",
        description="Such as Authorization; keys and passwords stand in the keyring, never here.",
        json_schema_extra={"widget": "conditions"},
    )
    knows_key: bool = Field(
        default=False,
        title="Knows the Idempotency-Key",
        description="The other side recognises a repeated call by this header; so a lost answer is no doubt.",
    )
    timeout_s: Annotated[float, Field(ge=1, le=120)] = Field(
        default=30.0,
        title="Patience",
        description="How long to wait for an answer.",
        json_schema_extra={"unit": "s"},
    )
    also_done: Annotated[str, Field(pattern=r"^(\d{3}(\s*,\s*\d{3})*)?$", max_length=100)] = Field(
        default="",
        title="Also counts as done",
        description="Further answers that mean success beside 200 to 299, such as 409 for what is there already.",
    )

    checks: Annotated[tuple[ExpectedValue, ...], Field(max_length=5)] = Field(
        default=(),
        title="Done only if",
        description="What the answer has to say, for services that answer 200 to everything.",
        json_schema_extra={"widget": "conditions"},
    )
    values: Annotated[tuple[AnswerValue, ...], Field(max_length=20), AfterValidator(distinct)] = Field(
        default=(),
        title="Values from the answer",
        description="Taken out of what is answered; later steps and messages know them as var.<name>.",
        json_schema_extra={"widget": "conditions"},
    )

    @model_validator(mode="after")
    def _can_be_called(self) -> HttpParameters:
        if not _FIXED.match(self.url):
            refuse(
                "WEB-ADDRESS", "The address has to begin with https:// and a host name without fields", "Write it out."
            )
        target = urlsplit(self.url.split("{")[0])
        if target.scheme == "http" and target.hostname not in _LOCAL:
            refuse("WEB-ADDRESS", "Personal data would travel unencrypted to this address", "Use https://.")
        for name, value in ((header.name, header.value) for header in self.headers):
            if not _HEADER.fullmatch(name) or name.lower() in _OURS or not value.isprintable():
                refuse("WEB-HEADER", f"“{name}” cannot be a header here", "Remove it, or correct its name.")
        return self


class Http:
    """Plans one call per instance; writes it when the engine is about to make it."""

    declaration: ClassVar[Declaration] = Declaration(
        id="send.http",
        version=1,
        title="Call a web address",
        summary="Sends each person's data to another program (a webhook), once.",
        group="Messages",
        icon="globe",
        role="send",
        needs=("contacts",),
        carrier="web",
    )
    Parameters: ClassVar[type[BaseModel]] = HttpParameters

    def __init__(self, parameters: BaseModel) -> None:
        assert isinstance(parameters, HttpParameters)
        self.parameters = parameters
        data = {f"body {field.name}": field.value for field in parameters.body}
        self._sources: dict[str, str] = {"url": parameters.url, **data}

    def outputs(self) -> tuple[str, ...]:
        return ("out",)

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:  # noqa: ARG002 - the protocol's shape
        return Outcome(send=batch)

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """Raises UserFixable MAIL-TEMPLATE. Who lacks a field that the call needs is set aside, with its name."""
        written = await self._written(batch, context)
        letters: list[Letter] = []
        quarantined: list[Quarantined] = []
        for place, row in enumerate(batch.select("instance_id", "contact_id", "message_id").iter_rows(named=True)):
            instance_id, contact_id = int(row["instance_id"]), int(row["contact_id"])
            wrong = next(
                ((made["code"][place], made["message"][place]) for made in written.values() if made["code"][place]),
                None,
            )
            if wrong is not None:
                quarantined.append(Quarantined(instance_id, contact_id, str(wrong[0]), str(wrong[1])))
                continue
            texts = {name: str(made["text"][place]) for name, made in written.items()}
            request = self._request(str(row["message_id"]), texts)
            out = request if context.mode == "live" else _as_mail(request, context)
            letters.append(Letter(instance_id, contact_id, out))
        return Composed(letters=letters, quarantined=quarantined)

    async def answered(
        self,
        batch: pl.DataFrame,
        answers: Sequence[str | None] | None,
        context: NodeContext,  # noqa: ARG002 - the protocol's shape
    ) -> Outcome:
        """Everybody goes on through `out`, with what was answered."""
        return answered(batch, answers, self.parameters.values)

    async def _written(
        self, batch: pl.DataFrame, context: NodeContext
    ) -> dict[str, Mapping[str, Sequence[str | None]]]:
        """Each template's texts, person by person."""
        named = [text_template(source).contact_fields() for source in self._sources.values()]
        fields = None if None in named else {field for names in named if names is not None for field in names}
        columns = personal_columns(with_fields(batch, fields, context))
        render = context.render or render_here
        return {
            name: await render(RenderTask(kind="text", texts={"text": source}, columns=columns))
            for name, source in self._sources.items()
        }

    def _request(self, message_id: str, texts: Mapping[str, str]) -> WebRequest:
        parameters = self.parameters
        data = {field.name: texts[f"body {field.name}"] for field in parameters.body}
        is_json = parameters.format == "json"
        content = (json.dumps(data, ensure_ascii=False) if is_json else urlencode(data)).encode() if data else b""
        kind = "application/json" if is_json else "application/x-www-form-urlencoded"
        headers = {header.name: header.value for header in parameters.headers}
        return WebRequest(
            message_id=message_id,
            method=parameters.method,
            url=quote(texts["url"], safe="%/:=&?~#+!$,;'@()*[]"),
            headers={**headers, "Content-Type": kind} if content else headers,
            content=content,
            is_repeatable=parameters.knows_key or parameters.method in REPEATABLE_METHODS,
            accepts=tuple(int(status) for status in re.findall(r"\d{3}", parameters.also_done)),
            takes=takings(parameters.values),
            expects=expectations(parameters.checks),
            timeout_s=parameters.timeout_s,
        )


def _as_mail(request: WebRequest, context: NodeContext) -> Envelope:
    """The call as a mail that the catcher keeps, so that one can read in test mode what would be called."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", urlsplit(request.url).hostname or "nobody")
    to = f"{host}@web.invalid"
    if context.mode == "simulate":
        return Envelope(context.sender.address, to, request.message_id, b"")
    headers = "".join(f"{name}: {value}\n" for name, value in request.headers.items())
    text = f"{request.method} {request.url}\n{headers}Idempotency-Key: {request.key}\n\n{request.content.decode()}\n"
    parts = MessageParts(
        message_id=request.message_id,
        from_address=context.sender.address,
        from_name="",
        to_address=to,
        to_name="",
        reply_to=None,
        subject=f"{request.method} {request.url}"[:200],
        html="",
        text=text,
        sent_at=context.now,
    )
    return Envelope(context.sender.address, to, request.message_id, context.build(parts))
