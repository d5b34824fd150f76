"""Voice messages and the journal in the portal (STORE-05, INBOX-14)."""

import asyncio
import html
import io
import re
import wave
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.fakes import FakeLamps
from tests.web.left_messages import BEGAN, EVA, leave, noted, only_message
from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, Browser, House, in_house
from vm_ari.domain.callers import Caller
from vm_ari.ports import MessageGone, NoCall
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.own_messages import OwnMessages, Shown, has_text, page_of
from vm_ari.services.user_calls import Progress, UserCalls
from vm_ari.web.sound import OutOfRange, Part, part_of
from vm_ari.web.visit import own_address, written_id


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot(ANNA) as running:
        yield running


def on(server: Dovecot) -> dict[str, Any]:
    """The tables of a house whose messages lie there."""
    account = {"access": "administrative", "account": ADMIN, "password": ADMIN_PASSWORD}
    return {
        "store": {"kind": "imap"},
        "imap": {"server": server.url, "plaintext": True, **account},
    }


@pytest.mark.feature("STORE-05")
@pytest.mark.feature("STORE-01")
@pytest.mark.parametrize("store", ["local", "imap"])
def test_a_message_is_found_heard_in_parts_marked_deleted_and_brought_back(
    store: str, server: Dovecot, tmp_path: Path
) -> None:
    tables = on(server) if store == "imap" else {}

    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA, **tables)
        message = await only_message(house, ANNA)
        browser, path = await signed_in(house), f"/me/messages/{written_id(message.uid)}"
        assert "Eva Eder" in (await browser.sees("/me/messages?find=08912345")).text
        assert "Eva Eder" not in (await browser.sees("/me/messages?find=Otto")).text
        assert "Eva Eder" not in (await browser.sees("/me/messages?show=heard")).text
        assert f'src="{path}/sound"' in (await browser.sees(path)).text
        await _is_heard_in_parts(browser, path)
        written = (await browser.sees(f"{path}/text")).text
        assert "Hello, Eva. This is Adam <b>here</b>." in html.unescape(written)
        assert "<b>here" not in written
        await browser.sends(path, what="heard")
        assert not (await only_message(house, ANNA)).new
        assert "Eva Eder" in (await browser.sees("/me/messages?show=heard")).text
        ended = await browser.http.post(
            path,
            data={"csrf": await _token(browser, path), "what": "new"},
            headers={"hx-request": "true"},
        )
        assert ended.status_code == HTTPStatus.NO_CONTENT
        assert (await only_message(house, ANNA)).new
        gone = await browser.sends(path, what="delete")
        listed = await browser.sees(gone.headers["location"])
        assert "The message is deleted." in listed.text
        assert "Eva Eder" not in listed.text
        assert (await browser.sees(path)).status_code == HTTPStatus.NOT_FOUND
        await browser.sends(path, gone.headers["location"], what="undelete")
        assert (await only_message(house, ANNA)).new

    in_house(tmp_path, story, **tables)


async def _is_heard_in_parts(browser: Browser, path: str) -> None:
    whole = await browser.sees(f"{path}/sound")
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["cache-control"] == "no-store"
    with wave.open(io.BytesIO(whole.content)) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(2.5, abs=0.3)
    part = await browser.sees(f"{path}/sound", range="bytes=100-299")
    assert part.status_code == HTTPStatus.PARTIAL_CONTENT
    assert part.content == whole.content[100:300]
    assert part.headers["content-range"] == f"bytes 100-299/{len(whole.content)}"
    beyond = await browser.sees(f"{path}/sound", range=f"bytes={len(whole.content)}-")
    assert beyond.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    saved = await browser.sees(f"{path}/sound?save=1")
    assert saved.headers["content-disposition"] == 'attachment; filename="message.wav"'


