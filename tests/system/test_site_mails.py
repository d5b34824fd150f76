"""Ends that are told by mail, and a mail that switches a lamp off: by telephone and SMTP."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtplib import send

from tests.patience import AT_MOST
from tests.system.callers import BEEP, babble, calling
from tests.system.mails import Mail, mails
from tests.system.test_greetings_heard import DEFAULT, Case, calls, mailbox, plays
from tests.system.test_pin_by_phone import command
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.told_ends import ToldEnds
from vm_ari.config import load
from vm_ari.demo.world import Person, World
from vm_ari.domain.greetings import GreetingKey, Slot

PLACE = "lamp-off@demo.example"
OF_WORK, OF_VACATION = (Slot.WORK, "de"), (Slot.VACATION, "de")
WITHIN = AT_MOST


async def until(true: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            while not true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"waited in vain: {what}") from None


def from_system(world: World, person: Person, subject: str) -> Sequence[Mail]:
    return [mail for mail in mails(world, person) if subject in mail["Subject"]]


async def change(world: World, person: Person, **settings: str) -> None:
    keys = KeyRing(world.directory / "keys")
    directory = EmbeddedDirectory(f"sqlite:///{world.directory / 'directory.db'}", keys)
    await directory.change_settings(person.user.id, settings)
    await directory.close()


async def ends_now(world: World, away: Person, other: Person) -> None:
    """The vacation of the one, in a minute's beginning; the greeting of the other, at once."""
    now = datetime.now(UTC)
    await change(world, away, profile_until=now.strftime("%Y-%m-%dT%H:%M"))
    key = GreetingKey(other.user.id, *OF_WORK)
    await FileGreetings(world.directory / "greetings").set_expiry(key, now)


@pytest.fixture(scope="module")
def site(new_world: NewWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for both tests; it belongs to no event loop."""
    url = f"sqlite:///{tmp_path_factory.mktemp('told')}/told.db"
    settings = (
        f'[greetings]\nurl = "{url}"\n'
        f'[site_mails]\nlamp_off = "{PLACE}"\nport = {free_port()}\nconfirm = true\n'
    )
    asyncio.run(has_run_for_long(url))
    shared = new_world(settings=settings)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


async def has_run_for_long(url: str) -> None:
    """As an installation has that is older than this test."""
    told = ToldEnds(url, "before")
    await told.begun(datetime.now(UTC) - timedelta(hours=1))
    await told.close()


async def is_told(world: World, person: Person, subject: str, what: str) -> None:
    await until(lambda: bool(from_system(world, person, subject)), subject)
    [mail] = from_system(world, person, subject)
    for kind in ("plain", "html"):
        assert what in mail.text(kind)


@pytest.mark.feature("GREET-10")
def test_after_its_end_the_normal_choice_is_back_and_the_user_is_told(
    site: World, tmp_path: Path
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    vacation = {"profile": "vacation", "profile_until": tomorrow, "time_zone": "UTC"}

    async def hears(person: Person, case: Case) -> None:
        async with calls(site, person, case) as caller:
            await plays(caller, case.expected)

    async def story() -> None:
        away = await mailbox(site, Case((), (OF_WORK, OF_VACATION), vacation), tmp_path)
        other = await mailbox(site, Case((), (OF_WORK,)), tmp_path)
        await asyncio.gather(hears(away, Case(OF_VACATION)), hears(other, Case(OF_WORK)))
        await ends_now(site, away, other)
        await site.stop_controller()
        await site.start_controller()  # else it would look within an hour
        await asyncio.gather(hears(away, Case(OF_WORK)), hears(other, Case(DEFAULT)))
        urlaub = "Ihr Profil „Urlaub“ ist zu Ende"
        await is_told(site, away, urlaub, "Jetzt ist „Arbeit“ aktiv.")
        await is_told(site, other, "Ihre Begrüßung „Arbeit“", "eine Standardbegrüßung")
        assert [len(mails(site, person)) for person in (away, other)] == [1, 1]

    asyncio.run(story())


async def brings(port: int, sender: str, envelope: str) -> None:
    """What the site's mail server does."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, PLACE, "off"
    mail.set_content("Please.")
    await send(mail, sender=envelope, hostname="127.0.0.1", port=port)


@pytest.mark.feature("NOTIFY-06")
def test_a_mail_switches_the_senders_lamp_off_until_the_next_message(site: World) -> None:
    anna, ben = site.people
    port = load(site.config).site_mails.port

    async def leaves(person: Person, seed: int) -> None:
        async with (
            site.outside_phone() as phone,
            calling(phone, person.number, person.language) as caller,
        ):
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(babble(2.5, seed))

    async def story() -> None:
        async with site.phone_of(anna) as hers, site.phone_of(ben) as his:
            await asyncio.gather(hers.register(), his.register())
            await asyncio.gather(leaves(anna, 1), leaves(ben, 2))
            await asyncio.gather(hers.lamp(1, within=WITHIN), his.lamp(1, within=WITHIN))
            await brings(port, ben.user.mail, "mallory@evil.example")
            await brings(port, anna.user.mail, anna.user.mail)
            await hers.lamp(0, within=WITHIN)
            assert his.lamps[-1].new == 1, "nobody else's"
            await until(lambda: len(mails(site, anna)) == 2, "the answer")
            assert len(mails(site, ben)) == 1
            await leaves(anna, 3)
            await hers.lamp(2, within=WITHIN)
            everybody = ("notifications", "reset", "--counters", "--all")
            count = len(await asyncio.to_thread(command, site, *everybody, "--dry-run"))
            await asyncio.to_thread(command, site, *everybody, "--yes-i-mean", str(count))
            await asyncio.gather(hers.lamp(0, within=WITHIN), his.lamp(0, within=WITHIN))

    asyncio.run(story())
