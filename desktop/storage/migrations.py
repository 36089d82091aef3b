"""Migrations: the database's form, step by step. Names are plain words, so that any SQLite tool can open the file.

Times are ISO 8601 UTC text, money is integer micro-dollars, tables are STRICT. A migration is never edited after it shipped: a new one follows it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database
    from sqlite_utils.migrations import Migrations


class Steps:
    """The steps in their order. Looking whether any is pending must not import sqlite-utils, which takes as long as all else at a start."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._functions: list[Callable[[Database], None]] = []

    def __call__(self) -> Callable[[Callable[[Database], None]], Callable[[Database], None]]:
        def add(function: Callable[[Database], None]) -> Callable[[Database], None]:
            self._functions.append(function)
            return function

        return add

    @property
    def names(self) -> set[str]:
        return {function.__name__ for function in self._functions}

    def for_sqlite_utils(self) -> Migrations:
        """Return the steps as the tool takes them that applies them."""
        from sqlite_utils.migrations import Migrations

        migrations = Migrations(self.name)
        for function in self._functions:
            migrations()(function)
        return migrations


migrations = Steps("tldesk")

_FIRST = """
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, system TEXT NOT NULL) STRICT;
CREATE TABLE import_batch (
  id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES source(id), path TEXT NOT NULL, system TEXT NOT NULL, started_at TEXT NOT NULL,
  finished_at TEXT NOT NULL DEFAULT '', counts_json TEXT NOT NULL DEFAULT '{}', undone_at TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE import_reject (
  id INTEGER PRIMARY KEY, import_id INTEGER NOT NULL REFERENCES import_batch(id) ON DELETE CASCADE, line INTEGER NOT NULL,
  reason TEXT NOT NULL, "column" TEXT NOT NULL, value TEXT NOT NULL, raw TEXT NOT NULL) STRICT;
CREATE TABLE ticket (
  id INTEGER PRIMARY KEY, source_id INTEGER NOT NULL REFERENCES source(id), external_id TEXT NOT NULL, content_hash TEXT NOT NULL,
  subject TEXT NOT NULL, status TEXT NOT NULL, status_original TEXT NOT NULL, priority TEXT NOT NULL, priority_original TEXT NOT NULL,
  requester TEXT NOT NULL, assignee TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, message_count INTEGER NOT NULL,
  gist TEXT NOT NULL DEFAULT '', fields_json TEXT NOT NULL, import_id INTEGER NOT NULL REFERENCES import_batch(id),
  changed_import_id INTEGER NOT NULL, UNIQUE (source_id, external_id)) STRICT;
CREATE INDEX ticket_by_updated_at ON ticket (updated_at DESC, id DESC);
CREATE INDEX ticket_by_created_at ON ticket (created_at DESC, id DESC);
CREATE INDEX ticket_by_status ON ticket (status, updated_at DESC, id DESC);
CREATE INDEX ticket_by_source ON ticket (source_id, updated_at DESC, id DESC);
CREATE INDEX ticket_by_import ON ticket (import_id);
CREATE INDEX ticket_by_external_id ON ticket (external_id);
CREATE TABLE message (
  id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE, position INTEGER NOT NULL, author TEXT NOT NULL,
  role TEXT NOT NULL, internal INTEGER NOT NULL, created_at TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (ticket_id, position)) STRICT;
CREATE TABLE import_change (
  import_id INTEGER NOT NULL REFERENCES import_batch(id) ON DELETE CASCADE, ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  before_json TEXT NOT NULL, PRIMARY KEY (import_id, ticket_id)) STRICT;
CREATE VIRTUAL TABLE ticket_fts USING fts5 (subject, body, content='', tokenize='unicode61 remove_diacritics 2');
CREATE TABLE run (
  id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE, task TEXT NOT NULL, state TEXT NOT NULL,
  recipe TEXT NOT NULL, recipe_version INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, cache_key TEXT NOT NULL,
  content_hash TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '', remedy TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '', input_tokens INTEGER, output_tokens INTEGER,
  cached_input_tokens INTEGER, cost_microusd INTEGER, first_token_seconds REAL, seconds REAL NOT NULL DEFAULT 0) STRICT;
CREATE INDEX run_by_ticket ON run (ticket_id, id DESC);
CREATE INDEX run_by_cache_key ON run (cache_key, id DESC);
CREATE INDEX run_by_started_at ON run (started_at);
CREATE TABLE summary (
  run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE, gist TEXT NOT NULL, sections_json TEXT NOT NULL, claims_json TEXT NOT NULL,
  coverage_json TEXT NOT NULL, human_text TEXT) STRICT;
CREATE TABLE citation (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, claim INTEGER NOT NULL, message INTEGER NOT NULL, "start" INTEGER NOT NULL,
  "end" INTEGER NOT NULL, splitter_version INTEGER NOT NULL, sentence_id TEXT NOT NULL) STRICT;
CREATE INDEX citation_by_run ON citation (run_id);
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, host TEXT NOT NULL, purpose TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  redactions_json TEXT NOT NULL DEFAULT '{}', state TEXT NOT NULL DEFAULT 'outcome unknown', cost_microusd INTEGER) STRICT;
"""


