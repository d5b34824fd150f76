"""Calls about new messages: to whom, when, how often, and what comes of them.

Asterisk is the little server of `tests/adapters/test_outgoing_call.py`; a real one rings telephones
in `tests/system/test_notice_calls.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.adapters.test_outgoing_call import Asterisk
from tests.fakes import FakeDirectory, FakeMailboxes
from tests.patience import AT_MOST
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.outgoing_call import OutgoingCalls
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.access import LoginRules
from vm_ari.domain.callers import Caller
from vm_ari.domain.login_phones import LoginFrom
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.domain.notice_call import NoticeCall, NoticeCallRules, Report, wanted_in
from vm_ari.domain.notice_jobs import Fate, Later, NoticeJob, Over
from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.numbers import Site
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import NoticeNotKept
from vm_ari.services.notice_calls import NoticeCalls
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.presence import Presence

BERLIN = Site("DE", "+4930555", 3, outside_prefix="0")
ANNA = User("anna", "Anna", "101", ("+4930555101", "+4930555111"), "anna@site.example")
NOON = datetime(2026, 3, 4, 11, 0, tzinfo=UTC)
"""A Wednesday; noon in Berlin."""
RULES = NoticeCallRules(hours=parse_hours("mon-fri 08:00-20:00"), name="Voicemail", common="500")
VOICE = StoredMessage("a", MessageKind.VOICE, NOON, Caller("102"))


@dataclass
class SetClock:
    """Time that a test moves."""

    at: datetime = NOON

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at


@dataclass
class House:
    """A site whose telephones are called."""

    place: Path
    asterisk: Asterisk = field(default_factory=Asterisk)
    user: User = ANNA
    rules: NoticeCallRules | None = RULES
    clock: SetClock = field(default_factory=SetClock)
    presence: Presence = field(default_factory=Presence)
    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    location: str = ""

    def __post_init__(self) -> None:
        self.directory = FakeDirectory(self.user)
        self.mailboxes.put(self.user, VOICE)
        self.queue = NoticeQueue(self.place / "notices", KeyRing(self.place / "keys"))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[NoticeCalls]:
        """With Asterisk on a free port."""
        app = web.Application()
        app.add_routes(self.asterisk.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        [(_, port)] = runner.addresses
        address = Address(f"http://127.0.0.1:{port}", "vm-ari", "secret")
        try:
            yield NoticeCalls(
                NoticeSending(self.queue, self.clock),
                OutgoingCalls(address, "vm-ari", "Local/{number}@out/n", look_every=0.01),
                self.directory,
                self.mailboxes,
                self.clock,
                self.rules,
                LoginRules(sites=(BERLIN,)),
                presence=self.presence,
                endpoint=self._endpoint,
            )
        finally:
            await runner.cleanup()

    async def _endpoint(self, _user_id: str) -> str:
        return self.location

    def notice(self, name: str = "ab", *topics: Topic) -> Notice:
        """Something is new."""
        due = dict.fromkeys(topics or (Topic.VOICE,), 1)
        return Notice(name, self.user.id, due, Counts(new_voice=1), self.clock.now())

    async def job(self, calls: NoticeCalls) -> NoticeJob:
        """Announced and kept."""
        await calls.announce(self.user, self.notice())
        [(job, _)] = await self.queue.all_waiting()
        return job


def run(house: House, story: Callable[[NoticeCalls], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with house.open() as calls:
            await story(calls)

    asyncio.run(asyncio.wait_for(whole(), AT_MOST))


def fate(house: House) -> Fate:
    """Of one call."""
    found: list[Fate] = []

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        assert await calls.hindrance(job) is None
        found.append(await calls.send(job))

    run(house, story)
    return found[0]


@pytest.mark.feature_part("NOTIFY-05", "calls show the number that was chosen")
@pytest.mark.parametrize(
    ("user", "endpoint", "phone", "shown"),
    [
        (ANNA, "Local/101@out/n", "+4930555101", '"Voicemail" <101>'),
        (
            replace(ANNA, notice_phone="0170 1234567", notice_caller="common"),
            "Local/001701234567@out/n",
            "+491701234567",
            '"Voicemail" <+4930555500>',
        ),
    ],
)
def test_the_telephone_is_called_and_the_controller_knows_for_whom(
    tmp_path: Path, user: User, endpoint: str, phone: str, shown: str
) -> None:
    asterisk = Asterisk(reports=(Report.HEARD,))
    assert isinstance(fate(House(tmp_path, asterisk, user)), Over)
    assert asterisk.asked["endpoint"] == endpoint
    assert asterisk.asked["callerId"] == shown
    assert wanted_in(asterisk.asked["appArgs"].split(",")) == NoticeCall("anna", phone)
    assert asterisk.asked["__VM_ARI_CHAIN"] == "+4930555101-+4930555111", "no mailbox of hers"


@pytest.mark.feature_part("NOTIFY-07", "calls go through the user's location")
def test_a_call_goes_through_the_users_location(tmp_path: Path) -> None:
    asterisk = Asterisk(reports=(Report.HEARD,))
    fate(House(tmp_path, asterisk, location="PJSIP/{number}@munich"))
    assert asterisk.asked["endpoint"] == "PJSIP/101@munich"


@pytest.mark.parametrize(
    ("asterisk", "over", "reason"),
    [
        (Asterisk(reports=(Report.HEARD,)), True, "in the menu"),
        (Asterisk(reports=(Report.NOTHING_NEW,)), True, "heard or read"),
        (Asterisk(reports=(Report.CLOSED,)), True, "may not hear"),
        (Asterisk(reports=(Report.NOT_TODAY,)), True, "no more calls today"),
        (Asterisk(reports=(Report.LATER,)), False, "later"),
        (Asterisk(reports=(Report.NO_PIN,)), False, "no PIN"),
        (Asterisk(reports=(Report.UNAVAILABLE,)), False, "unavailable"),
        (Asterisk(), False, "nobody pressed a key"),
        (Asterisk(states=("Down", "Ringing")), False, "Nobody answered"),
        (Asterisk(has_controller=False), False, "No controller"),
        (Asterisk(refuses=True), False, "cannot be called"),
    ],
)
def test_what_comes_of_a_call(tmp_path: Path, asterisk: Asterisk, over: bool, reason: str) -> None:
    match fate(House(tmp_path, asterisk)):
        case Over(note):
            assert over
            assert reason in note
        case Later(text, at):
            assert not over
            assert reason in text
            assert at == NOON + timedelta(minutes=10)
        case other:
            raise AssertionError(other)


def test_who_wants_no_more_calls_today_gets_none_until_tomorrow(tmp_path: Path) -> None:
    """Also after a restart: what waits ends, what comes is not kept."""
    house = House(tmp_path, Asterisk(reports=(Report.NOT_TODAY,)))

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        await calls.send(job)
        await house.queue.over(job.id)
        async with house.open() as anew:
            assert await anew.hindrance(job) == Over("the user wants no more calls today")
            await anew.announce(ANNA, house.notice("cd"))
            assert list(await house.queue.waiting()) == []
            house.clock.at += timedelta(hours=11, minutes=59)
            assert await anew.hindrance(job) == Over("the user wants no more calls today")
            house.clock.at = NOON + timedelta(days=1)
            assert await anew.hindrance(job) is None
            await anew.announce(ANNA, house.notice("ef"))
            assert len(await house.queue.waiting()) == 1

    run(house, story)


def test_nobody_is_called_who_has_heard_everything_meanwhile(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        house.mailboxes.put(ANNA, replace(VOICE, new=False))
        assert isinstance(await calls.hindrance(job), Over)
        house.mailboxes.unavailable = True
        assert isinstance(await calls.hindrance(job), Later)

    run(house, story)
    assert house.asterisk.asked == {}


def test_nobody_is_called_at_night_or_while_on_the_line(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        with house.presence.of("anna"):
            assert await calls.hindrance(job) == Later(
                "the user hears messages just now", NOON + timedelta(minutes=2)
            )
        house.clock.at = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
        assert await calls.hindrance(job) == Later(
            "it is no time for calls", datetime(2026, 3, 5, 7, 0, tzinfo=UTC)
        )

    run(house, story)


def test_who_switches_such_calls_off_is_left_in_peace(tmp_path: Path) -> None:
    """What an admin tries for somebody who has not chosen calls is another matter."""
    house = House(tmp_path, user=replace(ANNA, notify_voice=(Channel.CALL,)))

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        assert await calls.hindrance(job) is None
        house.directory.users["anna"] = ANNA
        assert await calls.hindrance(job) == Over("the user has switched such calls off")
        await house.queue.over(job.id)
        async with house.open() as anew:
            await anew.announce(ANNA, house.notice("cd"))
            [(trial, _)] = await house.queue.all_waiting()
            assert await anew.hindrance(trial) is None

    run(house, story)


def test_a_user_who_is_gone_or_cannot_be_looked_up(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def story(calls: NoticeCalls) -> None:
        job = await house.job(calls)
        house.directory.unavailable = True
        assert isinstance(await calls.hindrance(job), Later)
        house.directory.unavailable = False
        assert isinstance(await calls.hindrance(replace(job, user_id="nobody")), Over)

    run(house, story)


@pytest.mark.feature_part("NOTIFY-04", "why nobody is called is told")
@pytest.mark.feature_part("SITE-03", "nobody is called about messages outside of the table")
@pytest.mark.parametrize(
    ("user", "rules", "why"),
    [
        (ANNA, RULES, ""),
        (ANNA, None, "switched off"),
        (replace(ANNA, numbers=(), mailbox=""), RULES, "no telephone number"),
        (replace(ANNA, notice_phone="0900 1234567"), RULES, "premium-rate"),
        (replace(ANNA, notice_phone="112"), RULES, "special or service"),
        (replace(ANNA, access=Access.PROFILES), RULES, "may not hear messages"),
        (replace(ANNA, notice_phone="hello"), RULES, "not a telephone number"),
        (
            replace(ANNA, notice_phone="0170 1234567", login_from=LoginFrom.NOWHERE),
            RULES,
            "may not hear messages",
        ),
    ],
)
def test_who_cannot_be_called_is_told_why(
    tmp_path: Path, user: User, rules: NoticeCallRules | None, why: str
) -> None:
    house = House(tmp_path, user=user, rules=rules)

    async def story(calls: NoticeCalls) -> None:
        found = calls.obstacle(user)
        assert (why in found) if why else found == ""
        if why:
            with pytest.raises(NoticeNotKept):
                await calls.announce(user, house.notice())

    run(house, story)
