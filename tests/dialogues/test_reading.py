"""E-mails, faxes and text messages are read to the user (INBOX-01, -03, -05, -10)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.dialogues.exchange import ANNA, Exchange, logged_in, message
from tests.dialogues.reading_site import GERMAN, heard, put, site_of, stored, written
from tests.fake_voice import FakeFaxes, FakeVoice, said
from tests.phone import Phone
from vm_ari.dialogues.main_menu import main_items
from vm_ari.domain.messages import ListOrder, MessageKind
from vm_ari.domain.settings import InformationOrder
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Number
from vm_ari.telephony.menu import Action

CARLA, LUNCH, NOON = said("Carla Weber"), said("Lunch"), said("At noon?")


def states(site: Exchange) -> dict[str, bool]:
    """Which messages are new, by uid."""
    return {one.uid: one.new for one in site.mailboxes.of(ANNA)}


# --- what is heard


@pytest.mark.feature_part("INBOX-03", "number, type, date, sender, subject and content of a mail")
def test_a_mail_is_read_with_number_kind_date_sender_and_subject() -> None:
    site = site_of()
    put(site, "a", urgent=True)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE, P.AND, Counted(1, Noun.NEW_OTHER_MESSAGE))
        await phone.hears(P.FOR_NEW_MAILS_AND_FAXES)
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, Number(1), P.KIND_MAIL, P.URGENT)
        await phone.hears(P.FROM_NAME, CARLA, P.SUBJECT, LUNCH, NOON, P.TO_REPEAT)
        phone.presses("9")
        await phone.hears(P.RECEIVED, P.FROM_NAME, CARLA, P.TO_REPEAT)
        phone.presses("1")
        await phone.hears(P.MESSAGE_NUMBER, P.FROM_NAME, CARLA, P.SUBJECT, LUNCH, NOON)
        phone.hangs_up()

    told = logged_in(site, caller)
    assert "en/moment/today" in told.phone.heard_names()
    assert "en/length" not in told.phone.heard_names()
    assert states(site) == {"a": False}


@pytest.mark.feature_part("INBOX-10", "each text by the voice of its language")
def test_each_text_is_spoken_in_the_language_that_it_is_written_in() -> None:
    voice = FakeVoice()
    site = site_of(voice)
    put(site, "a", GERMAN)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(CARLA, P.TO_REPEAT)
        phone.hangs_up()

    logged_in(site, caller)
    spoken = {text.split(",")[0]: language for language, text in voice.asked}
    assert spoken["Guten Morgen Anna"] == "de"
    assert spoken["Carla Weber"] == "en", "a name is said by the listener's own voice"


@pytest.mark.feature_part("INBOX-03", "three orders, of mails")
@pytest.mark.parametrize("order", InformationOrder)
def test_the_order_of_the_site_holds_for_mails_too(order: InformationOrder) -> None:
    site = site_of(information_order=order)
    put(site, "a")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, P.TO_REPEAT)
        phone.hangs_up()

    names = logged_in(site, caller).phone.heard_names()
    places = {
        "date": names.index("en/moment/today"),
        "sender": names.index(CARLA.path),
        "content": names.index(LUNCH.path),
    }
    assert "-".join(sorted(places, key=lambda part: places[part])) == order.value
    assert names[names.index(LUNCH.path) + 1] == NOON.path
    assert names.count(CARLA.path) == 1


@pytest.mark.feature_part("INBOX-10", "a fax is read page by page")
def test_a_fax_is_read_page_by_page() -> None:
    site = site_of(faxes=FakeFaxes(["Dear Anna, please call.", "", GERMAN], seconds=2.0))
    put(site, "f", kind=MessageKind.FAX)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, P.KIND_FAX, P.FROM_NAME, CARLA, LUNCH)
        await phone.hears(said("Page 1 of 3."), said("Dear Anna, please call."), said("Page 2."))
        await phone.hears(said("There is no readable text on this page."), said("Page 3."))
        await phone.hears(P.TO_REPEAT)
        phone.hangs_up()

    assert heard(logged_in(site, caller))[-1].startswith("Viele Grüße") or states(site)
    assert states(site) == {"f": False}


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([], "This fax cannot be read aloud."),
        (["Dear Anna"], "No more of this fax can be read aloud."),
    ],
)
def test_a_fax_that_cannot_be_read_says_so(pages: list[str], words: str) -> None:
    site = site_of(faxes=FakeFaxes(pages, trouble="damaged"))
    put(site, "f", kind=MessageKind.FAX)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.KIND_FAX, CARLA, said(words), P.TO_REPEAT)
        phone.hangs_up()

    logged_in(site, caller)


def test_a_text_message_is_called_so() -> None:
    site = site_of()
    put(site, "s", kind=MessageKind.TEXT)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, P.KIND_TEXT, NOON)
        phone.hangs_up()

    logged_in(site, caller)


def test_a_mail_without_sender_and_subject_is_read_nevertheless() -> None:
    site = site_of()
    site.mailboxes.put(ANNA, stored("a"), mail=b"\r\nAt noon?\r\n")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.KIND_MAIL, NOON, P.TO_REPEAT)
        phone.presses("9")
        await phone.hears(P.RECEIVED, P.TO_REPEAT)
        phone.hangs_up()

    names = logged_in(site, caller).phone.heard_names()
    assert not {"en/from-name", "en/from-unknown", "en/subject"} & set(names)


# --- which messages


@pytest.mark.feature_part("INBOX-01", "urgent ones first, then in the site's order")
@pytest.mark.parametrize(
    ("order", "uids"),
    [(ListOrder.NEWEST_FIRST, "ubac"), (ListOrder.OLDEST_FIRST, "ucab")],
)
def test_urgent_ones_come_first_then_in_the_order_of_the_site(order: ListOrder, uids: str) -> None:
    site = site_of(list_order=order)
    for uid, minutes in [("a", 20), ("b", 10), ("c", 30)]:
        put(site, uid, f"This is the one with {uid}.", minutes_ago=minutes, kind=MessageKind.TEXT)
    put(site, "u", "This is the one with u.", minutes_ago=90, urgent=True)
    put(site, "old", new=False)
    site.put(message("v"))

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        for number, uid in enumerate(uids, start=1):
            await phone.hears(
                P.MESSAGE_NUMBER, Number(number), said(f"This is the one with {uid}.")
            )
            phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.presses("4")
        await phone.hears(P.MESSAGE_NUMBER, Number(1), said("This is the one with u."))
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (1, 5)


@pytest.mark.feature_part("INBOX-10", "mails and faxes can be switched off")
@pytest.mark.parametrize(
    ("settings", "offers", "count"),
    [
        ({}, [P.FOR_NEW_MAILS_AND_FAXES, P.FOR_READ_MAILS_AND_FAXES], 3),
        ({"read_faxes": False}, [P.FOR_NEW_MAILS, P.FOR_READ_MAILS], 2),
        ({"read_mails": False}, [P.FOR_NEW_FAXES, P.FOR_READ_FAXES], 1),
        ({"read_mails": False, "read_faxes": False}, [], 0),
    ],
)
def test_what_is_switched_off_is_neither_counted_nor_offered_nor_heard(
    settings: dict[str, Any], offers: list[P], count: int
) -> None:
    site = site_of(faxes=FakeFaxes(["Dear Anna"]))
    anna = site.directory.users[ANNA.id] = replace(ANNA, **settings)
    put(site, "a", minutes_ago=1)
    put(site, "f", kind=MessageKind.FAX, minutes_ago=2)
    put(site, "s", kind=MessageKind.TEXT, minutes_ago=3)
    offered = [i.offer for i in main_items(site.desk, anna.read_aloud) if "mail" in i.action.value]
    assert offered == offers

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE, *([Counted(count, Noun.NEW_OTHER_MESSAGE)] if count else ()))
        await phone.hears(P.TO_END)
        phone.presses("3")
        for number in range(1, count + 1):
            await phone.hears(P.MESSAGE_NUMBER, Number(number), P.TO_REPEAT)
            phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES if count else P.KEY_NOT_USED)
        phone.hangs_up()

    told = logged_in(site, caller)
    others = [name for name in told.phone.heard_names() if name.startswith("en/new-other")]
    assert bool(others) == bool(count)


def test_an_empty_list_is_said_to_be_empty() -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.YOU_HAVE, Counted(0, Noun.NEW_OTHER_MESSAGE), P.TO_END)
        phone.presses("4")
        await phone.hears(P.NO_READ_MAILS, P.TO_END)
        phone.hangs_up()

    logged_in(site, caller)


# --- when it counts as read


@pytest.mark.feature_part("INBOX-02", "a mail is read when its content was begun")
def test_a_mail_is_read_when_its_content_was_begun_and_not_before() -> None:
    site = site_of()
    put(site, "a", minutes_ago=1)
    put(site, "b", minutes_ago=2)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, Number(1), CARLA)
        phone.presses("6")
        await phone.hears(P.MESSAGE_NUMBER, Number(2), NOON)
        await phone.waits(0.5)
        phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == {"a": True, "b": False}


def test_who_hangs_up_in_a_mail_finds_it_new_again() -> None:
    site = site_of()
    put(site, "a")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(NOON)
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == {"a": True}


@pytest.mark.feature_part("INBOX-04", "every key, of a mail")
def test_a_mail_is_kept_new_deleted_brought_back_and_can_be_gone() -> None:
    site = site_of()
    for uid, minutes in [("a", 1), ("b", 2), ("c", 3)]:
        put(site, uid, f"This is the one with {uid}.", minutes_ago=minutes)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(said("This is the one with a."), P.TO_REPEAT)
        phone.presses("2")
        await phone.hears(P.MESSAGE_KEPT_NEW)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses("1")
        await phone.hears(said("This is the one with a."), P.TO_UNDELETE)
        phone.presses("7")
        await phone.hears(P.MESSAGE_RESTORED)
        phone.presses("6")
        await phone.hears(said("This is the one with b."))
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        site.mailboxes.lose(ANNA, "c")
        phone.presses("6")
        await phone.hears(P.MESSAGE_GONE, P.NO_MORE_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == {"a": True}
    assert list(site.mailboxes.deleted["anna"]) == ["b"]


# --- while it is made


def test_the_heading_is_heard_while_the_first_words_are_being_made() -> None:
    site = site_of(FakeVoice(seconds=4.0))
    put(site, "a")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        before = phone.now()
        await phone.hears(P.MESSAGE_NUMBER)
        assert phone.now() - before < 0.5
        await phone.hears(CARLA, LUNCH, NOON, P.TO_REPEAT)
        phone.hangs_up()

    told = logged_in(site, caller)
    assert told.channel.silences >= 1, "a line on which nothing plays gets silence"


@pytest.mark.parametrize("key", ["6", "7"])
def test_a_key_works_at_once_while_nothing_is_made_yet(key: str) -> None:
    site = site_of(FakeVoice(seconds=15.0))
    put(site, "a")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER)
        await phone.waits(12)
        before = phone.now()
        phone.presses(key)
        await phone.hears(P.NO_MORE_MESSAGES if key == "6" else P.MESSAGE_DELETED)
        assert phone.now() - before < 1.5
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == ({"a": True} if key == "6" else {})


@pytest.mark.feature_part("INBOX-10", "without a voice the user is told, and the call goes on")
@pytest.mark.parametrize(
    "voice", [FakeVoice(missing=True), FakeVoice(seconds=60.0), FakeVoice(fails_at="noon")]
)
def test_without_a_voice_the_user_hears_that_and_goes_on(voice: FakeVoice) -> None:
    site = site_of(voice)
    put(site, "a")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_NUMBER, P.KIND_MAIL, P.CANNOT_READ_ALOUD, P.TO_REPEAT)
        phone.presses("9")
        await phone.hears(P.RECEIVED)
        phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == {"a": True}


def test_a_voice_that_fails_in_the_middle_has_read_the_mail_so_far() -> None:
    site = site_of(FakeVoice(fails_at="One"))
    put(site, "a", "At noon?\r\n\r\nOne more.")

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(NOON, P.CANNOT_READ_ALOUD, P.TO_REPEAT)
        phone.hangs_up()

    logged_in(site, caller)
    assert states(site) == {"a": False}


def test_nothing_is_made_any_more_when_the_user_has_gone() -> None:
    voice = FakeVoice(seconds=1.0)
    site = site_of(voice)
    put(site, "a", "\r\n\r\n".join(f"Paragraph {n}." for n in range(40)))

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(said("Paragraph 2."))
        phone.hangs_up()
        await phone.waits(60)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(others) <= 2, "the test's own"

    logged_in(site, caller)
    assert len(voice.asked) < 10


def test_what_is_not_offered_is_not_there() -> None:
    site = Exchange()
    site.desk = replace(site.desk, readings=None)
    put(site, "a")
    assert not {Action.NEW_MAIL, Action.READ_MAIL} & {i.action for i in main_items(site.desk)}


def test_a_mail_that_holds_nothing_is_no_trap() -> None:
    site = site_of()
    site.mailboxes.put(ANNA, stored("a"), mail=b"")
    site.mailboxes.put(ANNA, stored("b", minutes_ago=20), mail=written(""))

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        for number in (1, 2):
            await phone.hears(P.MESSAGE_NUMBER, Number(number))
            await phone.hears(said("This e-mail contains no text."), P.TO_REPEAT)
            phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)
