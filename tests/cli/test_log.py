"""``vm-ari log`` and ``vm-ari calls``."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from tests.cli.site import CliSite
from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.domain.callers import Caller
from vm_ari.domain.live_calls import Doing, LiveCall, Node
from vm_ari.logs import write_logs


def test_the_log_is_shown_and_its_level_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VM_ARI__LOG_LEVEL", raising=False)
    site, file = CliSite(tmp_path), tmp_path / "vm-ari.log"
    spool = tmp_path / "vm-ari"
    spool.mkdir()
    site.configure(f'[logs]\nfile = "{file}"\n[spool]\ndirectory = "{spool}"\n')
    assert "No such file" in site.run("log", "show", code=1).output
    before = structlog.get_config()
    write_logs("info", file=file)
    try:
        structlog.get_logger("vm_ari.calls").info("call", call="c1", user="anna")
        structlog.get_logger("vm_ari.notices").warning("no notice", user="anna", reason="x y")
    finally:
        structlog.configure(**before)
    rows = site.ask("log", "show")
    assert [row["event"] for row in rows] == ["call", "no notice"], "the newest last"
    assert rows[1]["facts"] == "user=anna reason=x y"
    assert [row["kind"] for row in site.ask("log", "show", "--call", "c1")] == ["calls"]
    assert len(site.ask("log", "show", "--level", "warning", "-n", "1")) == 1
    assert site.run("log", "level").output == "info\n"
    assert site.run("log", "level", "debug", "--for", "2h").output.startswith("debug, until 20")
    assert site.run("log", "level", "--usual").output == "info\n"
    for wrong in ("25h", "0m", "soon"):
        site.run("log", "level", "debug", "--for", wrong, code=2)


def test_calls_are_shown_and_ended(tmp_path: Path) -> None:
    site, now = CliSite(tmp_path), datetime.now(UTC)
    site.configure()
    call = LiveCall(
        "pbx/1", "1", "pbx", Doing.MESSAGE, now, Caller("+4930", "Eve\x1b[2J"), user_id="a"
    )

    async def orders(*calls: LiveCall) -> object:
        store = DatabaseLiveCalls(f"sqlite:///{tmp_path}/directory.db")
        try:
            if calls:
                await store.begin(Node("pbx", now, now))
                await store.write(Node("pbx", now, now), calls, ())
            return await store.take_orders("pbx", now)
        finally:
            await store.close()

    assert site.ask("calls") == []
    asyncio.run(orders(call))
    [row] = site.ask("calls")
    assert (row["id"], row["state"], row["user"]) == ("pbx/1", "message", "a")
    assert site.run("calls", "--json").output.startswith("[")
    assert "\x1b" not in site.run("calls").output
    assert "There is no call" in site.run("calls", "--end", "pbx/2", code=1).output
    site.run("calls", "--end", "pbx/1")
    assert asyncio.run(orders()) == {"pbx/1": "vm-ari calls"}
    site.configure('[journal]\nurl = "sqlite:////proc/none/x.db"\n')
    assert "database of calls" in site.run("calls", code=4).output