async def _token(browser: Browser, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', (await browser.sees(path)).text)
    assert found
    return found[1]


def test_nobody_hears_what_is_not_his_unless_he_may_act_for_the_owner(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, BERT)
        uid = written_id((await only_message(house, BERT)).uid)
        for user_id, heard in ((ANNA, False), (ADAM, True), (OLGA, False)):
            browser = await signed_in(house, user_id)
            own = await browser.sees(f"/me/messages/{uid}/sound")
            assert own.status_code == HTTPStatus.NOT_FOUND
            other = await browser.sees(own_address(f"messages/{uid}/sound", BERT))
            assert (other.headers["content-type"] == "audio/wav") is heard, user_id

    no_agreement = {"north": {"name": "North", "administrators": [ADAM]}}
    in_house(tmp_path, story, organisations=no_agreement | {"south": {"name": "South"}})


@pytest.mark.feature("STORE-01")
@pytest.mark.feature("STORE-05")
@pytest.mark.parametrize("store", ["local", "imap"])
def test_the_journal_is_searched_and_leads_to_the_message(
    store: str, server: Dovecot, tmp_path: Path
) -> None:
    tables = on(server) if store == "imap" else {}

    async def story(house: House) -> None:
        message = await leave(house, tmp_path, ANNA, **tables)
        entry = await noted(tmp_path, message, ANNA)
        other = replace(message, facts=replace(message.facts, channel_id="9.9"))
        foreign = await noted(tmp_path, other, BERT)
        browser = await signed_in(house)
        page = (await browser.sees("/me/journal?name=eder&number=08912345678")).text
        assert page.count("message left") == 1
        assert "message left" not in (await browser.sees("/me/journal?kind=transfer")).text
        day = f"{BEGAN:%Y-%m-%d}"
        assert "message left" in (await browser.sees(f"/me/journal?since={day}&until={day}")).text
        assert "message left" not in (await browser.sees("/me/journal?until=2026-11-01")).text
        for bad in ("name=ab", "since=yesterday", "until=9999-12-31", "number=x"):
            answer = await browser.sees(f"/me/journal?{bad}")
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, bad
        link = await browser.sees(f"/me/journal/message?of={entry.id}")
        assert "Eva Eder" in (await browser.sees(link.headers["location"])).text
        hidden = await browser.sees(f"/me/journal/message?of={foreign.id}")
        assert hidden.status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story, **tables)


def test_what_was_deleted_can_be_brought_back_for_a_while_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA)
        user = await house.directory.user_by_id(ANNA)
        assert user
        mailboxes = house.portal.parts.mailboxes
        assert mailboxes
        messages = OwnMessages(mailboxes, for_good=True, back_seconds=0.01)
        uid = (await only_message(house, ANNA)).uid
        await messages.delete(user, uid)
        while messages.can_come_back(user, uid):
            await asyncio.sleep(0.01)
        await messages.close()
        with pytest.raises(MessageGone):
            await messages.undelete(user, uid)
        assert not list((tmp_path / "mail").rglob(f"{uid}*"))

    in_house(tmp_path, story)


