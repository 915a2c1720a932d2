"""Sample screens made of nothing but the window's own parts, to look at them in every look and size.

The figures belong to an invented shop. Absent on purpose: a workspace; the real screens are photographed beside these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPlainTextEdit, QRadioButton, QSlider, QWidget

from studio.ui import charts as c
from studio.ui import icons, numbers
from studio.ui import widgets as w
from studio.ui.shell import Crumb, MainWindow, Page, PageSpec
from studio.ui.tokens import STATES

START = datetime(2026, 3, 2, tzinfo=UTC)


class HomeSample(Page):
    """Three starts, what runs, what needs the person."""

    def __init__(self) -> None:
        super().__init__("Home")
        column = w.ScrollColumn(margins=(40, 26, 40, 26), spacing=16)
        column.add(
            w.PageHeader(
                "Good morning. Two things need you, the rest runs.",
                "Bloom & Barley · 4 active workflows · 12,480 contacts · everything is on this computer",
            )
        )
        column.add(self._starts())
        left = w.panel(w.column(self._right_now(), self._this_week(), spacing=16))
        right = w.panel(w.column(self._needs_you(), self._worth_doing(), spacing=16))
        for side in (left, right):
            side.layout().setStretch(0 if side is left else 1, 1)
        column.add(w.SideBySide((left, 3), (right, 2)), 1)
        self.setLayout(w.column(column, spacing=0))

    def _starts(self) -> QWidget:
        grid = w.GridFlow(300, spacing=16)
        for number, (title, text, button) in enumerate(
            (
                (
                    "Try it with a demo shop",
                    "Bloom & Barley, a coffee shop with 12,480 customers. Nothing is sent, a month passes in seconds.",
                    w.PrimaryButton("Open the demo"),
                ),
                (
                    "Start from my website",
                    "We read the page on this computer, propose workflows and fill them in. About 10 minutes.",
                    w.SecondaryButton("Enter address"),
                ),
                (
                    "Open or import",
                    "A workflow file, an n8n or Node-RED flow, a list of contacts. Or drop a file anywhere.",
                    w.SecondaryButton("Choose file"),
                ),
            ),
            1,
        ):
            card = w.Card(highlighted=number == 1, name=title)
            badge = w.Badge("accent" if number == 1 else "control_border", text=str(number))
            card.add(w.row(badge, w.Text(title, "subheading"), w.STRETCH, spacing=10), w.Paragraph(text), 26)
            card.add(w.STRETCH, w.row(button, w.STRETCH))
            grid.addWidget(card)
        return w.panel(grid)

    def _right_now(self) -> QWidget:
        rows = w.RowList()
        for state, title, subtitle, middle, money in (
            ("running", "Cart recovery", "Email B is sending · 5,912 of 5,951", 0.68, 18_420),
            ("waiting", "Welcome series", "1,204 people wait, next in 3 h", "waiting", 9_310),
            ("done", "Replenishment", "Finished today 09:12", "done", 4_085),
            ("paused", "Win-back", "Stopped at your breakpoint: more than 200 people", "paused", None),
        ):
            if isinstance(middle, float):
                line = w.column(
                    w.Bar(middle, "state.running", name=title),
                    w.Text(f"{numbers.percent(middle)} · about 40 s left", "caption", "muted", wrap=False),
                    spacing=3,
                )
                between = w.panel(line)
            else:
                between = w.Text(middle, "secondary", "muted")
            between.setFixedWidth(150)
            earned = w.Text(numbers.money(money), "strong", wrap=False, align=Qt.AlignmentFlag.AlignRight)
            earned.setMinimumWidth(90)
            rows.add(w.ItemRow(title, subtitle, between, earned, mark=w.Badge.for_state(state)))
        card = w.Card("Right now", w.LinkButton("All runs", quiet=True))
        card.add(rows)
        return card

    def _this_week(self) -> QWidget:
        card = w.Card("This week")
        wave = [20 + 4 * math.sin(n / 2.1) + n * 0.35 + 2 * math.sin(n * 1.7) for n in range(24)]
        grid = w.GridFlow(180, spacing=16)
        for label, value, delta in (
            ("Revenue", numbers.money(31_815), "+ 12 %"),
            ("Orders", "538", "+ 9 %"),
            ("Return on spend", "6.1 ×", "+ 0.4"),
        ):
            grid.addWidget(w.Stat(label, value, delta, chart=c.Sparkline(f"{label} of the last weeks", wave)))
        card.add(w.panel(grid))
        return card

    def _needs_you(self) -> QWidget:
        card = w.Card("Needs you")
        card.add(
            w.RowList(
                w.ItemRow(
                    "39 messages refused in Email B",
                    "8 addresses are dead, 31 are retried",
                    w.SecondaryButton("Fix"),
                    mark=w.Badge.for_state("failed"),
                ),
                w.ItemRow(
                    "Subject B wins",
                    "25 % more orders; ready to ship to the template",
                    w.SecondaryButton("Review"),
                    mark=w.Badge("accent", text="AB", name="experiment"),
                ),
            )
        )
        return card

    def _worth_doing(self) -> QWidget:
        card = w.Card("Worth doing next")
        rows = w.RowList()
        for title, why, gain in (
            ("Replenishment reminder", "38 % of buyers reorder within 31 days", "€ 1.6k / month expected"),
            ("Product review request", "312 deliveries last week, 4 reviews", "New for you"),
            ("Move Welcome mail 2 to the evening", "Opens peak at 19:00 in this list", "+ € 210 / month expected"),
        ):
            rows.add(w.ItemRow(title, why, w.Text(gain, "secondary", "secondary", wrap=False)))
        card.add(
            rows, w.Text("Ranked by expected value from your own results. Intervals on click.", "caption", "muted")
        )
        card.add(w.STRETCH)
        return card


def mini_graph(steps: int, branch_at: int = 2) -> c.MiniGraphData:
    roles = ["source", "pure", "send", "send", "wait", "send", "goal"]
    nodes = [c.MiniNode(f"n{i}", i * 220.0, 60.0 if i != branch_at else 0.0, roles[i % 7]) for i in range(steps)]
    nodes.append(c.MiniNode("goal", branch_at * 220.0, 120.0, "goal", "Goal"))
    edges = [(f"n{i}", f"n{i + 1}") for i in range(steps - 1)]
    return c.MiniGraphData(nodes, [*edges, (f"n{branch_at - 1}", "goal"), ("goal", f"n{branch_at + 1}")])


class TemplatesSample(Page):
    """Context at the left, cards in the middle, the chosen template's settings at the right."""

    def __init__(self) -> None:
        super().__init__("Templates")
        panes = w.Panes(
            ("Templates", self._cards()),
            left=("Your business", self._business()),
            right=("Settings", self._chosen()),
        )
        self.setLayout(w.column(panes, spacing=0))

    def _business(self) -> QWidget:
        side = w.SidePanel("left", 270)
        address = QLineEdit("https://bloomandbarley.example")
        side.add(w.SectionTitle("Your business"))
        side.add(address)
        side.add(w.row(w.PrimaryButton("Read website"), w.SecondaryButton("Describe it"), w.STRETCH))
        side.add(w.Text("Read on this computer. Nothing leaves it.", "caption", "muted"))
        side.add(10)
        side.add(w.SectionTitle("What we understood"))
        facts = w.FactList()
        for name, value, sure in (
            ("Business", "Bloom & Barley", 0.99),
            ("Industry", "Food & drink, online shop", 0.94),
            ("Sells", "Specialty coffee, tea, brewing gear", 0.91),
            ("Audience", "Home brewers, gift buyers", 0.78),
            ("Tone", "Warm, expert", 0.72),
            ("Market", "Germany, EUR", 0.97),
            ("Goal", "More repeat orders", 0.64),
        ):
            facts.add(name, value, sure, "Found in the page title")
        side.add(facts)
        side.add(w.flowing(w.Chip("Add goal", icon="plus"), w.Chip("Correct a fact")))
        side.add(w.STRETCH)
        return side

    def _cards(self) -> QWidget:
        column = w.ScrollColumn(margins=(18, 18, 18, 18), spacing=14)
        industry = w.MenuChip({"all": "All industries", "food": "Food & drink"}, name="Industry")
        channel = w.MenuChip({"any": "Any channel", "mail": "Email"}, name="Channel")
        column.add(
            w.PageHeader(
                "Recommended for Bloom & Barley",
                "Ranked by fit with your business, and by what worked here before",
                industry,
                channel,
            )
        )
        top = w.GridFlow(228, spacing=12, columns_max=3)
        for number, (title, kind, why, money, span, used) in enumerate(
            (
                (
                    "Cart recovery with A/B subject",
                    "E-commerce · email + SMS",
                    "You sell online and 68 % of baskets are left. Stores like yours recover 8 to 12 %.",
                    "€ 2.9k / month",
                    "expected, 1.7 to 4.4k",
                    "Used 4 × here · 2 tests feed this",
                ),
                (
                    "Welcome series, three mails",
                    "E-commerce · email",
                    "412 people joined your list last month and got no mail.",
                    "€ 1.1k / month",
                    "expected, 0.6 to 1.9k",
                    "Benchmark: 51 % open",
                ),
                (
                    "Replenishment reminder",
                    "Consumables · email",
                    "Coffee and tea run out: your customers reorder every 31 days.",
                    "€ 1.6k / month",
                    "expected, 0.9 to 2.6k",
                    "New for you",
                ),
            )
        ):
            card = w.Card(padding=14, spacing=10, highlighted=number == 0, name=title)
            head = w.row(
                w.Ring.for_band(("strong", "strong", "likely")[number]),
                w.column(w.Text(title, "subheading"), w.Text(kind, "secondary", "muted"), spacing=2),
                spacing=10,
            )
            head.setStretch(1, 1)
            card.add(head, c.MiniGraph(f"Steps of {title}", mini_graph(7 - number)), w.Paragraph(why), w.STRETCH)
            money_line = w.FlowLayout(6)
            money_line.addWidget(w.Text(money, "subheading", wrap=False))
            money_line.addWidget(w.Text(span, "secondary", "muted", wrap=False))
            card.add(w.panel(money_line), w.Text(used, "secondary", "muted"))
            use = (w.PrimaryButton if number == 0 else w.SecondaryButton)("Use template")
            card.add(w.row(use, w.SecondaryButton("Preview"), w.STRETCH))
            top.addWidget(card)
        column.add(w.panel(top))
        column.add(w.SectionTitle("All 42 templates"))
        rest = w.GridFlow(228, spacing=12, columns_max=3)
        for title, band in (
            ("Win-back lapsed buyers", "strong fit"),
            ("Product review request", "likely fit"),
            ("VIP early access", "likely fit"),
            ("Price-drop alert", "likely fit"),
            ("Referral programme", "worth a look"),
            ("Newsletter digest", "worth a look"),
        ):
            card = w.Card(padding=14, spacing=10, clickable=True, name=title)
            head = w.row(w.Text(title, "strong"), w.Pill(band))
            head.setStretch(0, 1)
            card.add(head, c.MiniGraph(f"Steps of {title}", mini_graph(4)))
            card.add(w.Text("4 steps · set up in about 8 min · open 34 % · order 2.1 %", "secondary", "muted"))
            rest.addWidget(card)
        column.add(w.panel(rest))
        column.add(w.STRETCH)
        return column

    def _chosen(self) -> QWidget:
        side = w.SidePanel("right", 322)
        side.add(w.SectionTitle("Cart recovery with A/B subject"))
        side.add(w.Text("11 settings filled in for you · 2 want a look", "secondary", "muted"))
        side.add(6)
        for name, value, sure, why in (
            ("First mail after", "1 hour", 0.92, "Median basket age at return: 52 min"),
            ("Second mail after", "23 hours", 0.86, "Benchmark, food & drink"),
            ("Discount", "10 %", 0.61, "Your site shows 10 % for newsletter"),
            ("Subject A", "Still thinking it over?", 0.74, "Warm tone"),
            ("Subject B", "Your coffee is waiting", 0.81, "Product named"),
            ("Send window", "08:00 to 20:00 local", 0.95, "Market: Germany"),
            ("Brand colour", "#6B4A2B", 0.98, "From your logo"),
        ):
            side.add(w.ParameterRow(name, value, sure, why))
        side.add(8)
        side.add(w.row(w.PrimaryButton("Create workflow"), w.SecondaryButton("Try on sample data"), w.STRETCH))
        side.add(w.STRETCH)
        return side


