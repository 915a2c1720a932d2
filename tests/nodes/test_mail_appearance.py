"""A dark mail: by its own rules where it has some, otherwise turned, so that words stay readable."""

from __future__ import annotations

import re

import pytest

from studio.nodes.mail_appearance import as_dark, turned_dark
from studio.nodes.message_rendering import MessageTemplate, Texts
from studio.nodes.mjml_outline import contrast

OWN = """<html><head><style>@media (prefers-color-scheme: dark) { .card { background-color: #111111 !important; }
.card div, p { color: #eeeeee !important; } }</style></head><body><table class="card" style="background-color:#ffffff;">
<tr><td><div style="color:#222222">In</div></td></tr></table><div style="color:#222222">Out</div></body></html>"""


def test_own_rules_reach_what_they_mean_and_nothing_else() -> None:
    dark = as_dark(OWN)
    assert 'style="background-color:#ffffff;background-color: #111111"' in dark
    assert '<div style="color:#222222;color: #eeeeee">In' in dark
    assert '<div style="color:#222222">Out' in dark


def test_a_mail_without_rules_is_turned_and_stays_readable() -> None:
    ink, ground = "#1f2430", "#ffffff"
    dark = turned_dark(f'<body><p style="color:{ink};background:{ground}">Hi</p></body>')
    turned_ink, turned_ground = re.findall(r"(?:color|background):(#\w{6})", dark)
    assert contrast(turned_ink, turned_ground) >= 7
    assert contrast(turned_ground, "#000000") < 2, "the ground is dark"


@pytest.mark.parametrize("colour", ["#e4572e", "#2c62d6"])
def test_strong_colours_stay(colour: str) -> None:
    assert colour in turned_dark(f'<a style="background:{colour}">Buy</a>')


def test_a_real_message_is_turned_as_a_whole() -> None:
    body = '<mjml><mj-body background-color="#ffffff"><mj-section><mj-column><mj-text color="#000">Hi</mj-text>'
    body += "</mj-column></mj-section></mj-body></mjml>"
    html = MessageTemplate(Texts("S", "", body)).render({}).html
    assert "#ffffff" in html and "background-color:#ffffff" not in as_dark(html)
