"""From which telephones users log in, and how many wrong PINs a caller has."""

from dataclasses import replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, BERT, CALLER, PIN, Exchange, tell
from tests.phone import Phone
from vm_ari.domain.access import LoginRules
from vm_ari.domain.login_budget import Budget
from vm_ari.domain.login_phones import LoginFrom, PhoneLogin
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.services.logins import ANSWER_STEP, SLOW_SECONDS
from vm_ari.speech.catalogue import P

TRUSTING = replace(ANNA, login_office=PhoneLogin.NO_PIN)
ASKED = "en/enter-pin"


async def is_in(phone: Phone) -> None:
    await phone.hears(P.YOU_HAVE, P.TO_END)
    phone.hangs_up()


@pytest.mark.feature_part("LOGIN-06", "a number without PIN goes straight to the main menu")
@pytest.mark.feature_part("CALL-08", "a known office phone is that user's login")
@pytest.mark.parametrize("purpose", ["login", "common"])
def test_the_own_telephone_goes_straight_to_the_main_menu(purpose: str) -> None:
    dialled = "" if purpose == "login" else "900"
    told = Exchange(users=(TRUSTING, BERT)).phone_call(
        is_in, dialled=dialled, purpose=purpose, phone="101"
    )
    assert ASKED not in told.phone.heard_names()


@pytest.mark.feature_part("LOGIN-06", "profile settings only, without PIN")
def test_who_hears_no_messages_by_telephone_comes_to_the_settings() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_GREETINGS, P.TO_END)
        phone.hangs_up()

    user = replace(TRUSTING, access=Access.PROFILES)
    told = Exchange(users=(user,)).phone_call(caller, dialled="", purpose="login", phone="101")
    assert ASKED not in told.phone.heard_names()


@pytest.mark.feature_part("LOGIN-06", "somebody else's telephone is no exception")
def test_another_telephone_of_the_house_needs_the_pin() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses(f"{PIN}#")
        await is_in(phone)

    Exchange(users=(TRUSTING, BERT)).phone_call(caller, purpose="login", phone="102")


