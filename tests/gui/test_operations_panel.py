"""The operations view over a real ledger: what it shows, how keys lead through it, and that what providers wrote does nothing."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.domain.operations import HOUR, Figures, Percentiles
from desktop.gui.operations_overview import OperationsOverview
from desktop.gui.operations_panel import OperationsPanel
from desktop.gui.operations_series import bucket_keys, label, plot_contents, short_number
from desktop.gui.operations_tables import LedgerTableModel
from desktop.gui.window import MainWindow
from desktop.llm.scripted_server import ScriptedServer, good_stream
from tests.gui.real_window import ANSWER, button, opened_window, until
from tests.services.ledger_rows import DAY, ago, failed, row, write_hits, write_rows
from tests.services.otlp_collector import Collector

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
PROMPT = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "Sum up."},
        {"role": "user", "content": "<b>bold</b> <img src='file:///etc/passwd'> I am <PERSON_1>, <EMAIL_1b>."},
    ],
    "max_tokens": 700,
}


async def opened_panel(window: MainWindow) -> OperationsPanel:
    """Open the view with the keys for it and wait for its figures."""
    await until(lambda: QApplication.focusWidget() and window.isActiveWindow(), "the window")
    QTest.keyClick(window, Qt.Key.Key_O, CTRL_SHIFT)
    await until(lambda: "operations" in vars(window.pages), "the page")
    panel = window.pages.operations
    await until(lambda: panel.overview.plots and not panel.overview.jobs.is_busy, "the figures")
    return panel


def values(overview: OperationsOverview) -> dict[str, str]:
    """Return the headline figures by their titles."""
    return {tile.title.text(): tile.value.text() for tile in overview.tiles}


def cells(model: LedgerTableModel, line: int) -> list[str]:
    return [model.index(line, column).data() for column in range(model.columnCount())]


def focused() -> object:
    return QApplication.focusWidget()


class TestOverview:
    async def test_it_shows_the_figures_of_the_ledger_and_esc_leads_back(self, qtbot: QtBot, data_dir: Path) -> None:
        async with opened_window(data_dir) as (window, desk):
            rows = [row(run_id=n + 1, first_token_seconds=n + 1.0) for n in range(3)]
            write_rows(desk.paths.database, *rows, failed(), row(at=ago(9 * DAY)), row(cost_microusd=None))
            write_hits(desk.paths.database, hits=3, saved=1_500_000)
            panel = await opened_panel(window)
            assert values(panel.overview) == {
                "Calls": "5",
                "Error rate": "20%",
                "First token": "1.00 s",
                "Whole answer": "2.00 s",
                "Tokens": "4.8k",
                "Spend": "$0.0008",
                "From the cache": "3",
            }
            more = {tile.title.text(): tile.more.text() for tile in panel.overview.tiles}
            assert (more["Spend"], more["From the cache"]) == ("1 of unknown price", "50%, $1.50 saved")
            assert [panel.overview.failures.index(0, c).data() for c in (1, 2, 3)] == [
                "work · gpt-4o-mini",
                "Too many requests. (status 429)",
                "Wait until the limit is over or raise it with the provider; fewer summaries at once help as well.",
            ]
            QTest.keyClick(window, Qt.Key.Key_Escape)
            await until(lambda: window.pages.currentWidget() is window._inner, "the tickets")

    async def test_the_spend_in_the_status_bar_leads_there_and_is_the_same(self, qtbot: QtBot, data_dir: Path) -> None:
        with ScriptedServer(good_stream(ANSWER)) as server:
            async with opened_window(data_dir, provider=server.base_url) as (window, desk):
                await until(lambda: window.ticket.ticket_id, "the first ticket")
                write_rows(desk.paths.database, row(cost_microusd=1_230_000), row(cost_microusd=None))
                QTest.keyClick(window, Qt.Key.Key_F5)
                await until(lambda: window.status.spend.text() == "today $1.23 + 1 unknown", "the spend")
                QTest.mouseClick(window.status.spend, Qt.MouseButton.LeftButton)
                overview = window.pages.operations.overview
                await until(lambda: values(overview).get("Calls") == "3", "the figures")
                assert values(overview)["Spend"] == "$1.23"

    async def test_a_row_narrows_the_figures_to_its_group_and_another_time_widens_them(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            old = row(provider="b", at=ago(20 * DAY))
            write_rows(desk.paths.database, row(provider="a"), row(provider="a"), row(provider="b"), old)
            panel = await opened_panel(window)
            overview = panel.overview
            assert [overview.groups.index(line, 0).data() for line in range(3)] == ["All", "a", "b"]
            overview.group_table.setFocus()
            QTest.keyClick(overview.group_table, Qt.Key.Key_Down)
            await until(lambda: values(overview)["Calls"] == "2", "the figures of one provider")
            assert overview._title.text() == "By provider · above: a only"
            assert focused() is overview.group_table
            QTest.keyClick(overview.group_table, Qt.Key.Key_Down)
            await until(lambda: values(overview)["Calls"] == "1", "the figures of the other")
            panel.period.setFocus()
            QTest.keyClick(panel.period, Qt.Key.Key_Down)
            await until(lambda: values(overview)["Calls"] == "2", "the figures of a month")
            panel.group.setCurrentIndex(panel.group.findData("day"))
            await until(lambda: values(overview)["Calls"] == "4", "the figures of all")
            assert [overview.groups.index(line, 0).data() for line in (1, 2)] == [
                label(ago(0)[:10]),
                label(ago(20 * DAY)[:10]),
            ]

    async def test_it_follows_what_is_sent_while_it_is_open(self, qtbot: QtBot, data_dir: Path) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            panel = await opened_panel(window)
            assert panel.overview._empty.isVisible()
            assert not panel.overview.failure_table.isVisible()
            write_rows(desk.paths.database, row())
            panel.refresh()
            await until(lambda: values(panel.overview)["Calls"] == "1", "the new call")
            assert not panel.overview._empty.isVisible()
            assert panel._timer.isActive()
            QTest.keyClick(window, Qt.Key.Key_Escape)
            await until(lambda: not panel._timer.isActive(), "the end of reading")

    async def test_plots_have_the_colors_of_now_and_words_for_who_does_not_see_them(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(), row(at=ago(DAY)), failed(at=ago(DAY)))
            panel = await opened_panel(window)
            first = panel.overview.plots[0]
            assert first.accessibleName() == "Calls and errors"
            today, yesterday = label(ago(0)[:10]), label(ago(DAY)[:10])
            assert first.accessibleDescription() == f"{yesterday}: calls 2, errors 1; {today}: calls 1, errors 0"
            assert first.plot.focusPolicy() is Qt.FocusPolicy.NoFocus
            window._theme.set_appearance("dark")
            dark = window._theme.tokens.raised
            assert first.plot.backgroundBrush().color().name() == dark
            window._theme.set_appearance("light")
            assert first.plot.backgroundBrush().color().name() == window._theme.tokens.raised != dark

    async def test_what_is_under_the_pointer_is_said(self, qtbot: QtBot, data_dir: Path) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(), row(), failed())
            panel = await opened_panel(window)
            plot = panel.overview.plots[0].plot
            # Today stands at the right end. The tip itself is the platform's: the one that tests draw with has none.
            words = [plot.words_at(QPointF(x, plot.height() / 2)) for x in range(plot.width())]
            assert f"{label(ago(0)[:10])}: calls 3, errors 1" in words
            assert len({w.partition(":")[0] for w in words if w}) == 7
            assert words[0] == words[-1] == ""

    async def test_today_is_shown_by_the_hour_without_what_is_counted_by_the_day(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(at=ago(0)))
            panel = await opened_panel(window)
            panel.period.setCurrentIndex(panel.period.findData(1))
            await until(lambda: "hour" in panel.overview._unit.text(), "the hours")
            shown = [card.accessibleName() for card in panel.overview.plots if card.isVisible()]
            assert len(shown) == 5
            assert f"{ago(0)[11:13]}:00: calls 1" in panel.overview.plots[0].accessibleDescription()

    async def test_the_figures_are_exported(self, qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(), row(provider="other"))
            panel = await opened_panel(window)
            await panel.export_figures(tmp_path / "f.csv")
            table = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text(encoding="utf-8-sig"))))
            assert [(r["provider"], r["calls"]) for r in table] == [("other", "1"), ("work", "1"), ("all", "2")]
            assert "exported to" in window.notice.text()


class TestRequests:
    async def test_a_request_is_found_opened_and_left_with_keys(self, qtbot: QtBot, data_dir: Path) -> None:
        async with opened_window(data_dir) as (window, desk):
            ticket = await desk.tickets.find("support-tickets:DSK-4136")
            write_rows(
                desk.paths.database,
                row(
                    model="needle", request=json.dumps(PROMPT), answer="Gist: <PERSON_1> <a href='x'>", ticket_id=ticket
                ),
                *(row(model=f"m{n}") for n in range(300)),
                failed(host="other.example"),
            )
            panel = await opened_panel(window)
            tab = panel.tabs.button(1)
            tab.setFocus()
            QTest.keyClick(tab, Qt.Key.Key_Space)
            ledger = panel.ledger
            await until(lambda: ledger.model.rowCount() == 302, "all requests")
            await until(lambda: ledger.model.index(0, 1).data() == "other.example", "their first page")
            assert cells(ledger.model, 0)[1:] == [
                "other.example",
                "Summary",
                "gpt-4o-mini",
                "2.0 kB",
                "2 e-mail addresses, 1 name",
                "Failed",
                "–",
            ]
            ledger.search.setFocus()
            QTest.keyClicks(ledger.search, "Needle")
            await until(lambda: ledger.model.rowCount() == 1, "the one")
            QTest.keyClick(ledger.search, Qt.Key.Key_Return)
            assert focused() is ledger.table
            QTest.keyClick(ledger.table, Qt.Key.Key_Return)
            trace = panel.trace
            await until(lambda: "PERSON_1" in trace.answer.toPlainText(), "the request")
            assert trace.prompt.toPlainText() == (
                "━━ system ━━\nSum up.\n\n━━ user ━━\n"
                "<b>bold</b> <img src='file:///etc/passwd'> I am <PERSON_1>, <EMAIL_1b>."
            )
            assert trace.answer.toPlainText() == "Gist: <PERSON_1> <a href='x'>"
            assert focused() is trace.prompt
            button(window, "Exact bytes").click()
            assert json.loads(trace.prompt.toPlainText()) == PROMPT
            QTest.keyClick(window, Qt.Key.Key_Escape)
            await until(lambda: focused() is ledger.table, "the list")
            assert ledger.table.currentIndex().row() == 0
            QTest.keyClick(ledger.table, Qt.Key.Key_Return)
            await until(lambda: trace.ticket.isVisible(), "the way to the ticket")
            trace.ticket.click()
            await until(lambda: window.ticket.ticket_id == ticket and window.ticket.isVisible(), "the ticket")

    async def test_what_failed_is_said_with_what_to_do_and_found_from_the_overview(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            hostile = "<a href='file:///etc/passwd'>Click</a> to fix"
            write_rows(desk.paths.database, row(), failed("provider-key", hostile, status=401), row(state="incomplete"))
            panel = await opened_panel(window)
            panel.overview.failure_table.setFocus()
            panel.overview.failure_table.selectRow(1)
            QTest.keyClick(panel.overview.failure_table, Qt.Key.Key_Return)
            await until(lambda: panel.trace.trouble.isVisible(), "the reason")
            assert panel.trace._trouble_words.text() == (
                f"{hostile} (status 401) Enter a valid key in the provider's settings."
            )
            assert panel.trace._trouble_words.textFormat() is Qt.TextFormat.PlainText
            assert "was not kept" in panel.trace.prompt.toPlainText()
            QTest.keyClick(window, Qt.Key.Key_Escape)
            await until(lambda: focused() is panel.overview.failure_table, "the overview")
            panel.overview._all_failures.click()
            await until(lambda: panel.ledger.model.rowCount() == 1, "what failed")
            assert panel.tabs.checkedId() == 1

    async def test_the_list_is_exported_as_it_is_filtered(self, qtbot: QtBot, data_dir: Path, tmp_path: Path) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(host="a.example"), row(host="b.example"), failed(host="b.example"))
            panel = await opened_panel(window)
            panel._show_leaf(1)
            await until(lambda: panel.ledger.model.rowCount() == 3, "the list")
            panel.ledger.host.setCurrentIndex(panel.ledger.host.findData("b.example"))
            await until(lambda: panel.ledger.model.rowCount() == 2, "one host")
            panel.ledger.state.setCurrentIndex(panel.ledger.state.findData("complete"))
            await until(lambda: panel.ledger.model.rowCount() == 1, "one state")
            await panel.ledger.export(tmp_path / "r.json")
            found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["requests"]
            assert [(r["host"], r["state"]) for r in found] == [("b.example", "complete")]
            assert "1 request exported to" in window.notice.text()

    async def test_a_request_that_ends_meanwhile_changes_its_row_and_nothing_else(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            ids = write_rows(desk.paths.database, row(state="outcome unknown"), row())
            panel = await opened_panel(window)
            panel._show_leaf(1)
            model, table = panel.ledger.model, panel.ledger.table
            await until(lambda: model.rowCount() == 2 and model.index(1, 6).data() == "Outcome unknown", "the list")
            table.selectRow(1)
            await desk._database.write(
                lambda c: c.execute("UPDATE ledger SET state = 'complete' WHERE id = ?", [ids[0]]).rowcount
            )
            panel.refresh()
            await until(lambda: model.index(1, 6).data() == "Complete", "its end")
            assert table.currentIndex().row() == 1


class TestSettings:
    async def test_a_limit_that_is_typed_warns_in_the_status_bar_and_leads_back(
        self, qtbot: QtBot, data_dir: Path
    ) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            write_rows(desk.paths.database, row(cost_microusd=3_000_000), *(failed() for _ in range(5)))
            panel = await opened_panel(window)
            assert not window.alerts.button.isVisible()
            panel.tabs.button(2).click()
            settings = panel.settings
            settings.spend.setFocus()
            QTest.keyClicks(settings.spend, "2,5")
            QTest.keyClick(settings.spend, Qt.Key.Key_Return)
            await until(lambda: window.alerts.button.text() == "Spend today over $2.50", "the warning")
            settings.rate.setText("50")
            settings.rate.editingFinished.emit()
            await until(lambda: window.alerts.button.text() == "Spend today over $2.50 (+1)", "both")
            assert "5 of the last 6 calls failed" in window.alerts.button.accessibleName()
            assert desk.settings.get("alerts") == {"spend_day": 2.5, "error_rate": 0.5}
            QTest.keyClick(window, Qt.Key.Key_Escape)
            window.alerts.button.click()
            await until(lambda: panel.overview.isVisible(), "the figures")
            panel.tabs.button(2).click()
            assert (settings.spend.text(), settings.rate.text(), settings.latency.text()) == ("2.5", "50", "")
            for field in (settings.spend, settings.rate):
                field.clear()
                field.editingFinished.emit()
            await until(lambda: not window.alerts.button.isVisible(), "no warning")
            assert desk.settings.get("alerts") == {}

    async def test_a_collector_is_set_and_sent_to(self, qtbot: QtBot, data_dir: Path) -> None:
        with Collector() as collector:
            async with opened_window(data_dir, sample=False) as (window, desk):
                panel = await opened_panel(window)
                panel.tabs.button(2).click()
                settings = panel.settings
                await until(lambda: settings.spans.text() == "Off: nothing is sent.", "that it is off")
                settings.address.setText("http://collector.example")
                settings.address.editingFinished.emit()
                assert "would travel unencrypted" in settings.said.text()
                assert desk.settings.get("otlp_address") == ""
                await desk.operations.close()
                settings.address.setText(collector.address)
                settings.address.editingFinished.emit()
                assert settings.said.text() == ""
                await desk.operations.spans.look()
                write_rows(desk.paths.database, row(), row())
                settings.refresh()
                await until(lambda: "2 waiting" in settings.spans.text(), "what waits")
                settings.send.click()
                await until(lambda: "2 sent" in settings.spans.text(), "that it is sent")
                assert not settings.send.isEnabled()
        assert len(collector.spans) == 2

    async def test_how_long_texts_are_kept(self, qtbot: QtBot, data_dir: Path) -> None:
        async with opened_window(data_dir, sample=False) as (window, desk):
            panel = await opened_panel(window)
            panel.tabs.button(2).click()
            assert panel.settings.days.text() == "30"
            panel.settings.days.setText("7")
            panel.settings.days.editingFinished.emit()
            assert desk.settings.get("trace_days") == 7


NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "by", "wanted"),
    [
        ("2026-02-27", "day", ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02")),
        ("", "day", ("2026-03-01", "2026-03-02")),
        ("2026-03-02", HOUR, tuple(f"2026-03-02T{hour:02}" for hour in range(13))),
    ],
)
def test_days_without_calls_have_their_place(since: str, by: str, wanted: tuple[str, ...]) -> None:
    assert bucket_keys(since, by, (Figures("2026-03-01"),), today=NOON) == wanted


def test_what_is_not_known_is_a_gap_and_no_zero() -> None:
    keys = ("2026-03-01", "2026-03-02")
    timed = Figures("2026-03-02", calls=2, first_token=Percentiles(0.5, 1.0), cost_microusd=1_500_000)
    calls, first, whole, spend, tokens, cache = plot_contents(keys, (timed,))
    assert first.words(0) == "nothing"
    assert first.words(1) == "p50 0.50 s, p95 1.00 s"
    assert spend.spoken(keys) == "2 Mar: spent $1.50"
    assert calls.words(0) == "calls 0, errors 0"
    assert whole.is_empty
    assert tokens.is_empty
    assert cache.spoken(keys) == "Nothing in this time."


def test_numbers_fit_an_axis() -> None:
    assert [short_number(n) for n in (0, 5, 950, 1_200, 40_000, 3_000_000, 2.5e9)] == [
        "0",
        "5",
        "950",
        "1.2k",
        "40k",
        "3M",
        "2.5G",
    ]
