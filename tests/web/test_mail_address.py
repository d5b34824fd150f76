"""Another mail address, by the code that goes to the present one (UM-03)."""

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from tests.adapters.smtp_server import Postbox, mail_server
from tests.web.portal_house import (
    ADAM,
    ANNA,
    BERT,
    HOST,
    OLGA,
    PASSWORD,
    Browser,
    House,
    config_of,
    in_house,
    portal_house,
)
from vm_ari.adapters.mail_change_database import MailChangeDatabase
from vm_ari.domain.mail_changes import MOST_CODES, TRIES, Outcome, proof_of, typed_code
from vm_ari.domain.users import User
from vm_ari.services.mail_changes import MailChanges
from vm_ari.web.people_parts import people_parts

PAGE = "/me/mail-address"
NEW = "anna.acker@example.com"
_CODE = re.compile(r"\b(\d{4} \d{4})\b")


class Letterbox:
    """What has arrived at the mail server, read."""

    def __init__(self, postbox: Postbox, house: House) -> None:
        self._postbox = postbox
        self._house = house

    async def mails(self) -> list[tuple[str, EmailMessage]]:
        """All since the last time: to whom, and what."""
        await self._house.post.mails.send_what_is_due()
        taken, self._postbox.mails = self._postbox.mails, []
        parsed = [
            (to, email.message_from_bytes(content, policy=email.policy.default))
            for _, (to,), content in taken
        ]
        return [(to, one) for to, one in parsed if isinstance(one, EmailMessage)]

    async def code(self) -> str:
        """Out of the only mail."""
        [(_, mail)] = await self.mails()
        found = _CODE.search(text_of(mail))
        assert found
        return found[1]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


@asynccontextmanager
async def house_with_mail(home: Path) -> AsyncIterator[tuple[House, Letterbox]]:
    postbox = Postbox()
    async with mail_server(postbox) as port:
        smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
        mail = {"sender": "voicemail@example.org", "smtp": smtp}
        async with portal_house(home, mail=mail) as house:
            yield house, Letterbox(postbox, house)


def with_mail(home: Path, story: Callable[[House, Letterbox], Awaitable[None]]) -> None:
    async def run() -> None:
        async with house_with_mail(home) as (house, letters):
            await story(house, letters)

    asyncio.run(run())


async def visitor(house: House, user_id: str) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def address_of(house: House, user_id: str) -> str:
    entry = await house.directory.entry_by_id(user_id)
    assert entry
    return entry.mail


async def confirms(browser: Browser, code: str) -> httpx.Response:
    return await browser.sends(PAGE, what="confirm", code=code)


def changes_of(house: House) -> MailChanges:
    return people_parts(house.portal.parts).mail_changes


async def user_of(house: House, user_id: str) -> User:
    user = await house.directory.user_by_id(user_id)
    assert user
    return user


@pytest.mark.feature("UM-03")
def test_the_code_from_the_old_address_makes_the_new_one_count(tmp_path: Path) -> None:
    async def story(house: House, letters: Letterbox) -> None:
        anna = await visitor(house, ANNA)
        begun = await anna.sends(PAGE, what="begin", new=NEW)
        assert begun.headers["location"] == PAGE
        assert "The code is on its way" in (await anna.sees(PAGE)).text
        [(to, mail)] = await letters.mails()
        assert to == "anna@example.org"
        found = _CODE.search(text_of(mail))
        assert found
        code = found[1]
        assert NEW in text_of(mail)
        assert code not in (await anna.sees(PAGE)).text
        assert await address_of(house, ANNA) == "anna@example.org"
        wrong = await confirms(anna, f"{(int(code.replace(' ', '')) + 1) % 10**8:08}")
        assert "This is not the code." in wrong.text
        assert f"{TRIES - 1} tries are left" in wrong.text
        done = await confirms(anna, code.replace(" ", "-"))
        assert done.headers["location"] == PAGE
        assert await address_of(house, ANNA) == NEW
        told = {to: text_of(mail) for to, mail in await letters.mails()}
        assert set(told) == {"anna@example.org", NEW}
        assert f"go to {NEW} since" in told["anna@example.org"]
        assert "arrive here since" in told[NEW]
        assert "does not count any more" in (await confirms(anna, code)).text
        again = house.browser()
        assert (await again.signs_in(NEW, PASSWORD)).headers["location"] != "/sign-in"

    with_mail(tmp_path, story)


