"""Secrets by name: where they come from, and what is said when they do not."""

from __future__ import annotations

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from studio.connectors.secrets import SERVICE, Secrets, is_reference, system_keyring
from studio.domain.errors import UserFixable


class MemoryKeyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self, *, is_locked: bool = False) -> None:
        super().__init__()
        self.stored: dict[tuple[str, str], str] = {}
        self.is_locked = is_locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked")
        return self.stored.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.stored[service, username] = password


def test_what_is_stored_is_found() -> None:
    keyring = MemoryKeyring()
    secrets = Secrets({}, keyring=lambda: keyring)
    secrets.store("secret://smtp", "right")
    assert keyring.stored == {(SERVICE, "smtp"): "right"}
    assert secrets.resolve("secret://smtp") == "right"


def test_the_environment_comes_first_and_asks_no_keyring() -> None:
    def asked() -> None:
        pytest.fail("the environment holds it")

    assert Secrets({"STUDIO_SECRET_MY_SMTP_1": "env"}, keyring=asked).resolve("secret://my-smtp.1") == "env"


@pytest.mark.parametrize(
    ("keyring", "code", "hint"),
    [
        (MemoryKeyring(), "SECRET-MISSING", "STUDIO_SECRET_SMTP"),
        (None, "SECRET-NO-KEYRING", "STUDIO_SECRET_SMTP"),
        (MemoryKeyring(is_locked=True), "SECRET-KEYRING-CLOSED", "Unlock"),
    ],
)
def test_what_cannot_be_had_is_said_in_words(keyring: MemoryKeyring | None, code: str, hint: str) -> None:
    with pytest.raises(UserFixable) as caught:
        Secrets({"STUDIO_SECRET_SMTP": ""}, keyring=lambda: keyring).resolve("secret://smtp")
    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text", ["smtp", "secret://", "secret://a b", "secret://-a", "secret://" + "a" * 65, "secret://a\n"]
)
def test_what_is_no_reference(text: str) -> None:
    assert not is_reference(text)
    with pytest.raises(UserFixable) as caught:
        Secrets({}, keyring=lambda: None).resolve(text)
    assert caught.value.code == "SECRET-REFERENCE"


def test_a_computer_without_a_desktop_session_has_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    assert system_keyring() is None
