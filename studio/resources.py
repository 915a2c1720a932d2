"""Where the files that ship with the program lie: templates, icons, fonts, help texts, demo data.

Absent on purpose: reading them, and searching in several places at once. There is one folder, chosen once.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from studio.domain.errors import Corrupt


@cache
def root() -> Path:
    """The resource folder: in the packaged program, in the installed package, or beside `studio/` in a checkout.

    Raises Corrupt (`RESOURCES-MISSING`) when the installation has none.
    """
    package = Path(__file__).resolve().parent
    bundle: str | None = getattr(sys, "_MEIPASS", None)
    candidates = [Path(bundle) / "resources"] if bundle else [package / "_resources", package.parent / "resources"]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise Corrupt(
        "RESOURCES-MISSING",
        "The files that belong to the program are missing.",
        where=str(candidates[0]),
        hint="Install the program again.",
    )


def path(*parts: str) -> Path:
    """Path of one resource, e.g. `path("icons", "house.svg")`.

    Raises Corrupt (`RESOURCES-MISSING`) when it does not exist.
    """
    found = root().joinpath(*parts)
    if not found.exists():
        raise Corrupt(
            "RESOURCES-MISSING",
            f"“{'/'.join(parts)}” is missing from the program.",
            where=str(found),
            hint="Install the program again.",
        )
    return found
