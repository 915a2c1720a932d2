"""Reports: everything in one file, the figures of the run, and a schedule that neither forgets nor repeats."""

from __future__ import annotations

import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from studio.analytics.drawing import ACCENT, bars, heatmap, intervals, line
from studio.analytics.report import Report, Section
from studio.analytics.report_files import as_html, as_pdf
from studio.domain.errors import UserFixable
from studio.workspace.workspace import Workspace
from tests.cli.terminal import done
from tests.cli.test_commands import shop

assert shop, "the fixture of the commands' own tests is this one's too"
DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Moving:
    def __init__(self) -> None:
        self.at = DAY

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def opened(shop: Path) -> Iterator[tuple[Workspace, Moving]]:
    clock = Moving()
    with Workspace.open(shop, clock=clock) as workspace:
        yield workspace, clock


class Outside(HTMLParser):
    """Whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset")]
        self.found += [tag] if tag in ("script", "link", "iframe") else []


def sample(text: str) -> Report:
    chart = bars([(text, 3.0, "3")])
    sections = (Section(text, text, chart, ("a", "b"), ((text, "1"),)), Section("Empty", text))
    return Report(text, text, text, DAY, ((text, "€ 3", text),), sections)


def test_html_is_one_file_and_text_stays_text() -> None:
    page = as_html(sample("<script>alert('x')</script> & “€ 12”"))
    outside = Outside()
    outside.feed(page)
    assert outside.found == []
    assert "&lt;script&gt;" in page
    assert "€\u00a012" in page


def test_pdf_is_a_pdf_whatever_is_written_in_it() -> None:
    made = as_pdf(sample('#let x = 3 \\ $ * _ @ <a> "quoted" ]['))
    assert made.startswith(b"%PDF-")
    assert as_pdf(sample("again")) == as_pdf(sample("again")), "the same report is the same file"


def test_charts_are_well_formed() -> None:
    points = [(DAY + timedelta(hours=n), float(n)) for n in range(30)]
    band = [(at, value / 2, value, value * 2) for at, value in points]
    for picture in (
        line(points, band, str),
        bars([("<&>", 1.0, "1"), ("zero", 0.0, "0")]),
        heatmap("ab", [[1] * 24, [0] * 24]),
    ):
        Tree.fromstring(picture)
    assert (line(points[:1], [], str), bars([]), heatmap("a", [[0] * 24])) == ("", "", "")


def test_a_report_says_what_the_screen_says(opened: tuple[Workspace, Moving], tmp_path: Path) -> None:
    workspace, _ = opened
    run_id = workspace.runs.newest()
    insight, report = workspace.insights.of_run(run_id), workspace.sharing.report(run_id)
    assert report.finding == insight.finding
    funnel = next(section for section in report.sections if section.title == "Funnel")
    assert [row[1] for row in funnel.rows] == [f"{step.people:,}" for step in insight.funnel.steps]
    page = workspace.sharing.write(run_id, tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    assert all(section.title in page for section in report.sections)
    with pytest.raises(UserFixable, match="cannot be a"):
        workspace.sharing.write(run_id, tmp_path / "report.docx")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new", "report.html"]


def test_a_report_has_a_section_per_question_and_its_figures_are_those_of_the_run(
    opened: tuple[Workspace, Moving],
) -> None:
    workspace, _ = opened
    run_id = workspace.runs.newest()
    insight, sections = (
        workspace.insights.of_run(run_id),
        {s.title: s for s in workspace.sharing.report(run_id).sections},
    )
    counted = {(node, kind): n for node, kind, n in insight.steps.select("node_id", "kind", "people").iter_rows()}
    sent = [f"{counted.get((node, 'sent'), 0):,}" for node in insight.design.sends]
    assert [row[1] for row in sections["By message"].rows] == sent
    week = sections["By week of entering"].rows
    people = sum(int(row[1].replace(",", "")) for row in week)
    assert people == insight.returned.people
    assert {"What to do next", "What was clicked", "Where people left"} <= set(sections)
    assert not any("-" in cell and any(map(str.isdigit, cell)) for s in sections.values() for r in s.rows for cell in r)


def test_names_in_other_scripts_stay_whole_in_both_forms() -> None:
    names = ("استعادة السلة", "カートの中身をお取り置きしています" * 5, "Ваша корзина", "x" * 300)
    rows = tuple((name, name, f"{n:,}", "−12.5\u00a0%") for n, name in enumerate(names, 999))
    chart = intervals([(name, 0.1, -0.2, 0.4, False) for name in names], str, "as A")
    report = Report(
        names[0], names[3], names[1], DAY, (("a", "b", "c"),), (Section("s", "t", chart, ("", *"abc"), rows),)
    )
    page = as_html(report)
    assert all(f"<bdi>{name}</bdi>" in page for name in names)
    # Names are read from the left, figures stand under each other.
    assert page.count("<td class='words'>") == 2 * len(names)
    assert as_pdf(report).startswith(b"%PDF-")


def test_charts_in_the_page_follow_its_look() -> None:
    page = as_html(sample("dark"))
    assert "prefers-color-scheme: dark" in page
    assert "fill='var(--accent)'" in page
    assert f"fill='{ACCENT}'" not in page


def test_the_chart_of_a_test_holds_each_estimate_in_its_interval() -> None:
    drawn = Tree.fromstring(intervals([("B", 0.1, -0.05, 0.3, True), ("C", -0.2, None, None, False)], str, "as A"))
    bar = next(part for part in drawn if part.tag.endswith("rect"))
    dots = [float(part.get("cx", "")) for part in drawn if part.tag.endswith("circle")]
    zero = float(next(part for part in drawn if part.tag.endswith("line")).get("x1", ""))
    left = float(bar.get("x", ""))
    assert left < zero < dots[0] < left + float(bar.get("width", ""))
    assert dots[1] < zero
    assert intervals([], str, "as A") == ""


def test_a_schedule_writes_once_each_time(opened: tuple[Workspace, Moving], tmp_path: Path) -> None:
    workspace, clock = opened
    assert workspace.sharing.write_due() is None
    workspace.sharing.schedule(timedelta(days=7), "html", tmp_path / "reports")
    first = workspace.sharing.write_due()
    assert first is not None
    assert first.is_file()
    clock.at += timedelta(days=6)
    assert workspace.sharing.write_due() is None
    clock.at += timedelta(days=1)
    assert workspace.sharing.write_due() not in (None, first)
    workspace.sharing.schedule(None)
    clock.at += timedelta(days=30)
    assert workspace.sharing.write_due() is None
    with pytest.raises(UserFixable, match="helps nobody"):
        workspace.sharing.schedule(timedelta(minutes=1))


def test_the_command_line_writes_and_schedules(shop: Path, tmp_path: Path) -> None:
    said = done("report", "write", "--out", tmp_path / "r.pdf", workspace=shop)
    assert Path(said["file"]).read_bytes().startswith(b"%PDF-")
    plan = done("report", "schedule", "--every", "P1D", "--format", "html", "--out", tmp_path / "out", workspace=shop)
    assert plan["schedule"]["form"] == "html"
    assert Path(done("report", "due", workspace=shop)["file"]).suffix == ".html"
    assert done("report", "due", workspace=shop)["file"] is None
    assert done("report", "schedule", "--every", "none", workspace=shop)["schedule"] is None
