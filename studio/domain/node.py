"""What a node type is: its declaration, its typed parameters, and what it may do with a batch.

A node is a small object made from its checked parameters. It is handed frames of instances (see `studio.frames`) and a
`NodeContext`, and answers with an `Outcome`. It never touches the store, the network or the wall clock itself.
Absent on purpose: scheduling, durability and sending, which are the engine's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict

from studio.domain.errors import Problem
from studio.domain.rendering import Rendered, RenderTask
from studio.domain.run import Mode

if TYPE_CHECKING:
    import polars as pl

    from studio.domain.mail import Envelope
    from studio.domain.reading import ContactView, EventView, Feeds
    from studio.domain.web import WebRequest
    from studio.domain.workflow import Settings, Workflow

Role: TypeAlias = Literal["source", "pure", "wait", "send", "goal", "exit"]
Channel: TypeAlias = Literal["email", "sms", "push", "notice", "page"]
"""How a send node reaches somebody. `notice` goes to the team, `page` is shown to a visitor."""
SENT_KINDS: Mapping[Channel, str] = {"notice": "notified", "page": "shown"}
"""The contact event of a message that went out, where it is not `sent`: what is no message to the contact counts
neither for the frequency cap nor as one.
"""


class Parameters(BaseModel):
    """Base of every node's parameters. Titles, help and units of a field live in its `Field(...)`:
    `title`, `description` (help), `json_schema_extra={"unit": …, "widget": …}`; forms and the node reference read them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the palette, the validator and the engine know of a node type without making one.

    `role` tells the engine where durable points lie: `source` makes instances, `pure` maps a batch to ports,
    `wait` keeps instances until a time or an event, `send` acts outward through the outbox, `goal` watches the whole
    run, `exit` ends instances. `channel`: of role `send` alone.
    """

    id: str
    version: int
    title: str
    summary: str
    group: str
    icon: str
    role: Role
    inputs: tuple[str, ...] = ("in",)
    needs: tuple[str, ...] = ()
    carrier: Literal["mail", "web"] = "mail"
    """Of role `send`: over what a live run sends; a test run sends everything as mail to the catcher."""
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One instance taken out of its batch, with the reason; the rest of the batch goes on."""

    instance_id: int
    contact_id: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a batch. Every instance of the batch is in exactly one of `out`, `wait`, `send`, `ended`
    and `quarantined`; the engine asserts it.

    out: port → instances that go on now.
    wait: instances that stay, with a `due_at` column (datetime[us, UTC]); `resume` gets them back then.
    send: instances for which one outward action each is to be planned.
    ended: instances that leave the workflow here.
    changes: what becomes different about people (`studio.frames.changes.CHANGE_SCHEMA`); a simulation keeps none.
    note: what the step has to remember for its next batch, at most a megabyte; it comes back as `NodeContext.note`.
    events: contact events to record (schema `studio.frames.events.EVENT_SCHEMA`, engine fills ids and run).
    figures: numbers to show with the step, by name; they add up over the run.
    noted: instances that go on although something is wrong, and what it is; the step turns amber, with their number.
    """

    out: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    wait: pl.DataFrame | None = None
    send: pl.DataFrame | None = None
    ended: pl.DataFrame | None = None
    note: str | None = None
    events: pl.DataFrame | None = None
    changes: pl.DataFrame | None = None
    quarantined: Sequence[Quarantined] = ()
    problems: Sequence[Problem] = ()
    noted: Sequence[Quarantined] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blocked:
    """An instance that may not be sent to, now or ever, with a stable reason code and words for it.

    `until` set: try again then (quiet hours, frequency cap). `until` None: never for this step.
    """

    instance_id: int
    reason: str
    message: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One rendered message of a send batch, or one web call."""

    instance_id: int
    contact_id: int
    envelope: Envelope | WebRequest


@dataclass(frozen=True, slots=True)
class Composed:
    """What a send node made of a batch at send time: letters, people held back, instances that cannot be rendered."""

    letters: Sequence[Letter] = ()
    blocked: Sequence[Blocked] = ()
    quarantined: Sequence[Quarantined] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The part of a sending profile a message needs."""

    address: str
    reply_to: str | None
    postal_address: str
    unsubscribe_base_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageParts:
    """All that a message builder needs to make one whole mail. Addresses are bare, names and subject are any text.

    `headers` are further ones, such as List-Unsubscribe; `sent_at` becomes the Date header.
    """

    message_id: str
    from_address: str
    from_name: str
    to_address: str
    to_name: str
    reply_to: str | None
    subject: str
    html: str
    text: str
    sent_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


Renderer: TypeAlias = Callable[[RenderTask], Awaitable[Rendered]]
"""Fills in texts. Raises UserFixable when none of them can be: a template that is refused, or had to be stopped."""

MessageBuilder: TypeAlias = Callable[[MessageParts], bytes]
"""Makes the message (headers and MIME body) that `Envelope.content` carries."""


def _no_builder(parts: MessageParts) -> bytes:
    raise LookupError(f"nothing builds mail here: give NodeContext a message builder ({parts.message_id})")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeContext:
    """What a node may know. `contacts` and `events` are bound to `now`: nothing later can be seen through them."""

    run_id: str
    workflow_id: str
    node_id: str
    node_label: str
    now: datetime
    started_at: datetime
    until: datetime | None
    mode: Mode
    seed: int
    settings: Settings
    contacts: ContactView
    events: EventView
    sender: Sender
    note: str = ""
    """What the step said last to remember; empty before."""
    earlier_runs: tuple[str, ...] = ()
    """Earlier activations of the workflow, oldest first: re-entry counts over all of them."""
    standing: Callable[[], pl.Series] | None = None
    """The contacts (u32, distinct) that are still on their way in this run."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Message files of the workflow's template, by name (`m1.en.mjml`)."""
    feeds: Feeds | None = None
    build: MessageBuilder = _no_builder
    """Makes one mail out of its parts; `workspace` gives the connectors' one."""
    render: Renderer | None = None
    """Fills in texts in a process that can be killed; None: here, as tests do."""


