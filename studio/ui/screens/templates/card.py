"""One template as a card: how well it suits and why, what it should bring, and its run in small while one points at it.

Absent on purpose: the order of cards, and search (`cards`).
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent
from PySide6.QtWidgets import QLayout, QWidget

from studio.domain.template import Recommendation
from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.expectations import Expectation, counted, expectation, result_here
from studio.ui.screens.templates.trying import Gallery, Offer

REASONS_SHOWN = 2
CHANNELS = {"email": "Email", "sms": "SMS", "push": "Push", "web": "Web", "whatsapp": "WhatsApp", "post": "Post"}


class TemplateCard(w.Card):
    """Plays the run in small while the pointer or the keyboard is on it.

    Signals with the template's id: `chosen`, `used`, `previewed`, `compared`; `favoured` with its new state. Of own
    templates also `shared` and `removed`.
    """

    chosen = Signal(str)
    used = Signal(str)
    previewed = Signal(str)
    compared = Signal(str)
    favoured = Signal(str, bool)
    shared = Signal(str)
    removed = Signal(str)

    def __init__(self, offer: Offer) -> None:
        super().__init__(padding=14, spacing=8, clickable=True, name=offer.title)
        self.offer = offer
        self.graph = c.MiniGraph(f"Steps of {offer.title}", offer.graph)
        self.clicked.connect(lambda: self.chosen.emit(offer.template.id))

    def enterEvent(self, event: QEnterEvent) -> None:
        self.graph.play()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.graph.stop()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.graph.play()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.graph.stop()
        super().focusOutEvent(event)

    def star(self) -> QWidget:
        """The button that makes it a favourite, or one no longer."""
        is_one = self.offer.is_favourite
        words = f"{'Remove' if is_one else 'Add'} {self.offer.title} {'from' if is_one else 'to'} favourites"
        name = self.offer.template.id
        return w.IconButton("star!" if is_one else "star", words, lambda: self.favoured.emit(name, not is_one), size=15)

    def scales(self) -> QWidget:
        """The button that compares it with another."""
        name = self.offer.template.id
        return w.IconButton(
            "scale", f"Compare {self.offer.title} with another", lambda: self.compared.emit(name), size=15
        )

    def own(self) -> Sequence[QWidget]:
        """The buttons that an own template has besides."""
        if not self.offer.is_own:
            return ()
        name, title = self.offer.template.id, self.offer.title
        return (
            w.IconButton("upload", f"Share {title} …", lambda: self.shared.emit(name), size=15),
            w.IconButton("trash-2", f"Remove {title}", lambda: self.removed.emit(name), size=15),
        )


def big_card(offer: Offer, number: int, gallery: Gallery) -> TemplateCard:
    """A card of the ranking's top, with reasons and what is expected."""
    card = TemplateCard(offer)
    titles = w.column(w.Text(offer.title, "subheading"), w.Text(kind_words(offer), "secondary", "muted"), spacing=2)
    icons = w.panel(w.column(card.star(), card.scales(), *card.own(), spacing=2))
    parts: list[QWidget | QLayout] = [titles, icons]
    if offer.recommendation is not None:  # without one there is no order, and nothing that looks like a rank
        mark = _ring(offer.recommendation)
        parts = [mark, *parts]
        band = w.BANDS[offer.recommendation.band][0].capitalize()
        titles.addWidget(w.Text(band, "secondary", "accent"))
    head = w.row(*parts, spacing=10)
    head.setStretch(parts.index(titles), 1)
    for part in parts:
        if isinstance(part, QWidget):
            head.setAlignment(part, Qt.AlignmentFlag.AlignTop)
    card.add(head, card.graph)
    for reason in reasons(offer):
        card.add(w.Paragraph(reason))
    card.add(w.STRETCH)
    for part in _expected(offer, gallery):
        card.add(part)
    card.add(_buttons(card, is_first=number == 0))
    return card


