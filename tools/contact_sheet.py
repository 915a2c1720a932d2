"""Photographs every registered screen, light and dark, into one folder and one sheet, to be looked at side by side.

Run `python -m tools.contact_sheet [OUT] [--only NAME] [--text 200] [--size 1440x900]`; it needs no display.
To have a screen photographed, add a `Shot` to `SHOTS`. Absent on purpose: comparing with earlier pictures.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from studio.ui.application import prepare
from studio.ui.shell import MainWindow
from studio.ui.theme import theme
from tools import canvas_shots, chart_book, debugger_shots, gallery_shots, screen_shots, trial_shots, widget_book
from tools.result_shots import asked, judged, lower, planning, results, shipped

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_GAP = 24
_THUMB = 480
_SHOTS_ABREAST = 4


@dataclass(frozen=True, slots=True)
class Shot:
    """`make` brings the widget to photograph into the state to show; it is resized, shown and grabbed."""

    name: str
    make: Callable[[], QWidget]


def _sample(page_id: str, then: Callable[[MainWindow], object] | None = None) -> Callable[[], QWidget]:
    def make() -> QWidget:
        window = widget_book.sample_window()
        window.go(page_id)
        if then is not None:
            # After the first layout: messages and the palette place themselves by the window's size.
            QTimer.singleShot(0, window, lambda: then(window))
        return window

    return make


def _speak(window: MainWindow) -> None:
    window.toast("Cart recovery was paused", undo=lambda: None)
    window.toast("39 messages were refused by the mail server", button="Show", on_button=lambda: None, tone="bad")


SHOTS: list[Shot] = [
    Shot("home", _sample("home")),
    Shot("templates", _sample("templates")),
    Shot("analytics", _sample("analytics")),
    Shot("experiments", _sample("experiments")),
    Shot("controls", _sample("canvas")),
    Shot("empty-and-toasts", _sample("runs", _speak)),
    Shot("palette", _sample("home", lambda window: window.command_palette.open("go e"))),
    Shot("real-home", screen_shots.window("home")),
    Shot("real-home-empty", screen_shots.window("home", empty=True)),
    Shot("real-templates", screen_shots.window("templates")),
    Shot("real-templates-empty", screen_shots.window("templates", empty=True)),
    Shot("real-canvas", screen_shots.window("canvas")),
    Shot("real-canvas-empty", screen_shots.window("canvas", empty=True)),
    *(Shot(name, make) for name, make in canvas_shots.STATES.items()),
    *(Shot(name, make) for name, make in debugger_shots.STATES.items()),
    *(Shot(name, make) for name, make in gallery_shots.STATES.items()),
    Shot("real-audience", screen_shots.window("audience")),
    Shot("real-health", screen_shots.window("health")),
    Shot("real-settings", screen_shots.window("settings")),
    Shot("real-analytics", screen_shots.window("analytics")),
    Shot("real-analytics-empty", screen_shots.window("analytics", empty=True)),
    Shot("real-experiments", screen_shots.window("experiments")),
    Shot("real-experiments-empty", screen_shots.window("experiments", empty=True)),
    Shot("real-runs", screen_shots.window("runs")),
    Shot("charts", chart_book.chart_window),
    Shot("results-all", results("analytics", "all")),
    Shot("results-run", results("analytics", "r1")),
    Shot("results-run-lower", results("analytics", "r1", lower(1.0))),
    Shot("results-step", results("analytics", "r1/mail_2")),
    Shot("results-step-lower", results("analytics", "r1/mail_2", lower(1.0))),
    Shot("results-wait", results("analytics", "r1/wait_1")),
    Shot("results-asked", results("analytics", "r1", asked("click rate by step"))),
    Shot("results-asked-day", results("analytics", "r1", asked("revenue by day"))),
    Shot("results-wins", results("experiments", "r1")),
    Shot("results-wins-lower", results("experiments", "r1", lower(1.0))),
    Shot("results-open", results("experiments", "r1", judged("keep_running", None, "The band still holds zero."))),
    Shot("results-held", results("experiments", "r1", judged("blocked", None, "The split is off: p < .001."))),
    Shot("results-harm", results("experiments", "r1", judged("stop_harm", "B", "All of the band is below zero."))),
    Shot("results-futile", results("experiments", "r1", judged("stop_futile", None, "Nothing worth having is left."))),
    Shot("results-shipped", results("experiments", "r1", shipped)),
    Shot("results-planner", results("experiments", "r1", planning)),
    Shot("results-audience", results("audience")),
    *(Shot(f"trial-{name}", trial_shots.trial(name)) for name in trial_shots.STATES),
    Shot("trial-five-lower", trial_shots.trial("five", lower(1.0))),
    Shot("trial-taken-back", trial_shots.taken_back()),
    Shot("results-many", trial_shots.run_of("five")),
    Shot("results-many-lower", trial_shots.run_of("five", lower(0.5))),
    Shot("results-young", trial_shots.run_of("young")),
]


def photograph(shot: Shot, size: QSize) -> QImage:
    """The widget as it looks after its layout has settled."""
    widget = shot.make()
    widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    widget.resize(size)
    widget.show()
    for _round in range(6):
        QApplication.processEvents()
    screen_shots.settle()
    QApplication.processEvents()
    image = widget.grab().toImage()
    widget.close()
    widget.deleteLater()
    # Outside a running event loop nothing else deletes it, and each new look would be put on all of them.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return image


def compose(small: Sequence[QImage], columns: int) -> QImage:
    """All pictures, of one width, on one sheet."""
    width = small[0].width()
    height = max(image.height() for image in small)
    rows = -(-len(small) // columns)
    sheet = QImage(columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP, QImage.Format.Format_RGB32)
    sheet.fill(QColor("#8a8f98"))
    painter = QPainter(sheet)
    for number, image in enumerate(small):
        row, column = divmod(number, columns)
        painter.drawImage(_GAP + column * (width + _GAP), _GAP + row * (height + _GAP), image)
    painter.end()
    return sheet


def run(
    out: Path,
    *,
    only: str = "",
    text_scale: float = 1.0,
    size: QSize | None = None,
    schemes: Sequence[Literal["light", "dark"]] = SCHEMES,
) -> list[Path]:
    """Writes `<name>-<scheme>.png` for each shot and `sheet.png`; answers the files."""
    prepare()
    out.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    small: list[QImage] = []
    theme().set_text_scale(text_scale)
    for shot in SHOTS:
        if only and not any(part in shot.name for part in only.split(",")):
            continue
        for scheme in schemes:
            theme().set_scheme(scheme)
            image = photograph(shot, size or QSize(1440, 900))
            files.append(out / f"{shot.name}-{scheme}.png")
            image.save(str(files[-1]))
            # The whole pictures would take a gigabyte by the end.
            small.append(image.scaledToWidth(_THUMB, Qt.TransformationMode.SmoothTransformation))
    if small:
        files.append(out / "sheet.png")
        compose(small, _SHOTS_ABREAST * len(schemes)).save(str(files[-1]))
    return files


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, nargs="?", default=Path("build/shots"))
    parser.add_argument("--only", default="", help="only screens whose name holds this; several with commas")
    parser.add_argument("--text", type=int, default=100, metavar="PERCENT", help="size of the text, 100 to 200")
    parser.add_argument("--scheme", choices=SCHEMES, help="this look only")
    parser.add_argument("--size", default="1440x900")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    schemes = (options.scheme,) if options.scheme else SCHEMES
    asked = {"only": options.only, "text_scale": options.text / 100, "schemes": schemes}
    for file in run(options.out, size=QSize(width, height), **asked):
        print(file)


if __name__ == "__main__":
    main()
