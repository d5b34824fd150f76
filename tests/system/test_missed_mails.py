"""Real calls that nobody answers, and the mails that come of them: on Asterisk and a controller."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from tests.system.callers import babble, calling, new_number
from tests.system.mails import Mail, mails
from tests.system.ringing_site import CONFIGURATION, HOUSE, HOW, House, house, until_over
from tests.system.transfer_site import nothing_is_left
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.softphone import IncomingCall, OutgoingCall
from vm_ari.config import shared_files
from vm_ari.demo.world import Person, World
from vm_ari.domain.journal import Kind, Search, Viewer

SHORT = 0.4
"""Seconds that it rings; the rules of these tests pass over what is shorter than 0.2."""
MAILBOX = """
[house]
exten => 195,1,Dial(PJSIP/101,1)
 same => n,Goto(vm-ari,101,1)
exten => 197,1,Goto(vm-ari,101,1)
"""
DORA = Person("Dora", "103", "en", settings={"missed_calls": False})
"""She wants no mails, but her journal."""
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Jörg Größe\nEMAIL:joerg@example.com\nTEL:{}\nEND:VCARD\n"
SETTINGS = """
[manager]
port = {port}
user = "vm-ari"
secret = "{secret}"
[missed_calls]
wait_seconds = 1
{rules}
[missed_calls.contacts]
vcard = "{book}"
"""
LISTED = "+498933"


@dataclass
class Town:
    """One world for all tests; each has its own rules, and callers of its own."""

    world: World
    people: House | None = None
    manager_port: int = 0
    """By which the controller reaches the manager interface; 0: that of Asterisk."""

    @property
    def house(self) -> House:
        """Everybody with a telephone."""
        assert self.people is not None
        return self.people

    @asynccontextmanager
    async def with_rules(self, rules: str) -> AsyncIterator["Town"]:
        """The controller starts anew with them, and follows calls."""
        world = self.world
        await world.stop_controller()
        book = world.directory / "book.vcf"
        book.write_text("")
        templates = world.directory / "templates"
        if not templates.exists():
            await asyncio.to_thread(_own_templates, templates)
        instance = world.asterisk.instance
        world.configure(
            SETTINGS.format(
                port=self.manager_port or instance.ami_port,
                secret=instance.ari_password,
                rules=rules,
                book=book,
            )
        )
        world.config.write_text(f'templates = "{templates}"\n{world.config.read_text()}')
        started = self.following()
        await world.start_controller()
        async with asyncio.timeout(AT_MOST):
            while self.following() == started:
                await asyncio.sleep(0.05)
        async with house(world.asterisk) as people:
            yield replace(self, people=people)

    def following(self) -> int:
        """How often the controller has begun to follow calls."""
        return self.world.controller_log.read_text().count("calls are followed")

    def knows(self, number: str) -> None:
        """There is contact data of that caller."""
        (self.world.directory / "book.vcf").write_text(CARD.format(number))

    # --- calls

    async def rings_in_vain(
        self, caller: str, *phones: str, dials: str = "", last: float = SHORT
    ) -> None:
        """These phones ring, one after the other or together; the last of them so long."""
        call = self.house.dials(dials or phones[0], from_number=caller, from_name="")
        rings = [await self.house.rings(phone) for phone in phones]
        await asyncio.sleep(last)
        await call.hang_up()
        await until_over(call, *rings)

    async def is_sent_on(self, caller: str) -> None:
        """While it rings 101 sends the caller on to 102 (302)."""
        call = self.house.dials("101", from_number=caller, from_name="")
        first = await self.house.rings("101")
        await asyncio.sleep(SHORT)
        self.house.forwards(first, "101", "102")
        second = await self.house.rings("102")
        await asyncio.sleep(SHORT)
        await call.hang_up()
        await until_over(call, second)

    async def is_answered(self, caller: str, dials: str, first: str, second: str) -> None:
        """Two phones ring, the second takes it."""
        call = self.house.dials(dials, from_number=caller, from_name="")
        rings, takes = await asyncio.gather(self.house.rings(first), self.house.rings(second))
        await asyncio.sleep(SHORT)
        takes.answer()
        await call.answered(10)
        await self._ends(call, rings, takes)

    async def is_picked_up(self, caller: str) -> None:
        """101 rings, 103 takes it."""
        call = self.house.dials("101", from_number=caller, from_name="")
        rings = await self.house.rings("101")
        await asyncio.sleep(SHORT)
        picker = await self.house.phones["103"].call("*8101", within=AT_MOST)
        await call.answered(10)
        await self._ends(call, rings, picker)

    async def _ends(self, call: OutgoingCall, *others: IncomingCall | OutgoingCall) -> None:
        await asyncio.sleep(SHORT)
        await call.hang_up()
        await until_over(call, *others)

    # --- what came of them

    async def decided(self) -> None:
        """Wait until all calls are over, and decided."""
        await nothing_is_left(self.world.asterisk)
        log = DatabaseCallLog(self.database)
        try:
            await asyncio.sleep(0.5)
            async with asyncio.timeout(AT_MOST):
                while any(one.open for one in await log.records()):
                    await asyncio.sleep(0.1)
        finally:
            await log.close()

    async def told(self, *callers: str) -> Mapping[str, list[str]]:
        """By caller: who got a mail, as often as that was; each when all have arrived."""
        await self.decided()
        queue = self.world.spool / "system-mails" / "new"
        async with asyncio.timeout(AT_MOST):
            while any(queue.iterdir()):
                await asyncio.sleep(0.05)
        found: dict[str, list[str]] = {caller: [] for caller in callers}
        for person in (*self.world.people, DORA):
            for mail in self.mails(person):
                if (caller := mail["X-CallingTelephoneNumber"]) in found:
                    found[caller].append(person.user.id)
        return found

    def mails(self, person: Person) -> list[Mail]:
        """About missed calls."""
        found = mails(self.world, person)
        return [mail for mail in found if mail["Content-Class"] == "missedcall"]

    async def journal(self, user_id: str) -> set[str]:
        """Whose calls the user has missed, as the journal says; without suppressed numbers."""
        store = DatabaseJournal(f"sqlite:///{self.world.directory / 'journal.db'}")
        try:
            mine = Search(user_id=user_id, kind=Kind.MISSED_CALL)
            page = await store.page(Viewer(user_id), mine)
            return {entry.caller.number for entry in page} - {"", self.world.ben.number}
        finally:
            await store.close()

    async def in_journal(self, user_id: str, callers: set[str]) -> None:
        """Wait until it says so."""
        there: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AT_MOST):
                while not callers <= (there := await self.journal(user_id)):
                    await asyncio.sleep(0.1)
        assert callers <= there, f"{callers - there} are not in the journal of {user_id}"

    @property
    def database(self) -> str:
        """Of users and missed calls."""
        return f"sqlite:///{self.world.directory / 'directory.db'}"

    def mail(self, person: Person, caller: str) -> Mail:
        """The one about that caller."""
        [mail] = [m for m in self.mails(person) if m["X-CallingTelephoneNumber"] == caller]
        return mail


@pytest.fixture(scope="module")
def town(new_world: NewWorld) -> Iterator[Town]:
    """It belongs to no event loop."""
    configuration = {**CONFIGURATION, "extensions.conf": HOUSE + MAILBOX}
    how = {**HOW, "extra_configuration": configuration}
    world = new_world(ami_port=free_port(), **how)

    async def start() -> None:
        await world.__aenter__()
        await world.add(DORA)
        keys = KeyRing(world.directory / "keys")
        directory = EmbeddedDirectory(Town(world).database, keys)
        await directory.change_settings("ben", {"missed_calls_journal": "no"})
        await directory.close()

    asyncio.run(start())
    yield Town(world)
    asyncio.run(world.__aexit__(None, None, None))


def _own_templates(directory: Path) -> None:
    """The site's."""
    shutil.copytree(shared_files() / "templates", directory)
    subject = directory / "missed-call" / "fr" / "subject.txt"
    subject.write_text("{{ caller_name }} vous a appelé")


