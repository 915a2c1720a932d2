"""“Your business”: where it is told, and what was understood, to be corrected on the spot.

Absent on purpose: reading pages and words; the screen does that off the Qt thread and hands the result in.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPlainTextEdit, QWidget

from studio.domain.template import Fact
from studio.ui import widgets as w
from studio.ui.screens.place import Place
from studio.ui.screens.templates.trying import Gallery
from studio.ui.screens.values import OFFERED, capital, fact_shown, fact_title, fact_words, read_fact
from studio.ui.theme import theme


class BusinessPanel(w.SidePanel):
    """Signals: `address_given(url)`, `words_given(text)`, `page_given(path)`, `stopped` to give up reading,
    `corrected(fact, value or None)`, `type_confirmed(id)`."""

    address_given = Signal(str)
    words_given = Signal(str)
    page_given = Signal(object)
    stopped = Signal()
    corrected = Signal(str, object)
    type_confirmed = Signal(str)

    def __init__(self) -> None:
        super().__init__("left", 270)
        self._gallery: Gallery | None = None
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://your-shop.com")
        self.address.returnPressed.connect(self._give_address)
        self.words = QPlainTextEdit()
        self.words.setPlaceholderText("What do you sell, to whom, and what do you want more of?")
        self.words.setFixedHeight(theme().px(120))
        self.words.setTabChangesFocus(True)
        self._ask = Place()
        self._address_field = w.Field("Website address", self.address)
        self._words_field = w.Field("A few words about it", self.words)
        self._work = Place(spacing=6)
        self._understood = Place()
        self._editor = Place()
        self.add(w.SectionTitle("Your business"))
        for part in (self._ask, self._work, self._editor, self._understood):
            self.add(part)
        self._lay_out_asking()
        self.ask_for("address")

    def show_gallery(self, gallery: Gallery) -> None:
        """Shows what is understood now."""
        self._gallery = gallery
        website = gallery.context.fact("website")
        if website is not None and not self.address.text():
            self.address.setText(str(website.value))
            self.address.setCursorPosition(0)
        self._editor.fill()
        self._editor.hide()
        self._show_understood(gallery)
        self.updateGeometry()

    @property
    def is_editing(self) -> bool:
        """Whether a fact is open for correcting."""
        return not self._editor.isHidden()

    def ask_for(self, what: str) -> None:
        """`address` or `words`: brings that field to the front."""
        self._address_part.setVisible(what == "address")
        self._words_part.setVisible(what == "words")

    def focus_field(self) -> None:
        """Puts the cursor into the field that is in front."""
        (self.words if self._words_part.isVisibleTo(self) else self.address).setFocus()

    def show_working(self, doing: str) -> None:
        """Something is read; the person may stop it."""
        self._work.fill()
        self._address_field.set_error("")
        self._words_field.set_error("")
        if doing:
            self._work.add(w.ProgressLine(None, name=doing))
            line = w.row(w.Text(doing, "caption", "muted"), w.LinkButton("Stop", self.stopped.emit, quiet=True))
            line.setStretch(0, 1)
            self._work.add(line)
        self._work.setVisible(bool(doing))

    def show_problem(self, words: str) -> None:
        """What went wrong with reading, beside the field."""
        self.show_working("")
        (self._words_field if self._words_part.isVisibleTo(self) else self._address_field).set_error(words)

    def edit_fact(self, name: str) -> None:
        """Opens a fact for correcting, or for adding."""
        known = self._gallery.context.fact(name) if self._gallery else None
        self._editor.fill()
        line = QLineEdit(fact_words(name, known.value) if known else "")
        field = w.Field(f"Correct {fact_title(name).lower()}" if known else f"Add {fact_title(name).lower()}", line)
        save = w.PrimaryButton("Save", lambda: self._save_fact(name, field, line, known))
        line.returnPressed.connect(save.click)
        buttons: list[QWidget] = [save, w.SecondaryButton("Cancel", self._close_editor)]
        if known:
            buttons.append(w.SecondaryButton("Remove", lambda: self.corrected.emit(name, None)))
        self._editor.add(field)
        self._editor.add(w.flowing(*buttons))
        self._editor.show()
        QTimer.singleShot(0, self._editor, lambda: self.column.ensureWidgetVisible(self._editor))
        line.setFocus()
        line.selectAll()

    def _lay_out_asking(self) -> None:
        read = w.PrimaryButton("Read website", self._give_address)
        describe = w.SecondaryButton("Describe it", lambda: self._switch("words"))
        self._address_part = w.panel(w.column(self._address_field, w.flowing(read, describe)))
        understand = w.PrimaryButton("Understand", self._give_words)
        back = w.SecondaryButton("Use the website", lambda: self._switch("address"))
        self._words_part = w.panel(w.column(self._words_field, w.flowing(understand, back)))
        saved = w.LinkButton("Open a saved page", self._choose_page, quiet=True)
        note = w.Text("Read on this computer. Nothing leaves it.", "caption", "muted")
        for part in (self._address_part, self._words_part, note, w.panel(w.row(saved, w.STRETCH))):
            self._ask.add(part)
        self._work.hide()
        self._editor.hide()

    def _switch(self, what: str) -> None:
        self.ask_for(what)
        self.focus_field()

    def _give_address(self) -> None:
        address = self.address.text().strip()
        if not address:
            self._address_field.set_error("Type the address of your website, or describe your business.")
            return
        self.address_given.emit(address if "://" in address else f"https://{address}")

    def _give_words(self) -> None:
        if not self.words.toPlainText().strip():
            self._words_field.set_error("Write a sentence or two about what you sell and to whom.")
            return
        self.words_given.emit(self.words.toPlainText())

    def _choose_page(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(
            self, "Open a saved page", "", "Saved pages (*.html *.htm *.mhtml)"
        )
        if chosen:
            self.page_given.emit(Path(chosen))

    def _show_understood(self, gallery: Gallery) -> None:
        place = self._understood
        place.fill()
        if not gallery.is_known:
            place.add(w.SectionTitle("What we understood"))
            place.add(
                w.Text("Nothing yet. Each finding will stand here with how sure it is and why.", "secondary", "muted")
            )
            return
        if gallery.types:
            place.add(w.SectionTitle("What kind of business is it?"))
            place.add(self._type_chips(gallery))
            place.add(6)
        place.add(w.SectionTitle("What we understood"))
        facts = w.FactList(correctable=True)
        for fact in gallery.context.facts:
            shown = fact_shown(fact.name, fact.value)
            facts.add(fact_title(fact.name), shown, fact.confidence, capital(fact.evidence), key=fact.name)
        for name in gallery.unknown:
            facts.add(fact_title(name), "unknown", None, "Nothing told of it. Add it if you like.", key=name)
        facts.correct.connect(self.edit_fact)
        place.add(facts)
        missing = [name for name in OFFERED if gallery.context.fact(name) is None and name not in gallery.unknown]
        if missing:
            place.add(w.flowing(*(self._add_chip(name) for name in missing)))

    def _type_chips(self, gallery: Gallery) -> QWidget:
        chips: list[QWidget] = []
        for kind in gallery.types:
            chip = w.Chip(_short(kind.title), lambda kind=kind: self.type_confirmed.emit(kind.id), checkable=True)
            chip.setChecked(kind.is_confirmed)
            chip.setToolTip(kind.title)
            chip.setAccessibleName(f"This is it: {kind.title}")
            chips.append(chip)
        return w.flowing(*chips, spacing=6)

    def _add_chip(self, name: str) -> QWidget:
        return w.Chip(f"Add {fact_title(name).lower()}", lambda: self.edit_fact(name), icon="plus")

    def _save_fact(self, name: str, field: w.Field, line: QLineEdit, known: Fact | None) -> None:
        try:
            value = read_fact(name, line.text(), known)
        except ValueError as error:
            field.set_error(str(error))
            return
        self.corrected.emit(name, value)

    def _close_editor(self) -> None:
        self._editor.fill()
        self._editor.hide()
        self.focus_field()


def _short(title: str) -> str:
    return title if len(title) <= 30 else f"{title[:28].rstrip(' ,')} …"
