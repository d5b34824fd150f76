"""What is said of a mail becomes sound, one piece ahead of what the listener hears (SPEECH-02)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.ports import Unspeakable, Voice, VoiceUnavailable

AHEAD = 2
"""Clips that are ready before they are asked for: while one plays, the next ones are made."""
PATIENCE = 20.0
"""Seconds that a listener waits for a clip."""


@dataclass(frozen=True)
class SpokenClip:
    """An utterance as a sound file."""

    utterance: Utterance
    sound: Path


async def clips(
    utterances: AsyncIterator[Utterance], voice: Voice
) -> AsyncGenerator[SpokenClip, None]:
    """The clips in order, the first as soon as it is made. What no engine can say is left out.

    Close it (``aclosing``) when the listener has gone: then nothing more is made. Raises
    `VoiceUnavailable` after the clips before it.
    """
    ready = asyncio.Queue[SpokenClip | None]()
    room = asyncio.Semaphore(AHEAD)
    work = asyncio.create_task(_make(utterances, voice, ready, room))
    try:
        while (clip := await _next(ready)) is not None:
            room.release()
            yield clip
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        if isinstance(utterances, AsyncGenerator):
            await utterances.aclose()


async def _next(ready: asyncio.Queue[SpokenClip | None]) -> SpokenClip | None:
    try:
        return await asyncio.wait_for(ready.get(), PATIENCE)
    except TimeoutError:
        raise VoiceUnavailable(f"Nothing to be heard was made in {PATIENCE:.0f} seconds.") from None


async def _make(
    utterances: AsyncIterator[Utterance],
    voice: Voice,
    ready: asyncio.Queue[SpokenClip | None],
    room: asyncio.Semaphore,
) -> None:
    try:
        async for one in utterances:
            await room.acquire()
            try:
                ready.put_nowait(SpokenClip(one, await voice.spoken(one.text, one.language)))
            except Unspeakable:
                room.release()
    finally:
        ready.put_nowait(None)
