"""MJML that was written to break the converter."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from studio.nodes.mjml_conversion import MAX_DEPTH, RenderError, deepest, to_html

BEFORE = "<mjml><mj-body><mj-section><mj-column><mj-text>"
AFTER = "</mj-text></mj-column></mj-section></mj-body></mjml>"
N = 20_000
HOSTILE = {
    "nothing like it": ("no mjml at all", True),
    "a file": ("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>", True),
    "a bare sign": ("<mjml><mj-body><mj-text>a < b</mj-text></mj-body></mjml>", True),
    "entities": ('<!DOCTYPE x [<!ENTITY a "aaaa">]><mjml><mj-body>&a;</mj-body></mjml>', True),
    "deep sections": ("<mjml><mj-body>" + "<mj-section>" * N + "</mj-section>" * N + "</mj-body></mjml>", True),
    "unclosed": (BEFORE + "<div>" * N, True),
    "unfinished": (BEFORE + "<div " * N, True),
    "upper case": (BEFORE + "<DIV>" * N + "</DIV>" * N + AFTER, True),
    "void in upper case": (BEFORE + "<IMG>" * N + AFTER, True),
    "void elements": (BEFORE + "<br>" * N + AFTER, False),
    "wrong closing tags": (BEFORE + "<div></x>" * N + AFTER, False),
    "closed in a value": ("<mjml><mj-body>" + '<mj-section title="/>">' * N + "</mj-section>" * N, True),
    "opened in a value": ("<mjml><mj-body>" + "<mj-section title='</a>'>" * N + "</mj-section>" * N, True),
    "closed in a comment": ("<mjml><mj-body>" + "<mj-section><!-- </mj-section> -->" * N, True),
    "open quotes": (BEFORE + '<div a="' * N, True),
}


PROGRAM = """
import json, sys
from studio.nodes.mjml_conversion import RenderError, to_html
for name, source in json.load(sys.stdin).items():
    try:
        to_html(source)
        print(name, "accepted", sep=": ", flush=True)
    except RenderError as error:
        print(name, error.code, sep=": ", flush=True)
"""


def test_hostile_mjml_ends_neither_the_program_nor_its_patience() -> None:
    """In a process of its own: several of these end the whole process when they reach the converter."""
    sources = json.dumps({name: source for name, (source, _) in HOSTILE.items()})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=sources, capture_output=True, text=True, timeout=60, check=False
    )
    expected = [f"{name}: {'MAIL-MJML' if refused else 'accepted'}" for name, (_, refused) in HOSTILE.items()]
    assert done.stdout.splitlines() == expected, done.stderr
    assert done.returncode == 0


def test_unclosed_tags_are_refused() -> None:
    with pytest.raises(RenderError, match="nested more than 100 deep"):
        to_html("<mjml><mj-body>" + "<mj-section>" * 200)


def test_long_flat_messages_are_taken() -> None:
    html = to_html(BEFORE + "<p>One <b>two</b> <br> <img src='x' /> three</p>" * 2_000 + AFTER)
    assert html.count("three") == 2_000


@pytest.mark.parametrize(
    ("source", "depth"),
    [
        ("", 0),
        ("text < 3 > 2", 0),
        ("<a>", 1),
        ("<a><b/><c /></a>", 1),
        ("<a><b></b><c><d></d></c></a>", 3),
        ("<a><br><img><hr></a>", 1),
        ("<a><BR></a>", 2),
        ('<a title="/>"><b>', 2),
        ("<a title='>'><b>", 2),
        ("<a><!-- <b><c> --></a>", 1),
        ("</a></a><a>", 1),
        ('<a title="x', 1),
    ],
)
def test_depth_is_counted_as_the_converter_counts(source: str, depth: int) -> None:
    assert deepest(source) == depth


PIECES = st.sampled_from(["<", ">", "/", "'", '"', "a", " ", "<!--", "-->", "</a>", "<b>", "<img>", "="])


@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_text_has_a_depth(source: str) -> None:
    assert 0 <= deepest(source) <= source.count("<")


@pytest.mark.parametrize("piece", ["<a ", "<a '\"", "<!--", "<a title='", '<a "" ', "</", "<", "<a href=\"'"])
def test_measuring_takes_time_in_the_length_alone(piece: str) -> None:
    began = time.process_time()
    deepest(piece * (1_000_000 // len(piece)))
    assert time.process_time() - began < 3.0


@pytest.mark.parametrize("value", ["a\u00a0b", "e\u0301", "❤️", "C:\\\\dir", "ü", "it's", "\u200bx", "a &amp; b"])
def test_values_of_plain_elements_arrive_unchanged(value: str) -> None:
    html = to_html(f'{BEFORE}<a href="https://x.example" title="{value}">{value}</a>{AFTER}')
    link = LexborHTMLParser(html).css_first("a")
    assert link is not None
    wanted = value.replace("&amp;", "&")
    assert (link.attributes["title"], link.text()) == (wanted, wanted)


def test_the_limit_leaves_room_for_real_messages() -> None:
    nested = "<table><tr><td>" * 10 + "x" + "</td></tr></table>" * 10
    assert deepest(BEFORE + nested + AFTER) < MAX_DEPTH / 2
    assert "x" in to_html(BEFORE + nested + AFTER)
