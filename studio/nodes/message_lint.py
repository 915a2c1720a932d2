"""Advice about a message before it is sent: what filters, small screens and readers make of its subject and its body.

Advice never stops a run. Absent on purpose: whether a message can be written at all (`message_rendering` refuses it),
network checks of links, and scores; each finding says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from studio import resources
from studio.domain.spelling import nearest
from studio.nodes.message_rendering import Texts
from studio.nodes.mjml_outline import Outline, outline

Level: TypeAlias = Literal["error", "warning", "hint"]
Place: TypeAlias = Literal["subject", "preheader", "body", "text"]

SUBJECT_FITS = 60
"""Characters of a subject that mail programs on a desktop show; phones show about 40."""
SUBJECT_ON_PHONE = 40
PREHEADER_LEAST, PREHEADER_MOST = 35, 110
CLIPPED_BYTES = 102_000
"""Gmail cuts a message's HTML there and hides the rest, the unsubscribe link with it."""
_NEARLY = 0.85
_TEXT_PER_IMAGE = 120
"""Readable characters for each picture below which a message reads as a picture."""
_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\U0001f1e6-\U0001f1ff]")
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_BLOCK = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_CONTACT_FIELD = re.compile(r"\bcontact\.([A-Za-z_]\w*)")
_PLACEHOLDER = re.compile(r"lorem ipsum|\bTODO\b|\bXXX\b|\[(?:name|company|firma|your [a-z ]+)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding. `code` is stable (`LINT-…`); `line` counts from 1 in the body as it is written, None elsewhere."""

    code: str
    level: Level
    place: Place
    message: str
    hint: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class _Words:
    spam: Mapping[str, tuple[str, ...]]
    deceptive: Mapping[str, tuple[str, ...]]
    vague_links: Mapping[str, tuple[str, ...]]
    shorteners: tuple[str, ...]


def lint_subject(subject: str, preheader: str = "", *, language: str = "en") -> list[Advice]:
    """Advice about a subject and the preview text after it, worst first. Both may hold `{{ … }}`."""
    said, preview = _as_read(subject), _as_read(preheader)
    found = [
        *_subject_length(said, has_fields="{{" in subject),
        *_shouting(said),
        *_wording(said, language),
        *_unguarded(subject, "subject"),
        *_preheader(preview, said, is_computed="{" in preheader),
        *_unguarded(preheader, "preheader"),
    ]
    return _worst_first(found)


def lint_message(
    texts: Texts, *, language: str = "en", html_bytes: int | None = None, fields: Collection[str] | None = None
) -> list[Advice]:
    """Advice about a whole message, worst first.

    Args:
        texts: subject, preheader, MJML and plain text as they are written, with their `{{ … }}`.
        language: whose word lists are used; others take the English ones.
        html_bytes: size of the rendered HTML; None skips the check of what Gmail clips.
        fields: contact fields that exist, to find misspelt ones; None skips that.
    """
    read = outline(texts.body)
    found = [
        *lint_subject(texts.subject, texts.preheader or read.preview, language=language),
        *_duties(texts.body),
        *_unknown_tags(read),
        *_images(read),
        *_links(read, language),
        *_balance(read),
        *_dark(read),
        *_size(html_bytes),
        *_spam_in_body(read.text, language),
        *_unknown_fields(texts, fields),
    ]
    return _worst_first(found)


def _as_read(text: str) -> str:
    """The text as somebody reads it: an expression stands for a short word, conditions vanish."""
    return " ".join(_EXPRESSION.sub("Anna", _BLOCK.sub("", text)).split())


def _subject_length(said: str, *, has_fields: bool) -> list[Advice]:
    if not said:
        hint = "Say in a few words what the reader gets."
        return [Advice("LINT-SUBJECT-EMPTY", "error", "subject", "There is no subject.", hint)]
    if len(said) > SUBJECT_FITS:
        about = "about " if has_fields else ""
        text = f"The subject has {about}{len(said)} characters; most programs show {SUBJECT_FITS}."
        return [Advice("LINT-SUBJECT-LONG", "warning", "subject", text, "Cut it, or put what matters first.")]
    if len(said) > SUBJECT_ON_PHONE:
        text = f"On a phone the subject ends after “{said[:SUBJECT_ON_PHONE].rstrip()}”."
        return [Advice("LINT-SUBJECT-PHONE", "hint", "subject", text, "Let these words stand by themselves.")]
    if len(said.split()) < 2:
        hint = "Two to seven words tell more."
        return [Advice("LINT-SUBJECT-SHORT", "hint", "subject", "The subject is a single word.", hint)]
    return []


def _shouting(said: str) -> list[Advice]:
    found: list[Advice] = []
    letters = [letter for letter in said if letter.isalpha()]
    loud = [word for word in re.findall(r"[^\W\d_]{4,}", said) if word.isupper()]
    if len(letters) >= 8 and sum(letter.isupper() for letter in letters) > 0.6 * len(letters):
        hint = "Write it as in a letter."
        found.append(Advice("LINT-CAPITALS", "warning", "subject", "The subject is in capitals.", hint))
    elif len(loud) > 1:
        text = f"{', '.join(loud)} stand in capitals."
        found.append(Advice("LINT-CAPITALS", "hint", "subject", text, "One word at most."))
    if re.search(r"[!?]{2,}|!.*!", said):
        hint = "One is enough, none is often better."
        found.append(Advice("LINT-EXCLAMATION", "warning", "subject", "More than one exclamation mark.", hint))
    if re.search(r"[$€£]{2,}", said):
        hint = "Name the amount instead."
        found.append(Advice("LINT-MONEY-SIGNS", "warning", "subject", "A row of money signs.", hint))
    emojis = len(_EMOJI.findall(said))
    if emojis > 1:
        hint = "Screen readers read each one out. One at most, not in place of a word."
        found.append(Advice("LINT-EMOJI", "hint", "subject", f"{emojis} emoji in the subject.", hint))
    return found


def _wording(said: str, language: str) -> list[Advice]:
    lowered = said.lower()
    found: list[Advice] = []
    for phrase in _list(_words().deceptive, language):
        if lowered.startswith(phrase) or (not phrase.endswith(":") and phrase in lowered):
            text = f"“{phrase}” makes the message look like something it is not."
            hint = "Misleading subjects are against the law in many countries (CAN-SPAM, UWG). Say what it is."
            found.append(Advice("LINT-DECEPTIVE", "error", "subject", text, hint))
            break
    spam = _phrases(lowered, language)
    if spam:
        text = f"Filters and readers distrust “{'”, “'.join(spam[:3])}”."
        found.append(Advice("LINT-SPAM-WORDS", "warning", "subject", text, "Say it plainly, with a figure or a name."))
    if left := _PLACEHOLDER.search(said):
        text = f"“{left.group()}” is a placeholder."
        found.append(Advice("LINT-PLACEHOLDER", "error", "subject", text, "Write what shall stand there."))
    return found


def _preheader(preview: str, said: str, *, is_computed: bool) -> list[Advice]:
    if not preview:
        if is_computed:
            return []
        text = "There is no preview text: programs show the first words of the message instead."
        return [
            Advice("LINT-PREHEADER-NONE", "warning", "preheader", text, "Add a line that goes on from the subject.")
        ]
    if preview.casefold() == said.casefold():
        hint = "Use the line to say more."
        return [Advice("LINT-PREHEADER-SAME", "warning", "preheader", "The preview text repeats the subject.", hint)]
    if len(preview) > PREHEADER_MOST:
        text = f"The preview text has {len(preview)} characters; about {PREHEADER_MOST} are shown."
        return [Advice("LINT-PREHEADER-LONG", "hint", "preheader", text, "Put what matters first.")]
    if len(preview) < PREHEADER_LEAST:
        text = f"The preview text has {len(preview)} characters; programs fill the line with what follows."
        return [Advice("LINT-PREHEADER-SHORT", "hint", "preheader", text, f"Write {PREHEADER_LEAST} or more.")]
    return []


def _unguarded(source: str, place: Place) -> list[Advice]:
    """Personal fields that some people do not have, printed without a way out."""
    for expression in _EXPRESSION.findall(source):
        field = _CONTACT_FIELD.search(expression)
        guarded = "default" in expression or " or " in expression or " if " in expression
        tested = field is not None and re.search(rf"\{{%-?\s*(?:el)?if\b[^%]*\bcontact\.{field[1]}\b", source)
        if field is not None and field[1] != "email" and not guarded and not tested:
            text = f"Who has no {field[1].replace('_', ' ')} gets no message: the {place} prints it without a fallback."
            hint = f'Write {{{{ contact.{field[1]}|default("there") }}}}.'
            return [Advice("LINT-NO-FALLBACK", "warning", place, text, hint)]
    return []


def _duties(body: str) -> list[Advice]:
    found: list[Advice] = []
    if "unsubscribe_url" not in body:
        hint = "Add a link to {{ unsubscribe_url }}. Marketing mail needs it everywhere."
        found.append(Advice("LINT-UNSUBSCRIBE", "error", "body", "There is no way to unsubscribe.", hint))
    if "postal_address" not in body:
        hint = "Add {{ postal_address }} to the foot. The United States and Germany, among others, ask for it."
        found.append(Advice("LINT-ADDRESS", "warning", "body", "Your postal address is missing.", hint))
    return found


def _unknown_tags(read: Outline) -> list[Advice]:
    return [
        Advice(
            "LINT-UNKNOWN-TAG",
            "error",
            "body",
            f"<{name}> is no part of MJML and is left out without a word.",
            nearest(name, read.known_tags) or "Use mj-text, mj-button, mj-image, mj-section or mj-column.",
            line,
        )
        for name, line in read.unknown
    ]


def _images(read: Outline) -> list[Advice]:
    found: list[Advice] = []
    for image in read.images:
        if image.alt is None:
            hint = 'Say in alt what it shows; alt="" if it is only decoration.'
            text = "A picture without a description: many readers see nothing there."
            found.append(Advice("LINT-ALT", "warning", "body", text, hint, image.line))
        if image.source.startswith("http://"):
            hint = "Use https."
            found.append(Advice("LINT-HTTP", "warning", "body", "A picture over plain http.", hint, image.line))
    return found


def _links(read: Outline, language: str) -> list[Advice]:
    found: list[Advice] = []
    vague = _list(_words().vague_links, language)
    for link in read.links:
        target = link.target.strip()
        if not target or target == "#":
            text = f"“{link.label or 'A link'}” leads nowhere."
            found.append(Advice("LINT-LINK-EMPTY", "error", "body", text, "Give it an address.", link.line))
        elif target.startswith("http://"):
            text = f"“{link.label or target}” leads to plain http."
            found.append(Advice("LINT-HTTP", "warning", "body", text, "Use https.", link.line))
        elif not re.match(r"https://|mailto:|tel:|\{\{|\{%|\$\{", target):
            text = f"“{target[:60]}” is not an address that works in a mail."
            found.append(Advice("LINT-LINK-ODD", "error", "body", text, "Begin it with https://.", link.line))
        host = re.sub(r"^https?://(?:www\.)?", "", target).split("/")[0].lower()
        if host in _words().shorteners:
            text = f"{host} hides where the link leads; filters distrust it."
            found.append(Advice("LINT-SHORTENER", "warning", "body", text, "Use the whole address.", link.line))
        if link.label.lower().strip(" .!»›>→") in vague:
            text = f"“{link.label}” does not say where the link leads."
            found.append(Advice("LINT-LINK-VAGUE", "hint", "body", text, "Name what is behind it.", link.line))
    return found


def _balance(read: Outline) -> list[Advice]:
    if read.images and len(read.text) < _TEXT_PER_IMAGE * len(read.images):
        text = (
            f"{len(read.images)} picture{'s' if len(read.images) > 1 else ''} and {len(read.text)} characters of text."
        )
        hint = "Say in words what matters: pictures are often not loaded, and filters distrust messages made of them."
        return [Advice("LINT-PICTURES", "warning", "body", text, hint)]
    if not read.links and read.text:
        hint = "Add one button, or ask for a reply."
        return [Advice("LINT-NO-LINK", "hint", "body", "There is nothing to click.", hint)]
    return []


def _dark(read: Outline) -> list[Advice]:
    found = [
        Advice(
            "LINT-CONTRAST",
            "warning",
            "body",
            f"{pair.ink} on {pair.ground} is hard to read (contrast {pair.ratio:.1f}, needed {_CONTRAST}).",
            "Take a darker or a lighter colour.",
            pair.line,
        )
        for pair in read.colours
        if pair.ratio < _CONTRAST
    ]
    if not read.is_dark_aware:
        hint = 'Put <meta name="color-scheme" content="light dark"> into mj-raw and dark colours into mj-style.'
        text = "Nothing is said about dark mode: programs invert the colours as they like."
        found.append(Advice("LINT-DARK", "hint", "body", text, hint))
    return found


def _size(html_bytes: int | None) -> list[Advice]:
    if html_bytes is None or html_bytes < _NEARLY * CLIPPED_BYTES:
        return []
    text = f"The message has {html_bytes / 1_000:.0f} kB of HTML; Gmail clips it at {CLIPPED_BYTES // 1_000} kB."
    level: Level = "error" if html_bytes > CLIPPED_BYTES else "warning"
    return [Advice("LINT-CLIPPED", level, "body", text, "Shorten it: what is clipped hides the unsubscribe link.")]


def _spam_in_body(text: str, language: str) -> list[Advice]:
    found: list[Advice] = []
    spam = _phrases(text.lower(), language)
    if len(spam) >= 3:
        words = f"“{'”, “'.join(spam[:4])}” together read like spam."
        found.append(Advice("LINT-SPAM-WORDS", "warning", "body", words, "Say it plainly."))
    if left := _PLACEHOLDER.search(text):
        words = f"“{left.group()}” is a placeholder."
        found.append(Advice("LINT-PLACEHOLDER", "error", "body", words, "Write what shall stand there."))
    return found


def _unknown_fields(texts: Texts, fields: Collection[str] | None) -> list[Advice]:
    if fields is None:
        return []
    known = {*fields, "key", "email", "name", "first_name", "last_name", "language", "zone"}
    found: dict[str, Advice] = {}
    for place, source in (("subject", texts.subject), ("preheader", texts.preheader), ("body", texts.body)):
        for part in (*_EXPRESSION.findall(source), *_BLOCK.findall(source)):
            for name in _CONTACT_FIELD.findall(part):
                if name not in known:
                    hint = nearest(name, known) or "Import it with your contacts, or take it out."
                    text = f"No contact has a field “{name}”."
                    found.setdefault(name, Advice("LINT-FIELD", "warning", place, text, hint))
    return list(found.values())


def _phrases(lowered: str, language: str) -> list[str]:
    return [phrase for phrase in _list(_words().spam, language) if re.search(rf"(?<!\w){re.escape(phrase)}", lowered)]


def _list(lists: Mapping[str, tuple[str, ...]], language: str) -> tuple[str, ...]:
    return lists.get(language) or lists["en"]


def _worst_first(found: list[Advice]) -> list[Advice]:
    order = {"error": 0, "warning": 1, "hint": 2}
    return sorted(found, key=lambda advice: order[advice.level])


@cache
def _words() -> _Words:
    return TypeAdapter(_Words).validate_json(resources.path("messages", "lint.json").read_bytes())
