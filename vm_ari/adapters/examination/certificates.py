"""How long the certificate of a server is good."""

from collections.abc import Iterator
from datetime import datetime

from vm_ari.adapters.findings import Finding

WARNING_DAYS = 14


def advice_on(reason: str, key: str) -> str:
    """What to do where a server's certificate is not accepted; *key* names an authority's file."""
    told = reason.lower()
    if "privacyrequired" in told:  # RFC 5530 §3
        return "The server wants TLS: remove plaintext, and write imap:// or imaps://."
    if "expired" in told:
        return "Renew the certificate on that server; until then we do not connect."
    if "not yet valid" in told:
        return "One of both clocks is wrong: vm-ari check --only clock"
    if "mismatch" in told or "not valid for" in told or "doesn't match" in told:
        return "Write the name that its certificate has, or let it have one for this name."
    return f"Name the authority's file ({key}), or the server's right name."


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
        yield Finding(False, text, "Renew it: afterwards we do not connect any more.", minor=True)
