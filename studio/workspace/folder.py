"""Where a workspace lies unless a person says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

NAME = "flowlight-studio"


def default_folder() -> Path:
    """`STUDIO_WORKSPACE` if set, otherwise the platform's data folder of this user."""
    named = os.environ.get("STUDIO_WORKSPACE")
    return Path(named) if named else Path(platformdirs.user_data_dir(NAME, appauthor=False)) / "workspace"


def holds_workspace(folder: Path) -> bool:
    """Whether a workspace has been made there."""
    from studio.store.backup import DATABASE  # noqa: PLC0415 - the store takes half a second; a command's usage needs none

    return (folder / DATABASE).is_file()
