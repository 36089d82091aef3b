"""The command's front door: finds the module of a command by its name, and turns every end into an exit code.

0 done; 1 a negative verdict; 2 wrong usage; 3 partly done; 4 refused or failed; 130 interrupted. A command returns its code, None for 0. No traceback
is shown without `--debug`, and never with the values of variables: they may hold a key or a ticket.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop import __version__
from desktop.cli import COMMANDS
from desktop.cli.output import ReaderGone, warn
from desktop.cli.session import Session
from desktop.domain.errors import DeskError

if TYPE_CHECKING:
    from desktop.config.paths import Paths

_WRONG_USAGE = frozenset(("sort-unknown", "where-unknown", "where-value"))
NEGATIVE, USAGE, PARTLY, FAILED, INTERRUPTED = 1, 2, 3, 4, 130


class _Commands(click.Group):
    """Imports a command's module only when that command is asked for; the list of all asks for each, because it tells what they do."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"desktop.cli.{COMMANDS[cmd_name]}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if Path(args[0]).exists():
                raise
            raise click.UsageError(f"There is no command and no file named {args[0]}.", ctx) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder that holds everything.")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.version_option(__version__, prog_name="TLDesk")
@click.pass_obj
def tldesk(session: Session, data_dir: Path | None, debug: bool) -> None:
    """TL;DR for your help desk. Without a command the window opens; with files it offers to import them."""
    session.data_dir, session.is_debug = data_dir, debug


def run_command(arguments: Sequence[str], *, find_paths: Callable[[Path | None], Paths]) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    session = Session(find_paths)
    try:
        code = tldesk.main(list(arguments), prog_name="tldesk", obj=session, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        warn(f"Error: {error.format_message()}")
        return FAILED
    except DeskError as error:
        warn(f"Error: {error}")
        return USAGE if error.code in _WRONG_USAGE else FAILED
    except (click.Abort, KeyboardInterrupt):
        warn("Interrupted. What was finished is kept.")
        return INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            return _own_fault(session, error)
        warn(f"Error: the output could not be written: {error.strerror}. What was summarized or imported is kept.")
        return FAILED
    except ReaderGone:
        # What is still buffered has no reader either; Python would complain on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - our bug: one sentence for the user, the place for us
        return _own_fault(session, error)


def _own_fault(session: Session, error: Exception) -> int:
    if session.is_debug:
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
    warn(
        f"Error: something went wrong in TLDesk itself ({type(error).__name__}). Your tickets are safe. Run it with --debug and report it."
    )
    return FAILED
