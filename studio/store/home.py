"""Where a workspace is at home: a copy of it, on this computer or another, does not send what the original will send.

The home is this computer and this very file (its number in the file system: a folder that is moved keeps it, a copy
does not). Opened elsewhere, every real run that has not ended is held until a person says which of the two goes on.
Not seen: a whole computer that is copied or set back, disk and all. Absent on purpose: deciding.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from pathlib import Path
from typing import Literal, TypeAlias

import sqlalchemy as sa

from studio.domain.errors import UserFixable
from studio.domain.ids import stable_id
from studio.store import schema
from studio.store.database import Database

Release: TypeAlias = Literal["send", "doubt"]

SETTING = "home"
HELD = "held"
"""Among the options of a run: why it is held, in words."""

_COPIED = "this workspace was copied or moved from another place, and what is left to send may be sent from there"
_CUT_OFF = "the program was stopped while the message was handed over, before this workspace was copied"

# Ended runs can be begun again by hand, so they are held too, but stay what they are.
_HOLD_RUNS = """
UPDATE runs SET options = json_set(options, '$.held', ?),
 state = CASE WHEN state IN ('queued', 'running', 'waiting') THEN 'paused' ELSE state END
WHERE mode <> 'simulate' AND state <> 'done'
"""
_HOLD = """
UPDATE outbox SET state = CASE state WHEN 'sending' THEN 'in_doubt' ELSE 'held' END,
 reason = CASE state WHEN 'sending' THEN ? ELSE ? END
WHERE state IN ('planned', 'sending', 'retry', 'resend_approved')
"""
_RELEASE = "UPDATE outbox SET state = ?, reason = ? WHERE run_id = ? AND state = 'held'"
_RELEASE_RUN = "UPDATE runs SET options = json_remove(options, '$.held') WHERE id = ?"


def home_of(path: Path) -> str:
    """What tells this computer and this file from any other."""
    found = path.stat()
    return stable_id(computer(), found.st_ino or str(path.resolve()))


def computer() -> str:
    """What the system calls itself for good; the network name where it has no such thing."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - there is no such module elsewhere

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0])
    if sys.platform == "darwin":
        number = (ctypes.c_ubyte * 16)()
        patience = (ctypes.c_long * 2)(5, 0)
        if ctypes.CDLL(None).gethostuuid(number, patience) == 0:
            return bytes(number).hex()
    known = Path("/etc/machine-id")
    return known.read_text().strip() if known.is_file() else platform.node()


def settle_in(database: Database, home: str) -> int:
    """Makes this place the home; holds what is to be sent when another place was. How many runs are held by that."""
    table = schema.settings
    known = sa.select(table.c.value).where(table.c.name == SETTING)
    with database.read() as connection:
        before = connection.execute(known).scalar()
    if before == home:
        return 0
    with database.write() as connection:
        connection.execute(table.delete().where(table.c.name == SETTING))
        connection.execute(table.insert().values(name=SETTING, value=home))
        return 0 if before is None else hold(connection, _COPIED)


def hold(connection: sa.Connection, why: str) -> int:
    """Holds all that is to be sent, and every real run that is not done; how many runs."""
    connection.exec_driver_sql(_HOLD, (_CUT_OFF, why))
    return connection.exec_driver_sql(_HOLD_RUNS, (why,)).rowcount


def release(connection: sa.Connection, run_id: str, as_: Release) -> int:
    """Lets a held run go on here; how many messages were held.

    `send`: what was planned has not been sent elsewhere and goes out. `doubt`: each message counts as in doubt, so that
    the mail server is asked, and then a person.

    Raises:
        UserFixable: RUN-NOT-HELD.
    """
    options = connection.execute(sa.select(schema.runs.c.options).where(schema.runs.c.id == run_id)).scalar()
    if not (options or {}).get(HELD):
        raise UserFixable("RUN-NOT-HELD", f"The run {run_id} is not held.", where=run_id, hint="See: studio runs")
    connection.exec_driver_sql(_RELEASE_RUN, (run_id,))
    state, reason = ("planned", None) if as_ == "send" else ("in_doubt", _COPIED)
    return connection.exec_driver_sql(_RELEASE, (state, reason, run_id)).rowcount


def held_runs(connection: sa.Connection) -> dict[str, str]:
    """Run → why it is held."""
    table = schema.runs
    reason = sa.func.json_extract(table.c.options, "$.held")
    rows = connection.execute(sa.select(table.c.id, reason).where(reason.is_not(None)).order_by(table.c.id))
    return {run_id: str(why) for run_id, why in rows}
