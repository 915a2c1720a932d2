"""The pages and forms of a workflow as files."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.gallery.catalogue import catalogue
from studio.gallery.customise import fill, instantiate
from studio.nodes.discovery import catalogue as node_catalogue
from studio.workspace.pages import publish


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


def made(template_id: str):
    entry = catalogue().entry(template_id)
    return instantiate(entry, fill(entry, BusinessContext()))


def test_the_two_pages_of_a_test(tmp_path: Path) -> None:
    written = publish(made("landing-page-test"), node_catalogue(), tmp_path / "site")
    assert [page.path.name for page in written] == ["a.html", "b.html"]
    pages = [Tags(page.path.read_text(encoding="utf-8")) for page in written]
    assert "Know in ten minutes what it costs" in pages[0].words
    assert "A clear answer, and nobody calls you" in pages[1].words
    assert all(any(tag == "a" and a["href"] == "https://www.example.com/" for tag, a in page.found) for page in pages)


def test_a_form_sends_its_name_and_the_version_of_the_consent(tmp_path: Path) -> None:
    with pytest.raises(UserFixable, match="where it sends to"):
        publish(made("lead-magnet"), node_catalogue(), tmp_path)
    (page,) = publish(made("lead-magnet"), node_catalogue(), tmp_path, action="https://example.com/in?a=1&b=2")
    form = Tags(page.path.read_text(encoding="utf-8"))
    named = {a.get("name"): a for tag, a in form.found if tag in ("input", "select", "textarea")}
    assert {"email", "company", "consent", "form", "website"} <= set(named)
    assert named["form"]["value"] == "guide"
    assert named["consent"]["value"] == "2026-1"
    assert "checked" not in named["consent"], "consent is given, not taken"
    labels = {a.get("for") for tag, a in form.found if tag == "label"}
    assert {"email", "company"} <= labels
    assert ("form", {"method": "post", "action": "https://example.com/in?a=1&b=2"}) in form.found


def test_a_workflow_without_pages_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserFixable, match="no page and no form"):
        publish(made("birthday"), node_catalogue(), tmp_path)
