"""Who can get what a user sends, and what is kept of it before the tone sounds."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.adapters.sending_house import ANNA, BERT, CARLA, House, at
from tests.clock import run_virtually
from tests.fake_spool import FakeSpool
from tests.fakes import FakeDirectory, FakeLamps, FakeMailboxes
from tests.services.post import LoopClock
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Denied
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.recording import Ending, Limits, Take
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    DistributionList,
    Errand,
    Line,
    Recipient,
    Sending,
    Telephone,
)
from vm_ari.domain.sending_rules import SendingRules
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable, MessageGone, SpoolFull
from vm_ari.services.adoption import Adoption, Fate
from vm_ari.services.inbox import Inbox
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.people import People
from vm_ari.services.sendings import Dispatch, OriginalTooLarge, Sendings, TooManySendings

DISABLED = User("dis", "Dis Abled", "109", ("+4930555109",), "", voice_mail_enabled=False)
UNLISTED = User("uli", "Uli Still", "108", ("+4930555108",), "", listed=False)
GATEWAY = parse("$(phonenumber)@$(addrtype).example.org")
TEAM = DistributionList(
    "77",
    "Team",
    ("bert", "103", "carla@example.org", "dora@elsewhere.example", "+49 30 12345678", "dis", "x"),
)
RULES = SendingRules(
    outside=True,
    voice_address=GATEWAY,
    search_address=GATEWAY,
    lists=(TEAM,),
    most_recipients=3,
    per_day=2,
)
HOUSE_ONLY = SendingRules(lists=(TEAM,))
PHONE = Telephone("+493012345678", Line.VOICE)
DORA = Correspondent("dora@elsewhere.example")


async def _gone(_channel_id: str) -> bool:
    return False


class Office:
    """The service over the fakes."""

    def __init__(self, rules: SendingRules = RULES) -> None:
        self.spool = FakeSpool()
        self.directory = FakeDirectory(ANNA, BERT, CARLA, DISABLED, UNLISTED)
        self.mailboxes = FakeMailboxes()
        self.kept = 0
        self.sendings = Sendings(
            spool=self.spool,
            directory=self.directory,
            records=self.directory,
            people=People(self.directory),
            clock=LoopClock(),
            limits=Limits(),
            rules=rules,
            sites=(Site(base_number="+4930555", area="30", outside_prefix="0"),),
            host="pbx.example",
            on_kept=self._on_kept,
            reply_address=lambda header: header.read_text() or None,
        )

    def _on_kept(self) -> None:
        self.kept += 1

    def get(
        self, kind: MessageKind, number: str = "", *, genuine: bool = False, mail: bytes = b""
    ) -> StoredMessage:
        """Something in Anna's mailbox."""
        now = datetime(2026, 3, 2, tzinfo=UTC)
        message = StoredMessage("m1", kind, now, Caller(number, "Claim"), genuine=genuine)
        self.mailboxes.put(ANNA, message, "/recordings/m1.wav", mail)
        return message

    async def begin(
        self,
        message: StoredMessage | None = None,
        errand: Errand = Errand.FORWARD,
        to: Sequence[Recipient] = (Colleague("bert"),),
    ) -> Dispatch:
        async with self.mailboxes.open(ANNA) as mailbox:
            inbox = Inbox(ANNA, mailbox, LampKeeper(FakeLamps(), self.mailboxes, self.directory))
            return await self.sendings.begin(
                channel_id="1.1",
                owner=ANNA,
                sending=Sending(errand, ANNA.id, tuple(to)),
                inbox=inbox if message else None,
                message=message,
            )

    async def answer_to(self, message: StoredMessage) -> Recipient | None:
        async with self.mailboxes.open(ANNA) as mailbox:
            inbox = Inbox(ANNA, mailbox, LampKeeper(FakeLamps(), self.mailboxes, self.directory))
            return await self.sendings.answer_to(ANNA, inbox, message)

    async def say(self, dispatch: Dispatch) -> None:
        self.spool.takes[dispatch.next_take()] = Take(3.0, 3.0)
        assert await dispatch.judge(Ending.HANG_UP)


# -- who


@pytest.mark.parametrize(
    ("typed", "user"),
    [("102", BERT), ("0030555102", BERT), ("109", None), ("999", None), ("#", None), ("", None)],
)
def test_a_colleague_by_number_or_mailbox(typed: str, user: User | None) -> None:
    assert asyncio.run(Office().sendings.colleague(typed)) == user


def test_a_directory_that_is_away_says_so() -> None:
    office = Office()
    office.directory.unavailable = True
    for look in (office.sendings.colleague("102"), office.sendings.named("2374")):
        with pytest.raises(DirectoryUnavailable):
            asyncio.run(look)


