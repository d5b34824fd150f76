"""Servers that can be found: by names that the domain publishes, and by knocking."""

import smtplib
import socket
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.resolver

SECONDS = 2.0
"""For each answer: whoever waits for a question is impatient."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_SMTP_PORTS = ((25, False), (587, False), (465, True))


def mail_servers(domain: str) -> list[str]:
    """Hosts that take the domain's mail (MX, RFC 5321 §5.1), the preferred one first."""
    if not domain:
        return []
    answers = _asked(domain, "MX")
    return [host for _, host in sorted((one.preference, str(one.exchange)) for one in answers)]


def offered(service: str, domain: str) -> list[tuple[str, int]]:
    """Host and port of a service that the domain publishes (SRV, RFC 2782)."""
    if not domain:
        return []
    answers = _asked(f"{service}.{domain}", "SRV")
    ordered = sorted((one.priority, -one.weight, str(one.target), one.port) for one in answers)
    return [(host.rstrip("."), port) for _, _, host, port in ordered if host != "."]


def _asked(name: str, kind: str) -> list[Any]:
    """Records, whose attributes depend on the kind."""
    try:
        return list(dns.resolver.resolve(name, kind, lifetime=SECONDS))
    except (dns.exception.DNSException, OSError, UnicodeError):
        return []


def answers(host: str, port: int) -> bool:
    """Does somebody listen there?"""
    try:
        with socket.create_connection((host, port), timeout=SECONDS):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class SmtpDoor:
    """How a mail server can be talked to."""

    host: str
    port: int
    security: str
    """As in the configuration: ``starttls``, ``tls``, ``none``."""

    def __str__(self) -> str:
        words = {"tls": "TLS", "starttls": "STARTTLS", "none": "without protection"}
        return f"{self.host}:{self.port}, {words[self.security]}"


def smtp_door(host: str, port: int = 0) -> SmtpDoor | None:
    """The best way in: unprotected only on this machine. None: nobody answers."""
    for number, tls in _SMTP_PORTS if not port else ((port, port == 465),):
        if door := _door(host, number, tls):
            return door
    return None


def _door(host: str, port: int, tls: bool) -> SmtpDoor | None:
    if tls:
        return SmtpDoor(host, port, "tls") if answers(host, port) else None
    try:
        with smtplib.SMTP(host, port, timeout=SECONDS) as client:
            client.ehlo()
            protected = client.has_extn("starttls")
    except (OSError, smtplib.SMTPException):
        return None
    if not protected and host not in _LOCAL:
        return SmtpDoor(host, port, "starttls")  # the trial says that it is missing
    if host in _LOCAL and port == 25:
        return SmtpDoor(host, port, "none")  # its certificate is seldom for this name
    return SmtpDoor(host, port, "starttls" if protected else "none")
