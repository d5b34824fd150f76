"""A call of our own through the dialplan, recorded as its caller hears it (``vm-ari test call``).

A Local channel goes where a call would go; its other end is ours, in a Stasis application that
lives as long as the trial. What comes from the far end is recorded by Asterisk, fetched over ARI
and compared with our prompts, so it works wherever the controller's Asterisk is.
"""

import asyncio
import io
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp
import numpy as np
import soundfile

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport
from vm_ari.adapters.ear import HEAD, QUIET, RATE, Audio, Bank, identify, tones

CALLER = "vm-ari test"
ANSWER_WITHIN = 20.0
"""Seconds of ringing."""
CLOSING_TRIES = 30
_PAUSE, _SHORTEST = 10, 5
"""Tenths of a second: a longer silence ends a sound, and a shorter sound is none."""


class TrialFailed(Exception):
    """The text says why, and what to do."""


@dataclass(frozen=True)
class Sound:
    """Something that was heard; seconds from the answer on."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class TrialCall:
    """What came of it."""

    answered_after: float
    """Seconds."""
    first_sound: float | None
    """Seconds from the answer to the first audible sample; None: nothing was to be heard."""
    heard: Sequence[Sound]
    seconds: float
    """So long was it listened to."""
    ended_by_them: bool


async def call(address: Address, where: str, sounds: Path, listen: float) -> TrialCall:
    """Call *where* (``101@vm-ari``), and listen for so many seconds. Raises `TrialFailed`."""
    app = f"vm-ari-test-{secrets.token_hex(6)}"
    timeout = aiohttp.ClientTimeout(total=None, connect=ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(headers=address.authorization(), timeout=timeout) as web:
            url = f"{address.url.rstrip('/')}/ari/events"
            async with web.ws_connect(url, params={"app": app}) as events:
                trial = _Trial(web, address, events, app)
                return await trial.run(where, sounds, listen)
    except AriError as error:
        raise TrialFailed(f"Asterisk answers {error}; vm-ari check --only asterisk") from None
    except (AriUnavailable, aiohttp.ClientError, OSError, TimeoutError) as error:
        told = f"Asterisk cannot be used ({type(error).__name__}); vm-ari check --only asterisk"
        raise TrialFailed(told) from None


class _Trial:
    def __init__(
        self,
        web: aiohttp.ClientSession,
        address: Address,
        events: aiohttp.ClientWebSocketResponse,
        app: str,
    ) -> None:
        self._web = web
        self._file = f"{address.url.rstrip('/')}/ari/recordings/stored/{app}/file"
        self._client = AriClient(HttpTransport(web, address))
        self._events = events
        self._app = app
        self._channel = self._client.channels.handle(app)
        self._ended = False

    async def run(self, where: str, sounds: Path, listen: float) -> TrialCall:
        began = time.monotonic()
        await self._client.channels.originate(
            f"Local/{where}/n",
            app=self._app,
            channelId=self._app,
            callerId=CALLER,
            timeout=str(round(ANSWER_WITHIN)),
            formats="slin",
        )
        try:
            await self._answered()
            waited = time.monotonic() - began
            await self._channel.record(
                self._app, format="wav", maxDurationSeconds=round(listen) + 1, ifExists="overwrite"
            )
            await self._listen(listen)
            with suppress(AriError):
                await self._client.recordings.stop(self._app)
        finally:
            with suppress(AriError, AriUnavailable):
                await self._channel.hangup()
        audio = await self._recorded()
        heard = await asyncio.to_thread(_sounds, audio, sounds)
        return TrialCall(waited, _first(audio), heard, len(audio) / RATE, self._ended)

    async def _answered(self) -> None:
        """Our end comes into the application when the other one has picked up."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN + ANSWER_SECONDS):
                while True:
                    match await self._event():
                        case "StasisStart":
                            return
                        case "ChannelDestroyed" | "":
                            break
        except TimeoutError:
            pass
        raise TrialFailed(
            "nobody has answered: is there such an extension? asterisk -rx 'dialplan show' says so"
        )

    async def _listen(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while await self._event() not in {"StasisEnd", "ChannelDestroyed", ""}:
                    pass
            self._ended = True
        except TimeoutError:
            return

    async def _event(self) -> str:
        """The next of our channel; empty when there will be none."""
        async for message in self._events:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return ""
            event = json.loads(message.data)
            if event.get("channel", {}).get("id") == self._app:
                return str(event.get("type"))
        return ""

    async def _recorded(self) -> Audio:
        content = b""
        for _ in range(CLOSING_TRIES):
            async with self._web.get(self._file) as answer:
                if answer.status == HTTPStatus.OK:
                    content = await answer.read()
                    break
            await asyncio.sleep(0.1)  # Asterisk has not closed it yet
        with suppress(AriError):
            await self._client.recordings.delete_stored(self._app)
        if not content:
            return np.zeros(0, np.float32)
        samples, _rate = soundfile.read(io.BytesIO(content), dtype="float32")
        return np.asarray(samples, np.float32)


def _first(audio: Audio) -> float | None:
    loud = np.flatnonzero(audio**2 > QUIET)
    return float(loud[0]) / RATE if len(loud) else None


def _sounds(audio: Audio, sounds: Path) -> list[Sound]:
    """Our prompts, in any language; the tone; and speech of somebody else between them."""
    files = [one for one in sounds.glob("*/*.wav") if _is_telephone_sound(one)]
    bank = Bank.of_files(files, under=sounds)
    # a short word is found inside of long prompts, and would hide one that was cut off
    bank.prompts = tuple(one for one in bank.prompts if len(one.samples) >= HEAD)
    found = [Sound(hit.name, hit.start, hit.end) for hit in identify(audio, bank)]
    tones_alone = [Sound("tone", one.start, one.start + one.seconds) for one in tones(audio)]
    found += [one for one in tones_alone if all(_apart(one, other) for other in found)]
    return sorted(_with_strangers(audio, found), key=lambda one: one.start)


def _apart(one: Sound, other: Sound) -> bool:
    return one.end <= other.start or other.end <= one.start


def _is_telephone_sound(file: Path) -> bool:
    about = soundfile.info(file)
    return bool(about.samplerate == RATE and about.channels == 1)


def _with_strangers(audio: Audio, known: list[Sound]) -> list[Sound]:
    """What is loud and none of ours: a recorded greeting, a spoken name."""
    block = RATE // 10
    rest = audio.copy()
    for one in known:
        rest[round(one.start * RATE) : round(one.end * RATE)] = 0
    count = len(rest) // block
    power = (rest[: count * block].reshape(count, block) ** 2).mean(axis=1) if count else []
    loud = [index for index, value in enumerate(power) if value > QUIET]
    found = list(known)
    while loud:
        run = [loud.pop(0)]
        while loud and loud[0] - run[-1] <= _PAUSE:
            run.append(loud.pop(0))
        if len(run) >= _SHORTEST:
            found.append(Sound("(something else)", run[0] / 10, (run[-1] + 1) / 10))
    return found
