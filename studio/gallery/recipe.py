"""Templates as people write them: `template.toml` for the graph and one text of messages per language, made whole.

What most templates share (the name of the business, the holdout, the gate, published numbers) is written once, in
`_shared`, and used by name. The flow is written in lines such as `start > may_write > holdout > test > wait_1`; what an
edge leaves by is written behind a colon (`wait_1:ordered > goal`). The outcome is a document of `studio.template/1`.
Absent on purpose: checking it, which the catalogue does for all templates alike, and node types beyond their names.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from studio.domain.errors import UserFixable
from studio.gallery.message_text import MAIL_KINDS, Message, read_messages

FILE = "template.toml"
SHARED = "_shared"
Json = dict[str, JsonValue]

_STEP = re.compile(r"(?P<id>[a-z][a-z0-9_]*)(?:\((?P<message>[a-z0-9_]+)\))?(?::(?P<port>[A-Za-z][A-Za-z0-9_-]*))?")
_ALWAYS_FIRST = ("language", "business_name", "shop_url", "brand_colour", "tone")
_ALWAYS_LAST = ("goal_window", "cost_per_message")
_SEND = {"sms": "send.sms", "push": "send.push", "notice": "send.internal", "page": "web.page"}
_FIRST_PORT = {
    "flow.wait_for": "timeout",
    "audience.filter": "pass",
    "audience.eligibility": "allowed",
    "flow.goal": "out",
}
_ABOUT = ("label", "note", "condition", "on_error", "timeout_after")
_COPY: Mapping[str, tuple[str, str, str, str]] = {
    "subject": (
        "Subject A",
        "Betreff A",
        "What people see first, in version A.",
        "Was man zuerst sieht, in Fassung A.",
    ),
    "subject_b": (
        "Subject B",
        "Betreff B",
        "The version that is tested against A. If it wins, it becomes the subject.",
        "Die Fassung, die gegen A getestet wird. Gewinnt sie, wird sie zum Betreff.",
    ),
    "mail": ("Subject, message {0}", "Betreff, Nachricht {0}", "What people see first.", "Was man zuerst sieht."),
    "push": ("Title, push {0}", "Titel, Push {0}", "The bold line of the message.", "Die fette Zeile der Nachricht."),
    "notice": ("Notice to you", "Notiz an Sie", "The subject of the notice.", "Der Betreff der Notiz."),
    "page": ("Page title {0}", "Seitentitel {0}", "What the browser's tab says.", "Was im Reiter des Browsers steht."),
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all templates of a catalogue may use by name."""

    parameters: Mapping[str, Json]
    benchmarks: Mapping[str, Json]
    words: Mapping[str, Mapping[str, str]]
    places: Mapping[str, Mapping[str, tuple[float, float]]]


def read_shared(folder: Path) -> Shared:
    """The catalogue's `_shared` folder; without one there is nothing to share."""
    at = folder / SHARED
    if not at.is_dir():
        return Shared({}, {}, {}, {})
    tables = {name: _toml(at / f"{name}.toml") for name in ("parameters", "benchmarks", "words")}
    layout = at / "layout.json"
    places = json.loads(layout.read_text(encoding="utf-8")) if layout.is_file() else {}
    return Shared(**tables, places=places)  # pyright: ignore[reportArgumentType] - our own files


def read_recipe(folder: Path, shared: Shared) -> tuple[Json, dict[str, str]]:
    """The template document, and its message texts by file name, not yet inside the frame of their language.

    Raises UserFixable: TEMPLATE-TOML, TEMPLATE-FLOW, TEMPLATE-MESSAGE, TEMPLATE-SHARED.
    """
    data = _toml(folder / FILE)
    spoken = {
        file.stem: read_messages(file.read_text(encoding="utf-8"), f"{folder.name}/{file.name}")
        for file in sorted(folder.glob("??.md"))
    }
    texts = {
        name: text
        for language, messages in spoken.items()
        for message in messages.values()
        for name, text in message.texts(language, shared.words.get(language, {}).get("greeting", ""))
    }
    return _Recipe(folder.name, data, spoken, shared).document(), texts


