"""The most memory this process has held.

Absent on purpose: other processes, and memory as it goes up and down.
"""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_rss_mb() -> float | None:
    """In MB of 10⁶ bytes; None where the system does not say."""
    if sys.platform == "win32":
        return None
    if _STATUS.exists():
        # Not `ru_maxrss`: on Linux a child's begins with what its parent has held until then.
        lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="utf-8").splitlines() if ":" in line)
        return round(int(lines["VmHWM"].split()[0]) * 1024 / 1e6, 1)
    import resource  # noqa: PLC0415 - there is no such module on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)
