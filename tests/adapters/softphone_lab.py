"""A small Asterisk for the softphone's tests: a dialplan of echoes, prompts, keys and refusals."""

import asyncio
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from vm_ari.adapters.asterisk.configuration import Instance, Phone
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.ear import Audio, Bank
from vm_ari.adapters.softphone import RATE, Call, Softphone

ANNA, BERT, CLARA, DORA = "101", "102", "103", "104"
PASSWORD = 'a "quoted\\ pässword'
PJSIP = """
[104](vm-ari-phone)
type=endpoint
context=lab
aors=104
auth=104
send_pai=yes
[104]
type=aor
max_contacts=1
[104]
type=auth
username=104
password=secret
supported_algorithms_uas=SHA-256
"""
DIALPLAN = """
[lab]
exten => echo,1,Answer()
 same => n,Echo()
exten => read,1,Answer()
 same => n,Read(KEYS,,4,,1,5)
 same => n,SendDTMF(${{KEYS}},40,60)
 same => n,Hangup()
exten => bye,1,Answer()
 same => n,Wait(0.2)
 same => n,Hangup()
exten => busy,1,Hangup(17)
exten => ringing,1,Ringing()
 same => n,Wait(20)
exten => early,1,Progress()
 same => n,Playback({sounds}/low,noanswer)
 same => n,Answer()
 same => n,Playback({sounds}/high)
 same => n,Hangup()
exten => prompts,1,Answer()
 same => n,Wait(0.1)
 same => n,Playback({sounds}/low&{sounds}/high)
 same => n,Wait(0.2)
 same => n,Playback({sounds}/low)
 same => n,Playback({sounds}/beep)
 same => n,Wait(5)
exten => moved,1,Answer()
 same => n,Set(CONNECTEDLINE(num)=4711)
 same => n,Echo()
exten => who,1,Log(NOTICE,NAME ${{LEN(${{CALLERID(name)}})}} <${{CALLERID(name):0:9}}>)
 same => n,Log(NOTICE,NUMBER ${{LEN(${{CALLERID(num)}})}})
 same => n,Log(NOTICE,DIVERTED ${{PJSIP_HEADER(read,Diversion,1)}})
 same => n,Log(NOTICE,BEFORE ${{PJSIP_HEADER(read,Diversion,2)}})
 same => n,Hangup(21)
exten => _mwiXX,1,MinivmMWI(101@vm-ari,0,${{EXTEN:3:1}},${{EXTEN:4:1}})
 same => n,MinivmMWI(103@vm-ari,0,${{EXTEN:3:1}},${{EXTEN:4:1}})
 same => n,Hangup()
exten => _10X,1,Dial(PJSIP/${{EXTEN}},10)
 same => n,Hangup(${{HANGUPCAUSE}})
"""


def babble(seed: int, seconds: float) -> Audio:
    """Something like speech: noise in syllables, another one for each *seed*."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    syllables = np.repeat(random.uniform(0.02, 0.3, count // 800 + 1), 800)[:count]
    noise = np.convolve(random.standard_normal(count), np.hanning(6) / 2.5, "same")
    return (syllables * noise).clip(-0.9, 0.9).astype(np.float32)


SOUNDS = {
    "low": babble(1, 0.5),
    "high": babble(2, 0.6),
    "beep": (0.3 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 3 // 10) / RATE)).astype(np.float32),
}
BANK = Bank(SOUNDS)


@dataclass(frozen=True)
class Lab:
    """A running Asterisk with the dialplan above."""

    asterisk: PrivateAsterisk

    @property
    def server(self) -> tuple[str, int]:
        """Where it takes calls."""
        return "127.0.0.1", self.asterisk.instance.sip_port

    def phone(self, user: str = ANNA, password: str = PASSWORD, **how: Any) -> Softphone:
        """A phone of this Asterisk."""
        return Softphone(**{"user": user, "password": password, "server": self.server} | how)

    def log(self) -> str:
        """What it has logged so far."""
        return self.asterisk.log.read_text(errors="replace")

    async def contacts(self) -> str:
        """The phones that are registered."""
        return await self.asterisk.command("pjsip show contacts")


@contextmanager
def running_lab(place: Path) -> Iterator[Lab]:
    """An Asterisk that runs in the directory *place*."""
    asterisk = PrivateAsterisk(find_or_fetch(), instance(place))
    asyncio.run(asterisk.start())
    try:
        yield Lab(asterisk)
    finally:
        asyncio.run(asterisk.stop())


def instance(place: Path) -> Instance:
    """What it is started with; the sounds are written first."""
    for name, samples in SOUNDS.items():
        soundfile.write(place / f"{name}.wav", samples, RATE, subtype="PCM_16")
    return Instance(
        place / "run",
        sip_port=free_port(socket.SOCK_DGRAM),
        http_port=free_port(),
        ari_password=secrets.token_hex(8),
        phones=(
            Phone(ANNA, PASSWORD, context="lab"),
            Phone(BERT, PASSWORD, context="lab"),
            Phone(CLARA, PASSWORD, context="lab", subscribes=True),
        ),
        trunk_context="lab",
        extra_modules=("app_echo.so", "app_read.so"),
        extra_configuration={
            "extensions.conf": DIALPLAN.format(sounds=place),
            "pjsip.conf": PJSIP,
        },
    )


def as_sent(samples: Audio, call: Call) -> Audio:
    """What is left of *samples* after the codec of *call*."""
    assert call.codec
    return call.codec.decode(call.codec.encode(samples))


def heard_completely(call: Call, samples: Audio) -> bool:
    """Did these samples come back, every single one?"""
    wanted = as_sent(samples, call)
    heard = call.heard
    if len(heard) < len(wanted):
        return False
    start = int(np.correlate(heard, wanted, "valid").argmax())
    return np.array_equal(heard[start : start + len(wanted)], wanted)
