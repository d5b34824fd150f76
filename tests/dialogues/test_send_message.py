"""Record and send: a new message to people, numbers and lists (INBOX-13)."""

from dataclasses import replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import logged_in
from tests.dialogues.own_menus import said
from tests.dialogues.sending_site import (
    BERLIN,
    GATEWAYS,
    HOUSE_ONLY,
    TO_BERT,
    TO_CARLA,
    TO_DORA,
    TYPED,
    VOICE,
    SendingSite,
    Sent,
    chooses,
    in_send_menu,
    number,
    site_with,
    speaks,
)
from tests.phone import Phone
from vm_ari.domain.sending import Errand
from vm_ari.domain.sending_rules import SendingRules
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Recorded

MESSAGE = Errand.MESSAGE


def only(site: SendingSite) -> Sent:
    [sent] = site.sent
    assert not site.spool.open
    return sent


@pytest.mark.feature_part("INBOX-13", "to one mailbox, and the user is told to whom")
def test_a_message_to_one_person_is_recorded_and_sent() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        await chooses(phone, "102")
        await phone.hears(P.SPEAK_AFTER_TONE)
        await speaks(phone)
        await phone.hears(P.TO_SEND, P.TO_HEAR, P.TO_REDO, P.TO_MARK_URGENT, P.TO_DISCARD)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("102"), P.FOR_NEW_VOICE_MESSAGES)

    in_send_menu(site, story)
    assert only(site) == Sent(MESSAGE, (TO_BERT,), 5, urgent=False)


@pytest.mark.feature_part("INBOX-13", "to several, with lists; nobody gets it twice")
def test_several_people_and_lists_get_it_once_each() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        await chooses(phone, "103", "77", "102")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("103"), P.THE_LIST, *number("77"), *number("102"))

    in_send_menu(site, story)
    assert only(site).to == (TO_CARLA, TO_DORA, TO_BERT)


def test_many_recipients_are_not_all_said_again() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        await chooses(phone, "102", "103", "104", "102")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.MESSAGE_SENT, P.FOR_NEW_VOICE_MESSAGES)

    in_send_menu(site, story)
    assert only(site).to == (TO_BERT, TO_CARLA, TO_DORA)


@pytest.mark.feature_part("INBOX-13", "the recipients are read back, and the last one removed")
def test_the_recipients_are_read_back_and_the_last_one_is_removed() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102#1103#")
        await phone.hears(P.MESSAGE_GOES_TO, *number("103"), P.TO_CONTINUE, P.TO_HEAR_RECIPIENTS)
        phone.presses("3")
        await phone.hears(P.MESSAGE_GOES_TO, *number("102"), *number("103"), P.TO_REMOVE_LAST)
        phone.presses("7")
        await phone.hears(P.RECIPIENT_REMOVED, P.TO_CONTINUE)
        phone.presses("7")
        await phone.hears(P.RECIPIENT_REMOVED, P.FOR_NUMBER_OR_LIST, P.TO_GO_BACK)
        phone.presses("#")
        await phone.hears(P.KEY_NOT_USED)
        phone.presses("1104#")
        await phone.hears(P.MESSAGE_GOES_TO, *number("104"))
        phone.presses("#")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("104"))

    in_send_menu(site, story)
    assert only(site).to == (TO_DORA,)


@pytest.mark.feature_part("MENU-03", "everything can be typed ahead")
def test_the_whole_way_to_the_tone_can_be_typed_ahead() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102###")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    told = in_send_menu(site, story)
    assert only(site).to == (TO_BERT,)
    assert not said(told, P.SPEAK_AFTER_TONE)


@pytest.mark.parametrize("keys", ["*", "1**", "1102#*", "2**", "1102#7*"])
def test_the_star_key_goes_back_and_nothing_is_left(keys: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        await phone.hears(P.FOR_NUMBER_OR_LIST)
        phone.presses(keys)
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES, P.TO_END)

    in_send_menu(site, story)
    assert not site.sent
    assert not site.spool.open


@pytest.mark.parametrize(
    ("rules", "typed", "words"),
    [
        (HOUSE_ONLY, "999", P.UNKNOWN_RECIPIENT),
        (HOUSE_ONLY, TYPED, P.UNKNOWN_RECIPIENT),
        (GATEWAYS, "0900123456", P.CANNOT_SEND_THERE),
        (GATEWAYS, "00123", P.CANNOT_SEND_THERE),
        (GATEWAYS, "112", P.CANNOT_SEND_THERE),
        (GATEWAYS, "78", P.UNKNOWN_RECIPIENT),
    ],
    ids=["unknown", "no gateway", "premium", "no number", "emergency", "list of nobody"],
)
@pytest.mark.feature_part("SITE-03", "nothing is sent to a number that may not be dialled")
def test_a_number_that_nothing_can_be_sent_to_is_asked_for_again(
    rules: SendingRules, typed: str, words: P
) -> None:
    site = site_with()
    site.rule_sending(rules)

    async def story(phone: Phone) -> None:
        phone.presses(f"1{typed}#102##")  # typed ahead for another situation
        await phone.hears(words, P.ENTER_DESTINATION)
        phone.presses("102#")
        await phone.hears(P.MESSAGE_GOES_TO, *number("102"))

    in_send_menu(site, story)
    assert not site.sent


