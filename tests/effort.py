"""How many examples an expensive property gets, as a share of the profile's: few in the suite, many in a search."""

from __future__ import annotations

from hypothesis import settings


def share(part: float) -> settings:
    """At least three examples."""
    return settings(max_examples=max(3, round(part * settings.default.max_examples)))
