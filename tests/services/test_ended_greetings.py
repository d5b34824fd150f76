"""Users are told once that a greeting or a profile of theirs has ended (GREET-10)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.fakes import FakeDirectory, FakeGreetings
from tests.services.post import LoopClock
from tests.services.welcome_node import Node, node, text
from vm_ari.adapters.told_ends import ToldEnds
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.users import User
from vm_ari.services.ended_greetings import EVERY, EndedGreetings, Site

HOUR = timedelta(hours=1)
ANNA = User("anna", "Anna", "101", ("101",), "anna@example.org", time_zone="UTC")
VACATION, HOME, WORK = ProfileName.VACATION, ProfileName.HOME, ProfileName.WORK
OF_WORK, IN_ENGLISH = GreetingKey("anna", Slot.WORK, "de"), GreetingKey("anna", Slot.WORK, "en")


@dataclass
class House:
    """A directory and greetings; controllers, queues, their store and their database are real."""

    base: Path
    site: Site = field(default_factory=Site)
    clock: LoopClock = field(default_factory=LoopClock)

    def __post_init__(self) -> None:
        self.directory = FakeDirectory(ANNA)
        self.greetings = FakeGreetings(self.clock)
        self._running: dict[str, asyncio.Task[None]] = {}
        self.nodes: dict[str, tuple[Node, EndedGreetings]] = {}

    def controller(self, name: str = "one") -> EndedGreetings:
        """Made once, or anew as after a restart."""
        one = node(self.base, name=name)
        one.post._clock = self.clock
        told = ToldEnds(f"sqlite:///{self.base}/told.db", name)
        ended = EndedGreetings(
            self.directory, self.greetings, one.post, told, self.clock, self.site
        )
        self.nodes[name] = one, ended
        return ended

    def start(self, name: str = "one") -> None:
        """The loop begins."""
        self._running[name] = asyncio.create_task(self.controller(name).run())

    async def stop(self, name: str = "one") -> None:
        """Wherever it is."""
        task = self._running.pop(name)
        task.cancel()
        await asyncio.wait([task])

    async def mails(self) -> list[str]:
        """What Anna has got: subject and text."""
        for one, _ended in self.nodes.values():
            await one.post.send_what_is_due()
        one, _ended = next(iter(self.nodes.values()))
        return [f"{mail['Subject']}\n{text(mail)}" for mail in one.mails(ANNA)]

    def anna(self, **how: object) -> None:
        """She has set something."""
        self.directory.users["anna"] = replace(self.directory.users["anna"], **how)  # type: ignore[arg-type]

    async def records(self, key: GreetingKey, end: datetime | None = None) -> None:
        """A greeting, perhaps with an end."""
        await self.greetings.keep(key, Path("take.wav"), Source.PHONE, expires=end)

    def local(self, after: timedelta) -> datetime:
        """As a setting says a moment."""
        return (self.clock.now() + after).replace(tzinfo=None)


def in_house(
    base: Path, story: Callable[[House], Awaitable[None]], site: Site | None = None
) -> None:
    async def whole() -> None:
        house = House(base, site or Site())
        await story(house)
        for name in list(house._running):
            await house.stop(name)

    run_virtually(whole())


async def hours(count: float) -> None:
    await asyncio.sleep(count * 3600)


def test_a_profile_that_ends_is_told_at_once_and_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.records(OF_WORK)
        house.anna(profile=VACATION, profile_until=house.local(0.5 * HOUR))
        house.start()
        await hours(0.49)
        assert await house.mails() == []
        await hours(0.02)
        [mail] = await house.mails()
        assert mail.startswith("Your profile “Vacation” has ended\n")
        assert "was active until January 2, 2026, 3:34:05\u202fAM" in mail
        assert "Now “Work” is active." in mail
        assert "hears your greeting of the profile “Work”" in mail
        await hours(200)
        assert len(await house.mails()) == 1

    in_house(tmp_path, story)


def test_a_greeting_that_ends_is_told_with_what_callers_hear_now(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        end = house.clock.now() + 2.5 * HOUR
        await house.records(OF_WORK, end)
        await house.records(IN_ENGLISH, end)
        await house.records(GreetingKey(SITE, Slot.GLOBAL, "en"))
        house.greetings.mode = GlobalMode.IF_NONE
        house.start()
        await hours(2.6)
        [mail] = await house.mails()
        assert mail.startswith("Your greeting “Work” has ended\n")
        assert "101 (de, en) was good until" in mail
        assert "the greeting that your site has for everybody" in mail

    in_house(tmp_path, story)


def test_what_was_changed_meanwhile_is_not_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.anna(profile=VACATION, profile_until=house.local(0.5 * HOUR))
        await house.records(OF_WORK, house.clock.now() + 0.5 * HOUR)
        await house.records(IN_ENGLISH, house.clock.now() + 0.6 * HOUR)
        await house.records(GreetingKey("anna", Slot.HOME, "de"), house.clock.now() + 0.7 * HOUR)
        house.start()
        await hours(0.4)
        house.anna(profile_until=house.local(0.3 * HOUR))
        await house.records(OF_WORK)
        await house.greetings.set_expiry(IN_ENGLISH, None)
        await house.greetings.delete(GreetingKey("anna", Slot.HOME, "de"))
        await hours(0.25)
        assert await house.mails() == []
        await hours(0.5)
        assert [mail.partition("\n")[0] for mail in await house.mails()] == [
            "Your profile “Vacation” has ended"
        ]

    in_house(tmp_path, story)


def test_what_ended_before_anybody_looked_or_long_ago_is_no_news(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.records(OF_WORK, house.clock.now() - HOUR)
        house.start()
        await hours(3)
        await house.stop()
        await house.records(IN_ENGLISH, house.clock.now() + HOUR)
        await hours(24 * 7 + 2)
        house.start()
        await hours(3)
        assert await house.mails() == []

    in_house(tmp_path, story)


@pytest.mark.parametrize("dies", ["before", "claimed", "queued"])
def test_who_dies_in_between_tells_it_after_the_start(tmp_path: Path, dies: str) -> None:
    async def story(house: House) -> None:
        house.anna(profile=VACATION, profile_until=house.local(HOUR))
        ended = house.controller()
        await ended.look()
        await hours(1.1)
        if dies == "claimed":
            house.nodes["one"][0].post.tell = _dies  # type: ignore[method-assign]
        if dies == "queued":
            ended.tellings.tell = _dies  # type: ignore[method-assign]
        if dies != "before":
            with pytest.raises(asyncio.CancelledError):
                await ended.look()
        for _restart in range(3):
            house.start()
            await hours(1.5)
            await house.stop()
        assert len(await house.mails()) == 1

    in_house(tmp_path, story)


async def _dies(*_args: object, **_how: object) -> None:
    """As the process does: nothing is caught, nothing is tidied up."""
    raise asyncio.CancelledError


def test_of_two_nodes_one_tells_and_the_other_takes_over(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.anna(profile=VACATION, profile_until=house.local(HOUR))
        for name in ("one", "two"):
            house.start(name)
        await hours(5)
        assert len(await house.mails()) == 1
        for name in ("one", "two"):
            await house.stop(name)
        house.anna(profile_until=house.local(HOUR))
        dead = house.controller("dead")
        dead.notices.tell = _dies  # type: ignore[method-assign]
        await hours(1.1)
        with pytest.raises(asyncio.CancelledError):
            await dead.look()
        house.start("two")
        await hours(20)
        assert len(await house.mails()) == 1, "the other one may still be alive"
        await hours(6)
        assert len(await house.mails()) == 2

    in_house(tmp_path, story)


def test_whoever_cannot_be_told_is_left_alone(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.anna(profile=VACATION, profile_until=house.local(HOUR), voice_mail_enabled=False)
        nobody = replace(ANNA, id="bert", mailbox="102", numbers=(), mail="")
        ended = house.local(HOUR)
        house.directory.users["bert"] = replace(nobody, profile=HOME, profile_until=ended)
        same = replace(ANNA, id="cora", mailbox="103", numbers=())
        house.directory.users["cora"] = replace(same, profile=WORK, profile_until=ended)
        house.start()
        await hours(3)
        [one, _ended] = house.nodes["one"]
        assert list(await one.queue.waiting()) == []

    in_house(tmp_path, story, Site(needs_address=True))


def test_outages_only_make_it_later(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.anna(profile=VACATION, profile_until=house.local(0.5 * HOUR))
        house.directory.unavailable = True
        house.start()
        await hours(0.6)
        house.directory.unavailable = False
        house.greetings.unavailable = True
        await hours(0.6)
        assert await house.mails() == []
        house.greetings.unavailable = False
        await hours(0.2)
        assert len(await house.mails()) == 1

    in_house(tmp_path, story)


def test_everybody_is_listed_once_an_hour(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        listed: Mapping[str, list[float]] = {"at": []}
        real = house.directory.all_users

        async def counted() -> object:
            listed["at"].append(asyncio.get_running_loop().time())
            return await real()

        house.directory.all_users = counted  # type: ignore[method-assign, assignment]
        for minutes in (10, 20, 50):
            end = house.clock.now() + timedelta(minutes=minutes)
            await house.records(GreetingKey("anna", list(Slot)[minutes // 10], "de"), end)
        house.start()
        await hours(3.5)
        assert len(await house.mails()) == 3
        assert [round(at / EVERY.total_seconds(), 2) for at in listed["at"]] == [0, 1, 2, 3]

    in_house(tmp_path, story)