@pytest.mark.feature_part("UM-03", "the codes that are judged are counted before")
def test_five_codes_are_judged_however_many_come_at_once(tmp_path: Path) -> None:
    async def story(house: House, letters: Letterbox) -> None:
        user, changes = await user_of(house, ANNA), changes_of(house)
        assert await changes.begin(user, NEW) is Outcome.SENT
        code = await letters.code()
        wrong = [f"{n:08}" for n in range(30)]
        outcomes = await asyncio.gather(*(changes.confirm(user, one) for one in wrong))
        assert outcomes.count(Outcome.WRONG) == TRIES - 1  # the fifth is over at once
        assert await changes.confirm(user, code) is Outcome.OVER
        assert await address_of(house, ANNA) == "anna@example.org"
        begun = [await changes.begin(user, NEW) for _ in range(MOST_CODES)]
        assert begun == [Outcome.SENT] * (MOST_CODES - 1) + [Outcome.TOO_OFTEN]
        house.clock.passes(minutes=61)
        assert await changes.begin(user, NEW) is Outcome.SENT

    with_mail(tmp_path, story)


def test_a_code_is_good_for_a_quarter_of_an_hour_and_for_the_last_wish_only(
    tmp_path: Path,
) -> None:
    async def story(house: House, letters: Letterbox) -> None:
        anna = await visitor(house, ANNA)
        await anna.sends(PAGE, what="begin", new=NEW)
        first = await letters.code()
        await anna.sends(PAGE, what="begin", new="other@example.com")
        assert "This is not the code." in (await confirms(anna, first)).text
        second = await letters.code()
        house.clock.passes(minutes=14)
        page = (await anna.sees(PAGE)).text
        assert "other@example.com" in page
        house.clock.passes(minutes=2)
        await anna.signs_in(ANNA)
        assert "does not count any more" in (await confirms(anna, second)).text
        assert await address_of(house, ANNA) == "anna@example.org"
        await anna.sends(PAGE, what="begin", new=NEW)
        third = await letters.code()
        await anna.sends(PAGE, what="give-up")
        assert "does not count any more" in (await confirms(anna, third)).text
        house.clock.passes(minutes=61)
        await anna.signs_in(ANNA)
        await anna.sends(PAGE, what="begin", new=NEW)
        fourth = await letters.code()
        await house.directory.change_details(ANNA, {"mail": "by-admin@example.org"})
        assert "does not count any more" in (await confirms(anna, fourth)).text

    with_mail(tmp_path, story)


@pytest.mark.feature("UM-03")
def test_an_address_is_one_users_however_it_is_written_and_who_comes_at_once(
    tmp_path: Path,
) -> None:
    async def story(house: House, letters: Letterbox) -> None:
        anna = await visitor(house, ANNA)
        for wanted, why in (
            ("BERT@example.org", "belongs to somebody else"),
            ("no address", "not a mail address"),
            ("a@b@c.de", "not a mail address"),
            ("x@example.org\r\nBcc: evil@example.com", "not a mail address"),
            ("anna@example.org", "the present address already"),
        ):
            answer = await anna.sends(PAGE, what="begin", new=wanted)
            assert why in answer.text, wanted
            assert "bert bauer" not in answer.text.casefold()
        assert await letters.mails() == []
        users = [await user_of(house, one) for one in (ANNA, BERT)]
        codes = []
        for user in users:
            assert await changes_of(house).begin(user, "shared@example.org") is Outcome.SENT
            codes.append(await letters.code())
        pairs = zip(users, codes, strict=True)
        outcomes = await asyncio.gather(*(changes_of(house).confirm(*pair) for pair in pairs))
        assert sorted(outcomes) == [Outcome.CHANGED, Outcome.TAKEN]

    with_mail(tmp_path, story)


