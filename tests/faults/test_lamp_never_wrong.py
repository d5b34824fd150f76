"""The lamps of two real SIP phones follow the message store, whoever changes it and whatever dies.

One phone subscribes, the other is told unasked. A mail program, a caller and the telephone menu
change the mailboxes at random; Asterisk, the mail server and the controller are restarted in
between. What the lamps must show is read from the files of the mailboxes, by other means than ours.

    VM_ARI_LAMP_STEPS=1000 pytest tests/faults/test_lamp_never_wrong.py -s

takes more steps than CI does, and holds each lamp to three seconds.
"""

import asyncio
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.faults.lamp_owners import MESSAGE_ID, Files, ImapHands, MaildirHands, Owner
from tests.faults.mail_programs import plain_mail, voice_mail
from tests.patience import AT_MOST
from tests.system.callers import BEEP, babble, calling
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import Person, World

STEPS = int(os.environ.get("VM_ARI_LAMP_STEPS", "0"))
IN_CI = 40
WITHIN = 3.0 if STEPS else 30.0
"""Seconds from a change to both the lamps; CI runs on machines that do other things, too."""
AFTER_A_RESTART = 60.0
MAILS, VOICES = (60, 45) if STEPS else (24, 16)
"""Different mails; those from the second number on are no voice messages."""
CONFIGURATION = """
[store]
kind = "imap"
[imap]
server = "{url}"
plaintext = true
account = "{account}"
password = "{password}"
"""