def line_band() -> c.LineBandData:
    """A fortnight of revenue, every eight hours."""
    actual = [
        c.Point(START + timedelta(hours=8 * n), 5_200 + n * 300 + 700 * math.sin(n / 3) + 350 * math.sin(n * 1.3))
        for n in range(42)
    ]
    predicted = [
        c.BandPoint(p.x, 5_000 + n * 190 - 100, 5_300 + n * 265, 5_500 + n * 345) for n, p in enumerate(actual)
    ]
    marker = c.Marker(actual[26].x, "Click rate fell 38 % on Tue 14:00", "alert · link 2 answers 404")
    return c.LineBandData(actual, predicted, [marker])


def heat() -> c.HeatmapData:
    """Opens by weekday and hour."""
    hours = range(24)
    values = [
        [
            round(
                100 * (math.exp(-((h - 9) ** 2) / 8) * 0.35 + math.exp(-((h - 19.5) ** 2) / 9)) * (0.6 if d > 4 else 1)
            )
            for h in hours
        ]
        for d in range(7)
    ]
    return c.HeatmapData(
        ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        [f"{h}:00" if h % 6 == 0 else "" for h in hours],
        values,
        [f"{h}:00" for h in hours],
    )


class AnalyticsSample(Page):
    """Figures, the line against its prediction, the funnel, the table."""

    def __init__(self) -> None:
        super().__init__("Analytics")
        column = w.ScrollColumn(margins=(22, 22, 22, 18))
        column.add(
            w.PageHeader(
                "Cart recovery earned € 18,420, 9 % above its prediction",
                "Live · last event 0.4 s ago · 214,902 events · answered in 31 ms",
                w.SecondaryButton("Ask a question"),
                w.MenuButton("Export", [("CSV", lambda: None), ("PDF report", lambda: None)]),
                w.PrimaryButton("Share report"),
            )
        )
        column.add(self._figures())
        first = w.Card("Revenue against prediction")
        first.add(c.LineBand("Revenue against prediction", line_band(), write=numbers.compact_money), stretch=1)
        second = w.Card("Funnel")
        counts = (11_902, 11_863, 11_641, 5_120, 1_394, 312)
        names = ("Entered", "Sent", "Delivered", "Opened", "Clicked", "Ordered")
        steps = [c.FunnelStep(n, k) for n, k in zip(names, counts, strict=True)]
        second.add(c.Funnel("How many people came how far", steps), stretch=1)
        column.add(w.SideBySide((first, 54), (second, 35), (self._next(), 35)), 1)
        third = w.Card("When people open")
        third.add(c.Heatmap("When people open", heat()), stretch=1)
        fourth = w.Card("Credit for revenue")
        shares = (("Email B", 0.41), ("Email A", 0.29), ("SMS", 0.18), ("Search", 0.12))
        fourth.add(w.Text("Shapley over 1,394 journeys", "secondary", "muted"))
        items = [c.BarItem(label, share, numbers.percent(share)) for label, share in shares]
        fourth.add(c.BarList("Credit for revenue", items, whole=0.5), w.STRETCH)
        column.add(w.SideBySide((self._by_step(), 54), (third, 35), (fourth, 35)), 1)
        self.setLayout(w.column(column, spacing=0))

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Analytics", lambda: None), Crumb("Cart recovery")]

    def extras(self) -> list[QWidget]:
        return [
            w.MenuChip({"14": "Last 14 days", "30": "Last 30 days"}, name="Time"),
            w.MenuChip({"all": "All variants", "a": "Subject A"}, name="Variants"),
        ]

    def _figures(self) -> QWidget:
        grid = w.GridFlow(170, spacing=12)
        for label, value, delta, note in (
            ("Revenue", "€ 18,420", "+ 12 %", "predicted € 16,900"),
            ("Return on spend", "6.4 ×", "+ 0.8", "cost € 2,878"),
            ("Orders", "312", "+ 9 %", "rate 2.6 %"),
            ("Reach", "11,902", "95.4 %", "578 held back: no consent"),
            ("Unsubscribed", "0.21 %", "− 0.04", "limit 0.5 %"),
            ("Complaints", "0.02 %", "0.00", "limit 0.10 %"),
        ):
            grid.addWidget(w.StatCard(label, value, delta, note=note))
        return w.panel(grid)

    def _next(self) -> QWidget:
        card = w.Card("What to do next")
        rows = w.RowList()
        for colour, title, why in (
            ("state.done", "Ship subject B", "96 % sure it wins; + € 410 a month"),
            ("state.failed", "Fix link 2 in Email A", "404 since Tue 14:00; 61 clicks lost"),
            ("accent", "Move mail 2 to the evening", "Opens peak at 19:00 in this list"),
            ("accent", "Add a replenishment reminder", "38 % of buyers reorder within 31 days"),
        ):
            rows.add(w.ItemRow(title, why, w.SecondaryButton("Do it"), mark=w.Dot(colour)))
        card.add(rows)
        return card

    def _by_step(self) -> QWidget:
        card = w.Card("By step")
        rows = (
            ("Email A", 5_951, 5_948, 3, 41, 212, 8_060),
            ("Email B", 5_951, 5_912, 39, 43, 390, 10_360),
            ("SMS reminder", 3_774, 3_770, 4, 88, 640, 2_110),
            ("Consent", 12_480, 11_902, 0, 9, 14, None),
        )
        columns = [
            w.Column(title="Step", value=lambda r: r[0], width="stretch"),
            w.Column(title="In", value=lambda r: r[1], numeric=True),
            w.Column(title="Out", value=lambda r: r[2], numeric=True),
            w.Column(
                title="Failed", value=lambda r: r[3], numeric=True, tone=lambda r: "bad" if r[3] > 10 else "default"
            ),
            w.Column(title="p50", value=lambda r: r[4], text=lambda r: f"{r[4]} ms", numeric=True),
            w.Column(title="p99", value=lambda r: r[5], text=lambda r: f"{r[5]} ms", numeric=True),
            w.Column(title="Revenue", value=lambda r: r[6], text=lambda r: numbers.money(r[6]), numeric=True),
        ]
        card.add(w.Table("By step", columns, rows, fit_rows=True), w.STRETCH)
        return card


