"""Whether a window can be shown here. Light on purpose: it is asked before anything else is loaded."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Whether a window could open: always on Windows and macOS, with an X or Wayland display elsewhere."""
    if sys.platform in ("win32", "darwin"):
        return True
    offscreen = os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal")
    return offscreen or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
