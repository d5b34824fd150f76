"""Faxes between two real Asterisks: T.38 and G.711, whole and cut, to fax and to voice numbers."""

import asyncio
import contextlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from pathlib import Path

import pytest
from PIL import Image

from tests.system.callers import BEEP, assert_kept, babble, calling
from tests.system.fax_machine import (
    T38,
    FaxMachine,
    fax_machine,
    pages_in_pdf,
    pages_in_tiff,
    same_dots,
    short_pages,
)
from tests.system.mails import Mail, mails
from tests.system.test_journal import noted_as
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import ControllerFailed, Person, World
from vm_ari.domain.faxes import FaxFormat
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.notifications import Channel

NUMBER = "+4989123456"
DIRECT, LISTENING = "99", "98"
"""Prefixes of numbers that the site's own dialplan knows to be fax numbers, and of those at which
Asterisk listens for fax machines by itself."""
FAX_SITE = {
    "pjsip.conf": f"[trunk](+)\n{T38}",
    "extensions.conf": (
        f"[vm-ari-trunk]\nexten => _{DIRECT}+X.,1,Goto(vm-ari-fax,${{EXTEN:2}},1)\n"
        f"exten => _{LISTENING}+X.,1,Set(FAXOPT(faxdetect)=yes)\n"
        " same => n,Goto(vm-ari,${EXTEN:2},1)\n"
        "[globals]\nVM_ARI_FAX_FALLBACK=yes\n"
    ),
}
KILLED = int(os.environ.get("VM_ARI_FAX_KILLS", "2"))
"""So often the controller is killed at least; 50 for a long run."""
AT_ONCE = 4
LAMP = (Channel.LAMP,)
A_WHILE = 90.0


@pytest.fixture(scope="module")
def fax_world(new_world: NewWorld) -> Iterator[World]:
    """A world whose trunk knows T.38."""
    shared = new_world(extra_configuration=FAX_SITE)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(_end(shared))


@pytest.fixture(scope="module")
def machine(
    fax_world: World, asterisk_install: AsteriskInstall, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaxMachine]:
    """Somebody's fax machine, that calls into that world."""
    directory = tmp_path_factory.mktemp("fax")
    calls = fax_machine(asterisk_install, directory, fax_world.server[1], NUMBER)
    asyncio.run(calls.asterisk.start())
    yield calls
    asyncio.run(calls.asterisk.kill())


async def _end(world: World) -> None:
    await world.stop_controller()
    await world.asterisk.kill()
    await world.__aexit__(None, None, None)


async def with_fax_number(world: World, language: str = "de", **settings: object) -> Person:
    """Somebody whose only number is one for faxes."""
    person = await somebody(world, language)
    other = replace(person, name=f"Fax{person.extension}", extension=f"7{person.extension}")
    other = replace(other, settings={"fax_numbers": (other.number,), **settings})
    await world.add(other)
    return other


async def came(world: World, person: Person, count: int = 1) -> Sequence[Mail]:
    async with asyncio.timeout(A_WHILE):
        while len(found := mails(world, person)) < count:
            await asyncio.sleep(0.1)
    assert len(found) == count
    return found


def pages_of(mail: Mail) -> list[Image.Image]:
    content, kind = mail.content, mail.attachment.get_content_type()
    return pages_in_pdf(content) if kind == "application/pdf" else pages_in_tiff(content)


def assert_fax(mail: Mail, pages: int, *, partial: bool = False) -> None:
    """What every mail with a fax says."""
    assert mail["Message-Context"] == "fax-message"
    assert mail["X-FaxNumberOfPages"] == str(pages)
    assert mail["X-VM-ARI-Partial"] == ("yes" if partial else "no")
    assert mail.caller == NUMBER


# --- whole faxes


async def fax_by(world: World, machine: FaxMachine, way: str, form: FaxFormat) -> None:
    """Three pages, each of which comes as it was sent."""
    person, sent = await with_fax_number(world, fax_format=form, notify_fax=LAMP), short_pages(3)
    sending = await machine.send(person.number, sent, way=way)
    assert (await sending.over()).startswith("SUCCESS 3 " + ("T38" if way == "t38" else "audio"))
    [mail] = await came(world, person)
    assert_fax(mail, 3)
    assert mail.attachment.get_content_type() == (
        "application/pdf" if form is FaxFormat.PDF else "image/tiff"
    )
    assert same_dots(sent, pages_of(mail))
    assert mail["Subject"] == "Fax von +49 89 123456, 3 Seiten"
    assert "3 (fein)" in mail.text("plain")
    assert "Kennung" not in mail.text("plain")  # it says the same as the number
    await lamp_is_lit(world, person)
    entry = await noted_as(world, person, lambda one: one.delivered and one.ended is not None)
    assert (entry.kind, entry.result, entry.partial) == (Kind.FAX, Result.FAX_RECEIVED, False)
    assert entry.why.startswith("3 pages, T.38" if way == "t38" else "3 pages, audio")


async def lamp_is_lit(world: World, person: Person) -> None:
    """As the controller has told Asterisk."""
    lit = f"event=lamp mailbox={person.extension} new=1 "
    async with asyncio.timeout(A_WHILE):
        while lit not in world.controller_log.read_text(errors="replace"):
            await asyncio.sleep(0.2)


async def fax_and_voice_on_one_number(world: World, machine: FaxMachine) -> None:
    """The machine is heard during the greeting, the person is not taken for one."""
    person, sent = await somebody(world, "de", fax_on_voice_number=True), short_pages(2)
    said, sending = babble(3, 7), await machine.send(person.number, sent, way="audio")
    await speak(world, person, said)
    assert (await sending.over()).startswith("SUCCESS 2 audio")
    voice, fax = sorted(
        await came(world, person, 2), key=lambda mail: mail["Message-Context"], reverse=True
    )
    assert voice["Message-Context"] == "voice-message"
    assert_kept(said, voice.audio)
    assert_fax(fax, 2)
    assert same_dots(sent, pages_of(fax))


