"""Whoever calls a model asks the provider and the model that were chosen for it, and nobody else.

Every feature is driven three ways, each with a server of its own that must get all of its requests: a provider and model that were named, those that
are set for the task, and the default ones. What counts as a feature is not a matter of this list: the code is searched for everything that calls
the gate, directly or through an `Asker`, and a caller that no row here covers fails the last test.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Awaitable, Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import pytest

from desktop.domain.providers import ProviderProfile, TaskModel
from desktop.llm.scripted_server import JSON, Script, ScriptedServer, good_stream
from desktop.services.container import Desk
from desktop.services.outbound import Sending
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION
from tests.batch_server import HOST, KEY, BatchServer, make_certificate
from tests.services.conftest import SHIPPED_RECIPES, TICKET, import_path, opened_desk
from tests.services.test_long_and_changed_tickets import _export
from tests.services.test_queue import status_when

DESKTOP = Path(__file__).parents[2] / "desktop"
NAMED, TASK, DEFAULT = "named", "task", "default"
UNCLEAR = (
    "Problem: The card shows $59.00 twice. [m1.1]\n"
    "Tried so far: The customer was billed two times for the same plan. [m1.1]\n"
)
WHOLE = "Gist: The card was charged twice. [m1.1]\nProblem: The card shows $59.00 twice. [m1.1]\n"
ANSWER = good_stream(WHOLE)
STEPS = "Problem: Step 1 is word1x0. [m1.1]\n"
VECTORS = Script(
    (
        json.dumps(
            {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
        ).encode(),
    ),
    headers=JSON,
)
Chosen = tuple[str, str]
"""A provider and a model to name; '' and '' to name none."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that calls a model: how it is driven, what it is a task of ('' for none), how many requests it takes at least."""

    name: str
    run: Callable[[Desk, Chosen, Path], Awaitable[object]]
    task: str = ""
    answer: Script = ANSWER
    requests: int = 1
    ways: tuple[str, ...] = (NAMED, TASK, DEFAULT)


async def _summarize(desk: Desk, chosen: Chosen, _: Path, *, recipe: str = "summarize") -> None:
    await _stream(desk, await desk.tickets.find(TICKET), chosen, recipe=recipe)


async def _summarize_own(desk: Desk, chosen: Chosen, folder: Path) -> None:
    """What *Try* on a recipe does: it is saved, and written by."""
    desk.recipes.save_own("mine", desk.recipes.copy_of("summarize", "mine"))
    await _summarize(desk, chosen, folder, recipe="mine")


async def _summarize_long(desk: Desk, chosen: Chosen, folder: Path) -> None:
    await import_path(desk, _export(folder / "long.csv", 300))
    await _stream(desk, await desk.tickets.find("T-1"), chosen)


async def _bring_up_to_date(desk: Desk, chosen: Chosen, folder: Path) -> None:
    for messages in (4, 6):
        await import_path(desk, _export(folder / "story.csv", messages))
        await _stream(desk, await desk.tickets.find("T-1"), chosen, refresh=True)


async def _ask_opinion(desk: Desk, chosen: Chosen, folder: Path) -> None:
    desk.settings.set("second_opinion", True)
    await _summarize(desk, chosen, folder)


async def _put_into_queue(desk: Desk, chosen: Chosen, _: Path) -> None:
    ids = [await desk.tickets.find(TICKET)]
    await desk.queue.add(ids, provider=chosen[0], model=chosen[1], recipe="handover")
    await status_when(desk, lambda status: status.is_idle or (status.is_paused and not status.running))


async def _test_provider(desk: Desk, chosen: Chosen, _: Path) -> None:
    async with aclosing(desk.providers.test(chosen[0], model=chosen[1])) as steps:
        assert all([step.ok async for step in steps])


async def _list_models(desk: Desk, chosen: Chosen, _: Path) -> None:
    assert await desk.providers.models(chosen[0]) == ("scripted",)


async def _embed(desk: Desk, chosen: Chosen, _: Path) -> None:
    """No feature reads vectors yet: what there is of it is the gate itself."""
    endpoint = await desk.resolve(*chosen)
    await desk.providers._outbound.embed(endpoint, ["a text"], Sending("embedding"))


async def _stream(
    desk: Desk, ticket_id: int, chosen: Chosen, *, recipe: str = "summarize", refresh: bool = False
) -> None:
    provider, model = chosen
    stream = desk.summaries.stream(ticket_id, provider=provider, model=model, recipe=recipe, refresh=refresh)
    async with aclosing(stream) as events:
        assert [event async for event in events]


