"""Tests of the providers' page in the real window: what is entered is kept, refused in words, and shown as locked where it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.providers import BUILT_IN, ProviderProfile, TaskModel
from desktop.gui.panel_parts import FormArea
from desktop.gui.providers_panel import ProvidersPanel
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from desktop.services.container import Desk
from tests.gui.real_window import ANSWER, button, opened_window, until

CLOUD = ProviderProfile("cloud", "openai", "https://api.openai.com/v1", model="gpt-4o-mini")
HERE = ProviderProfile("here", "custom", "http://127.0.0.1:1/v1", model="small")


@asynccontextmanager
async def opened_panel(
    data_dir: Path, *profiles: ProviderProfile, chosen: str = ""
) -> AsyncIterator[tuple[ProvidersPanel, MainWindow, Desk]]:
    """Open the page with these providers, the last of them the default."""
    async with opened_window(data_dir) as (window, desk):
        for profile in profiles:
            desk.providers.save(profile, make_default=True)
        window.status_flow.show_providers()
        window.show_providers()
        panel = window.pages.providers
        await panel.jobs.idle()
        if chosen:
            panel.open(chosen)
            await panel.jobs.idle()
        yield panel, window, desk


async def _save(panel: ProvidersPanel, window: MainWindow) -> str:
    button(window, "Save").click()
    await panel.jobs.idle()
    return panel._words.text()


def _choose(box: QComboBox, value: str) -> None:
    place = box.findData(value)
    assert place >= 0, f"{value} is not offered"
    box.setCurrentIndex(place)
    box.activated.emit(place)


def _is_offered(box: QComboBox, value: str) -> bool:
    items = box.model()
    assert isinstance(items, QStandardItemModel)
    return items.item(box.findData(value)).isEnabled()


async def test_network_and_privacy_are_kept_and_shown_again(qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
    async with opened_panel(data_dir, HERE, CLOUD) as (panel, window, desk):
        network = panel.form.network
        assert not panel.form.privacy.is_open
        panel.form.privacy.button.click()
        _choose(network.fallback, "here")
        _choose(network.redaction, "off")
        _choose(network.way, "own")
        network.proxy.setText("proxy.example.com:8080")
        assert await _save(panel, window) == ""
        saved = replace(CLOUD, fallback="here", redaction="off", proxy="http://proxy.example.com:8080")
        assert desk.providers.profile("cloud") == saved
        panel.open(BUILT_IN)
        await panel.jobs.idle()
        assert not network.proxy.isVisible()
        panel.open("cloud")
        await panel.jobs.idle()
        assert panel.form.profile() == saved
        assert network.summary() == "Redaction off · then here · own proxy"


async def test_what_redaction_by_the_host_means_follows_the_address_as_it_is_typed(
    qtbot: QtBot, data_dir: Path
) -> None:
    async with opened_panel(data_dir, CLOUD) as (panel, _, _):
        network = panel.form.network
        panel.form.privacy.open()
        assert network.redaction.currentText() == "By the host: on here"
        assert "api.openai.com" in network.redaction_note.text()
        panel.form.url.setText("localhost:11434")
        assert network.redaction.currentText() == "By the host: off here"
        panel.form.url.setText("llm.example.com/v1")
        assert network.redaction.currentText() == "By the host: on here"
        _choose(network.redaction, "off")
        assert network.redaction_note.text() == "Everything is sent to llm.example.com as it stands in the ticket."


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("proxy", "http://me:pw-6b1f0e@proxy.example.com", "stored unprotected"),
        ("proxy", "", "must name a host"),
        ("ca_file", "/nowhere/ca.pem", "The CA file /nowhere/ca.pem is not there"),
        ("client_key", "/nowhere/key.pem", "without its certificate"),
    ],
)
async def test_what_cannot_be_used_is_refused_and_its_fields_are_opened(
    qtbot: QtBot, data_dir: Path, field: str, text: str, words: str
) -> None:
    async with opened_panel(data_dir, CLOUD) as (panel, window, desk):
        network = panel.form.network
        if field == "proxy":
            _choose(network.way, "own")
            network.proxy.setText(text)
        else:
            network.files[field].setText(text)
        said = await _save(panel, window)
        assert words in said
        assert "pw-6b1f0e" not in said
        assert panel.form.privacy.is_open
        assert network.isVisible()
        assert desk.providers.profile("cloud") == CLOUD


async def test_the_lock_grays_what_may_not_be_asked_and_says_why(qtbot: QtBot, data_dir: Path) -> None:
    reason = "Local only is on: nothing is sent to api.openai.com."
    async with opened_panel(data_dir, HERE, CLOUD) as (panel, window, desk):
        panel.form.model.setEditText("typed and not saved")
        panel.lock.click()
        await panel.jobs.idle()
        assert desk.providers.is_local_only
        assert panel.form.model.currentText() == "typed and not saved"
        assert (panel._locked.text(), panel._locked.isVisible()) == (reason, True)
        for wanted in ("Test", "Use for summaries", "Fetch list"):
            assert not button(window, wanted).isEnabled(), wanted
            assert reason in button(window, wanted).toolTip()
        assert button(window, "Save").isEnabled()
        rows = [panel._list.item(row) for row in range(panel._list.count())]
        assert [(not item.icon().isNull(), reason in item.toolTip()) for item in rows] == [
            (False, False),
            (False, False),
            (True, True),
        ]
        actions = {action.text(): action for action in window.status.menu.actions()}
        locked = actions["cloud · gpt-4o-mini  · locked"]
        assert (locked.isEnabled(), reason in locked.toolTip()) == (False, True)
        assert actions["here · small"].isEnabled()
        assert window.status.local_only.isVisible()
        assert "locked" in window.status.provider.text()
        panel.open("here")
        await panel.jobs.idle()
        assert not _is_offered(panel.form.network.fallback, "cloud")
        assert _is_offered(panel.form.network.fallback, BUILT_IN)
        assert not panel._locked.isVisible()
        button(window, "Who does what").click()
        assert not _is_offered(panel.tasks.rows[0].provider, "cloud")
        assert panel.tasks.rows[0].then.text() == "Locked"


async def test_the_lock_is_set_and_taken_away_in_the_status_bars_menu_too(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, HERE, CLOUD) as (panel, window, desk):

        def lock() -> None:
            next(action for action in window.status.menu.actions() if action.text() == "Local only").trigger()

        lock()
        await panel.jobs.idle()
        assert desk.settings.get("local_only") is True
        assert (panel.lock.isChecked(), window.status.local_only.isVisible()) == (True, True)
        assert not button(window, "Test").isEnabled()
        lock()
        await panel.jobs.idle()
        assert desk.settings.get("local_only") is False
        assert (panel.lock.isChecked(), window.status.local_only.isVisible()) == (False, False)
        assert button(window, "Test").isEnabled()


async def test_a_ticket_does_not_start_a_summary_that_the_lock_would_refuse(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, CLOUD) as (_, window, desk):
        desk.settings.set("auto_summarize", "always")
        desk.providers.set_local_only(is_on=True)
        assert not window.ticket._starts_by_itself()
        desk.providers.set_local_only(is_on=False)
        assert window.ticket._starts_by_itself()


async def test_who_does_what_holds_at_once_and_is_asked(qtbot: QtBot, data_dir: Path) -> None:
    with ScriptedServer(good_stream(ANSWER)) as server:
        mine = replace(HERE, name="mine", base_url=server.base_url)
        async with opened_panel(data_dir, mine, CLOUD) as (panel, window, desk):
            button(window, "Who does what").click()
            rows = {row.chosen.task: row for row in panel.tasks.rows}
            assert rows["gist"].provider.currentText() == "Default: cloud"
            assert rows["second opinion"].provider.currentText() == "Whoever wrote the summary"
            row = rows["summarize"]
            assert (row.model.isEnabled(), row.model.placeholderText()) == (False, "gpt-4o-mini")
            _choose(row.provider, "mine")
            assert (row.model.isEnabled(), row.model.placeholderText()) == (True, "small")
            row.model.setText("large")
            row.model.editingFinished.emit()
            assert desk.providers.tasks.get("summarize") == TaskModel("summarize", "mine", "large")
            button(window, "Done").click()
            await until(lambda: window.ticket.ticket_id, "the first ticket")
            button(window, "Summarize").click()
            card = window.ticket.card
            await until(lambda: "$59.00 twice" in card.shown_text() and not card.is_running, "the summary")
        assert {body["model"] for body in server.bodies} == {"large"}


async def test_a_task_goes_back_to_the_default_and_own_recipes_are_there(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, HERE, CLOUD) as (panel, window, desk):
        desk.recipes.save_own("mine", desk.recipes.copy_of("summarize", "mine"))
        desk.providers.tasks.set(TaskModel("mine", "here", "large"))
        button(window, "Who does what").click()
        row = next(row for row in panel.tasks.rows if row.chosen.task == "mine")
        assert (row.provider.currentData(), row.model.text()) == ("here", "large")
        _choose(row.provider, "")
        assert desk.providers.tasks.get("mine") == TaskModel("mine")
        assert (row.model.text(), row.model.isEnabled()) == ("", False)
        desk.recipes.remove_own("mine")
        button(window, "Who does what").click()
        assert "mine" not in [row.chosen.task for row in panel.tasks.rows]


async def test_all_of_it_is_reached_by_the_keyboard_in_the_order_of_the_eye(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, CLOUD) as (panel, window, _):
        panel.form.privacy.open()
        network = panel.form.network
        _choose(network.way, "own")
        wanted: list[QWidget] = [panel.form.kind, panel.form.name, panel.form.url, panel.form.key, panel.form.model]
        wanted += [panel.form.fetch, panel.form.privacy.button, network.fallback, network.redaction, network.way]
        wanted += [network.proxy, *network.files.values(), button(window, "Save"), button(window, "Test")]
        window.activateWindow()
        panel.form.kind.setFocus()
        reached: list[QWidget | None] = []
        for _ in range(40):
            reached.append(QApplication.focusWidget())
            QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        places = [reached.index(widget) for widget in wanted]
        assert places == sorted(places)
        names = {
            widget.accessibleName() or (widget.text() if isinstance(widget, QPushButton) else "") for widget in wanted
        }
        assert "" not in names, "something that a screen reader has no name for"


async def test_a_price_is_shown_as_unknown_entered_and_counts(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, HERE, replace(CLOUD, model="gpt-9")) as (panel, window, desk):
        form, fields = panel.form, panel.form.price.fields
        summary = form.pricing.button
        assert summary.accessibleDescription() == "Unknown"
        summary.click()
        assert [line.text() for line in fields.values()] == ["", "", ""]
        assert "shown as unknown" in form.price.note.text()
        assert not form.price.open_button.isEnabled()
        fields["input"].setText("0,15")
        assert "output is missing" in await _save(panel, window)
        fields["output"].setText("$0.6")
        assert await _save(panel, window) == ""
        assert desk.prices.of("cloud") == replace(desk.prices.of("cloud"), input=0.15, cached_input=0.15, output=0.6)
        assert summary.accessibleDescription() == "$0.15 input, $0.15 cached, $0.60 output a million tokens"
        assert str(desk.prices.path) in form.price._path.text()
        form.model.setEditText("gpt-4o")
        assert fields["input"].text() == "2.5", "the price of the model that stands there"
        form.model.setEditText("gpt-9")
        fields["output"].setText("a lot")
        assert "“a lot” is not a price" in await _save(panel, window)
        panel.open("here")
        await panel.jobs.idle()
        assert summary.accessibleDescription() == "Nothing, it runs on this machine"
        assert not fields["input"].isVisible()


async def test_the_file_of_prices_is_opened_and_its_mistakes_are_shown(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, CLOUD) as (panel, _, desk):
        desk.prices.path.write_text("[hosts\n", encoding="utf-8")
        panel.open()
        await panel.jobs.idle()
        panel.form.pricing.button.click()
        assert "line 1" in panel.form.price._warning.text()
        opened: list[str] = []

        def refuse(url: QUrl) -> bool:
            opened.append(url.toLocalFile())
            return False

        panel.form.price._open_file = refuse
        panel.form.price.open_button.click()
        assert opened == [str(desk.prices.path)]
        assert "has no program to open" in panel._words.text()


async def test_what_is_opened_in_a_low_window_is_scrolled_to_and_the_buttons_stay(qtbot: QtBot, data_dir: Path) -> None:
    async with opened_panel(data_dir, CLOUD) as (panel, window, _):
        window.resize(window.minimumSize())
        area = next(area for area in panel.findChildren(FormArea) if area.widget() is panel.form)
        panel.form.pricing.button.click()
        panel.form.privacy.button.click()
        panel.form.pricing.button.click()
        panel.form.pricing.button.click()
        await until(lambda: area.verticalScrollBar().value() == area.verticalScrollBar().maximum() > 0, "the end of it")
        corner = button(window, "Save").mapTo(window, button(window, "Save").rect().bottomRight())
        assert window.rect().contains(corner), "the buttons left the window"
