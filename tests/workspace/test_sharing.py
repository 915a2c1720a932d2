"""Reports: everything in one file, the figures of the run, and a schedule that neither forgets nor repeats."""

from __future__ import annotations

import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from studio.analytics.drawing import bars, heatmap, line
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
