"""Templates as cards: the three that suit best with their reasons and what they should bring, then all others.

Absent on purpose: a percentage of relevance; how well a template suits is a band in words, with reasons.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.expectations import expectation, result_here
from studio.ui.screens.place import Place
from studio.ui.screens.template_data import Gallery, Offer

TOP = 3
REASONS_SHOWN = 2
_CHANNELS = {"email": "Email", "sms": "SMS", "push": "Push", "web": "Web", "whatsapp": "WhatsApp", "post": "Post"}


class CardWall(w.ScrollColumn):
    """Signals with the template's id: `chosen` by a click, `used` (create it now), `previewed` (its messages)."""

    chosen = Signal(str)
    used = Signal(str)
    previewed = Signal(str)

    def __init__(self) -> None:
        super().__init__(margins=(18, 18, 18, 18), spacing=14)
        self._gallery: Gallery | None = None
        self._big: dict[str, w.Card] = {}
        self._small: dict[str, w.Card] = {}
        self._chosen = ""
        self.header = w.PageHeader("Templates")
        self.search = w.SearchField("Search templates")
        self.search.textChanged.connect(lambda _text: self._fill_rest())
        self._channel = ""
        self._top, self._rest = Place(spacing=0), Place(spacing=0)
        self._rest_title = w.SectionTitle("All templates", self.search)
        self._chips = Place()
        for part in (self.header, self._top, self._rest_title, self._chips, self._rest):
            self.add(part)

    def show_gallery(self, gallery: Gallery) -> None:
        """Lays out the cards anew."""
        self._gallery = gallery
        self._big.clear()
        self.header.set_finding(*_heading(gallery))
        grid = w.GridFlow(228, spacing=12, columns_max=TOP)
        for number, offer in enumerate(gallery.offers[:TOP]):
            grid.addWidget(self._big_card(offer, number, gallery))
        self._top.fill(w.panel(grid))
        self._fill_chips(gallery)
        self._fill_rest()

    def set_chosen(self, template_id: str) -> None:
        """Marks the template whose settings are shown."""
        self._chosen = template_id
        for name, card in (*self._big.items(), *self._small.items()):
            card.set_highlighted(name == template_id)

    def _fill_chips(self, gallery: Gallery) -> None:
        channels = sorted({channel for offer in gallery.offers for channel in offer.template.channels})
        if len(channels) > 1:
            choices = {"": "Any channel", **{name: _CHANNELS.get(name, name) for name in channels}}
            chip = w.MenuChip(choices, self._channel if self._channel in choices else "", name="Channel")
            chip.chosen.connect(self._set_channel)
            self._chips.fill(w.flowing(chip))
        self._chips.setVisible(len(channels) > 1)

    def _set_channel(self, channel: str) -> None:
        self._channel = channel
        self._fill_rest()

    def _fill_rest(self) -> None:
        if self._gallery is None:
            return
        found = self._matching(self._gallery)
        offers = self._gallery.offers
        if not (self.search.text().strip() or self._channel):
            found = list(offers[TOP:])
        for part in (self._rest_title, self._rest):
            part.setVisible(len(offers) > TOP)
        self._rest_title.title.setText(f"All {numbers.plural(len(offers), 'template')}")
        self._small.clear()
        if not found:
            words = w.Text("No template matches. Try another word.", "body", "muted")
            self._rest.fill(words)
            return
        grid = w.GridFlow(228, spacing=12, columns_max=TOP)
        for offer in found:
            grid.addWidget(self._small_card(offer))
        self._rest.fill(w.panel(grid))
        self.set_chosen(self._chosen)

    def _matching(self, gallery: Gallery) -> list[Offer]:
        words = self.search.text().lower().split()
        return [
            offer
            for offer in gallery.offers
            if (not self._channel or self._channel in offer.template.channels)
            and all(word in _searchable(offer) for word in words)
        ]

    def _big_card(self, offer: Offer, number: int, gallery: Gallery) -> w.Card:
        card = self._card(offer, padding=14)
        self._big[offer.template.id] = card
        kind = w.Text(_kind(offer), "secondary", "muted")
        titles = w.column(w.Text(offer.title, "subheading"), kind, spacing=2)
        mark: QWidget = w.Badge("accent", text=str(number + 1), name=f"number {number + 1}", size=28)
        if offer.recommendation is not None:
            mark = w.Ring.for_band(offer.recommendation.band, str(number + 1))
            titles.addWidget(w.Text(w.BANDS[offer.recommendation.band][0].capitalize(), "secondary", "accent"))
        head = w.row(mark, titles, spacing=10)
        head.setStretch(1, 1)
        head.setAlignment(mark, Qt.AlignmentFlag.AlignTop)
        card.add(head, c.MiniGraph(f"Steps of {offer.title}", offer.graph))
        for reason in _reasons(offer):
            card.add(w.Paragraph(reason))
        card.add(w.STRETCH)
        for part in _expected(offer, gallery):
            card.add(part)
        card.add(self._buttons(offer, is_first=number == 0))
        return card

    def _small_card(self, offer: Offer) -> w.Card:
        card = self._card(offer, padding=14)
        self._small[offer.template.id] = card
        head = w.row(w.Text(offer.title, "strong"))
        head.setStretch(0, 1)
        if offer.recommendation is not None:
            head.addWidget(w.Pill(w.BANDS[offer.recommendation.band][0]))
        card.add(head, c.MiniGraph(f"Steps of {offer.title}", offer.graph))
        card.add(w.Text(offer.template.description["en"], "secondary", "muted"), w.STRETCH)
        return card

    def _card(self, offer: Offer, padding: int) -> w.Card:
        card = w.Card(padding=padding, spacing=8, clickable=True, name=offer.title)
        card.clicked.connect(lambda: self.chosen.emit(offer.template.id))
        return card

    def _buttons(self, offer: Offer, *, is_first: bool) -> QWidget:
        name = offer.template.id
        use = (w.PrimaryButton if is_first else w.SecondaryButton)("Use template", lambda: self.used.emit(name))
        use.setAccessibleName(f"Use template {offer.title}")
        look = w.SecondaryButton("Preview", lambda: self.previewed.emit(name))
        look.setAccessibleName(f"Preview {offer.title}")
        return w.flowing(use, look)