PLAIN = good_stream("The card shows $59.00 twice. The refund RF-70352 was issued.")
NO_TASK = (NAMED, DEFAULT)
FEATURES = (
    *(Feature(f"recipe {name}", partial(_summarize, recipe=name), task=name) for name in sorted(SHIPPED_RECIPES - {"merge", "incremental"})),
    Feature("recipe of one's own, tried out", _summarize_own, task="mine"),
    Feature("parts and merge", _summarize_long, task="summarize", answer=good_stream(STEPS), requests=4),
    Feature("incremental update", _bring_up_to_date, task="summarize", answer=good_stream(STEPS), requests=2),
    Feature("putting into sections", _summarize, task="summarize", answer=PLAIN, requests=2),
    Feature("second opinion of who wrote", _ask_opinion, task="summarize", answer=good_stream(UNCLEAR), requests=2),
    Feature("queue", _put_into_queue, task="handover"),
    Feature("provider test", _test_provider, ways=NO_TASK),
    Feature("list of models", _list_models, requests=0, ways=NO_TASK),
    Feature("embeddings", _embed, answer=VECTORS, ways=NO_TASK),
)  # fmt: skip

CALLERS = {
    "services/asking.py:Asker.stream": ("recipe summarize",),
    "services/part_reading.py:PartReading._ask": ("parts and merge",),
    "services/summary_run.py:SummaryRun._receive": (
        "recipe summarize",
        "incremental update",
        "recipe of one's own, tried out",
    ),
    "services/summary_run.py:SummaryRun._put_into_sections": ("putting into sections",),
    "services/summary_run.py:SummaryRun._ask_opinion": ("second opinion of who wrote", SECOND_OPINION),
    "services/providers.py:ProviderService.models": ("list of models",),
    "services/providers.py:ProviderService.test": ("provider test",),
}
BATCH_CALLERS = ("services/batches.py:", "services/batch_")
"""All that batches send is driven as one, from handing over to taking in."""
"""Everything in the code that calls a model, and the rows that drive it."""


def _cases() -> Iterator[tuple[Feature, str]]:
    for feature in FEATURES:
        for way in feature.ways:
            yield feature, way


@pytest.mark.parametrize(("feature", "way"), list(_cases()), ids=lambda value: getattr(value, "name", value))
async def test_it_asks_who_was_chosen_and_nobody_else(
    data_dir: Path, tmp_path: Path, feature: Feature, way: str
) -> None:
    with ExitStack() as running:
        servers = {name: running.enter_context(ScriptedServer(feature.answer)) for name in (NAMED, TASK, DEFAULT)}
        async with opened_desk(data_dir) as desk:
            _add_providers(desk, servers)
            if feature.task == "mine":
                desk.recipes.save_own("mine", desk.recipes.copy_of("summarize", "mine"))
            if feature.task and way != DEFAULT:
                # Set when one is named, too: who is named comes first.
                desk.providers.tasks.set(TaskModel(feature.task, TASK, f"{TASK}-model"))
            await feature.run(desk, (NAMED, f"{NAMED}-model") if way == NAMED else ("", ""), tmp_path)
    asked = {name: [body["model"] for body in server.bodies] for name, server in servers.items() if server.requests}
    assert set(asked) == {way}
    assert set(asked[way]) <= {f"{way}-model"}
    assert len(asked[way]) >= feature.requests


@pytest.mark.parametrize("writer", [NAMED, DEFAULT])
async def test_a_second_opinion_is_asked_of_who_is_set_for_it_whoever_wrote(data_dir: Path, writer: str) -> None:
    with ExitStack() as running:
        servers = {name: running.enter_context(ScriptedServer(good_stream(UNCLEAR))) for name in (NAMED, TASK, DEFAULT)}
        async with opened_desk(data_dir) as desk:
            _add_providers(desk, servers)
            desk.providers.tasks.set(TaskModel(SECOND_OPINION, TASK, f"{TASK}-model"))
            await _ask_opinion(desk, (NAMED, f"{NAMED}-model") if writer == NAMED else ("", ""), data_dir)
    asked = {name: [body["model"] for body in server.bodies] for name, server in servers.items() if server.requests}
    assert asked == {writer: [f"{writer}-model"], TASK: [f"{TASK}-model"]}