def small_card(offer: Offer, gallery: Gallery) -> TemplateCard:
    """A card of all the others."""
    card = TemplateCard(offer)
    titles = w.column(w.Text(offer.title, "strong"), spacing=4)
    if offer.recommendation is not None:
        titles.addWidget(w.Pill(fit_words(offer.recommendation)), alignment=Qt.AlignmentFlag.AlignLeft)
    icons = w.panel(w.row(*card.own(), card.scales(), card.star(), spacing=0))
    head = w.row(titles, icons, spacing=6)
    head.setStretch(0, 1)
    head.setAlignment(icons, Qt.AlignmentFlag.AlignTop)
    card.add(head, card.graph)
    card.add(w.Text(offer.template.description["en"], "secondary", "muted"), w.STRETCH)
    found = promise(offer, gallery)
    line = f"{kind_words(offer)} · {found.headline} expected" if found is not None else kind_words(offer)
    here = result_here(offer.outcomes, gallery.currency)
    card.add(w.Text(here or line, "caption", "secondary" if here else "muted"))
    return card


def fit_words(recommendation: Recommendation) -> str:
    """How well it suits: a percentage where it is calibrated, else the band."""
    if recommendation.confidence is None:
        return w.BANDS[recommendation.band][0]
    return f"{numbers.percent(recommendation.confidence)} fit"


def kind_words(offer: Offer) -> str:
    """Channels and size, and whose it is: “Yours · Email + SMS · 9 steps”."""
    channels = " + ".join(CHANNELS.get(name, name) for name in offer.template.channels)
    words = f"{channels} · {numbers.plural(len(offer.template.workflow.nodes), 'step')}"
    return f"Yours · {words}" if offer.is_own else words


def reasons(offer: Offer) -> Sequence[str]:
    """The reasons that say most, those that rest on a fact of the business first."""
    if offer.recommendation is None:
        return [offer.template.description["en"], f"Typical for: {offer.template.typical_for}"]
    ordered = sorted(offer.recommendation.reasons, key=lambda reason: reason.fact is None)
    return [reason.text for reason in ordered[:REASONS_SHOWN]]


def _ring(recommendation: Recommendation) -> w.Ring:
    sure = recommendation.confidence
    if sure is None:
        words = f"{w.BANDS[recommendation.band][0].capitalize()}: no share is known for it yet"
        return w.Ring.for_band(recommendation.band, name=words)
    words = f"{w.BANDS[recommendation.band][0].capitalize()}: of such cards {round(100 * sure)} in 100 suit"
    return w.Ring(sure, str(round(100 * sure)), name=words)


def promise(offer: Offer, gallery: Gallery) -> Expectation | None:
    """What the template is expected to bring; None where it is not ranked or nothing is predicted."""
    if offer.recommendation is None:
        return None
    return expectation(offer.recommendation.prediction, gallery.currency, counted(offer.template))


def _expected(offer: Offer, gallery: Gallery) -> list[QWidget]:
    parts: list[QWidget] = []
    found = promise(offer, gallery)
    if found is not None:
        source = w.ElidingLabel(found.source, "caption", "muted")
        parts = [w.Text(found.headline, "subheading"), w.Text(found.span, "secondary", "muted"), source]
    here = result_here(offer.outcomes, gallery.currency)
    parts.append(w.Text(here or "New for you", "secondary", "secondary" if here else "muted"))
    return parts


def _buttons(card: TemplateCard, *, is_first: bool) -> QWidget:
    offer = card.offer
    name = offer.template.id
    use = (w.PrimaryButton if is_first else w.SecondaryButton)("Use template", lambda: card.used.emit(name))
    use.setAccessibleName(f"Use template {offer.title}")
    look = w.SecondaryButton("Preview", lambda: card.previewed.emit(name))
    look.setAccessibleName(f"Preview {offer.title}")
    return w.flowing(use, look)
