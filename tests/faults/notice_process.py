"""A controller reduced to the webhook that it serves: to be killed at any moment."""

import asyncio
import sys
from pathlib import Path

from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.adapters.web_requests import WebRequests
from vm_ari.adapters.webhook import Webhook
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.webhook_notices import WebhookNotices


async def main(queue: str, keys: str, url: str) -> None:
    """Send what lies there, until killed."""
    sending = NoticeSending(NoticeQueue(Path(queue), KeyRing(Path(keys))), SystemClock())
    WebhookNotices(sending, Webhook(WebRequests(url), url, "secret", SystemClock()))
    await sending.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
