"""Run events as sentences, for the log beside the timeline.

Absent on purpose: events that say nothing to a person (the clock's).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from studio.domain.clock import parse_iso, shown
from studio.domain.port_words import Ways, port_words
from studio.domain.run import RunEvent
from studio.ui.numbers import count, duration, plural
from studio.ui.tokens import STATES, Tone

Payload = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log. `node_id` is what it is about, None for the run itself."""

    seq: int
    at: datetime
    node_id: str | None
    who: str
    text: str
    tone: Tone = "default"


def log_line(event: RunEvent, names: Mapping[str, str], ways: Ways | None = None) -> LogLine | None:
    """The event in words; None when it says nothing to a person. `names`: node id → what the canvas calls it; `ways`:
    what its outputs are called.
    """
    said = _SAID.get(event.kind)
    labels = (ways or {}).get(event.node_id or "", {})
    if event.kind == "step.ran":
        text, tone = _ran(event.payload, labels)
    else:
        text, tone = said(event.payload) if said else ("", "default")
    if not text:
        return None
    who = names.get(event.node_id, event.node_id) if event.node_id else "Run"
    return LogLine(event.seq, event.at, event.node_id, who, text, tone)


def moment(at: datetime) -> str:
    """A moment on the run's clock, to the second, in UTC."""
    at = shown(at)
    return f"{at.day} {at:%b %Y, %H:%M:%S}"


def _started(payload: Payload) -> tuple[str, Tone]:
    clock = str(payload.get("clock") or "")
    speed = {"max": "as fast as possible", "real": "in real time", "": ""}.get(clock, f"{clock} times real time")
    parts = [f"started in {payload.get('mode', 'simulate')} mode", speed, f"seed {payload.get('seed', '–')}"]
    return ", ".join(part for part in parts if part), "default"


def _state(payload: Payload) -> tuple[str, Tone]:
    state = str(payload.get("state") or "")
    word = STATES[state].word if state in STATES else state
    message = str(payload.get("message") or "")
    hint = str(payload.get("hint") or "")
    text = " ".join(part for part in (f"{word}: {message}" if message else word, hint) if part)
    tones: Mapping[str, Tone] = {"failed": "bad", "done": "good", "warning": "caution", "paused": "caution"}
    return text, tones.get(state, "default")


def _ran(payload: Payload, labels: Mapping[str, str]) -> tuple[str, Tone]:
    ports = payload.get("out")
    gone = [
        f"{count(_number(number))} through “{port_words(port, labels)}”"
        if port_words(port, labels)
        else f"{count(_number(number))} went on"
        for port, number in (ports.items() if isinstance(ports, dict) else ())
        if _number(number)
    ]
    failed, aside = _number(payload.get("failed")), _number(payload.get("quarantined"))
    came = _number(payload.get("in"))
    parts = [f"{count(came)} arrived" if came else "", ", ".join(gone)]
    parts += [f"{count(failed)} failed" if failed else "", f"{count(aside)} set aside" if aside else ""]
    told = ", ".join(part for part in parts if part)
    spent = _number(payload.get("duration_ms"))
    if told and spent:
        told += f" ({duration(timedelta(milliseconds=spent))})"
    return told, "bad" if failed else "caution" if aside else "default"


def _waiting(payload: Payload) -> tuple[str, Tone]:
    number, due = _number(payload.get("waiting")), payload.get("next_due")
    if not number:
        return "nobody waits any more", "default"
    until = f", the next until {moment(parse_iso(str(due)))}" if due else ""
    return f"{plural(int(number), 'contact')} waiting{until}", "default"


def _sending(payload: Payload) -> tuple[str, Tone]:
    words = {"sent": "sent", "failed": "failed", "retry": "to try again", "in_doubt": "in doubt", "blocked": "blocked"}
    parts = [f"{count(_number(payload.get(key)))} {word}" for key, word in words.items() if _number(payload.get(key))]
    planned = _number(payload.get("planned"))
    parts += [f"{count(planned)} to go"] if planned else []
    return ", ".join(parts), "bad" if _number(payload.get("failed")) else "default"


def _problem(payload: Payload) -> tuple[str, Tone]:
    number = int(_number(payload.get("count")))
    whom = f" ({plural(number, 'contact')})" if number else ""
    return f"{payload.get('message', '')}{whom}", "caution" if payload.get("severity") == "warning" else "bad"


def _number(value: JsonValue | None) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


_SAID: Mapping[str, Callable[[Payload], tuple[str, Tone]]] = {
    "run.started": _started,
    "run.state": _state,
    "step.state": _state,
    "step.waiting": _waiting,
    "step.sending": _sending,
    "step.problem": _problem,
}
