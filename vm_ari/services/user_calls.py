"""Calls to users that they ask for in the portal: made beside the page, which tells how it goes."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial

import structlog

from vm_ari.ports import DirectoryUnavailable, GreetingsUnavailable, NoCall

log = structlog.get_logger("vm_ari.calls")

MOST_AT_ONCE = 20
MOST_REMEMBERED = 1000


class Progress(StrEnum):
    """How a call goes."""

    CALLING = "calling"
    DONE = "done"
    """It did what it was for."""
    IN_VAIN = "in-vain"


class UserCalls:
    """One call at a time of each user, and few altogether."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[bool]] = {}
        self._over: dict[str, Progress] = {}

    def begin(self, user_id: str, call: Callable[[], Awaitable[None]]) -> bool:
        """Make a call that raises `NoCall` where it is in vain; False: not now."""
        if user_id in self._under_way or len(self._under_way) >= MOST_AT_ONCE:
            return False
        self._over.pop(user_id, None)
        task = asyncio.get_running_loop().create_task(_made(user_id, call))
        self._under_way[user_id] = task
        task.add_done_callback(partial(self._ended, user_id))
        return True

    def progress(self, user_id: str) -> Progress | None:
        """Of the user's last call; None where none is remembered."""
        return Progress.CALLING if user_id in self._under_way else self._over.get(user_id)

    def tell(self, user_id: str) -> Progress | None:
        """The same; how a call has ended is told once."""
        progress = self.progress(user_id)
        self._over.pop(user_id, None)
        return progress

    async def close(self) -> None:
        """End them."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, user_id: str, task: "asyncio.Task[bool]") -> None:
        """A task that is cancelled may never have begun."""
        del self._under_way[user_id]
        done = not task.cancelled() and task.result()
        self._over[user_id] = Progress.DONE if done else Progress.IN_VAIN
        while len(self._over) > MOST_REMEMBERED:
            del self._over[next(iter(self._over))]


async def _made(user_id: str, call: Callable[[], Awaitable[None]]) -> bool:
    """Whether it did what it was for."""
    try:
        await call()
        return True
    except (NoCall, DirectoryUnavailable, GreetingsUnavailable) as error:
        log.info("a call from the portal was in vain", user=user_id, reason=str(error))
    except Exception:  # nobody else would see it
        log.exception("a call from the portal broke", user=user_id)
    return False
