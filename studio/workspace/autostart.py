"""Lets the background engine start when a person logs in, in the way each system has for it.

Absent on purpose: services for all users; a workspace belongs to one person.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_ID = "flowlight-studio-engine"


def install(folder: Path, *, home: Path | None = None, platform: str = sys.platform) -> Path:
    """Writes the entry for a workspace, replacing the one before; where it lies."""
    path = _entry(home or Path.home(), platform)
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [*_program(), "serve", "--engine", "--workspace", str(folder.resolve())]
    path.write_text(_text(command, platform), encoding="utf-8")
    return path


def uninstall(*, home: Path | None = None, platform: str = sys.platform) -> bool:
    """Removes the entry; whether there was one."""
    path = _entry(home or Path.home(), platform)
    was_there = path.exists()
    path.unlink(missing_ok=True)
    return was_there


def _program() -> list[str]:
    # A packaged program is its own interpreter.
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "studio"]


def _entry(home: Path, platform: str) -> Path:
    if platform == "win32":
        roaming = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
        return roaming / "Microsoft/Windows/Start Menu/Programs/Startup" / f"{_ID}.cmd"
    if platform == "darwin":
        return home / "Library/LaunchAgents" / f"{_ID}.plist"
    return home / ".config/autostart" / f"{_ID}.desktop"


def _text(command: Sequence[str], platform: str) -> str:
    if platform == "win32":
        words = " ".join(f'"{word}"' for word in command)
        return f'@echo off\r\nstart "" /min {words}\r\n'
    if platform == "darwin":
        words = "".join(f"<string>{escape(word)}</string>" for word in command)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict>'
            f"<key>Label</key><string>{_ID}</string><key>ProgramArguments</key><array>{words}</array>"
            "<key>RunAtLoad</key><true/></dict></plist>\n"
        )
    return (
        "[Desktop Entry]\nType=Application\nName=Flowlight Studio background engine\n"
        f"Exec={shlex.join(command)}\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    )
