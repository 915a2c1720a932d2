"""Pages and forms as HTML documents: plain, fast, readable without scripts, dark where the reader's device is.

Absent on purpose: files and servers (`workspace.pages` writes the files), and data of single visitors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from studio.nodes.web.form import FormField, FormParameters

_BUTTON = re.compile(r"\[([^\]]+)\]\((.+)\)")
_STYLE = """
:root { color-scheme: light dark; --accent: ACCENT; }
body { margin: 0; font: 18px/1.6 system-ui, sans-serif; background: #f4f5f7; color: #1f2430; }
main { max-width: 34rem; margin: 6vh auto; padding: 2.5rem; background: #fff; border-radius: 16px; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 1rem; }
label { display: block; margin: 1.1rem 0 .3rem; font-weight: 600; }
input, select, textarea { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; border: 1px solid #8b92a3;
  border-radius: 8px; background: transparent; color: inherit; }
input[type=checkbox] { width: auto; margin-right: .5rem; }
.consent { font-weight: 400; font-size: .9rem; }
.button { display: inline-block; margin-top: 1.6rem; padding: .8rem 1.6rem; border: 0; border-radius: 8px;
  font: inherit; font-weight: 600; background: var(--accent); color: INK; text-decoration: none; cursor: pointer; }
.trap { position: absolute; left: -9999px; }
@media (prefers-color-scheme: dark) { body { background: #14161b; color: #eceef3; } main { background: #1e2128; } }
"""


def page_html(title: str, text: str, language: str, accent: str = "#4f46e5", ink: str = "#ffffff") -> str:
    """A page out of text: `# heading`, paragraphs, `- lists`, `[label](address)` alone for the button."""
    blocks = [_block(block.strip()) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]
    return _document(title, "\n".join(blocks), language, accent, ink)


def form_html(form: FormParameters, language: str, action: str, accent: str = "#4f46e5", ink: str = "#ffffff") -> str:
    """A form that posts its answers, its name, and the consent with the version of its text, to `action`."""
    heading = f"<h1>{escape(form.title)}</h1>" if form.title else ""
    fields = [_field(FormField(name="email", label="E-mail", kind="email", required=True))]
    fields += [_field(field) for field in form.fields]
    consent = ""
    if form.consent_text:
        consent = (
            f'<label class="consent"><input type="checkbox" name="consent" value="{escape(form.consent_version)}">'
            f"{escape(form.consent_text)}</label>"
        )
    hidden = {"form": form.form, "redirect": form.redirect}
    carried = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items() if value
    )
    # A field that people do not see: what fills it in is a machine.
    trap = '<p class="trap" aria-hidden="true"><input name="website" tabindex="-1" autocomplete="off"></p>'
    body = (
        f'{heading}<form method="post" action="{escape(action)}">{"".join(fields)}{consent}{carried}{trap}'
        f'<button class="button">{escape(form.button)}</button></form>'
    )
    return _document(form.title or form.form, body, language, accent, ink)


def _field(field: FormField) -> str:
    required = " required" if field.required else ""
    name = escape(field.name)
    if field.kind == "choice":
        options = "".join(f"<option>{escape(choice)}</option>" for choice in field.choices)
        control = f'<select id="{name}" name="{name}"{required}>{options}</select>'
    elif field.kind == "long":
        control = f'<textarea id="{name}" name="{name}" rows="4"{required}></textarea>'
    else:
        kind = {"phone": "tel"}.get(field.kind, field.kind)
        control = f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{_fills_in(field)}"{required}>'
    return f'<label for="{name}">{escape(field.label)}</label>{control}'


def _fills_in(field: FormField) -> str:
    known = {"email": "email", "phone": "tel", "name": "name", "company": "organization"}
    return known.get(field.name) or known.get(field.kind, "on")


def _block(block: str) -> str:
    if block.startswith("# "):
        return f"<h1>{escape(block[2:])}</h1>"
    if button := _BUTTON.fullmatch(block):
        return f'<p><a class="button" href="{escape(button[2])}">{escape(button[1])}</a></p>'
    if block.startswith("- "):
        items: Sequence[str] = [line.removeprefix("- ") for line in block.splitlines()]
        return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
    return f"<p>{escape(' '.join(block.splitlines()))}</p>"


def _document(title: str, body: str, language: str, accent: str, ink: str) -> str:
    style = _STYLE.replace("ACCENT", accent).replace("INK", ink)
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
