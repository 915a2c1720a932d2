"""How a mail looks in a dark mail program: by its own dark rules, or turned dark by the program, as most do.

Programs differ; this shows the usual one: light grounds become dark, dark words light, colours keep their hue.
Absent on purpose: rendering; the result is HTML like any other.
"""

from __future__ import annotations

import colorsys
import re

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_DARK_RULES = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CLASS = re.compile(r'\bclass="([^"]*)"')
_STYLE = re.compile(r'\bstyle="([^"]*)"')
_VOID = frozenset(("br", "img", "hr", "meta", "input", "link"))
_LIGHTEST_DARK = 0.12


def as_dark(html: str) -> str:
    """The mail in a dark program. O(length)."""
    rules = [part for block in _DARK_RULES.findall(html) for part in _RULE.findall(block)]
    return _by_rules(html, rules) if rules else turned_dark(html)


def turned_dark(html: str) -> str:
    """Every colour with its lightness turned round, as a program does with mail that knows nothing of dark."""
    shown = _COLOUR.sub(lambda found: _turned(found[0]), html)
    return shown.replace("<body", '<body bgcolor="#1e1e1e" text="#f2f2f2"', 1)


def _turned(colour: str) -> str:
    digits = colour[1:] if len(colour) == 7 else "".join(letter * 2 for letter in colour[1:])
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, light, vivid = colorsys.rgb_to_hls(red, green, blue)
    # Strong colours (buttons, logos) are mostly left alone by mail programs.
    if vivid > 0.35 and 0.25 < light < 0.75:
        return colour
    turned = colorsys.hls_to_rgb(hue, _LIGHTEST_DARK + (1 - light) * (1 - _LIGHTEST_DARK), vivid)
    return "#" + "".join(f"{round(part * 255):02x}" for part in turned)


def _by_rules(html: str, rules: list[tuple[str, str]]) -> str:
    """The mail's own dark rules written into the elements they mean: `.class`, `tag` and `.class tag` selectors."""
    selectors = [
        (tuple(one.split()), _declarations(body)) for names, body in rules for one in names.split(",") if one.strip()
    ]
    open_elements: list[tuple[str, frozenset[str]]] = []
    written: list[str] = []
    last = 0
    for found in re.finditer(r"<(/?)(\w+)((?:\s[^<>]*)?)>", html):
        closing, tag, rest = found[1], found[2].lower(), found[3]
        if closing:
            _close(open_elements, tag)
            continue
        classes = _CLASS.search(rest)
        open_elements.append((tag, frozenset(classes[1].split()) if classes else frozenset()))
        styles = [style for parts, style in selectors if _meant(parts, open_elements)]
        if styles:
            written += [html[last : found.start()], f"<{found[2]}{_styled(rest, ';'.join(styles))}>"]
            last = found.end()
        if tag in _VOID or rest.rstrip().endswith("/"):
            open_elements.pop()
    return "".join([*written, html[last:]])


def _declarations(body: str) -> str:
    return ";".join(part.replace("!important", "").strip() for part in body.split(";") if part.strip())


def _close(open_elements: list[tuple[str, frozenset[str]]], tag: str) -> None:
    for place in range(len(open_elements) - 1, -1, -1):
        if open_elements[place][0] == tag:
            del open_elements[place:]
            return


def _meant(parts: tuple[str, ...], elements: list[tuple[str, frozenset[str]]]) -> bool:
    if not _is(parts[-1], elements[-1]):
        return False
    above = elements[:-1]
    for part in reversed(parts[:-1]):
        place = next((i for i in range(len(above) - 1, -1, -1) if _is(part, above[i])), None)
        if place is None:
            return False
        above = above[:place]
    return True


def _is(selector: str, element: tuple[str, frozenset[str]]) -> bool:
    tag, _, name = selector.partition(".")
    return (not tag or tag.lower() == element[0]) and (not name or name in element[1])


def _styled(rest: str, style: str) -> str:
    """The attributes with further declarations behind the element's own, which they overrule."""
    own = _STYLE.search(rest)
    if own is None:
        return f'{rest.rstrip("/ ")} style="{style}"'
    return f"{rest[: own.start(1)]}{own[1].rstrip(';')};{style}{rest[own.end(1) :]}"
