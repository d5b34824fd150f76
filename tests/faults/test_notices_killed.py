"""A controller is killed again and again while it tells a webhook: each event arrives, in order.

What was under way when it died arrives a second time, under the same id: a receiver that looks at
the id has each event exactly once.
"""

import asyncio
import json
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.adapters.test_notice_channels import ANNA, NOTICE, SetClock, Site, webhook
from tests.adapters.web_server import WebSite, web_site
from tests.patience import STORY

USERS, EVENTS, LIVES = 4, 24, 3


async def live_and_die(base: Path, url: str, receiver: WebSite, choice: random.Random) -> None:
    """Until a few more events have arrived; then the process is killed, whatever it does."""
    enough, queue = len(receiver.requests) + choice.randint(1, 6), base / "spool/vm-ari/notices"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.notice_process"),
        *(str(queue), str(base / "keys"), f"{url}/hook"),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.DEVNULL,
    )
    while len(receiver.requests) < enough and any((queue / "new").iterdir()):
        assert process.returncode is None
        await asyncio.sleep(0.005)
    await asyncio.sleep(choice.uniform(0, 0.02))
    process.kill()
    await process.wait()


@pytest.mark.feature_part("NOTIFY-03", "a webhook has each event once, whenever we are killed")
def test_each_event_arrives_once_by_its_id_and_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        receiver = WebSite()
        async with web_site(receiver) as url:
            site = Site(tmp_path, webhook(url), SetClock(datetime.now(UTC)))
            outlets = site.open()
            told: dict[str, list[int]] = {}
            for number in range(EVENTS):
                user = replace(ANNA, id=f"user{number % USERS}")
                counts = replace(NOTICE.counts, new_voice=number)
                notice = replace(NOTICE, id=f"{number:x}", user_id=user.id, counts=counts)
                await outlets[2].announce(user, notice)
                told.setdefault(user.id, []).append(number)
            await outlets.close()
            choice = random.Random(7)
            for _ in range(LIVES):
                await live_and_die(tmp_path, url, receiver, choice)
            async with site.running():
                await site.nothing_waits()
        events = [json.loads(one.body) for one in receiver.requests]
        once = {one["id"]: one for one in events}
        assert len(once) == EVENTS
        assert len(events) <= EVENTS + LIVES * 4, "only what was under way"
        seen: dict[str, list[int]] = {}
        for event in once.values():
            seen.setdefault(event["user"], []).append(event["counts"]["new_voice"])
        assert seen == told

    asyncio.run(asyncio.wait_for(story(), STORY))