def _heading(gallery: Gallery) -> tuple[str, str]:
    if not gallery.is_known:
        return (
            "Tell us about your business",
            "Then templates are ranked for it and filled in. You can also use one as it is.",
        )
    title = f"Recommended for {gallery.business}" if gallery.business else "Recommended for your business"
    return title, "Ranked by fit with your business, and by what worked here before"


def _kind(offer: Offer) -> str:
    channels = " + ".join(_CHANNELS.get(name, name) for name in offer.template.channels)
    return f"{channels} · {numbers.plural(len(offer.template.workflow.nodes), 'step')}"


def _reasons(offer: Offer) -> Sequence[str]:
    if offer.recommendation is None:
        return [offer.template.description["en"], f"Typical for: {offer.template.typical_for}"]
    # What rests on a fact of the business says more than what rests on words alone.
    ordered = sorted(offer.recommendation.reasons, key=lambda reason: reason.fact is None)
    return [reason.text for reason in ordered[:REASONS_SHOWN]]


def _expected(offer: Offer, gallery: Gallery) -> list[QWidget]:
    parts: list[QWidget] = []
    found = expectation(offer.recommendation.prediction, gallery.currency) if offer.recommendation is not None else None
    if found is not None:
        source = w.ElidingLabel(found.source, "caption", "muted")
        parts = [w.Text(found.headline, "subheading"), w.Text(found.span, "secondary", "muted"), source]
    here = result_here(offer.outcomes, gallery.currency)
    parts.append(w.Text(here or "New for you", "secondary", "secondary" if here else "muted"))
    return parts


def _searchable(offer: Offer) -> str:
    template = offer.template
    words = (offer.title, template.description["en"], template.typical_for, template.archetype, *template.goals)
    return " ".join(words).lower()
