"""Real files, texts, rules, disks and workspaces that are wrong; each is recognised and gets its cause and remedy."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pysqlite3 import dbapi2

from studio.connectors.mapping import ContactMapping, load_mapping, map_contacts
from studio.connectors.message import build_message
from studio.connectors.profile import load_profile, preflight
from studio.connectors.secrets import Secrets
from studio.connectors.table_file import open_table
from studio.domain.diagnosis import diagnose, diagnose_error
from studio.domain.errors import Problem, StudioError, UserFixable
from studio.domain.expression import unknown_fields
from studio.domain.expression_parser import parse_expression
from studio.domain.node import MessageParts
from studio.domain.ports import Checkpoint, LedgerChange
from studio.domain.validation import check
from studio.domain.workflow import parse_workflow
from studio.engine.attempts import attempt
from studio.engine.driver import refuse_held
from studio.engine.plan import compile_plan
from studio.nodes import catalogue
from studio.nodes.message_rendering import MessageTemplate, Texts, TextTemplate
from studio.nodes.message_source import body_source, check_footer
from studio.nodes.mjml_conversion import RenderError
from studio.store import Store
from studio.store.opening import NEWEST
from studio.workspace.mail import live_problems
from tests.store.conftest import NOON, StandingClock
from tests.store.test_runs import a_run, plan

MJML = "<mjml><mj-body><mj-text>{text}</mj-text></mj-body></mjml>"


def rendering(text: str, **data: object) -> None:
    MessageTemplate(Texts("Hi", "", MJML.format(text=text))).render({"contact": data})


def header_break(_: Path) -> None:
    parts = MessageParts(
        message_id="<1@x>", from_address="a@b.example", from_name="", to_address="c@d.example", to_name="",
        reply_to=None, subject="Hi\r\nBcc: everybody", html="<p>x</p>", text="x", sent_at=NOON,
    )  # fmt: skip
    build_message(parts)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def table(folder: Path, name: str, content: bytes) -> None:
    list(open_table(written(folder, name, content)).batches())


def mapped(**columns: list[str | None]) -> StudioError:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_row_index("row", offset=1)
    row = map_contacts(frame, ContactMapping(key="id", email="mail")).rejected.row(0, named=True)
    return UserFixable(row["code"], row["message"])


def checked(*nodes: dict, edges: list | None = None) -> StudioError:
    text = json.dumps({"name": "W", "nodes": list(nodes), "edges": edges or []})
    (first, *_) = check(parse_workflow(text), catalogue())
    return UserFixable(first.code, first.message)


def of(problems: list[Problem] | tuple[Problem, ...], code: str) -> StudioError:
    found = next(problem for problem in problems if problem.code == code)
    return UserFixable(found.code, found.message)


PROFILE = {
    "smtp": {"host": "mail.shop.example", "port": 587, "security": "starttls"},
    "from": "shop@shop.de",
    "postal_address": "1 Street",
    "unsubscribe_base_url": "https://shop.de/u",
}


def profile_of(folder: Path, changes: dict[str, object], code: str) -> StudioError:
    path = written(folder, "p.json", json.dumps({**PROFILE, **changes}).encode())
    return of(preflight(load_profile(path), Secrets({}, keyring=lambda: None)), code)


def smtp(**changes: object) -> dict[str, object]:
    return {"smtp": {**PROFILE["smtp"], **changes}}


RULES = {"age": "number", "country": "text"}

DATA: dict[str, Callable[[Path], object]] = {
    "data.field-empty": lambda _: rendering("{{ contact.first_name }}"),
    "data.text-refused": lambda _: rendering("{{ contact.first_name"),
    "data.text-fails": lambda _: rendering("{{ contact.birthday|date }}", birthday="soon"),
    "data.layout": lambda _: MessageTemplate(Texts("Hi", "", "<mjml><mj-body><mj-nonsense")).render({}),
    "mail.rendered-too-large": lambda _: TextTemplate("{{ contact.x }}{{ contact.x }}").render(
        {"contact": {"x": "x" * 1500}}
    ),
    "mail.header-break": header_break,
    "data.no-footer": lambda _: check_footer(MJML.format(text="Hello"), "marketing"),
    "data.no-text-file": lambda _: body_source("m1.en.mjml", {}),
    "data.expression": lambda _: parse_expression("age > "),
    "data.expression-name": lambda _: parse_expression("agee(3) > 2"),
    "data.expression-type": lambda _: parse_expression('lower(3) == "x"'),
    "data.expression-limit": lambda _: parse_expression("(" * 60 + "age > 3" + ")" * 60),
    "data.setting": lambda _: checked({"id": "d", "type": "flow.delay", "parameters": {"duration": "soon"}}),
    "data.type": lambda _: checked({"id": "x", "type": "flow.teleport"}),
    "data.no-source": lambda _: checked({"id": "e", "type": "flow.exit"}),
    "data.file": lambda _: parse_workflow("{"),
    "data.file-missing": lambda folder: open_table(folder / "none.csv"),
    "data.file-unreadable": open_table,
    "data.file-empty": lambda folder: table(folder, "empty.csv", b""),
    "data.file-binary": lambda folder: table(folder, "list.csv", bytes(range(256)) * 40),
    "data.file-encoding": lambda folder: table(folder, "list.csv", "email,name\na@b.de,Jörg\n".encode("latin-1")),
    "data.file-wide": lambda folder: table(folder, "wide.csv", b",".join(b"c%d" % n for n in range(20_000)) + b"\n"),
    "data.file-packed": lambda folder: table(folder, "packed.csv.gz", gzip.compress(b"key\n" + b"a\n" * 60_000_000, 6)),
    "data.map": lambda folder: load_mapping(
        written(folder, "m.toml", b'email = "adress"'), "contacts", columns=("key", "address")
    ),
    "data.contact-address": lambda _: mapped(id=["1"], mail=["no address"]),
    "data.contact-key": lambda _: mapped(id=[None], mail=["a@b.de"]),
    "workspace.profile": lambda folder: load_profile(written(folder, "p.json", b'{"from": 3}')),
    "workspace.profile-missing": lambda _: of(live_problems(None), "PROFILE-MISSING"),
    "workspace.sender-reserved": lambda folder: profile_of(folder, {"from": "a@shop.invalid"}, "PREFLIGHT-FROM"),
    "workspace.no-postal-address": lambda folder: profile_of(
        folder, {"postal_address": " "}, "PREFLIGHT-POSTAL-ADDRESS"
    ),
    "workspace.no-unsubscribe": lambda folder: profile_of(
        folder, {"unsubscribe_base_url": "http://shop.de"}, "PREFLIGHT-UNSUBSCRIBE"
    ),
    "workspace.unencrypted": lambda folder: profile_of(folder, smtp(security="none"), "PREFLIGHT-ENCRYPTION"),
    "workspace.no-password": lambda folder: profile_of(folder, smtp(username="anna"), "PREFLIGHT-PASSWORD"),
    "workspace.keyring": lambda _: Secrets({}, keyring=lambda: None).resolve("secret://mail"),
    "workspace.secret-name": lambda _: Secrets({}, keyring=lambda: None).resolve("secret://no such name!"),
}


def raised(work: Callable[[], object]) -> StudioError | RenderError:
    try:
        given = work()
    except (StudioError, RenderError) as error:
        return error
    assert isinstance(given, StudioError), "nothing went wrong"
    return given


@pytest.mark.parametrize("name", DATA)
def test_texts_rules_files_and_profiles(name: str, tmp_path: Path) -> None:
    error = raised(lambda: DATA[name](tmp_path))
    assert diagnose(error.code, str(error)).id == name, f"{error.code}: {error}"


def test_a_rule_about_a_field_that_nobody_has() -> None:
    (problem,) = unknown_fields(parse_expression("shoe_size > 3"), ("age", "country"))
    assert diagnose(problem.code, problem.message).id == "data.expression-field"


def test_people_who_go_round_for_ever() -> None:
    nodes = [{"id": "a", "type": "flow.branch", "parameters": {"conditions": [{"id": "x", "rule": "age > 3"}]}}]
    nodes.append({"id": "b", "type": "flow.delay", "parameters": {"duration": "PT1H"}})
    edges = [{"from": ["a", "x"], "to": ["b", "in"]}, {"from": ["b", "out"], "to": ["a", "in"]}]
    text = json.dumps({"name": "W", "nodes": nodes, "edges": edges})
    error = raised(lambda: compile_plan(parse_workflow(text), catalogue()))
    assert diagnose(error.code, str(error)).id == "data.cycle"


FRAME = pl.DataFrame({"instance_id": [1], "contact_id": [2], "name": ["x"]})

STEPS: dict[str, Callable[[pl.DataFrame], object]] = {
    "data.no-column": lambda frame: frame.select("price"),
    "data.wrong-kind": lambda frame: frame.select(pl.col("name").cast(pl.Int64)),
    "data.division": lambda _: 1 // 0,
    "data.letters": lambda _: b"\xff".decode(),
    "workspace.file-gone": lambda frame: pl.read_csv("no such file.csv"),
    "workspace.out-of-memory": lambda _: bytearray(1 << 60),
    "workspace.too-deep": lambda _: json.loads("[" * 100_000),
    "workspace.permission": lambda _: Path("/tmp/link").hardlink_to("/tmp"),
    "workspace.network": lambda _: socket.create_connection(("127.0.0.1", 9)),
    "workspace.own-error": lambda _: _own_error(),
}


def _own_error() -> None:
    raise LookupError("what")


@pytest.mark.parametrize("name", STEPS)
def test_what_fails_inside_a_step(name: str) -> None:
    """As a run tells it: the node's own exception, met by the engine, in its words; and the exception itself."""

    async def call(frame: pl.DataFrame) -> object:
        return STEPS[name](frame)

    (failure,) = asyncio.run(attempt(FRAME, call)).failures
    assert diagnose(failure.code, failure.message).id == name, failure.message


