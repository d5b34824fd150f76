"""The mail about the functions, and reading out what users need, in the portal (STORE-03)."""

import asyncio
import html
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, House, in_house
from tests.web.test_matrix import signed_in
from vm_ari.domain.system_mails import SystemMail
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.visit import own_address


async def queued(house: House, kind: SystemMail) -> list[str]:
    """Ids of users to whom a mail of that kind is on its way."""
    found = [await house.post.queue.letter(name) for name, _ in await house.post.queue.waiting()]
    return sorted(one.recipient.user_id for one in found if one and one.kind is kind)


@pytest.mark.feature("STORE-03")
def test_an_administrator_sends_it_to_the_own_users(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house, ADAM)
        looked = await browser.sends("/information", mailing="spring", do="look")
        assert "2 users are meant." in looked.text
        wrong = await browser.sends("/information", mailing="spring", do="begin", count="5")
        assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        for _ in range(2):
            begun = await browser.sends("/information", mailing="spring", do="begin", count="2")
            assert begun.status_code == HTTPStatus.SEE_OTHER, begun.text
            [parts] = [one for one in house.portal.parts.more if isinstance(one, AdminParts)]
            while parts.work.is_busy:
                await asyncio.sleep(0.02)
        assert await queued(house, SystemMail.INFORMATION) == [ADAM, BERT]
        operator = await signed_in(house, OLGA)
        assert "4 users" in (await operator.sends("/information", mailing="x", do="look")).text

    in_house(tmp_path, story)


@pytest.mark.feature("STORE-03")
def test_what_no_mail_tells_is_read_out(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        admin, path = await signed_in(house, ADAM), own_address("account/read-out", BERT)
        page = html.unescape((await admin.sees(path)).text)
        for part in ("+49 8142 47912", "press * during the greeting", "https://"):
            assert part in page
        assert 'class="pin"' not in page
        assert "switched off" in (await admin.sees("/information")).text
        [made] = re.findall(r'class="pin">([0-9]+)<', (await admin.sends(path, what="new")).text)
        assert f'class="pin">{made}<' in (await admin.sends(path, what="pin")).text
        assert (await house.directory.check_pin(BERT, made)).name == "RIGHT"
        other = await admin.sees(own_address("account/read-out", ANNA))
        assert other.status_code == HTTPStatus.FORBIDDEN

    in_house(tmp_path, story, mail={"information": False}, welcome={"enabled": True})


def test_where_the_welcome_mail_brings_the_pin_nobody_sees_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        admin, path = await signed_in(house, ADAM), own_address("account/read-out", BERT)
        told = await admin.sends(path, what="pin")
        assert told.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'class="pin"' not in told.text

    in_house(tmp_path, story, welcome={"enabled": True})


@pytest.mark.feature("STORE-03")
def test_who_has_a_new_password_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house, ANNA)
        new = "another-password-of-8-words"
        fields = {"present": "a-password-of-7-words", "new": new, "again": new}
        changed = await browser.sends("/me/password", **fields)
        assert changed.status_code == HTTPStatus.SEE_OTHER, changed.text
        assert await queued(house, SystemMail.PASSWORD_CHANGED) == [ANNA]

    in_house(tmp_path, story)
