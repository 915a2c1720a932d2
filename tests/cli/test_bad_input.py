"""What is wrong is said with code, place and remedy, the exit code tells, and nothing is half done."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import Said, done, studio

LONGEST = 1_100_000


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    people = folder / "people.csv"
    people.write_text("email,name\nann@example.com,Ann\nbob@example.com,Bob\n")
    done("contacts", "import", people, workspace=folder / "shop")
    return folder / "shop"


@pytest.fixture
def shop(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "shop"))


def rows_in(shop: Path) -> dict[str, int]:
    """How many rows each table holds, by SQLite itself."""
    with closing(sqlite3.connect(shop / "studio.db")) as base:
        names = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: base.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def refused(*arguments: object, workspace: Path | None = None, code: str) -> dict:
    """The error of a command that must be refused, the same with and without `--json`, and change nothing."""
    before = rows_in(workspace) if workspace is not None else {}
    spoken = studio(*arguments, workspace=workspace, as_json=False)
    asked = studio(*arguments, workspace=workspace)
    for said in (spoken, asked):
        assert said.code == 2
        assert "Traceback" not in said.out + said.err
    error = asked.document["error"]
    assert {"code", "message", "where", "hint"} <= error.keys()
    assert error["code"] == code
    assert error["hint"], "there is always something to do"
    assert spoken.out == ""
    assert error["message"] in spoken.err
    if workspace is not None:
        assert rows_in(workspace) == before
    return error


def csv(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (None, "FILE-MISSING", ""),
        (b"", "FILE-EMPTY", ""),
        (b"email,name\n", "FILE-EMPTY", ""),
        ("email,name\na@example.com,Jörg\n".encode("latin-1"), "FILE-ENCODING", "Line 2"),
        (b"email,name\n" + b"x" * LONGEST + b"@example.com,x\n", "FILE-WIDE", "Line 2"),
        (b"email\0name\n", "FILE-BINARY", ""),
        (b"email,name\nnobody,x\n", "IMPORT-NOTHING", "row 1, email"),
    ],
    ids=["missing", "empty", "only a header", "not UTF-8", "a huge line", "binary", "no good row"],
)
def test_a_list_that_cannot_be_read(shop: Path, tmp_path: Path, content: bytes | None, code: str, told: str) -> None:
    path = tmp_path / "no.csv" if content is None else csv(tmp_path, content)
    assert told in refused("contacts", "import", path, workspace=shop, code=code)["message"]


def test_a_folder_is_no_list(shop: Path, tmp_path: Path) -> None:
    refused("contacts", "import", tmp_path, workspace=shop, code="FILE-UNREADABLE")


def test_bad_rows_are_named_and_good_ones_taken(shop: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('key = "id"\nemail = "address"\n')
    path = csv(
        tmp_path, "id,address\n1,new@example.com\n2,no-address\n3,new@example.com\n,x@example.com\n5,ann@example.com\n"
    )
    report = done("contacts", "import", path, "--map", mapping, workspace=shop)
    assert (report["rows"], report["added"], report["quarantined"]) == (5, 1, 4)
    assert [(reject["row"], reject["code"]) for reject in report["rejects"]] == [
        (2, "CONTACT-ADDRESS"),
        (3, "CONTACT-ADDRESS-TAKEN"),
        (4, "CONTACT-NO-KEY"),
        (5, "CONTACT-ADDRESS-TAKEN"),
    ]
    spoken = studio("contacts", "import", path, "--map", mapping, workspace=shop, as_json=False)
    assert "no-address" in spoken.out
    assert rows_in(shop)["contacts"] == 3


@pytest.mark.parametrize(
    ("text", "field"),
    [('key = "customer"\n', "key"), ('key = "email"\nshoe = "size"\n', None), ("key = [\n", None)],
    ids=["a column that is not there", "a field that is not there", "no TOML"],
)
def test_a_mapping_that_does_not_fit(shop: Path, tmp_path: Path, text: str, field: str | None) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text(text)
    path = csv(tmp_path, "email,name\nnew@example.com,x\n")
    error = refused("contacts", "import", path, "--map", mapping, workspace=shop, code="MAP-FILE")
    if field is not None:
        assert [problem["field"] for problem in error["problems"]] == [field]


def test_events_of_strangers_change_nothing(shop: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('kind = "order"\ncontact = "who"\noccurred_at = "at"\n')
    path = csv(tmp_path, "who,at\nstranger@example.com,2026-01-01\n")
    refused("events", "import", path, "--map", mapping, workspace=shop, code="IMPORT-NOTHING")


def node(node_id: str, kind: str = "flow.delay", **parameters: object) -> dict:
    default = {"flow.delay": {"duration": "PT1H"}, "trigger.manual": {"audience": "everyone"}}.get(kind, {})
    return {"id": node_id, "type": kind, "version": 1, "position": [0, 0], "parameters": {**default, **parameters}}


def workflow(folder: Path, nodes: list[dict], edges: str, **more: object) -> Path:
    """`edges`: `s>a a>b`."""
    pairs = [pair.split(">") for pair in edges.split()]
    document = {
        "format": "studio.workflow/1",
        "name": "Trial",
        "template": None,
        "settings": {},
        "nodes": nodes,
        "edges": [{"from": [a, "out"], "to": [b, "in"]} for a, b in pairs],
        **more,
    }
    path = folder / "trial.workflow.json"
    path.write_text(json.dumps(document))
    return path


START = node("s", "trigger.manual")


@pytest.mark.parametrize(
    ("nodes", "edges", "more", "code", "about"),
    [
        ([START, node("a"), node("b")], "s>a a>b b>a", {}, "ENGINE-CYCLE", "a, b"),
        ([START, node("a")], "s>a a>ghost", {}, "EDGE-DANGLING", "ghost"),
        ([START, node("a", "flow.teleport")], "s>a", {}, "NODE-TYPE", "flow.teleport"),
        ([START, node("a", colour="red")], "s>a", {}, "NODE-PARAMETER", ""),
        ([START, node("a", duration="soon")], "s>a", {}, "NODE-DURATION", ""),
        ([START], "", {"extra": 1}, "WORKFLOW-FIELD", ""),
    ],
    ids=["cycle", "dangling edge", "unknown type", "unknown parameter", "bad value", "unknown field"],
)
def test_a_workflow_that_cannot_run(
    shop: Path, tmp_path: Path, nodes: list[dict], edges: str, more: dict, code: str, about: str
) -> None:
    path = workflow(tmp_path, nodes, edges, **more)
    said = studio("validate", path)
    assert said.code == 2
    assert said.document["valid"] is False
    (problem,) = said.document["problems"]
    assert problem.keys() == {"node", "field", "code", "message", "hint"}
    assert problem["code"] == code
    assert about in problem["message"]
    assert problem["message"] in studio("validate", path, as_json=False).out
    error = refused("run", path, workspace=shop, code="WORKFLOW-FILE" if more else "RUN-INVALID")
    assert error["problems"] == [problem]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = workflow(tmp_path, [START, node("a", "flow.teleport"), node("b", colour="red")], "s>a a>ghost")
    codes = {problem["code"] for problem in studio("validate", path).document["problems"]}
    assert {"NODE-TYPE", "NODE-PARAMETER", "EDGE-DANGLING"} <= codes


def test_a_workflow_file_that_is_none(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "torn.workflow.json"
    path.write_text('{"format": ')
    said = studio("validate", path)
    assert (said.code, said.document["valid"]) == (2, False)
    refused("run", path, workspace=shop, code="WORKFLOW-FILE")
    for command in ("validate", "run"):
        workspace = shop if command == "run" else None
        refused(command, tmp_path / "no.workflow.json", workspace=workspace, code="FILE-MISSING")


def test_a_contacts_file_that_is_missing_starts_no_run(shop: Path, tmp_path: Path) -> None:
    path = workflow(tmp_path, [START, node("a")], "s>a")
    refused("run", path, "--contacts", tmp_path / "no.csv", workspace=shop, code="FILE-MISSING")


def test_a_list_takes_the_place_of_whoever_the_only_source_starts_with(shop: Path, tmp_path: Path) -> None:
    """Whichever way that source is told who: bob is in the workspace, and not in the list."""
    people = csv(tmp_path, "email,name\nann@example.com,Ann\ncy@example.com,Cy\n")
    mapping = tmp_path / "map.toml"
    mapping.write_text('key = "email"\nemail = "email"\nconsent = {topic="marketing", basis="consent", source="x"}\n')
    for kind in ("trigger.list", "trigger.manual"):
        path = workflow(tmp_path, [node("s", kind), node("a")], "s>a")
        report = done("run", path, "--contacts", people, "--map", mapping, workspace=shop)
        assert report["contacts"] == 2
    event = node("s", "trigger.event", event="order")
    path = workflow(tmp_path, [event, node("a")], "s>a")
    assert "events import" in refused("run", path, "--contacts", people, workspace=shop, code="RUN-CONTACTS")["hint"]
    path = workflow(tmp_path, [START, node("t", "trigger.list"), node("a")], "s>a t>a")
    refused("run", path, "--contacts", people, workspace=shop, code="RUN-CONTACTS")


@pytest.mark.parametrize("clock", ["warp", "-3", "nan", "inf", "0"])
def test_a_clock_there_is_not(shop: Path, tmp_path: Path, clock: str) -> None:
    path = workflow(tmp_path, [START, node("a")], "s>a")
    refused("run", path, f"--clock={clock}", workspace=shop, code="ENGINE-CLOCK")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("run",),
        ("run", "x.json", "--mode", "warp"),
        ("run", "x.json", "--seed", "many"),
        ("run", "x.json", "--as-of", "soon"),
        ("recommend",),
        ("templates",),
        ("templates", "instantiate", "win-back", "--set", "discount"),
        ("outbox", "resolve", "x", "--as", "lost"),
        ("outbox", "list", "--state", "asleep"),
        ("runs", "show"),
        ("bench", "dreams"),
    ],
    ids=" ".join,
)
def test_wrong_usage(shop: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("STUDIO_WORKSPACE", str(shop))
    before = rows_in(shop)
    refused(*arguments, code="USAGE")
    assert rows_in(shop) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs", "show", "r99"), "RUN-UNKNOWN"),
        (("resume", "r99"), "RUN-UNKNOWN"),
        (("resume",), "RUN-NONE"),
        (("retry", "r99"), "RUN-UNKNOWN"),
        (("analytics", "funnel"), "RUN-NONE"),
        (("analytics", "kpis", "r99"), "RUN-UNKNOWN"),
        (("outbox", "resolve", "nothing", "--as", "sent"), "OUTBOX-NOT-IN-DOUBT"),
        (("templates", "show", "no-such"), "TEMPLATE-UNKNOWN"),
        (("templates", "instantiate", "no-such"), "TEMPLATE-UNKNOWN"),
        (("run", "w99"), "WORKFLOW-UNKNOWN"),
        (("demo", "--headless"), "DEMO-NOT-EMPTY"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there(shop: Path, arguments: tuple[str, ...], code: str) -> None:
    refused(*arguments, workspace=shop, code=code)


@pytest.mark.parametrize(
    ("pair", "code"), [("no_such=1", "PARAMETER-UNKNOWN"), ("idle_days=many", "PARAMETER-VALUE")], ids=str
)
def test_settings_that_cannot_be_used_write_no_file(shop: Path, tmp_path: Path, pair: str, code: str) -> None:
    out = tmp_path / "made.workflow.json"
    asked = ("templates", "instantiate", "win-back", "--set", pair, "--out", out)
    error = refused(*asked, workspace=shop, code="PARAMETERS")
    assert [(p["field"], p["code"]) for p in error["problems"]] == [(pair.partition("=")[0], code)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop"]


def test_a_place_that_cannot_be_written_leaves_no_part(shop: Path, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.mkdir()
    (place / "inside").touch()
    refused("templates", "instantiate", "win-back", "--out", place, workspace=shop, code="FILE-UNWRITABLE")
    missing = tmp_path / "no" / "made.json"
    refused("templates", "instantiate", "win-back", "--out", missing, workspace=shop, code="FILE-UNWRITABLE")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop", "taken"]


VARIANTS = [{"id": "A", "n": 100, "successes": 5}, {"id": "B", "n": 100, "successes": 9}]


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ([], None),
        ({"metric": "proportion", "control": "A", "variants": VARIANTS}, "planned_total"),
        ({"metric": "proportion", "control": "Z", "planned_total": 400, "variants": VARIANTS}, "control"),
        ({"metric": "proportion", "control": "A", "planned_total": 400, "variants": VARIANTS, "x": 1}, "x"),
        ({"metric": "mood", "control": "A", "planned_total": 400, "variants": VARIANTS}, "metric"),
    ],
    ids=["a list", "a field missing", "no such control", "unknown field", "no such metric"],
)
def test_a_bad_experiment(tmp_path: Path, spec: object, where: str | None) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    error = refused("experiment", "analyze", path, code="EXPERIMENT-SPEC")
    assert error["where"] == where


def test_an_experiment_file_that_is_none(tmp_path: Path) -> None:
    refused("experiment", "analyze", tmp_path / "no.json", code="FILE-MISSING")
    torn = tmp_path / "torn.json"
    torn.write_text("{")
    refused("experiment", "analyze", torn, code="FILE-JSON")
    refused("experiment", "analyze", tmp_path, code="FILE-UNREADABLE")
    refused("experiment", "plan", "--baseline", "1.5", "--mde", "0.01", code="EXPERIMENT-PLAN")


def test_a_bad_line_of_a_batch_is_named(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "batch.jsonl"
    path.write_text('{"id": 1, "text": "A bakery"}\n\n{"id": 2}\n')
    error = refused("recommend", "--batch", path, workspace=shop, code="BATCH-LINE")
    assert error["where"].endswith("line 3")


def test_a_workspace_of_a_newer_program_is_left_as_it_is(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "studio.db")) as base:
        base.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
        base.commit()
    refused("runs", workspace=shop, code="STORE-NEWER")


@pytest.mark.parametrize("name", ["letter.txt", "folder/studio.db"])
def test_what_is_no_workspace_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("Dear Ann, " * 100)
    place = path if path.parent == tmp_path else path.parent
    for as_json in (True, False):
        said: Said = studio("runs", workspace=place, as_json=as_json)
        assert said.code == 2
        assert "Traceback" not in said.err
        assert "not a Flowlight Studio workspace" in said.out + said.err
    assert path.read_text() == "Dear Ann, " * 100
