"""One job in a process of its own, that may crash, hang, or answer nonsense without end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import vm_ari

MOST_COMPLAINTS = 20_000
"""Bytes of standard error that are kept."""
_SOURCE = str(Path(vm_ari.__file__).resolve().parents[1])


class WorkerTooSlow(Exception):
    """The worker did not end in time, and was killed."""


class WorkerTooChatty(Exception):
    """The worker answered more than it should, and was killed."""


@dataclass(frozen=True)
class Finished:
    """How a worker ended."""

    code: int
    """Its exit code; negative: the signal that ended it."""
    output: bytes
    complaint: str
    """The last line that it wrote to standard error."""


async def run_module(
    module: str, arguments: Sequence[str], given: int, *, seconds: float, most_output: int
) -> Finished:
    """Run ``python -m module`` with the open file *given* as its standard input.

    It sees none of our environment, where passwords may be. Raises `WorkerTooSlow`,
    `WorkerTooChatty`, OSError.
    """
    process = await _started(module, arguments, given)
    try:
        async with asyncio.timeout(seconds):
            return await _finished(process, most_output)
    except TimeoutError:
        raise WorkerTooSlow from None
    finally:
        await _end(process)


async def lines_of_module(
    module: str, arguments: Sequence[str], given: int, *, seconds: float, most_output: int
) -> AsyncGenerator[bytes]:
    """Like `run_module`, but each line of the answer as soon as it is there.

    *seconds* are those that we wait, not what is done with a line meanwhile. A line without its end
    does not count; an exit code is not told. Raises `WorkerTooSlow`, `WorkerTooChatty`, OSError.
    """
    process = await _started(module, arguments, given)
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(_drained(process.stderr))
    loop = asyncio.get_running_loop()
    try:
        rest = b""
        while True:
            began = loop.time()
            piece = await asyncio.wait_for(process.stdout.read(1 << 16), seconds)
            seconds = max(0.0, seconds - (loop.time() - began))
            most_output -= len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line
            if most_output < 0:
                raise WorkerTooChatty
            if not piece:
                return
    except TimeoutError:
        raise WorkerTooSlow from None
    finally:
        complaints.cancel()
        await _end(process)


async def _started(module: str, arguments: Sequence[str], given: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdin=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        cwd="/",
        start_new_session=True,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of it, children too; what they wrote is read, or we would wait for ever."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.communicate()


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": _SOURCE,
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        # each thread of a numerical library takes address space
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


async def _finished(process: asyncio.subprocess.Process, most_output: int) -> Finished:
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(_drained(process.stderr))
    try:
        output = await _read(process.stdout, most_output)
        if len(output) > most_output:
            raise WorkerTooChatty
        lines = (await complaints).decode(errors="replace").strip().splitlines()
        return Finished(await process.wait(), output, lines[-1] if lines else "")
    finally:
        complaints.cancel()


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    """Everything, or a little more than *most*."""
    data = bytearray()
    while len(data) <= most and (piece := await stream.read(1 << 16)):
        data += piece
    return bytes(data)


async def _drained(stream: asyncio.StreamReader) -> bytes:
    """The end of what there is."""
    data = b""
    while piece := await stream.read(1 << 16):
        data = (data + piece)[-MOST_COMPLAINTS:]
    return data
