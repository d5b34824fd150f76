"""The page of the log: for operators, filtered, harmless, without people of others (OPS-02)."""

from pathlib import Path

import pytest
import structlog

from tests.web.portal_house import ANNA, CORA, OLGA, House, in_house, token_in
from tests.web.test_users_pages import visitor
from vm_ari.logs import write_logs

EVIL = '<script>alert(1)</script> x="'


@pytest.mark.feature("OPS-02", "WEB-02")
def test_the_log_is_read_by_kind_level_user_call_and_text_and_saved(tmp_path: Path) -> None:
    file = tmp_path / "vm-ari.log"

    async def story(house: House) -> None:
        before = structlog.get_config()
        write_logs("info", file=file)
        try:
            calls = structlog.get_logger("vm_ari.calls")
            calls.info("call", call="pbx-1.1", mailbox="101", caller=EVIL)
            calls.info("greeting", call="pbx-1.1", user=ANNA, rung="default")
            calls.info("greeting", call="pbx-1.2", user=CORA, rung="default")
            structlog.get_logger("vm_ari.notices").warning("no notice", user=ANNA, reason="away")
            for number in range(120):
                structlog.get_logger("vm_ari.ldap").info(f"filler {number}")
            olga = await visitor(house, OLGA)
            await olga.sends("/sign-in", name="mallory", password="wrong")
        finally:
            structlog.configure(**before)
        page = (await olga.sees("/logs")).text
        assert "filler 119" in page
        assert "mallory" not in page, "what was typed there may be a password"
        assert "portal sign-in failed" in (await olga.sees("/logs?kind=wrong-pin")).text
        for asked, there, missing in (
            ("kind=calls", "pbx-1.1", "filler"),
            ("kind=notices", "no notice", "pbx-1.1"),
            ("level=warning", "no notice", "filler"),
            ("call=pbx-1.1", "rung=default", "pbx-1.2"),
            (f"user={ANNA}", "no notice", "filler"),
            ("text=FILLER+7", "filler 77", "filler 88"),
            ("kind=nonsense&level=all&text=script", "&lt;script&gt;", "<script>alert"),
        ):
            found = (await olga.sees(f"/logs?{asked}")).text
            table = found[found.index("<tbody") : found.index("</tbody")]
            assert there in table, asked
            assert missing not in table, asked
        hidden = (await olga.sees("/logs?text=greeting")).text
        assert "pbx-1.2" not in hidden
        assert "1 lines about users of organisations without agreement" in hidden
        older = page[page.index('<a href="/logs?after=') :].split('"')[1].replace("&amp;", "&")
        assert "filler 0" in (await olga.sees(older)).text
        saved = await olga.sees("/logs/download?kind=calls")
        assert saved.headers["content-disposition"].startswith("attachment")
        assert saved.headers["content-type"].startswith("text/plain")
        assert [EVIL.split(maxsplit=1)[0] in saved.text, "pbx-1.2" in saved.text] == [True, False]

    in_house(tmp_path, story, logs={"file": file})


def test_the_level_is_changed_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VM_ARI__LOG_LEVEL", raising=False)

    async def story(house: House) -> None:
        (tmp_path / "spool" / "vm-ari").mkdir(parents=True, exist_ok=True)
        olga = await visitor(house, OLGA)
        page = await olga.sees("/logs")
        assert "Written down: information and worse." in page.text

        async def sends(**fields: str) -> str:
            token = token_in(page.text)
            await olga.http.post("/logs", data={"csrf": token, **fields})
            return (await olga.sees("/logs")).text

        assert ": everything (debug) and worse." in await sends(level="debug", minutes="15")
        assert "Written down: information" in await sends(level="debug", minutes="99999")
        assert "Written down: information" in await sends()

    in_house(tmp_path, story, logs={"unit": "no-such-unit"})