@runtime_checkable
class NodeType(Protocol):
    """A node made from its parameters. Discovery finds every class in `studio.nodes` that has a `declaration`."""

    declaration: ClassVar[Declaration]
    Parameters: ClassVar[type[BaseModel]]

    def __init__(self, parameters: BaseModel) -> None: ...

    def outputs(self) -> tuple[str, ...]:
        """Port names for these parameters, in the order they are drawn. `error` is added by the engine."""
        ...

    async def run(self, batch: pl.DataFrame, context: NodeContext) -> Outcome:
        """Handles instances that arrive. Not called for role `source`."""
        ...


@runtime_checkable
class Source(Protocol):
    """Role `source`: makes instances chunk by chunk."""

    async def produce(self, cursor: str | None, limit: int, context: NodeContext) -> tuple[pl.DataFrame, str | None]:
        """Entries (`contact_id`, `key`, optional variable columns) and the next cursor, None when there is no more."""
        ...


@runtime_checkable
class Paced(Source, Protocol):
    """A source whose next chunk may lie in the future: a schedule, a segment that is looked at every day."""

    def due(self, cursor: str) -> datetime | None:
        """When `produce` is to be asked again with this cursor; None: at once."""
        ...


@runtime_checkable
class EventTrigger(Protocol):
    """Role `source`, fed by events instead of a cursor."""

    def event_kinds(self) -> tuple[str, ...]: ...

    async def enter(self, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """Entries for new events of those kinds, re-entry decided: `contact_id`, `key`, `entered_at`, variables,
        and `occurrence` (u32: how often this contact and key entered this run before; a part of the instance id). What
        is an instance of this run already (same contact, key and occurrence) does not enter again.
        """
        ...


@runtime_checkable
class Waits(Protocol):
    """Roles `wait` and `goal`: gets its instances back when they are due."""

    async def resume(self, batch: pl.DataFrame, context: NodeContext) -> Outcome: ...


@runtime_checkable
class Joins(Waits, Protocol):
    """Role `wait`: brings parallel branches together; the engine counts who came by which edge."""

    @property
    def joins_all(self) -> bool:
        """Whether every branch has to arrive; otherwise the first one goes on."""
        ...

    @property
    def patience(self) -> timedelta:
        """How long one branch waits for the others before it is resumed."""
        ...


@runtime_checkable
class Listens(Protocol):
    """Roles `wait` and `goal`: is shown new events together with the instances they may concern."""

    def event_kinds(self) -> tuple[str, ...]: ...

    def match(self, batch: pl.DataFrame, events: pl.DataFrame, context: NodeContext) -> pl.DataFrame:
        """One row per (instance, event) that belong together: `instance_id`, `event_id`, `occurred_at`, `value`,
        `currency`, `port` (where the instance leaves; null: it stays).

        For role `wait` `batch` is what waits here, with its `due_at`; for role `goal` it is every instance that entered
        the run and whose window is open. O(rows of both), joined on contact and key.
        """
        ...


@runtime_checkable
class Watches(Listens, Protocol):
    """Role `goal`: also says for how long after `entered_at` it watches an instance."""

    @property
    def window(self) -> timedelta: ...


@runtime_checkable
class Refers(Protocol):
    """A node whose parameters name other nodes of its workflow."""

    def dangling(self, workflow: Workflow) -> Sequence[Problem]:
        """What is wrong with what it names; `field` is a path into its parameters."""
        ...


@runtime_checkable
class Sends(Protocol):
    """Role `send`: renders at send time, with the people and consents of that moment."""

    async def compose(self, batch: pl.DataFrame, context: NodeContext) -> Composed:
        """`batch` has the columns `outbox_id` and `message_id`; every envelope carries the latter. The gate (consent,
        suppression, cap, quiet hours) is part of composing.
        """
        ...


@runtime_checkable
class Answered(Sends, Protocol):
    """Role `send`, carrier `web`: what the other side answers becomes values that go on with the instances."""

    async def answered(
        self, batch: pl.DataFrame, answers: Sequence[str | None] | None, context: NodeContext
    ) -> Outcome:
        """Lets a batch out whose calls are done. `answers`: row by row what the ledger keeps of each answer
        (`domain.web_answer.Taken`, JSON; None: it is not known). None instead of a list: nobody was called, because the
        run is no live one.
        """
        ...