@migrations()
def create_first_tables(db: Database) -> None:
    """Tickets with their messages, imports, runs and what left the machine."""
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def remember_mappings(db: Database) -> None:
    """What the user corrected of a table's columns, by its header."""
    db.execute(
        "CREATE TABLE mapping (fingerprint TEXT PRIMARY KEY, roles_json TEXT NOT NULL, date_order TEXT NOT NULL, saved_at TEXT NOT NULL) STRICT"
    )


@migrations()
def remember_what_imports_held(db: Database) -> None:
    """Which tickets each import's file held, how it was read, and the cells of rejected rows: for what is gone, and for mending without the file."""
    for table, column in (
        ("import_batch", "shape TEXT NOT NULL DEFAULT ''"),
        ("import_batch", "recognized_json TEXT NOT NULL DEFAULT ''"),
        ("import_batch", "ticket_ids BLOB"),
        ("import_reject", "cells_json TEXT NOT NULL DEFAULT '[]'"),
        ("import_reject", "is_set_aside INTEGER NOT NULL DEFAULT 0"),
    ):
        db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    db.execute("CREATE INDEX import_reject_by_import ON import_reject (import_id)")
    db.execute("CREATE INDEX import_change_by_ticket ON import_change (ticket_id, import_id)")


@migrations()
def remember_mapping_files(db: Database) -> None:
    """The mapping file that a table is read by, and which file each mapping was remembered from."""
    db.execute("ALTER TABLE mapping ADD COLUMN definition TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE mapping ADD COLUMN learned_from TEXT NOT NULL DEFAULT ''")


_SEARCH_APART = """
DROP TABLE ticket_fts;
CREATE TABLE ticket_revision (history TEXT NOT NULL, last INTEGER NOT NULL) STRICT;
INSERT INTO ticket_revision SELECT lower(hex(randomblob(16))), coalesce(max(id), 0) FROM ticket;
ALTER TABLE ticket ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE ticket SET revision = id;
DROP INDEX ticket_by_updated_at;
DROP INDEX ticket_by_created_at;
DROP INDEX ticket_by_status;
DROP INDEX ticket_by_source;
DROP INDEX ticket_by_external_id;
CREATE INDEX ticket_in_list ON ticket (updated_at DESC, id DESC, status, source_id);
CREATE INDEX ticket_by_revision ON ticket (revision, updated_at, status, source_id, created_at);
"""


@migrations()
def keep_the_search_index_in_a_file_of_its_own(db: Database) -> None:
    """A revision ties a ticket to the index beside this file (see `search`); `history` tells copies of one file from another file.

    Two indexes stand where five did: in each a new ticket landed on a page of its own, which was half of an import. The list, its filters and its
    counts read nothing but `ticket_in_list`; a search reads nothing but `ticket_by_revision`, which grows at its end only.
    """
    for statement in _SEARCH_APART.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations()
