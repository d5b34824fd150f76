"""A program of the site that is told of events, by signed HTTP requests (NOTIFY-03)."""

from vm_ari.adapters.web_requests import WebRequests
from vm_ari.domain.webhooks import signature
from vm_ari.ports import Clock, DeliveryPostponed

SIGNATURE = "X-VM-Ari-Signature"
EVENT_ID = "X-VM-Ari-Id"
GONE = 410


class Webhook:
    """`services.webhook_notices.Receiver` at one address."""

    def __init__(self, requests: WebRequests, url: str, secret: str, clock: Clock) -> None:
        self._requests = requests
        self._url = url
        self._secret = secret
        self._clock = clock

    async def tell(self, event_id: str, body: str) -> bool:
        """See `Receiver`. Whatever the answer but 2xx and 410, it may be mended: tried again."""
        content = body.encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "vm-ari",
            EVENT_ID: event_id,
            SIGNATURE: signature(self._secret, self._clock.now(), content),
        }
        answer = await self._requests.ask("POST", self._url, headers, content)
        if answer.status == GONE:
            return False
        if not answer.good:
            raise DeliveryPostponed(f"{self._requests.where}: {answer.told(self._secret)}")
        return True
