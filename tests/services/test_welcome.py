"""The welcome mail with a real directory, queue and store: sent once, and what is in it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.patience import AT_MOST
from tests.services.welcome_node import ANNA, RULES, Node, node, pin_in, run, text
from vm_ari.domain.access import LoginRules
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.domain.welcome import NumberSource, WelcomeRules
from vm_ari.ports import MailNotQueued
from vm_ari.services.welcome import Outcome


@pytest.mark.feature_part("WELCOME-01", "mailbox number, PIN, guide, once, at the first call")
@pytest.mark.feature_part("WELCOME-03", "a PIN is made where there is none")
def test_the_first_call_sends_a_mail_with_a_pin_that_opens_the_mailbox(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        for _ in range(3):
            one.welcome.called(ANNA, "+4930555101")
            await one.deliver()
        [mail] = one.mails()
        assert "+49 30 555101" in mail["Subject"]
        assert await one.directory.check_pin("anna", pin_in(mail)) is PinCheck.RIGHT
        [guide] = mail.iter_attachments()
        assert guide.get_content() == b"en True"
        assert not list(await one.queue.waiting())

    run(tmp_path, story)


@pytest.mark.feature_part("WELCOME-03", "else the existing one is sent")
def test_the_pin_that_there_is_is_sent(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        assert await one.welcome.send(ANNA) is Outcome.QUEUED
        await one.deliver()
        [mail] = one.mails()
        assert pin_in(mail) == "271828"
        assert not (await one.directory.login_state("anna")).must_change

    run(tmp_path, story, pin="271828")


@pytest.mark.feature_part("WELCOME-02", "no PIN where telephone login is off")
@pytest.mark.parametrize("pin", [None, "271828"])
def test_who_cannot_log_in_gets_neither_a_pin_nor_the_guide(
    tmp_path: Path, pin: str | None
) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(replace(ANNA, access=Access.NONE))
        await one.deliver()
        [mail] = one.mails()
        assert "PIN" not in text(mail)
        assert "271828" not in mail.as_string()
        assert not list(mail.iter_attachments())
        assert (await one.directory.login_state("anna")).has_pin is (pin is not None)

    run(tmp_path, story, pin=pin)


def test_a_one_time_pin_must_be_changed(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(ANNA)
        await one.deliver()
        assert "This PIN is for your first login" in text(one.mails()[0])
        assert (await one.directory.login_state("anna")).must_change

    run(tmp_path, story, rules=replace(RULES, one_time_pin=True))


def test_a_new_pin_is_as_long_as_the_site_wants(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(ANNA)
        await one.deliver()
        assert len(pin_in(one.mails()[0])) == 8

    run(tmp_path, story, login_rules=LoginRules(shortest_pin=8))


@pytest.mark.feature_part("WELCOME-04", "the number dialled, or a fixed one")
def test_the_mail_names_the_number_dialled_where_no_attribute_has_one(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(ANNA, "030 555199")
        await one.deliver()
        assert "+49 30 555199" in one.mails()[0]["Subject"]

    run(tmp_path, story)


def test_a_fixed_number_is_named(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(ANNA, "030 555199")
        await one.deliver()
        assert "+49 30 5550" in one.mails()[0]["Subject"]

    run(tmp_path, story, rules=replace(RULES, number=NumberSource.parse("+49 30 5550")))


@pytest.mark.feature_part("WELCOME-07", "the service")
def test_the_site_can_switch_the_mails_off(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        one.welcome.called(ANNA, "")
        assert await one.welcome.send(ANNA) is Outcome.SWITCHED_OFF
        await one.deliver()
        assert one.mails() == []
        assert not (await one.directory.login_state("anna")).has_pin

    run(tmp_path, story, rules=WelcomeRules())


def test_many_calls_on_two_nodes_at_once_send_one_mail(tmp_path: Path) -> None:
    people = [replace(ANNA, id=f"u{n}", mailbox=f"{n}", numbers=(), mail="") for n in range(12)]

    async def story(one: Node) -> None:
        two = node(tmp_path, name="two")
        for person in people:
            await one.directory.add_user(person)
        calls = [each.welcome.send(person) for person in people for each in (one, two) * 3]
        outcomes = await asyncio.gather(*calls)
        await one.deliver()
        await two.deliver()
        assert outcomes.count(Outcome.QUEUED) == len(people)
        for person in people:
            [mail] = one.mails(person)
            assert await two.directory.check_pin(person.id, pin_in(mail)) is PinCheck.RIGHT
        for each in (one, two):
            assert not list(await each.queue.prepared())
        await two.directory.close()

    run(tmp_path, story)


def test_a_pin_that_changes_meanwhile_is_the_one_in_the_mail(tmp_path: Path) -> None:
    changes = iter(["314159"])

    async def story(one: Node) -> None:
        real = one.post._compose
        loop = asyncio.get_running_loop()

        def compose(*what: Any, **how: Any) -> bytes:
            for pin in changes:
                change = one.directory.set_pin("anna", pin)
                asyncio.run_coroutine_threadsafe(change, loop).result(timeout=AT_MOST)
            return real(*what, **how)

        other = node(tmp_path, name="other", compose=compose)
        assert await other.welcome.send(ANNA) is Outcome.QUEUED
        await other.deliver()
        [mail] = one.mails()
        assert pin_in(mail) == "314159"
        assert not list(await other.queue.prepared())
        await other.directory.close()

    run(tmp_path, story, pin="271828")


# --- what an admin wants


@pytest.mark.feature_part("WELCOME-05", "each action of one user, with the next call or at once")
@pytest.mark.parametrize("now", [True, False])
@pytest.mark.parametrize("new_pin", [True, False])
@pytest.mark.parametrize("unlock", [True, False])
def test_an_admin_sends_it_again(tmp_path: Path, now: bool, new_pin: bool, unlock: bool) -> None:
    async def story(one: Node) -> None:
        await one.welcome.send(ANNA)
        for _ in range(5):
            await one.directory.check_pin("anna", "000000")
        locked = await one.directory.check_pin("anna", "271828")
        assert locked is PinCheck.LOCKED
        await one.welcome.ask_again(ANNA, new_pin=new_pin, unlock=unlock, now=now)
        state = await one.directory.login_state("anna")
        assert state.failures == (0 if unlock else 5)
        if not now:
            assert state.pin == "271828", "the old one holds until the mail leaves"
            await one.deliver()
            assert len(one.mails()) == 1
            one.welcome.called(ANNA, "")
        await one.deliver()
        first, second = one.mails()
        assert first["Message-ID"] != second["Message-ID"]
        assert (pin_in(second) == "271828") is not new_pin
        right = await one.directory.check_pin("anna", pin_in(second))
        assert right is (PinCheck.RIGHT if unlock else PinCheck.LOCKED)

    run(tmp_path, story, pin="271828")


def test_unlocking_acts_at_once_and_sends_nothing(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        assert not await one.welcome.unlock(ANNA)
        for _ in range(5):
            await one.directory.check_pin("anna", "000000")
        assert await one.welcome.unlock(ANNA)
        assert await one.directory.check_pin("anna", "271828") is PinCheck.RIGHT
        await one.deliver()
        assert one.mails() == []

    run(tmp_path, story, pin="271828")


# --- what can be in the way


@pytest.mark.parametrize(
    ("user", "outcome"),
    [
        (replace(ANNA, voice_mail_enabled=False), Outcome.NO_MAILBOX),
        (replace(ANNA, mail=""), Outcome.NO_ADDRESS),
    ],
)
def test_a_mail_that_cannot_arrive_is_not_written(
    tmp_path: Path, user: User, outcome: Outcome
) -> None:
    async def story(one: Node) -> None:
        assert await one.welcome.send(user) is outcome
        state = await one.directory.login_state("anna")
        assert (state.has_pin, state.welcome) == (False, "")

    run(tmp_path, story, needs_address=True)


def test_a_pin_that_our_keys_do_not_open_is_not_replaced_by_itself(tmp_path: Path) -> None:
    async def story(one: Node) -> None:
        (tmp_path / "keys").rename(tmp_path / "lost keys")
        other = node(tmp_path, name="other")
        assert await other.welcome.send(ANNA) is Outcome.UNREADABLE_PIN
        assert await other.welcome.ask_again(ANNA, new_pin=True, now=True) is Outcome.QUEUED
        await other.deliver()
        [mail] = one.mails()
        assert await other.directory.check_pin("anna", pin_in(mail)) is PinCheck.RIGHT
        await other.directory.close()

    run(tmp_path, story, pin="271828")


def test_a_call_is_not_hurt_by_whatever_goes_wrong(tmp_path: Path) -> None:
    def broken(*what: object, **how: object) -> bytes:
        raise KeyError("a site's template")

    async def story(one: Node) -> None:
        one.welcome.called(ANNA, "")
        one.welcome.called(replace(ANNA, id="nobody"), "")
        await one.deliver()
        assert (await one.directory.login_state("anna")).welcome == ""
        with pytest.raises(MailNotQueued, match="welcome mail cannot be written: KeyError at"):
            await one.welcome.send(ANNA)

    run(tmp_path, story, compose=broken)
