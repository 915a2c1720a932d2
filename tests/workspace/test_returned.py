"""Mail that comes back: facts about the right person and run, and dead addresses that are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from studio.domain.ports import Checkpoint, LedgerChange, RunRow
from studio.workspace.workspace import Workspace
from tests.connectors.test_returned_mail import mail, report

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PEOPLE = 5


class Standing:
    def now(self) -> datetime:
        return NOW


def message_id(contact: int) -> str:
    return f"<{contact:032x}@shop.example>"


def bounce(contact: int, status: str = "5.1.1", action: str = "failed") -> bytes:
    data = report(
        f"Action: {action}", f"Status: {status}", f"Diagnostic-Code: smtp; 550 {status} no <p{contact}@x.invalid>"
    )
    return data.replace(b"<0123456789abcdef0123456789abcdef@shop.example>", message_id(contact).encode())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workspace]:
    """Five people who were sent a message each in one run, which a person has paused; the last one is in doubt."""
    with Workspace.open(tmp_path / "shop", clock=Standing()) as workspace:
        store = workspace._store
        keys = [f"k{n}" for n in range(PEOPLE)]
        people = pl.DataFrame({"key": keys, "email": [f"p{n}@x.invalid" for n in range(PEOPLE)]})
        store.contacts.upsert_contacts(people, "test")
        ids = store.contacts.ids_of(people["key"]).get_column("contact_id")
        run = RunRow(
            run_id="r1", workflow_id="w", version="v", name="Spring", mode="test", seed=1, clock="real",
            state="paused", started_at=NOW - timedelta(days=1), at=NOW - timedelta(hours=1),
        )  # fmt: skip
        planned = pl.DataFrame(
            {
                "outbox_id": [f"{n:032x}" for n in range(PEOPLE)],
                "node_id": "mail",
                "instance_id": pl.Series(range(PEOPLE), dtype=pl.UInt64),
                "contact_id": ids,
                "message_id": [message_id(n) for n in range(PEOPLE)],
                "arms": "split=A",
                "key": None,
            }
        )
        store.runs.start(run, "{}", Checkpoint(run_id="r1", at=NOW, outbox=planned))
        for state in ("sending", "sent"):
            sent = planned.get_column("outbox_id")[: PEOPLE if state == "sending" else PEOPLE - 1]
            store.runs.change_outbox("r1", NOW, [LedgerChange(outbox_id=one, state=state) for one in sent])
        store.runs.doubt_sending("r1")
        yield workspace


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "returned"
    folder.mkdir()
    letters = {
        "1": bounce(0),
        "2": bounce(1, "4.2.2"),
        "3": bounce(2, "4.4.1", "delayed"),
        "4": bounce(4),
        "5": mail("From: p3@x.invalid", f"In-Reply-To: {message_id(3)}", "", "Thank you!"),
        "6": mail("From: friend@x.invalid", "In-Reply-To: <other@elsewhere.example>", "", "Lunch?"),
        "7": bounce(99),
        "8": b"",
    }
    for name, data in letters.items():
        (folder / f"{name}.eml").write_bytes(data)
    return folder


def events(shop: Workspace) -> pl.DataFrame:
    kinds = ("bounced", "replied", "complained", "delivered")
    view = shop._store.events.at(NOW + timedelta(days=1))
    return view.rows(kinds, since=NOW - timedelta(days=9)).sort("instance_id")


def test_each_report_becomes_a_fact_of_its_run_and_dead_addresses_are_left_alone(shop: Workspace, box: Path) -> None:
    told = shop.returned.take_in(box)
    counted = (told.hard, told.soft, told.delayed, told.replied, told.not_ours, told.unreadable, told.repeated)
    assert counted == (2, 1, 1, 1, 3, 0, 0)
    assert (told.messages, told.suppressed, told.to_settle, told.settled) == (8, 2, 1, 0)
    facts = events(shop).select("instance_id", "kind", "run_id", "node_id", "arms", "actor").rows()
    about = ("r1", "mail", "split=A")
    assert facts == [
        (0, "bounced", *about, "machine"),
        (1, "bounced", *about, "machine"),
        (3, "replied", *about, "human"),
        (4, "bounced", *about, "machine"),
    ]
    assert "x.invalid" not in "".join(events(shop).get_column("properties").drop_nulls())
    everybody = shop._store.contacts.ids_of(pl.Series([f"k{n}" for n in range(PEOPLE)])).get_column("contact_id")
    held = shop._store.contacts.at(NOW).suppressed(everybody, "email", "marketing")
    assert held.rows() == [(everybody[0], "hard_bounce"), (everybody[4], "hard_bounce")]
    assert shop._store.contacts.at(NOW).suppressed(everybody, "sms", "marketing").is_empty()
    assert shop.analyses.bounces("r1") == {"hard": 2, "soft": 1}


def test_the_same_mailbox_again_changes_nothing_not_even_for_a_corrected_address(shop: Workspace, box: Path) -> None:
    shop.returned.take_in(box)
    before = events(shop)
    corrected = pl.DataFrame({"key": ["k0"], "email": ["right@x.invalid"]})
    shop._store.contacts.upsert_contacts(corrected, "test")
    again = shop.returned.take_in(box)
    assert (again.repeated, again.suppressed) == (4, 0)
    assert events(shop).equals(before)
