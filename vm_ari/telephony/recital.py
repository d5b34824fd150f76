"""Clips that come one after the other, while the next ones are still being made (INBOX-05, -10).

To the listener they are one recording: every key works in any of them, back and forward lead from
one to the next.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from vm_ari.domain.playback import Place, Speed
from vm_ari.speech.parts import Clip
from vm_ari.telephony.line import Line
from vm_ari.telephony.playback import Controls, Playback, Say

SILENCE_AFTER = 0.5
"""Seconds of waiting for a clip, after which the line is given silence: some trunks need it."""


@dataclass(frozen=True)
class Piece:
    """One clip of a recital, and how it is controlled."""

    clip: Clip
    controls: Controls


class Recital:
    """Pieces on a line, as they come."""

    def __init__(self, line: Line, pieces: AsyncIterator[Piece], say: Say) -> None:
        self._line = line
        self._pieces = pieces
        self._say = say
        self._heard: list[tuple[Piece, float]] = []
        """Those that were heard, with the second at which each was left."""
        self._coming: asyncio.Task[Piece | None] | None = None

    async def run(self) -> bool:
        """Play them all, or until a key that controls nothing; False if nothing began.

        That key is kept. Raises `CallerHungUp`; `NoAnswer` when a pause has no end; what the
        source of the pieces raises.
        """
        try:
            return await self._run()
        finally:
            if self._coming:
                self._coming.cancel()
                await asyncio.gather(self._coming, return_exceptions=True)

    async def _run(self) -> bool:
        number, begun = 0, False
        seconds, speed = 0.0, Speed.NORMAL
        while (piece := await self._piece(number)) is not None:
            clip, start = await _at_speed(piece, Place(seconds).at(speed))
            playback = Playback(
                self._line,
                clip,
                piece.controls,
                self._say,
                start=start,
                continues=bool(self._heard),
                before=number > 0,
            )
            begun |= await playback.run()
            self._note(number, piece, playback.place.seconds)
            if self._line.keys and not self._is_control(self._line.keys[0]):
                break
            if playback.place.speed is not start.speed:
                speed = playback.place.speed
            if playback.wanted_before:
                number -= 1
                seconds = max(self._heard[number][1] - playback.wanted_before, 0.0)
            else:
                number, seconds = number + 1, 0.0
        return begun

    def _note(self, number: int, piece: Piece, seconds: float) -> None:
        if number == len(self._heard):
            self._heard.append((piece, seconds))
        else:
            self._heard[number] = (piece, max(seconds, self._heard[number][1]))

    async def _piece(self, number: int) -> Piece | None:
        """That one, as soon as it is there; None after the last one, or where a key ends it."""
        if number < len(self._heard):
            return self._heard[number][0]
        coming = self._coming = self._coming or asyncio.create_task(self._next())
        quiet = False
        while not await self._line.until_done(coming, None if quiet else SILENCE_AFTER):
            if not self._line.keys:
                await self._line.command(self._line.channel.send_silence())
                quiet = True
            elif self._heard and self._is_control(self._line.keys[0]):
                self._line.keys.popleft()  # there is nothing to control between two clips
            else:
                return None
        self._coming = None
        return coming.result()

    def _is_control(self, key: str) -> bool:
        return key in self._heard[-1][0].controls.keys

    async def _next(self) -> Piece | None:
        return await anext(self._pieces, None)


async def _at_speed(piece: Piece, place: Place) -> tuple[Clip, Place]:
    """The clip as fast as those before it; as it is, where that is not possible."""
    if place.speed is Speed.NORMAL:
        return piece.clip, place
    prepared = await piece.controls.at_speed(place.speed)
    return (prepared, place) if prepared else (piece.clip, place.at(Speed.NORMAL))
