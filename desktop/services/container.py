"""Container: builds and closes everything, once. The only place where a provider's profile becomes an endpoint with a key.

`Desk` is what the window and the command hold: the services, ready to use, and nothing of what lies below them.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from desktop.config.installation import installation_secret
from desktop.config.paths import Paths, make_folders
from desktop.config.secrets import KeyStore
from desktop.config.settings import Settings
from desktop.domain.errors import DeskError
from desktop.domain.llm import ChatRequest
from desktop.domain.providers import BUILT_IN, KeyState, ProviderProfile
from desktop.ingest.definitions import load_systems
from desktop.llm import network, presets
from desktop.llm.engine import BUILTIN_MODEL_NAME, LocalEngine, find_builtin_model
from desktop.llm.openai_client import OpenAIClient
from desktop.llm.parameters import first_parameters
from desktop.llm.prices import Price, load_prices, save_price
from desktop.services.batches import BatchService
from desktop.services.doctor import Check, Doctor
from desktop.services.erasing import ErasingService
from desktop.services.export import ExportService
from desktop.services.history import HistoryService
from desktop.services.imports import ImportService
from desktop.services.joining import JoiningService
from desktop.services.languages import LanguageService
from desktop.services.mappings import MappingService
from desktop.services.model_prices import Amounts, ModelPrices
from desktop.services.operations import OperationsService
from desktop.services.outbound import Endpoint, Outbound, Target
from desktop.services.prepared import PreparedTickets
from desktop.services.preview import PreviewService
from desktop.services.profile_checks import network_of
from desktop.services.prompt_preview import PromptPreviews
from desktop.services.providers import ProviderService
from desktop.services.queue import QueueService
from desktop.services.quotes import Quotes
from desktop.services.recipes import RecipeBook
from desktop.services.second_opinion import PURPOSE as SECOND_OPINION
from desktop.services.span_export import SpanExport
from desktop.services.summaries import SummaryService
from desktop.services.summary_writing import SummaryWriter
from desktop.services.tickets import TicketService
from desktop.services.versions import hash_messages
from desktop.services.watching import WatchService
from desktop.services.worklists import WorkLists
from desktop.services.written_before import WrittenBefore
from desktop.storage.batches import BatchStore
from desktop.storage.database import Database
from desktop.storage.erasing import ErasingStore
from desktop.storage.exporting import ExportStore
from desktop.storage.history import HistoryStore
from desktop.storage.imports import ImportStore
from desktop.storage.languages import LanguageStore
from desktop.storage.ledger import LedgerStore
from desktop.storage.locking import FileLock
from desktop.storage.mappings import MappingStore
from desktop.storage.operations import OperationsStore
from desktop.storage.people import PeopleStore
from desktop.storage.queue import QueueStore
from desktop.storage.runs import RunStore
from desktop.storage.spans import SpanStore
from desktop.storage.tickets import TicketStore
from desktop.storage.twins import TwinStore
from desktop.storage.watched import WatchedStore

# The built-in model is loaded with this context; what a small model was trained for is less than it accepts.
BUILT_IN_CONTEXT_TOKENS = 6_000
DEADLINE_SECONDS = 600
LOCAL_CONTEXT_TOKENS = 8_000
CLOUD_CONTEXT_TOKENS = 64_000


class Desk:
    """All services over one data folder. Open it once, close it once."""

    def __init__(self, paths: Paths) -> None:
        make_folders(paths)
        self.paths = paths
        self._is_open = False
        self.settings = Settings(paths.settings)
        self._keys = KeyStore()
        self._database = Database(paths.database)
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="worker")
        self._engine = LocalEngine(command=_engine_command())
        self._clients: dict[tuple[object, ...], OpenAIClient] = {}
        self._runs = RunStore(self._database)
        self._tickets = TicketStore(self._database)
        self._ledger = LedgerStore(self._database)
        self.secret = installation_secret(paths)
        self.tickets = TicketService(self._tickets)
        self.recipes = RecipeBook(paths.prompts, paths.recipes)
        # What comes later may use what came before, and nothing that comes after it.
        self._build_imports(paths)
        self._build_providers(paths)
        self._build_summaries()
        self._build_many(paths)
        self._build_care(paths)

    def _build_imports(self, paths: Paths) -> None:
        """From files to tickets, and back out."""
        # Read when they are first needed, not at the start.
        systems = functools.cache(functools.partial(load_systems, paths.systems))
        mapping_store, people_store = MappingStore(self._database), PeopleStore(self._database)
        import_store = ImportStore(self._database)
        self.imports = ImportService(
            import_store,
            people=people_store,
            mappings=mapping_store,
            systems=systems,
            rejects_folder=paths.rejects,
            workers=self._workers,
            erased=lambda source_id: self.erasing.people(source_id),
        )
        self.joining = JoiningService(self.imports)
        self.history = HistoryService(
            HistoryStore(self._database),
            imports=import_store,
            people=people_store,
            systems=systems,
            workers=self._workers,
        )
        self.languages = LanguageService(LanguageStore(self._database), workers=self._workers)
        self.mappings = MappingService(mapping_store, self.imports)
        self.watching = WatchService(self.imports, mappings=mapping_store, store=WatchedStore(self._database))
        self.export = ExportService(ExportStore(self._database), self._runs)

    def _build_providers(self, paths: Paths) -> None:
        """Who can be asked, through which gate, and at what price."""
        prices = load_prices(paths.resources / "prices.toml", paths.prices)
        self._outbound = Outbound(self._ledger, prices, is_locked=lambda: bool(self.settings.get("local_only")))
        self.providers = ProviderService(
            settings=self.settings,
            keys=self._keys,
            outbound=self._outbound,
            presets=presets.PRESETS,
            addresses=presets,
            ways=network,
            resolve=self.resolve,
            recipes=self.recipes,
        )
        self.prices = ModelPrices(
            prices, paths.prices, write=functools.partial(_write_price, paths.prices), target=self.target
        )

    def _build_summaries(self) -> None:
        """What is asked of one ticket, and what that would send."""
        self._writer = SummaryWriter(
            runs=self._runs,
            ledger=self._ledger,
            outbound=self._outbound,
            recipes=self.recipes,
            secret=self.secret,
            workers=self._workers,
            target=self.target,
            resolve=self.resolve,
            route=self.providers.route,
            opinion_route=functools.partial(self.providers.tasks.who, SECOND_OPINION),
        )
        self.summaries = SummaryService(
            tickets=self._tickets,
            runs=self._runs,
            outbound=self._outbound,
            recipes=self.recipes,
            settings=self.settings,
            secret=self.secret,
            workers=self._workers,
            writer=self._writer,
        )
        self.previews = PromptPreviews(
            tickets=self._tickets,
            settings=self.settings,
            secret=self.secret,
            estimate_tokens=self._outbound.estimate_tokens,
            examples=self.summaries.examples,
            workers=self._workers,
        )
        self.preview = PreviewService(
            summaries=self.summaries,
            recipes=self.recipes,
            outbound=self._outbound,
            body=self._body,
            secret=self.secret,
            workers=self._workers,
        )

    def _build_many(self, paths: Paths) -> None:
        """What is asked of many tickets: the queue, the lists of a command, batches."""
        self._batched = PreparedTickets(self._tickets, self._workers, lambda: str(self.settings.get("strictness")))
        self.batches = BatchService(
            BatchStore(self._database),
            summaries=self.summaries,
            writer=self._writer,
            runs=self._runs,
            outbound=self._outbound,
            recipes=self.recipes,
            prepared=self._batched,
            secret=self.secret,
            workers=self._workers,
            resolve=self.resolve,
            lock=FileLock(paths.data_dir / "batches.lock"),
        )
        written = WrittenBefore(self._tickets, self._runs, self._ledger, self.summaries)
        self.queue = QueueService(
            QueueStore(self._database),
            summaries=self.summaries,
            settings=self.settings,
            quotes=Quotes(
                self.summaries,
                self.settings,
                batching=self._outbound.batching,
                written=written,
                twins=TwinStore(self._database),
                runs=self._runs,
                queue=QueueStore(self._database),
                pace=self._outbound.pace,
                missing_key=self._missing_key,
            ),
            written=written,
            batches=self.batches,
            parallel=self._parallel,
        )
        self.worklists = WorkLists(
            QueueStore(self._database), summaries=self.summaries, written=written, parallel=self._parallel
        )

    def _build_care(self, paths: Paths) -> None:
        """What looks after the rest: erasing, operations, the doctor."""
        self.erasing = ErasingService(
            ErasingStore(self._database, hash_messages=hash_messages),
            paths=paths,
            secret=self.secret,
            is_importing=lambda: self.imports.is_running,
            forget=(self.summaries.forget, self._batched.forget),
        )
        spans = SpanExport(
            SpanStore(self._database), self.settings, is_loopback=presets.is_loopback, secret=self.secret
        )
        self.operations = OperationsService(OperationsStore(self._database), self.settings, spans)
        self.doctor = Doctor(
            paths=paths,
            settings=self.settings,
            keys=self._keys,
            providers=self.providers,
            tickets=self._tickets,
            open_database=self.open,
            resolve=self.resolve,
        )

    @property
    def read_only_reason(self) -> str:
        """Say in words why nothing can be written, '' when it can."""
        return self._database.read_only_reason

    async def open(self) -> None:
        """Open the database, migrate it, and settle what a crash left behind; nothing where that is done already.

        Raises:
            DeskError: `database-broken`, `database-locked` and the like.
        """
        if self._is_open:
            # Whoever examines an open desk opens it again, and two would write the full-text index at once.
            return
        await self._database.open()
        self._is_open = True
        if not self.read_only_reason:
            await self._runs.recover()
            await self.erasing.finish()
            self.operations.start()

    async def close(self) -> None:
        """Close the queue, clients, the built-in model, the database and the threads, in that order."""
        await self.queue.close()
        await self.batches.stop()
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        await self._engine.stop()
        await self.operations.close()
        await self._database.close()
        await asyncio.to_thread(self._workers.shutdown, wait=True, cancel_futures=True)

    def _parallel(self, task: str, provider: str, model: str) -> int:
        """Say how many summaries may be written at once now."""
        try:
            return self._outbound.pace(self.summaries.targets(task, provider, model)[0]).parallel
        except DeskError:
            # It is said when the next one begins.
            return 1

    def target(self, name: str = "", model: str = "") -> Target:
        """Say where a provider's requests would go ('' for the default), without reading a key or starting anything.

        Raises:
            DeskError: `provider-missing`.
        """
        profile = self.providers.profile(name)
        is_built_in, is_local = profile.kind == BUILT_IN, self.providers.is_local(profile)
        built_in_model = Path(profile.model_path).stem if profile.model_path else BUILTIN_MODEL_NAME
        return Target(
            name=profile.name,
            model=built_in_model if is_built_in else model or profile.model,
            base_url=profile.base_url,
            host=self.providers.host(profile),
            is_local=is_local,
            context_tokens=BUILT_IN_CONTEXT_TOKENS
            if is_built_in
            else LOCAL_CONTEXT_TOKENS
            if is_local
            else CLOUD_CONTEXT_TOKENS,
            redacts=self.providers.is_redacted(profile),
        )

    def _body(self, target: Target, request: ChatRequest) -> bytes:
        """Encode a request as it would be sent now: as its provider was found to want it, where it was asked before."""
        for (base_url, *_), known in reversed(self._clients.items()):
            if base_url == target.base_url:
                return known.body(request)
        return first_parameters(target.base_url).encoded(request)

    async def resolve(self, name: str = "", model: str = "") -> Endpoint:
        """Turn a provider's name ('' for the default) into an endpoint; the built-in model is started when it is needed.

        Raises:
            DeskError: `provider-missing`, `local-only`, `provider-no-key`, `engine-…`; as `OpenAIClient` for files and proxies.
        """
        profile, target = self.providers.profile(name), self.target(name, model)
        # The gate would refuse it anyway; here no keyring is opened for a key that is not going to be used.
        self._outbound.refuse_when_locked(target)
        if profile.kind == BUILT_IN:
            base_url, key = await self._start_built_in(profile)
        else:
            base_url, key = target.base_url, await self._key(profile, target)
        known = {**asdict(target), "base_url": base_url}
        return Endpoint(**known, client=self._client(base_url, key, profile))

    async def _key(self, profile: ProviderProfile, target: Target) -> str:
        """Return a provider's key, '' where none is needed.

        Raises:
            DeskError: `provider-no-key`.
        """
        key, state = await self._keys.get(profile.name, host=target.host)
        if not key and not target.is_local:
            raise _no_key(profile, target.host, state)
        return key

    async def _missing_key(self, name: str) -> str:
        """Say that a provider's key is not there; '' when it is, or when none is needed."""
        profile, target = self.providers.profile(name), self.target(name)
        try:
            if not target.is_local:
                await self._key(profile, target)
        except DeskError as error:
            return str(error)
        return ""

    async def _start_built_in(self, profile: ProviderProfile) -> tuple[str, str]:
        path = Path(profile.model_path) if profile.model_path else find_builtin_model()
        if path is None:
            raise DeskError(
                "engine-no-model",
                "No model file came with this installation.",
                remedy="Choose a GGUF file or set up another provider in the provider's settings.",
            )
        return await self._engine.start(path)

    def _client(self, base_url: str, key: str, profile: ProviderProfile) -> OpenAIClient:
        """Reuse one client for an address, a key and a way there: its connections stay warm. A file that was changed is a new way."""
        way = network_of(profile)
        patience = (profile.silence_seconds, profile.deadline_seconds)
        files = (way.ca_file, way.client_certificate, way.client_key)
        name = (base_url, key, way, *patience, *map(_changed_at, files))
        if name not in self._clients:
            self._clients[name] = OpenAIClient(
                base_url=base_url,
                key=key,
                timeout_seconds=float(profile.silence_seconds or 0) or None,
                deadline_seconds=float(profile.deadline_seconds or DEADLINE_SECONDS),
                network=way,
            )
        return self._clients[name]


