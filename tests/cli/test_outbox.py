"""``vm-ari outbox``: what waits is shown beside a running controller, what is held can go again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from tests.services.post import Post, ScriptedCourier, on
from tests.services.welcome_node import node, told
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel
from vm_ari.ports import DeliveryPostponed, DeliveryRefused

ANSWERS = [DeliveryRefused("550 too large"), DeliveryPostponed("the mailbox is full")]


def site_with_post(base: Path) -> CliSite:
    """One message is held, one waits; so do two mails, and two notices."""
    site = CliSite(base)
    site.configure(f'[spool]\ndirectory = "{base}/vm-ari"\n')

    async def story(post: Post) -> None:
        await post.leave("held-one")
        await asyncio.sleep(1)
        await post.leave("waiting-one")
        await asyncio.sleep(1)

    on(Post(base / "vm-ari", courier=ScriptedCourier(list(ANSWERS))), story)

    async def mails() -> None:
        one = node(base)
        await told(one, "a", "b")
        first = (await one.queue.waiting())[0][0]
        await one.queue.hold(first, Attempts(failed=1, last_error="550 nobody"))
        await one.directory.close()
        notices = NoticeQueue(base / "vm-ari" / "notices", KeyRing(base / "keys"))
        for number, name in enumerate(("aa", "bb")):
            made = datetime(2026, 11, 22, 3, number, tzinfo=UTC)
            job = NoticeJob(name, Channel.SMS, f"user {name}", made, {"number": "+49170"})
            await notices.add(job)
        await notices.hold(job, Attempts(failed=1, last_error="400 no such number"))

    asyncio.run(mails())
    (base / "queue-one").rename(base / "vm-ari" / "system-mails")
    return site


@pytest.mark.feature_part("MAIL-08", "held messages are shown and released by a command")
def test_what_is_not_delivered_is_shown_with_the_reason(tmp_path: Path) -> None:
    found = site_with_post(tmp_path).ask("outbox", "list")
    shown = [(row["what"], row["for"], row["state"], row["tries"], row["reason"]) for row in found]
    assert shown == [
        ("voice", "anna", "waiting", 1, "the mailbox is full"),
        ("voice", "anna", "held", 1, "550 too large"),
        ("login-locked", "b", "waiting", 0, ""),
        ("login-locked", "a", "held", 1, "550 nobody"),
        ("notice by sms", "user aa", "waiting", 0, ""),
        ("notice by sms", "user bb", "held", 1, "400 no such number"),
    ]
    assert [row["next_try"] for row in found] == [*("2026-01-02 03:05", "", "now", "", "now", "")]


@pytest.mark.feature_part("MAIL-08", "held messages are shown and released by a command")
def test_what_is_held_goes_out_when_it_is_released(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    [voice, mail, _notice] = site.ask("outbox", "list", "--held")
    assert "Not held: nonsense" in site.run("outbox", "release", "nonsense", code=1).stderr
    assert len(site.ask("outbox", "list", "--held")) == 3
    site.run("outbox", "release", voice["id"])
    site.run("outbox", "release", "--all")
    assert site.ask("outbox", "list", "--held") == []
    post = on(Post(tmp_path / "vm-ari"), lambda post: asyncio.sleep(120))
    assert sorted(name for name, _ in post.courier.delivered) == ["held-one", "waiting-one"]

    async def due() -> list[str]:
        queue = MailQueue(tmp_path / "vm-ari" / "system-mails", KeyRing(tmp_path / "keys"))
        return [name for name, tries in await queue.waiting() if tries.not_before is None]

    assert mail["id"] in asyncio.run(due())
    states = [row["state"] for row in site.ask("outbox", "list") if row["what"] == "notice by sms"]
    assert states == ["waiting", "waiting"]


def test_words_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    site = site_with_post(tmp_path)
    assert "--all" in site.run("outbox", "release", code=2).stderr
    site.run("outbox", "release", "--all", "x", code=2)
    site.configure(f'[spool]\ndirectory = "{tmp_path}/nowhere/vm-ari"\n')
    missing = site.run("outbox", "list", code=1).stderr
    assert missing.startswith("The outbox cannot be read: No such file or directory")