@pytest.mark.parametrize("way", [NAMED, TASK, DEFAULT])
async def test_a_batch_is_handed_to_who_was_chosen_and_nobody_else(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Three servers play api.openai.com, the only one that takes batches: a provider's own proxy leads to its own."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    certificate = make_certificate(tmp_path)
    with ExitStack() as running:
        servers = {name: running.enter_context(BatchServer(certificate)) for name in (NAMED, TASK, DEFAULT)}
        async with opened_desk(data_dir) as desk:
            for name, server in servers.items():
                profile = ProviderProfile(name, "openai", f"https://{HOST}/v1", f"{name}-model", proxy=server.proxy)
                desk.providers.save(replace(profile, ca_file=str(certificate)), make_default=name == DEFAULT)
            if way != DEFAULT:
                desk.providers.tasks.set(TaskModel("handover", TASK, f"{TASK}-model"))
            chosen = (NAMED, f"{NAMED}-model") if way == NAMED else ("", "")
            ids = [await desk.tickets.find(TICKET)]
            await desk.batches.submit(ids, provider=chosen[0], model=chosen[1], recipe="handover")
            for _ in range(10):
                if not await desk.batches.poll():
                    break
    assert [name for name, server in servers.items() if server.journal] == [way]
    assert {line["body"]["model"] for line in servers[way].requests_of_uploads} == {f"{way}-model"}


def test_no_caller_of_a_model_is_left_out() -> None:
    callers = set(_find_callers())
    found = {caller for caller in callers if not caller.startswith(BATCH_CALLERS)}
    assert len(callers) > len(found), "the search does not find what batches send"
    rows = {feature.name for feature in FEATURES} | {SECOND_OPINION}
    assert found - set(CALLERS) == set(), "calls a model, and no row above proves whom it asks"
    assert set(CALLERS) - found == set(), "calls no model any more"
    assert {row for rows_of in CALLERS.values() for row in rows_of} <= rows


def test_the_search_finds_a_caller_by_whatever_name_it_has_the_gate() -> None:
    code = (
        "class New:\n"
        "    def __init__(self, gate: Outbound): self._way_out = gate\n"
        "    async def direct(self): await self._way_out.embed(1)\n"
        "    async def asks(self): await Asker(1, 2).ask(3)\n"
        "    async def past_the_gate(self, endpoint): endpoint.client.stream(1)\n"
        "    async def something_else(self): self.summaries.stream(1)\n"
    )
    assert list(_callers_in(ast.parse(code), {"embed", "stream"})) == ["New.direct", "New.asks", "New.past_the_gate"]


def _add_providers(desk: Desk, servers: dict[str, ScriptedServer]) -> None:
    for name, server in servers.items():
        # A model of its own for who is named: the one that is named with it must win.
        model = f"{name}-model" if name == DEFAULT else "not-this-one"
        desk.providers.save(ProviderProfile(name, "custom", server.base_url, model=model), make_default=name == DEFAULT)


# The search. A name is the gate's when it is annotated as one, is made from such a name, or is called as the house calls it.


def _find_callers() -> Iterator[str]:
    sending = _sending_methods()
    for path in sorted(DESKTOP.rglob("*.py")):
        place = path.relative_to(DESKTOP).as_posix()
        if not place.startswith(("llm/", "services/outbound/")):
            for caller in _callers_in(ast.parse(path.read_text(encoding="utf-8")), sending):
                yield f"{place}:{caller}"


def _sending_methods() -> frozenset[str]:
    """Every public coroutine and generator of the gate sends something."""
    found = _coroutines_of("gate.py", "Outbound")
    assert {"stream", "embed", "list_models", "test"} <= found
    return found


@cache
def _coroutines_of(file: str, name: str) -> frozenset[str]:
    tree = ast.parse((DESKTOP / "services" / "outbound" / file).read_text(encoding="utf-8"))
    class_ = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = (node.name for node in class_.body if isinstance(node, ast.AsyncFunctionDef))
    return frozenset(method for method in methods if not method.startswith("_"))


def _callers_in(tree: ast.Module, sending: AbstractSet[str]) -> Iterator[str]:
    batching = _coroutines_of("batching.py", "Batching")
    gates, askers = _names_of(tree, "Outbound", "outbound"), _names_of(tree, "Asker", "asker")
    for qualified, function in _functions(tree):
        for node in ast.walk(function):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            method, receiver = node.func.attr, _last_name(node.func.value)
            is_gate = method in sending and receiver in gates
            is_asker = method in {"stream", "ask"} and (receiver in askers or receiver == "Asker")
            # A client is an endpoint's: `http.client` of the standard library is none.
            is_past = receiver == "client" and method != "aclose" and ast.unparse(node.func.value) != "http.client"
            is_batch = receiver == "batching" and method in batching
            if is_gate or is_asker or is_batch or is_past:
                yield qualified
                break


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}", inner
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def _names_of(tree: ast.Module, type_name: str, usual: str) -> set[str]:
    names = {usual, f"_{usual}"}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.arg | ast.AnnAssign)
            and node.annotation is not None
            and type_name in ast.unparse(node.annotation)
        ):
            names.add(node.arg if isinstance(node, ast.arg) else _last_name(node.target))
    is_growing = True
    while is_growing:
        made = {
            _last_name(target)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and _is_one(node.value, names, type_name)
            for target in node.targets
        }
        is_growing = not made <= names
        names |= made
    return names


def _is_one(value: ast.expr, names: set[str], type_name: str) -> bool:
    """Tell whether an expression is such an object: another's name for it, or a new one."""
    if isinstance(value, ast.Call):
        return _last_name(value.func) == type_name
    return isinstance(value, ast.Name | ast.Attribute) and _last_name(value) in names


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""