def densities() -> list[c.Density]:
    """Two normal beliefs about a rate."""
    xs = [0.017 + n * 0.00017 for n in range(110)]
    return [
        c.Density(name, xs, [math.exp(-((x - mean) ** 2) / (2 * 0.002**2)) for x in xs], colour)
        for name, mean, colour in (("A", 0.0235, "text_muted"), ("B", 0.0285, "state.done"))
    ]


def lift() -> c.BandData:
    """Nine days of a lift that settles at a quarter."""
    points = [
        c.BandPoint(
            START + timedelta(hours=4 * n),
            0.22 - 0.62 / math.sqrt(1 + n / 4),
            0.2 + 0.05 * math.sin(n / 3) / (1 + n / 20) + 0.03 * (n / 54),
            0.26 + 0.35 / math.sqrt(1 + n / 3),
        )
        for n in range(54)
    ]
    return c.BandData(points, "lift of B")


class ExperimentsSample(Page):
    """The verdict in words, the table of variants, the band as data came in."""

    def __init__(self) -> None:
        super().__init__("Experiments")
        panes = w.Panes(("Result", self._result()), left=("Experiments", self._list()))
        self.setLayout(w.column(panes, spacing=0))

    def crumbs(self) -> list[Crumb]:
        return [Crumb("Experiments", lambda: None), Crumb("Cart mail subject")]

    def _list(self) -> QWidget:
        side = w.SidePanel("left", 281, margins=(14, 14, 14, 14))
        side.add(w.SectionTitle("Experiments", w.SecondaryButton("Plan new")))
        choices = w.ChoiceList("Experiments")
        choices.set_choices(
            [
                w.Choice("1", "Cart mail subject", "running · day 9", "B ahead"),
                w.Choice("2", "Welcome discount 5 / 10 %", "running · day 3", "needs 2,140 more"),
                w.Choice("3", "Landing hero picture", "shipped · C won", "+ 14 %", "good"),
                w.Choice("4", "Send hour 8 / 19", "stopped · no difference", "± 2 %"),
                w.Choice("5", "SMS or mail on day 3", "held: sample mismatch", "check", "caution"),
            ],
            "1",
        )
        side.add(choices, 1)
        return side

    def _result(self) -> QWidget:
        column = w.ScrollColumn(margins=(22, 18, 22, 18))
        column.add(
            w.PageHeader(
                "B wins: “Your coffee is waiting” brings 25 % more orders",
                "Safe to read at any time: the chance that this call is wrong stays under 5 %, however often you look",
                w.SecondaryButton("Keep running"),
                w.PrimaryButton("Ship B to the template"),
            )
        )
        card = w.Card(padding=1, name="Variants")
        card.add(self._variants())
        column.add(card)
        first = w.Card("Lift of B over A, as the data came in")
        first.add(c.BandOverTime("Lift of B over A, as the data came in", lift()), stretch=1)
        second = w.Card("What we believe about each rate")
        write = lambda value: numbers.percent(value, 1)  # noqa: E731 - one place, one line
        second.add(c.Densities("What we believe about each rate", densities(), write=write), stretch=1)
        column.add(w.SideBySide((first, 58), (second, 41)), 1)
        column.add(w.SideBySide((self._health(), 58), (self._segments(), 41)), 1)
        return column

    def _variants(self) -> QWidget:
        rows = (
            ("A · Still thinking it over?", 18_240, 438, 0.024, None, "—", "< 1 %", 1.35, "control_border"),
            ("B · Your coffee is waiting", 18_190, 545, 0.03, 0.248, "+ 4.8 … + 49 %", "> 99 %", 1.75, "state.done"),
        )
        columns = [
            w.Column(
                title="Variant", value=lambda r: r[0], dot=lambda r: r[8], width="stretch", bold=lambda r: bool(r[4])
            ),
            w.Column(title="People", value=lambda r: r[1], numeric=True),
            w.Column(title="Orders", value=lambda r: r[2], numeric=True),
            w.Column(title="Rate", value=lambda r: r[3], text=lambda r: numbers.percent(r[3], 2), numeric=True),
            w.Column(
                title="Lift",
                value=lambda r: r[4],
                text=lambda r: numbers.signed(numbers.percent(r[4], 1)) if r[4] else "baseline",
                tone=lambda r: "good" if r[4] else "default",
                numeric=True,
            ),
            w.Column(title="Always-valid band", value=lambda r: r[5], numeric=True),
            w.Column(title="Chance best", value=lambda r: r[6], numeric=True),
            w.Column(
                title="Revenue / person",
                value=lambda r: r[7],
                text=lambda r: numbers.money(r[7], decimals=2),
                numeric=True,
            ),
        ]
        return w.Table("Variants", columns, rows, fit_rows=True)

    def _health(self) -> QWidget:
        card = w.Card("Health of this test")
        rows = w.RowList()
        for title, finding in (
            ("Traffic split", "50.2 / 49.8, p = 0.72"),
            ("Same person, same variant", "0 crossovers"),
            ("Guardrail: unsubscribes", "− 0.02 pt, not worse"),
            ("Guardrail: complaints", "0.02 % both"),
            ("Novelty", "effect steady since day 3"),
        ):
            line = w.row(w.Badge.for_state("done", 16), w.Text(title), w.Text(finding, "body", "muted", wrap=False))
            line.setStretch(1, 1)
            rows.add(w.panel(line))
        card.add(rows)
        return card

    def _segments(self) -> QWidget:
        card = w.Card("Who it works for")
        rows = (
            ("First-time buyers", 0.31, 0.02),
            ("Returning", 0.09, 0.41),
            ("Mobile", 0.22, 0.08),
            ("Desktop", 0.14, 0.22),
        )
        columns = [
            w.Column(title="Segment", value=lambda r: r[0], width="stretch"),
            w.Column(
                title="Lift",
                value=lambda r: r[1],
                text=lambda r: numbers.signed(numbers.percent(r[1])),
                tone=lambda r: "good" if r[2] < 0.05 else "default",
                numeric=True,
            ),
            w.Column(title="Corrected p", value=lambda r: r[2], text=lambda r: f"{r[2]:.2f}", numeric=True),
        ]
        card.add(w.Table("Who it works for", columns, rows, fit_rows=True), w.STRETCH)
        return card


