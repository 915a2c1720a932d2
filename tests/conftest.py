"""What every test shares: sockets on loopback only, Qt offscreen, Hypothesis without deadlines on a shared machine."""

import os

import pytest
import pytest_socket
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# On a build machine the examples are the same each time: a red run must be about the change that was made.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    """Nothing in the suite may reach beyond this computer."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
