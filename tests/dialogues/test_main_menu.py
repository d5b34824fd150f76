"""After the login: what is there, and where to go."""

import pytest

from tests.dialogues.exchange import ANNA, BERT, Exchange, audio_of, logged_in, message
from tests.phone import Phone
from vm_ari.dialogues.main_menu import main_items, what_is_there
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.telephony.menu import spoken

NONE, ONE, TWO = Counts(), Counts(new_voice=1), Counts(new_voice=2)
OTHERS = Counts(new_voice=1, new_other=1)
MANY = Counts(new_voice=21, heard_voice=5, new_other=102)
OLD = Counts(heard_voice=1)
OLD_AND_OTHERS = Counts(heard_voice=3, new_other=2)


@pytest.mark.feature_part("INBOX-01", "how many messages there are")
@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (NONE, "you-have new-voice-message/none"),
        (ONE, "you-have new-voice-message/one"),
        (TWO, "you-have digits/2 new-voice-message/many"),
        (OTHERS, "you-have new-voice-message/one and new-other-message/one"),
        (OLD, "you-have new-voice-message/none and heard-voice-message/one"),
        (
            OLD_AND_OTHERS,
            "you-have new-voice-message/none and digits/3 heard-voice-message/many "
            "and digits/2 new-other-message/many",
        ),
    ],
)
@pytest.mark.parametrize("code", ["en", "de"])
def test_what_is_there_is_said_in_both_languages(counts: Counts, said: str, code: str) -> None:
    clips = [clip.name for clip in language(code).clips(what_is_there(counts))]
    assert clips == [f"{code}/{name}" for name in said.split()]


@pytest.mark.feature_part("INBOX-01", "large numbers, in the order of the language")
def test_large_numbers_follow_the_language() -> None:
    said = {
        code: [clip.name for clip in language(code).clips(what_is_there(MANY))]
        for code in ("en", "de")
    }
    assert said["en"][1:5] == [
        "en/digits/21",
        "en/new-voice-message/many",
        "en/and",
        "en/digits/100",
    ]
    assert "de/digits/21" in said["de"]
    assert all("heard" not in name for name in (*said["en"], *said["de"]))


@pytest.mark.feature_part("INBOX-01", "faxes and e-mails count as other messages")
def test_after_the_login_the_menu_says_what_is_there() -> None:
    site = Exchange()
    fax = StoredMessage("f", MessageKind.FAX, message("x").received, Caller(), new=True)
    site.put(message("a"), message("b", new=False), message("c"), fax)
    site.put(message("d"), user=BERT)

    async def caller(phone: Phone) -> None:
        await phone.hears(*what_is_there(Counts(new_voice=2, heard_voice=1, new_other=1)))
        await phone.hears(*spoken(main_items(site.desk), site.desk.keys))
        phone.presses("0")
        await phone.hears(P.YOU_HAVE, *spoken(main_items(site.desk), site.desk.keys))
        phone.hangs_up()

    logged_in(site, caller)


@pytest.mark.feature_part("INBOX-02", "the counts are those of the mailbox, at once")
def test_the_counts_are_taken_anew_when_they_are_asked_for() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears(*what_is_there(NONE))
        await phone.hears(P.TO_END)
        site.put(message("a"), message("b"))
        phone.presses("0")
        await phone.hears(*what_is_there(TWO))
        phone.presses("#")
        await phone.hears(P.GOODBYE)

    logged_in(site, caller)


@pytest.mark.feature_part("INBOX-01", "new and heard messages are two lists")
def test_new_and_heard_messages_are_two_lists() -> None:
    site = Exchange()
    site.put(message("new"), message("old", new=False))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("2")
        await phone.hears(audio_of(message("old")), P.TO_REPEAT)
        phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES, P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("1")
        await phone.hears(audio_of(message("new")))
        phone.hangs_up()

    told = logged_in(site, caller)
    heard = [name for name in told.phone.heard_names() if name.startswith("/listening")]
    assert heard == ["/listening/old", "/listening/new"]


@pytest.mark.parametrize(("key", "said"), [("1", P.NO_NEW_MESSAGES), ("2", P.NO_HEARD_MESSAGES)])
def test_an_empty_list_says_so_and_the_menu_goes_on(key: str, said: P) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses(key)
        await phone.hears(said, P.FOR_NEW_VOICE_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)


@pytest.mark.feature_part("MENU-03", "every prompt can be interrupted")
def test_each_prompt_of_the_menu_can_be_interrupted() -> None:
    menu = spoken(main_items(Exchange().desk), KEYS)
    whole = len(language("en").clips((*what_is_there(NONE), *menu)))

    for moment in range(whole):

        async def caller(phone: Phone, moment: int = moment) -> None:
            await phone.waits(moment + 0.5)
            phone.presses("1")
            await phone.hears(P.NO_NEW_MESSAGES)
            phone.hangs_up()

        assert logged_in(Exchange(), caller).seconds == pytest.approx(moment + 0.5)


KEYS = Exchange().desk.keys


@pytest.mark.feature_part("MENU-03", "three empty or wrong inputs end politely")
@pytest.mark.parametrize("key", ["", "*"])
def test_three_useless_inputs_end_politely(key: str) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        for again in (P.TO_END, P.TO_END, P.TO_END):
            await phone.hears(again)
            phone.presses(key)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = logged_in(site, caller)
    assert told.channel.left == ("SUCCESS", "")
    assert told.phone.heard_names()[-1] == "en/goodbye"
    assert told.phone.heard_names().count("en/key-not-used") == 2 * len(key)
    assert told.phone.heard_names().count("en/please-choose") == 2 * (1 - len(key))


@pytest.mark.feature_part("MENU-03", "three empty or wrong inputs end politely")
def test_the_caller_hears_goodbye_though_he_hammers_on_a_wrong_key() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("*" * 20)
        await phone.hears(P.GOODBYE)
        phone.presses("*" * 20)
        await phone.hears_the_end()

    told = logged_in(site, caller)
    assert told.channel.left == ("SUCCESS", "")
    assert told.phone.heard_names() == ["en/goodbye"]


def test_the_end_key_says_goodbye_though_it_was_pressed_twice() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TO_END)
        phone.presses("##")
        await phone.hears(P.GOODBYE)
        phone.presses("#")
        await phone.hears_the_end()

    assert logged_in(site, caller).phone.heard_names()[-1] == "en/goodbye"


@pytest.mark.feature_part("NOTIFY-02", "nobody's lamp changes by looking")
def test_looking_changes_nothing() -> None:
    site = Exchange()
    site.put(message("a"), message("b", new=False))

    async def caller(phone: Phone) -> None:
        phone.presses("000#")
        await phone.hears_the_end()

    logged_in(site, caller)
    assert site.counts() == (1, 1)
    assert site.lamps.history == []
    assert len(site.mailboxes.of(ANNA)) == 2
