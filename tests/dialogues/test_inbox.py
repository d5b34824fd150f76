"""Remote inquiry: what is heard of a message, and when it counts as heard."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, PIN, START, audio_of, logged_in, message
from tests.dialogues.listening import (
    PLACES,
    A,
    B,
    C,
    at_audio,
    at_heading,
    at_options,
    inbox_of,
    played,
)
from tests.phone import Phone
from vm_ari.dialogues.inbox import OPTIONS as ALL_OPTIONS
from vm_ari.domain.numbers import Site
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Duration, Moment, Number
from vm_ari.telephony.menu import spoken

OPTIONS = [item for item in ALL_OPTIONS if item.hideable is None]
"""Those that every message has."""

# --- what is heard


@pytest.mark.feature_part("INBOX-03", "number, date and time, sender, then the content")
def test_a_message_begins_with_its_number_time_and_sender() -> None:
    site = inbox_of(A)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        when, now = (moment.replace(tzinfo=None) for moment in (A.received, START))
        local = [moment.replace(hour=moment.hour + 1) for moment in (when, now)]
        await phone.hears(P.MESSAGE_NUMBER, Number(1), Moment(*local), P.FROM, Digits("102"))
        await phone.hears(audio_of(A))
        await phone.hears(*spoken(OPTIONS, site.desk.keys))
        phone.hangs_up()

    told = logged_in(site, caller)
    assert "en/urgent" not in told.phone.heard_names()
    assert "en/moment/today" in told.phone.heard_names()
    assert "en/moment/at-2" in told.phone.heard_names()


@pytest.mark.feature_part("INBOX-03", "the sender's number")
@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+4930555102", (P.FROM, Digits("102"), audio_of(A))),
        ("+4989123", (P.FROM, Digits("+4989123"), audio_of(A))),
        ("", (P.FROM_UNKNOWN, audio_of(A))),
    ],
)
def test_the_sender_is_said_as_people_dial_him(number: str, said: tuple[P, ...]) -> None:
    site = inbox_of(
        replace(A, caller=replace(A.caller, number=number)), site=Site("DE", "+4930555")
    )
    site.directory.users[ANNA.id] = replace(ANNA, numbers=("+4930555101",))

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(*said)
        phone.hangs_up()

    told = logged_in(site, caller)
    assert told.phone.heard_names()[-1] == "/listening/a"


@pytest.mark.feature_part("INBOX-01", "urgent ones come first, then the newest")
def test_urgent_messages_come_first_then_the_newest() -> None:
    urgent = [message(f"u{n}", minutes_ago=60 * n, urgent=True) for n in (2, 1)]
    site = inbox_of(C, *urgent, A, B)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        for number in range(1, 6):
            await at_heading(phone, number)
            if number < 3:
                await phone.hears(P.URGENT)
            await phone.hears(P.TO_REPEAT)
            phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    told = logged_in(site, caller)
    assert played(told) == ["u1", "u2", "a", "b", "c"]
    assert told.phone.heard_names().count("en/urgent") == 2


@pytest.mark.feature_part("INBOX-03", "times are those of the user's zone")
def test_an_unknown_time_zone_costs_the_zone_not_the_message(logs: Logs) -> None:
    site = inbox_of(A)
    site.directory.users[ANNA.id] = replace(ANNA, time_zone="Mars/Olympus")

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        phone.hangs_up()

    told = logged_in(site, caller)
    assert "en/moment/at-1" in told.phone.heard_names()
    assert [entry["event"] for entry in logs] == ["unknown time zone"]


@pytest.mark.parametrize(
    "received", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles"])
def test_a_senseless_date_does_not_close_the_mailbox(received: datetime, zone: str) -> None:
    site = inbox_of(replace(A, received=received))
    site.directory.users[ANNA.id] = replace(ANNA, time_zone=zone)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        phone.hangs_up()

    logged_in(site, caller)


# --- heard becomes read


@pytest.mark.feature_part("INBOX-02", "heard becomes read")
@pytest.mark.feature_part("NOTIFY-02", "the lamp follows at once")
def test_a_message_that_was_listened_to_is_no_longer_new() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        assert site.counts() == (3, 0)
        await phone.hears(P.TO_REPEAT)
        assert site.counts() == (2, 1)
        assert site.lamps.shown == {"101": (2, 1)}
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 1)


@pytest.mark.feature_part("INBOX-02", "new stays what was not listened to")
@pytest.mark.parametrize("place", ["heading", "audio"])
def test_who_hangs_up_before_the_end_finds_it_new_again(place: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await PLACES[place](phone)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (3, 0)
    assert site.lamps.shown == {}


@pytest.mark.feature_part("INBOX-02", "new stays what was not listened to")
def test_a_message_that_is_passed_over_at_its_heading_stays_new() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        for number in (1, 2):
            await at_heading(phone, number)
            phone.presses("6")
        await at_options(phone, C)
        phone.hangs_up()

    assert played(logged_in(site, caller)) == ["c"]
    assert site.counts() == (2, 1)
    assert not site.mailboxes.inboxes["anna"]["c"].new


def test_what_is_skipped_in_the_middle_counts_as_heard() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(0.5)
        phone.presses("6")
        await at_heading(phone, 2)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 1)


@pytest.mark.feature_part("INBOX-04", "keep as new")
def test_a_message_kept_as_new_stays_new_however_often_it_is_repeated() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("2")
        await phone.hears(P.MESSAGE_KEPT_NEW)
        assert site.lamps.shown == {"101": (3, 0)}
        phone.presses("1")
        await at_options(phone)
        phone.presses("6")
        await at_heading(phone, 2)
        phone.presses("4")
        await at_options(phone)
        phone.hangs_up()

    assert played(logged_in(site, caller)) == ["a", "a", "a"]
    assert site.counts() == (3, 0)


@pytest.mark.feature_part("INBOX-04", "keep as new")
def test_who_keeps_a_message_as_new_before_he_listens_finds_it_new() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("2")
        await phone.hears(P.MESSAGE_KEPT_NEW, P.TO_REPEAT)
        phone.presses("1")
        await at_options(phone)
        phone.hangs_up()

    assert played(logged_in(site, caller)) == ["a"]
    assert site.counts() == (3, 0)


@pytest.mark.feature_part("INBOX-04", "keep as new")
def test_a_heard_message_can_be_made_new() -> None:
    site = inbox_of(replace(A, new=False))

    async def caller(phone: Phone) -> None:
        phone.presses("2")
        await at_options(phone)
        assert site.lamps.history == []
        phone.presses("2")
        await phone.hears(P.MESSAGE_KEPT_NEW)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (1, 0)
    assert site.lamps.history == [("101", 1, 0)]


# --- without spoken options


@pytest.mark.feature_part("INBOX-04", "options are spoken after the message, or on request")
def test_without_spoken_options_the_keys_work_and_are_told_on_request() -> None:
    site = inbox_of(options_after_message=False)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(3)
        assert phone.heard_names()[-1] == "/listening/a"
        phone.presses("0")
        await phone.hears(*spoken(OPTIONS, site.desk.keys))
        phone.presses("9")
        await phone.hears(P.RECEIVED, Duration(65))
        await phone.waits(3)
        assert phone.heard_names()[-1] == "en/duration/seconds"
        phone.presses("6")
        await at_audio(phone, B)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 1)


@pytest.mark.feature_part("INBOX-04", "options are spoken after the message, or on request")
def test_who_does_not_know_the_keys_is_told_how_to_hear_them() -> None:
    site = inbox_of(options_after_message=False)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.hears(P.PLEASE_CHOOSE, P.FOR_OPTIONS, P.PRESS, Digits("0"))
        phone.presses("5")
        await phone.hears(P.KEY_NOT_USED, P.FOR_OPTIONS, P.PRESS, Digits("0"))
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = logged_in(site, caller)
    assert told.channel.left == ("SUCCESS", "")


@pytest.mark.feature_part("MENU-03", "three empty inputs end politely")
def test_who_falls_asleep_is_said_goodbye_to() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.TO_REPEAT, P.PLEASE_CHOOSE, P.TO_REPEAT, P.PLEASE_CHOOSE, P.TO_REPEAT)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert logged_in(site, caller).channel.left == ("SUCCESS", "")
    assert site.counts() == (2, 1)


@pytest.mark.feature_part("MENU-03", "keys typed ahead are never lost")
def test_a_whole_inquiry_can_be_typed_ahead() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses(f"*{PIN}#1762676#")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names() == ["en/goodbye"]
    deleted = sorted(site.mailboxes.deleted["anna"])
    assert deleted == ["a", "c"]
    assert site.counts() == (1, 0)