ALL = """
tell = "all"
shortest_seconds = 0.2
not_for = ["internal", "withheld", "same-day"]
numbers = ["+49 89 33*"]
"""


@pytest.mark.feature("MISSED-01", "MISSED-03", "MISSED-04")
def test_all_whose_phones_rang_are_told_once_but_not_of_every_call(town: Town) -> None:
    one, group, hunt, queue, sent_on = (new_number() for _ in range(5))
    answered, picked, spoken, hers = (new_number() for _ in range(4))
    listed = LISTED + new_number()[-6:]

    async def story() -> None:
        async with town.with_rules(ALL) as there:
            internal = there.house.phones["102"].dial("101")
            rings = await there.house.rings("101")
            await asyncio.sleep(SHORT)
            await internal.hang_up()
            await until_over(internal, rings)
            await there.rings_in_vain(one, "101")
            await there.rings_in_vain(group, "101", "102", dials="200")
            await there.rings_in_vain(hunt, "101", "102", dials="210")
            await there.rings_in_vain(queue, "101", "102", "101", "102", dials="220")
            await there.is_sent_on(sent_on)
            await there.rings_in_vain(hers, "103")
            await there.is_answered(answered, "200", "101", "102")
            await there.is_picked_up(picked)
            await there.rings_in_vain(listed, "101")
            await _withheld(there)
            await there.decided()
            await there.rings_in_vain(one, "101")
            await _leaves_a_message(there, spoken)
            nobody = (answered, picked, spoken, listed, hers)
            assert await there.told(one, group, hunt, queue, sent_on, *nobody) == {
                one: ["anna"],
                group: ["anna", "ben"],
                hunt: ["anna", "ben"],
                queue: ["anna", "ben"],
                sent_on: ["anna", "ben"],
                **{caller: [] for caller in nobody},
            }
            others = [mail["X-CallingTelephoneNumber"] for mail in there.mails(town.world.anna)]
            assert not {"", town.world.ben.number} & set(others)
            await there.in_journal("dora", {hers})
            await there.in_journal("anna", {one, group, hunt, queue, sent_on, spoken, listed})
            assert not (await there.journal("anna")) & {answered, picked}, "they were answered"
            assert not await there.journal("ben"), "he does not want it"

    asyncio.run(story())


