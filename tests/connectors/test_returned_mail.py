"""What comes back is understood whoever wrote it, and no message that comes back can do any harm."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.connectors.returned_mail import Returned, read_returned, understand
from studio.domain.errors import UserFixable

OURS = "<0123456789abcdef0123456789abcdef@shop.example>"
AT = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


def mail(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def report(*recipient: str, original: str = "message/rfc822", head: tuple[str, ...] = ()) -> bytes:
    """A delivery report by the standard, with one recipient's block."""
    return mail(
        "From: Mail Delivery System <mailer-daemon@mx.example>",
        "Date: Tue, 10 Mar 2026 09:00:00 +0100",
        *head,
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "I am sorry to have to tell you …",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example",
        "",
        "Final-Recipient: rfc822; anna@gone.example",
        *recipient,
        "",
        "--b",
        f"Content-Type: {original}",
        "",
        "From: shop@shop.example",
        f"Message-ID: {OURS}",
        "Subject: Hello",
        "",
        "Body with 5.1.1 in it",
        "--b--",
    )


@pytest.mark.parametrize("original", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("status", "said", "grade", "told"),
    [
        ("5.1.1", "smtp; 550 5.1.1 <anna@gone.example>: no such user", "hard", "550 5.1.1 <(address)>: no such user"),
        ("5.0.0", "smtp; 550 user unknown", "hard", "550 user unknown"),
        ("5.0.0", "smtp; 552 5.2.2 mailbox full", "soft", "552 5.2.2 mailbox full"),
        ("5.7.1", "smtp; 554 5.7.1 looks like spam", "policy", "554 5.7.1 looks like spam"),
        ("4.4.7", "", "soft", ""),
        ("", "smtp; 550 nobody here", "hard", "550 nobody here"),
        ("", "", "hard", ""),
    ],
)
def test_a_delivery_report_is_graded(original: str, status: str, said: str, grade: str, told: str) -> None:
    found = understand(report("Action: failed", f"Status: {status}", f"Diagnostic-Code: {said}", original=original))
    assert (found.kind, found.class_, found.message_ids) == ("bounced", grade, (OURS,))
    assert (found.said, found.at) == (told, AT)
    assert "anna" not in repr(found)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("delayed", "delayed"), ("delivered", "delivered"), ("relayed", "delivered"), ("?", "unreadable")],
)
def test_a_report_that_is_no_failure(action: str, kind: str) -> None:
    found = understand(report(f"Action: {action}", "Status: 4.4.1"))
    assert (found.kind, found.class_, found.message_ids) == (kind, None, (OURS,))


def test_a_failure_counts_before_what_else_a_report_tells() -> None:
    both = ("Action: delivered", "Status: 2.0.0", "", "Final-Recipient: rfc822; b@x", "Action: failed", "Status: 5.1.2")
    assert (understand(report(*both)).kind, understand(report(*both)).status) == ("bounced", "5.1.2")


QMAIL = mail(
    "From: MAILER-DAEMON@old.example",
    "Return-Path: <>",
    "",
    "Hi. This is the qmail-send program at old.example.",
    "<anna@gone.example>:",
    "Sorry, no mailbox here by that name. (#5.1.1)",
    "",
    "--- Below this line is a copy of the message.",
    "",
    f"Message-ID: {OURS}",
    "Subject: Hello",
)
EXIM = mail(
    "From: Mail Delivery System <Mailer-Daemon@exim.example>",
    "X-Failed-Recipients: anna@gone.example",
    "",
    "  anna@gone.example",
    "    host mx.gone.example: 552 mailbox is over its quota 5.2.2",
    "------ This is a copy of the message. ------",
    f"Message-ID: {OURS}",
)
STILL_TRYING = mail(
    "From: postmaster@slow.example",
    "",
    "Your message is delayed; delivery will be retried. 451 4.4.1 timed out",
    f"Message-ID: {OURS}",
)


@pytest.mark.parametrize(
    ("data", "kind", "grade", "status"),
    [(QMAIL, "bounced", "hard", "5.1.1"), (EXIM, "bounced", "soft", "5.2.2"), (STILL_TRYING, "delayed", None, "4.4.1")],
    ids=["qmail", "exim", "still trying"],
)
def test_servers_that_say_it_in_words(data: bytes, kind: str, grade: str | None, status: str) -> None:
    found = understand(data)
    assert (found.kind, found.class_, found.status) == (kind, grade, status)
    assert OURS in found.message_ids
    assert "anna" not in found.said


def test_a_complaint() -> None:
    data = mail(
        "From: feedback@provider.example",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
        "",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        "Feedback-Type: abuse",
        "User-Agent: Provider/1.0",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: {OURS}",
        "",
        "--b--",
    )
    assert understand(data) == Returned(kind="complained", message_ids=(OURS,), said="abuse")
    assert understand(data.replace(b"abuse", b"not-spam")).kind == "automatic"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ((), "replied"),
        (("Auto-Submitted: auto-replied", "Return-Path: <>"), "automatic"),
        (("X-Autoreply: yes",), "automatic"),
        (("Precedence: bulk",), "automatic"),
    ],
)
def test_answers_of_people_and_of_their_holidays(lines: tuple[str, ...], kind: str) -> None:
    found = understand(
        mail("From: anna@there.example", f"In-Reply-To: {OURS}", *lines, "", "Thanks! 550 was too much.")
    )
    assert (found.kind, found.message_ids) == (kind, (OURS,))


def test_words_of_a_robot_that_name_no_message_are_not_guessed_at() -> None:
    assert understand(mail("From: postmaster@x.example", "", "550 5.1.1 nobody")).kind == "unreadable"
    assert understand(mail("From: postmaster@x.example", "", f"Welcome! {OURS}")).kind == "unreadable"


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", QMAIL, report("Action: failed", "Status: 5.1.1")]),
    st.integers(0, 900),
)
def test_no_bytes_break_it(noise: bytes, data: bytes, at: int) -> None:
    understand(data[:at] + noise + data[at:])


def test_hostile_nesting_and_headers_end_quickly() -> None:
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(500))
    assert understand(nested).kind in ("unreadable", "replied")
    assert (
        understand(b"From: a@b\r\nDate: " + b"9" * 10_000 + b"\r\nReferences: " + b"<a@b> " * 5_000).kind == "replied"
    )


def test_a_file_an_mbox_a_maildir_and_a_folder_of_them(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(QMAIL)
    box = b"From a@b Mon Mar  9 00:00:00 2026\n" + QMAIL.replace(b"\r\n", b"\n") + b"\n\n"
    (tmp_path / "in.mbox").write_bytes(box + box)
    for part in ("cur", "new", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    (tmp_path / "Maildir" / "cur" / "1:2,S").write_bytes(EXIM)
    (tmp_path / "Maildir" / "new" / "2").write_bytes(STILL_TRYING)
    (tmp_path / "Maildir" / "tmp" / "3").write_bytes(QMAIL)
    kinds = {name: [r.kind for r in read_returned(tmp_path / name)] for name in ("one.eml", "in.mbox", "Maildir", ".")}
    assert kinds == {
        "one.eml": ["bounced"],
        "in.mbox": ["bounced"] * 2,
        "Maildir": ["bounced", "delayed"],
        ".": ["bounced"] * 3,
    }


def test_what_is_no_mail_is_refused_in_words(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "no", "MAIL-MISSING"), (tmp_path, "MAIL-NONE")):
        with pytest.raises(UserFixable) as refused:
            list(read_returned(path))
        assert refused.value.code == code
