"""Who sends live and through which server: the sending profile as a form, its check, and a letter to oneself.

Absent on purpose: showing a kept password, and DNS records.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.connectors.profile import SendingProfile
from studio.domain.errors import Problem, UserFixable
from studio.ui import widgets as w
from studio.ui.background import run_in_background, write_in_background
from studio.ui.faults import explain
from studio.ui.screens.navigator import Navigator
from studio.ui.screens.place import Place
from studio.ui.tokens import Tone
from studio.workspace.sending import SendingStory

SECURITIES = {"starttls": "STARTTLS", "tls": "TLS", "none": "None"}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_WIDE = 300


class SendingCard(w.Card):
    """Errors stand at the field they concern; what else stands in the way of a live run stands below, with a remedy."""

    def __init__(self, sending: SendingStory, navigator: Navigator) -> None:
        super().__init__("Sending", spacing=12)
        self._sending, self._navigator = sending, navigator
        self._saves = 0
        self.sender, self.reply_to, self.postal = QLineEdit(), QLineEdit(), QLineEdit()
        self.unsubscribe, self.host, self.username = QLineEdit(), QLineEdit(), QLineEdit()
        self.password, self.to = QLineEdit(), QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.port = w.NumberField(587, 1, 65_535)
        self.rate = w.NumberField(10, 1, 10_000, suffix=" a second")
        self.connections = w.NumberField(4, 1, 64)
        self.security = w.Segmented(SECURITIES, "starttls", name="Encryption")
        self.security.chosen.connect(lambda choice: self.port.setValue(_PORTS[choice]))
        self.to.setPlaceholderText("you@your-domain.org")
        self.fields = {
            "from": w.Field("From", self.sender, "Name <address>, an address of your own domain"),
            "reply_to": w.Field("Answers go to", self.reply_to, "Empty: to the sender"),
            "postal_address": w.Field("Postal address", self.postal, "Stands at the foot of every message"),
            "unsubscribe_base_url": w.Field("Unsubscribe page", self.unsubscribe, "Its https address"),
            "smtp.host": w.Field("Mail server", self.host, "As your mail provider names it"),
            "smtp.port": w.Field("Port", self.port),
            "smtp.username": w.Field("User name", self.username),
            "smtp.password": w.Field("Password", self.password, "Goes to this computer's keyring, never into a file"),
            "rate_per_second": w.Field("At most", self.rate),
            "connections": w.Field("Connections side by side", self.connections),
        }
        self.state = Place(spacing=6)
        self.answer = w.Text("", "secondary", "muted")
        self.answer.hide()
        self._lay_out()

    def refresh(self) -> None:
        """Shows what is kept, and whether it is ready. Asks disk and keyring off the Qt thread."""
        began = self._saves

        def show(found: tuple[SendingProfile | None, Sequence[Problem]]) -> None:
            if began == self._saves:  # what was read before a save says nothing about what was saved
                self._show(found)

        run_in_background(self._read, show, self._failed, owner=self)

    def content(self) -> dict[str, JsonValue]:
        """The form as a sending profile (CONTRACT); empty fields are left out."""
        server: dict[str, JsonValue] = {
            "host": self.host.text().strip(),
            "port": self.port.value(),
            "security": self.security.value,
        }
        if self.username.text().strip():
            server["username"] = self.username.text().strip()
        texts = {
            "from": self.sender,
            "reply_to": self.reply_to,
            "postal_address": self.postal,
            "unsubscribe_base_url": self.unsubscribe,
        }
        said: dict[str, JsonValue] = {name: line.text().strip() for name, line in texts.items() if line.text().strip()}
        return {"smtp": server, **said, "rate_per_second": self.rate.value(), "connections": self.connections.value()}

    def save(self) -> None:
        """Checks and keeps what stands in the form; mistakes are shown at their fields."""
        self._saves += 1
        content, password = self.content(), self.password.text()

        def keep() -> tuple[SendingProfile | None, Sequence[Problem]]:
            self._sending.keep(content, password)
            return self._read()

        write_in_background(keep, self._saved, self._failed, owner=self)

    def try_out(self) -> None:
        """Sends a letter to the address beside the button and shows what the server said."""
        to = self.to.text().strip()
        self._say("Sending …", "muted")
        run_in_background(lambda: self._sending.try_out(to), self._tried, self._not_sent, owner=self)

    def _lay_out(self) -> None:
        say = "A live run sends through this. Simulations and tests never do."
        self.add(w.Text(say, "secondary", "muted"))
        names = list(self.fields)
        for pair in zip(names[:4:2], names[1:4:2], strict=True):
            self.add(self._beside(*pair))
        self.add(w.Hairline(), self._beside("smtp.host", "smtp.port"))
        self.add(w.panel(w.column(w.Text("Encryption", "secondary", "secondary"), w.row(self.security, w.STRETCH))))
        self.add(self._beside("smtp.username", "smtp.password"), self._beside("rate_per_second", "connections"))
        self.save_button = w.PrimaryButton("Save", self.save)
        self.try_button = w.SecondaryButton("Send me a letter", self.try_out, icon="send")
        self.add(self.state, w.panel(w.row(self.save_button, w.STRETCH)), w.Hairline())
        self.to.setMinimumWidth(_WIDE)
        self.add(w.panel(w.row(w.Field("Try it out", self.to, "One letter to an address of your own"), w.STRETCH)))
        self.add(w.panel(w.row(self.try_button, w.STRETCH)), self.answer)

    def _beside(self, left: str, right: str) -> QWidget:
        halves = [w.column(self.fields[name], w.STRETCH, spacing=0) for name in (left, right)]
        line = w.row(*halves, spacing=16)
        for place in (0, 1):
            line.setStretch(place, 1)
        return w.panel(line)

    def _read(self) -> tuple[SendingProfile | None, Sequence[Problem]]:
        return self._sending.profile(), self._sending.problems()

    def _saved(self, found: tuple[SendingProfile | None, Sequence[Problem]]) -> None:
        self._navigator.notify("The sender is kept")
        self._show(found)

    def _show(self, found: tuple[SendingProfile | None, Sequence[Problem]]) -> None:
        profile, problems = found
        if profile is not None:
            self._fill(profile)
        self.try_button.setEnabled(profile is not None and not problems)
        self._show_problems([] if profile is None else problems)
        if profile is None:
            self.state.fill(w.Text("Nobody has said yet who sends, so nothing can go out live.", "secondary", "muted"))
        elif not problems:
            self.state.fill(w.panel(w.row(w.Pill("Ready for live runs", "state.done"), w.STRETCH)))

    def _fill(self, profile: SendingProfile) -> None:
        server = profile.smtp
        for line, text in (
            (self.sender, profile.sender),
            (self.reply_to, profile.reply_to or ""),
            (self.postal, profile.postal_address),
            (self.unsubscribe, profile.unsubscribe_base_url),
            (self.host, server.host),
            (self.username, server.username),
        ):
            line.setText(text)
        self.security.set_value(server.security)
        self.port.setValue(server.port)
        self.rate.setValue(max(1, round(profile.rate_per_second)))
        self.connections.setValue(profile.connections)
        self.password.clear()
        self.password.setPlaceholderText("Kept in the keyring" if server.password else "")

    def _show_problems(self, problems: Sequence[Problem]) -> None:
        for field in self.fields.values():
            field.set_error("")
        others = []
        for problem in problems:
            field = self.fields.get(problem.field or "")
            if field is None:
                others.append(w.Text(str(problem), "secondary", "bad"))
            else:
                field.set_error(problem.message if field is self.fields["smtp.password"] else _said(problem))
        if problems:
            self.state.fill(w.Text("Not ready for live runs yet.", "strong", "caution"), *others)
        else:
            self.state.fill()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserFixable) and error.problems:
            self._show_problems(error.problems)
        else:
            self.state.fill(w.ErrorPanel.for_error(error))

    def _tried(self, answer: str) -> None:
        self._say(f"The server took it: {answer}. Look whether it arrived, and where.", "good")

    def _not_sent(self, error: Exception) -> None:
        fault = explain(error)
        self._say(" ".join(part for part in (fault.happened, fault.to_do) if part), "bad")

    def _say(self, words: str, tone: Tone) -> None:
        self.answer.setText(words)
        self.answer.set_tone(tone)
        self.answer.show()


def _said(problem: Problem) -> str:
    return f"{problem.message} {problem.hint}".strip()
