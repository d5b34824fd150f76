"""A caller as a test sees one: what he hears, says and presses, over SIP and RTP."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tests.patience import AT_MOST
from tests.system.listening import bank, everything, first_whole, only
from vm_ari.adapters.ear import RATE, Audio, Bank, identify, tones
from vm_ari.adapters.softphone import CallEnded, OutgoingCall, Softphone

BEEP = "tones/beep"
WARNING_HZ = 1400
LISTEN_EVERY = 0.1
"""Seconds: how late a caller notices what he hears."""
HEARD_WITHIN = AT_MOST / 2
"""Less than for other things: where audio dropped out, a prompt is never recognised."""
_NUMBERS = itertools.count(10000)

T = TypeVar("T")


class NotHeard(AssertionError):
    """The caller did not hear what he should have; says what was heard instead."""


def babble(seconds: float, seed: int) -> Audio:
    """Noise in syllables, as long and as loud as speech, that is like no other of another seed."""
    samples = np.random.default_rng(seed).normal(0, 0.12, round(seconds * RATE))
    times = np.arange(len(samples)) / RATE
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.5 * times + seed)
    return np.clip(samples * syllables, -0.6, 0.6).astype(np.float32)


def new_number() -> str:
    """A caller's number that no other call of this process has."""
    return f"+493088{next(_NUMBERS)}"


@dataclass
class Caller:
    """One call from the caller's side."""

    call: OutgoingCall
    language: str
    number: str
    _heard_until: int = 0

    def _name(self, prompt: str) -> str:
        return prompt if prompt.startswith("tones/") else f"{self.language}/{prompt}"

    async def hears(self, *prompts: str, within: float = HEARD_WITHIN) -> None:
        """Wait for these prompts, whole and one after the other."""
        for prompt in prompts:
            await self._hears(prompt, only(self.language, self._name(prompt)), within)

    async def hears_warning(self, within: float = HEARD_WITHIN) -> None:
        """Wait for the two pips before the longest time is over."""
        async with asyncio.timeout(within):
            while len(tones(self.call.heard, WARNING_HZ, min_seconds=0.07)) < 2:
                await asyncio.sleep(LISTEN_EVERY)

    async def hears_audio(self, audio: Audio, within: float = HEARD_WITHIN) -> None:
        """Wait for a recording."""
        await self._hears("a recording", Bank({"a recording": audio}), within)

    async def _hears(self, name: str, wanted: Bank, within: float) -> None:
        """Only what is new is searched: what lies further back than one prompt is over."""
        length = len(wanted.prompts[0].samples) + 2 * RATE
        start, last_look = self._heard_until, False
        try:
            async with asyncio.timeout(within):
                while True:
                    last_look = self.call.ended.is_set()
                    heard = self.call.heard
                    if (end := first_whole(heard[start:], wanted)) is not None:
                        self._heard_until = start + round(end * RATE)
                        return
                    start = max(start, len(heard) - length)
                    if last_look:
                        break
                    await asyncio.sleep(LISTEN_EVERY)
        except TimeoutError:
            pass
        why = "the call ended" if last_look else f"{within} s are over"
        raise NotHeard(f"waited for {name}, {why}; heard {self.told()}")

    def has_heard(self, prompt: str) -> bool:
        """Half a second of it, or more, at any time so far? Much quicker than `told`."""
        wanted = only(self.language, self._name(prompt))
        return bool(identify(self.call.heard, wanted))

    def told(self) -> list[str]:
        """Everything heard so far, by prompt; those that were cut off are marked by a dash."""
        return [
            spoken.name.removeprefix(f"{self.language}/") + ("-" if spoken.end is None else "")
            for spoken in everything(self.call.heard, bank(self.language))
        ]

    def heard_only(self, *prompts: str) -> None:
        """See that this was everything. Raises `NotHeard`."""
        if (told := self.told()) != list(prompts):
            raise NotHeard(f"heard {told} instead of {list(prompts)}")

    async def speaks(self, samples: Audio) -> None:
        """Say it; back when it has been sent."""
        await self.call.speak(samples)

    async def presses(self, keys: str, *, ms: int = 100) -> None:
        """Press keys, each so long, with as much between."""
        await self.call.press(keys, key_ms=ms, gap_ms=ms)

    async def hangs_up(self) -> None:
        """Put the receiver down."""
        await self.call.hang_up()

    async def is_hung_up_on(self, within: float = HEARD_WITHIN) -> None:
        """Wait until the other side ends the call."""
        try:
            async with asyncio.timeout(within):
                await self.call.ended.wait()
        except TimeoutError:
            raise NotHeard(f"still connected after {within} s; heard {self.told()}") from None


@asynccontextmanager
async def calling(
    phone: Softphone,
    target: str,
    language: str = "de",
    *,
    number: str = "",
    within: float = AT_MOST,
    **how: Any,
) -> AsyncIterator[Caller]:
    """A call from that phone, until the block ends; *how* as for `Softphone.call`."""
    number = number or new_number()
    call = await phone.call(target, within=within, **({"from_number": number} | how))
    try:
        yield Caller(call, language, number)
    finally:
        with contextlib.suppress(CallEnded):
            await call.hang_up()


async def side_by_side(stories: Iterable[Awaitable[T]], at_once: int = 6) -> list[T]:
    """Several calls at the same time, and what came of each; *at_once*: on two processors.

    All of them end before the first failure is told: nobody's call is cut off in the middle.
    """
    free = asyncio.Semaphore(at_once)

    async def one(story: Awaitable[T]) -> T:
        async with free:
            return await story

    ended = await asyncio.gather(*map(one, stories), return_exceptions=True)
    results: list[T] = []
    for result in ended:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


def likeness(spoken: Audio, recorded: Audio) -> tuple[float, float]:
    """How many seconds of *spoken* are in *recorded*, and how much they are alike there (0 … 1)."""
    size = 1 << (len(spoken) + len(recorded)).bit_length()
    products = np.fft.irfft(np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(spoken, size)), size)
    peak = int(products.argmax())
    offset = peak if peak < len(recorded) else peak - size
    ours = spoken[max(0, -offset) : len(recorded) - offset]
    theirs = recorded[max(0, offset) : offset + len(spoken)]
    norms = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return len(ours) / RATE, float(ours @ theirs) / norms if norms else 0.0


def assert_kept(spoken: Audio, recorded: Audio, *, lost: float = 0.1) -> None:
    """What was recorded is what was spoken, but for *lost* seconds at most."""
    seconds, alike = likeness(spoken, recorded)
    assert alike > 0.95, f"it is another sound: {alike:.2f} alike"
    assert seconds >= len(spoken) / RATE - lost, f"{seconds:.2f} of {len(spoken) / RATE:.2f} s"


def digits(number: str) -> Sequence[str]:
    """How a number is spoken."""
    return [f"digits/{'plus' if digit == '+' else digit}" for digit in number]
