"""What programs of users do with the API: the same as on pages (WEB-01)."""

import asyncio
import io
import re
import wave
from email import message_from_bytes
from email.policy import default
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.recordings import spoken, wav
from tests.web.api_program import program
from tests.web.left_messages import EVA, leave, noted
from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, House, in_house
from vm_ari.domain.preferences import SETTINGS
from vm_ari.web.api.openapi import description, document
from vm_ari.web.api.operations.settings import features
from vm_ari.web.api.problems import CODES
from vm_ari.web.visit import written_id

NO_ASTERISK = {"url": "http://127.0.0.1:9", "password": "unused"}


def setting(answer: Any, key: str) -> Any:
    return next(one for one in answer.json()["settings"] if one["key"] == key)


async def code_in_mail(house: House) -> str:
    """Out of the only mail that waits."""
    [(name, _)] = await house.post.queue.waiting()
    letter = await house.post.queue.letter(name)
    assert letter
    mail = message_from_bytes(letter.content, policy=default)
    body = mail.get_body(("plain",))
    assert body
    found = re.search(r"\b\d{4} \d{4}\b", str(body.get_content()))
    assert found
    return found[0]


def test_settings_show_what_counts_and_where_it_comes_from(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        shown = await annas.get("/me/settings")
        assert {one["key"] for one in shown.json()["settings"]} == set(SETTINGS)
        language = setting(shown, "language")
        assert (language["value"], language["origin"], language["own"]) == ("en", "site", None)
        given = {"language": "DE", "notify_voice": "lamp, mail", "notice_phone": "08142 47912"}
        changed = await annas.sends("PATCH", "/me/settings", {"settings": given})
        assert changed.status_code == HTTPStatus.OK, changed.text
        language = setting(changed, "language")
        assert [language[key] for key in ("value", "own", "inherited")] == ["de", "de", "en"]
        again = {"settings": {"language": None, "notify_voice": None}}
        back = await annas.sends("PATCH", "/me/settings", again)
        assert setting(back, "language")["origin"] == "site"
        assert setting(back, "notify_voice")["origin"] == "default"
        assert setting(back, "notice_phone")["own"]

    in_house(tmp_path, story)


def test_of_several_settings_all_are_stored_or_none(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        given = {"settings": {"language": "de", "time_zone": "Nowhere/None", "imap_server": "x"}}
        refused = await annas.sends("PATCH", "/me/settings", given)
        assert refused.json()["code"] == "fixed"  # the server is not the users' business
        olgas, path = await program(house, OLGA), f"/admin/users/{ANNA}/settings"
        refused = await olgas.sends("PATCH", path, {"settings": {"language": "de", "mobile": "x"}})
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert [one["where"] for one in refused.json()["faults"]] == ["body.settings.mobile"]
        unknown = await olgas.sends("PATCH", path, {"settings": {"colour": "red"}})
        assert unknown.json()["where"] == "body.settings.colour"
        assert setting(await annas.get("/me/settings"), "language")["own"] is None

    in_house(tmp_path, story)


def test_the_site_reserves_here_what_it_reserves_on_pages(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas, olgas = await program(house, ANNA), await program(house, OLGA)
        assert not setting(await annas.get("/me/settings"), "language")["may_change"]
        given = {"settings": {"language": "de"}}
        for method, path, body in (
            ("PATCH", "/me/settings", given),
            ("PATCH", "/me/notifications", {"settings": {"transcribe": "no"}}),
            ("PUT", "/me/profile", {"profile": "home"}),
            ("PUT", "/me/greetings/work/en/text", {"text": "Hello"}),
            ("DELETE", "/me/greetings/work/en", None),
        ):
            answer = await annas.sends(method, path, body)
            assert answer.json()["code"] == "fixed", (path, answer.text)
        acting = await olgas.sends("PATCH", f"/admin/users/{ANNA}/settings", given)
        assert acting.status_code == HTTPStatus.OK

    assert features().keys() < SETTINGS.keys()
    in_house(tmp_path, story, web={"may_change": ["pin"]})


def test_who_changes_what_somebody_else_has_changed_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        first, second = await program(house, ANNA), await program(house, OLGA)
        tag = (await first.get("/me/settings")).headers["etag"]
        given = {"settings": {"language": "de"}}
        path = f"/admin/users/{ANNA}"
        await second.sends("PATCH", f"{path}/settings", {"settings": {"language": "fr"}})
        late = await first.sends("PATCH", "/me/settings", given, if_match=tag)
        assert late.status_code == HTTPStatus.PRECONDITION_FAILED
        fresh = (await first.get("/me/settings")).headers["etag"]
        done = await first.sends("PATCH", "/me/settings", given, if_match=f'"x", {fresh}')
        assert done.status_code == HTTPStatus.OK
        known = await first.get("/me/settings", if_none_match=done.headers["etag"])
        assert (known.status_code, known.content) == (HTTPStatus.NOT_MODIFIED, b"")
        numbers = {"numbers": ["08142 479 33"]}
        blind = await second.sends("PUT", f"{path}/numbers", numbers)
        assert blind.status_code == HTTPStatus.PRECONDITION_REQUIRED
        tag = (await second.get(f"{path}/numbers")).headers["etag"]
        both = [second.sends("PUT", f"{path}/numbers", numbers, if_match=tag) for _ in range(2)]
        codes = sorted(one.status_code for one in await asyncio.gather(*both))
        assert codes == [HTTPStatus.OK, HTTPStatus.PRECONDITION_FAILED]

    in_house(tmp_path, story)


def test_a_profile_is_activated_until_a_day(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        today = house.clock.now().date()
        given = {"profile": "vacation", "until": today.isoformat()}
        done = (await annas.sends("PUT", "/me/profile", given)).json()
        assert (done["profile"], done["answers"]) == ("vacation", "vacation")
        assert done["until"] == today.isoformat()
        assert (await annas.get("/me/now")).json()["profile"] == "vacation"
        for wrong in (
            {"profile": "internal"},
            {"profile": "x"},
            {"profile": "work", "until": "1999-01-01"},
        ):
            answer = await annas.sends("PUT", "/me/profile", wrong)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, wrong

    in_house(tmp_path, story)


def test_messages_are_listed_page_by_page_heard_marked_deleted_and_brought_back(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        for number in range(1, 28):
            await leave(house, tmp_path, ANNA, number)
        first = (await annas.get("/me/messages")).json()
        rest = (await annas.get(f"/me/messages?after={first['next']}")).json()
        assert (len(first["items"]), len(rest["items"]), rest["next"]) == (25, 2, None)
        one = first["items"][0]
        assert (one["caller_number"], one["caller_name"], one["new"]) == (
            EVA.number,
            EVA.name,
            True,
        )
        path = f"/me/messages/{one['id']}"
        sound = await annas.get(f"{path}/sound", range="bytes=0-11")
        assert (sound.status_code, sound.content[:4]) == (HTTPStatus.PARTIAL_CONTENT, b"RIFF")
        assert "Hello, Eva" in (await annas.get(f"{path}/text")).json()["text"]
        assert (await annas.sends("PATCH", path, {"new": False})).status_code == 204
        assert (await annas.get("/me/counts")).json()["heard_voice"] == 1
        assert (await annas.sends("DELETE", path)).status_code == HTTPStatus.NO_CONTENT
        assert (await annas.get(path)).status_code == HTTPStatus.NOT_FOUND
        assert (await annas.sends("POST", f"{path}/undelete")).status_code == 204
        assert not (await annas.get(path)).json()["new"]
        berts = await program(house, BERT)
        assert (await berts.get(path)).status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story)


def test_a_message_is_put_away_and_taken_back(tmp_path: Path) -> None:
    store: dict[str, Any] = {"store": {"maildir": tmp_path / "mail", "folders": ["Later"]}}

    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        entry = await noted(tmp_path, await leave(house, tmp_path, ANNA, **store), ANNA)
        assert (await annas.get("/me/folders")).json()["folders"] == ["Later"]
        (one,) = (await annas.get("/me/messages")).json()["items"]
        path = f"/me/messages/{one['id']}/move"
        for wrong in ("Nowhere", ""):
            refused = await annas.sends("POST", path, {"to": wrong})
            assert refused.json()["where"] == "body.to"
        moved = await annas.sends("POST", path, {"to": "Later"})
        assert moved.status_code == HTTPStatus.NO_CONTENT, moved.text
        assert (await annas.get("/me/messages")).json()["items"] == []
        (put,) = (await annas.get("/me/messages?folder=Later")).json()["items"]
        link = (await annas.get(f"/me/journal/{written_id(entry.id)}/message")).json()
        assert link == {"message": put["id"], "folder": "Later"}
        path = f"/me/messages/{put['id']}"
        assert (await annas.get(f"{path}/sound?folder=Later")).content[:4] == b"RIFF"
        assert (await annas.get(f"{path}?folder=Nowhere")).status_code == 422
        await annas.sends("POST", f"{path}/move?folder=Later", {"to": ""})
        assert len((await annas.get("/me/messages")).json()["items"]) == 1

    in_house(tmp_path, story, **store)


def test_only_own_telephones_ring(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        await leave(house, tmp_path, ANNA)
        (one,) = (await annas.get("/me/messages")).json()["items"]
        path = f"/me/messages/{one['id']}/play"
        wrong = await annas.sends("POST", path, {"phone": "+49900123456"})
        assert wrong.json()["where"] == "body.phone"
        begun = await annas.sends("POST", path, {"phone": "+49814247910"})
        assert (begun.status_code, begun.json()["progress"]) == (HTTPStatus.ACCEPTED, "calling")
        while (state := (await annas.get("/me/call")).json()["progress"]) == "calling":
            await asyncio.sleep(0.02)
        assert state == "in-vain"  # there is no Asterisk

    in_house(tmp_path, story, asterisk=NO_ASTERISK)


def test_a_greeting_is_uploaded_heard_ended_and_deleted(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas, path = await program(house, ANNA), "/me/greetings/work/en"
        upload = wav(spoken(3.0))
        kept = await annas.sends("PUT", f"{path}/sound", upload, content_type="audio/wav")
        assert kept.status_code == HTTPStatus.OK, kept.text
        assert (kept.json()["source"], kept.json()["there"]) == ("upload", True)
        heard = await annas.get(f"{path}/sound")
        with wave.open(io.BytesIO(heard.content)) as file:
            assert file.getframerate() == 16_000
        assert (await annas.get("/me/now")).json()["greeting"] == "profile"
        ended = await annas.sends("PATCH", path, {"until": "2099-12-31"})
        assert ended.json()["expires"].startswith("2099-12-31T23:00")
        assert (await annas.sends("PATCH", path, {"until": "1999-01-01"})).status_code == 422
        noise = await annas.sends("PUT", f"{path}/sound", b"no sound", content_type="audio/wav")
        assert noise.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        picture = await annas.sends("PUT", f"{path}/sound", upload, content_type="image/png")
        assert picture.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        assert (await annas.sends("DELETE", path)).status_code == HTTPStatus.NO_CONTENT
        assert (await annas.sends("DELETE", path)).status_code == HTTPStatus.NOT_FOUND
        assert (await annas.get("/me/greetings/global/en")).status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story)


def test_another_mail_address_needs_the_code_that_goes_to_the_present_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas, path = await program(house, ANNA), "/me/mail-address"
        begun = await annas.sends("PUT", path, {"mail": "ann@example.org"})
        assert (begun.json()["mail"], begun.json()["new"]) == (
            "anna@example.org",
            "ann@example.org",
        )
        wrong = await annas.sends("POST", f"{path}/code", {"code": "000"})
        assert wrong.json()["where"] == "body.code"
        done = await annas.sends("POST", f"{path}/code", {"code": await code_in_mail(house)})
        assert (done.json()["mail"], done.json()["new"]) == ("ann@example.org", None)
        taken = await annas.sends("PUT", path, {"mail": "bert@example.org"})
        assert taken.json()["code"] == "taken"
        adams = await program(house, ADAM)
        given = {"mail": "bertram@example.org"}
        acting = await adams.sends("PUT", f"/admin/users/{BERT}/mail-address", given)
        assert acting.json()["mail"] == "bertram@example.org"
        assert (await annas.sends("DELETE", path)).status_code == HTTPStatus.NO_CONTENT

    in_house(tmp_path, story)


def test_the_description_is_whole() -> None:
    """Every reference leads somewhere, every schema is one, and every address has its parts."""
    described = document()
    Draft202012Validator.check_schema(described["components"]["schemas"])
    for ref in set(re.findall(r'"#/(components/[^"]+)"', description())):
        found: Any = described
        for step in ref.split("/"):
            found = found[step]
    names = list[str]()
    for address, methods in described["paths"].items():
        for operation in methods.values():
            parts = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert parts == set(re.findall(r"\{(\w+)\}", address))
            names.append(operation["operationId"])
    assert len(names) == len(set(names)) > 70


def test_problems_say_what_where_and_what_to_do(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas = await program(house, ANNA)
        asked: tuple[tuple[str, str, object, dict[str, str], str], ...] = (
            ("GET", "/nothing", None, {}, "not-there"),
            ("POST", "/me", None, {}, "wrong-method"),
            ("GET", "/me?x=1", None, {}, "invalid"),
            ("GET", "/me/messages?show=x", None, {}, "invalid"),
            ("PATCH", "/me/settings", b"{", {"content_type": "application/json"}, "invalid"),
            ("PATCH", "/me/settings", b"{}", {"content_type": "text/plain"}, "wrong-type"),
            (
                "PATCH",
                "/me/settings",
                b" " * 70_000,
                {"content_type": "application/json"},
                "too-large",
            ),
        )
        for method, path, body, headers, code in asked:
            answer = await annas.sends(method, path, body, **headers)
            told = answer.json()
            assert (told["code"], told["status"]) == (code, answer.status_code), answer.text
            assert told["type"] == f"/api#{code}"
            assert told["detail"]
        page = (await house.browser().sees("/api")).text
        for code in CODES:
            assert f'id="{code}"' in page
        assert "/api/v1/admin/users/{user}/numbers" in page
        assert "//" not in page.replace("https://localhost:0/api", "")

    in_house(tmp_path, story)
