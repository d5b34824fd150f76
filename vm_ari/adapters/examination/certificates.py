"""How long the certificate of a server is good."""

from collections.abc import Iterator
from datetime import datetime

from vm_ari.adapters.findings import Finding

WARNING_DAYS = 14


def protection(end: datetime | None, now: datetime) -> str:
    """In a few words."""
    if end is None:
        return "without protection"
    return f"TLS, certificate good for {(end - now).days} days"


def ends_soon(server: object, end: datetime | None, now: datetime) -> Iterator[Finding]:
    """A finding if somebody has to act."""
    if end is not None and (end - now).days < WARNING_DAYS:
        days = (end - now).days
        text = f"The certificate of {server} ends in {days} days, on {end:%Y-%m-%d}."
        yield Finding(False, text, "Renew it: afterwards we do not connect any more.")
