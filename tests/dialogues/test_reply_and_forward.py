"""A message is answered, or forwarded with a spoken comment (INBOX-07, INBOX-08)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, logged_in, message
from tests.dialogues.listening import A, B, at_options, played
from tests.dialogues.own_menus import said
from tests.dialogues.sending_site import (
    BERLIN,
    FAX,
    FAX_ADDRESS,
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
    number,
    site_with,
    speaks,
)
from tests.phone import Caller, Phone, Told, on_the_phone, phone_call
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.inbox import OPTIONS, OPTIONS_DELETED
from vm_ari.dialogues.recipients import Choice, Chosen, choose_recipients
from vm_ari.dialogues.reply_and_forward import fitting, forward, reply
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.sending import Correspondent, Errand, Line, Telephone
from vm_ari.domain.settings import Hideable
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, choices

REPLY, FORWARD = Errand.REPLY, Errand.FORWARD
KIND = MessageKind.VOICE
OFFERED = {Action.REPLY, Action.FORWARD_MESSAGE}


def at_message(
    site: SendingSite, story: Caller, first: StoredMessage = A, **options: object
) -> Told:
    """Anna has heard the first message, which Bert has left, and all options."""
    site.put(first, B)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        await phone.hears(P.TO_REPLY, P.TO_SEND_ON, P.TO_GO_BACK)
        await story(phone)
        phone.hangs_up()

    return logged_in(site, caller, **options)


def only(site: SendingSite) -> Sent:
    [sent] = site.sent
    assert not site.spool.open
    return sent


async def back_in_the_message(phone: Phone) -> None:
    """Nothing has moved: this message can be deleted, and the next one follows."""
    await phone.hears(P.TO_REPEAT, P.TO_REPLY, P.TO_GO_BACK)
    phone.presses("6")
    await at_options(phone, B)


# --- reply


@pytest.mark.feature_part("INBOX-07", "a recorded reply to whoever has left the message")
def test_a_reply_is_spoken_and_sent_and_the_user_is_back_in_the_message() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.SPEAK_AFTER_TONE)
        await speaks(phone, 6)
        await phone.hears(P.TO_SEND, P.TO_DISCARD)
        phone.presses("1")
        await phone.hears(P.MESSAGE_SENT)
        await back_in_the_message(phone)

    told = at_message(site, story)
    assert only(site) == Sent(REPLY, (TO_BERT,), 6, False, KIND)
    assert played(told) == ["a", "b"]


def test_who_pressed_the_key_by_mistake_goes_back_before_the_tone() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("3")
        await phone.waits(0.5)
        phone.presses("33*")
        await phone.hears(P.NOT_SENT)
        await back_in_the_message(phone)

    assert not said(at_message(site, story), P.BEEP)
    assert (site.sent, site.spool.open) == ([], {})


@pytest.mark.feature_part("INBOX-07", "to a telephone number, which is read aloud")
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_reply_to_a_telephone_number_is_confirmed(confirmed: bool) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.MESSAGE_GOES_TO, *number(BERLIN), P.TO_CONFIRM)
        phone.presses("1" if confirmed else "*")
        if confirmed:
            await speaks(phone)
            phone.presses("1")
            await phone.hears(P.MESSAGE_SENT)
        await back_in_the_message(phone)

    at_message(site, story, replace(message("a", number=BERLIN, minutes_ago=1), genuine=True))
    assert [sent.to for sent in site.sent] == [(VOICE,)] * confirmed


@pytest.mark.parametrize("sender", ["", BERLIN], ids=["withheld", "not vouched for"])
def test_whom_nobody_can_answer_is_said_and_keys_typed_ahead_are_dropped(sender: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("37")  # for a review that does not come; here it would delete
        await phone.hears(P.NO_REPLY_POSSIBLE)
        await back_in_the_message(phone)

    at_message(site, story, message("a", number=sender, minutes_ago=1))
    assert len(site.mailboxes.of(ANNA)) == 2


def test_a_directory_that_does_not_answer_postpones_the_reply(logs: Logs) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        site.directory.unavailable = True
        phone.presses("37")
        await phone.hears(P.NOT_POSSIBLE_NOW)
        await back_in_the_message(phone)

    at_message(site, story)
    assert [entry["reason"] for entry in logs if entry["event"] == "no reply"]


@pytest.mark.feature_part("INBOX-07", "hanging up sends what was said")
@pytest.mark.parametrize("seconds", [0, 5])
def test_hanging_up_while_a_reply_is_recorded_sends_it(seconds: float) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.BEEP)
        await phone.speaks(seconds)

    at_message(site, story)
    assert [sent.seconds for sent in site.sent] == [seconds] * bool(seconds)
    assert not site.spool.open


# --- forward


@pytest.mark.feature_part("INBOX-08", "a voice message with a spoken comment, to number and list")
def test_a_message_is_forwarded_with_a_comment() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("8")
        await chooses(phone, "102", "77")
        await phone.hears(P.TO_SEND_WITHOUT_COMMENT, P.TO_RECORD_COMMENT, P.TO_MARK_URGENT)
        phone.presses("3")
        await phone.hears(P.SPEAK_AFTER_TONE)
        await speaks(phone, 4)
        await phone.hears(P.TO_SEND, P.TO_HEAR, P.TO_REDO)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("102"), P.THE_LIST, *number("77"))
        await back_in_the_message(phone)

    at_message(site, story)
    assert only(site) == Sent(FORWARD, (TO_BERT, TO_CARLA, TO_DORA), 4, False, KIND)


@pytest.mark.feature_part("INBOX-08", "without a comment, and urgent")
def test_a_message_is_forwarded_without_a_comment() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("81102##4")
        await phone.hears(P.MARKED_URGENT, P.TO_SEND_WITHOUT_COMMENT, P.TO_MARK_NORMAL)
        phone.presses("1")
        await phone.hears(P.SENT_TO, *number("102"))
        await back_in_the_message(phone)

    at_message(site, story)
    assert only(site) == Sent(FORWARD, (TO_BERT,), None, True, KIND)


def test_before_the_tone_of_a_comment_the_user_goes_back_to_the_review() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("81102##3*")
        await phone.hears(P.TO_SEND_WITHOUT_COMMENT, P.TO_DISCARD)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    assert not said(at_message(site, story), P.BEEP)
    assert only(site).seconds is None


def test_a_comment_that_came_to_nothing_can_be_left_out() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("81102##3")
        await speaks(phone, 0)
        await phone.hears(P.NOTHING_RECORDED, P.TO_SEND_WITHOUT_COMMENT)
        phone.presses("1")
        await phone.hears(P.SENT_TO)

    at_message(site, story)
    assert only(site).seconds is None


@pytest.mark.parametrize("key", "256789#0")
def test_no_other_key_than_those_offered_is_accepted_before_a_comment(key: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses(f"81102##{key}")
        await phone.hears(P.KEY_NOT_USED, P.TO_SEND_WITHOUT_COMMENT, P.TO_DISCARD)
        phone.presses("*")
        await phone.hears(P.NOT_SENT)

    at_message(site, story)
    assert not site.sent


@pytest.mark.parametrize("keys", ["8*", "81102##*", "81102##3"])
@pytest.mark.feature_part("INBOX-08", "nothing goes out that the user has not confirmed")
def test_a_forward_that_nobody_has_confirmed_is_not_sent(keys: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses(keys)
        if keys.endswith("3"):
            await speaks(phone, 4)
            await phone.hears(P.TO_DISCARD)
            phone.presses("*")
        if "#" in keys:
            await phone.hears(P.NOT_SENT)
        await back_in_the_message(phone)

    at_message(site, story)
    assert (site.sent, site.spool.open, site.spool.takes) == ([], {}, {})


@pytest.mark.feature_part("INBOX-08", "after a hang-up only what has a comment goes out")
def test_a_forward_goes_out_after_a_hang_up_if_something_was_said() -> None:
    seen = set()
    for moment in range(20, 90, 2):
        site = site_with()

        async def story(phone: Phone) -> None:
            phone.presses("8")
            await chooses(phone, "102")
            await phone.hears(P.TO_RECORD_COMMENT)
            phone.presses("3")
            await speaks(phone, 6)
            await phone.hears(P.TO_SEND, P.TO_DISCARD)

        told = at_message(site, story, hang_up_after=moment + 0.5)
        assert not site.spool.open
        assert all(sent.seconds for sent in site.sent)
        assert site.sent or "en/to-send" not in told.phone.heard_names()
        seen.add(len(site.sent))
    assert seen == {0, 1}


def test_silence_before_a_comment_sends_nothing_and_ends_politely() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        phone.presses("81102##")
        await phone.hears(P.TO_SEND_WITHOUT_COMMENT, P.PLEASE_CHOOSE, P.PLEASE_CHOOSE, P.GOODBYE)
        await phone.hears_the_end()

    at_message(site, story)
    assert (site.sent, site.spool.open) == ([], {})


# --- faults


@pytest.mark.parametrize("keys", ["3", "81102##"])
def test_a_message_that_is_gone_meanwhile_is_told_and_the_next_one_follows(keys: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        site.mailboxes.lose(ANNA, "a")
        phone.presses(f"{keys}7")
        await phone.hears(P.MESSAGE_GONE)
        await at_options(phone, B)

    at_message(site, story)
    assert (site.sent, site.spool.open) == ([], {})
    assert [m.uid for m in site.mailboxes.of(ANNA)] == ["b"]


@pytest.mark.parametrize("keys", ["3", "81102##"])
def test_a_mailbox_that_is_away_ends_the_call_with_words(keys: str) -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        site.mailboxes.unavailable = True
        phone.presses(keys)
        await phone.hears(P.MAILBOX_UNAVAILABLE, P.GOODBYE)
        await phone.hears_the_end()

    at_message(site, story)
    assert (site.sent, site.spool.open) == ([], {})


def test_a_full_disk_leaves_the_user_in_the_message() -> None:
    site = site_with()

    async def story(phone: Phone) -> None:
        site.spool.refuses.add("begin")
        phone.presses("37")
        await phone.hears(P.CANNOT_STORE)
        await back_in_the_message(phone)

    at_message(site, story)
    assert len(site.mailboxes.of(ANNA)) == 2


# --- what is offered


def offered(site: SendingSite, kind: MessageKind = KIND) -> set[Action]:
    """What can be done with a message of that kind, and is accepted."""
    menu = fitting(OPTIONS, replace(message("x"), kind=kind), site.desk)
    return set(choices(menu, site.desk.keys).values()) & OFFERED


OTHER = [kind for kind in MessageKind if kind is not KIND]
ALL = list(MessageKind)


@pytest.mark.feature_part("MENU-01", "reply, forward voice, forward fax and e-mail")
@pytest.mark.parametrize(
    ("hidden", "action", "kinds"),
    [
        (Hideable.REPLY, Action.REPLY, ALL),
        (Hideable.FORWARD_VOICE, Action.FORWARD_MESSAGE, [KIND]),
        (Hideable.FORWARD_OTHER, Action.FORWARD_MESSAGE, OTHER),
    ],
)
def test_what_the_site_hides_is_not_offered(
    hidden: Hideable, action: Action, kinds: list[MessageKind]
) -> None:
    usual, site = site_with(), site_with(hidden=[hidden])
    for kind in MessageKind:
        assert offered(usual, kind) == OFFERED
        assert offered(site, kind) == OFFERED - ({action} if kind in kinds else set())


@pytest.mark.parametrize(
    ("hidden", "key", "words"),
    [(Hideable.REPLY, "3", P.TO_REPLY), (Hideable.FORWARD_VOICE, "8", P.TO_SEND_ON)],
)
def test_a_hidden_key_is_neither_spoken_nor_accepted(hidden: Hideable, key: str, words: P) -> None:
    site = site_with(hidden=[hidden])
    site.put(A)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        await phone.hears(P.TO_GO_BACK)
        phone.presses(key)
        await phone.hears(P.KEY_NOT_USED, P.TO_GO_BACK)
        phone.hangs_up()

    assert not said(logged_in(site, caller), words)


def test_a_deleted_message_is_brought_back_before_it_is_answered() -> None:
    actions = {item.action for item in OPTIONS_DELETED}
    assert not actions & OFFERED


def test_where_nothing_can_be_sent_neither_is_offered() -> None:
    site = site_with()
    object.__setattr__(site.desk, "sendings", None)
    assert not offered(site)


# --- mails and faxes


@pytest.mark.feature_part("INBOX-08", "e-mails and faxes, as fax or mail, to a typed number")
@pytest.mark.parametrize(
    ("gateways", "lines", "key", "chosen"),
    [
        ((True, True), (Line.FAX, Line.VOICE), "1", FAX),
        ((True, True), (Line.FAX, Line.VOICE), "2", VOICE),
        ((True, False), (Line.FAX, Line.VOICE), "", VOICE),
        ((False, True), (Line.FAX, Line.VOICE), "", FAX),
        ((True, True), (Line.VOICE,), "", VOICE),
    ],
)
def test_where_a_number_is_reached_in_two_ways_the_user_is_asked(
    gateways: tuple[bool, bool], lines: tuple[Line, ...], key: str, chosen: Telephone
) -> None:
    async def caller(phone: Phone) -> None:
        phone.presses(f"1{TYPED}#")
        if key:
            await phone.hears(P.AS_FAX, P.AS_VOICE, P.TO_GO_BACK)
            phone.presses(key)
        await phone.hears(P.MESSAGE_GOES_TO, *number(BERLIN), P.TO_CONFIRM)
        phone.presses("1")
        await phone.hears(P.MESSAGE_GOES_TO, P.TO_CONTINUE)
        phone.presses("#")
        await phone.hears_the_end()

    found = choosing(caller, gateways, lines)
    assert [entry.recipients for entry in found] == [(chosen,)]


@pytest.mark.parametrize("key", "034567890#")
def test_no_other_key_than_those_offered_is_accepted_for_the_way(key: str) -> None:
    async def caller(phone: Phone) -> None:
        phone.presses(f"1{TYPED}#{key}")
        await phone.hears(P.KEY_NOT_USED, P.AS_FAX, P.TO_GO_BACK)
        phone.presses("*")
        await phone.hears(P.FOR_NUMBER_OR_LIST)
        phone.presses("*")
        await phone.hears_the_end()

    assert choosing(caller, (True, True), (Line.FAX, Line.VOICE)) == []


MAIL = StoredMessage("m", MessageKind.MAIL, A.received, A.caller)
Handling = Callable[[Call, Desk, Inbox, StoredMessage], Awaitable[None]]


def handling(site: SendingSite, do: Handling, story: Caller, mail: bytes = b"") -> Told:
    """Only this part of a call, for a mail."""
    site.mailboxes.put(ANNA, MAIL, mail=mail)

    async def script(call: Call) -> None:
        async with site.desk.inboxes.open(ANNA) as inbox:
            await do(call, site.desk, inbox, MAIL)

    return run_virtually(on_the_phone(script, story, channel=site.line()))


@pytest.mark.feature_part("INBOX-07", "to e-mails")
@pytest.mark.parametrize("outside", [True, False])
def test_a_mail_is_answered_by_voice_where_mails_can_leave_the_house(outside: bool) -> None:
    site = site_with()
    site.rule_sending(GATEWAYS if outside else HOUSE_ONLY)

    async def story(phone: Phone) -> None:
        if not outside:
            await phone.hears(P.NO_REPLY_POSSIBLE)
            return
        await speaks(phone, 6)
        phone.presses("1")
        await phone.hears(P.MESSAGE_SENT)

    handling(site, reply, story, b"carla@elsewhere.example")
    answer = Sent(REPLY, (Correspondent("carla@elsewhere.example"),), 6, False, MessageKind.MAIL)
    assert site.sent == [answer] * outside


@pytest.mark.feature_part("INBOX-08", "an e-mail as fax")
def test_a_mail_is_forwarded_as_fax() -> None:
    site = site_with()
    site.rule_sending(replace(GATEWAYS, fax_address=FAX_ADDRESS))

    async def story(phone: Phone) -> None:
        phone.presses(f"1{TYPED}#1")
        await phone.hears(P.MESSAGE_GOES_TO, *number(BERLIN), P.TO_CONFIRM)
        phone.presses("1")
        await phone.hears(P.MESSAGE_GOES_TO)
        phone.presses("#1")
        await phone.hears(P.SENT_TO, *number(BERLIN))

    handling(site, forward, story)
    assert site.sent == [Sent(FORWARD, (FAX,), None, False, MessageKind.MAIL)]


def test_a_mail_that_is_too_large_is_not_forwarded() -> None:
    site = site_with()
    site.rule_sending(replace(GATEWAYS, largest_mail=1000))

    async def story(phone: Phone) -> None:
        phone.presses("1102##1")
        await phone.hears(P.MESSAGE_TOO_LARGE)

    handling(site, forward, story, bytes(1001))
    assert (site.sent, site.spool.open) == ([], {})


def choosing(caller: Caller, gateways: tuple[bool, bool], lines: tuple[Line, ...]) -> list[Chosen]:
    """Only this part of a call, for what can be sent by these lines."""
    site, found = site_with(), list[Chosen]()
    voice, fax = gateways
    site.rule_sending(
        replace(
            GATEWAYS,
            voice_address=GATEWAYS.voice_address if voice else None,
            fax_address=FAX_ADDRESS if fax else None,
        )
    )

    async def script(call: Call) -> None:
        assert site.desk.sendings
        choice = Choice(call, site.desk, site.desk.sendings, ANNA, lines)
        found.extend(await choose_recipients(choice))

    phone_call(script, caller)
    return found