def test_a_list_goes_on_where_the_page_before_ended_also_when_new_messages_come(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA)
        one = await only_message(house, ANNA)
        many = [replace(one, uid=f"{number:03}") for number in range(7)]
        first = page_of(many, "", size=3)
        newer = replace(one, uid="999")
        second = page_of([newer, *many], first.older, size=3)
        third = page_of(many, second.older, size=3)
        names = [each.uid for page in (first, second, third) for each in page.messages]
        assert names == ["006", "005", "004", "003", "002", "001", "000"]
        assert third.older == ""
        assert page_of(many, "no place", size=9).messages[0].uid == "006"
        assert has_text(one, "eva")
        assert has_text(replace(one, caller=Caller(EVA.number)), "089 / 1234")
        assert not has_text(one, "Eva 1")
        assert list(Shown) == ["all", "new", "heard"]

    in_house(tmp_path, story)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", Part(0, 99)),
        ("bytes=10-19", Part(10, 19)),
        ("bytes=90-500", Part(90, 99)),
        ("bytes=-10", Part(90, 99)),
        ("bytes=-500", Part(0, 99)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=-", None),
    ],
)
def test_parts_of_a_file(header: str, part: Part | None) -> None:
    assert part_of(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=200-300"])
def test_parts_that_are_not_there(header: str) -> None:
    with pytest.raises(OutOfRange):
        part_of(header, 100)


def test_a_user_is_called_once_at_a_time_and_told_what_came_of_it() -> None:
    async def story() -> None:
        calls, answered = UserCalls(), asyncio.Event()

        async def rings() -> None:
            await answered.wait()

        async def fails() -> None:
            raise NoCall("nobody answered")

        assert calls.progress(ANNA) is None
        assert calls.begin(ANNA, rings)
        assert not calls.begin(ANNA, rings)
        assert calls.begin(BERT, fails)
        answered.set()
        while Progress.CALLING in {calls.progress(ANNA), calls.progress(BERT)}:
            await asyncio.sleep(0)
        assert calls.progress(ANNA) is Progress.DONE
        assert calls.tell(BERT) is Progress.IN_VAIN
        assert calls.tell(BERT) is None
        assert calls.begin(BERT, asyncio.Event().wait)  # type: ignore[arg-type]
        await calls.close()
        assert calls.progress(BERT) is Progress.IN_VAIN

    asyncio.run(story())


def test_only_own_telephones_ring(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA)
        uid = written_id((await only_message(house, ANNA)).uid)
        browser, path = await signed_in(house), f"/me/messages/{uid}"
        page = (await browser.sees(path)).text
        assert '<option value="+49814247910">' in page
        wrong = await browser.sends(path, what="play", phone="+49900123456")
        assert wrong.status_code == HTTPStatus.BAD_REQUEST
        asked = await browser.sends(path, what="play", phone="+49814247910")
        assert asked.status_code == HTTPStatus.SEE_OTHER
        while "is being called" in (state := (await browser.sees("/me/messages/call")).text):
            await asyncio.sleep(0.02)
        assert "The call was in vain" in state  # there is no Asterisk

    in_house(tmp_path, story, asterisk={"url": "http://127.0.0.1:9", "password": "unused"})


def test_the_lamp_follows_what_is_done_in_the_portal(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA)
        user, mailboxes = await house.directory.user_by_id(ANNA), house.portal.parts.mailboxes
        assert user
        assert mailboxes
        lamps = FakeLamps()
        messages = OwnMessages(mailboxes, LampKeeper(lamps, mailboxes, house.directory))
        uid = (await only_message(house, ANNA)).uid
        await messages.mark(user, uid, new=False)
        await messages.mark(user, uid, new=True)
        await messages.delete(user, uid)
        await messages.undelete(user, uid)
        await messages.close()
        assert [shown[1:] for shown in lamps.history] == [(0, 1), (1, 0), (0, 0), (1, 0)]

    in_house(tmp_path, story)


@pytest.mark.feature("STORE-05")
@pytest.mark.parametrize("store", ["local", "imap"])
def test_a_message_is_put_away_found_there_and_taken_back(
    store: str, server: Dovecot, tmp_path: Path
) -> None:
    tables = on(server) if store == "imap" else {}
    tables["store"] = tables.get("store", {"maildir": tmp_path / "mail"}) | {
        "folders": ["Archív", "Später"]
    }
    server.empty(ANNA)

    async def story(house: House) -> None:
        message = await leave(house, tmp_path, ANNA, **tables)
        entry = await noted(tmp_path, message, ANNA)
        browser = await signed_in(house)
        path = f"/me/messages/{written_id((await only_message(house, ANNA)).uid)}"
        for odd in ("Elsewhere", "../x", ""):
            refused = await browser.sends(path, what="move", to=odd)
            assert refused.status_code == HTTPStatus.BAD_REQUEST, odd
        await browser.sends(path, what="move", to="Später")
        assert "Eva Eder" not in (await browser.sees("/me/messages")).text
        assert "Eva Eder" not in (await browser.sees("/me/messages?in=Arch%C3%ADv")).text
        listed = (await browser.sees("/me/messages?in=Sp%C3%A4ter&find=eder")).text
        found = re.search(r'href="(/me/messages/[^"]+\?in=Sp%C3%A4ter)">', listed)
        assert found, listed
        there = found[1]
        sound = await browser.sees(there.replace("?", "/sound?"))
        assert sound.headers["content-type"] == "audio/wav"
        assert "Hello, Eva." in (await browser.sees(there.replace("?", "/text?"))).text
        link = await browser.sees(f"/me/journal/message?of={entry.id}")
        assert link.headers["location"] == there
        assert "Call and play" not in (await browser.sees(there)).text
        await browser.sends(there, what="heard")
        gone = await browser.sends(there, what="delete")
        assert "Eva Eder" not in (await browser.sees(gone.headers["location"])).text
        await browser.sends(there, gone.headers["location"], what="undelete")
        again = re.search(
            r'href="(/me/messages/[^"]+\?in=Sp%C3%A4ter)">',
            (await browser.sees("/me/messages?in=Sp%C3%A4ter")).text,
        )
        assert again
        await browser.sends(again[1], what="move", to="")
        assert not (await only_message(house, ANNA)).new

    in_house(tmp_path, story, **tables)


def test_senders_are_called_back_by_the_rules_of_the_telephone_menu(tmp_path: Path) -> None:
    """Numbers of the house; not for whoever acts for the owner, nor from other telephones."""

    async def story(house: House) -> None:
        await leave(house, tmp_path, BERT, caller=Caller("+49814247910", "Anna Acker"))
        path = f"messages/{written_id((await only_message(house, BERT)).uid)}"
        owner, admin = await signed_in(house, BERT), await signed_in(house, ADAM)
        own = f"/me/{path}"
        assert "Ring me and connect" in (await owner.sees(own)).text
        asked = {"what": "call-back", "phone": "+49814247912"}
        assert (await owner.sends(own, **asked)).status_code == HTTPStatus.SEE_OTHER
        while "is being called" in (state := (await owner.sees("/me/messages/call")).text):
            await asyncio.sleep(0.02)
        assert "The call was in vain" in state  # there is no Asterisk
        other = asked | {"phone": "+49814247910"}
        assert (await owner.sends(own, **other)).status_code == HTTPStatus.BAD_REQUEST
        acting = own_address(path, BERT)
        assert "Ring me and connect" not in (await admin.sees(acting)).text
        assert (await admin.sends(acting, **asked)).status_code == HTTPStatus.BAD_REQUEST
        assert (await admin.sees("/me/messages/call")).status_code == HTTPStatus.OK

    in_house(tmp_path, story, asterisk={"url": "http://127.0.0.1:9", "password": "unused"})


def test_who_may_not_be_called_back_is_said(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA)  # from outside
        path = f"/me/messages/{written_id((await only_message(house, ANNA)).uid)}"
        browser = await signed_in(house)
        page = (await browser.sees(path)).text
        assert "Calls back to the outside are switched off here." in page
        asked = await browser.sends(path, what="call-back", phone="+49814247910")
        assert asked.status_code == HTTPStatus.BAD_REQUEST

    in_house(tmp_path, story)


def test_a_site_that_hides_call_back_has_no_such_button(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await leave(house, tmp_path, ANNA, caller=Caller("+49814247912", "Bert"))
        path = f"/me/messages/{written_id((await only_message(house, ANNA)).uid)}"
        page = (await (await signed_in(house)).sees(path)).text
        assert "Call and play" in page
        assert "Ring me" not in page

    in_house(tmp_path, story, menus={"hidden": ["call-back"]})
