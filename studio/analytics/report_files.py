"""A report as one HTML file, and as a PDF set by typst; both need no window and no network.

Absent on purpose: what is in it (`report`).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from studio import resources
from studio.analytics.drawing import ACCENT, GRID, MUTED, TEXT, TRACK
from studio.analytics.report import Report, Section
from studio.domain.errors import UserFixable

_STYLE = """
:root { color-scheme: light dark; --text: #1f2430; --muted: #6b7280; --line: #e5e7eb; --ground: #f6f7f9;
  --card: #fff; --accent: #4f46e5; --track: #eceef2 }
@media (prefers-color-scheme: dark) { @media screen { :root { --text: #e6e8ee; --muted: #9aa1ad; --line: #2c313a;
  --ground: #0f1216; --card: #181c22; --accent: #8b85ff; --track: #262b33 } } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--text); font: 14px/1.5 Inter, system-ui, sans-serif }
main { max-width: 860px; margin: 0 auto; padding: 40px 24px 60px }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 6px } h2 { font-size: 16px; margin: 0 0 4px }
h1, h2, p, td, .card b { overflow-wrap: anywhere } p { margin: 0 0 12px } .muted { color: var(--muted) }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 12px; margin: 24px 0 }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px }
.card b { display: block; font-size: 22px } section { margin: 0 0 16px; break-inside: avoid }
svg { display: block; width: 100%; height: auto }
table { border-collapse: collapse; width: 100%; font-size: 12px }
.table { overflow-x: auto } details { margin-top: 10px } summary { color: var(--muted); cursor: pointer }
th, td { text-align: right; padding: 5px 6px; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
th, td:not(.words) { white-space: nowrap } .words { text-align: left } th { color: var(--muted); font-weight: 500 }
tr:last-child td { border-bottom: 0 }
@media print { body { background: #fff } main { max-width: none; padding: 0 } }
"""
_LOOKS = {ACCENT: "var(--accent)", MUTED: "var(--muted)", TRACK: "var(--track)", TEXT: "var(--text)"}
_LOOKS |= {GRID: "var(--line)"}


def as_html(report: Report) -> str:
    """One file with everything in it: styles, charts and the tables behind them; nothing is fetched."""
    cards = "".join(
        f"<div class='card'><span class='muted'>{escape(label)}</span><b>{escape(value)}</b>"
        f"<span class='muted'>{escape(note)}</span></div>"
        for label, value, note in report.figures
    )
    sections = "".join(_section_html(section) for section in report.sections)
    made = f"{report.made_at.day} {report.made_at:%B %Y, %H:%M} UTC"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(report.name)}</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><main><header><h1>{escape(_whole(report.finding))}</h1>"
        f"<p class='muted'>{escape(report.about)}</p></header><div class='figures'>{cards}</div>{sections}"
        f"<p class='muted'>Made by Flowlight Studio on {made}.</p></main></body></html>\n"
    )


def _section_html(section: Section) -> str:
    table = _table_html(section.heads, section.rows) if section.rows else ""
    if section.chart and table:
        table = f"<details><summary>The figures</summary>{table}</details>"
    chart = _in_both_looks(section.chart).replace(
        "<svg ", f"<svg role='img' aria-label='{escape(section.title, quote=True)}' ", 1
    )
    words = f"<h2>{escape(section.title)}</h2><p class='muted'>{escape(section.sentence)}</p>"
    return f"<section>{words}{chart}{table}</section>"


def _in_both_looks(chart: str) -> str:
    """Colours that follow the page's, which a picture in a file of its own cannot."""
    for colour, name in _LOOKS.items():
        chart = chart.replace(f"'{colour}'", f"'{name}'")
    return chart


def _table_html(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    kinds = [" class='words'" if is_words else "" for is_words in _columns_of_words(heads, rows)]
    head = "".join(f"<th scope='col'{kind}>{escape(text)}</th>" for text, kind in zip(heads, kinds, strict=True))
    body = "".join(f"<tr>{''.join(map(_cell_html, row, kinds))}</tr>" for row in rows)
    return f"<div class='table'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell_html(cell: str, kind: str) -> str:
    # A name in another script keeps its own direction; what stands beside it stays where it is.
    return f"<td{kind}><bdi>{escape(_whole(cell))}</bdi></td>"


def _columns_of_words(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """Per column whether it is read from the left: the first, and those in which most cells are no figures."""
    said = [sum(_is_words(row[place]) for row in rows) for place in range(len(heads))]
    return [place == 0 or 2 * count > len(rows) for place, count in enumerate(said)]


def _is_words(cell: str) -> bool:
    return sum(map(str.isalpha, cell)) > sum(map(str.isdigit, cell))


def as_pdf(report: Report) -> bytes:
    """The report on A4 pages, tagged for screen readers.

    Raises:
        UserFixable: REPORT-PDF when the typesetter is not installed.
    """
    try:
        import typst  # noqa: PLC0415 - an extra: 80 MB that only this needs
    except ImportError:
        hint = "Install it with: pip install flowlight-studio[pdf], or write the report as HTML."
        raise UserFixable("REPORT-PDF", "The part that sets PDF pages is not installed.", hint=hint) from None
    with tempfile.TemporaryDirectory(prefix="studio-report-") as name:
        folder = Path(name)
        (folder / "report.json").write_text(json.dumps(_plain(report, folder), ensure_ascii=False), encoding="utf-8")
        source = folder / "report.typ"
        source.write_bytes(resources.path("reports", "report.typ").read_bytes())
        made: bytes = typst.compile(
            source,
            root=folder,
            font_paths=[resources.path("fonts")],
            # Reading which fonts a computer has takes a second; only names in other scripts need them.
            ignore_system_fonts=not _is_foreign(report),
            timestamp=_second(report.made_at),
        )
        return made


def _is_foreign(report: Report) -> bool:
    """Whether there are letters that our own font lacks: beyond Latin, Greek and Cyrillic."""
    return any(0x0530 <= ord(letter) < 0x1E00 or ord(letter) > 0x2E80 for letter in repr(report))


def _plain(report: Report, folder: Path) -> dict[str, object]:
    """What the typst page reads; charts become files beside it."""
    sections = []
    for number, section in enumerate(report.sections):
        chart = ""
        if section.chart:
            chart = f"chart{number}.svg"
            (folder / chart).write_text(section.chart, encoding="utf-8")
        # On paper there is no room for what the chart says already, nor for a table of 24 hours.
        rows = section.rows if len(section.heads) <= 9 and not section.is_told else ()
        sections.append(
            {
                "title": section.title,
                "sentence": section.sentence,
                "chart": chart,
                "ratio": _ratio(section.chart) if chart else 0,
                "heads": section.heads if rows else (),
                "rows": [[_whole(cell) for cell in row] for row in rows],
                "words": _columns_of_words(section.heads, rows) if rows else (),
            }
        )
    made = f"{report.made_at.day} {report.made_at:%B %Y}"
    about = {"name": report.name, "finding": _whole(report.finding), "about": report.about, "made": made}
    return {**about, "figures": report.figures, "sections": sections}


def _ratio(chart: str) -> float:
    """Height by width, out of the picture's own frame."""
    found = re.search(r"viewBox='0 0 (\d+) (\d+)'", chart)
    assert found is not None, "our charts say their size"
    return int(found.group(2)) / int(found.group(1))


def _whole(text: str) -> str:
    """An amount stays in one line with its sign."""
    return re.sub(r"(?<=[€$£]) (?=\d)", "\u00a0", text)


def _second(at: datetime) -> int:
    return int(at.timestamp())
