"""A site whose mailboxes connect every caller at once: telephones, dialplan, call records."""

import asyncio
import contextlib
import csv
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import soundfile

from tests.dialogues.exchange import Exchange
from tests.patience import AT_MOST
from tests.system.callers import Caller
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.connection import Way
from vm_ari.adapters.ari.leg import ENDPOINT
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.ear import Audio, tones
from vm_ari.adapters.softphone import Call as PhoneCall
from vm_ari.adapters.softphone import IncomingCall, OutgoingCall, Softphone
from vm_ari.config import shared_files
from vm_ari.dialogues.desk import Visit
from vm_ari.dialogues.transfer import comes_back, connect
from vm_ari.domain.callers import caller_from
from vm_ari.domain.numbers import Site
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import Outcome, TransferRules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.telephony.call import Call, CallerHungUp

BERLIN = Site("DE", "+49305550", 3, 3)
ANNA = User("anna", "Anna", "101", ("+49305550101",), "anna@site.example")
BEN = User("ben", "Ben", "102", ("+49305550102",), "ben@site.example")
PHONES = (Phone("102", context="office"), Phone("103", context="office"))
MUSIC_HZ = 2100

# the site's own telephones, behind the way out; 104 is not registered, 105 leads to Anna's mailbox,
# 106 to Ben's; the dialplan of 22X just runs out after the Dial
OFFICE = """
[default]
exten => _10[234],1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup(${HANGUPCAUSE})
exten => _22[234],1,Dial(PJSIP/10${EXTEN:2},20)
exten => 105,1,Goto(vm-ari,101,1)
exten => 106,1,Goto(vm-ari,102,1)
exten => 107,1,Dial(PJSIP/102,1)
 same => n,Hangup()
exten => 108,1,Dial(PJSIP/102,1)
"""
RECORDS = "[general](+)\nenable=yes\nunanswered=yes\n[csv]\nloguniqueid=yes\n"
CONFIGURATION = {"extensions.conf": OFFICE, "cdr.conf": RECORDS}
MODULES = ("cdr_csv.so",)


@dataclass
class Mailboxes:
    """The receiver: every mailbox connects to the destination of its owner."""

    destinations: dict[str, str]
    """By mailbox."""
    rules: TransferRules = field(default_factory=TransferRules)
    seconds: int = 4
    """How long it rings."""
    screening: bool = False
    outcomes: asyncio.Queue[Outcome | None] = field(default_factory=asyncio.Queue)
    """None: the caller hung up."""
    refused: list[str] = field(default_factory=list)
    """Mailboxes that did not take a leg."""
    pressed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    orphans: int = 0

    def __post_init__(self) -> None:
        self.users = tuple(
            replace(one, transfer_seconds=self.seconds, transfer_screening=self.screening)
            for one in (ANNA, BEN)
        )
        exchange = Exchange(users=self.users, rules=Rules(site=BERLIN))
        self._desk = replace(exchange.desk, transfer=self.rules)

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        """Connect; who is not connected hears why, and may press a key."""
        call, dialled = Call(line, language("en")), arrival.arguments[1]
        caller = caller_from(arrival.caller_number, arrival.caller_name, BERLIN)
        user = next(user for user in self.users if user.mailbox == dialled)
        visit = Visit(caller, dialled)
        if await comes_back(call, visit, self._desk):
            self.refused.append(dialled)
            return
        with contextlib.suppress(CallerHungUp):
            try:
                await call.answer()
                destination = self.destinations[dialled]
                outcome = await connect(call, visit, self._desk, user, destination)
            except CallerHungUp:
                self.outcomes.put_nowait(None)
                raise
            self.outcomes.put_nowait(outcome)
            if not outcome.connected:
                keys = {key: key for key in "1234"}
                self.pressed.put_nowait(await call.ask((P.LEAVE_A_MESSAGE,), keys))
                await call.last_words(P.GOODBYE)
        await call.leave("SUCCESS")

    async def outcome(self) -> Outcome | None:
        """The next one."""
        async with asyncio.timeout(AT_MOST):
            return await self.outcomes.get()

    async def orphan(self, line: AriLine) -> None:
        """As the application does it for somebody who has not begun a message."""
        self.orphans += 1
        await line.leave("FALLBACK")

    async def connected(self) -> None:
        """Nothing else to do."""


