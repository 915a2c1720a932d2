"""The sections of a report that are about messages: what each did, its links, its credit, and when people open.

Absent on purpose: counting, and the sections about the run as a whole (`report`).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from studio.analytics.attribution import Attribution
from studio.analytics.drawing import bars, heatmap
from studio.analytics.findings import amount
from studio.analytics.report import BARS_MAX, Section, part, percent, share
from studio.analytics.timing import WEEKDAYS, Heat

LINKS_MAX = 20
MODEL_HEADS = {
    "linear": "Equal",
    "decay": "Time decay",
    "position": "First and last",
    "markov": "Without it",
    "shapley": "Fair share",
}
"""What the ways of sharing credit are called, as on screen; the first and the last touch keep their names."""


def steps_section(steps: pl.DataFrame, labels: Mapping[str, str], credit: pl.DataFrame, currency: str) -> Section:
    """What each message did: `steps` as `kpis.by_step` gives them, `labels` of the send steps in their order."""
    columns = steps.select("node_id", "kind", "people")
    counted = {(node, kind): people or 0 for node, kind, people in columns.iter_rows()}
    fair = dict(credit.filter(pl.col("model") == "shapley").select("channel", "value").iter_rows())
    rows = []
    for node, label in labels.items():
        sent, *did = (counted.get((node, kind), 0) for kind in ("sent", "opened", "clicked", "unsubscribed"))
        shares = (f"{people:,} ({share(part(people, sent))})" if sent else "–" for people in did)
        rows.append((label, f"{sent:,}", *shares, amount(fair.get(label, 0.0), currency)))
    if not rows:
        return Section("By message", "This workflow sends nothing.")
    said = "Different people, and their share of those it was sent to. Revenue is each message's fair share."
    heads = ("Message", "Sent", "Opened", "Clicked", "Unsubscribed", "Revenue")
    return Section("By message", said, "", heads, tuple(rows))


def links_section(links: pl.DataFrame, labels: Mapping[str, str]) -> Section:
    """What was clicked: `node_id, link, clicks, people`."""
    found = links.sort("clicks", descending=True).head(LINKS_MAX)
    if found.is_empty():
        return Section("What was clicked", "Nobody has clicked a link yet.")
    rows = tuple(
        (link or "any link", labels.get(node, node), f"{clicks:,}", f"{people:,}")
        for node, link, clicks, people in found.select("node_id", "link", "clicks", "people").iter_rows()
    )
    said = f"{links.get_column('clicks').sum():,} clicks; people can be in several rows."
    return Section("What was clicked", said, "", ("Link", "Message", "Clicks", "People"), rows)


def credit_section(found: Attribution, currency: str) -> Section:
    """Who gets the credit: the fair share (Shapley) in the chart, every model in the table."""
    credit = found.credit
    if credit.is_empty():
        return Section("Credit for revenue", "No order had an open or a click before it.")
    channels = credit.filter(pl.col("model") == "shapley").get_column("channel").to_list()
    models = credit.get_column("model").unique(maintain_order=True).to_list()
    shares = {(model, channel): of for model, channel, of in credit.select("model", "channel", "share").iter_rows()}
    drawn = [(c, shares["shapley", c], percent(shares["shapley", c], 0)) for c in channels[:BARS_MAX]]
    rows = tuple((channel, *(share(shares.get((model, channel), 0.0)) for model in models)) for channel in channels)
    heads = ("Message", *(MODEL_HEADS.get(model, model.title()) for model in models))
    said = (
        f"{found.attributed_orders:,} orders worth {amount(found.attributed_value, currency)} came after an open or a "
        "click. Credit is not cause; only the people held out tell what the messages brought."
    )
    return Section("Credit for revenue", said, bars(drawn, 1.0), heads, rows)


def timing_section(heat: Heat) -> Section:
    """When people open, in their own zone."""
    best = heat.best_hours()
    if best is None:
        return Section("When people open", "Nobody has opened a message yet.")
    start, most = best
    said = (
        f"{percent(most, 0)} of all opens by people lie between {start:02}:00 and {(start + 3) % 24:02}:00 in their "
        "own zone."
    )
    rows = tuple((day, *(str(count) for count in row)) for day, row in zip(WEEKDAYS, heat.counts.tolist(), strict=True))
    heads = ("", *(str(hour) for hour in range(24)))
    return Section("When people open", said, heatmap(WEEKDAYS, heat.counts.tolist()), heads, rows)
