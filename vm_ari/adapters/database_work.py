"""Work on a database, in a few threads of its own and one transaction at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from vm_ari.adapters.database_schema import Database
from vm_ari.measures import Asking

T = TypeVar("T")
Telling = Callable[[Exception], Exception]
"""What is raised in place of an error; the error itself, where it is to pass as it is."""


class DatabaseWork:
    """A database that is used through these threads only; to be closed."""

    def __init__(self, database: Database, threads: int, name: str, telling: Telling) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._telling = telling

    async def do(self, work: Callable[[Connection], T]) -> T:
        """In one transaction. Raises what *telling* makes of an error."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)
        except Exception as error:
            told = self._telling(error)
            if told is error:
                raise
            raise told from error

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await asyncio.to_thread(self.shut)

    def shut(self) -> None:
        """The same, for those who cannot wait otherwise."""
        self._threads.shutdown()
        self._database.engine.dispose()

    def _run(self, work: Callable[[Connection], T]) -> T:
        asking = Asking("database", OperationalError, InterfaceError, OSError)
        with asking, self._database.open().begin() as db:
            return work(db)


def reason_of(error: Exception) -> str:
    """The first line of what the database itself has said."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
