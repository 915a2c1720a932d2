"""What every test shares: sockets on loopback only, Qt offscreen, Hypothesis without deadlines on a shared machine.

Imported before Polars and NumPy: tests work on a few rows, where handing them to threads costs more than the work, and
several test processes share the cores already.
"""

import gc
import os
import shutil
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The ordinary suite tries the same examples each time: a red run must be about the change that was made. New ones are
# looked for by `make test-all`, and a failure that is found becomes an `@example`.
CHECKS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("suite", max_examples=15, derandomize=True, **CHECKS)
settings.register_profile("search", max_examples=200, **CHECKS)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    """Nothing in the suite may reach beyond this computer."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


MEMORY = "/dev/shm"
if Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > 6_000_000_000:
    # Thousands of commits that wait for a disk prove nothing: what is killed here are processes, never the power.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

FIRST = ("tests/journeys/", "tests/faults/", "tests/ui/screens/", "tests/gallery/test_every_template_runs")
"""What takes seconds, or shares what takes seconds to make: begun first and by one process, so that in the end no
process waits for another's last long test, or for what the other is just making."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_collection_finish() -> None:
    """Thousands of collected tests live as long as the process: the collector need not look at them again and again,
    nor as often as where memory is dear.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