class ControlsSample(Page):
    """Every control in every state."""

    def __init__(self) -> None:
        super().__init__("Controls")
        column = w.ScrollColumn()
        column.add(w.PageHeader("Every control, every state", "For looking, not for working"))
        column.add(w.SideBySide((self._buttons(), 1), (self._fields(), 1), (self._marks(), 1)))
        column.add(w.SideBySide((self._errors(), 1), (self._texts(), 1)))
        column.add(self._icons())
        column.add(w.STRETCH)
        self.setLayout(w.column(column, spacing=0))

    def _buttons(self) -> QWidget:
        card = w.Card("Buttons")
        for made in (
            (w.PrimaryButton("Use template"), w.SecondaryButton("Preview"), w.DangerButton("Remove", icon="trash-2")),
            (
                w.PrimaryButton("Run", icon="play!"),
                w.SecondaryButton("Step", icon="step-forward"),
                w.IconButton("x", "Close"),
            ),
        ):
            card.add(w.row(*made, w.STRETCH))
        off = (w.PrimaryButton("Use template"), w.SecondaryButton("Preview"), w.LinkButton("Link"))
        for widget in off:
            widget.setEnabled(False)
        card.add(w.row(*off, w.STRETCH))
        focused = (w.PrimaryButton("Focused"), w.SecondaryButton("Focused"), w.LinkButton("Focused"), w.Chip("Focused"))
        for widget in focused:
            widget.setProperty("keyFocus", True)
        card.add(w.row(*focused, w.STRETCH))
        chips = w.FlowLayout()
        for text in ("Email", "SMS", "Last 14 days"):
            chip = w.Chip(text, checkable=True)
            chip.setChecked(text == "SMS")
            chips.addWidget(chip)
        chips.addWidget(w.MenuChip({"all": "All variants"}))
        card.add(
            w.panel(chips), w.row(w.LinkButton("Show raw exchange"), w.LinkButton("All runs", quiet=True), w.STRETCH)
        )
        card.add(w.row(w.Segmented({"s": "Simulate", "t": "Test", "l": "Live"}, "t"), w.STRETCH))
        tabs = w.Tabs("Inspector", {"Settings": QWidget(), "Data": QWidget(), "Problem": QWidget(), "Help": QWidget()})
        tabs.setCurrentIndex(2)
        tabs.setFixedHeight(50)
        card.add(tabs, w.STRETCH)
        return card

    def _fields(self) -> QWidget:
        card = w.Card("Fields")
        card.add(w.SearchField("Search 42 templates"))
        card.add(
            w.Field("Wait before the first mail", QLineEdit("1 hour"), "From the median basket age at return: 52 min")
        )
        wrong = w.Field("Discount", QLineEdit("110 %"))
        wrong.set_error("A discount lies between 0 and 80 %.")
        card.add(wrong)
        combo = QComboBox()
        combo.addItems(["Never", "After exit", "After 30 days"])
        card.add(w.Field("Re-entry", combo), w.Field("Attempts", w.NumberField(3, 1, 10, suffix=" times")))
        ticked, partly = QCheckBox("Respect quiet hours"), QCheckBox("Some of them")
        ticked.setChecked(True)
        partly.setTristate(True)
        partly.setCheckState(Qt.CheckState.PartiallyChecked)
        radio = QRadioButton("Everyone")
        radio.setChecked(True)
        card.add(w.row(ticked, partly, w.STRETCH), w.row(radio, QRadioButton("A segment"), w.STRETCH))
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setValue(60)
        note = QPlainTextEdit("Send only to people who opened at least one mail in the last 90 days.")
        note.setFixedHeight(64)
        card.add(slider, note)
        return card

    def _marks(self) -> QWidget:
        card = w.Card("Marks")
        for state in STATES:
            card.add(w.row(w.Badge.for_state(state), w.StatePill(state), w.STRETCH, spacing=10))
        card.add(w.row(w.Ring(0.96, "96"), w.Ring(0.4, "40"), *map(w.Ring.for_band, w.BANDS), w.STRETCH, spacing=10))
        card.add(w.Bar(0.68, "state.running"), w.Bar(0.3, "state.waiting"), w.ProgressLine(None))
        return card

    def _errors(self) -> QWidget:
        card = w.Card("Messages")
        card.add(
            w.ErrorPanel(
                "39 messages were refused by the mail server",
                "Email B · attempt 2 of 5 · 14:02:11 · everything else went on",
                "31 mailboxes are busy and will accept later; 8 addresses do not exist.",
                [("Suppress 8", lambda: None), ("Retry now", lambda: None)],
                details="450 4.2.1 mailbox busy",
            )
        )
        card.add(w.Working("Reading 69,659 orders …", lambda: None))
        return card

    def _texts(self) -> QWidget:
        card = w.Card("Words")
        for role in ("title", "heading", "subheading", "body", "strong", "secondary", "caption", "figure"):
            card.add(w.Text(f"{role.capitalize()} 0123456789", role))
        tones = ("default", "secondary", "muted", "accent", "good", "caution", "bad")
        card.add(w.row(*(w.Text(tone, "body", tone, wrap=False) for tone in tones), w.STRETCH))
        narrow = w.ElidingLabel("A name that is much longer than the place it has got", "strong")
        narrow.setFixedWidth(180)
        card.add(narrow, w.STRETCH)
        return card

    def _icons(self) -> QWidget:
        card = w.Card("Icons", note=f"{len(icons.names())}")
        flow = w.FlowLayout(2)
        for name in icons.names():
            flow.addWidget(w.IconButton(name, name))
        card.add(w.panel(flow))
        return card


