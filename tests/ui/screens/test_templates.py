"""From a few words to a workflow: understand, correct, choose, change a setting, create."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from studio.domain.duration import parse_duration
from studio.ui.screens.templates.screen import TemplatesPage
from studio.ui.screens.templates.wording import Model, WordingPanel
from studio.ui.widgets import DecimalField
from studio.workspace.assistant import Suggestion
from studio.workspace.workspace import Workspace
from tests.ui.screens.conftest import Trail, button, settle, words

WORDS = "Little Oak is an online shop in Berlin. We sell wooden toys to parents; many baskets are left unpaid."


def test_without_a_business_nothing_claims_to_fit(workspace: Workspace, trail: Trail, open_page) -> None:
    page = open_page(TemplatesPage(workspace, trail))
    assert page.cards.header.title.text() == "Tell us about your business"
    assert "fit" not in words(page.cards).lower().split()
    assert "per 1,000 people" not in words(page.cards)


def test_a_few_words_become_facts_a_ranking_and_a_workflow(
    workspace: Workspace, trail: Trail, open_page, qtbot
) -> None:
    page = open_page(TemplatesPage(workspace, trail), "words")
    page.business.words.setPlainText(WORDS)
    button(page, "Understand").click()
    settle(qtbot)
    assert workspace.templates.context().fact("name").value == "Little Oak"
    assert page.cards.header.title.text() == "Recommended for Little Oak"
    assert "90 % interval" in words(page.cards)
    assert "Strong fit" in words(page.cards) or "Likely fit" in words(page.cards)
    button(page, f"Use template {page._gallery.offers[0].title}").click()
    settle(qtbot)
    (made,) = workspace.workflows.list()
    assert trail.calls == [("workflow", made.id)]
    assert workspace.workflows.check(workspace.workflows.get(made.id)) == ()


def test_words_that_say_nothing_are_answered_at_the_field(workspace: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(workspace, trail), "words")
    page.business.words.setPlainText("zzz")
    button(page, "Understand").click()
    settle(qtbot)
    assert "Nothing could be understood" in words(page.business)
    assert workspace.templates.context().facts == ()


def test_a_saved_page_is_read(workspace: Workspace, trail: Trail, open_page, qtbot, tmp_path: Path) -> None:
    file = tmp_path / "shop.html"
    file.write_text(
        f"<html lang='en'><head><title>Little Oak</title></head><body><p>{WORDS}</p></body></html>", encoding="utf-8"
    )
    page = open_page(TemplatesPage(workspace, trail))
    page.read_page(file)
    settle(qtbot)
    assert workspace.templates.context().fact("language").value == "en"


def test_a_missing_page_is_answered_at_the_field(
    workspace: Workspace, trail: Trail, open_page, qtbot, tmp_path: Path
) -> None:
    page = open_page(TemplatesPage(workspace, trail))
    page.read_page(tmp_path / "none.html")
    settle(qtbot)
    assert page.business._address_field.error


def test_a_fact_is_corrected_in_place_and_kept(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    button(page, "Correct discount").click()
    line = page.business._editor.findChild(QLineEdit)
    line.setText("lots")
    button(page, "Save").click()
    assert "Write a number" in words(page.business)
    line.setText("15 %")
    button(page, "Save").click()
    settle(qtbot)
    fact = shop.templates.context().fact("discount")
    assert (fact.value, fact.confidence) == (0.15, 1.0)
    assert "15 %" in words(page.business)


def test_a_business_type_is_confirmed_with_one_click(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    choice = shop.templates.types(shop.templates.context())[1]
    button(page, f"This is it: {choice.title}").click()
    settle(qtbot)
    first = shop.templates.types(shop.templates.context())[0]
    assert (first.id, first.is_confirmed) == (choice.id, True)
    assert page._chosen == page._gallery.offers[0].template.id, "nobody picked one: the best suited is filled in"


def test_a_template_that_was_picked_stays_when_more_is_known(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    picked = page._gallery.offers[-1].template.id
    page.choose(picked)
    page.business.type_confirmed.emit("hospitality")
    settle(qtbot)
    assert page._chosen == picked


def test_a_setting_is_changed_in_place_and_its_errors_are_words(
    shop: Workspace, trail: Trail, open_page, qtbot
) -> None:
    page = open_page(TemplatesPage(shop, trail), "cart-recovery")
    page.settings.edit("first_after")
    page.settings.editor.control.widget.setText("soon")
    button(page.settings, "Save").click()
    settle(qtbot)
    assert "Write it like" in page.settings.editor.field.error
    page.settings.editor.control.widget.setText("2 hours")
    button(page.settings, "Save").click()
    settle(qtbot)
    page.settings.edit("discount")
    assert isinstance(page.settings.editor.control.widget, DecimalField)
    page.settings.editor.control.widget.setValue(20)
    button(page.settings, "Save").click()
    settle(qtbot)
    button(page, "Create workflow").click()
    settle(qtbot)
    parameters = shop.workflows.get(trail.calls[0][1]).template.parameters
    assert (parameters["first_after"], parameters["discount"]) == ("PT2H", 0.2)


@pytest.mark.slow
def test_every_setting_can_be_opened_and_saved_as_it_is(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail), "cart-recovery")
    before = {p.name: p.value for p in page.settings._filled.parameters}
    kinds = {type(value): name for name, value in before.items()}
    for name in {*kinds.values(), "subject", "first_after"}:
        page.settings.edit(name)
        page.settings.changed.emit(name, page.settings.editor.control.text())
        settle(qtbot)
        assert page.settings.editor is None, name
    after = {p.name: p.value for p in page.settings._filled.parameters}
    assert {name: _length(value) for name, value in after.items()} == {n: _length(v) for n, v in before.items()}


def _length(value: object) -> object:
    """Durations as lengths: two days may be written P2D or PT48H."""
    return parse_duration(value) if isinstance(value, str) and value.startswith("P") else value


def test_a_setting_saved_as_it_was_stays_the_programs(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail), "cart-recovery")
    before = page.settings._filled.parameters
    page.settings.edit("third_after")
    button(page.settings, "Save").click()
    settle(qtbot)
    assert page.settings.editor is None
    assert page.settings._filled.parameters == before


def test_a_run_that_changes_does_not_close_what_is_being_typed(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail), "cart-recovery")
    page.settings.edit("subject")
    page.settings.editor.control.widget.setText("Half a sent")
    page.refresh()
    settle(qtbot)
    assert page.settings.editor.control.text() == "Half a sent"


def test_the_preview_shows_each_message_as_its_reader_gets_it(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    button(page, "Preview Cart recovery").click()
    settle(qtbot)
    shown = words(page.settings)
    filled = {p.name: p.value for p in shop.templates.fill("cart-recovery", shop.templates.context())}
    assert str(filled["subject"]) in shown
    assert " Anna," in shown
    assert "{{" not in shown
    assert "${" not in shown


def test_search_finds_by_words_and_says_when_nothing_matches(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    page.cards.search.setText("basket")
    assert "cart-recovery" in page.cards._small
    assert "welcome-series" not in page.cards._small
    page.cards.search.setText("no such thing")
    assert page.cards._small == {}
    settle(qtbot)
    assert "No template matches" in words(page.cards)


def test_two_templates_stand_side_by_side(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    first, second = (offer.title for offer in page._gallery.offers[:2])
    button(page, f"Compare {first} with another").click()
    settle(qtbot)
    assert f"Comparing {first}" in words(page.cards)
    button(page, f"Compare {second} with another").click()
    settle(qtbot)
    shown = words(page.cards._comparing)
    assert first in shown
    assert second in shown
    assert "Least sure of" in shown
    page.cards.close_comparison()
    assert page.cards._comparing.isHidden()


def test_a_star_makes_a_favourite_that_the_filter_finds(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    offer = page._gallery.offers[0]
    button(page, f"Add {offer.title} to favourites").click()
    settle(qtbot)
    assert shop.shelf.favourites() == (offer.template.id,)
    page.cards._filter("shelf", "favourite")
    assert list(page.cards._small) == [offer.template.id]
    page.cards._filter("shelf", "recent")
    assert set(page.cards._small) == set(shop.shelf.recent())


def test_the_filter_by_industry_keeps_what_suits_there(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    page.cards._filter("kind", "online_shop")
    assert "cart-recovery" in page.cards._small
    page.cards._filter("kind", "charity")
    assert "cart-recovery" not in page.cards._small


def test_pointing_at_a_card_plays_its_run_and_leaving_stops_it(shop: Workspace, trail: Trail, open_page, qtbot) -> None:
    page = open_page(TemplatesPage(shop, trail))
    card = next(iter(page.cards._big.values()))
    card.graph.play()
    assert card.graph.is_playing
    card.leaveEvent(QEvent(QEvent.Type.Leave))
    assert not card.graph.is_playing


def test_what_is_not_known_is_shown_as_unknown_and_can_be_added(workspace, trail: Trail, open_page, qtbot) -> None:
    workspace.templates.remember(workspace.templates.understand_text("We sell wooden toys online."))
    page = open_page(TemplatesPage(workspace, trail))
    assert "unknown" in words(page.business)
    button(page, "Correct audience").click()
    assert "Add audience" in words(page.business)


def test_trying_on_sample_data_makes_the_workflow_and_starts_it(
    shop: Workspace, trail: Trail, open_page, qtbot
) -> None:
    page = open_page(TemplatesPage(shop, trail))
    button(page, "Try on sample data").click()
    settle(qtbot)
    assert [call[0] for call in trail.calls] == ["workflow", "start"]


def test_a_language_model_is_off_until_switched_on_and_each_text_is_accepted_alone(
    workspace: Workspace, trail: Trail, open_page, qtbot, monkeypatch
) -> None:
    workspace.templates.remember(workspace.templates.understand_text(WORDS))
    page = open_page(TemplatesPage(workspace, trail), "cart-recovery")
    page.settings.view.set_value("wording")
    page.settings._show_view()
    page._show_model()
    settle(qtbot)
    assert "none is needed" in words(page.settings)
    page.settings.wording.model.setText("small")
    button(page, "Switch on").click()
    settle(qtbot)
    assert "What leaves this computer" in words(page.settings)
    assert "Little Oak" in words(page.settings)
    found = Suggestion("subject", "Subject A", "Still thinking it over?", "Your basket waits", "Shorter.", ())
    monkeypatch.setattr(workspace.assistant, "suggest", lambda *_arguments: (found,))
    button(page, "Suggest wording").click()
    settle(qtbot)
    button(page, "Accept for Subject A").click()
    settle(qtbot)
    assert page._overrides == {"subject": "Your basket waits"}
    button(page, "Switch off").click()
    settle(qtbot)
    assert workspace.assistant.settings() is None


def test_every_part_of_the_wording_panel_belongs_to_it(installed: QApplication) -> None:
    panel = WordingPanel()
    parts = [panel.kind, panel.url, panel.model, panel.key]
    assert all(panel.isAncestorOf(part) for part in parts), "a part of no owner outlives the window"
    panel.show_model(None)
    assert all(panel.isAncestorOf(part) for part in (panel.kind, *parts[1:]))
    panel.show_model(Model("m", "http://127.0.0.1:1", "words"))
    assert all(panel.isAncestorOf(part) for part in (panel.kind, *parts[1:]))
    panel.deleteLater()
