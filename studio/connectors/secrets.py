"""Passwords and keys by name: `secret://name` stands for one in files, and is resolved at the moment of use.

The environment (`STUDIO_SECRET_NAME`) comes first, for servers and scheduled runs, then the operating system's
keyring. Absent on purpose: keyring's own choice of a back end (it may pick one that asks on the terminal), plain files,
and any way to list what is stored.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from studio.domain.errors import UserFixable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SECRET_PREFIX = "secret://"  # noqa: S105 - the mark of a reference, not a secret
SERVICE = "flowlight-studio"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_reference(text: str) -> bool:
    """Whether this is `secret://` and a name of letters, digits, dots, dashes and underscores (64 at most)."""
    return text.startswith(SECRET_PREFIX) and _NAME.fullmatch(text.removeprefix(SECRET_PREFIX)) is not None


def environment_name(name: str) -> str:
    """
    >>> environment_name("smtp.shop-1")
    'STUDIO_SECRET_SMTP_SHOP_1'
    """
    return "STUDIO_SECRET_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


def system_keyring() -> KeyringBackend | None:
    """This platform's own keyring, or None where it has none that works (a server without a desktop session)."""
    # Inside, because importing keyring costs a good part of a second and most runs need no password.
    if sys.platform == "win32":
        from keyring.backends.Windows import WinVaultKeyring as SystemKeyring  # noqa: PLC0415
    elif sys.platform == "darwin":
        from keyring.backends.macOS import Keyring as SystemKeyring  # noqa: PLC0415
    else:
        from keyring.backends.SecretService import Keyring as SystemKeyring  # noqa: PLC0415
    return SystemKeyring() if SystemKeyring.viable else None


class Secrets:
    """Resolves references. `keyring` is asked for at first need, so that one who uses the environment never pays it."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        keyring: Callable[[], KeyringBackend | None] = system_keyring,
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring

    def resolve(self, reference: str) -> str:
        """The secret behind `secret://name`.

        Raises:
            UserFixable: it is stored nowhere, or the keyring is locked or missing.
        """
        name = _name(reference)
        found = self._environment.get(environment_name(name))
        if found:
            return found
        stored = self._ask(lambda keyring: keyring.get_password(SERVICE, name), name)
        if stored is None:
            text = f'The password "{name}" is not stored on this computer.'
            raise UserFixable("SECRET-MISSING", text, hint=f"Store it, or set {environment_name(name)}.")
        return stored

    def store(self, reference: str, value: str) -> None:
        """Put a secret into the keyring, in place of an older one of that name."""
        name = _name(reference)
        self._ask(lambda keyring: keyring.set_password(SERVICE, name, value), name)

    def _ask(self, question: Callable[[KeyringBackend], str | None], name: str) -> str | None:
        from keyring.errors import KeyringError  # noqa: PLC0415 - see system_keyring

        keyring = self._keyring()
        if keyring is None:
            text = "This computer has no keyring that works, so passwords cannot be kept in one."
            raise UserFixable("SECRET-NO-KEYRING", text, hint=f"Set {environment_name(name)} instead.")
        try:
            return question(keyring)
        except (KeyringError, OSError) as error:
            text = f"The keyring of this computer did not open ({error})."
            raise UserFixable("SECRET-KEYRING-CLOSED", text, hint="Unlock it and try again.") from error


def _name(reference: str) -> str:
    if not is_reference(reference):
        text = f"{reference!r} does not name a password."
        raise UserFixable("SECRET-REFERENCE", text, hint=f"Write {SECRET_PREFIX}name.")
    return reference.removeprefix(SECRET_PREFIX)
