"""Pages of the operator: delivery queue, mass reset, system (WEB-02)."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.adapters.greeting_sounds import speech_like
from tests.web.portal_house import ADAM, ANNA, CORA, OLGA, House, in_house, token_in
from tests.web.test_users_pages import visitor
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.live_calls import Node
from vm_ari.domain.system_mails import SystemMail
from vm_ari.web.overview_parts import OverviewParts

WELCOME = {"welcome": {"enabled": True}}


async def has_refused_mail(house: House, user_id: str) -> str:
    user = await house.directory.user_by_id(user_id)
    assert user
    values = {"when": datetime.now(UTC), "by_admin": True}
    await house.post.mails.tell(user, SystemMail.PIN_CHANGED, values, occasion=user_id)
    waiting = {name for name, _ in await house.post.queue.waiting()}
    held = {letter.id for letter, _ in await house.post.queue.held()}
    (name,) = waiting - held
    await house.post.queue.hold(name, Attempts(failed=1, last_error=f"550 no {user_id} here"))
    return name


@pytest.mark.feature("WEB-02")
@pytest.mark.feature_part("MAIL-08", "held mails are seen and released in the portal")
def test_what_was_refused_is_seen_and_released(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        assert "Cannot be read from here: Voice message." in (await olga.sees("/queue")).text
        spool = FileSpool(tmp_path / "spool" / "vm-ari")
        await spool.claim()  # as the controller does
        spool.close()
        assert "Nothing waits." in (await olga.sees("/queue")).text
        name = await has_refused_mail(house, ANNA)
        await has_refused_mail(house, CORA)
        page = (await olga.sees("/queue")).text
        assert "550 no anna here" in page
        assert "Anna Acker" in page
        assert "cora" not in page.casefold()  # her organisation has no agreement
        assert "a user of an organisation without agreement" in page
        await olga.sends("/queue", key=f"mail:{name}")
        assert [one for one, _ in await house.post.queue.waiting()] == [name]
        assert "Released" in (await olga.sees("/queue")).text
        await olga.sends("/queue", all="yes")
        assert not await house.post.queue.held()

    in_house(tmp_path, story)


@pytest.mark.feature("WEB-02")
@pytest.mark.feature_part("WELCOME-06", "the mass reset in the portal, counted and journalled")
def test_a_mass_reset_begins_only_with_the_number_of_those_who_are_meant(tmp_path: Path) -> None:
    order = {"new_pin": "yes", "unlock": "yes"}

    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        look = (await olga.sends("/resets", do="look", **order)).text
        assert "Type 4 to go on" in look  # not Cora
        other = (await olga.sends("/resets", do="begin", count="5", **order)).text
        assert "nothing was changed" in other
        for one in (ANNA, CORA):
            assert not (await house.directory.login_state(one)).welcome
        await olga.sends("/resets", do="begin", count="4", **order)
        while "Ended" not in (page := (await olga.sees("/resets")).text):
            await asyncio.sleep(0)
        assert "Ended: 4 changed, 0 not possible." in page
        anna = await house.directory.login_state(ANNA)
        assert (anna.welcome, anna.welcome_wish) == ("due", "new-pin")
        assert not (await house.directory.login_state(CORA)).welcome
        (journal,) = (tmp_path / "journals").iterdir()
        assert '"result": "done"' in journal.read_text()

    in_house(tmp_path, story, **WELCOME)


def test_only_one_organisation_is_reset_where_that_is_asked_for(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        typed = {"do": "begin", "organisation": "north", "count": "2"}
        await olga.sends("/resets", **typed)
        while "Ended" not in (await olga.sees("/resets")).text:
            await asyncio.sleep(0)
        assert (await house.directory.login_state(ADAM)).welcome == "due"
        assert not (await house.directory.login_state(ANNA)).welcome

    in_house(tmp_path, story, **WELCOME)


@pytest.mark.feature("WEB-02")
def test_the_system_tells_versions_licences_and_what_is_wrong(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        assert "No controller is running" in (await olga.sees("/system")).text
        parts = next(one for one in house.portal.parts.more if isinstance(one, OverviewParts))
        since = house.clock.now() - timedelta(hours=3)
        await parts.calls.store.begin(
            Node("pbx<1>", house.clock.now(), since, "1.0", "Asterisk 22")
        )
        await has_refused_mail(house, ANNA)
        page = (await olga.sees("/system")).text
        for told in ("vm-ari", "starlette", "BSD-3-Clause", "Apache-2.0", "anyio", "htmx", "2.1.1"):
            assert told in page, told
        for told in ("Kokoro-82M (en)", "SVOX Pico (de)", "see its files"):
            assert (told in page) is (told != "see its files"), told
        for told in ("pbx&lt;1&gt;", "Asterisk 22", "0 waiting, 1 held", "SQLite 3", "GB"):
            assert told in page, told
        assert "PostgreSQL" not in page
        found = (await olga.sends("/system")).text
        assert "not well" in found  # there is no Asterisk here
        assert ">directory<" in found

    in_house(tmp_path, story)


@pytest.mark.feature("GREET-07", "WEB-02")
def test_the_global_greeting_is_uploaded_heard_switched_and_deleted(tmp_path: Path) -> None:
    audio = speech_like(tmp_path / "all.wav", 2.0).read_bytes()

    async def story(house: House) -> None:
        olga, page = await visitor(house, OLGA), "/global-greeting"
        token = token_in((await olga.sees(page)).text)
        data = {"csrf": token, "what": "file", "language": "de"}

        async def uploads(content: bytes) -> str:
            files = {"sound": ("all.wav", content, "audio/wav")}
            await olga.http.post(page, data=data, files=files)
            return (await olga.sees(page)).text

        assert "seconds, of" not in await uploads(b"no sound at all")
        assert "2 seconds, of" in await uploads(audio)
        sound = await olga.sees(f"{page}/de/sound", range="bytes=0-3")
        assert (sound.status_code, sound.content) == (HTTPStatus.PARTIAL_CONTENT, b"RIFF")
        assert (await olga.sees(f"{page}/en/sound")).status_code == HTTPStatus.NOT_FOUND
        await olga.sends(page, what="mode", mode="always")
        assert 'value="always" checked' in (await olga.sees(page)).text
        bad = await olga.sends(page, what="mode", mode="sometimes")
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        await olga.sends(page, what="delete", language="de")
        assert "seconds, of" not in (await olga.sees(page)).text

    in_house(tmp_path, story)


@pytest.mark.feature("WEB-02")
def test_the_site_shows_what_the_file_says_and_from_where(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        page = (await (await visitor(house, OLGA)).sees("/site")).text
        for told in ("+498142479", "deny +49900", "2026", "not recorded", "built in"):
            assert told in page, told

    in_house(tmp_path, story, dialling={"rules": ["deny +49900"]})
