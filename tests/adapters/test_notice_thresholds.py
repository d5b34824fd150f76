"""From so many new messages of each type on, by every way at once: real mailbox, real servers.

The lamp of a real telephone, and a call to one, are in `tests/system/test_notices.py` and
`tests/system/test_notice_calls.py`.
"""

import asyncio
import json
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.adapters.smtp_server import Postbox, mail_server
from tests.adapters.web_server import WebSite, web_site
from tests.patience import AT_MOST
from tests.services.notified import notified

WAYS = """
[sms]
way = "http"
method = "GET"
url = "{gateway}/send?to={{{{ number }}}}&text={{{{ text }}}}"
[webhook]
url = "{receiver}/hook"
secret_file = "{secret}"
"""
TYPES = {"voice": 2, "fax": 3, "text": 1}
"""From how many on."""
CONTEXTS = {"voice": "voice-message", "fax": "fax-message", "text": "pager-message"}
WORDS = {"voice": "2 new voice messages.", "fax": "3 new faxes.", "text": "1 new text message."}


@pytest.mark.feature("NOTIFY-03")
@pytest.mark.parametrize("kind", TYPES)
def test_each_type_is_told_from_its_own_number_on_by_every_way(tmp_path: Path, kind: str) -> None:
    box, gateway, receiver, enough = Postbox(), WebSite(), WebSite(), TYPES[kind]
    (tmp_path / "secret").write_text("correct horse battery\n")
    (tmp_path / "secret").chmod(0o600)

    def told() -> list[int]:
        return [len(box.mails), len(gateway.requests), len(receiver.requests)]

    async def story() -> None:
        async with mail_server(box) as port, web_site(gateway) as sms, web_site(receiver) as hook:
            ways = WAYS.format(gateway=sms, receiver=hook, secret=tmp_path / "secret")
            async with notified(tmp_path, port, ways) as one:
                await one.wants(mobile="+491701234567")
                for each, number in TYPES.items():
                    wish = {f"notify_{each}": "lamp, mail, sms, webhook"}
                    await one.wants(**wish, **{f"notify_{each}_from": str(number)})
                running = asyncio.create_task(one.told.run())
                try:
                    await one.count()
                    for _ in range(enough - 1):
                        one.arrive(CONTEXTS[kind])
                        await one.count()
                    now, waiting = one.rules._clock.now(), one.told.book.unfinished
                    assert await waiting(one.rules._node, now) == []
                    assert told() == [0, 0, 0]
                    assert one.lamps.shown == {"101": (0, 0)}
                    one.arrive(CONTEXTS[kind])
                    await one.count()
                    assert one.lamps.shown == {"101": (enough, 0)}
                    async with asyncio.timeout(AT_MOST):
                        while not all(told()):
                            await one.send()
                            await asyncio.sleep(0.02)
                finally:
                    running.cancel()
                    with suppress(asyncio.CancelledError):
                        await running

    asyncio.run(story())
    assert told() == [1, 1, 1], "nothing before, and everybody once"
    assert WORDS[kind].rstrip(".") in str(message_from_bytes(box.mails[0][2]))
    assert gateway.requests[0].query["text"].endswith(WORDS[kind])
    assert json.loads(receiver.requests[0].body)["topics"] == {kind: enough}
