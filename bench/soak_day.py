"""A working day at one machine: callers, owners, mail programs, and people at the portal."""

import asyncio
import contextlib
import email
import email.policy
import random
import time
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from imapclient import IMAPClient

from bench.beside import mail_program
from bench.sipp import Tally, call_in
from bench.soak_stories import Story, Witness, journal_of
from tests.system.callers import BEEP, babble
from tests.system.mails import on_their_way
from tests.torture.stories import GOES_WRONG, Listener
from vm_ari.adapters.softphone.errors import CallEnded
from vm_ari.config.calls import CallSettings
from vm_ari.demo.world import Person, World

SHORTEST = CallSettings().shortest_seconds
TALK_MS = 15000
"""Until they hang up: enough for a message after the dialplan's long greeting, too."""
OWNER_EVERY = 6.0
"""Seconds between two calls of people who listen and press keys."""
MAIL_EVERY = 15.0
PORTAL_EVERY = 3.0
SETTLING = 600.0
LEFT_IN_MAILBOX = 12
HEARD_IN_A_CALL = 4
MANY = "+49305"
"""How the numbers of the callers without keys begin, …"""
ATTENTIVE = "+49308"
"""… and those who wait for the thanks, …"""
OWNERS = "+49309"
"""… and those who hear messages."""
_HEADERS = b"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-VM-ARI-CALLER)]"


