"""Real saved pages of four trades, from the page to the figures of a simulated run, without a network.

What is expected of a page is what a marketer sees on it; where the pages come from stands in `data/pages/README.md`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.domain.template import BusinessContext
from studio.gallery.context import confirm_type, read_html
from studio.workspace.runs import RunOptions
from studio.workspace.workspace import Workspace

PAGES = Path(__file__).parents[1] / "data" / "pages"


def page(name: str) -> BusinessContext:
    return read_html((PAGES / f"{name}.html").read_text(encoding="utf-8"))


def values(context: BusinessContext) -> dict[str, object]:
    return {fact.name: fact.value for fact in context.facts}


def test_the_coffee_shop_is_not_called_after_who_made_its_design() -> None:
    context = page("coffee-shop")
    name = context.fact("name")
    assert name is not None
    assert (name.value, name.evidence) == ("Business Casual", "title, and the first heading")
    assert values(context)["local"] is True
    assert "has_cart" not in values(context)
    assert "restaurant" in context.types
    assert context.types[0] != "online_shop"


def test_the_store_page_tells_country_and_currency_by_its_address() -> None:
    said = values(page("coffee-shop-store"))
    assert said["market"] == "United States"
    assert said["currency"] == "USD"
    assert said["industry"] == "Restaurant, café or bar"


def test_the_agencys_logo_is_its_own_and_not_a_customers() -> None:
    said = values(page("agency"))
    assert said["name"] == "Agency"
    assert said["logo"] == "assets/img/navbar-logo.svg"
    assert said["industry"] == "Agency, consultancy and advisers"
    assert "sells_online" not in said, "it builds shops for others"
    assert "website" not in said, "the address in its text is somebody else's"
    assert "newsletter" not in said, "a form with a message is for writing to it"


def test_the_shop_has_a_cart_and_prices_in_dollars() -> None:
    said = values(page("online-shop"))
    assert (said["industry"], said["has_cart"], said["currency"]) == ("Online shop", True, "USD")
    assert said["price"] in (40.0, 45.0)


def test_the_software_page_says_who_and_where_it_is() -> None:
    context = page("software")
    said = values(context)
    assert (said["name"], said["audience"], said["language"]) == ("Mozilla", "developers", "en")
    assert said["website"] == "https://www.mozilla.org/", "the site, not the page deep inside it"
    assert context.types[0] == "self_serve_software"


@pytest.mark.parametrize("name", ["coffee-shop", "coffee-shop-store", "agency", "online-shop", "software"])
def test_every_fact_says_where_it_was_found_and_none_is_certain(name: str) -> None:
    for fact in page(name).facts:
        assert fact.evidence, fact
        assert 0 < fact.confidence < 1, fact


def people(folder: Path) -> tuple[Path, Path]:
    """A list of sixty people and how to read it."""
    listed, mapping = folder / "people.csv", folder / "people.toml"
    listed.write_text("email\n" + "".join(f"p{number}@example.com\n" for number in range(60)))
    consent = 'consent = { topic = "marketing", basis = "test", source = "a test" }'
    mapping.write_text(f'key = "email"\nemail = "email"\n{consent}\n')
    return listed, mapping


@pytest.mark.parametrize(
    ("name", "kind", "template"),
    [
        ("coffee-shop", "restaurant", "local-first-visit"),
        pytest.param("agency", "professional_services", "b2b-nurture", marks=pytest.mark.slow),
        pytest.param("online-shop", "online_shop", "cart-recovery", marks=pytest.mark.slow),
        pytest.param("software", "self_serve_software", "trial-onboarding", marks=pytest.mark.slow),
    ],
)
def test_from_a_saved_page_to_the_figures_of_a_run(name: str, kind: str, template: str, tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "workspace") as workspace:
        workspace.people.import_contacts(*people(tmp_path))
        context = workspace.templates.understand_page(PAGES / f"{name}.html")
        assert kind in context.types, "one click away"
        context = confirm_type(context, kind)
        workspace.templates.remember(context)
        cards = {card.template: card for card in workspace.templates.recommend(context, top=3).recommendations}
        assert cards[template].band != "worth_a_look"
        made = workspace.templates.create(template, context)
        assert not [parameter for parameter in made.parameters if parameter.value in (None, "")]
        run_id = workspace.runs.start(made.workflow, RunOptions(seed=3), workflow_id=made.workflow_id)
        assert workspace.runs.wait(run_id) == "done"
        counted = {step.title: step.people for step in workspace.insights.of_run(run_id).funnel.steps}
        assert counted["Entered"] >= counted["Sent"] >= counted["Opened"] > 0