@dataclass
class Trial:
    """Random changes, and what was seen of them."""

    world: World
    owners: Sequence[Owner]
    hands: MaildirHands | ImapHands
    mails: dict[str, bytes]
    """By Message-ID."""
    dice: random.Random
    server: Dovecot | None = None
    seconds: list[float] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    async def change(self, owner: Owner) -> None:
        """Something that a mail program does."""
        before = owner.truth()
        mark = len(owner.phone.lamps)
        self.counted[await asyncio.to_thread(self._deed, owner)] += 1
        owner.changed = time.monotonic()
        self.seconds.append(await owner.lamp_is_right(WITHIN))
        seen = {(lamp.new, lamp.old) for lamp in owner.phone.lamps[mark:]}
        assert seen <= {before, owner.truth()}, f"{owner.person.name}: {seen}"

    def _deed(self, owner: Owner) -> str:
        there = owner.files.look()
        absent = sorted(self.mails.keys() - there.keys())
        present = sorted(there)
        dice = self.dice
        if not present or (absent and dice.random() < 0.4 and len(present) < 12):
            seen = dice.random() < 0.2
            self.hands.deliver(owner, self.mails[dice.choice(absent)], seen=seen)
            return "delivered"
        one = dice.choice(present)
        match dice.randrange(10):
            case 0 | 1 | 2 | 3:
                self.hands.mark(owner, one, "S", on="S" not in there[one].flags)
                return "read, or unread again"
            case 4 | 5:
                self.hands.mark(owner, one, "T", on="T" not in there[one].flags)
                return "marked to be removed, or not"
            case 6 | 7 | 8:
                self.hands.remove(owner, one)
                return "expunged"
            case _:
                self.hands.move(owner, one)
                return "moved away"

    # --- by telephone

    async def leave(self, owner: Owner) -> None:
        """A caller leaves a message."""
        before = owner.truth()
        async with (
            self.world.outside_phone() as phone,
            calling(phone, owner.person.number, "de") as caller,
        ):
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(babble(2.3, self.dice.randrange(1000)))
        await self._store_changes(owner, before)
        self.counted["left by telephone"] += 1

    async def menu(self, owner: Owner) -> None:
        """The owner deletes the first new message by telephone; keys are typed ahead."""
        if not owner.truth()[0]:
            return
        before = owner.truth()
        async with (
            self.world.outside_phone() as phone,
            calling(phone, owner.person.number, "de") as caller,
        ):
            await caller.presses(f"*{owner.person.pin}#17", ms=60)
            await self._store_changes(owner, before, 1)
        self.counted["deleted by telephone"] += 1

    async def _store_changes(self, owner: Owner, before: tuple[int, int], fewer: int = 0) -> None:
        """Wait until it lies (or does not lie) there; then for the lamp."""
        async with asyncio.timeout(AT_MOST):
            while (now := owner.truth()) == before or (fewer and sum(now) >= sum(before)):
                await asyncio.sleep(0.01)
        owner.changed = time.monotonic()
        self.seconds.append(await owner.lamp_is_right(WITHIN))

    # --- what dies

    async def restart(self, what: str) -> None:
        """Somebody is away for a moment, and a mail program goes on."""
        self.counted[f"restart: {what}"] += 1
        match what:
            case "asterisk":
                await asyncio.sleep(1.5)  # it writes registrations down once a second
                end = self.dice.choice([self.world.asterisk.stop, self.world.asterisk.kill])
                await end()
                await self._meanwhile()
                await self.world.asterisk.start()
            case "controller":
                if self.dice.random() < 0.5:
                    self.world.kill_controller()
                else:
                    await self.world.stop_controller()
                await self._meanwhile()
                await self.world.start_controller()
            case "mail server" if self.server:
                await asyncio.to_thread(self.server.stop)
                await asyncio.to_thread(self.server.start)
                await self._meanwhile()
        for owner in self.owners:
            owner.changed = time.monotonic()
        await asyncio.gather(*(owner.lamp_is_right(AFTER_A_RESTART) for owner in self.owners))
        if what == "asterisk":
            await asyncio.sleep(4)  # it tells phones 0/0 in its own time; that does not last

    async def _meanwhile(self) -> None:
        for owner in self.owners:
            await asyncio.to_thread(self._deed, owner)

    async def run(self, steps: int) -> None:
        """That many, with everything that there is."""
        breaks = ["asterisk", "controller", *(["mail server"] if self.server else [])]
        every = min(-(-steps // (len(breaks) + 1)), 30)
        calls = min(steps, 40)
        for step in range(1, steps + 1):
            owner = self.dice.choice(self.owners)
            if step % every == 0:
                await self.restart(breaks[(step // every) % len(breaks)])
            elif step % calls == 2 and (STEPS or self.server):
                await self.leave(owner)
                await self.menu(owner)
            else:
                await self.change(owner)

    def told(self) -> str:
        """The figures."""
        times = sorted(self.seconds)
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        return f"p50 {p50:.3f} s, p99 {p99:.3f} s, longest {times[-1]:.3f} s; {dict(self.counted)}"


@asynccontextmanager
async def two_phones(world: World, root: Callable[[Person], Path]) -> AsyncIterator[list[Owner]]:
    """One that is told unasked, one that subscribes."""
    async with (
        Softphone(user=world.anna.extension, server=world.server) as told,
        Softphone(user=world.ben.extension, server=world.server) as subscribed,
    ):
        await asyncio.gather(told.register(), subscribed.register())
        await subscribed.subscribe_mwi()
        phones = zip(world.people, (told, subscribed), strict=True)
        owners = [Owner(person, phone, Files(root(person))) for person, phone in phones]
        async with asyncio.timeout(AT_MOST):
            while not (told.lamps and subscribed.lamps):
                await asyncio.sleep(0.01)
        yield owners


async def a_trial(
    world: World,
    root: Callable[[Person], Path],
    hands: MaildirHands | ImapHands,
    how: tuple[dict[str, bytes], random.Random, int],
    server: Dovecot | None = None,
) -> Trial:
    """Phones, steps, and in the end lamps that stay right."""
    mails, dice, steps = how
    async with two_phones(world, root) as owners:
        for owner in owners:
            owner.changed = time.monotonic()
            await owner.lamp_is_right(AFTER_A_RESTART)
        trial = Trial(world, owners, hands, mails, dice, server)
        await trial.run(steps)
        await asyncio.sleep(1.5)
        assert [owner.shown for owner in owners] == [owner.truth() for owner in owners]
        return trial


def mails(directory: Path) -> dict[str, bytes]:
    """By Message-ID."""
    voices = [voice_mail(number, directory) for number in range(1, VOICES)]
    others = [plain_mail(number) for number in range(VOICES, MAILS)]
    ids = {mail: MESSAGE_ID.search(mail) for mail in (*voices, *others)}
    return {found[1].decode(): mail for mail, found in ids.items() if found}


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.feature("NOTIFY-01", "NOTIFY-02")
def test_both_lamps_are_right_after_every_change_and_every_restart(
    new_world: NewWorld, tmp_path: Path
) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")
    dice, stock, steps = random.Random(seed), mails(tmp_path), STEPS or IN_CI

    async def story(server: Dovecot) -> None:
        phones = (Phone("101"), Phone("102", subscribes=True))
        async with new_world(phones=phones) as world:
            files = MaildirHands(lambda extension: world.mail / extension)
            trial = await a_trial(world, world.mail_directory, files, (stock, dice, steps // 3))
            print("maildir:", trial.told())
            await world.stop_controller()
            world.configure(
                CONFIGURATION.format(url=server.url, account=ADMIN, password=ADMIN_PASSWORD)
            )
            await world.start_controller()

            def root(person: Person) -> Path:
                return server.mail_directory(person.user.id) / "Maildir"

            how = (stock, dice, steps - steps // 3)
            trial = await a_trial(world, root, ImapHands(server), how, server)
            print("dovecot:", trial.told())

    with dovecot("anna", "ben") as server:
        asyncio.run(story(server))
