"""What the calls came to: every figure against one that is worked out by hand, the ledger as documents, alerts, and what is forgotten."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import math
import random
from pathlib import Path

import pytest

from desktop.domain.errors import DeskError
from desktop.domain.operations import AlertLimits, LedgerQuery, Percentiles, Recent
from desktop.llm.scripted_server import ScriptedServer, good_stream, refusal
from desktop.services.container import Desk
from desktop.services.ledger_documents import LedgerFormat, stats_document
from desktop.services.moments import read_moment
from desktop.services.operations import judge, read_request
from desktop.services.operations_words import describe_error, describe_money, describe_redactions, remedy_for
from tests.services.conftest import opened_desk, summarize
from tests.services.ledger_rows import DAY, ago, failed, row, write_hits, write_rows

ANSWER = "Gist: The card was charged twice. [m1.1]\n"


async def document(desk: Desk, query: LedgerQuery, wanted: LedgerFormat) -> str:
    return "".join([piece async for piece in desk.operations.pieces(query, wanted)])


class TestFigures:
    async def test_calls_errors_tokens_and_spend_are_those_of_the_rows(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                row(),
                row(cost_microusd=None),
                row(state="incomplete", message="It was cut off."),
                failed(),
                row(state="cancelled", cost_microusd=None),
                row(state="outcome unknown", cost_microusd=None, first_token_seconds=None, input_tokens=None),
                row(purpose="models", cost_microusd=None, input_tokens=None, output_tokens=None),
                row(purpose="test", seconds=900.0, first_token_seconds=900.0),
            )
            total = (await desk.operations.stats()).total
        assert (total.calls, total.errors, total.cancelled, total.unknown) == (6, 2, 1, 1)
        assert total.error_rate == 2 / 6
        # The test was paid for as well; the failed call and the list of models were not.
        assert (total.cost_microusd, total.unpriced) == (750, 3)
        assert (total.input_tokens, total.output_tokens) == (5_000, 1_200)
        assert total.first_token == Percentiles(0.5, 0.5)
        assert total.total == Percentiles(2.0, 2.0)

    async def test_of_a_batch_its_requests_are_the_calls(self, tmp_path: Path) -> None:
        handling = ("batch", "batch-start", "batch-poll", "batch-fetch", "batch-cancel", "batch-clear")
        nothing = dict.fromkeys(("input_tokens", "output_tokens", "cost_microusd", "first_token_seconds"))
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                *(row(purpose=purpose, recipe="", **nothing) for purpose in handling),
                row(purpose="batch-item", seconds=9_000.0, first_token_seconds=None),
                failed(purpose="batch-item"),
                row(purpose="batch-item", state="outcome unknown", **nothing),
            )
            write_hits(desk.paths.database, hits=3)
            total = (await desk.operations.stats()).total
        assert (total.calls, total.errors, total.unknown, total.unpriced) == (3, 1, 1, 1)
        assert (total.written, total.cache_hit_rate, total.total) == (1, 0.75, Percentiles())

    async def test_nothing_on_this_machine_has_an_unknown_price(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            hosts = ("this machine", "localhost:11434", "127.0.0.1", "[::1]:8080")
            write_rows(desk.paths.database, *(row(host=host, cost_microusd=None) for host in hosts))
            total = (await desk.operations.stats()).total
        assert (total.calls, total.unpriced) == (4, 0)

    @pytest.mark.parametrize("number", [1, 2, 3, 19, 20, 21, 99, 100, 101, 977])
    async def test_percentiles_are_the_nearest_rank_exactly(self, tmp_path: Path, number: int) -> None:
        chance = random.Random(number)
        first = [round(chance.lognormvariate(-0.5, 0.8), 4) for _ in range(number)]
        whole = [round(chance.lognormvariate(1.5, 0.7), 4) for _ in range(number)]
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                *(row(first_token_seconds=f, seconds=s) for f, s in zip(first, whole, strict=True)),
                failed(seconds=0.001),
                row(state="cancelled", first_token_seconds=None, seconds=0.002),
                row(purpose="batch-item", first_token_seconds=None, seconds=5_000.0),
            )
            total = (await desk.operations.stats()).total
        for found, values in ((total.first_token, first), (total.total, whole)):
            ranked = sorted(values)
            wanted = (ranked[math.ceil(number * 0.5) - 1], ranked[math.ceil(number * 0.95) - 1])
            assert (found.p50, found.p95) == wanted

    async def test_groups_add_up_to_the_whole_and_stand_in_their_order(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                *(row(at=ago(DAY * n), provider="ab"[n % 2], first_token_seconds=n + 1.0) for n in range(5)),
                failed(at=ago(DAY), provider="b", recipe="gist"),
            )
            write_hits(desk.paths.database, hits=3, saved=900, provider="c")
            by = {name: await desk.operations.stats(by=name) for name in ("day", "provider", "model", "recipe")}
        assert [g.key for g in by["day"].groups] == [ago(DAY * n)[:10] for n in (4, 3, 2, 1, 0)]
        assert [(g.key, g.calls, g.errors) for g in by["provider"].groups] == [("a", 3, 0), ("b", 3, 1), ("c", 0, 0)]
        assert by["provider"].groups[0].first_token == Percentiles(3.0, 5.0)
        for stats in by.values():
            for name in ("calls", "errors", "input_tokens", "cost_microusd", "cache_hits", "saved_microusd"):
                assert sum(getattr(g, name) for g in stats.groups) == getattr(stats.total, name), (stats.by, name)

    async def test_they_are_narrowed_to_one_group_of_another_grouping(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                row(provider="a", first_token_seconds=1.0),
                row(provider="b", first_token_seconds=9.0, at=ago(DAY)),
                row(provider="b", first_token_seconds=7.0),
            )
            write_hits(desk.paths.database, provider="b", hits=4)
            write_hits(desk.paths.database, provider="a", hits=1)
            total = await desk.operations.total("", only=("provider", "b"))
            groups = await desk.operations.groups("", "day", only=("provider", "b"))
            with pytest.raises(DeskError, match="cannot be grouped by host"):
                await desk.operations.groups("", "host")
        assert (total.calls, total.cache_hits, total.first_token) == (2, 4, Percentiles(7.0, 9.0))
        assert [(g.calls, g.cache_hits, g.first_token.p95) for g in groups] == [(1, 0, 9.0), (1, 4, 7.0)]

    async def test_the_revision_is_another_when_anything_happened(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            seen = [await desk.operations.revision()]
            (entry,) = write_rows(desk.paths.database, row(state="outcome unknown"))
            seen.append(await desk.operations.revision())
            await desk._database.write(
                lambda c: c.execute("UPDATE ledger SET state = 'complete' WHERE id = ?", [entry]).rowcount
            )
            seen.append(await desk.operations.revision())
            write_hits(desk.paths.database)
            seen += [await desk.operations.revision(), await desk.operations.revision()]
        assert len(set(seen)) == 4
        assert seen[-1] == seen[-2]

    async def test_only_what_was_sent_since_then_counts(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(desk.paths.database, row(at=ago(10 * DAY)), row(at=ago(3 * DAY)), row())
            write_hits(desk.paths.database, day=ago(9 * DAY)[:10], hits=5)
            write_hits(desk.paths.database, hits=2, saved=700)
            stats = await desk.operations.stats(ago(4 * DAY)[:10])
        assert (stats.total.calls, stats.total.cache_hits, stats.total.saved_microusd) == (2, 2, 700)

    async def test_the_cache_rate_is_the_share_of_summaries_that_needed_no_call(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            # One run of three calls, one of one, and a question of a run that has no recipe.
            write_rows(desk.paths.database, *(row(run_id=7) for _ in range(3)), row(run_id=8), row(run_id=8, recipe=""))
            write_hits(desk.paths.database, hits=6)
            total = (await desk.operations.stats()).total
            empty = (await desk.operations.stats("2999-01-01")).total
        assert (total.written, total.cache_hit_rate) == (2, 0.75)
        assert (empty.cache_hit_rate, empty.error_rate, empty.is_empty) == (None, None, True)

    async def test_a_cost_that_is_not_known_at_all_is_null_and_never_nothing(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            before = stats_document(await desk.operations.stats())
            write_rows(desk.paths.database, row(cost_microusd=None))
            unknown = stats_document(await desk.operations.stats())
            write_rows(desk.paths.database, row(cost_microusd=2_500_000))
            known = stats_document(await desk.operations.stats())
        assert (before["cost"], before["calls"], before["groups"]) == (0.0, 0, [])
        assert (unknown["cost"], unknown["unknown_costs"]) == (None, 1)
        assert (known["cost"], known["unknown_costs"]) == (2.5, 1)

    async def test_what_the_gate_wrote_is_what_is_told(self, tmp_path: Path) -> None:
        again = (("Retry-After", "0"),)
        with ScriptedServer(refusal(503, "busy", headers=again), good_stream(ANSWER)) as server:
            async with opened_desk(tmp_path, server) as desk:
                summary, _ = await summarize(desk)
                await summarize(desk)
                stats = await desk.operations.stats(by="model")
                newest, oldest = await desk.operations.ledger()
                trace = await desk.operations.trace(newest.id)
        assert (stats.total.calls, stats.total.errors, stats.total.cache_hits) == (2, 1, 1)
        assert (stats.groups[0].key, stats.total.written) == ("scripted", 1)
        assert (oldest.attempt, oldest.state, oldest.status, oldest.error) == (1, "failed", 503, "provider-broken")
        assert (newest.attempt, newest.state, newest.run_id) == (2, "complete", summary.run_id)
        messages, parameters = read_request(trace.body)
        assert (messages[0][0], messages[-1][0]) == ("system", "user")
        assert ("model", "scripted") in parameters
        assert trace.answer == ANSWER
        assert len(trace.body.encode()) == newest.bytes


class TestLedger:
    async def test_json_has_the_promised_keys_and_csv_the_same_values(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(desk.paths.database, row(at="2026-11-01T10:00:00Z"), failed(at="2026-11-02T10:00:00Z"))
            found = json.loads(await document(desk, LedgerQuery(), LedgerFormat.JSON))["requests"]
            table = list(csv.DictReader(io.StringIO(await document(desk, LedgerQuery(), LedgerFormat.CSV))))
        assert set(found[0]) >= {"at", "host", "purpose", "bytes", "sha256", "redactions", "state", "cost"}
        assert [(r["at"], r["state"], r["cost"]) for r in found] == [
            ("2026-11-02T10:00:00Z", "failed", None),
            ("2026-11-01T10:00:00Z", "complete", 0.00025),
        ]
        assert found[1]["redactions"] == {"email": 2, "person": 1}
        assert list(table[0]) == list(found[0])
        assert [r["cost"] for r in table] == ["", "0.00025"]
        assert table[1]["redactions"] == "email 2, person 1"

    async def test_cells_that_a_spreadsheet_would_run_are_neutralized(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(desk.paths.database, failed(message="=HYPERLINK(1)", model="@evil"), row(recipe='+cmd|" /C"!A0'))
            table = list(csv.DictReader(io.StringIO(await document(desk, LedgerQuery(), LedgerFormat.CSV))))
            path = tmp_path / "figures.csv"
            await desk.operations.export_stats(await desk.operations.stats(by="model"), path)
        assert (table[1]["message"], table[1]["model"]) == ("'=HYPERLINK(1)", "'@evil")
        assert table[0]["recipe"] == '\'+cmd|" /C"!A0'
        figures = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        assert [r["model"] for r in figures] == ["'@evil", "gpt-4o-mini", "all"]
        assert figures[2]["calls"] == "2"

    async def test_it_is_searched_by_state_host_words_and_the_ticket(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path) as desk:
            ticket = await desk.tickets.find("support-tickets:DSK-4136")
            ids = write_rows(
                desk.paths.database,
                row(host="a.example", model="100%_sure"),
                failed(host="a.example", message="Zu viele Anfragen."),
                row(host="b.example", ticket_id=ticket, at=ago(2 * DAY)),
            )
            asked = {
                LedgerQuery(): [2, 1, 0],
                LedgerQuery(state="failed"): [1],
                LedgerQuery(host="a.example"): [1, 0],
                LedgerQuery(host="a.example", state="complete"): [0],
                LedgerQuery(text="anfragen"): [1],
                LedgerQuery(text="%_"): [0],
                LedgerQuery(text="dsk-4136"): [2],
                LedgerQuery(text="nothing like it"): [],
                LedgerQuery(since=ago(DAY)): [1, 0],
                LedgerQuery(until=ago(DAY)): [2],
            }
            for query, places in asked.items():
                assert list(await desk.operations.ids(query)) == [ids[place] for place in places], query
            assert await desk.operations.hosts() == ("a.example", "b.example")
            (entry,) = await desk.operations.entries(ids[2:])
            assert await desk.operations.references([entry]) == {ticket: "support-tickets:DSK-4136"}

    async def test_a_file_is_whole_or_not_there_and_its_name_says_the_format(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path / "data", with_sample=False) as desk:
            write_rows(desk.paths.database, *(row() for _ in range(1_203)))
            path = tmp_path / "ledger.json"
            assert await desk.operations.export_ledger(LedgerQuery(), path) == 1_203
            assert len(json.loads(path.read_text(encoding="utf-8"))["requests"]) == 1_203
            with pytest.raises(DeskError, match="does not say in which format"):
                await desk.operations.export_ledger(LedgerQuery(), tmp_path / "ledger.xyz")
            with pytest.raises(DeskError, match="cannot be written"):
                await desk.operations.export_ledger(LedgerQuery(), tmp_path / "no" / "ledger.csv")
            left = await asyncio.to_thread(lambda: sorted(p.name for p in tmp_path.iterdir()))
        assert left == ["data", "ledger.json"]

    async def test_a_request_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            with pytest.raises(DeskError, match="There is no request 7"):
                await desk.operations.trace(7)


class TestTraces:
    async def test_old_bodies_go_and_their_entries_stay(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            ids = write_rows(
                desk.paths.database,
                row(at=ago(31 * DAY), request='{"old": 1}', answer="old"),
                row(at=ago(29 * DAY), request='{"new": 1}', answer="new"),
            )
            assert await desk.operations.prune() == 1
            old, new = [await desk.operations.trace(i) for i in ids]
            assert (old.body, old.answer, new.body, new.answer) == ("", "", '{"new": 1}', "new")
            assert len(await desk.operations.ledger()) == 2
            desk.settings.set("trace_days", 0)
            assert await desk.operations.prune() == 1

    async def test_they_go_by_themselves_when_the_program_starts(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            (entry_id,) = write_rows(desk.paths.database, row(at=ago(40 * DAY), request="{}"))
        async with opened_desk(tmp_path, with_sample=False) as desk:
            # Keeping house was asked for first, so the writer does it before anything that is written later.
            await desk.operations.prune()
            assert (await desk.operations.trace(entry_id)).body == ""

    def test_a_body_is_told_in_messages_and_parameters(self) -> None:
        body = {
            "model": "m",
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": ["x"]}],
            "n": 2,
        }
        assert read_request(json.dumps(body)) == ((("system", "s"), ("user", '["x"]')), (("model", "m"), ("n", "2")))
        asked = {"model": "m", "messages": [{"role": "user", "content": "u"}]}
        line = {"custom_id": "t7", "url": "/v1/chat/completions", "body": asked}
        told = (("custom_id", "t7"), ("url", "/v1/chat/completions"), ("model", "m"))
        assert read_request(json.dumps(line)) == ((("user", "u"),), told)
        assert read_request('{"input": ["a", "b"]}')[0] == (("input", "a"), ("input", "b"))
        assert read_request("no json") == read_request("[1]") == read_request("") == ((), ())


class TestAlerts:
    def test_each_limit_speaks_only_when_it_is_passed(self) -> None:
        limits = AlertLimits(spend_day=5, error_rate=0.2, first_token_seconds=3)
        over = Recent(5_000_001, 2, calls=20, errors=5, timed=20, first_token_p95=3.5)
        assert [a.message for a in judge(limits, over)] == [
            "$5.00 spent today and 2 calls of unknown price, more than $5.00",
            "5 of the last 20 calls failed, more than 20%",
            "First token after 3.50 s (p95), more than 3.00 s",
        ]
        at = Recent(5_000_000, 0, calls=20, errors=4, timed=20, first_token_p95=3.0)
        assert judge(limits, at) == []
        assert judge(AlertLimits(), over) == []
        few = Recent(0, 0, calls=4, errors=4, timed=4, first_token_p95=9.0)
        assert judge(limits, few) == []

    async def test_they_look_at_today_and_at_the_last_twenty_calls_of_the_hour(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            assert await desk.operations.alerts() == ()
            desk.operations.set_limits(AlertLimits(spend_day=1, error_rate=0.5, first_token_seconds=1))
            assert desk.settings.get("alerts") == {"spend_day": 1, "error_rate": 0.5, "first_token_seconds": 1}
            write_rows(desk.paths.database, *(failed(at=ago(2 * 3600)) for _ in range(30)))
            write_rows(desk.paths.database, row(at=ago(2 * DAY), cost_microusd=9_000_000))
            assert await desk.operations.alerts() == ()
            write_rows(
                desk.paths.database, *(failed() for _ in range(11)), *(row(first_token_seconds=2.0) for _ in range(9))
            )
            assert [a.kind for a in await desk.operations.alerts()] == ["error_rate", "first_token_seconds"]
            write_rows(desk.paths.database, *(row(first_token_seconds=0.1) for _ in range(20)))
            assert await desk.operations.alerts() == ()
            write_rows(desk.paths.database, row(cost_microusd=1_000_000))
            assert [a.kind for a in await desk.operations.alerts()] == ["spend_day"]

    async def test_a_setting_that_makes_no_sense_is_no_limit(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            desk.settings.set("alerts", {"spend_day": "much", "error_rate": -1, "first_token_seconds": True, "x": 1})
            assert desk.operations.limits() == AlertLimits()


class TestWords:
    async def test_an_error_is_said_with_what_to_do(self, tmp_path: Path) -> None:
        async with opened_desk(tmp_path, with_sample=False) as desk:
            write_rows(
                desk.paths.database,
                row(),
                row(state="outcome unknown"),
                failed(message="Too\nmany " + "x" * 500),
            )
            wrong, unknown, fine = await desk.operations.ledger()
        assert describe_error(wrong).startswith("Too many xxx")
        assert describe_error(wrong).endswith("… (status 429)")
        assert len(describe_error(wrong)) < 330
        assert "fewer summaries at once" in remedy_for(wrong)
        assert "ask for it again" in remedy_for(unknown)
        assert (describe_error(fine), remedy_for(fine)) == ("", "")

    def test_redactions_and_money_in_words(self) -> None:
        assert describe_redactions({"email": 2, "ip": 1, "url": 2, "person": 1, "card": 0}) == (
            "2 e-mail addresses, 1 IP address, 2 secrets in URLs, 1 name"
        )
        assert describe_redactions({}) == "none"
        amounts = (None, 0, 12, 4_200, 99_999, 1_234_567_890)
        assert [describe_money(a) for a in amounts] == [
            "unknown",
            "$0",
            "under $0.0001",
            "$0.0042",
            "$0.1000",
            "$1,234.57",
        ]

    def test_moments(self) -> None:
        assert read_moment("2026-11-25") == "2026-11-25"
        assert read_moment("2026-11-25T14:30") == "2026-11-25T14:30:00Z"
        assert read_moment("2026-11-25T14:30:00+02:00") == "2026-11-25T12:30:00Z"
        assert read_moment(" ") == ""
        with pytest.raises(DeskError, match="is no date"):
            read_moment("yesterday")