def test_three_unknown_numbers_end_the_call_politely() -> None:
    site = site_with()
    site.rule_sending(HOUSE_ONLY)

    async def story(phone: Phone) -> None:
        phone.presses("1")
        for _ in range(3):
            await phone.hears(P.ENTER_DESTINATION)
            phone.presses("999#")
            await phone.hears(P.UNKNOWN_RECIPIENT)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert in_send_menu(site, story).channel.left == ("SUCCESS", "")


def test_too_many_recipients_are_told_before_anybody_speaks() -> None:
    site = site_with()
    site.rule_sending(replace(GATEWAYS, most_recipients=2))

    async def story(phone: Phone) -> None:
        phone.presses("1102#177##")  # a list of two: three altogether
        await phone.hears(P.TOO_MANY_RECIPIENTS, P.TO_CONTINUE)
        phone.presses("1103#1102#1104#")
        await phone.hears(P.TOO_MANY_RECIPIENTS, P.TO_CONTINUE)
        phone.presses("#")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("102"), *number("103"), *number("102"))

    in_send_menu(site, story)
    assert only(site).to == (TO_BERT, TO_CARLA)


def test_who_has_sent_enough_for_a_day_is_told_before_the_tone(logs: Logs) -> None:
    site = site_with()
    site.rule_sending(replace(GATEWAYS, per_day=1))

    async def story(phone: Phone) -> None:
        await chooses(phone, "102")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO, P.TO_END)
        phone.presses("91103##")
        await phone.hears(P.NO_MORE_TODAY, P.FOR_NEW_VOICE_MESSAGES)

    in_send_menu(site, story)
    assert only(site).to == (TO_BERT,)
    assert [e["reason"] for e in logs if e["event"] == "sending refused"]


@pytest.mark.feature_part("INBOX-13", "an outside number is read aloud and confirmed")
@pytest.mark.parametrize("confirmed", [True, False])
def test_an_outside_number_is_read_aloud_and_must_be_confirmed(confirmed: bool) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("103012345678#")
        await phone.hears(P.MESSAGE_GOES_TO, *number(BERLIN), P.TO_CONFIRM, P.TO_GO_BACK)
        phone.presses("1" if confirmed else "*")
        if not confirmed:
            await phone.hears(P.FOR_NUMBER_OR_LIST)
            phone.presses("1102#")
        await phone.hears(P.MESSAGE_GOES_TO, P.TO_CONTINUE)
        phone.presses("#")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    told = in_send_menu(site, story)
    assert only(site).to == (VOICE if confirmed else TO_BERT,)
    assert not said(told, P.AS_FAX), "there is nothing on paper"


def test_a_directory_that_does_not_answer_costs_only_this_recipient(logs: Logs) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102#")
        await phone.hears(P.MESSAGE_GOES_TO)
        site.directory.unavailable = True
        for keys in ("1103##", "222#1"):
            phone.presses(keys)
            await phone.hears(P.NOT_POSSIBLE_NOW, P.TO_CONTINUE, P.TO_GO_BACK)
        phone.presses("#")
        await speaks(phone)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("102"))

    in_send_menu(site, story)
    assert only(site).to == (TO_BERT,)
    assert [e["reason"] for e in logs if e["event"] == "recipient not found"] == [
        "the test says so"
    ] * 2


# --- behind the tone


def test_what_was_spoken_is_heard_recorded_again_and_marked() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone, 5)
        await phone.hears(P.TO_HEAR)
        phone.presses("2")
        [facts] = site.spool.open.values()
        await phone.hears(Recorded(str(site.spool.recording_path(facts.id, 1))), P.TO_REDO)
        phone.presses("3")
        await speaks(phone, 7)
        await phone.hears(P.TO_MARK_URGENT, P.PRESS, Digits("4"))
        phone.presses("4")
        await phone.hears(P.MARKED_URGENT, P.TO_MARK_NORMAL)
        phone.presses("4")
        await phone.hears(P.MARKED_NORMAL, P.TO_MARK_URGENT)
        phone.presses("4")
        await phone.hears(P.MARKED_URGENT)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    in_send_menu(site, story)
    assert only(site) == Sent(MESSAGE, (TO_BERT,), 7, urgent=True)


