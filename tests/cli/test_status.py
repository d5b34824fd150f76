"""``vm-ari status``: what an administrator sees at a glance, and what a program reads."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.site import CliSite
from tests.cli.test_outbox import site_with_post
from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.domain.callers import Caller
from vm_ari.domain.live_calls import Doing, LiveCall, Node


def controller(site: CliSite, telephony: str = "Asterisk 22.1.0", **age: float) -> None:
    """One writes that it is there, with a call."""
    now = datetime.now(UTC) - timedelta(**age)

    async def story() -> None:
        store = DatabaseLiveCalls(f"sqlite:///{site.base}/directory.db")
        since = now - timedelta(days=3, hours=4)
        await store.begin(Node("pbx", now, since, "1.2", telephony))
        call = LiveCall("c1", "1.1", "pbx", Doing.MESSAGE, now, Caller("+4989123", "Carla"))
        await store.write(Node("pbx", now, since, "1.2", telephony), [call], ())
        await store.close()

    asyncio.run(story())


def states(site: CliSite, code: int = 0) -> dict[str, str]:
    lines = site.run("status", "-o", "tsv", code=code).stdout.splitlines()
    return dict(line.split("\t", 1) for line in lines[1:])


def test_where_nothing_runs_it_says_so_and_makes_nothing(site: CliSite) -> None:
    found = states(site, code=1)
    assert found["controller"] == "none runs; vm-ari run, or systemctl start vm-ari"
    assert found["calls"] == "0"
    assert [one.name for one in site.base.iterdir()] == ["vm-ari.toml"]


def test_a_running_controller_with_its_queues_and_its_last_error(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    log = tmp_path / "vm-ari.log"
    log.write_text(
        'timestamp=2026-11-22T03:04:05 level=error event="the spool cannot be read" reason=full '
        "area=outbox\ntimestamp=2026-11-22T03:04:06 level=info event=call area=app\n"
    )
    maildirs = f'[store]\nmaildir = "{tmp_path}/mail"\n[logs]\nfile = "{log}"\n'
    site.config.write_text(site.config.read_text() + maildirs)
    (tmp_path / "vm-ari" / "corrupt" / "x").mkdir(parents=True)
    controller(site)
    found = states(site)
    assert "up 3 d 4 h" in found["controller pbx"]
    assert found["controller pbx"].endswith("Asterisk 22.1.0")
    assert found["calls"] == "1 (1 message)"
    assert found["voice messages on their way"].startswith("1 (the oldest for ")
    assert found["voice messages on their way"].endswith(", 1 held: vm-ari spool list --held")
    assert found["unreadable recordings"].startswith("1;")
    assert found["last error"].endswith("the spool cannot be read reason=full")
    [facts] = site.ask("status")
    assert facts["serves"] is True
    assert facts["queues"]["mail"]["waiting"] == facts["queues"]["notice"]["held"] == 1
    assert facts["calls"][0]["doing"] == "message"
    assert "Carla" not in str(facts), "whoever calls is nobody's business here"


def test_one_without_asterisk_or_long_silent_does_not_serve(site: CliSite) -> None:
    controller(site, telephony="")
    assert "WITHOUT ASTERISK: vm-ari check" in states(site, code=1)["controller pbx"]
    controller(site, minutes=2)
    told = states(site, code=1)["controller pbx"]
    assert told == "SILENT for 2 min: it hangs or has died; restart it"
    assert site.run("status", "-o", "json", code=1).stdout.count('"pbx"') == 1


def test_a_database_that_cannot_be_read_is_a_problem_and_no_silence(site: CliSite) -> None:
    (site.base / "directory.db").write_bytes(b"this is no database" * 100)
    found = states(site, code=4)
    assert "nobody knows which controllers run" in found["problem"]
    assert "controller" not in found
