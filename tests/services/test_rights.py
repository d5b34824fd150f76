"""What users may send, and how much of it today, asked as everything that sends does (UM-05)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import faxes
from tests.fake_counts import FakeCounts
from tests.fake_journal import FakeJournalStore
from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.fax_line import AsteriskFaxLine
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.fax_rendering import FaxRendering
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed, DiallingRules, may_dial
from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState
from vm_ari.domain.fax_rights import FaxRights
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.messages import CallFacts, Counts, MessageKind, VoiceMessage
from vm_ari.domain.notifications import Notice, Topic
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Way
from vm_ari.domain.rights import Caps, Outgoing, Used, Why
from vm_ari.domain.rights_settings import Priority, Scope
from vm_ari.domain.sending import Errand, Line, Sending, Telephone
from vm_ari.domain.short_messages import ShortMessage
from vm_ari.domain.site_mails import SiteMail, Trust
from vm_ari.domain.users import User
from vm_ari.ports import (
    DeliveryPostponed,
    DeliveryRefused,
    NoticeNotKept,
    NoticeRefused,
    NotNow,
    NotTaken,
)
from vm_ari.ports.fax_sending import FaxLetter, Paper
from vm_ari.services.cost_centres import CostCentres
from vm_ari.services.fax_by_mail import FaxByMail
from vm_ari.services.fax_forwarding import FaxForwarding
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.fax_sending import FaxRules, FaxSending
from vm_ari.services.journal_writing import JournalWriter
from vm_ari.services.notice_records import NotedOutlet
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.order_sending import OrderHouse
from vm_ari.services.ordering import OrderRefused
from vm_ari.services.rights import Rights
from vm_ari.services.site_mails import Senders
from vm_ari.services.sms_notices import SmsNotices, SmsRules

SITE = Site(base_number="+4930555", area="30")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org", mobile="+491701234567")
NUMBER = "+49301234567"
NIGHT = datetime(2026, 3, 4, 22, 30, tzinfo=UTC)
"""Half past eleven in Berlin."""
TWO_PAGES = Paper("application/pdf", faxes.pdf([faxes.page(("one",)), faxes.page(("two",))]))
TEMPLATES = Path(__file__).parents[2] / "templates"


@dataclass
class SetClock:
    """Time that a test moves."""

    at: datetime = NIGHT

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at


@dataclass
class Office:
    """Where Anna's faxes are ordered and sent; there is no telephone system behind it."""

    base: Path
    user: User = ANNA
    caps: Caps = field(default_factory=Caps)
    clock: SetClock = field(default_factory=SetClock)
    counts: FakeCounts = field(default_factory=FakeCounts)
    told: list[FaxOrder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.files = FaxOrderFiles(self.base / "faxes", KeyRing(self.base / "keys"))
        self.rights = Rights(self.counts, self.clock, self.caps, (SITE,))
        allowed = FaxRights(caps=self.caps)
        printer = FaxRendering(TEMPLATES, SITE)
        self.ordering = FaxOrdering(
            self.files,
            self.clock,
            printer=printer,
            rights=allowed,
            sites=(SITE,),
            counting=self.rights,
        )
        nowhere = AsteriskFaxLine(
            Address("http://127.0.0.1:1", "nobody", "x"), "none", self.base, "PJSIP/{number}"
        )
        self.sending = FaxSending(
            self.files,
            printer,
            nowhere,
            OrderHouse(
                FakeDirectory(self.user), self.clock, ends=self._ended, counting=self.rights
            ),
            FaxRules(rights=allowed, sites=(SITE,)),
        )

    async def _ended(self, order: FaxOrder) -> None:
        self.told.append(order)

    async def orders(
        self, *, at_once: bool = True, occasion: str = "", number: str = NUMBER
    ) -> FaxOrder:
        """Two pages."""
        return await self.ordering.place(
            self.user,
            number,
            [TWO_PAGES],
            way=Way.COMMAND,
            occasion=occasion,
            at_once=at_once,
        )

    async def sends_until_over(self, fax: str) -> FaxOrder:
        """The controller works until that one is over."""
        work = asyncio.create_task(self.sending.run())
        try:
            async with asyncio.timeout(AT_MOST):
                while not (order := await self.files.find(fax)) or not order.state.is_over:
                    await asyncio.sleep(0.02)
                while not any(one.id == fax for one in self.told):
                    await asyncio.sleep(0.02)
                while await self.files.going_on():
                    await asyncio.sleep(0.02)
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        return order

    async def used(self) -> Used:
        """Of Anna's faxes today."""
        [fax, *_] = await self.rights.today(self.user)
        return fax.used


def in_office(
    base: Path,
    story: Callable[[Office], Awaitable[None]],
    caps: Caps | None = None,
    **settings: Any,
) -> None:
    """Anna has these settings."""

    async def run() -> None:
        office = Office(base, replace(ANNA, **settings), caps or Caps())
        try:
            await story(office)
        finally:
            office.files.shut()

    asyncio.run(run())


def to(number: str) -> Allowed:
    judged = may_dial(number, DiallingRules(), (SITE,))
    assert isinstance(judged, Allowed)
    return judged


# --- the count


def test_a_day_is_the_users_own() -> None:
    async def story() -> None:
        clock = SetClock()
        rights = Rights(FakeCounts(), clock, sites=(SITE,))
        anna = replace(ANNA, voice_per_day=1)
        in_tokyo = replace(anna, id="yuki", time_zone="Asia/Tokyo")
        for user in (anna, in_tokyo):
            assert await rights.take(user, Outgoing.VOICE, to(NUMBER), f"{user.id} 1") is None
            assert await rights.take(user, Outgoing.VOICE, to(NUMBER), f"{user.id} 2")
        clock.at += timedelta(hours=1)
        assert await rights.take(anna, Outgoing.VOICE, to(NUMBER), "anna 3") is None
        assert await rights.take(in_tokyo, Outgoing.VOICE, to(NUMBER), "yuki 3")

    asyncio.run(story())


def test_who_has_no_limit_is_not_stopped_by_a_count_that_is_away() -> None:
    async def story() -> None:
        rights = Rights(FakeCounts(away=True), SetClock(), sites=(SITE,))
        limited = replace(ANNA, voice_per_day=9)
        for ask in (
            rights.look,
            lambda user, what, number: rights.take(user, what, number, "x"),
        ):
            assert await ask(ANNA, Outgoing.VOICE, to(NUMBER)) is None
            refused = await ask(limited, Outgoing.VOICE, to(NUMBER))
            assert refused
            assert refused.why is Why.UNCOUNTED
            assert await ask(limited, Outgoing.VOICE, to("102")) is None, "it costs nothing"

    asyncio.run(story())


# --- faxes


@pytest.mark.feature_part("UM-05", "a fax over the limit of a day is refused when it is ordered")
def test_a_fax_over_the_limit_is_refused_when_it_is_ordered(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        first = await office.orders(occasion="a")
        assert await office.orders(occasion="a") == first, "the same is no second one"
        assert await office.used() == Used(1, 2)
        with pytest.raises(OrderRefused, match="1 of the 3"):
            await office.orders()
        assert len(await office.ordering.of_user("anna")) == 1
        office.clock.at += timedelta(hours=1)
        await office.orders()

    in_office(tmp_path, story, fax_pages_per_day=3)


def test_at_the_same_moment_only_as_many_are_ordered_as_are_allowed(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        answers = await asyncio.gather(*(office.orders() for _ in range(6)), return_exceptions=True)
        refused = [one for one in answers if isinstance(one, OrderRefused)]
        assert len(refused) == 4, answers
        assert await office.used() == Used(2, 4)

    in_office(tmp_path, story, fax_per_day=2)


@pytest.mark.parametrize(
    ("settings", "caps", "said"),
    [
        ({"fax_scope": Scope.INTERNAL}, Caps(), "inside the house only"),
        ({}, Caps(fax_scope=Scope.NOBODY), "faxes are not allowed"),
        ({"fax_most_pages": 1}, Caps(), "too many pages: 1"),
        ({"fax_most_pages": 9}, Caps(fax_most_pages=1), "too many pages: 1"),
    ],
)
def test_what_is_never_allowed_is_refused_and_counts_nothing(
    tmp_path: Path, settings: dict[str, Any], caps: Caps, said: str
) -> None:
    async def story(office: Office) -> None:
        with pytest.raises(OrderRefused, match=said):
            await office.orders()
        assert await office.used() == Used()

    in_office(tmp_path, story, caps, **settings)


def test_pages_that_are_known_late_are_refused_before_the_call(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        order = await office.orders(at_once=False)
        over = await office.sends_until_over(order.id)
        assert (over.state, over.cause, over.calls) == (FaxState.FAILED, Cause.REFUSED, 0)
        assert "1 of the 1" in over.reason
        assert await office.used() == Used()

    in_office(tmp_path, story, fax_pages_per_day=1)


def test_what_never_reached_anybody_is_given_back(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        order = await office.orders()
        assert await office.used() == Used(1, 2)
        await office.ordering.cancel(order)
        assert (await office.sends_until_over(order.id)).state is FaxState.CANCELLED
        assert await office.used() == Used()

    in_office(tmp_path, story, fax_per_day=1)


def test_the_priority_of_the_sender_goes_with_the_order(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        order = await office.orders()
        found = await office.files.find(order.id)
        assert found
        assert found.priority is Priority.HIGH
        assert found.priority.rank < Priority.NORMAL.rank < Priority.LOW.rank

    in_office(tmp_path, story, fax_priority=Priority.HIGH)


@pytest.mark.feature_part("UM-05", "a mail that becomes a fax over the limit is not taken")
def test_a_mail_over_the_limit_is_not_taken_and_while_nobody_counts_later(tmp_path: Path) -> None:
    async def letter(_content: bytes) -> FaxLetter:
        return FaxLetter((TWO_PAGES,))

    async def story(office: Office) -> None:
        senders = Senders(FakeDirectory(office.user), office.clock)
        address = parse("$(phonenumber)@$(addrtype).example.org")
        desk = FaxByMail(office.ordering, senders, address, SITE, letter, Trust())
        mail = SiteMail((f"{NUMBER}@fax.example.org",), ANNA.mail, (("from", ANNA.mail),))
        office.counts.away = True
        with pytest.raises(NotNow):
            await desk.take(mail)
        office.counts.away = False
        await office.orders()
        with pytest.raises(NotTaken, match="1 are allowed"):
            await desk.take(mail)

    in_office(tmp_path, story, fax_per_day=1)


@pytest.mark.feature_part("UM-05", "a fax that is forwarded by telephone over the limit is refused")
def test_what_is_forwarded_by_telephone_over_the_limit_is_refused(tmp_path: Path) -> None:
    async def papers(_mail: Path) -> list[Paper]:
        return [TWO_PAGES]

    sending = Sending(
        Errand.FORWARD, "anna", (Telephone(NUMBER, Line.FAX),), original=MessageKind.FAX
    )
    facts = CallFacts("a" * 16, "<a@x>", "1.1", "101", "anna", Caller(), NIGHT, sending=sending)
    message = VoiceMessage(facts, "", 0.0, original="mail")

    async def story(office: Office) -> None:
        forward = FaxForwarding(office.ordering, papers)
        office.counts.away = True
        with pytest.raises(DeliveryPostponed):
            await forward(message, office.user, NUMBER)
        office.counts.away = False
        await office.orders()
        with pytest.raises(DeliveryRefused, match="1 are allowed"):
            await forward(message, office.user, NUMBER)

    in_office(tmp_path, story, fax_per_day=1)


# --- short messages, and the journal


class Gateway:
    """Of a test that sends nothing."""

    async def send(self, _message: ShortMessage) -> None:
        """See `SmsGateway`."""
        raise AssertionError("nothing is sent here")


@pytest.mark.feature_part(
    "UM-05", "notices by SMS keep to scope and limit, and the journal says so"
)
def test_notices_by_sms_count_and_the_journal_says_what_was_refused(tmp_path: Path) -> None:
    async def story() -> list[JournalEntry]:
        store, clock, counts = FakeJournalStore(), SetClock(), FakeCounts()
        writer = JournalWriter(store)
        queue = NoticeQueue(tmp_path / "notices", KeyRing(tmp_path / "keys"))
        sms = SmsNotices(
            NoticeSending(queue, clock),
            lambda _user, _notice: "You have a new message.",
            SmsRules(DiallingRules(), (SITE,), sender="4711"),
            Gateway(),
            rights=Rights(counts, clock, Caps(), (SITE,)),
        )
        noted = NotedOutlet(sms, writer, "node")
        anna = replace(
            ANNA, sms_per_day=1, sender_numbers=("+4930555100",), sms_sender="+4930555999"
        )
        aa, bb = (
            Notice(name, "anna", {Topic.VOICE: 1}, Counts(new_voice=1), NIGHT)
            for name in ("aa", "bb")
        )
        counts.away = True
        with pytest.raises(NoticeNotKept, match="Nobody can count"):
            await noted.announce(anna, aa)
        counts.away = False
        for _ in range(2):
            await noted.announce(anna, aa)
        with pytest.raises(NoticeRefused, match="1 are allowed"):
            await noted.announce(anna, bb)
        [(job, _)] = await queue.all_waiting()
        assert job.content["sender"] == "4711", "Anna may not show that number"
        narrow = replace(ANNA, sms_scope=Scope.INTERNAL)
        assert "inside the house only" in sms.obstacle(narrow)
        with pytest.raises(NoticeNotKept, match="inside the house only"):
            await sms.announce(narrow, aa)
        queue.close()
        await writer.close()
        return sorted(store.entries.values(), key=lambda entry: entry.id)

    queued, refused = asyncio.run(story())
    assert (queued.kind, queued.result) == (Kind.NOTIFICATION, Result.QUEUED)
    assert (refused.kind, refused.result) == (Kind.NOTIFICATION, Result.REFUSED)
    assert (refused.user_id, refused.called) == ("anna", "sms")
    assert "1 are allowed" in refused.why


@pytest.mark.feature_part("UM-05", "every entry of the journal names the user's cost centre")
def test_each_entry_names_who_pays_also_when_the_directory_is_away() -> None:
    async def story() -> FakeJournalStore:
        store = FakeJournalStore()
        directory = FakeDirectory(replace(ANNA, cost_centre="4711-B"))
        writer = JournalWriter(CostCentres(store, directory))
        call = JournalEntry("n/1", Kind.CALL, NIGHT, user_id="anna")
        await writer.note(call)
        await writer.note(JournalEntry("n/2", Kind.CALL, NIGHT))
        await writer.close()
        directory.unavailable = True
        await writer.note(replace(call, ended=NIGHT, result=Result.HUNG_UP))
        await writer.close()
        return store

    entries = asyncio.run(story()).entries
    assert entries["n/1"].cost_centre == "4711-B"
    assert entries["n/1"].result is Result.HUNG_UP
    assert entries["n/2"].cost_centre == ""
