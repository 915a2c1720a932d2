"""“Did you mean …?” for a word that nothing is called.

Absent on purpose: correcting it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping


def nearest(word: str, choices: Mapping[str, object] | tuple[str, ...]) -> str:
    """“Did you mean “x”?” for the closest of the choices, or an empty text."""
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f"Did you mean “{close[0]}”?" if close else ""