def test_outside_by_the_rules_of_the_site() -> None:
    sendings = Office().sendings
    assert sendings.outside("003012345678", Line.VOICE) == PHONE
    assert sendings.outside("003012345678", Line.FAX) is None
    assert isinstance(sendings.outside("009001234567", Line.VOICE), Denied)
    assert Office(HOUSE_ONLY).sendings.outside("003012345678", Line.VOICE) is None


@pytest.mark.parametrize(
    ("rules", "outside"), [(RULES, [DORA, PHONE]), (HOUSE_ONLY, [])], ids=["mail", "house"]
)
def test_a_list_is_everybody_who_can_be_reached(
    rules: SendingRules, outside: list[Recipient]
) -> None:
    sendings = Office(rules).sendings
    listed = sendings.list_at("77")
    assert listed is TEAM
    assert sendings.list_at("777") is None
    house = [Colleague("bert"), Colleague("carla")]
    assert list(asyncio.run(sendings.members(TEAM))) == [*house, *outside]


def test_people_are_found_by_name_if_they_want_that() -> None:
    sendings = Office().sendings

    async def found(keys: str) -> list[str]:
        return [user.id for user in await sendings.named(keys)]

    assert asyncio.run(found("2374")) == ["anna"]
    assert asyncio.run(found("6877")) == ["carla"]
    assert asyncio.run(found("78455")) == []
    assert asyncio.run(found("22533")) == []


def test_ten_thousand_people_are_searched_in_no_time() -> None:
    people = [User(str(n), f"P{n:x} Q{n:o}", str(n), (), "") for n in range(10_000)]

    async def story() -> list[float]:
        index = People(FakeDirectory(*people))
        await index.refresh()
        moments = [time.thread_time()]
        for keys in ("7", "72", "7222", "73425"):
            await index.named(keys)
            moments.append(time.thread_time())
        return [later - before for before, later in pairwise(moments)]

    assert max(asyncio.run(story())) < 1.0, "seconds of work"


# -- who is answered


@pytest.mark.parametrize(
    ("number", "genuine", "rules", "recipient"),
    [
        ("+4930555102", True, RULES, Colleague("bert")),
        ("+4930555102", False, RULES, Colleague("bert")),
        ("+493012345678", True, RULES, PHONE),
        ("+493012345678", False, RULES, None),
        ("+493012345678", True, HOUSE_ONLY, None),
        ("+499001234567", True, RULES, None),
        ("+4930555109", True, HOUSE_ONLY, None),
        ("", True, RULES, None),
    ],
)
def test_who_left_a_voice_message(
    number: str, genuine: bool, rules: SendingRules, recipient: Recipient | None
) -> None:
    office = Office(rules)
    message = office.get(MessageKind.VOICE, number, genuine=genuine)
    assert asyncio.run(office.answer_to(message)) == recipient


@pytest.mark.parametrize(
    ("kind", "address", "rules", "recipient"),
    [
        (MessageKind.MAIL, "dora@elsewhere.example", RULES, DORA),
        (MessageKind.MAIL, "dora@elsewhere.example", HOUSE_ONLY, None),
        (MessageKind.MAIL, "Bert@Example.org", HOUSE_ONLY, Colleague("bert")),
        (MessageKind.MAIL, "", RULES, None),
        (MessageKind.FAX, "+493012345678@fax.example.org", RULES, PHONE),
        (MessageKind.FAX, "+4930555103@fax.example.org", RULES, Colleague("carla")),
        (MessageKind.TEXT, "+499001234567@sms.example.org", RULES, None),
    ],
)
def test_who_wrote_a_mail(
    kind: MessageKind, address: str, rules: SendingRules, recipient: Recipient | None
) -> None:
    office = Office(rules)
    message = office.get(kind, mail=address.encode())
    assert asyncio.run(office.answer_to(message)) == recipient


# -- sending


def test_everything_is_kept_before_the_tone() -> None:
    async def story() -> None:
        office = Office()
        dispatch = await office.begin(office.get(MessageKind.VOICE, "+493012345678"))
        [facts] = office.spool.open.values()
        assert facts.caller == Caller("+4930555101", "Anna Berg")
        assert facts.sending
        assert facts.sending.original is MessageKind.VOICE
        assert facts.sending.quoted
        assert facts.sending.quoted.caller.number == "+493012345678"
        assert facts.sending.reply_to == "anna@example.org"
        assert office.spool.originals[facts.id] == Path("/recordings/m1.wav")
        await office.say(dispatch)
        await dispatch.toggle_urgent()
        assert await dispatch.send()
        [message] = office.spool.kept
        assert (message.facts.urgent, message.seconds, office.kept) == (True, 3.0, 1)
        await dispatch.drop()
        assert office.spool.kept == [message]

    run_virtually(story())


