"""What is understood of six businesses from their own words, and of saved pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.errors import UserFixable
from studio.domain.template import BusinessContext
from studio.gallery.business_types import business_types, likelihood
from studio.gallery.context import confirm_type, correct, read_html, read_text, type_confirmed, unknown
from studio.gallery.figures import money_facts
from studio.gallery.page import read_page
from studio.gallery.page_owner import domain_name

BUSINESSES = {
    "coffee": (
        "Nordlicht Kaffee is a small roastery in Hamburg with an online shop at www.nordlicht-kaffee.example. We sell "
        "freshly roasted beans and tea to home brewers and ship across Germany. People fill a basket and then do not "
        "finish. New subscribers get 10 % off. The average order is 32 €. Our tone is warm and expert. We want more "
        "repeat orders."
    ),
    "dentist": (
        "Zahnarztpraxis Dr. Sommer in Leipzig. Wir behandeln Familien und Senioren, Termine nach Vereinbarung, unsere "
        "Sprechzeiten sind Montag bis Freitag. Wir haben keinen Onlineshop. Viele Patienten erscheinen nicht, wir "
        "möchten weniger versäumte Termine."
    ),
    "software": (
        "Ledgerly helps finance teams in mid-sized companies automate approvals. The platform integrates with your "
        "ERP. Book a demo or start a free trial. Trusted by 200 enterprises. Plans from $49 per month."
    ),
    "charity": (
        "Der Tierschutzverein Pfote e.V. kümmert sich um herrenlose Hunde und Katzen in Köln. Wir leben von Spenden "
        "und der Arbeit vieler Ehrenamtlicher und brauchen mehr Spenden vor dem Winter."
    ),
    "restaurant": (
        "Bella Napoli ist eine Pizzeria in Graz. Tisch reservieren per Telefon, Mittagstisch ab 9,90 €. Unsere Gäste "
        "sind Familien aus der Nachbarschaft."
    ),
    "gym": (
        "We are Iron Lane, a gym and yoga studio in Portland. Monthly memberships, classes every day, personal "
        "training. Members sign up and then never come back, and we want less churn."
    ),
}
KIND = {
    "coffee": "consumables_shop",
    "dentist": "health",
    "software": "b2b_software",
    "charity": "charity",
    "restaurant": "restaurant",
    "gym": "wellness",
}
KNOWN = {
    "coffee": {
        "name": "Nordlicht Kaffee",
        "website": "https://www.nordlicht-kaffee.example/",
        "sells": "freshly roasted beans and tea",
        "audience": "home brewers",
        "tone": "warm, expert",
        "market": "Germany",
        "language": "en",
        "currency": "EUR",
        "goal": "more repeat orders",
        "order_value": 32.0,
        "discount": 0.1,
        "sells_online": True,
        "has_cart": True,
        "consumable": True,
    },
    "dentist": {
        "name": "Zahnarztpraxis Dr. Sommer",
        "market": "Germany",
        "language": "de",
        "goal": "fewer missed appointments",
        "sells_online": False,
        "appointments": True,
    },
    "software": {
        "name": "Ledgerly",
        "language": "en",
        "currency": "USD",
        "price": 49.0,
        "demo": True,
        "trial": True,
        "sells_to_business": True,
        "subscription": True,
    },
    "charity": {
        "name": "Tierschutzverein Pfote e.V",
        "market": "Germany",
        "language": "de",
        "goal": "more donations",
        "donations": True,
        "volunteers": True,
    },
    "restaurant": {
        "name": "Bella Napoli",
        "market": "Austria",
        "language": "de",
        "currency": "EUR",
        "price": 9.9,
        "bookings": True,
        "serves_guests": True,
    },
    "gym": {
        "name": "Iron Lane",
        "market": "United States",
        "language": "en",
        "membership": True,
        "courses": True,
        "goal": "keep customers",
    },
}
NOT_SAID = {
    "coffee": ("donations", "appointments", "trial", "subscription"),
    "dentist": ("has_cart", "donations", "trial", "price", "discount"),
    "software": ("has_cart", "donations", "discount", "audience_size"),
    "charity": ("has_cart", "sells_online", "currency_sign", "price"),
    "restaurant": ("has_cart", "sells_online", "discount", "trial"),
    "gym": ("has_cart", "donations", "price", "discount"),
}


@pytest.mark.parametrize("who", BUSINESSES)
def test_what_is_said_is_understood(who):
    context = read_text(BUSINESSES[who])
    found = {fact.name: fact.value for fact in context.facts}
    assert {name: found.get(name) for name in KNOWN[who]} == KNOWN[who]
    assert context.types[0] == KIND[who]
    assert len(context.types) == 3


@pytest.mark.parametrize("who", BUSINESSES)
def test_what_is_not_said_stays_unknown(who):
    context = read_text(BUSINESSES[who])
    assert [name for name in NOT_SAID[who] if context.fact(name) is not None] == []


@pytest.mark.parametrize("who", BUSINESSES)
def test_every_fact_quotes_the_text_and_is_less_than_certain(who):
    text = BUSINESSES[who]
    for fact in read_text(text).facts:
        assert 0 < fact.confidence < 1
        assert fact.evidence
        if "“" in fact.evidence:
            quoted = fact.evidence.split("“", 1)[1].rsplit("”", 1)[0].replace("… ", "").replace(" …", "")
            assert quoted in text, fact


def test_empty_and_empty_words_give_nothing():
    assert read_text("").facts == ()
    assert read_text("  \n ") == BusinessContext()
    nothing = read_text("hmm ok")
    assert nothing.fact("industry") is None
    assert nothing.fact("language") is None


@given(st.text(max_size=400))
def test_any_text_is_read_without_failing(text):
    context = read_text(text)
    assert len({fact.name for fact in context.facts}) == len(context.facts)
    assert all(0 < fact.confidence <= 1 for fact in context.facts)


@given(st.text(max_size=200))
def test_shares_of_types_are_shares(text):
    shares = likelihood(text)
    assert set(shares) == {kind.id for kind in business_types()}
    assert abs(sum(shares.values()) - 1) < 1e-9


def test_a_cue_that_is_denied_does_not_count():
    assert (
        likelihood("We run an online shop")["online_shop"]
        > 2 * likelihood("We do not run an online shop")["online_shop"]
    )
    assert read_text("We have no online shop.").fact("sells_online").value is False


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Beans from £1,250.50 a sack", "price", 1250.5),
        ("Ab 1.250,50 € pro Sack", "price", 1250.5),
        ("CHF 19.90 each", "price", 19.9),
        ("der durchschnittliche Warenkorb liegt bei 48 €", "order_value", 48.0),
        ("15% off with the code SPRING", "discount", 0.15),
        ("20 Prozent Rabatt für Neukunden", "discount", 0.2),
    ],
)
def test_figures_are_read_in_both_ways_of_writing(text, name, value):
    assert {fact.name: fact.value for fact in money_facts(text)}[name] == value


@pytest.mark.parametrize("text", ["100 % organic cotton", "we were founded in 1998", "call 0341 123456", "30 people"])
def test_other_numbers_are_not_money(text):
    assert money_facts(text) == []


def test_a_correction_is_believed_and_can_be_taken_back():
    context = read_text(BUSINESSES["coffee"])
    corrected = correct(context, "market", "Austria")
    fact = corrected.fact("market")
    assert (fact.value, fact.confidence, fact.evidence) == ("Austria", 1.0, "You said so.")
    assert correct(corrected, "market", None).fact("market") is None
    assert len(corrected.facts) == len(context.facts)


def test_a_confirmed_type_comes_first_and_a_misspelt_one_is_refused():
    context = read_text(BUSINESSES["coffee"])
    assert type_confirmed(context) is None
    sure = confirm_type(context, "online_shop")
    assert type_confirmed(sure) == "online_shop"
    assert sure.types[0] == "online_shop"
    assert sure.fact("industry").value == "Online shop"
    with pytest.raises(UserFixable) as caught:
        confirm_type(context, "online_shp")
    assert caught.value.hint == "Did you mean “online_shop”?"


SHOP = """<!doctype html><html lang="de-DE"><head><title>Startseite | Bergtee</title>
<meta name="description" content="Kräutertee aus den Alpen, direkt vom Hof.">
<meta property="og:site_name" content="Bergtee"><meta name="theme-color" content="#2b7a4b">
<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
{"@type":"Organization","name":"Bergtee Manufaktur","address":{"@type":"PostalAddress","addressCountry":"AT"}},
{"@type":"Product","name":"Almblüte","offers":{"@type":"Offer","price":"8.90","priceCurrency":"EUR"}},
{"@type":"Product","name":"Gipfel","offers":[{"@type":"Offer","price":12.5,"priceCurrency":"EUR"}]}]}</script>
<script type="application/ld+json">{ broken</script><style>body{color:#333} .x{color:#0d6efd}</style></head>
<body><nav><a href="/menu">Menu Restaurant</a></nav><h1>Kräutertee</h1><p>Wir verkaufen Kräutertee an Wanderer.</p>
<a href="/warenkorb">Zum Warenkorb</a><form><input type="email"></form>
<a href="https://www.instagram.com/bergtee">Instagram</a><script>var text = "Zahnarzt";</script></body></html>"""


def test_a_saved_page_is_read_with_where_each_fact_stood():
    context = read_html(SHOP, "https://www.bergtee.at/")
    found = {fact.name: fact.value for fact in context.facts}
    wanted = {
        "name": "Bergtee Manufaktur",
        "website": "https://www.bergtee.at/",
        "language": "de",
        "currency": "EUR",
        "market": "Austria",
        "brand_colour": "#2b7a4b",
        "has_cart": True,
        "sells_online": True,
        "price": 12.5,
        "newsletter": True,
        "channels": "instagram",
        "about": "Kräutertee aus den Alpen, direkt vom Hof.",
    }
    assert {name: found.get(name) for name in wanted} == wanted
    assert context.fact("name").evidence == "structured data (Organization)"
    assert "warenkorb" in context.fact("has_cart").evidence
    assert set(context.types) & {"online_shop", "consumables_shop"}
    assert "Zahnarzt" not in context.text
    assert "Restaurant" not in context.text


def test_the_name_falls_back_from_site_name_to_title_to_address():
    assert read_page("<title>Home – Oak &amp; Iron</title>").name.value == "Oak & Iron"
    named = "<title>Best oak tables for every home in the land | Oak Iron</title>"
    assert read_page(named, "https://oak-iron.example").name.value == "Oak Iron"
    assert read_page("<p>x</p>", "https://www.oak-iron.co.uk/x").name.value == "Oak Iron"
    assert read_page("<p>x</p>").name is None


def test_a_stock_style_sheet_is_no_brand():
    assert read_page("<style>.btn{background:#0d6efd} p{color:#222}</style>").colour is None
    page = read_page("<style>:root{--brand-colour:#A52} .btn{background:#0d6efd}</style>")
    assert page.colour.value == "#aa5522"


@pytest.mark.parametrize(
    "html", ["", "<", "<html><body>", "\x00<p>", "<script type='application/ld+json'>[[[</script>"]
)
def test_broken_pages_are_read_as_far_as_they_go(html):
    read_html(html, "not an address")


@given(st.text(max_size=300))
def test_any_page_is_read_without_failing(html):
    read_html(html)


def test_telling_part_of_an_address():
    assert domain_name("https://www.bloom-barley.example/shop") == "bloom-barley"
    assert domain_name("shop.bloom.co.uk") == "bloom"
    assert domain_name("localhost") is None


def test_logo_offers_and_colours_are_found_and_addresses_made_whole():
    page = read_page(
        "<style>a{color:#aa5522} b{color:#aa5522} i{color:#117755}</style>"
        '<script type="application/ld+json">{"@type":"Product","name":"Huila","offers":{"price":"9.50",'
        '"priceCurrency":"EUR"}}</script><img src="/img/logo.svg" alt="Bergtee"><span itemprop="price">4,90 €</span>',
        "https://bergtee.example/shop/",
    )
    assert page.logo.value == "https://bergtee.example/img/logo.svg"
    assert page.offers == ("Huila: 9.50 EUR",)
    assert page.colours == ("#aa5522", "#117755")
    assert page.prices == (9.5,)
    assert read_page('<i itemprop="price">4,90 €</i>').prices == (4.9,)


def test_chance_meetings_of_words_on_a_page_are_no_facts():
    article = "<p>He might abandon the party. It offers you sense. We make it better. Great basket of reasons.</p>"
    context = read_html(f"<title>News</title>{article}")
    assert context.fact("goal") is None
    assert context.fact("sells") is None
    assert {"goal", "sells", "audience"} <= set(unknown(context))


def test_a_contradiction_is_said_and_makes_a_fact_doubtful():
    page = (
        '<html lang="en"><script type="application/ld+json">{"@type":"Product","offers":{"price":"9",'
        '"priceCurrency":"USD"}}</script><p>All prices in €. The usual order is € 40 for two bags.</p></html>'
    )
    fact = read_html(page).fact("currency")
    assert fact.value == "USD"
    assert fact.confidence < 0.5
    assert "EUR" in fact.evidence
    assert read_text("We ship from Berlin; a bag costs € 12.").fact("currency").confidence > 0.5


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("A language school in Vienna with German courses.", "market", "Austria"),
        ("Sprachschule in Wien: Deutschkurse in Gruppen.", "name", None),
        ("Fitnessstudio in Köln mit Kursen.", "name", None),
        ("Onlineshop für Laufschuhe. Versandkostenfrei ab 60 Euro.", "price", None),
        ("Running shoes. Free shipping over 60 pounds, socks for 9 pounds.", "price", 9.0),
        ("We sell and let houses and flats, and value your home.", "sells", "houses and flats"),
        ("Wir verkaufen und vermieten Häuser und bewerten Ihr Haus.", "sells", "Häuser"),
        ("Take pride in your work, it shows.", "events", None),
        ("Walk into our shop and try our bread.", "local", True),
    ],
)
def test_what_a_reader_would_not_misread(text: str, name: str, wanted: object) -> None:
    fact = read_text(text).fact(name)
    assert (fact.value if fact else None) == wanted


def test_a_saved_page_says_where_it_was_saved_from():
    page = "<!-- saved from url=(0027)https://oak-iron.example/home --><title>Oak Iron: desks | Home</title>"
    context = read_html(page)
    assert context.fact("website").value == "https://oak-iron.example/home"
    assert read_html("<p>Read more at www.other.example.</p>").fact("website") is None


def test_logos_of_customers_are_not_the_owners():
    customers = '<img src="a-logo.png"><img src="b-logo.png">'
    head = '<header><img src="own-logo.png"></header>'
    assert read_page(f"{head}{customers}").logo.value == "own-logo.png"
    assert read_page(customers).logo is None


def test_the_copyright_line_names_the_owner():
    page = read_page("<title>Best desks in town | Buy now</title><p>© 2026 Oak &amp; Iron. All rights reserved.</p>")
    assert (page.name.value, page.name.where) == ("Oak & Iron", "the copyright line")
    named = read_page("<title>Best desks | Oak &amp; Iron</title><h1>Oak &amp; Iron</h1><p>© 2026 Your Website</p>")
    assert (named.name.value, named.name.where) == ("Oak & Iron", "title, and the first heading")


def test_two_currencies_or_discounts_in_the_same_words_are_a_question() -> None:
    told = read_text(
        "Prices in euros. New customers get 20 % off; all prices are in US dollars. We offer 10 % off in May."
    )
    for name, first, other in (("currency", "EUR", "USD"), ("discount", 0.2, "0.1")):
        fact = told.fact(name)
        assert fact is not None
        assert (fact.value, fact.confidence <= 0.45) == (first, True)
        assert f"“{other}” stands there too" in fact.evidence
    once = read_text("Prices in euros, from 9 euros. 10 % off in May, 10 % off in June.")
    assert [once.fact(name).confidence for name in ("currency", "discount")] == [0.95, 0.85]
    assert read_text("We offer 10 % off for new customers.").fact("sells") is None