def test_a_step_that_takes_too_long() -> None:
    async def call(_: pl.DataFrame) -> object:
        await asyncio.sleep(5)

    ((_, error),) = asyncio.run(attempt(FRAME, call, timeout_s=0.01)).later
    assert diagnose_error(error).id == "data.too-slow"


@pytest.fixture
def shop(folder: Path) -> Path:
    with Store.open(folder, clock=StandingClock()) as store:
        store.runs.start(a_run("r1"), "{}", Checkpoint(run_id="r1", at=NOON, outbox=plan(100, 2), state="running"))
    return folder


def opened(folder: Path, **options: object) -> Store:
    return Store.open(folder, clock=StandingClock(), **options)


def disk_full(shop: Path) -> None:
    with opened(shop) as store:
        with store.transaction() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        keys = [f"{number} {'x' * 500}" for number in range(2_000)]
        store.contacts.upsert_contacts(pl.DataFrame({"key": keys}), "list")


def disk_broken(shop: Path) -> None:
    shutil.rmtree(shop / "events")
    (shop / "events").write_text("no folder")
    opened(shop)


def busy(shop: Path) -> None:
    with opened(shop) as store:
        with store.transaction() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 20")
        other = dbapi2.connect(str(shop / "studio.db"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            store.runs.change_outbox("r1", NOON, [])
        finally:
            other.close()


def in_use(shop: Path) -> None:
    with opened(shop):
        opened(shop)


def damaged(shop: Path) -> None:
    with (shop / "studio.db").open("r+b") as file:
        file.seek(3 * 4_096)
        file.write(b"x" * 4_096 * 6)
    (shop / "studio.lock").write_text("process 1")
    opened(shop)


def of_version(shop: Path, revision: str, **options: object) -> None:
    with opened(shop) as store, store.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
    opened(shop, **options)


def sent_twice(shop: Path) -> None:
    with opened(shop) as store:
        change = store.runs.outbox("r1").item(0, "outbox_id")
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id=change, state="sent")])
        store.runs.change_outbox("r1", NOON, [LedgerChange(outbox_id=change, state="sending")])


def copied(shop: Path) -> None:
    with opened(shop, home=lambda _: "elsewhere") as store:
        refuse_held(store.runs.get("r1"))


STORES: dict[str, Callable[[Path], object]] = {
    "workspace.disk-full": disk_full,
    "workspace.disk": disk_broken,
    "workspace.busy": busy,
    "workspace.in-use": in_use,
    "workspace.damaged": damaged,
    "workspace.newer": lambda shop: of_version(shop, "9999"),
    "workspace.older": lambda shop: of_version(shop, "0001", read_only=True),
    "workspace.none-here": lambda shop: opened(shop / "events" / "none", create=False),
    "workspace.ledger": sent_twice,
    "workspace.held": copied,
}


@pytest.mark.parametrize("name", STORES)
def test_workspaces_and_disks(name: str, shop: Path) -> None:
    assert NEWEST != "0001"
    error = raised(lambda: STORES[name](shop))
    assert diagnose(error.code, str(error)).id == name, f"{error.code}: {error}"