def join_tables(db: Database) -> None:
    """What came from which kind of table, and who stands behind the numbers of people.

    Which messages a table of messages attached, which subject is only a first sentence, and which ticket a table of tickets told of.
    """
    db.execute("ALTER TABLE message ADD COLUMN is_attached INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE ticket ADD COLUMN is_subject_made INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE ticket ADD COLUMN has_record INTEGER NOT NULL DEFAULT 1")
    # What was imported before is told apart by the systems that only had tables of messages.
    of_messages = "SELECT id FROM import_batch WHERE system IN ('messages', 'intercom')"
    db.execute(f"UPDATE ticket SET has_record = 0 WHERE import_id IN ({of_messages})")
    db.execute("UPDATE message SET is_attached = 1 WHERE ticket_id IN (SELECT id FROM ticket WHERE has_record = 0)")
    db.execute(
        "CREATE TABLE person (source_id INTEGER NOT NULL REFERENCES source(id), external_id TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL,"
        " role TEXT NOT NULL, import_id INTEGER NOT NULL REFERENCES import_batch(id), before_json TEXT NOT NULL DEFAULT '',"
        " PRIMARY KEY (source_id, external_id)) STRICT"
    )


@migrations()
def watch_folders(db: Database) -> None:
    """Which files of watched folders were handled, and which tables were accepted as they were recognized."""
    db.execute(
        "CREATE TABLE watched_file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL, handled_at TEXT NOT NULL) STRICT"
    )
    db.execute("ALTER TABLE mapping ADD COLUMN is_correction INTEGER NOT NULL DEFAULT 1")


@migrations()
def tell_languages(db: Database) -> None:
    """The language of each ticket; `version` is the revision in which the ticket was looked at."""
    db.execute(
        "CREATE TABLE ticket_language (ticket_id INTEGER PRIMARY KEY REFERENCES ticket(id) ON DELETE CASCADE, language TEXT NOT NULL,"
        " version INTEGER NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX ticket_language_by_language ON ticket_language (language)")


_VERSIONS = """
ALTER TABLE run ADD COLUMN recipe_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN form TEXT NOT NULL DEFAULT 'sections';
ALTER TABLE run ADD COLUMN thinking TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN estimated_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN message_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN messages_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE summary ADD COLUMN fields_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE summary DROP COLUMN human_text;
CREATE TABLE shown_summary (
  ticket_id INTEGER PRIMARY KEY REFERENCES ticket(id) ON DELETE CASCADE, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  is_pinned INTEGER NOT NULL DEFAULT 0, next_owner TEXT NOT NULL DEFAULT '', deadline TEXT NOT NULL DEFAULT '', sentiment TEXT NOT NULL DEFAULT '',
  has_open_questions INTEGER) STRICT;
CREATE INDEX shown_summary_by_run ON shown_summary (run_id);
CREATE TABLE starred_ticket (
  ticket_id INTEGER PRIMARY KEY REFERENCES ticket(id) ON DELETE CASCADE, starred_at TEXT NOT NULL) STRICT;
"""


@migrations()
def keep_versions_of_summaries(db: Database) -> None:
    """Which version of its summary a ticket shows, and what lists filter by. An edit is a run of the task `edit`: no refresh writes over it.

    `estimated_tokens` beside a provider's own count tells how that provider's model counts; `messages_hash` tells messages that are only newer.
    """
    for statement in _VERSIONS.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute(
        "INSERT INTO shown_summary (ticket_id, run_id) SELECT ticket_id, max(run.id) FROM run JOIN summary ON summary.run_id = run.id"
        " WHERE text != '' AND state = 'complete' GROUP BY ticket_id"
    )