@pytest.mark.feature_part("LOGIN-03", "a locked login stays locked on the own telephone")
def test_a_locked_login_opens_on_no_telephone() -> None:
    site = Exchange(users=(TRUSTING,))
    site.directory.failures["anna"] = FAILURES_BEFORE_LOCK

    async def caller(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await phone.hears(P.LOGIN_LOCKED, P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller, dialled="", purpose="login", phone="101")
    assert "en/you-have" not in told.phone.heard_names()


def test_without_a_directory_nobody_gets_in_without_pin() -> None:
    """It could be locked, and nobody could tell."""
    site = Exchange(users=(TRUSTING,))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    site.directory.unavailable = True
    told = site.phone_call(caller, dialled="", purpose="login", phone="101")
    assert "en/you-have" not in told.phone.heard_names()


@pytest.mark.feature_part("LOGIN-06", "an outside mobile phone, where the site vouches for it")
@pytest.mark.parametrize("vouched", [False, True])
def test_an_outside_number_is_believed_only_where_the_site_vouches_for_it(vouched: bool) -> None:
    user = replace(ANNA, mobile=CALLER.number, login_mobile=PhoneLogin.NO_PIN)
    rules = LoginRules(outside_numbers_verified=vouched, pinless_from_outside=vouched)

    async def caller(phone: Phone) -> None:
        phone.presses("101#")
        if not vouched:
            await phone.hears(P.ENTER_PIN)
            phone.hangs_up()
            return
        await is_in(phone)

    told = Exchange(users=(user,), login_rules=rules).phone_call(
        caller, dialled="", purpose="login"
    )
    assert (ASKED in told.phone.heard_names()) is not vouched


@pytest.mark.feature_part("LOGIN-06", "from nowhere: told who dialled, not who guesses mailboxes")
def test_who_may_log_in_from_nowhere_is_refused_like_anybody() -> None:
    user = replace(ANNA, login_from=LoginFrom.NOWHERE)
    site = Exchange(users=(user,))

    async def knows(phone: Phone) -> None:
        await phone.hears(P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
        await phone.hears_the_end()

    async def guesses(phone: Phone) -> None:
        for _ in range(3):
            phone.presses(f"101#{PIN}#")
            await phone.hears(P.LOGIN_FAILED)
        await phone.hears_the_end()

    async def story() -> None:
        await site.call(knows, purpose="login")
        await site.call(guesses, dialled="", purpose="login")
        assert site.directory.failures == {}, "strangers cannot lock a login that is closed to them"

    tell(story())


# --- one PIN on many mailboxes

CROWD = tuple(replace(ANNA, id=f"u{n}", mailbox=f"{n}", numbers=()) for n in range(200, 240))


async def tries(site: Exchange, users: tuple[User, ...], pin: str, *, phone: str = "") -> float:
    """One call that tries a PIN on three mailboxes; how long it took."""

    async def caller(them: Phone) -> None:
        for user in users:
            phone_keys = f"{user.mailbox}#{pin}#"
            them.presses(phone_keys)
            await them.hears(P.LOGIN_FAILED)
        await them.hears_the_end()

    return (await site.call(caller, dialled="", purpose="login", phone=phone)).seconds


@pytest.mark.feature_part("LOGIN-03", "one PIN tried on all mailboxes by one caller")
def test_a_caller_who_tries_one_pin_on_many_mailboxes_is_refused(logs: Logs) -> None:
    site = Exchange(users=CROWD, budget=Budget(per_caller=9))

    async def story() -> None:
        for start in range(0, 9, 3):
            await tries(site, CROWD[start : start + 3], "111111")
        assert sum(site.directory.failures.values()) == 9
        await tries(site, CROWD[9:12], PIN)  # the right one, and the words are the same
        assert sum(site.directory.failures.values()) == 9
        assert [e["reason"] for e in logs if e["event"] == "login failed"][-3:] == [
            "too many failures"
        ] * 3

    tell(story())


@pytest.mark.feature_part("LOGIN-03", "an owner at a proven telephone is not hurt by others")
def test_the_refused_caller_hurts_nobody_at_an_own_telephone() -> None:
    site = Exchange(users=(ANNA, *CROWD), budget=Budget(per_caller=3, for_all=3))

    async def owner(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await is_in(phone)

    async def story() -> None:
        before = await site.call(owner, dialled="", purpose="login", phone="101")
        await tries(site, CROWD[:3], "111111")
        told = await site.call(owner, dialled="", purpose="login", phone="101")
        assert told.seconds == pytest.approx(before.seconds)

    tell(story())


@pytest.mark.feature_part("LOGIN-03", "too many failures of all slow down logins from outside")
def test_far_too_many_failures_slow_everybody_down_but_nobody_is_locked_out() -> None:
    site = Exchange(users=CROWD, budget=Budget(per_caller=0, for_all=3))

    async def owner(phone: Phone) -> None:
        phone.presses(f"230#{PIN}#")
        await is_in(phone)

    async def story() -> None:
        quick = await tries(site, CROWD[:3], "111111")
        slow = await tries(site, CROWD[3:6], "111111")
        assert slow == pytest.approx(quick + 3 * (SLOW_SECONDS - ANSWER_STEP))
        await site.call(owner, dialled="", purpose="login")

    tell(story())


def test_a_right_pin_is_no_failure() -> None:
    site = Exchange(budget=Budget(per_caller=2))

    async def caller(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await is_in(phone)

    async def story() -> None:
        for _ in range(6):
            await site.call(caller, purpose="login")

    tell(story())


@pytest.mark.feature_part("LOGIN-03", "each failure is looked at, whether it has locked the login")
def test_every_wrong_pin_of_a_user_is_reported() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        for mailbox in ("101", "199", "101"):
            phone.presses(f"{mailbox}#999999#")
            await phone.hears(P.LOGIN_FAILED)
        phone.hangs_up()

    site.phone_call(caller, dialled="", purpose="login")
    assert [user.id for user in site.failures] == ["anna", "anna"]
