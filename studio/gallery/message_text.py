"""Messages as people write them: one plain text for all messages of a language, made into MJML and plain text.

A message begins with `== name`, then lines `key: value` (kind, subject, subject b, preview, greeting), an empty line
and blocks: `# headline`, paragraphs, `- lists`, `> code`, `[label](address)` alone for the button, and conditions.
Absent on purpose: any other markup, and filling in; `${parameter}` and `{{ field }}` pass through as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from studio.domain.errors import UserFixable

MAIL_KINDS = ("mail", "service")
KINDS = (*MAIL_KINDS, "sms", "push", "notice", "page")
_BEGIN = re.compile(r"^== *([a-z][a-z0-9_]*) *$", re.MULTILINE)
_HEAD = re.compile(r"(kind|subject|subject b|preview|greeting): *(.*)")
_BUTTON = re.compile(r"\[([^\]]+)\]\((.+)\)")
_LINK = re.compile(r"\[([^\]]+)\]\(((?:[^()]|\{\{.*?\}\})+)\)")
_BARE_AND = re.compile(r"&(?![a-z]+;|#\d+;)")
_TAG = re.compile(r"\{%-?\s*(\w+)")
_TAGS = re.compile(r"\{%.*?%\}", re.DOTALL)
_FIELD = re.compile(r"(\{[{%].*?[}%]\})")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one language. `subjects` and `rivals`: wordings of subject A and B, best first."""

    name: str
    kind: str
    subjects: tuple[str, ...]
    rivals: tuple[str, ...]
    preview: str
    has_greeting: bool
    blocks: tuple[str, ...]

    def texts(self, language: str, greeting: str) -> Iterator[tuple[str, str]]:
        """(file name, text) of the parts that templates carry; mails have MJML and text, all others text alone."""
        blocks = self._greeted(greeting) if self.has_greeting and self.kind in MAIL_KINDS else self.blocks
        if self.kind in MAIL_KINDS:
            preview = f"<mj-preview>{self.preview}</mj-preview>\n" if self.preview else ""
            yield f"{self.name}.{language}.mjml", preview + "\n".join(_mjml(block) for block in blocks)
        yield f"{self.name}.{language}.txt", _joined([_plain(block, self.kind) for block in blocks])

    def _greeted(self, greeting: str) -> tuple[str, ...]:
        after = 1 if self.blocks and self.blocks[0].startswith("# ") else 0
        return (*self.blocks[:after], greeting, *self.blocks[after:])


def read_messages(text: str, where: str) -> Mapping[str, Message]:
    """All messages of a file, by name. Raises UserFixable (TEMPLATE-MESSAGE) where one is not as described above."""
    parts = _BEGIN.split(text)
    if parts[0].strip():
        raise UserFixable("TEMPLATE-MESSAGE", "A text stands before the first message.", where=where, hint="Use == m1.")
    return {name: _message(name, body, where) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _message(name: str, text: str, where: str) -> Message:
    head, _, body = text.strip().partition("\n\n")
    lines: dict[str, list[str]] = {}
    for line in head.splitlines():
        found = _HEAD.fullmatch(line)
        if found is None:
            raise UserFixable("TEMPLATE-MESSAGE", f"“{line}” cannot be read.", where=f"{where}, {name}")
        lines.setdefault(found[1], []).append(found[2].strip())
    kind = lines.get("kind", ["mail"])[0]
    if kind not in KINDS or not body.strip():
        what = f"There is no kind of message “{kind}”." if body.strip() else "The message is empty."
        raise UserFixable("TEMPLATE-MESSAGE", what, where=f"{where}, {name}", hint=f"Kinds: {', '.join(KINDS)}.")
    return Message(
        name=name,
        kind=kind,
        subjects=tuple(lines.get("subject", ())),
        rivals=tuple(lines.get("subject b", ())),
        preview=lines.get("preview", [""])[0],
        has_greeting=lines.get("greeting", ["yes"])[0] != "no",
        blocks=tuple(block.strip() for block in re.split(r"\n\s*\n", body.strip())),
    )


def _mjml(block: str) -> str:
    if _is_condition(block):
        return block
    if block.startswith("# "):
        return f'<mj-text mj-class="headline">{_html(block[2:])}</mj-text>'
    if block.startswith("> "):
        return f'<mj-text mj-class="code">{_html(block[2:])}</mj-text>'
    if button := _BUTTON.fullmatch(block):
        return f'<mj-button href="{button[2]}">{_html(button[1])}</mj-button>'
    if block.startswith("- "):
        items = "".join(item if _is_loop(item) else f"<li>{_html(item)}</li>" for item in _items(block))
        return f"<mj-text><ul>{items}</ul></mj-text>"
    return f"<mj-text>{_html(' '.join(block.splitlines()))}</mj-text>"


def _items(block: str) -> list[str]:
    return [line.removeprefix("- ").strip() for line in block.splitlines()]


def _is_loop(item: str) -> bool:
    """Whether a line of a list is no item but begins or ends a loop over items."""
    return item.startswith(("{% for", "{% endfor"))


def _html(text: str) -> str:
    linked = _LINK.sub(lambda link: f'<a href="{link[2]}">{link[1]}</a>', text)
    # Fields hold the template language, not text: nothing in them is escaped here.
    parts = _FIELD.split(linked)
    return "".join(part if index % 2 else _BARE_AND.sub("&amp;", part) for index, part in enumerate(parts))


def _plain(block: str, kind: str) -> str:
    if kind == "page":
        # Pages are laid out from the text itself (`nodes.page_html`).
        return block
    if block.startswith("# "):
        # Mail programs show the subject above a plain text; the headline would say it twice.
        return "" if kind in MAIL_KINDS else block[2:]
    if block.startswith("> "):
        return block[2:]
    if _is_condition(block):
        return block
    if block.startswith("- "):
        items = (item if _is_loop(item) else "- " + _LINK.sub(r"\1: \2", item) + "\n" for item in _items(block))
        return "".join(items).rstrip("\n")
    return _LINK.sub(r"\1: \2", " ".join(block.splitlines()))


def _joined(blocks: list[str]) -> str:
    """Paragraphs with an empty line between them, whichever of those under a condition are there."""
    text, is_first, outside = "", True, []
    for block in blocks:
        if not _is_condition(block):
            text += block if is_first or not block else f"\n\n{block}"
            is_first = is_first and not block
            continue
        text += block
        for word in _TAG.findall(block):
            if word == "if":
                outside.append(is_first)
            elif word in ("elif", "else") and outside:
                is_first = outside[-1]
            else:
                is_first = False
            if word == "endif" and outside:
                outside.pop()
    return text


def _is_condition(block: str) -> bool:
    """Whether a block is nothing but `{% if … %}`, `{% else %}`, `{% endif %}` … for the blocks around it."""
    return bool(block) and not _TAGS.sub("", block).strip()
