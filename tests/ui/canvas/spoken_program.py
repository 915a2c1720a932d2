"""The canvas with the cart recovery run on it, the outline open: what the accessibility tests listen to."""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer

from studio.nodes import catalogue
from studio.ui.application import prepare
from studio.ui.canvas.page import CanvasPage
from tests.ui.canvas import cart_recovery


def main() -> int:
    app = prepare()
    page = CanvasPage(catalogue())
    page.setWindowTitle("Canvas")
    page.resize(1300, 800)
    page.set_workflow(cart_recovery.workflow(), catalogue())
    page.add_events(cart_recovery.run_events())
    page.document.add_note("Mind the tone", (0.0, 400.0))
    page.show()
    page.show_outline()
    page.choose("mail_a")
    # The loop has run once: what is shown has been announced to the bus.
    QTimer.singleShot(1_500, lambda: print("ready", flush=True))
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
