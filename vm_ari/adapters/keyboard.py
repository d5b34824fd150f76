"""The keyboard as the keys of a telephone: each at once, or a script's one after the other."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

END = "\x04"
"""Ctrl-D."""
PAUSE = 0.05
"""Seconds between looks whether it is the script's turn."""
PATIENCE = 0.5
"""Seconds that a script waits after its last key, before it hangs up."""


class Keys(Protocol):
    """What is typed on."""

    @property
    def listens(self) -> bool:
        """Is it the caller's turn?"""
        ...

    def typed(self, key: str) -> None:
        """One character."""
        ...

    def hung_up(self) -> None:
        """No more of them."""
        ...


@asynccontextmanager
async def pressing(keys: Keys) -> AsyncIterator[None]:
    """Pass on what comes from standard input, as long as this lasts."""
    work = _from_terminal(keys) if sys.stdin.isatty() else _from_script(keys, sys.stdin.read())
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _from_terminal(keys: Keys) -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    file = sys.stdin.fileno()
    with _each_key_at_once(file), _reading(file, typed):
        while (key := await typed.get()) not in {END, ""}:
            keys.typed(key)
    keys.hung_up()


@contextmanager
def _reading(file: int, typed: "asyncio.Queue[str]") -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def read() -> None:
        text = os.read(file, 64).decode("utf-8", "replace")
        for key in text or [""]:
            typed.put_nowait(key)

    loop.add_reader(file, read)
    try:
        yield
    finally:
        loop.remove_reader(file)


@contextmanager
def _each_key_at_once(file: int) -> Iterator[None]:
    before = termios.tcgetattr(file)
    tty.setcbreak(file)
    try:
        yield
    finally:
        termios.tcsetattr(file, termios.TCSADRAIN, before)


async def _from_script(keys: Keys, script: str) -> None:
    for key in script.replace("\n", ""):
        await _turn(keys)
        keys.typed(key)
    await _turn(keys)
    await asyncio.sleep(PATIENCE)
    await _turn(keys)
    keys.hung_up()


async def _turn(keys: Keys) -> None:
    await asyncio.sleep(PAUSE)
    while not keys.listens:
        await asyncio.sleep(PAUSE)
