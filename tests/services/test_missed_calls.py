"""From a call that is over to the mail in the queue, whatever is away or dies."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.services.missed_call_house import (
    ANNA,
    BEN,
    CALLER,
    RULES,
    START,
    House,
    body,
    call,
    on,
    ring,
    the_mail,
)
from vm_ari.domain.callers import Caller
from vm_ari.domain.contacts import Contact
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.missed_calls import MissedCallRules, NotFor, Outcome, Tell
from vm_ari.domain.ringing import RungCall
from vm_ari.domain.users import User
from vm_ari.services.left_messages import NotedMessages, silent_call
from vm_ari.services.missed_calls import GIVES_UP, HELD, WAITS_FOR_CONTACTS


def test_whoever_missed_a_call_is_told_once_and_a_little_later(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        both = call("c1", ring("101"), ring("102"), ring("101"))
        await house.service.over(both)
        await house.service.over(both)
        await asyncio.sleep(9)
        assert await house.told() == []
        await asyncio.sleep(2)
        assert await house.told() == ["anna", "ben"]
        await asyncio.sleep(3600)
        await house.service.over(both)
        await asyncio.sleep(60)
        assert await house.told() == ["anna", "ben"]
        assert await house.fates("c1") == {"anna": "told", "ben": "told"}

    on(House(tmp_path), story)


def test_a_call_that_every_phone_answered_is_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.service.over(call("c1", ring("101", answered=True), by="101"))
        await house.service.over(replace(call("c2"), rings=()))
        await asyncio.sleep(60)
        assert await house.log.records() == []

    on(House(tmp_path), story)


class Delivered:
    """A courier with whom everything arrives."""

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""

    async def has(self, message: VoiceMessage, user: User) -> bool:
        return False


@pytest.mark.parametrize("wanted", [False, True])
def test_a_message_that_was_left_is_known(tmp_path: Path, wanted: bool) -> None:
    facts = CallFacts("m", "<m@x>", "c1", "101", "anna", Caller(CALLER), START)

    async def story(house: House) -> None:
        courier = NotedMessages(Delivered(), house.service.message_left)
        await house.service.over(call())
        await asyncio.sleep(5)
        await courier.deliver(VoiceMessage(facts, "", 3.0), ANNA)
        await asyncio.sleep(10)
        assert await house.told() == (["anna"] if wanted else [])
        if wanted:
            [mail] = await house.mails()
            assert "Sprachnachricht hinterlassen" in body(mail, "plain")

    on(House(tmp_path, replace(RULES, message_left=wanted)), story)


def test_a_repeat_is_told_again_after_a_login(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for name, told in (("c1", 1), ("c2", 1), ("c3", 2), ("c4", 2)):
            if name == "c3":
                await asyncio.sleep(60)
                house.service.signed_in(ANNA)
            now = house.clock.now()
            await house.service.over(replace(call(name), began=now, ended=now))
            await asyncio.sleep(30)
            assert len(await house.told()) == told, name

    on(House(tmp_path, replace(RULES, not_for=frozenset({NotFor.UNTIL_LOGIN}))), story)


def test_the_day_counts_after_a_restart_too(tmp_path: Path) -> None:
    rules = replace(RULES, not_for=frozenset({NotFor.SAME_DAY}))

    async def first(house: House) -> None:
        await house.service.over(call("c1"))
        await asyncio.sleep(30)

    async def second(house: House) -> None:
        await house.service.over(call("c2"))
        await house.service.over(replace(call("c3"), began=START + timedelta(days=1)))
        await asyncio.sleep(60)
        assert await house.fates("c2") == {"anna": "same-day"}
        assert await house.fates("c3") == {"anna": "told"}

    on(House(tmp_path, rules), first)
    on(House(tmp_path, rules), second)


def test_the_mail_goes_without_contact_when_nobody_says_who_it_is(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.book.away = True
        mail = await the_mail(house)
        assert mail["Subject"] == "Entgangener Anruf: +49 89 123456"
        assert mail["Reply-To"] is None

    on(House(tmp_path), story)


UNKNOWN = replace(RULES, not_for=frozenset({NotFor.UNKNOWN}))


def test_where_only_known_callers_count_the_mail_waits_for_the_contact(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.book.away = True
        await house.service.over(call("known"))
        await house.service.over(call("unknown", caller="+4312345678"))
        await asyncio.sleep(3600)
        assert await house.told() == []
        house.book.away = False
        await asyncio.sleep(3600)
        assert await house.fates("known") == {"anna": "told"}
        assert await house.fates("unknown") == {"anna": "unknown"}

    on(House(tmp_path, UNKNOWN), story)


def test_it_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.book.away = True
        await house.service.over(call())
        await asyncio.sleep(60)
        house.clock.offset += WAITS_FOR_CONTACTS
        await asyncio.sleep(3600)
        assert await house.told() == ["anna"]

    on(House(tmp_path, UNKNOWN), story)


def test_a_directory_that_is_away_delays_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.directory.unavailable = True
        await house.service.over(call())
        await asyncio.sleep(600)
        house.directory.unavailable = False
        await asyncio.sleep(3600)
        assert await house.told() == ["anna"]

    on(House(tmp_path), story)


def test_what_cannot_be_told_for_days_is_given_up(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.directory.unavailable = True
        await house.service.over(call())
        await asyncio.sleep(60)
        house.clock.offset += GIVES_UP
        await asyncio.sleep(7200)
        assert await house.fates("c1") == {"": "given-up"}
        house.directory.unavailable = False
        await asyncio.sleep(7200)
        assert await house.told() == []

    on(House(tmp_path), story)


def test_a_template_that_is_broken_stops_no_other_call(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        hostile = Contact("\ud800", "", "", ())
        house.book.known["+43"] = hostile
        await house.service.over(call("bad", caller="+43"))
        await house.service.over(call("good"))
        await asyncio.sleep(60)
        assert await house.fates("good") == {"anna": "told"}

    on(House(tmp_path), story)


def test_a_controller_that_dies_leaves_it_to_the_next(tmp_path: Path) -> None:
    """At any of the steps: written down, in hand, told but not noted."""

    async def first(house: House) -> None:
        await house.service.over(call("c1"))

    async def second(house: House) -> None:
        house.clock.offset += timedelta(minutes=1)
        [case] = await house.log.take(house.clock.now(), house.clock.now() + HELD)
        await house.service._decided(case)  # and then it dies
        assert await house.told() == ["anna"]

    async def third(house: House) -> None:
        house.clock.offset += timedelta(minutes=10)
        await asyncio.sleep(60)
        assert await house.told() == ["anna"], "no second mail"
        assert await house.fates("c1") == {"anna": "told"}

    house = House(tmp_path)
    for story in (first, second, third):
        on(house, story)


def test_a_log_that_is_away_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no directory")

    async def story(house: House) -> None:
        await house.service.over(call())
        await asyncio.sleep(60)
        (tmp_path / "log").unlink()
        await asyncio.sleep(120)
        assert await house.fates("c1") == {"anna": "told"}

    on(House(tmp_path), story)


def test_mail_and_journal_are_set_apart(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.directory.users["anna"] = replace(ANNA, missed_calls=False)
        house.directory.users["ben"] = replace(BEN, missed_calls_journal=False)
        await house.service.over(call("c1", ring("101"), ring("102")))
        await asyncio.sleep(30)
        assert await house.told() == ["ben"]
        assert house.noted == [("anna", Outcome.OPTED_OUT, "")]

    on(House(tmp_path), story)


def entry(channel: str = "c1", **changes: Any) -> JournalEntry:
    """What the journal hears of a caller who says nothing in Anna's mailbox."""
    same = JournalEntry(
        f"node/{channel}",
        Kind.CALL,
        START + timedelta(seconds=8),
        ended=START + timedelta(seconds=12),
        result=Result.NOTHING_SAID,
        user_id="anna",
        caller=Caller(CALLER),
        called="+4930555101",
    )
    return replace(same, **changes)


