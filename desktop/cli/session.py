"""Session: what one run of the command has, and how it reaches the services.

Options that hold for every command may stand before or after its name. The services are built when a command needs them, so that asking for
help loads nothing of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from desktop.cli.output import warn
from desktop.domain.errors import DeskError

if TYPE_CHECKING:
    from desktop.config.paths import Paths
    from desktop.services.container import Desk
    from desktop.services.doctor import Check

T = TypeVar("T")


@dataclass
class Session:
    """One run. `find_paths` finds and prepares the data folder; it is called once a command really needs it."""

    find_paths: Callable[[Path | None], Paths]
    data_dir: Path | None = None
    is_debug: bool = False

    def run(self, work: Callable[[Desk], Awaitable[T]]) -> T:
        """Open all services, do the work, close them again, and return its result.

        Raises:
            DeskError: whatever the work raises, and what stands in the way of opening the data folder.
        """
        return asyncio.run(self._run(work))

    def examine(self) -> tuple[Check, ...]:
        """Check the installation, whatever is wrong with it."""
        from desktop.services.container import examine
        from desktop.services.doctor import Check

        try:
            paths = self.find_paths(self.data_dir)
        except DeskError as error:
            return (Check("data folder", False, error.message, error.remedy),)
        return asyncio.run(examine(paths))

    async def _run(self, work: Callable[[Desk], Awaitable[T]]) -> T:
        from desktop.services.container import open_desk

        desk = await open_desk(self.find_paths(self.data_dir))
        if desk.settings.warning:
            warn(desk.settings.warning)
        try:
            return await work(desk)
        finally:
            await desk.close()


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that hold for all, and the session as its first argument."""

    @click.option(
        "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The folder that holds everything."
    )
    @click.option("--debug", is_flag=True, help="Show where an error came from.")
    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, *arguments: Any, **options: Any) -> Any:
        session: Session = context.obj
        session.data_dir = options.pop("data_dir") or session.data_dir
        session.is_debug = options.pop("debug") or session.is_debug
        return command(session, *arguments, **options)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
