"""A site whose own dialplan calls ours, callers who listen, and a controller of a few lines."""

import asyncio
import contextlib
import time
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import soundfile

from tests.patience import AT_MOST
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.ear import tones
from vm_ari.adapters.softphone import Audio, CallEnded, OutgoingCall, Softphone
from vm_ari.domain import fallback_name
from vm_ari.domain.fallback_name import FallbackFacts

# every prompt is a tone of its own, so that hearing it is recognising it
HZ = {
    "fallback-greeting": 500,
    "tones/beep": 700,
    "thank-you-goodbye": 900,
    "technical-problem": 1100,
    "cannot-store": 1300,
    "tones/returned": 1500,
    "tones/operator": 1700,
    "tones/assistant": 1900,
    "de/fallback-greeting": 2100,
}
CALLER_HZ = 2500

SITE = """
[site]
exten => _2XX,1,Gosub(vm-ari,${EXTEN},1)
 same => n(back),Playback(${VM_ARI_SOUNDS}/tones/returned)
 same => n,Stasis(observer,returned,${VM_ARI_STATUS})
 same => n,Hangup()
exten => _3XX,1,Goto(vm-ari,${EXTEN},1)
exten => _+X.,1,Goto(vm-ari,${EXTEN},1)
exten => _4XX,1,Set(VM_ARI_CONTEXT=exits)
 same => n,Goto(vm-ari,${EXTEN},1)
exten => _5XX,1,Set(VM_ARI_APP=other)
 same => n,Set(VM_ARI_LANGUAGE=de)
 same => n,Goto(vm-ari,${EXTEN},1)
exten => _6XX,1,Gosub(outer,${EXTEN},1)
 same => n,Stasis(observer,outer)
exten => 700,1,Goto(vm-ari-login,s,1)
exten => 701,1,Set(VM_ARI_PHONE=${CALLERID(num)})
 same => n,Goto(vm-ari-login,s,1)
exten => _8XX,1,Goto(vm-ari-common,${EXTEN},1)
exten => _9XX,1,Set(VM_ARI_REDIRECTED=5${EXTEN:1})
 same => n,Goto(vm-ari-common,s,1)
exten => _71X,1,Goto(vm-ari-login,${EXTEN},1)
[exits]
exten => o,1,Playback(${VM_ARI_SOUNDS}/tones/operator)
 same => n,Hangup()
exten => a,1,Playback(${VM_ARI_SOUNDS}/tones/assistant)
 same => n,Hangup()
[outer]
exten => _6XX,1,Gosub(vm-ari,${EXTEN},1)
 same => n,Stasis(observer,inner,${VM_ARI_STATUS})
 same => n,Return()
exten => o,1,Playback(${VM_ARI_SOUNDS}/tones/operator)
 same => n,Return()
"""


HOSTILE = {
    "../../../../etc/passwd": "../../x",
    "x" * 2000: "1" * 200,
    "%d%s%n": "%d",
    "a,b;c|d&e": "12,x;y",
    "): 3:4 (": "12):1:1(",
    "${SHELL(id)} ${EXTEN}": "${EXTEN}12",
    '"quoted" $[1/0] \\': "*)(uid=*",
    "line\r\nBcc: x": "12\r\nBcc",
    "\U0001f600 <script>": "alice7",
    "'; rm -rf / #": "%00",
}