async def open_desk(paths: Paths) -> Desk:
    """Build and open a desk."""
    desk = Desk(paths)
    try:
        await desk.open()
    except BaseException:
        await desk.close()
        raise
    return desk


async def examine(paths: Paths) -> tuple[Check, ...]:
    """Check an installation that may not even open."""
    desk = Desk(paths)
    try:
        return await desk.doctor.examine()
    finally:
        await desk.close()


def _engine_command() -> tuple[str, ...]:
    """The program started again: in a bundle `sys.executable` is the program itself."""
    return (
        (sys.executable, "--engine") if getattr(sys, "frozen", False) else (sys.executable, "-m", "desktop", "--engine")
    )


def _write_price(path: Path, host: str, model: str, amounts: Amounts | None) -> None:
    save_price(path, host, model=model, price=Price(*amounts) if amounts else None)


def _changed_at(path: str) -> int:
    """Return when a file was last written; 0 for none."""
    try:
        return Path(path).stat().st_mtime_ns if path else 0
    except OSError:
        return 0


def _no_key(profile: ProviderProfile, host: str, state: KeyState) -> DeskError:
    if state is KeyState.UNAVAILABLE:
        return DeskError(
            "provider-no-key",
            f"The key for {profile.name} cannot be read, because the system's keyring is not available.",
            remedy="Unlock the keyring, or enter the key again for this session.",
        )
    return DeskError(
        "provider-no-key",
        f"There is no key for {profile.name} ({host}).",
        remedy="Enter it in the provider's settings.",
    )
