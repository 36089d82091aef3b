"""A program that works on the queue as the window does, without a window: it goes on with what is there, or puts all tickets in, and ends with it.

`python -m tests.durability.queue_program DATA_DIR BASE_URL`, to be killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from desktop.config.paths import find_paths
from desktop.domain.providers import ProviderProfile
from desktop.domain.queue import QueueStatus
from desktop.domain.tickets import TicketQuery
from desktop.services.container import open_desk

PROVIDER = "limited"


async def work_off(data_dir: Path, base_url: str) -> None:
    """Work until nothing is left."""
    desk = await open_desk(find_paths(data_dir))
    try:
        desk.providers.save(ProviderProfile(PROVIDER, "custom", base_url, model="m"), make_default=True)
        is_over = asyncio.Event()

        def look(status: QueueStatus) -> None:
            if status.total and (status.is_idle or status.is_paused):
                is_over.set()

        await desk.queue.start()
        if not (await desk.queue.status()).total:
            await desk.queue.add((await desk.tickets.ids(TicketQuery())).tolist())
        await desk.queue.resume()
        desk.queue.listen(look)
        look(await desk.queue.status())
        await is_over.wait()
    finally:
        await desk.close()


if __name__ == "__main__":
    asyncio.run(work_off(Path(sys.argv[1]), sys.argv[2]))