class EmptySample(Page):
    """What a screen says before there is anything on it."""

    def __init__(self) -> None:
        super().__init__("Runs")
        empty = w.EmptyState(
            "No runs yet",
            "A run is one start of a workflow. Choose a template, then press Run; you can watch it here.",
            "Choose a template",
            icon="history",
            second="Open the demo",
        )
        self.setLayout(w.column(empty, spacing=0))


RAIL: tuple[tuple[str, str, str, Callable[[], Page], bool], ...] = (
    ("home", "Home", "house", HomeSample, False),
    ("templates", "Templates", "layout-grid", TemplatesSample, False),
    ("canvas", "Canvas", "workflow", ControlsSample, False),
    ("runs", "Runs", "history", EmptySample, False),
    ("analytics", "Analytics", "chart-column", AnalyticsSample, False),
    ("experiments", "Experiments", "flask-conical", ExperimentsSample, False),
    ("audience", "Audience", "users", EmptySample, False),
    ("health", "Health", "activity", EmptySample, True),
    ("settings", "Settings", "settings", EmptySample, True),
)


def sample_window() -> MainWindow:
    """The shell with the sample screens in it."""
    specs = [
        PageSpec(id=page_id, title=title, icon=icon, build=build, at_bottom=bottom)
        for page_id, title, icon, build, bottom in RAIL
    ]
    window = MainWindow(specs)
    window.set_workspace("Bloom & Barley")
    window.set_status("done", "All systems fine")
    window.rail.set_count("runs", 2)
    window.resize(QSize(1440, 900))
    return window