def sender(name: str, number: str) -> str:
    """A From header whose user part hides anything behind percent signs."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "%0d%0a")
    return f'"{quoted}" <sip:{urllib.parse.quote(number, safe="")}@localhost>'


def tone(hz: int, seconds: float) -> Audio:
    moments = np.arange(round(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hz * moments)).astype(np.float32)


def heard(call: OutgoingCall) -> list[str]:
    """The prompts a caller heard, in order."""
    spans = [(span.start, name) for name, hz in HZ.items() for span in tones(call.heard, hz)]
    return [name for _, name in sorted(spans)]


async def hears(call: OutgoingCall, name: str, within: float = AT_MOST) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while name not in heard(call):
                await asyncio.sleep(0.05)
    assert name in heard(call), f"waited for {name}, heard {heard(call)}"


async def ends(call: OutgoingCall, within: float = AT_MOST) -> None:
    async with asyncio.timeout(within):
        await call.ended.wait()


def phone(asterisk: PrivateAsterisk, user: str = "trunk") -> Softphone:
    return Softphone(user=user, server=("127.0.0.1", asterisk.instance.sip_port))


def messages(asterisk: PrivateAsterisk) -> list[Path]:
    return sorted((asterisk.instance.spool / "recording/vm-ari/fallback").iterdir())


def the_message(asterisk: PrivateAsterisk) -> tuple[FallbackFacts, float]:
    """The newest message: its facts, and for how long the caller's tone is on it."""
    newest = max(messages(asterisk), key=lambda path: path.stat().st_mtime_ns)
    samples, _ = soundfile.read(newest)
    return fallback_name.parse(newest.name), sum(t.seconds for t in tones(samples, CALLER_HZ))


def complaints(asterisk: PrivateAsterisk) -> list[str]:
    return [
        line
        for line in asterisk.log.read_text().splitlines()
        if "WARNING" in line or "ERROR" in line
    ]


async def leave(
    asterisk: PrivateAsterisk,
    number: str,
    *,
    hang_up: bool = False,
    seconds: float = 1.5,
    **how: Any,
) -> OutgoingCall:
    """Call, wait for the beep, speak, press # or hang up, wait for the end."""
    async with phone(asterisk) as trunk:
        call = await trunk.call(number, **how)
        await hears(call, "tones/beep")
        await call.falls_silent(0.1)
        with contextlib.suppress(CallEnded):  # a full disk ends the call earlier
            await call.speak(tone(CALLER_HZ, seconds))
        if hang_up:
            await call.hang_up()
        else:
            with contextlib.suppress(CallEnded):
                await call.press("#")
            await ends(call)
    return call


async def silent_call(asterisk: PrivateAsterisk, number: str) -> OutgoingCall:
    """Call and only listen until the other side hangs up."""
    async with phone(asterisk) as trunk:
        call = await trunk.call(number)
        await ends(call, within=AT_MOST)
        return call


@dataclass
class Controller:
    """An ARI application of a few lines: notes who enters, sets variables, lets them go on."""

    asterisk: PrivateAsterisk
    session: aiohttp.ClientSession
    entered: asyncio.Queue[list[str]] = field(default_factory=asyncio.Queue)
    variables: dict[str, str] | None = None  # None: deaf, lets nobody go on

    async def run(self, apps: str, ready: asyncio.Event) -> None:
        async with self.session.ws_connect(f"{self.asterisk.ari_url}/events?app={apps}") as events:
            ready.set()
            async for message in events:
                event = message.json()
                if event["type"] == "StasisStart":
                    await self.take(event["application"], event["channel"]["id"], event["args"])

    async def take(self, app: str, channel: str, args: list[str]) -> None:
        await self.entered.put([app, *args])
        if self.variables is not None:
            await self.post(f"channels/{channel}/answer")
            for name, value in self.variables.items():
                await self.post(f"channels/{channel}/variable", variable=name, value=value)
            await self.post(f"channels/{channel}/continue")

    async def post(self, path: str, **params: str) -> Any:
        url = f"{self.asterisk.ari_url}/{path}"
        async with self.session.post(url, params=params) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.status == 200 else None

    async def beat(self, moment: float) -> None:
        await self.post("asterisk/variable", variable="VM_ARI_BEAT", value=str(int(moment)))

    async def next_entry(self) -> list[str]:
        async with asyncio.timeout(AT_MOST):
            return await self.entered.get()


@asynccontextmanager
async def controller(
    asterisk: PrivateAsterisk, variables: dict[str, str] | None, apps: str = "vm-ari,observer"
) -> AsyncIterator[Controller]:
    """A controller that was alive just now."""
    login = aiohttp.encode_basic_auth(asterisk.instance.ari_user, asterisk.instance.ari_password)
    async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
        it, ready = Controller(asterisk, session, variables=variables), asyncio.Event()
        running = asyncio.create_task(it.run(apps, ready))
        await ready.wait()
        await it.beat(time.time())
        try:
            yield it
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
