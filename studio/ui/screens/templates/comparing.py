"""Two templates side by side: fit, what they do, what they need and what they should bring.

Absent on purpose: choosing for the person; each column has its own button.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from studio.ui import charts as c
from studio.ui import numbers
from studio.ui import widgets as w
from studio.ui.screens.expectations import result_here
from studio.ui.screens.templates.card import CHANNELS, fit_words, promise, reasons
from studio.ui.screens.templates.trying import Gallery, Offer

_EMPTY = "–"


class Comparison(w.Card):
    """Signals: `used(template id)`, `closed`."""

    used = Signal(str)
    closed = Signal()

    def __init__(self, first: Offer, second: Offer, gallery: Gallery) -> None:
        close = w.LinkButton("Close", lambda: self.closed.emit(), quiet=True)  # noqa: PLW0108 - no signal before QWidget is made
        super().__init__("Two templates side by side", close, name="Two templates side by side")
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, offer in enumerate((first, second), start=1):
            grid.addWidget(w.Text(offer.title, "subheading"), 0, column)
            grid.addWidget(c.MiniGraph(f"Steps of {offer.title}", offer.graph), 1, column)
        for line, (name, read) in enumerate(ROWS.items(), start=2):
            grid.addWidget(w.Text(name, "secondary", "muted"), line, 0)
            for column, offer in enumerate((first, second), start=1):
                cell = w.Text(read(offer, gallery) or _EMPTY, "body")
                cell.setAccessibleName(f"{name}, {offer.title}: {cell.text()}")
                grid.addWidget(cell, line, column)
        for column, offer in enumerate((first, second), start=1):
            grid.addWidget(self._use(offer), len(ROWS) + 2, column)
        holder = QWidget()
        holder.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        self.add(holder)

    def _use(self, offer: Offer) -> QWidget:
        button = w.SecondaryButton("Use template", lambda: self.used.emit(offer.template.id))
        button.setAccessibleName(f"Use template {offer.title}")
        return w.panel(w.row(button, w.STRETCH))


def _fit(offer: Offer, _gallery: Gallery) -> str:
    if offer.recommendation is None:
        return ""
    band = w.BANDS[offer.recommendation.band][0].capitalize()
    return band if offer.recommendation.confidence is None else f"{band}, {fit_words(offer.recommendation)}"


def _why(offer: Offer, _gallery: Gallery) -> str:
    return reasons(offer)[0] if offer.recommendation is not None else ""


def _expected(offer: Offer, gallery: Gallery) -> str:
    found = promise(offer, gallery)
    return f"{found.headline} {found.span}" if found is not None else ""


def _uncertain(offer: Offer, _gallery: Gallery) -> str:
    made = offer.recommendation.prediction.get("incremental_revenue_per_recipient") if offer.recommendation else None
    return made.driver[:1].upper() + made.driver[1:] if made is not None else ""


def _here(offer: Offer, gallery: Gallery) -> str:
    return result_here(offer.outcomes, gallery.currency) or "Not used yet"


def _needs(offer: Offer, _gallery: Gallery) -> str:
    needs = offer.template.needs
    return ", ".join((*(f"{kind.replace('_', ' ')} events" for kind in needs.events), *needs.fields))


def _channels(offer: Offer, _gallery: Gallery) -> str:
    return ", ".join(CHANNELS.get(name, name) for name in offer.template.channels)


def _size(offer: Offer, _gallery: Gallery) -> str:
    nodes = offer.template.workflow.nodes
    messages = sum(node.type.startswith("send.") for node in nodes)
    settings = numbers.plural(len(offer.template.parameters), "setting")
    return f"{numbers.plural(len(nodes), 'step')}, {numbers.plural(messages, 'message')}, {settings}"


ROWS: dict[str, Callable[[Offer, Gallery], str]] = {
    "What it does": lambda offer, _gallery: offer.template.description["en"],
    "Fit": _fit,
    "Why": _why,
    "Expected": _expected,
    "Least sure of": _uncertain,
    "Here so far": _here,
    "Channels": _channels,
    "Size": _size,
    "Needs": _needs,
    "Typical for": lambda offer, _gallery: offer.template.typical_for,
}