@dataclass
class Found:
    """The messages that came into mailboxes, by the caller; each was looked at once."""

    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    copies: dict[tuple[str, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    """UIDs by Message-ID and folder: a message that was deleted has been in two folders."""

    @property
    def callers(self) -> set[str]:
        """Whose messages came."""
        return set(self.ids)

    @property
    def twice(self) -> int:
        """Messages more than there should be."""
        more = sum(len(one) - 1 for one in self.ids.values())
        return more + sum(len(one) - 1 for one in self.copies.values())

    def note(self, place: str, uid: int, header: bytes) -> None:
        """A mail lies there; what is none of ours does not count."""
        mail = email.message_from_bytes(header, policy=email.policy.default)
        caller, known_as = str(mail["X-VM-ARI-Caller"] or ""), str(mail["Message-ID"])
        if caller:
            self.ids[caller].add(known_as)
            self.copies[known_as, place].add(uid)


@dataclass
class Day:
    """What goes on, and what came of it."""

    world: World
    dice: random.Random
    begun: float = field(default_factory=time.monotonic)
    thanked: set[str] = field(default_factory=set)
    """Callers who were told that their message is kept."""
    tally: Tally = field(default_factory=lambda: Tally(0, 0, 0))
    attentive: int = 0
    ended_early: int = 0
    pages: int = 0
    by_dialplan: int = 0
    """Calls that came too late to the controller."""
    found: Found = field(default_factory=Found)
    stories: Sequence[Story] = ()
    """Of the callers whose message is nowhere, once the day is over."""

    @property
    def calls(self) -> int:
        """That were made, once the day is over."""
        return self.attentive + self.tally.well + self.tally.failed

    @property
    def missing(self) -> int:
        """Messages that were promised, and are nowhere.

        Nobody knows who of sipp's callers had a call that failed; they were promised nothing.
        """
        told = {one.caller: one.is_promise(SHORTEST) for one in self.stories}
        lost = [one for one in self.not_found if one in self.thanked or told.get(one, True)]
        by_key = sum(one in self.thanked for one in lost)
        return by_key + max(0, len(lost) - by_key - self.tally.failed)

    @property
    def not_found(self) -> Sequence[str]:
        """Callers whose message is nowhere; also those whose call failed, where any did."""
        called = {f"{MANY}{number + 1}" for number in range(self.tally.well + self.tally.failed)}
        return sorted((called | self.thanked) - self.found.callers)

    @property
    def confirmed(self) -> int:
        """By the thanks, or because the caller had spoken until he hung up."""
        return len(self.thanked) + self.tally.well

    async def lasts(self, seconds: float, rate: float, place: Path) -> None:
        """All of it at once; then whatever is on its way arrives."""
        calls = max(1, round(seconds * rate))
        witness = Witness(self.world.spool)
        others = [
            asyncio.create_task(story)
            for story in (
                self._attentive_ones(), self._mail_programs(), self._portal(), witness.looks(),
            )
        ]  # fmt: skip
        try:
            self.tally = await call_in(
                self.world.server, self.world.anna.number, place,
                calls=calls, rate=rate, talk_ms=TALK_MS, caller=f"{MANY}[call_number]",
            )  # fmt: skip
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        await asyncio.to_thread(witness.look)
        await self._settles()
        self.stories = witness.stories(self.not_found, await journal_of(self.world))

    async def _settles(self) -> None:
        end = time.monotonic() + SETTLING
        while on_their_way(self.world) and time.monotonic() < end:
            await asyncio.sleep(0.5)
        await asyncio.to_thread(self._looks_after_mail, left=0)

    # --- calls with keys

    async def _attentive_ones(self) -> None:
        async with asyncio.TaskGroup() as running:
            number = 0
            while True:
                number += 1
                running.create_task(self._calls(number))
                await asyncio.sleep(OWNER_EVERY)

    async def _calls(self, number: int) -> None:
        person = self.world.people[number // 2 % 2]
        story = self._leaves if number % 2 else self._hears
        self.attentive += 1
        try:
            async with asyncio.timeout(60):
                await story(person, number)
        except GOES_WRONG:
            self.ended_early += 1

    async def _leaves(self, person: Person, number: int) -> None:
        own = f"{ATTENTIVE}{number:06}"
        async with self.world.outside_phone() as phone:
            call = await phone.call(person.number, from_number=own)
            caller = Listener(call, person.language, own)
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(babble(self.dice.uniform(2.4, 6), number))
            await caller.presses("#1")
            await caller.hears("thank-you-goodbye", within=10)
            self.thanked.add(own)

    async def _hears(self, person: Person, number: int) -> None:
        """The beginning of some messages, and away with them."""
        async with self.world.outside_phone() as phone:
            call = await phone.call(person.number, from_number=f"{OWNERS}{number:06}")
            caller = Listener(call, person.language, "")
            await caller.presses(f"*{person.pin}#", ms=60)
            await caller.hears("you-have")
            with contextlib.suppress(CallEnded):  # with the last message heard, a # ends the call
                await call.press("1", key_ms=60)
                for _ in range(HEARD_IN_A_CALL):
                    await asyncio.sleep(1.5)
                    await call.press("#", key_ms=60)
                    await asyncio.sleep(1.0)
                    await call.press("76", key_ms=60, gap_ms=300)
                await call.press("*#", key_ms=60)
                await asyncio.sleep(1)

    # --- without a telephone

    async def _mail_programs(self) -> None:
        while True:
            await asyncio.sleep(MAIL_EVERY)
            await asyncio.to_thread(self._looks_after_mail, left=LEFT_IN_MAILBOX)

    def _looks_after_mail(self, *, left: int) -> None:
        """Both owners look into all their folders, and remove all but the newest. Blocking."""
        for person in self.world.people:
            with mail_program(self.world, person) as client:
                for flags, _, name in client.list_folders():
                    if b"\\Noselect" not in flags:
                        client.select_folder(name)
                        self._tidies(client, f"{person.extension} {name}", left)

    def _tidies(self, client: IMAPClient, place: str, left: int) -> None:
        there = client.search()
        fetched = client.fetch(there, [_HEADERS]) if there else {}
        for uid, parts in fetched.items():
            header = next(value for key, value in parts.items() if key.startswith(b"BODY["))
            self.found.note(place, uid, header)
        old = sorted(fetched)[: len(fetched) - left] if left else sorted(fetched)
        if old:
            client.delete_messages(old)
            client.expunge(old)

    async def _portal(self) -> None:
        """People who open it, and do not sign in."""
        address = portal_address(self.world)
        while True:
            await asyncio.sleep(PORTAL_EVERY)
            unproven = aiohttp.TCPConnector(ssl=False)  # the certificate is the portal's own
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with (
                    aiohttp.ClientSession(connector=unproven) as session,
                    session.get(address) as answer,
                ):
                    self.pages += answer.status == 200


def portal_address(world: World) -> str:
    """Where its first page is, by the configuration."""
    port = tomllib.loads(world.config.read_text())["web"]["port"]
    return f"https://localhost:{port}/"