def silent(channel: str = "c1", **changes: Any) -> RungCall:
    one = silent_call(channel, entry(channel, **changes))
    assert one is not None
    return one


@pytest.mark.parametrize(
    "changes", [{"result": one} for one in set(Result) - {Result.NOTHING_SAID}]
)
def test_only_silence_counts_as_a_missed_call(changes: dict[str, Any]) -> None:
    assert silent_call("c1", entry(**changes)) is None
    assert silent_call("c1", entry(user_id="")) is None, "nobody's mailbox"


@pytest.mark.feature_part("CALL-06", "a call in which nothing is said is missed, though none rang")
def test_who_says_nothing_in_a_mailbox_is_told_of_even_after_a_restart(tmp_path: Path) -> None:
    async def first(house: House) -> None:
        house.service.nothing_said(silent())
        house.service.nothing_said(silent())
        await house.service.settle()

    async def second(house: House) -> None:
        await asyncio.sleep(60)
        [mail] = await house.mails()
        assert await house.told() == ["anna"]
        assert "Mailbox, und es wurde nichts gesagt" in body(mail, "plain")
        assert "nichts gesagt" in body(mail, "html")
        assert "klingelte" not in body(mail, "plain") + body(mail, "html")
        assert house.noted == [("anna", Outcome.TOLD, "")]

    on(House(tmp_path), first)
    on(House(tmp_path, replace(RULES, tell=Tell.LAST)), second)