@pytest.mark.parametrize("errand", [Errand.FORWARD, Errand.REPLY, Errand.MESSAGE])
def test_only_a_forward_goes_without_a_word(errand: Errand) -> None:
    async def story() -> None:
        office = Office()
        message = None if errand is Errand.MESSAGE else office.get(MessageKind.MAIL, mail=b"x")
        dispatch = await office.begin(message, errand)
        assert not dispatch.has_take
        assert await dispatch.send() is (errand is Errand.FORWARD)
        assert len(office.spool.kept) == office.kept == (errand is Errand.FORWARD)
        assert not office.spool.open

    run_virtually(story())


def test_what_is_dropped_is_forgotten() -> None:
    async def story() -> None:
        office = Office()
        dispatch = await office.begin(office.get(MessageKind.VOICE))
        await office.say(dispatch)
        await dispatch.drop()
        assert not await dispatch.send()
        assert (office.spool.open, office.spool.kept, office.kept) == ({}, [], 0)

    run_virtually(story())


@pytest.mark.parametrize("said", [True, False])
def test_after_a_crash_what_was_said_is_sent_and_nothing_else(said: bool) -> None:
    async def story() -> None:
        office = Office()
        dispatch = await office.begin(office.get(MessageKind.VOICE))
        if said:
            office.spool.takes[dispatch.next_take()] = Take(3.0, 3.0)
        office.spool.new_controller()
        sendings = office.sendings
        adoption = Adoption(office.spool, sendings.clock, Rules(), "pbx.example", timedelta(0))
        fates = await adoption.run(_gone)
        assert fates[Fate.KEPT] == said
        assert fates[Fate.NOTHING_SAID] == (not said)
        assert [bool(message.original) for message in office.spool.kept] == [True] * said

    run_virtually(story())


@pytest.mark.parametrize("trouble", [MailboxUnavailable, MessageGone, SpoolFull])
def test_an_original_that_cannot_be_copied_leaves_nothing_behind(
    trouble: type[Exception],
) -> None:
    async def story() -> None:
        office = Office()
        message = office.get(MessageKind.MAIL, mail=b"x")
        match trouble():
            case MessageGone():
                office.mailboxes.lose(ANNA, "m1")
            case SpoolFull():
                office.spool.refuses = {"attach"}
            case _:
                office.spool.seconds = 1.0
        begun = asyncio.create_task(office.begin(message))
        await asyncio.sleep(0.5)
        office.mailboxes.unavailable = trouble is MailboxUnavailable
        with pytest.raises(trouble):
            await begun
        assert not office.spool.open

    run_virtually(story())


def test_a_mail_that_is_too_large_is_refused() -> None:
    async def story() -> None:
        office = Office(replace(RULES, largest_mail=100))
        for mail, fits in ((b"x" * 100, True), (b"x" * 101, False)):
            message = office.get(MessageKind.MAIL, mail=mail)
            if fits:
                await (await office.begin(message)).drop()
            else:
                with pytest.raises(OriginalTooLarge):
                    await office.begin(message)
        assert not office.spool.open

    run_virtually(story())


def test_recipients_and_sendings_of_a_day_are_limited() -> None:
    async def story() -> None:
        office = Office()
        crowd = [Colleague(str(n)) for n in range(4)]
        for too_many in (crowd, ()):
            with pytest.raises(TooManySendings):
                await office.begin(None, Errand.MESSAGE, too_many)
        for _ in range(2):
            await (await office.begin(None, Errand.MESSAGE)).drop()
        with pytest.raises(TooManySendings, match="sent 2 times today"):
            await office.begin(None, Errand.MESSAGE)
        await asyncio.sleep(24 * 3600)
        await office.begin(None, Errand.MESSAGE)

    run_virtually(story())


@pytest.mark.parametrize(("recipient", "possible"), [(Colleague("bert"), True), (DORA, False)])
def test_what_nobody_can_count_does_not_leave_the_house(
    recipient: Recipient, possible: bool
) -> None:
    async def story() -> None:
        office = Office()
        office.directory.unavailable = True
        if possible:
            await office.begin(None, Errand.MESSAGE, [recipient])
        else:
            with pytest.raises(TooManySendings, match="nobody can count it"):
                await office.begin(None, Errand.MESSAGE, [recipient])

    run_virtually(story())


def test_without_a_mail_server_only_colleagues_are_offered(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert house.sendings.outside("003012345678", Line.VOICE) is None
        await house.send(Colleague("bert"))
        assert len(house.mails_of(BERT)) == 1

    at(tmp_path, story, by_mail=False)