def _toml(file: Path) -> Json:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UserFixable("TEMPLATE-TOML", f"{file.name} cannot be read: {error}.", where=str(file)) from None


@dataclass(frozen=True, slots=True)
class _Recipe:
    id: str
    data: Json
    spoken: Mapping[str, Mapping[str, Message]]
    shared: Shared

    @property
    def messages(self) -> Mapping[str, Message]:
        return self.spoken.get("en", {})

    def document(self) -> Json:
        nodes, edges = self._graph()
        kept = ("archetype", "name", "description", "typical_for", "channels", "goals", "needs", "sample", "version")
        simulation = {**_table(self.shared.words.get("simulation")), **_table(self.data.get("simulation"))}
        return {
            "format": "studio.template/1",
            "id": self.id,
            **{name: self.data[name] for name in kept if name in self.data},
            "parameters": list(self._parameters(nodes)),
            "workflow": {
                "name": _table(self.data.get("name")).get("en", self.id),
                "settings": {"topic": "marketing", **_table(self.data.get("settings"))},
                "nodes": nodes,
                "edges": edges,
            },
            "messages": list(self.messages),
            "benchmarks": [self._named("benchmarks", str(name)) for name in _list(self.data.get("benchmarks"))],
            "simulation": simulation,
            "truth": self.data.get("truth", {}),
        }

    def _named(self, kind: str, name: str) -> Json:
        table: Mapping[str, Json] = getattr(self.shared, kind)
        if name not in table:
            raise UserFixable("TEMPLATE-SHARED", f"There is nothing called “{name}” in {kind}.", where=self.id)
        return table[name]

    def _parameters(self, nodes: list[JsonValue]) -> Iterator[JsonValue]:
        used = _table(self.data.get("use"))
        own = _table(self.data.get("parameters"))
        bound = json.dumps(nodes)
        needed = {name for name in _ALWAYS_LAST if f'{{"$param": "{name}"}}' in bound} | {"cost_per_message"}
        names = [*_ALWAYS_FIRST, *(name for name in used if name not in (*_ALWAYS_FIRST, *_ALWAYS_LAST))]
        for name in names:
            yield self._parameter(name, {**self._named("parameters", name), **_table(used.get(name))})
        if "holdout" in self._ids() and "holdout" not in used:
            yield self._parameter("holdout", self._named("parameters", "holdout"))
        yield from self._copy()
        for name, table in own.items():
            yield self._parameter(name, _table(table))
        for name in _ALWAYS_LAST:
            if name in needed:
                yield self._parameter(name, {**self._named("parameters", name), **_table(used.get(name))})

    def _parameter(self, name: str, table: Mapping[str, JsonValue]) -> Json:
        """`why` is short for a rule that takes the default for that reason."""
        made = {key: value for key, value in table.items() if key != "why"}
        if "why" in table:
            rule = _table(made.get("rule")) or {"kind": "fixed"}
            made["rule"] = {**rule, "evidence": table["why"]}
        return {"name": name, **made}

    def _copy(self) -> Iterator[JsonValue]:
        """A setting for every subject and title, with its wordings by language."""
        number = 0
        tested = self._tested()
        for message in self.messages.values():
            number += message.kind in MAIL_KINDS
            if message.name == tested:
                yield self._wording("subject", _COPY["subject"], message.name, rivals=False)
                yield self._wording("subject_b", _COPY["subject_b"], message.name, rivals=True)
            elif message.subjects:
                said = _COPY["mail" if message.kind in MAIL_KINDS else message.kind]
                place = number if message.kind in MAIL_KINDS else message.name[1:]
                title_en, title_de, *rest = said
                words = (title_en.format(place), title_de.format(place), *rest)
                yield self._wording(f"{message.name}_subject", words, message.name, rivals=False)

    def _wording(self, name: str, words: tuple[str, ...], message: str, *, rivals: bool) -> Json:
        options = [
            {"language": language, "text": text}
            for language, messages in self.spoken.items()
            if message in messages
            for text in (messages[message].rivals if rivals else messages[message].subjects)
        ]
        plain = [one["text"] for one in options if not re.search(r"(?<!\{)\{[a-z_]+\}", one["text"])]
        most = (" At most 70 characters.", " Höchstens 70 Zeichen.")
        return {
            "name": name,
            "type": "text",
            "default": plain[0] if plain else "",
            "rule": {"kind": "copy", "options": options},
            "title": {"en": words[0], "de": words[1]},
            "help": {"en": words[2] + most[0], "de": words[3] + most[1]},
            "maximum": 70,
        }

    def _tested(self) -> str:
        found = re.search(r"\btest(?:\(([a-z0-9_]+)\))?(?=\s|:|$)", self._flow(), re.MULTILINE)
        return (found[1] or "m1") if found else ""

    def _flow(self) -> str:
        return str(self.data.get("flow", ""))

    def _ids(self) -> set[str]:
        return {found["id"] for found in _STEP.finditer(self._flow())}

    def _steps(self) -> Mapping[str, JsonValue]:
        """The steps of the file, and those everybody knows that its flow names."""
        steps = {**_table(self.data.get("steps"))}
        known: Json = {
            "may_write": {"type": "audience.eligibility", "label": "May we write?"},
            "holdout": {"type": "exp.holdout", "label": "Leave some alone", "share": "$holdout"},
        }
        ids = self._ids()
        steps |= {name: step for name, step in known.items() if name in ids and name not in steps}
        if "may_write" in ids:
            steps.setdefault("blocked", {"exit": "may not be written to", "label": "Not written to"})
        return steps

    def _graph(self) -> tuple[list[JsonValue], list[JsonValue]]:
        nodes = {name: self._node(name, _table(step)) for name, step in self._steps().items()}
        edges: list[tuple[str, str, str]] = []
        for line in filter(None, map(str.strip, self._flow().splitlines())):
            edges += self._line(line, nodes)
        if "may_write" in nodes:
            edges.append(("may_write", "blocked", "blocked"))
        if "holdout" in nodes and "goal" in nodes:
            edges.append(("holdout", "held", "goal"))
        edges = list(dict.fromkeys(edges))
        places = self.shared.places.get(self.id) or _columns(list(nodes), edges)
        for name, node in nodes.items():
            node["position"] = list(places.get(name, (0.0, 0.0)))
        drawn: list[JsonValue] = [{"from": [a, port], "to": [b, "in"]} for a, port, b in edges]
        return list(nodes.values()), drawn

    def _line(self, line: str, nodes: dict[str, Json]) -> list[tuple[str, str, str]]:
        edges: list[tuple[str, str, str]] = []
        before: list[tuple[str, str]] = []
        for text in line.split(">"):
            found = _STEP.fullmatch(text.strip())
            if found is None:
                raise UserFixable("TEMPLATE-FLOW", f"“{text.strip()}” is not a step.", where=f"{self.id}, {line}")
            name = found["id"]
            if name == "test":
                nodes |= self._test(found["message"] or "m1")
                name = "subject_test"
            if name not in nodes:
                raise UserFixable("TEMPLATE-FLOW", f"There is no step “{name}”.", where=f"{self.id}, {line}")
            edges += [(source, port, name) for source, port in before]
            if found["id"] == "test":
                edges += [(name, "A", "mail_1a"), (name, "B", "mail_1b")]
                before = [("mail_1a", "out"), ("mail_1b", "out")]
            else:
                before = self._exits(name, found["port"], nodes)
        return edges

    def _exits(self, name: str, port: str | None, nodes: Mapping[str, Json]) -> list[tuple[str, str]]:
        kind = str(nodes[name]["type"])
        if kind == "audience.eligibility" and port is None:
            return [(name, "allowed"), (name, "deferred")]
        return [(name, port or _FIRST_PORT.get(kind, "out"))]

    def _test(self, message: str) -> dict[str, Json]:
        variants: list[JsonValue] = [
            {"id": arm, "label": f"Subject {arm}", "weight": 0.5, "value": f"${name}"}
            for arm, name in (("A", "subject"), ("B", "subject_b"))
        ]
        label = str(self.data.get("test_label", "First message"))
        split = {"type": "exp.split", "label": "Which subject?", "variants": variants, "parameter": "subject"}
        return {
            "subject_test": self._node("subject_test", split),
            "mail_1a": self._node("mail_1a", {"mail": message, "label": f"{label}, A", "subject": "$subject"}),
            "mail_1b": self._node("mail_1b", {"mail": message, "label": f"{label}, B", "subject": "$subject_b"}),
        }

    def _node(self, name: str, step: Json) -> Json:
        type_id, parameters = self._meant({key: value for key, value in step.items() if key not in _ABOUT})
        about: Json = {key: step[key] for key in _ABOUT if key in step and key != "timeout_after"}
        if "timeout_after" in step:
            about["timeout"] = step["timeout_after"]
        about.setdefault("label", name.replace("_", " ").capitalize())
        return {"id": name, "type": type_id, **about, "position": [0.0, 0.0], "parameters": _bound(parameters)}

    def _meant(self, step: Json) -> tuple[str, Json]:  # noqa: PLR0911 - one for each short form
        """Node type and parameters of a step, whichever short form it is written in."""
        if "type" in step:
            return str(step.pop("type")), step
        if "wait" in step:
            return "flow.delay", {"duration": step.pop("wait"), **step}
        if "wait_for" in step:
            branch = {"id": step.pop("port", "done"), "label": step.pop("called", ""), "event": step.pop("wait_for")}
            rule = {"match_key": True} if step.pop("key", False) else {}
            only = {"filter": step.pop("only")} if "only" in step else {}
            return "flow.wait_for", {"branches": [{**branch, **only, **rule}], **step}
        if "exit" in step:
            return "flow.exit", {"reason": step.pop("exit")}
        if "filter" in step:
            return "audience.filter", {"rule": step.pop("filter"), **step}
        if "branch" in step:
            ways = _table(step.pop("branch"))
            return "flow.branch", {"conditions": [{"id": way, "label": way, "rule": r} for way, r in ways.items()]}
        if "goal" in step:
            return "flow.goal", {"event": step.pop("goal"), "window": "$goal_window", "action": "exit", **step}
        return self._sending(step)

    def _sending(self, step: Json) -> tuple[str, Json]:
        for kind in ("mail", *_SEND):
            if kind not in step:
                continue
            name = str(step.pop(kind))
            if name not in self.messages:
                raise UserFixable("TEMPLATE-MESSAGE", f"There is no message “{name}”.", where=self.id)
            message = self.messages[name]
            titled = {"subject": f"${name}_subject"} if message.subjects else {}
            if kind != "mail":
                return _SEND[kind], {**titled, "body": name, **step}
            purpose = {"purpose": "transactional"} if message.kind == "service" else {}
            return "send.email", {
                **titled,
                "body": name,
                "text": name,
                "from_name": "$business_name",
                **purpose,
                **step,
            }
        raise UserFixable("TEMPLATE-FLOW", f"Of a step with {', '.join(step)} nobody knows the type.", where=self.id)


def _bound(value: JsonValue) -> JsonValue:
    """`$name` as a whole value means the template's setting of that name."""
    if isinstance(value, str) and re.fullmatch(r"\$[a-z][a-z0-9_]*", value):
        return {"$param": value[1:]}
    if isinstance(value, Mapping):
        return {key: _bound(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_bound(inner) for inner in value]
    return value


def _columns(names: list[str], edges: list[tuple[str, str, str]]) -> dict[str, tuple[float, float]]:
    """A plain drawing for a template that nobody has laid out: columns by distance, rows in order of appearance."""
    column = dict.fromkeys(names, 0)
    for _ in names:
        for source, _, target in edges:
            column[target] = max(column[target], min(column[source] + 1, len(names)))
    rows: dict[int, int] = {}
    places: dict[str, tuple[float, float]] = {}
    for name in names:
        row = rows.get(column[name], 0)
        rows[column[name]] = row + 1
        places[name] = (column[name] * 270.0, row * 150.0)
    return places


def _table(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: object) -> list[JsonValue]:
    return list(value) if isinstance(value, list) else []