@dataclass
class Switchboard:
    """The receiver of several calls at once: each caller meets mailboxes of his own."""

    by_caller: dict[str, Mailboxes]

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        """Also of a leg that leads back to a mailbox: it is still that caller's."""
        await self.by_caller[arrival.caller_number].call(line, arrival)

    async def orphan(self, line: AriLine) -> None:
        """There are none: the controller lives as long as the calls."""
        await line.leave("FALLBACK")

    async def connected(self) -> None:
        """Nothing else to do."""


def address(asterisk: PrivateAsterisk, port: int = 0) -> Address:
    """Where ARI is, perhaps through a proxy."""
    instance = asterisk.instance
    url = f"http://127.0.0.1:{port or instance.http_port}"
    return Address(url, instance.ari_user, instance.ari_password)


@asynccontextmanager
async def controller_at(
    where: Address, mailboxes: Mailboxes | Switchboard, way: Way = "auto", endpoint: str = ENDPOINT
) -> AsyncIterator[AriApplication]:
    """Our application on the Asterisk there."""
    sounds = shared_files() / "sounds"
    app = AriApplication(where, mailboxes, sounds=sounds, now=time.time, way=way, endpoint=endpoint)
    running = asyncio.create_task(app.run())
    try:
        await asyncio.wait_for(app.connection.ready.wait(), AT_MOST)
        yield app
    finally:
        running.cancel()
        await asyncio.wait([running])


def controller(
    asterisk: PrivateAsterisk,
    mailboxes: Mailboxes | Switchboard,
    *,
    port: int = 0,
    way: Way = "auto",
    endpoint: str = ENDPOINT,
) -> AbstractAsyncContextManager[AriApplication]:
    """Our application on that Asterisk, perhaps through a proxy."""
    return controller_at(address(asterisk, port), mailboxes, way, endpoint)


def phone(asterisk: PrivateAsterisk, user: str) -> Softphone:
    """A telephone: 102 and 103 may register, others are behind the trunk."""
    return Softphone(user=user, server=("127.0.0.1", asterisk.instance.sip_port))


@asynccontextmanager
async def registered(asterisk: PrivateAsterisk, user: str = "102") -> AsyncIterator[Softphone]:
    """Somebody's telephone in the office."""
    async with phone(asterisk, user) as one:
        await one.register()
        yield one


def tone(hz: int, seconds: float = 1.0) -> Audio:
    """Something to say that is recognised."""
    moments = np.arange(round(seconds * 8000)) / 8000
    return (0.3 * np.sin(2 * np.pi * hz * moments)).astype(np.float32)


def ears(call: IncomingCall) -> Caller:
    """Somebody who was called, and hears prompts."""
    return Caller(cast(OutgoingCall, call), "en", "")


def write_music(directory: Path) -> Path:
    """Music on hold that is recognised: one tone."""
    soundfile.write(directory / "hold.wav", tone(MUSIC_HZ, 10), 8000, subtype="PCM_16")
    return directory


async def hears_tone(
    call: PhoneCall, hz: int, seconds: float = 0.5, within: float = AT_MOST
) -> None:
    """Wait until so much of it was heard."""
    async with asyncio.timeout(within):
        while sum(one.seconds for one in tones(call.heard, hz)) < seconds:
            await asyncio.sleep(0.1)


async def nothing_is_left(asterisk: PrivateAsterisk, within: float = AT_MOST) -> None:
    """Wait until Asterisk has neither channels nor bridges."""
    channels = bridges = ""
    try:
        async with asyncio.timeout(within):
            while True:
                channels = await asterisk.command("core show channels concise")
                bridges = await asterisk.command("bridge show all")
                if not channels.strip() and len(bridges.strip().splitlines()) == 1:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"left over:\n{channels}\n{bridges}") from None


FIELDS = ("account", "src", "dst", "context", "clid", "channel", "dstchannel", "app", "data")
TIMES = ("start", "answer", "end", "duration", "billsec", "disposition", "flags", "uniqueid")


def prepare_records(asterisk: PrivateAsterisk) -> None:
    """Where Asterisk writes its call records; it does not make the directory."""
    (asterisk.log.parent / "cdr-csv").mkdir(exist_ok=True)


def records(asterisk: PrivateAsterisk) -> list[dict[str, str]]:
    """The call records so far."""
    file = asterisk.log.parent / "cdr-csv" / "Master.csv"
    with file.open(newline="", encoding="utf-8") as lines:
        return [dict(zip((*FIELDS, *TIMES), row, strict=False)) for row in csv.reader(lines)]
