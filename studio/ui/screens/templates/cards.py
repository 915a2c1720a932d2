"""Templates as cards: the three that suit best, then all others with search and filters; two of them side by side.

Absent on purpose: what stands on a card (`card`).
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.gradually import Gradually
from studio.ui.screens.place import Place
from studio.ui.screens.templates.card import CHANNELS, TemplateCard, big_card, small_card
from studio.ui.screens.templates.comparing import Comparison
from studio.ui.screens.templates.trying import SLATE, Gallery, Offer

_AT_ONCE = 8
"""Cards that are there in the first frame; the others follow from turn to turn."""
_SHELVES = {"": "All templates", "favourite": "Favourites", "recent": "Used lately", "own": "Your own"}


class CardWall(w.ScrollColumn):
    """Signals with the template's id: `chosen` by a click, `used` (create it now), `previewed` (its messages),
    `favoured` with its new state; of own templates `shared` and `removed`. `import_wanted`: one from a file."""

    chosen = Signal(str)
    used = Signal(str)
    previewed = Signal(str)
    favoured = Signal(str, bool)
    shared = Signal(str)
    removed = Signal(str)
    import_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(margins=(18, 18, 18, 18), spacing=14)
        self._gallery: Gallery | None = None
        self._big: dict[str, TemplateCard] = {}
        self._small: dict[str, TemplateCard] = {}
        self._adding = Gradually(self)
        self._chosen, self._compared = "", ""
        self._filters = {"kind": "", "channel": "", "shelf": ""}
        bring = w.SecondaryButton("Import template …", self.import_wanted.emit)
        bring.setToolTip("Opens a template that somebody shared. What it may do is shown first.")
        self.header = w.PageHeader("Templates", "", bring)
        self._notice = Place(spacing=0)
        self._notice.hide()
        self.search = w.SearchField("Search templates")
        self.search.textChanged.connect(lambda _text: self._fill_rest())
        self._comparing, self._top, self._rest = Place(spacing=0), Place(spacing=0), Place(spacing=0)
        self._rest_title = w.SectionTitle("All templates", self.search)
        self._chips, self._record = Place(), w.Text("", "secondary", "muted")
        for part in (
            self.header,
            self._notice,
            self._comparing,
            self._top,
            self._rest_title,
            self._chips,
            self._rest,
            self._record,
        ):
            self.add(part)
        self._comparing.hide()

    def show_gallery(self, gallery: Gallery) -> None:
        """Lays out the cards anew."""
        self._gallery = gallery
        self._big.clear()
        self.header.set_finding(*_heading(gallery))
        grid = w.GridFlow(204, spacing=12, columns_max=SLATE)
        for number, offer in enumerate(gallery.offers[:SLATE]):
            card = big_card(offer, number, gallery)
            self._big[offer.template.id] = self._connected(card)
            grid.addWidget(card)
        self._top.fill(w.panel(grid))
        self._record.setText(gallery.record)
        self._record.setVisible(bool(gallery.record))
        self._fill_chips(gallery)
        self._fill_rest()

    def show_notice(self, card: QWidget | None) -> None:
        """Puts something to decide about above the cards; None takes it away."""
        self._notice.fill(*(() if card is None else (card,)))
        self._notice.setVisible(card is not None)
        if card is not None:
            self.ensureWidgetVisible(self._notice)

    def set_chosen(self, template_id: str) -> None:
        """Marks the template whose settings are shown."""
        self._chosen = template_id
        for name, card in (*self._big.items(), *self._small.items()):
            card.set_highlighted(name == template_id)

    def compare(self, template_id: str) -> None:
        """The first call remembers a template, the second shows both side by side."""
        if not self._compared or self._compared == template_id:
            self._compared = template_id
            self._say_compared()
            return
        first, second = self._offer(self._compared), self._offer(template_id)
        self._compared = ""
        if self._gallery is not None and first is not None and second is not None:
            shown = Comparison(first, second, self._gallery)
            shown.used.connect(self.used)
            shown.closed.connect(self.close_comparison)
            self._comparing.fill(shown)
            self._comparing.show()
            self.ensureWidgetVisible(self._comparing)

    def close_comparison(self) -> None:
        """Takes the comparison away."""
        self._compared = ""
        self._comparing.fill()
        self._comparing.hide()

    def _say_compared(self) -> None:
        offer = self._offer(self._compared)
        if offer is not None:
            words = w.Text(f"Comparing {offer.title}: choose the scales on another template.", "secondary", "secondary")
            line = w.row(words, w.LinkButton("Cancel", self.close_comparison, quiet=True))
            line.setStretch(0, 1)
            self._comparing.fill(line)
            self._comparing.show()
            self.ensureWidgetVisible(self._comparing)

    def _offer(self, template_id: str) -> Offer | None:
        return self._gallery.offer(template_id) if self._gallery is not None else None

    def _connected(self, card: TemplateCard) -> TemplateCard:
        card.chosen.connect(self.chosen)
        card.used.connect(self.used)
        card.previewed.connect(self.previewed)
        card.compared.connect(self.compare)
        card.favoured.connect(self.favoured)
        card.shared.connect(self.shared)
        card.removed.connect(self.removed)
        return card

    def _fill_chips(self, gallery: Gallery) -> None:
        channels = sorted({channel for offer in gallery.offers for channel in offer.template.channels})
        lists = {
            "kind": {"": "All industries", **gallery.kinds},
            "channel": {"": "Any channel", **{name: CHANNELS.get(name, name) for name in channels}},
            "shelf": _SHELVES,
        }
        chips = []
        for name, choices in lists.items():
            if self._filters[name] not in choices:
                self._filters[name] = ""
            if len(choices) > 2:
                chip = w.MenuChip(choices, self._filters[name], name=name.capitalize())
                chip.chosen.connect(lambda key, name=name: self._filter(name, key))
                chips.append(chip)
        self._chips.fill(w.flowing(*chips))

    def show_shelf(self, shelf: str) -> None:
        """Shows only `favourite`, `recent` or `own` templates; all with an empty name."""
        self._filters["shelf"] = shelf
        if self._gallery is not None:
            self._fill_chips(self._gallery)
        self._fill_rest()

    def _filter(self, name: str, key: str) -> None:
        self._filters[name] = key
        self._fill_rest()

    def _fill_rest(self) -> None:
        if self._gallery is None:
            return
        offers = self._gallery.offers
        asked = bool(self.search.text().strip()) or any(self._filters.values())
        found = [offer for offer in offers if self._matches(offer)] if asked else list(offers[SLATE:])
        for part in (self._rest_title, self._chips, self._rest):
            part.setVisible(len(offers) > SLATE)
        title = f"{numbers.count(len(found))} of {numbers.plural(len(offers), 'template')}"
        self._rest_title.title.setText(title if asked else f"All {numbers.plural(len(offers), 'template')}")
        self._small.clear()
        if not found:
            self._adding.stop()
            self._rest.fill(w.Text(_nothing(self._filters["shelf"]), "body", "muted"))
            return
        grid = w.GridFlow(204, spacing=12, columns_max=SLATE, keeps_columns=True)
        self._rest.fill(w.panel(grid))
        gallery = self._gallery

        def add(offer: Offer) -> None:
            card = self._connected(small_card(offer, gallery))
            card.set_highlighted(offer.template.id == self._chosen)
            self._small[offer.template.id] = card
            grid.addWidget(card)

        self._adding.each(found, add, at_once=_AT_ONCE)

    def _matches(self, offer: Offer) -> bool:
        kind, channel, shelf = self._filters["kind"], self._filters["channel"], self._filters["shelf"]
        return (
            (not kind or kind in offer.kinds)
            and (not channel or channel in offer.template.channels)
            and (shelf != "favourite" or offer.is_favourite)
            and (shelf != "recent" or offer.is_recent)
            and (shelf != "own" or offer.is_own)
            and all(word in _searchable(offer) for word in self.search.text().lower().split())
        )


def _heading(gallery: Gallery) -> tuple[str, str]:
    if not gallery.is_known:
        return (
            "Tell us about your business",
            "Then templates are ranked for it and filled in. You can also use one as it is.",
        )
    title = f"Recommended for {gallery.business}" if gallery.business else "Recommended for your business"
    return title, "Ranked by fit with your business, and by what worked here before"


def _nothing(shelf: str) -> str:
    if shelf == "favourite":
        return "No favourites here yet. The star on a template makes it one."
    if shelf == "own":
        return "No own templates yet. Save a workflow as one on the canvas, or import one that somebody shared."
    if shelf == "recent":
        return "No template was used here yet."
    return "No template matches. Try another word, or fewer filters."


def _searchable(offer: Offer) -> str:
    template = offer.template
    words = (offer.title, template.description["en"], template.typical_for, template.archetype, *template.goals)
    return " ".join(words).lower()
