"""The program as a stranger's file meets it: reads each file of the corpus, does with it what people would, and tells.

Run as `python -m tests.hostile.victim SECRET PORT FILE …`. A JSON line before each file, and one after it with what
came of it. An audit hook notes every file opened, connection made and process started. Absent on purpose: judging.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from studio.connectors.mapping import load_mapping, map_contacts
from studio.connectors.render_process import RenderLimits, RenderProcess
from studio.domain.errors import UserFixable
from studio.domain.expression_parser import parse_expression, parse_value
from studio.domain.rendering import RenderTask
from studio.domain.validation import check
from studio.domain.workflow import parse_workflow
from studio.engine.plan import compile_plan
from studio.frames.facts import rules_hold, values_of
from studio.nodes import catalogue
from studio.nodes.message_rendering import check_template
from studio.nodes.personal import MAX_FIELD
from studio.nodes.text_columns import compiled_text
from studio.workspace.previews import message_previews
from tests.nodes.world import World, events, instances, people

noticed: list[str] = []
WATCHED = ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
PEOPLE = {
    "country": ["DE", "AT", None],
    "score": [10, 90, None],
    "name": ["Anna", "Bo", ""],
    "opted_in": [True, False, None],
}
LIMITS = RenderLimits(cpu_s=0.4, silent_s=2.0, memory=150_000_000)


def notice(event: str, arguments: tuple[object, ...]) -> None:
    if event in WATCHED:
        noticed.append(f"{event} {arguments[0]!r:.200} {arguments[1:2]!s:.300}")


def processor_s() -> float:
    """Processor time of this process and of those it has ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Victim:
    def __init__(self, secret: str, port: str) -> None:
        self.secret, self.port = secret, port
        self.render = RenderProcess(LIMITS)
        self.render.render(RenderTask(kind="text", texts={"text": "x"}, columns={"key": ["a"]}))

    def text_of(self, given: object) -> str:
        """A text, or a recipe for one: parts, or [part, how often]."""
        if isinstance(given, dict):
            parts = [part if isinstance(part, str) else part[0] * part[1] for part in given["parts"]]
            return self.text_of("".join(parts))
        assert isinstance(given, str)
        return given.replace("{SECRET}", self.secret).replace("{PORT}", self.port)

    def rule(self, case: Mapping[str, Any], source: str) -> object:
        context = World(people(3, **PEOPLE)).context()
        rules = [parse_expression(source)]
        (holds,) = rules_hold(
            rules, instances([1, 2, 3]), contacts=context.contacts, events=context.events, now=context.now
        )
        return holds.to_list()

    def formula(self, case: Mapping[str, Any], source: str) -> object:
        context = World(people(3, **PEOPLE)).context()
        formulas = [parse_value(source)]
        (values,) = values_of(
            formulas, instances([1, 2, 3]), contacts=context.contacts, events=context.events, now=context.now
        )
        return values.to_list()

    def event_rule(self, case: Mapping[str, Any], source: str) -> object:
        context = World(people(1)).context()
        row = {
            "contact_id": 1,
            "kind": "order",
            "occurred_at": context.now,
            "properties": self.text_of(case["properties"]),
        }
        rules = [parse_expression(source, "event")]
        (holds,) = rules_hold(rules, events([row]), contacts=context.contacts, events=context.events, now=context.now)
        return holds.to_list()

    def columns(self, case: Mapping[str, Any]) -> dict[str, list[object]]:
        known: dict[str, list[object]] = {"key": ["k1"]}
        for group in ("contact", "var"):
            given = {name: self.text_of(value)[:MAX_FIELD] for name, value in case.get(group, {}).items()}
            known |= {f"{group}.{name}": [value] for name, value in given.items()}
        return known | ({"var.event": [self.text_of(case["event"])]} if "event" in case else {})

    def text(self, case: Mapping[str, Any], source: str) -> object:
        check_template(source)
        columns = self.columns(case)
        simple = compiled_text(source)
        if simple is not None:
            (written,) = simple.fill(pl.DataFrame(columns, strict=False)).to_list()
            if written is not None:
                return written
        return self.made(RenderTask(kind="text", texts={"text": source}, columns=columns), ("text",))

    def mail(self, case: Mapping[str, Any], source: str) -> object:
        texts = {"subject": self.text_of(case["subject"]), "preheader": "", "body": source, "text": ""}
        own = {"unsubscribe_url": ["https://example.invalid/u"], "postal_address": ["x"], "tags": [{"utm_source": "x"}]}
        task = RenderTask(kind="mail", texts=texts, columns={**self.columns(case), **own})
        subject, html, text = self.made(task, ("subject", "html", "text"))
        assert "\n" not in subject and "\r" not in subject, "a subject is one line"
        assert text, "there is a text for who reads no HTML"
        return html

    def made(self, task: RenderTask, names: tuple[str, ...]) -> list[str]:
        made = self.render.render(task)
        if made["code"][0] is not None:
            raise UserFixable(str(made["code"][0]), str(made["message"][0]))
        return [str(made[name][0]) for name in names]

    def workflow(self, case: Mapping[str, Any], source: str) -> object:
        workflow = parse_workflow(source)
        previews = message_previews(workflow, self.render.render)
        problems = check(workflow, catalogue())
        if problems:
            raise UserFixable("WORKFLOW", "; ".join(str(problem) for problem in problems[:3]))
        compile_plan(workflow, catalogue())
        return [preview.html for preview in previews]

    def mapping(self, case: Mapping[str, Any], source: str) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "map.toml"
            path.write_text(source, encoding="utf-8")
            frame = pl.DataFrame({"id": ["a", "b"], "row": [1, 2]}, schema_overrides={"row": pl.UInt32})
            mapped = map_contacts(frame, load_mapping(path, "contacts", ["id"]))  # type: ignore[arg-type]
            return [len(value or "") for value in mapped.rows["name"]]

    def meet(self, path: Path) -> dict[str, object]:
        case = json.loads(path.read_text(encoding="utf-8"))
        source = self.text_of(case["source"])
        act: Callable[[Mapping[str, Any], str], object] = getattr(self, path.parent.name)
        noticed.clear()
        began, used = time.perf_counter(), processor_s()
        shown = ""
        try:
            shown = str(act(case, source))
            outcome = "harmless"
        except UserFixable as error:
            outcome, shown = ("stopped" if error.code.startswith("RENDER-") else "refused"), str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            outcome, shown = f"{type(error).__name__}: {error}"[:300], ""
        spent = {"wall_s": time.perf_counter() - began, "cpu_s": processor_s() - used}
        return {"outcome": outcome, **spent, "noticed": list(noticed), "shown": shown}


def main(secret: str, port: str, *paths: str) -> None:
    victim = Victim(secret, port)
    canary = Path(secret).read_text(encoding="utf-8")
    sys.addaudithook(notice)
    for path in paths:
        print(json.dumps({"begins": path}), flush=True)
        told = victim.meet(Path(path))
        shown = str(told.pop("shown"))
        case = json.loads(Path(path).read_text(encoding="utf-8"))
        told["leaks"] = [text for text in (canary, *case.get("forbidden", ())) if text in shown]
        told["said"] = shown[:200]
        print(json.dumps({"ends": path, **told}), flush=True)
    victim.render.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
