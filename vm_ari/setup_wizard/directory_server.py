"""What a directory server tells everybody: its kind, and where entries begin (RFC 4512 §5.1)."""

import re
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.ldap.address import LDAP, Account, Patience
from vm_ari.adapters.ldap.errors import CannotTrust, LdapError
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.trust import BadAddress, Security, trust
from vm_ari.setup_wizard.network import answers, offered

_LDAP_CONF = Path("/etc/ldap/ldap.conf"), Path("/etc/openldap/ldap.conf")
_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
"""A capability that every Active Directory has ([MS-ADTS] 3.1.1.3.4.3.1)."""


class Unusable(Exception):
    """Nothing can be learnt from a server. The text says why."""

    def __init__(self, text: str, advice: str = "", *, untrusted: bool = False) -> None:
        super().__init__(text)
        self.advice = advice
        self.untrusted = untrusted


@dataclass(frozen=True)
class RootEntry:
    """What the server says of itself."""

    preset: str
    bases: tuple[str, ...]


def usual_server(domain: str) -> str:
    """Named by this machine's ldap.conf, published by the domain, or on this machine."""
    for file in _LDAP_CONF:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if named := re.search(r"(?im)^\s*URI\s+(ldaps?://\S+)", text):
            return named[1].rstrip("/")
    for service, scheme, usual in (("_ldaps._tcp", "ldaps", 636), ("_ldap._tcp", "ldap", 389)):
        for host, port in offered(service, domain):
            return f"{scheme}://{host}" + ("" if port == usual else f":{port}")
    for scheme, port in (("ldaps", 636), ("ldap", 389)):
        if answers("localhost", port):
            return f"{scheme}://localhost"
    return ""


def look_at(url: str, ca_file: Path | None, *, plaintext: bool) -> RootEntry:
    """Ask without an account; blocking. Raises `Unusable`."""
    try:
        server = LDAP.server_at(url, plaintext=plaintext)
        context = None if server.security is Security.NONE else trust(ca_file)
        session = Session(server, Account(), context, Patience())
    except BadAddress as error:
        raise Unusable(str(error)) from None
    except CannotTrust as error:
        advice = "Name the authority that signed its certificate, or its right name."
        raise Unusable(str(error), advice, untrusted=True) from None
    except LdapError as error:
        raise Unusable(str(error), "Is it running, and is the port right?") from None
    try:
        names = ["namingContexts", "defaultNamingContext", "vendorName", "supportedCapabilities"]
        root = session.read("", names)
    except LdapError:
        root = None  # it tells strangers nothing: the admin knows
    finally:
        session.close()
    if root is None:
        return RootEntry("openldap", ())
    usual = root.texts("defaultNamingContext")
    bases = [base for base in (*usual, *root.texts("namingContexts")) if base]
    capable = _ACTIVE_DIRECTORY in root.texts("supportedCapabilities")
    return RootEntry(_preset(capable, root.text("vendorName")), tuple(dict.fromkeys(bases)))


def _preset(is_active_directory: bool, vendor: str) -> str:
    if is_active_directory:
        return "active-directory"
    return "domino" if re.search("lotus|domino|hcl", vendor, re.IGNORECASE) else "openldap"
