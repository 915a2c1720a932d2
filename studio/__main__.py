"""`studio`: the desktop where there is a display and no command was given, the headless commands otherwise."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from collections.abc import Sequence

COLLECTED_EVERY = 50_000
"""Objects between two looks for cycles: what is loaded stays, and with Python's 700 looking is a fifth of a start."""
SWITCH_S = 0.001
"""A thread that waits for the interpreter has it after a thousandth of a second: a message's texts, a commit, a window
wait for nothing else most of the time."""
USAGE_ONLY = {"-h", "--help", "--version"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(COLLECTED_EVERY, 10, 10)
    # Before NumPy is loaded: the sentence model's matrices are small, and a second thread that waits for a busy core
    # made them six times as slow.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.setswitchinterval(SWITCH_S)
    if arguments[:1] == ["catcher"]:
        from studio.connectors import catcher  # noqa: PLC0415 - a process of its own that needs nothing else

        return catcher.main(arguments[1:]) or 0
    if arguments[:1] == ["render"]:
        from studio.nodes import render_worker  # noqa: PLC0415 - a process of its own that needs nothing else

        return render_worker.main(arguments[1:])
    if arguments[:2] == ["bench", "canvas"]:
        from studio.ui import bench  # noqa: PLC0415 - the one group that needs Qt

        return bench.main(arguments[2:])
    if wants_window(arguments):
        from studio.ui import app  # noqa: PLC0415 - Qt is optional, and half a second that commands need not pay

        return app.main(arguments)
    from studio import cli  # noqa: PLC0415 - the window does not need argparse's modules

    return cli.main(arguments)


def wants_window(arguments: Sequence[str]) -> bool:
    """Whether this call opens the desktop: no command, or the demo, and a window is possible and wanted."""
    from studio.workspace.display import has_display  # noqa: PLC0415 - keeps `--help` quick

    names = [argument for argument in arguments if not argument.startswith("-")]
    asked = not USAGE_ONLY & set(arguments) and (not names or arguments[0] in ("demo", "--workspace"))
    if not asked or {"--headless", "--json"} & set(arguments):
        return False
    if importlib.util.find_spec("PySide6") is None or not has_display():
        if not names:
            print("There is no window here. Commands: studio --help", file=sys.stderr)  # noqa: T201 - said once at start
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
