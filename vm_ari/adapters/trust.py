"""How a connection to a server is protected, and whose certificates we believe."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any


class BadAddress(ValueError):
    """A server's address or the CA file cannot be used. The text says why."""


class Security(Enum):
    """What protects a connection."""

    TLS = "TLS from the beginning"
    START_TLS = "TLS after a request for it; without it nothing is sent"
    NONE = "nothing: everybody on the way can read and change everything"


def certificate_end(certificate: Mapping[str, Any] | None) -> datetime | None:
    """Until when it is good; None for none. *certificate* is `ssl.SSLSocket.getpeercert`'s."""
    text = (certificate or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """Checks certificate, name and date against the system's authorities, or only *ca_file*'s.

    One for all connections: reading the system's authorities takes 40 ms. Raises `BadAddress`.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise BadAddress(f"CA file {ca_file}: {reason}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
