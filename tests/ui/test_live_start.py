"""Starting a live run in the window: the sender in the settings first, then a question with who would get what."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from studio.ui import app, background
from studio.ui.screens.settings import sending
from studio.ui.screens.settings.screen import SettingsPage
from studio.workspace.sending import SendingStory
from tests.connectors.test_secrets import MemoryKeyring
from tests.ui.conftest import PATIENCE_MS
from tests.workspace.test_sending import PROFILE, Secrets, Standing, welcome


@pytest.fixture(autouse=True)
def live(studio: app.Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_SECRET_SMTP", "secret")
    studio.workspace.workflows.save("w", welcome(shop_url="https://python.org/shop"))
    studio.mode = "live"


def question(studio: app.Studio) -> QMessageBox | None:
    boxes = [box for box in studio.window.findChildren(QMessageBox) if box.isVisible()]
    return boxes[0] if boxes else None


def test_without_a_sender_the_way_to_the_settings_is_offered(qtbot: QtBot, studio: app.Studio) -> None:
    studio.run_workflow("w")
    qtbot.waitUntil(lambda: bool(studio.window.toasts.toasts()), timeout=PATIENCE_MS)
    (toast,) = studio.window.toasts.toasts()
    assert question(studio) is None
    toast.button.click()
    assert studio.window.pages.current_id == "settings"
    assert not studio.workspace.runs.list()


def test_nothing_starts_before_somebody_says_so(qtbot: QtBot, studio: app.Studio) -> None:
    studio.workspace.sending.keep(PROFILE | {"smtp": PROFILE["smtp"] | {"password": "secret://smtp"}})
    studio.run_workflow("w")
    qtbot.waitUntil(lambda: question(studio) is not None, timeout=PATIENCE_MS)
    box = question(studio)
    assert "shop@python.org" in box.informativeText()
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    box.button(QMessageBox.StandardButton.Cancel).click()
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    assert not studio.workspace.runs.list()
    studio.run_workflow("w")
    qtbot.waitUntil(lambda: question(studio) is not None, timeout=PATIENCE_MS)
    next(b for b in question(studio).buttons() if b.text() == "Send for real").click()
    qtbot.waitUntil(lambda: [run.mode for run in studio.workspace.runs.list()] == ["live"], timeout=PATIENCE_MS)


def test_the_sender_is_entered_in_the_settings(qtbot: QtBot, studio: app.Studio, tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    story = SendingStory(tmp_path / "first", Standing(), Secrets({}, keyring=lambda: keyring))
    page = SettingsPage(studio.workspace, studio)
    qtbot.addWidget(page)
    card = page.sending
    card._sending = story
    card.host.setText("mail.python.org")
    card.sender.setText("nobody")
    card.save()
    qtbot.waitUntil(lambda: card.fields["from"].error != "", timeout=PATIENCE_MS)
    assert story.profile() is None
    card.sender.setText("shop@python.org")
    card.username.setText("shop")
    card.password.setText("open sesame")
    card.save()
    qtbot.waitUntil(lambda: card.fields["postal_address"].error != "", timeout=PATIENCE_MS)
    assert not card.try_button.isEnabled()
    assert card.password.text() == ""
    assert list(keyring.stored.values()) == ["open sesame"]
    card.postal.setText("Mill Lane 1, Vienna")
    card.unsubscribe.setText("https://python.org/unsubscribe")
    card.save()
    qtbot.waitUntil(card.try_button.isEnabled, timeout=PATIENCE_MS)
    assert story.profile().postal_address == "Mill Lane 1, Vienna"


def test_what_was_read_before_a_save_does_not_hide_its_mistakes(
    qtbot: QtBot, studio: app.Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = SettingsPage(studio.workspace, studio)
    qtbot.addWidget(page)
    qtbot.waitUntil(lambda: not background.under_way(), timeout=PATIENCE_MS)
    late = []
    monkeypatch.setattr(sending, "run_in_background", lambda work, done, *_, **__: late.append((work, done)))
    card = page.sending
    card.refresh()
    card.sender.setText("nobody")
    card.save()
    qtbot.waitUntil(lambda: card.fields["from"].error != "", timeout=PATIENCE_MS)
    ((work, done),) = late
    done(work())
    assert card.fields["from"].error != ""