@pytest.mark.parametrize("first", ["phones", "mailbox"])
@pytest.mark.parametrize(
    ("rung", "channel", "told"),
    [
        (call("c1", ring("101")), "c1", ["anna"]),
        (call("c1", ring("102")), "c1", ["ben"]),
        (call("c1/2", ring("101")), "c1", ["anna"]),
        (call("c1", ring("101")), "sent-on", ["anna"]),  # by his number
        (call("c1", ring("109")), "c1", ["anna"]),  # nobody's phone
        (call("c1", ring("102"), ring("103", answered=True), by="103"), "c1", ["anna"]),
        (call("c1", ring("102"), caller="+4312345678"), "other", ["anna", "ben"]),
    ],
)
def test_phones_and_mailbox_are_one_call(
    tmp_path: Path, first: str, rung: RungCall, channel: str, told: list[str]
) -> None:
    async def story(house: House) -> None:
        if first == "phones":
            await house.service.over(rung)
            await asyncio.sleep(3)
        house.service.nothing_said(silent(channel))
        if first == "mailbox":
            await asyncio.sleep(3)
            await house.service.over(rung)
        await asyncio.sleep(60)
        assert await house.told() == told
        assert len([one for one in house.noted if one[0] == "anna"]) == told.count("anna")

    on(House(tmp_path), story)


@pytest.mark.parametrize(
    ("changes", "rules", "fate"),
    [
        ({"caller": Caller("+4930555101")}, RULES, "own-call"),
        ({}, replace(RULES, tell=Tell.NOBODY), "site-tells-nobody"),
        ({"caller": Caller()}, replace(RULES, not_for=frozenset({NotFor.WITHHELD})), "withheld"),
        ({"user_id": "ben"}, RULES, "opted-out"),
    ],
)
def test_the_same_rules_count_for_the_mailbox(
    tmp_path: Path, changes: dict[str, Any], rules: MissedCallRules, fate: str
) -> None:
    async def story(house: House) -> None:
        house.directory.users["ben"] = replace(BEN, missed_calls=False)
        one = silent(**changes)
        house.service.nothing_said(one)
        house.service.nothing_said(silent("c2", user_id="gone"))
        await asyncio.sleep(60)
        assert await house.fates(one.id) == {one.silent_for: fate}
        assert await house.fates(silent("c2").id) == {}
        assert await house.told() == []

    on(House(tmp_path, rules), story)
