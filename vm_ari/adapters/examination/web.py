"""A web server that we send requests to: everything but sending one."""

from datetime import datetime

from vm_ari.adapters.examination.certificates import advice_on, ends_soon, protection
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.web_requests import WebRequests
from vm_ari.ports import DeliveryPostponed


async def examine_web(requests: WebRequests, table: str, now: datetime) -> list[Finding]:
    """Connect, look at the certificate, say nothing. *table* of the configuration names it."""
    try:
        end = await requests.rehearse()
    except DeliveryPostponed as trouble:
        untrusted = "certificate" in str(trouble)
        advice = (
            advice_on(str(trouble), f"{table}.ca_file")
            if untrusted
            else f"Is it running, and is {table}.url right?"
        )
        return [Finding(False, sentence(trouble), advice, unreachable=not untrusted)]
    good = f"{requests.where} ({protection(end, now)}) answers; nothing was sent."
    return [Finding(True, good), *ends_soon(requests.where, end, now)]
