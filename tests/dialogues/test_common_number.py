"""One voice number for everybody: a redirected call leaves a message, a direct one logs in."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, BERT, PIN, Exchange
from tests.dialogues.leaving import is_thanked, records
from tests.phone import Caller, Phone, Told
from vm_ari.domain.preferences import Access
from vm_ari.domain.redirection import Claims, redirection
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P

HEIR = Rules(default_recipient="desk@site.example")
GONE = ["en/unknown-mailbox", "en/goodbye"]


def common_number(
    site: Exchange,
    caller: Caller,
    diversion: Sequence[str] = (),
    *,
    history: Sequence[str] = (),
    phone: str = "",
    code: str = "en",
) -> Told:
    """A call to 500, which may come with these headers or from a known phone."""
    claims = Claims(diversion=diversion, history_info=history)
    judged = redirection(claims, site.rules.site, "500")
    return site.phone_call(
        caller,
        purpose="common",
        dialled="500",
        phone=phone,
        redirection=judged,
        code=code,
    )


async def leaves_a_message(phone: Phone) -> None:
    await records(phone, 5, "#1")
    await is_thanked(phone)


async def is_told_that_nobody_is_there(phone: Phone) -> None:
    await phone.hears(P.UNKNOWN_MAILBOX, P.GOODBYE)
    await phone.hears_the_end()


async def enters_mailbox_and_pin(phone: Phone) -> None:
    await phone.hears(P.ENTER_MAILBOX)
    phone.presses("101#")
    await enters_pin(phone)


async def enters_pin(phone: Phone) -> None:
    await phone.hears(P.ENTER_PIN)
    phone.presses(f"{PIN}#")
    await phone.hears(P.YOU_HAVE)
    phone.hangs_up()


# --- redirected


@pytest.mark.feature_part("CALL-08", "the mailbox is the number the call was redirected from")
@pytest.mark.parametrize(
    "diversion",
    [
        ["<sip:101@pbx>;reason=no-answer"],
        ["<sip:102@pbx>, <sip:101@pbx>"],
        ["<sip:102@pbx>", "<sip:101@pbx>"],
        ["<sip:101@pbx>", "<sip:199@pbx>"],
        ["<sip:101@pbx>", "<sip:+49800123456@pbx>", "garbage"],
    ],
)
def test_a_redirected_call_leaves_its_message_for_the_first_who_has_a_mailbox(
    diversion: list[str],
) -> None:
    site = Exchange()
    told = common_number(site, leaves_a_message, diversion)
    [kept] = site.spool.kept
    assert (kept.facts.user_id, kept.facts.called) == (ANNA.id, "101")
    assert told.channel.left == ("SUCCESS", "")


def test_its_owner_may_log_in_from_the_greeting_by_the_pin_only() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED)
        phone.presses("*")
        await enters_pin(phone)

    told = common_number(Exchange(), caller, ["<sip:101@pbx>"], phone="102")
    assert "en/enter-mailbox" not in told.phone.heard_names()


@pytest.mark.parametrize("diversion", ["<sip:199@pbx>", "<sip:anonymous@anonymous.invalid>", "?"])
@pytest.mark.parametrize("phone", ["", "101"])
def test_a_redirecting_number_without_mailbox_does_not_exist(diversion: str, phone: str) -> None:
    """Also on a known phone: a redirection is never a login."""
    told = common_number(Exchange(), is_told_that_nobody_is_there, [diversion], phone=phone)
    assert told.phone.heard_names() == GONE


@pytest.mark.feature_part("CALL-09", "an unknown redirecting number with a default recipient")
@pytest.mark.parametrize(
    ("diversion", "called"),
    [
        (["<sip:199@pbx>"], "199"),
        (["<sip:198@pbx>", "<sip:+49891234567@provider>"], "198"),
        (["<sip:+49891234567@provider>"], "+49891234567"),
        (["<sip:anonymous@anonymous.invalid>"], "500"),
    ],
)
def test_its_message_goes_to_the_default_recipient(diversion: list[str], called: str) -> None:
    site = Exchange(rules=HEIR)
    common_number(site, leaves_a_message, diversion)
    [kept] = site.spool.kept
    assert (kept.facts.user_id, kept.facts.called) == (None, called)


@pytest.mark.parametrize("diversion", [["<sip:101@pbx>"], ["<sip:101@pbx>", "<sip:+4989123456@p>"]])
def test_while_the_directory_is_down_the_likeliest_number_gets_the_message(
    diversion: list[str],
) -> None:
    site = Exchange()
    site.directory.unavailable = True
    common_number(site, leaves_a_message, diversion)
    [kept] = site.spool.kept
    assert (kept.facts.user_id, kept.facts.called) == (None, "101")


def test_a_redirected_caller_without_any_number_is_greeted_by_the_default_recipient() -> None:
    site = Exchange(rules=HEIR)
    judged = redirection(Claims(diversion=["?"]), site.rules.site)
    site.phone_call(leaves_a_message, purpose="common", dialled="", redirection=judged)
    assert [message.facts.called for message in site.spool.kept] == [""]


# --- direct


@pytest.mark.feature_part("CALL-08", "a direct call from an unknown phone: mailbox number and PIN")
@pytest.mark.parametrize("history", [[], ["<sip:500@pbx>;index=1"], ["<sip:598@pbx>;index=1"]])
@pytest.mark.parametrize("phone", ["", "199", "alice"])
def test_a_direct_call_asks_for_mailbox_and_pin(history: list[str], phone: str) -> None:
    common_number(Exchange(), enters_mailbox_and_pin, history=history, phone=phone)


@pytest.mark.feature_part("CALL-08", "a direct call from a known office phone: its user's PIN")
def test_a_direct_call_from_a_known_phone_asks_for_its_users_pin_in_his_language() -> None:
    told = common_number(Exchange(), enters_pin, phone="102", code="de")
    assert told.phone.heard_names()[0] == "de/enter-pin"


def test_the_login_number_knows_the_phone_too() -> None:
    told = Exchange().phone_call(enters_pin, purpose="login", dialled="", phone="101")
    assert told.phone.heard_names()[0] == "en/enter-pin"


def test_a_mailbox_that_the_dialplan_names_wins_over_the_phone() -> None:
    told = Exchange().phone_call(enters_pin, purpose="login", dialled="102", phone="101", code="de")
    assert told.phone.heard_names()[0] == "de/enter-pin"


@pytest.mark.parametrize("purpose", ["login", "common"])
def test_the_star_key_on_a_known_phone_leads_to_another_mailbox(purpose: str) -> None:
    site = Exchange(rules=Rules(language="en"))

    async def caller(phone: Phone) -> None:
        await phone.waits(0.5)
        phone.presses("*")
        await phone.hears(P.ENTER_MAILBOX)
        phone.presses("*")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller, purpose=purpose, dialled="", phone="102")
    assert told.phone.heard_names() == ["de/enter-pin", "en/enter-mailbox", "en/goodbye"]
    assert told.channel.left == ("SUCCESS", "")
    assert site.directory.failures.get(BERT.id, 0) == 0


def test_who_may_not_log_in_is_told_so_on_his_phone() -> None:
    site = Exchange(users=(replace(ANNA, access=Access.NONE), BERT))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
        await phone.hears_the_end()

    common_number(site, caller, phone="101")


def test_while_the_directory_is_down_a_direct_call_is_told_so() -> None:
    site = Exchange()
    site.directory.unavailable = True

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    assert common_number(site, caller, phone="101").channel.left == ("FAILED", "")


@pytest.mark.parametrize("moment", [0.0, 0.5, 2.0])
def test_a_caller_may_hang_up_at_any_moment(moment: float) -> None:
    async def caller(phone: Phone) -> None:
        await phone.waits(moment)
        phone.hangs_up()

    for diversion in ([], ["<sip:101@pbx>"], ["?"]):
        assert common_number(Exchange(), caller, diversion).channel.left is None