async def _withheld(there: Town) -> None:
    call = there.house.outside.dial(
        "101", from_header='"Anonymous" <sip:anonymous@anonymous.invalid>'
    )
    rings = await there.house.rings("101")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(call, rings)


async def _leaves_a_message(there: Town, caller: str) -> None:
    """101 rings for a second, then the mailbox answers."""
    before = len(_voices(there))
    async with calling(there.house.outside, "195", number=caller, within=AT_MOST) as call:
        await call.presses("0")
        await call.hears("tones/beep")
        await call.speaks(babble(2.5, 1))
    async with asyncio.timeout(AT_MOST):
        while len(_voices(there)) == before:
            await asyncio.sleep(0.1)


def _voices(there: Town) -> list[Mail]:
    anna = there.world.anna
    return [mail for mail in mails(there.world, anna) if mail["Content-Class"] == "voice-ca"]


SILENCE = """
tell = "last"
shortest_seconds = 0.2
"""


@pytest.mark.feature("CALL-06")
def test_who_says_nothing_after_the_tone_has_missed_the_user(town: Town) -> None:
    """Once, whether a phone rang before or not; who is gone before the tone has said no less."""
    after_ringing, direct, too_short, before_the_tone = (new_number() for _ in range(4))

    async def story() -> None:
        async with town.with_rules(SILENCE) as there:
            messages = len(_voices(there))
            await asyncio.gather(
                _says_nothing(there, "195", after_ringing),
                _says_nothing(there, "197", direct),
                _says_too_little(there, too_short),
                _hangs_up_during_the_greeting(there, before_the_tone),
            )
            assert await there.told(after_ringing, direct, too_short, before_the_tone) == {
                after_ringing: ["anna"],
                direct: ["anna"],
                too_short: ["anna"],
                before_the_tone: [],
            }
            assert len(_voices(there)) == messages, "what nobody said is no message"
            anna = town.world.anna
            assert "nichts gesagt" in there.mail(anna, direct).text("plain")
            assert "Es klingelte" in there.mail(anna, after_ringing).text("plain")
            await there.in_journal("anna", {after_ringing, direct, too_short})

    asyncio.run(story())


