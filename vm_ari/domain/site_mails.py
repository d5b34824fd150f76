"""Mails to an address of the system: who has sent one, as far as that can be believed (NOTIFY-06).

A mail says twice who sent it, in the envelope and in ``From``; both are written by the sender.
Where the site's own mail server tells what it has proved about a mail, that can be asked for, too
(RFC 8601).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vm_ari.domain.automatic_mail import is_automatic
from vm_ari.domain.entries import address_key

LONGEST_ADDRESS = 254
_PLAIN = re.compile(r"[^\s<>()\[\],;:\"\\]+@[^\s<>()\[\],;:\"\\@]+")
_NAMED = re.compile(r'(?:[^"<>@,;:\\]*|\s*"(?:[^"\\]|\\.)*"\s*)<([^<>]*)>\s*')
_RESULT = re.compile(r"([a-z0-9-]+)(?:\s*/\s*[0-9]+)?\s*=\s*([a-z0-9-]+)(?:\s|\Z)")
_PROPERTY = re.compile(r"([a-z]+\.[a-z0-9-]+)\s*=\s*([^\s;]+)")


class Doubtful(Exception):
    """Nobody can say who sent that mail. The text says why, and quotes nothing of it."""


@dataclass(frozen=True)
class SiteMail:
    """What a mail server has handed over."""

    recipients: tuple[str, ...]
    """Addresses of ours, as they were written."""
    envelope_sender: str
    """Empty where nobody shall hear of troubles."""
    fields: Sequence[tuple[str, str]]
    """The header from its top: names in lower case, and raw values."""
    content: bytes = field(default=b"", repr=False)
    """All of it, as it came."""


@dataclass(frozen=True)
class Trust:
    """What a mail has to bring."""

    server: str = ""
    """Name of the mail server (its authserv-id) that must have proved the sender; empty: none."""


def without_detail(address: str) -> str:
    """As addresses are compared, ``lamp-off+today@example.org`` like ``lamp-off@example.org``."""
    local, _at, domain = address_key(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def sender_of(mail: SiteMail, trust: Trust) -> str:
    """The address of whoever sent it. Raises `Doubtful`."""
    if not mail.envelope_sender.strip("<> "):
        raise Doubtful("it has no sender, as answers of machines")
    headers: dict[str, str] = {}
    for name, value in mail.fields:
        headers.setdefault(name, value)
    if is_automatic(headers):
        raise Doubtful("a machine or a list has sent it")
    address = _from(mail.fields)
    if address_key(address) != address_key(mail.envelope_sender):
        raise Doubtful("envelope and From name different senders")
    if trust.server and not _is_proved(mail.fields, trust.server, address):
        raise Doubtful("the mail server has not proved its sender")
    return address


def _from(fields: Sequence[tuple[str, str]]) -> str:
    """The only address of the only ``From``. Raises `Doubtful`."""
    found = [value for name, value in fields if name == "from"]
    if len(found) != 1:
        raise Doubtful(f"it has {len(found)} From fields")
    text = found[0].strip()
    named = _NAMED.fullmatch(text)
    address = named[1].strip() if named else text
    if len(address) > LONGEST_ADDRESS or not _PLAIN.fullmatch(address):
        raise Doubtful("its From is not one address")
    return address


def _is_proved(fields: Sequence[tuple[str, str]], server: str, address: str) -> bool:
    """Does the topmost field of that server say so? Others may be the sender's own."""
    for name, value in fields:
        if name != "authentication-results":
            continue
        bare = _bare(value)
        if bare is None:
            continue
        first, *results = bare.lower().split(";")
        if first.split()[:1] == [server.lower()]:
            return any(_proves(result.strip(), address.lower()) for result in results)
    return False


def _proves(result: str, address: str) -> bool:
    """Is it a pass, and is it about this very address or its domain?"""
    domain = address.rpartition("@")[2]
    found = _RESULT.match(result)
    if found is None or found[2] != "pass":
        return False
    about: dict[str, str] = dict(reversed(_PROPERTY.findall(result[found.end() :])))
    match found[1]:
        case "dmarc":
            return about.get("header.from") == domain
        case "dkim":
            signer = about.get("header.d") or about.get("header.i", "").rpartition("@")[2]
            return signer == domain or ("." in signer and domain.endswith(f".{signer}"))
        case "spf":
            return about.get("smtp.mailfrom", "").rpartition("@")[2] == domain
        case "auth":
            return about.get("smtp.auth") == address
    return False


def _bare(value: str) -> str | None:
    """Without comments and quoted texts, in which anything may stand; None: they never end."""
    kept = "".join(_outside(value))
    return None if "\0" in kept else kept


def _outside(value: str) -> Iterator[str]:
    """The characters outside; a NUL at the end where something was left open."""
    depth, quoted, letters = 0, False, iter(value.replace("\0", " "))
    for letter in letters:
        if letter == "\\" and (quoted or depth):
            next(letters, "")
        elif quoted:
            quoted = letter != '"'
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif depth:
            continue
        elif letter == '"':
            quoted = True
            yield "?"
        else:
            yield letter
    if depth or quoted:
        yield "\0"