def test_what_is_discarded_is_gone() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone)
        await phone.hears(P.TO_DISCARD)
        phone.presses("*")
        await phone.hears(P.NOT_SENT, P.FOR_NEW_VOICE_MESSAGES)

    in_send_menu(site, story)
    assert not site.sent
    assert (site.spool.open, site.spool.takes, site.spool.kept) == ({}, {}, [])


@pytest.mark.parametrize("seconds", [0, 0.5])
def test_who_said_nothing_may_speak_again_or_go_back_but_not_send(seconds: float) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone, seconds)
        await phone.hears(P.NOTHING_RECORDED, P.TO_REDO, P.TO_DISCARD)
        phone.presses("1")
        await phone.hears(P.KEY_NOT_USED, P.TO_REDO)
        phone.presses("3")
        await speaks(phone, 4)
        await phone.hears(P.TO_SEND)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    in_send_menu(site, story)
    assert only(site).seconds == 4


@pytest.mark.parametrize(("spoken", "key"), [(0, k) for k in "1245678#0"] + [(5, "5"), (5, "#")])
def test_no_other_key_than_those_offered_is_accepted_behind_the_tone(spoken: int, key: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone, spoken)
        if spoken:
            await phone.hears(P.TO_SEND, P.TO_DISCARD)
            phone.presses("4")
            await phone.hears(P.TO_MARK_NORMAL, P.TO_DISCARD)
        await phone.hears(P.TO_DISCARD)
        phone.presses(key)
        await phone.hears(P.KEY_NOT_USED, P.TO_REDO, P.TO_DISCARD)
        phone.presses("*")
        await phone.hears(P.NOT_SENT)

    in_send_menu(site, story)
    assert not site.sent


def test_a_useless_second_take_leaves_the_first() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone, 5)
        await phone.hears(P.TO_REDO)
        phone.presses("3")
        await speaks(phone, 0)
        await phone.hears(P.NOTHING_RECORDED, P.TO_SEND)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    in_send_menu(site, story)
    assert only(site).seconds == 5


@pytest.mark.feature_part("INBOX-13", "what was said is sent though the user hangs up")
def test_whoever_hangs_up_has_sent_what_was_said_and_nothing_else() -> None:
    seen = set()
    for moment in range(2, 60, 2):
        site = site_with()

        async def story(phone: Phone) -> None:
            await chooses(phone, "102")
            await speaks(phone, 6)
            await phone.hears(P.TO_SEND, P.TO_DISCARD)

        told = in_send_menu(site, story, hang_up_after=moment + 0.5)
        assert not site.spool.open
        spoken = told.phone.heard_names()[-1] not in {"en/speak-after-tone", "tones/beep"}
        after = "tones/beep" in told.phone.heard_names() and spoken
        assert bool(site.sent) or not after
        assert all(sent.to == (TO_BERT,) for sent in site.sent)
        seen.add(len(site.sent))
    assert seen == {0, 1}


def test_silence_in_the_review_sends_and_the_call_ends_politely() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone)
        await phone.hears(P.TO_SEND, P.PLEASE_CHOOSE, P.PLEASE_CHOOSE, P.GOODBYE)
        await phone.hears_the_end()

    in_send_menu(site, story)
    assert only(site).seconds == 5


# --- faults


def test_a_full_disk_is_told_before_anybody_speaks(logs: Logs) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        site.spool.refuses.add("begin")
        phone.presses("1102##9")
        await phone.hears(P.CANNOT_STORE, P.FOR_NEW_VOICE_MESSAGES, P.TO_END)

    told = in_send_menu(site, story)
    assert not said(told, P.BEEP)
    assert [e["reason"] for e in logs if e["event"].startswith("nothing sent")]


def test_a_disk_that_fills_up_meanwhile_costs_no_word_that_was_said() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone)
        await phone.hears(P.TO_SEND)
        site.spool.refuses.add("keep")
        phone.presses("1")
        await phone.hears(P.CANNOT_STORE, P.FOR_NEW_VOICE_MESSAGES)

    in_send_menu(site, story)
    assert not site.sent
    assert len(site.spool.open) == len(site.spool.takes) == 1, "kept for a later try"


def test_a_mark_that_the_disk_refuses_costs_the_mark() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("1102##")
        await speaks(phone)
        await phone.hears(P.TO_MARK_URGENT)
        site.spool.refuses.add("begin")
        phone.presses("4")
        await phone.hears(P.NOT_DONE, P.TO_SEND, P.TO_MARK_URGENT)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    in_send_menu(site, story)
    assert only(site).urgent is False


def test_where_nothing_can_be_sent_it_is_not_offered() -> None:
    site = site_with()
    object.__setattr__(site.desk, "sendings", None)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES, P.TO_END)
        phone.presses("9")
        await phone.hears(P.KEY_NOT_USED)
        phone.hangs_up()

    assert not said(logged_in(site, caller), P.TO_SEND_A_MESSAGE)