async def _says_too_little(there: Town, caller: str) -> None:
    async with calling(there.house.outside, "197", number=caller) as call:
        await call.presses("0")
        await call.hears("tones/beep")
        await call.speaks(babble(1.0, 1))
        await call.hangs_up()


async def _hangs_up_during_the_greeting(there: Town, caller: str) -> None:
    async with calling(there.house.outside, "197", number=caller) as call:
        await call.hears("you-have-reached")
        await call.hangs_up()


async def _says_nothing(there: Town, number: str, caller: str) -> None:
    async with calling(there.house.outside, number, number=caller, within=AT_MOST) as call:
        await call.presses("0")
        await call.hears("tones/beep")
        await asyncio.sleep(0.5)
        await call.presses("#")
        await call.hears("nothing-recorded", "goodbye")
        await call.is_hung_up_on()


FIRST = """
tell = "first"
answered_elsewhere = true
message_left = true
shortest_seconds = 0.2
not_for = ["until-login"]
caller_as = "from"
link_prefix = "callto:"
language = "fr"
"""


@pytest.mark.feature("MISSED-01", "MISSED-02", "MISSED-03", "MISSED-04")
def test_the_first_is_told_also_of_what_others_answered_until_she_is_signed_in(town: Town) -> None:
    hunt, picked, spoken = (new_number() for _ in range(3))

    async def story() -> None:
        async with town.with_rules(FIRST) as there:
            there.knows(picked)
            await there.rings_in_vain(hunt, "101", "102", dials="210")
            await there.is_picked_up(picked)
            await _leaves_a_message(there, spoken)
            assert await there.told(hunt, picked, spoken) == {
                hunt: ["anna"],
                picked: ["anna"],
                spoken: ["anna"],
            }
            _says_who_took_it(there.mail(town.world.anna, picked), picked)
            assert "laissé un message" in there.mail(town.world.anna, spoken).text("plain")

            await there.is_picked_up(picked)
            assert (await there.told(picked))[picked] == ["anna"], "no login since"
            await _signs_in(there)
            await there.is_picked_up(picked)
            assert (await there.told(picked))[picked] == ["anna", "anna"]

    asyncio.run(story())


def _says_who_took_it(mail: Mail, caller: str) -> None:
    assert mail["Subject"] == "Jörg Größe vous a appelé"
    assert mail["From"] == "Jörg Größe <joerg@example.com>"
    assert mail["Sender"].endswith("voicemail@demo.example>")
    assert "Pris par : Dora (103)" in mail.text("plain")
    assert f'href="callto:{caller}"' in mail.text("html")
    assert mail.attachment.get_content_type() == "text/vcard"
    assert "FN:Jörg Größe" in mail.attachment.get_content()


async def _signs_in(there: Town) -> None:
    """By telephone."""
    anna = there.world.anna
    async with calling(there.house.outside, "197", number=new_number()) as call:
        await call.presses(f"*{anna.pin}#", ms=60)
        await call.hears("you-have")


LAST = 'tell = "last"\nshortest_seconds = 1.5\nnot_for = ["unknown"]'


@pytest.mark.feature("MISSED-01", "MISSED-02", "MISSED-03")
def test_the_last_is_told_of_known_callers_who_were_patient(town: Town) -> None:
    known, unknown, brief = (new_number() for _ in range(3))

    async def story() -> None:
        async with town.with_rules(LAST) as there:
            there.knows(known)
            await there.rings_in_vain(known, "101", "102", dials="210", last=2.0)
            await there.rings_in_vain(unknown, "101", last=2.0)
            await there.decided()
            there.knows(brief)
            await there.rings_in_vain(brief, "101", last=0.3)
            told = await there.told(known, unknown, brief)
            assert told == {known: ["ben"], unknown: [], brief: []}
            assert there.mail(town.world.ben, known)["Reply-To"].endswith("<joerg@example.com>")

    asyncio.run(story())
