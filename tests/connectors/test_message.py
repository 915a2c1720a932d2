"""The standard library's parser reads back what the builder wrote: an oracle that knows nothing of the builder."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from studio.connectors.message import build_message
from studio.domain.errors import UserFixable
from studio.domain.node import MessageParts

PARTS = MessageParts(
    message_id="<1.a@shop.example>",
    from_address="hello@shop.example",
    from_name="The Shop",
    to_address="anna@people.example",
    to_name="",
    reply_to="answers@shop.example",
    subject="We miss you",
    html="<p>Hi</p>",
    text="Hi",
    sent_at=datetime(1997, 10, 1, 9, 30, tzinfo=UTC),
)
# What has no meaning in a header or in XML-like text: surrogates cannot be encoded, controls are refused by design.
one_line = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300)
body = st.text(st.characters(exclude_categories=("Cs",)), max_size=2_000)


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def name_and_address(message: EmailMessage, header: str) -> tuple[str, str]:
    """By the older parser: the modern one of Python 3.11 puts blanks between the encoded words of a name."""
    raw = next(str(value) for key, value in message.raw_items() if key == header)
    name, address = parseaddr(raw)
    return str(make_header(decode_header(name))), address


def normal(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\n", text)


def text_of(part: EmailMessage) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return normal(content.decode("utf-8"))


@given(text=body, html=body.filter(bool))
def test_both_parts_come_back_in_order(text: str, html: str) -> None:
    message = parsed(build_message(dataclasses.replace(PARTS, text=text, html=html)))
    plain, rich = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert (plain.get_content_type(), rich.get_content_type()) == ("text/plain", "text/html")
    assert text_of(plain) == normal(text)
    assert text_of(rich) == normal(html)


@given(text=body)
def test_plain_text_alone_comes_back(text: str) -> None:
    message = parsed(build_message(dataclasses.replace(PARTS, text=text, html="")))
    assert message.get_content_type() == "text/plain"
    # Transport needs a last line end, which belongs to the text when no enclosing part claims it.
    assert text_of(message) in (normal(text), normal(text) + "\n")


@given(text=body, html=body, subject=one_line, name=one_line)
def test_every_line_is_short_ascii_that_ends_in_crlf(text: str, html: str, subject: str, name: str) -> None:
    content = build_message(dataclasses.replace(PARTS, text=text, html=html, subject=subject, to_name=name))
    assert content.isascii()
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\r\n \r\n" not in content.partition(b"\r\n\r\n")[0]


def test_lone_carriage_returns_end_lines_too() -> None:
    content = build_message(dataclasses.replace(PARTS, text="a\rb\nc\r\nd"))
    assert b"\r\n\r\na\r\nb\r\nc\r\nd\r\n" in content


@given(subject=one_line)
@example(subject="=?utf-8?q?Hi?=")
@example(subject=" leading and trailing ")
@example(subject="word " * 50)
def test_the_subject_comes_back(subject: str) -> None:
    message = parsed(build_message(dataclasses.replace(PARTS, subject=subject)))
    assert str(message["Subject"]).strip() == subject.strip()


@given(name=one_line)
@example(name='"Anna", the <first>; (of) many: \\ names')
@example(name="=?utf-8?q?Hi?=")
def test_the_name_comes_back_with_its_address(name: str) -> None:
    message = parsed(build_message(dataclasses.replace(PARTS, to_name=name)))
    shown, address = name_and_address(message, "To")
    assert address == "anna@people.example"
    assert " ".join(shown.split()) == " ".join(name.split())


def test_words_too_long_for_a_line_are_encoded() -> None:
    content = build_message(dataclasses.replace(PARTS, subject="x" * 5_000, from_name="y" * 2_000))
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert parsed(content)["Subject"] == "x" * 5_000
    assert name_and_address(parsed(content), "From")[0] == "y" * 2_000


def test_dates_ids_and_further_headers() -> None:
    way = "<https://shop.example/u?c=1&t=abc>, <mailto:leave@shop.example>"
    headers = {
        "List-Unsubscribe": way,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Größe".encode("ascii", "ignore").decode(): "groß",
    }
    message = parsed(build_message(dataclasses.replace(PARTS, headers=headers)))
    assert message["Message-ID"] == PARTS.message_id
    assert parsedate_to_datetime(str(message["Date"])) == PARTS.sent_at
    assert str(message["Reply-To"]) == "answers@shop.example"
    assert str(message["List-Unsubscribe"]) == way
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["X-Gre"] == "groß"


def test_a_long_unsubscribe_link_stays_on_one_line() -> None:
    way = "<https://shop.example/u?" + "t=" + "a" * 600 + ">, <mailto:leave@shop.example>"
    content = build_message(dataclasses.replace(PARTS, headers={"List-Unsubscribe": way}))
    assert f"\r\nList-Unsubscribe: {way}\r\n".encode() in content


@pytest.mark.parametrize(
    "way", ["https://shop.example/u", "<http://shop.example/u>", "<https://a b>", "<https://" + "a" * 998 + ">"]
)
def test_what_is_no_way_to_unsubscribe_is_refused(way: str) -> None:
    with pytest.raises(UserFixable) as caught:
        build_message(dataclasses.replace(PARTS, headers={"List-Unsubscribe": way}))
    assert caught.value.where == "List-Unsubscribe"


@pytest.mark.parametrize("bad", ["a\r\nBcc: b@c.example", "a\nb", "a\rb", "a\0b", "a\u2028b", "a\x85b", "a\x0bb"])
@pytest.mark.parametrize(("field", "header"), [("subject", "Subject"), ("to_name", "To"), ("from_name", "From")])
def test_a_line_break_cannot_add_a_header(field: str, header: str, bad: str) -> None:
    with pytest.raises(UserFixable) as caught:
        build_message(dataclasses.replace(PARTS, **{field: bad}))
    assert caught.value.code == "MAIL-HEADER-BREAK"
    assert caught.value.where == header


def test_a_line_break_in_a_further_header_is_refused() -> None:
    with pytest.raises(UserFixable):
        build_message(dataclasses.replace(PARTS, headers={"X-Note": "a\r\nBcc: b@c.example"}))


@pytest.mark.parametrize(
    "address",
    ["", "anna", "a@b, c@d.example", "a <b@c.example>", "a b@c.example", "ä@c.example", '"a"@b.example'],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UserFixable) as caught:
        build_message(dataclasses.replace(PARTS, to_address=address))
    assert caught.value.code == "MAIL-ADDRESS"


def test_a_domain_beyond_ascii_is_written_in_ascii() -> None:
    message = parsed(build_message(dataclasses.replace(PARTS, to_address="anna@bücher.example", to_name="Änna")))
    assert message["To"].addresses[0].addr_spec == "anna@xn--bcher-kva.example"
    assert message["To"].addresses[0].display_name == "Änna"


def test_letters_beyond_latin_take_base64_and_latin_stays_readable() -> None:
    content = build_message(
        dataclasses.replace(PARTS, text="Schöne Grüße aus dem Geschäft", html="<p>" + "こんにちは" * 40 + "</p>")
    )
    assert b"Sch=C3=B6ne" in content
    assert content.count(b"Content-Transfer-Encoding: base64") == 1


def test_a_moment_just_before_midnight_is_dated_on_the_new_day() -> None:
    """A run as of a day stands a microsecond before it; its letters are of that day."""
    midnight = datetime(1997, 10, 1, tzinfo=UTC)
    message = parsed(build_message(dataclasses.replace(PARTS, sent_at=midnight - timedelta(microseconds=1))))
    assert parsedate_to_datetime(str(message["Date"])) == midnight
