"""The control: the same harness on a database without the key that keeps tickets from standing there twice. It must find them.

The program is careful twice: before it writes a ticket it looks for it by source and external id, and the table's unique key would refuse a
second one. So there are two controls. `CONSTRAINT` takes only the key's promise away, to show what the look-up alone is good for. `KEY` takes
the key away as the program knows it, so that a look-up by it finds nothing: a trigger files each new ticket under another source as soon as it
is in. With that, the same import again brings tickets a second time (or the program refuses to work without its key), and a harness that
still passed would be worth nothing.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tests.durability.points import Stage

CONSTRAINT, KEY = "constraint", "key"
_UNIQUE = re.compile(r",\s*UNIQUE\s*\(\s*source_id\s*,\s*external_id\s*\)", re.IGNORECASE)
_MISFILE = """
INSERT INTO source (id, name, system) SELECT -id, name || ' (misfiled)', system FROM source WHERE id > 0;
CREATE TRIGGER ticket_is_misfiled AFTER INSERT ON ticket WHEN NEW.source_id > 0
  BEGIN UPDATE ticket SET source_id = -NEW.source_id WHERE id = NEW.id; END;
"""


def without_key(stage: Stage, folder: Path, control: str) -> Stage:
    """Return the same stage whose database, rebuilt in `folder`, has no unique key over source and external id."""
    folder.mkdir()
    for path in stage.folder.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    changed = [path for path in folder.iterdir() if path.suffix in (".sqlite", ".db") and _drop_key(path, control)]
    assert len(changed) == 1, "There is no table `ticket` with a unique key over (source_id, external_id) to drop"
    return replace(stage, folder=folder)


def _drop_key(path: Path, control: str) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        # So that renaming the table leaves those that refer to it by name alone.
        connection.execute("PRAGMA legacy_alter_table=ON")
        made = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'ticket'").fetchone()
        if made is None:
            return False
        others = connection.execute(
            "SELECT sql, name FROM sqlite_master WHERE tbl_name = 'ticket' AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        is_unique = [_is_the_key(connection, name) for _, name in others]
        assert _UNIQUE.search(made[0]) or any(is_unique)
        rebuilt = re.sub(r"^CREATE TABLE\s+\S+", "CREATE TABLE keyless", _UNIQUE.sub("", made[0]), count=1)
        connection.execute("BEGIN")
        connection.execute(rebuilt)
        connection.execute("INSERT INTO keyless SELECT * FROM ticket")
        connection.execute("DROP TABLE ticket")
        connection.execute("ALTER TABLE keyless RENAME TO ticket")
        for (sql, _), is_key in zip(others, is_unique, strict=True):
            connection.execute(re.sub(r"^CREATE UNIQUE", "CREATE", sql) if is_key else sql)
        connection.execute("COMMIT")
        if control == KEY:
            connection.executescript(_MISFILE)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return True


def _is_the_key(connection: sqlite3.Connection, index: str) -> bool:
    listed = {row[1]: row[2] for row in connection.execute("PRAGMA index_list('ticket')")}
    columns = [row[2] for row in connection.execute(f"PRAGMA index_info('{index}')")]
    return bool(listed.get(index)) and columns == ["source_id", "external_id"]