async def speak(world: World, person: Person, said: Audio) -> None:
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        await caller.hangs_up()


async def nobody_wants_it(world: World, machine: FaxMachine) -> None:
    """The controller says so, where Asterisk hears the machine by itself: the call ends."""
    person = await somebody(world, "de")
    sending = await machine.send(f"{LISTENING}{person.number}", short_pages(1), way="audio")
    assert (await sending.over()).startswith("FAILED")
    assert not received(world, person)
    assert not any(map(is_fax, mails(world, person)))


async def cut_in_a_page(world: World, machine: FaxMachine) -> None:
    """What had come by then is delivered, and says that it is not all."""
    person = await with_fax_number(world, "en", voice_mail_enabled=False)
    sent = short_pages(2, lines=1500)
    sending = await machine.send(person.number, sent, way="t38")
    async with asyncio.timeout(A_WHILE):
        while not any(path.stat().st_size > 8 for path in received(world, person)):
            await asyncio.sleep(0.2)
    await asyncio.sleep(1)  # into the second page
    await machine.cut(sending)
    [mail] = await came(world, person)
    assert_fax(mail, 1, partial=True)
    assert same_dots(sent[:1], pages_of(mail))
    assert mail["Subject"] == "Fax from +49 89 123456, 1 page (incomplete)"
    assert "The transmission broke off" in mail.text("plain")
    entry = await noted_as(world, person, lambda one: one.delivered)
    assert entry.partial
    assert "The call dropped prematurely" in entry.why


def received(world: World, person: Person) -> list[Path]:
    return list((world.spool / "fax").glob(f"*_{person.number}_*.tif"))


@pytest.mark.feature("UM-04")
def test_faxes_and_calls_end_where_they_belong(fax_world: World, machine: FaxMachine) -> None:
    async def scenario() -> None:
        await asyncio.gather(
            fax_by(fax_world, machine, "t38", FaxFormat.PDF),
            fax_by(fax_world, machine, "audio", FaxFormat.TIFF),
            fax_and_voice_on_one_number(fax_world, machine),
            cut_in_a_page(fax_world, machine),
            nobody_wants_it(fax_world, machine),
        )
        assert not list((fax_world.spool / "fax").iterdir())

    asyncio.run(scenario())


# --- a controller that dies


@dataclass
class Storm:
    """Faxes come, some at the same time, until the controller was killed often enough."""

    world: World
    machine: FaxMachine
    chance: random.Random
    sent: dict[str, str] = field(default_factory=dict)
    """What the machines were told, by the number of who gets the fax."""
    people: list[Person] = field(default_factory=list)
    kills: int = 0

    async def run(self) -> None:
        self.world.kill_controller()
        senders = asyncio.gather(*(self._send() for _ in range(min(AT_ONCE, KILLED))))
        while not senders.done():
            await self._away()
            with contextlib.suppress(ControllerFailed):
                await self.world.start_controller()
            await asyncio.wait([senders], timeout=self.chance.uniform(0.1, 6))
            if not senders.done():
                self.world.kill_controller()
        await senders
        self.world.kill_controller()  # on a slow machine the last start may have failed
        await self.world.start_controller()

    async def _away(self) -> None:
        """The first time until the dialplan has begun to receive a fax without it."""
        while not self.kills and not any(received(self.world, one) for one in self.people[:1]):
            await asyncio.sleep(0.2)
        self.kills += 1
        await asyncio.sleep(self.chance.uniform(0, 1.5))

    async def _send(self) -> None:
        """The very first one to a voice number, where the machine must be heard."""
        while self.kills < KILLED:
            way = self.chance.choice(("t38", "audio", "heard")) if self.people else "heard"
            person = (
                await somebody(self.world, "de", fax_on_voice_number=True)
                if way == "heard"
                else await with_fax_number(self.world)
            )
            self.people.append(person)
            target = person.number if way == "heard" else f"{DIRECT}{person.number}"
            how = "t38" if way == "t38" else "audio"
            sending = await self.machine.send(target, short_pages(2, lines=300), way=how)
            self.sent[person.number] = await sending.over()


@pytest.mark.feature_part("UM-04", "no fax is lost or doubled when the controller is killed")
def test_each_fax_is_found_once_whenever_the_controller_dies(
    fax_world: World, machine: FaxMachine
) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    storm = Storm(fax_world, machine, random.Random(seed))

    async def scenario() -> None:
        await storm.run()
        print(f"VM_ARI_SEED={seed}: {storm.kills} kills, {len(storm.sent)} faxes")
        whole = [one for one in storm.people if storm.sent[one.number].startswith("SUCCESS")]
        assert len(whole) > len(storm.people) * 0.8, storm.sent
        for person in whole:
            [mail] = [m for m in await came_all(fax_world, person) if is_fax(m)]
            assert_fax(mail, 2)
        assert not list((fax_world.spool / "fax").iterdir())

    asyncio.run(scenario())


async def came_all(world: World, person: Person) -> Sequence[Mail]:
    """Everything, once a fax is there and nothing is on its way."""
    async with asyncio.timeout(A_WHILE):
        while not any(map(is_fax, mails(world, person))) or any(
            list((world.spool / state).iterdir()) for state in ("new", "fax", "tmp")
        ):
            await asyncio.sleep(0.2)
    return mails(world, person)


def is_fax(mail: Mail) -> bool:
    return message_from_bytes(mail.raw)["Message-Context"] == "fax-message"
