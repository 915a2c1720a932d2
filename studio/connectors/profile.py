"""The sending profile file: who sends, through which server, how fast; and what must hold before a live send.

Absent on purpose: passwords (only `secret://name` references) and questions to the network, such as DNS records.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterable
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from studio.connectors.secrets import SECRET_PREFIX, Secrets, is_reference
from studio.domain.errors import Problem, UserFixable

_PROFILE_BYTES_MAX = 65_536
_RESERVED = re.compile(r"(?<=[.@])(?:invalid|test|local|localhost|onion)(?=>?$)", re.IGNORECASE)


def _check_mailbox(text: str) -> str:
    try:
        _check_form(text)
    except EmailNotValidError as error:
        raise ValueError(f"{text!r} is not a mail address: {error}") from None
    return text


def _check_secret(text: str) -> str:
    if not is_reference(text):
        raise ValueError(f"a password is kept outside the file, as {SECRET_PREFIX}name")
    return text


def _check_form(text: str) -> None:
    """Raises EmailNotValidError. Reserved domains pass: test mode uses them, and `preflight` refuses them."""
    validate_email(
        _RESERVED.sub("example", text.strip()),
        check_deliverability=False,
        globally_deliverable=False,
        allow_display_name=True,
    )


MailboxText = Annotated[str, AfterValidator(_check_mailbox)]


class SmtpServer(BaseModel):
    """Where the mail goes in. `password` is a `secret://name` reference, never the password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=253, pattern=r"^[^\s/@]+$")
    port: int = Field(ge=1, le=65_535)
    security: Literal["none", "starttls", "tls"]
    username: str = ""
    password: Annotated[str, AfterValidator(_check_secret)] | None = None


class SendingProfile(BaseModel):
    """One sender. `from` and `reply_to` are `Name <address>` or a bare address; rates are messages per second."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smtp: SmtpServer
    sender: MailboxText = Field(alias="from")
    reply_to: MailboxText | None = None
    postal_address: str = ""
    unsubscribe_base_url: str = ""
    rate_per_second: float = Field(default=10.0, gt=0, le=10_000)
    connections: int = Field(default=4, ge=1, le=64)

    @property
    def sender_address(self) -> str:
        """The bare address of `from`, as it goes into the envelope."""
        return parseaddr(self.sender)[1]

    @property
    def sender_name(self) -> str:
        """The name in `from`, empty when there is none."""
        return parseaddr(self.sender)[0]


def load_profile(path: Path) -> SendingProfile:
    """Read and check a profile file.

    Raises:
        UserFixable: with every problem found, each naming its field.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_PROFILE_BYTES_MAX + 1)
    except OSError as error:
        text = f"The sending profile cannot be read ({error.strerror})."
        raise UserFixable("PROFILE-UNREADABLE", text, where=str(path), hint="Check the path.") from error
    if len(raw) > _PROFILE_BYTES_MAX:
        text = f"A sending profile has at most {_PROFILE_BYTES_MAX} bytes."
        raise UserFixable("PROFILE-UNREADABLE", text, where=str(path), hint="Check that this is the right file.")
    try:
        content = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        text = f"The sending profile is not JSON ({error})."
        raise UserFixable("PROFILE-UNREADABLE", text, where=str(path), hint="Correct it at that place.") from error
    return read_profile(content, path)


def read_profile(content: object, path: Path) -> SendingProfile:
    """The profile that this JSON value is; `path` is where it lies or will lie.

    Raises:
        UserFixable: PROFILE-INVALID with every problem found, each naming its field.
    """
    try:
        return SendingProfile.model_validate(content)
    except ValidationError as error:
        problems = [_problem(dict(details)) for details in error.errors()]
        text = "The sending profile has mistakes: " + " ".join(str(problem) for problem in problems)
        raise UserFixable("PROFILE-INVALID", text, where=str(path), problems=problems) from error


def _problem(details: dict[str, object]) -> Problem:
    place = tuple(str(part) for part in _sequence(details["loc"]))
    message = str(details["msg"]).removeprefix("Value error, ")
    message = message[:1].upper() + message[1:]
    hint = ""
    if details["type"] == "extra_forbidden":
        message = "This field is not known."
        near = difflib.get_close_matches(place[-1], _field_names(place[:-1]), n=1)
        hint = f'Did you mean "{near[0]}"?' if near else "Remove it."
    elif details["type"] == "missing":
        message, hint = "This field is missing.", "Add it."
    return Problem("PROFILE-INVALID", message.rstrip(".") + ".", hint=hint, field=".".join(place) or None)


def _sequence(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _field_names(place: tuple[str, ...]) -> list[str]:
    model = SmtpServer if place == ("smtp",) else SendingProfile
    return [field.alias or name for name, field in model.model_fields.items()]


def preflight(profile: SendingProfile, secrets: Secrets) -> list[Problem]:
    """What stands in the way of sending live, all of it; empty means go. Asks the keyring, not the network."""
    return [*_sender_problems(profile), *_duty_problems(profile), *_server_problems(profile.smtp, secrets)]


def _sender_problems(profile: SendingProfile) -> Iterable[Problem]:
    for field, text in (("from", profile.sender), ("reply_to", profile.reply_to)):
        if text is None:
            continue
        try:
            validate_email(text, check_deliverability=False, allow_display_name=True)
        except EmailNotValidError as error:
            message = f"Nobody can answer to {text} ({str(error).rstrip('.')})."
            yield Problem("PREFLIGHT-FROM", message, hint="Use an address of your own domain.", field=field)


def _duty_problems(profile: SendingProfile) -> Iterable[Problem]:
    if not profile.postal_address.strip():
        yield Problem(
            "PREFLIGHT-POSTAL-ADDRESS",
            "Marketing mail must show the sender's postal address.",
            hint="Add the address of your business.",
            field="postal_address",
        )
    url = urlsplit(profile.unsubscribe_base_url)
    if url.scheme != "https" or not url.hostname:
        yield Problem(
            "PREFLIGHT-UNSUBSCRIBE",
            "People must be able to unsubscribe with one click, over https.",
            hint="Add the https address of your unsubscribe page.",
            field="unsubscribe_base_url",
        )


def _server_problems(server: SmtpServer, secrets: Secrets) -> Iterable[Problem]:
    if server.security == "none" and not _is_this_computer(server.host):
        yield Problem(
            "PREFLIGHT-ENCRYPTION",
            f"Mail and password would travel unencrypted to {server.host}.",
            hint='Set it to "starttls" (port 587) or "tls" (port 465).',
            field="smtp.security",
        )
    if server.username and server.password is None:
        yield Problem(
            "PREFLIGHT-PASSWORD",
            f"There is a user name ({server.username}) and no password.",
            hint=f"Add a password as {SECRET_PREFIX}name.",
            field="smtp.password",
        )
    if server.password is not None:
        try:
            secrets.resolve(server.password)
        except UserFixable as error:
            yield Problem(error.code, error.message, hint=error.hint or "", field="smtp.password")


def _is_this_computer(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
