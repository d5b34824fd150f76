"""``vm-ari spool rescue``: what a node has left that does not come back is delivered, once."""

import asyncio
from pathlib import Path

import pytest

from tests.adapters.spool_home import FACTS, on_spool
from tests.cli.site import CliSite
from tests.recordings import record, spoken, wav
from vm_ari.adapters.spool import FileSpool


def site_of(base: Path) -> CliSite:
    """Ours, with a Maildir for Anna."""
    site = CliSite(base)
    site.configure(
        f'[spool]\ndirectory = "{base}/own/vm-ari"\n[store]\nmaildir = "{base}/mail"\n'
        f'[journal]\nurl = "sqlite:///{base}/journal.db"\n'
        f'[greetings]\ndirectory = "{base}/greetings"\n[speech]\ncache = "{base}/speech"\n'
    )
    site.run("users", "add", "anna", "--number", "101", "name=Anna", "mail=anna@x.test")
    return site


def leave_a_call(spool: Path) -> None:
    """The node died while somebody talked."""
    spool.parent.mkdir(parents=True)

    async def talk(one: FileSpool) -> None:
        await one.begin(FACTS)
        record(one.recording_path(FACTS.id, 1), wav(spoken(4.0)))

    on_spool(spool, talk)


@pytest.mark.feature_part("OPS-04", "a command delivers another node's spool, once")
def test_the_spool_of_a_dead_node_is_delivered_once(tmp_path: Path) -> None:
    site, there = site_of(tmp_path), tmp_path / "dead" / "vm-ari"
    leave_a_call(there)
    told = site.run("spool", "rescue", there, "--dry-run", code=1).output
    assert f"Left in {there}: 1 to be delivered." in told
    told = site.run("spool", "rescue", there).output
    assert "1 users have got messages; their lamps are told later" in told
    assert f"Nothing is left in {there}." in told
    [mail] = (tmp_path / "mail" / "101" / "new").iterdir()
    assert FACTS.message_id.encode() in mail.read_bytes()
    assert "Nobody has got a message." in site.run("spool", "rescue", there).output
    assert list((tmp_path / "mail" / "101" / "new").iterdir()) == [mail]


def test_what_would_do_harm_is_refused(tmp_path: Path) -> None:
    site, there = site_of(tmp_path), tmp_path / "dead" / "vm-ari"
    own = tmp_path / "own" / "vm-ari"
    for spool in (there, own):
        leave_a_call(spool)
    assert "is our own spool" in site.run("spool", "rescue", own, code=3).output
    assert "is no spool" in site.run("spool", "rescue", tmp_path / "dead", code=3).output

    async def claimed() -> None:
        spool = FileSpool(there)
        await spool.claim()
        try:
            refused = await asyncio.to_thread(site.run, "spool", "rescue", there, code=1)
        finally:
            spool.close()
        assert "another controller works on" in refused.output

    asyncio.run(claimed())