_OUTGOING = """
ALTER TABLE run ADD COLUMN text_key TEXT NOT NULL DEFAULT '';
CREATE INDEX run_by_text_key ON run (text_key) WHERE text_key != '';
ALTER TABLE ledger ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN run_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN ticket_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ledger ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN error TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN message TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN input_tokens INTEGER;
ALTER TABLE ledger ADD COLUMN output_tokens INTEGER;
ALTER TABLE ledger ADD COLUMN cached_input_tokens INTEGER;
ALTER TABLE ledger ADD COLUMN first_token_seconds REAL;
ALTER TABLE ledger ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
CREATE INDEX ledger_by_at ON ledger (at);
CREATE INDEX ledger_by_ticket ON ledger (ticket_id) WHERE ticket_id != 0;
CREATE TABLE trace (
  ledger_id INTEGER PRIMARY KEY REFERENCES ledger(id) ON DELETE CASCADE, request BLOB NOT NULL, answer BLOB) STRICT;
CREATE TABLE cache_hit (
  day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, recipe TEXT NOT NULL, hits INTEGER NOT NULL DEFAULT 0,
  saved_microusd INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (day, provider, model, recipe)) STRICT;
CREATE TABLE batch (
  id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, remote_id TEXT NOT NULL DEFAULT '', input_file_id TEXT NOT NULL DEFAULT '',
  output_file_id TEXT NOT NULL DEFAULT '', error_file_id TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  requests INTEGER NOT NULL DEFAULT 0, completed INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, cost_microusd INTEGER,
  submitted_at TEXT NOT NULL, polled_at TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '', host TEXT NOT NULL DEFAULT '',
  recipe TEXT NOT NULL DEFAULT '', name TEXT NOT NULL DEFAULT '', is_cancelled INTEGER NOT NULL DEFAULT 0,
  cleared_at TEXT NOT NULL DEFAULT '', most_cost_microusd INTEGER, most_tokens INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE batch_request (
  batch_id INTEGER NOT NULL REFERENCES batch(id) ON DELETE CASCADE, custom_id TEXT NOT NULL,
  ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE, cache_key TEXT NOT NULL,
  placeholders_json TEXT NOT NULL DEFAULT '{}', state TEXT NOT NULL, asked_json TEXT NOT NULL DEFAULT '{}', ledger_id INTEGER NOT NULL DEFAULT 0,
  run_id INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '', PRIMARY KEY (batch_id, custom_id)) STRICT, WITHOUT ROWID;
CREATE INDEX batch_request_by_cache_key ON batch_request (cache_key);
CREATE TABLE queue_item (
  id INTEGER PRIMARY KEY, ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE, rank REAL NOT NULL, recipe TEXT NOT NULL,
  provider TEXT NOT NULL, model TEXT NOT NULL, refresh INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
  remedy TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, run_id INTEGER NOT NULL DEFAULT 0, batch_id INTEGER NOT NULL DEFAULT 0,
  cost_microusd INTEGER, tokens INTEGER NOT NULL DEFAULT 0, is_cached INTEGER NOT NULL DEFAULT 0, added_at TEXT NOT NULL,
  begun_at TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '', UNIQUE (ticket_id, recipe)) STRICT;
CREATE INDEX queue_item_in_order ON queue_item (state, rank, id);
ALTER TABLE summary ADD COLUMN highlights_json TEXT NOT NULL DEFAULT '';
CREATE TABLE queue_state (
  id INTEGER PRIMARY KEY CHECK (id = 1), is_paused INTEGER NOT NULL DEFAULT 0, pause_reason TEXT NOT NULL DEFAULT '',
  is_working INTEGER NOT NULL DEFAULT 0, spent_microusd INTEGER NOT NULL DEFAULT 0, unpriced INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO queue_state (id) VALUES (1);
CREATE TABLE erased_person (
  identity TEXT PRIMARY KEY, stand_in TEXT NOT NULL, way TEXT NOT NULL, erased_at TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE erasure (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, way TEXT NOT NULL, stand_in TEXT NOT NULL, counts_json TEXT NOT NULL,
  is_swept INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE span_target (
  id INTEGER PRIMARY KEY CHECK (id = 1), address TEXT NOT NULL, sent_up_to INTEGER NOT NULL, leased_until TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE span_sent (ledger_id INTEGER PRIMARY KEY) STRICT;
"""


@migrations()
def keep_traces_batches_and_the_queue(db: Database) -> None:
    """What each request held and how it ended, what the cache saved, what was handed over in batches, and which tickets wait for a summary.

    Of people who were erased no name is kept but keyed hashes, so that an import that brings one back is noticed.
    """
    for statement in _OUTGOING.split(";\n"):
        if statement.strip():
            db.execute(statement)