@pytest.mark.feature_part("UM-03", "an open change survives the process")
def test_whoever_finds_a_change_that_was_made_tells_of_it(tmp_path: Path) -> None:
    """The process dies between the change of the directory and the mails about it."""

    async def story(house: House, letters: Letterbox) -> None:
        user, changes = await user_of(house, ANNA), changes_of(house)
        assert await changes.begin(user, NEW) is Outcome.SENT
        code = await letters.code()
        other = MailChangeDatabase(database_of(tmp_path))  # another process, which has just started
        restarted = replace(changes, rows=other)
        change = await other.count_try(ANNA, house.clock.now())
        assert change
        assert change.tries == 1
        assert await other.mark(change, house.clock.now())
        await house.directory.change_details(ANNA, {"mail": NEW})
        assert await restarted.confirm(user, code) is Outcome.OVER  # it is being made
        await restarted.resume()
        assert await letters.mails() == []  # perhaps the other process only takes its time
        house.clock.passes(minutes=3)
        await restarted.resume()
        await restarted.resume()
        assert sorted(to for to, _ in await letters.mails()) == [NEW, "anna@example.org"]
        user = await user_of(house, BERT)
        assert await restarted.begin(user, "bert2@example.org") is Outcome.SENT
        await letters.mails()
        change = await other.count_try(BERT, house.clock.now())
        assert change
        await other.mark(change, house.clock.now())
        house.clock.passes(minutes=3)
        await restarted.resume()  # it was marked, and never made
        assert await letters.mails() == []
        assert await other.marked(house.clock.now()) == []
        await other.close()

    with_mail(tmp_path, story)


def database_of(home: Path) -> str:
    return config_of(home).directory.url


@pytest.mark.feature_part("UM-03", "administrators change an address without a code; it is told")
def test_an_administrator_needs_no_code_where_he_may_act(tmp_path: Path) -> None:
    async def story(house: House, letters: Letterbox) -> None:
        adam, olga = await visitor(house, ADAM), await visitor(house, OLGA)
        page = await adam.sees("/users/bert/mail-address")
        assert "The new address counts at once." in page.text
        with capture_logs() as logs:
            await adam.sends("/users/bert/mail-address", new="bert.b@example.org")
        assert {"event": "address changed", "user": BERT, "by": ADAM}.items() <= next(
            one for one in logs if one["event"] == "address changed"
        ).items()
        assert await address_of(house, BERT) == "bert.b@example.org"
        told = {to: text_of(mail) for to, mail in await letters.mails()}
        assert set(told) == {"bert@example.org", "bert.b@example.org"}
        assert "An administrator has changed the address." in told["bert@example.org"]
        taken = await adam.sends("/users/bert/mail-address", new="anna@example.org")
        assert "belongs to somebody else" in taken.text
        for other in (ANNA, "cora"):
            refused = await adam.http.post(f"{HOST}/users/{other}/mail-address", data={})
            assert refused.status_code == httpx.codes.FORBIDDEN
        adams = {"name": "Adam Adler", "given": "", "surname": "", "mailbox": "104"}
        adams |= {"organisation": "north", "number1": "+49814247914"}
        own = await adam.sends("/users/adam/account", **adams, mail="mine@example.com")
        assert "with the code that goes to the present one" in own.text
        await adam.sends("/users/adam/mail-address", new="mine@example.com")
        assert await address_of(house, ADAM) == "adam@example.org"
        assert [to for to, _ in await letters.mails()] == ["adam@example.org"]
        account = {"name": "Bert", "given": "", "surname": "", "mailbox": "102"}
        account |= {"organisation": "north", "number1": "+49814247912"}
        await olga.sends("/users/bert/account", **account, mail="bert.c@example.org")
        assert {to for to, _ in await letters.mails()} == {
            "bert.b@example.org",
            "bert.c@example.org",
        }

    with_mail(tmp_path, story)


def test_without_mails_or_with_a_fixed_directory_it_is_said_what_to_do(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        user, changes = await user_of(house, ANNA), changes_of(house)
        assert await replace(changes, notices=None).begin(user, NEW) is Outcome.NOWHERE
        assert await changes.begin(replace(user, mail=""), NEW) is Outcome.NOWHERE
        await house.directory.change_details(ANNA, {"mail": ""})
        anna = await visitor(house, ANNA)
        assert "ask your administrator" in (await anna.sees(PAGE)).text

    in_house(tmp_path, story)


def test_a_code_is_read_as_people_type_it() -> None:
    assert typed_code(" 1234-5678 ") == typed_code("1234 5678") == "12345678"
    for none in ("", "1234567", "123456789", "1234567a", "１２３４５６７８", "1" * 5000):
        assert typed_code(none) == ""
    one = proof_of(b"key", "anna", "a@b.de", "c@d.de", "12345678")
    assert one != proof_of(b"key", "bert", "a@b.de", "c@d.de", "12345678")
    assert one != proof_of(b"key2", "anna", "a@b.de", "c@d.de", "12345678")
