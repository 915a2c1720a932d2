"""Tags on links, so that web statistics know which message a visit came from.

Absent on purpose: redirects; a link leads where it says.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# Two steps, neither of which passes over a tag's end: one pattern for both would take time in the square of the length.
_LINK = re.compile(r"<a\s[^<>]*>", re.IGNORECASE)
_TARGET = re.compile(r'(\shref=")([^"]*)(")', re.IGNORECASE)
_NOT_WORD = re.compile(r"[^a-z0-9_]+")


def tag_links(source: str, tags: Mapping[str, str], untouched: str) -> str:
    """The HTML with `tags` added to the query of every web link.

    A tag that a link already has stays as it is; links to `untouched` (unsubscribing) and other schemes are left alone.
    """
    fixed = tuple(tags.items())

    def target(found: re.Match[str]) -> str:
        url = html.unescape(found[2])
        if not url.startswith(("http://", "https://")) or url == untouched:
            return found[0]
        return found[1] + html.escape(_tagged(url, fixed), quote=True) + found[3]

    return _LINK.sub(lambda link: _TARGET.sub(target, link[0], count=1), source)


def slug(text: str) -> str:
    """Lower-case letters, digits and underscores: how a name stands in a tag."""
    return _NOT_WORD.sub("_", text.lower()).strip("_")


@lru_cache(maxsize=4_096)
def _tagged(url: str, tags: tuple[tuple[str, str], ...]) -> str:
    try:
        parts = urlsplit(url)
        present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError:
        return url
    added = urlencode([(name, value) for name, value in tags if value and name not in present])
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))
