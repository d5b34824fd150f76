"""Digest authentication, computed without any I/O (RFC 7616, RFC 8760, RFC 3261 section 22)."""

import hashlib
import re
import secrets
from dataclasses import dataclass

from vm_ari.adapters.softphone.messages import Header, Request, Response

_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}  # strongest first
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,"]+))')
_CHALLENGES = {401: ("WWW-Authenticate", "Authorization")} | {
    407: ("Proxy-Authenticate", "Proxy-Authorization")
}


@dataclass(frozen=True)
class Challenge:
    """What the server wants to have proven."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str = ""
    qop: bool = True
    stale: bool = False


@dataclass(frozen=True)
class Credentials:
    """A user name and its password."""

    user: str
    password: str

    def answer(self, request: Request, response: Response) -> Header | None:
        """The header that answers the challenge in *response*; None where there is none to give.

        A second challenge means that the password was wrong, unless the nonce was stale.
        """
        if response.status not in _CHALLENGES:
            return None
        asked, answered = _CHALLENGES[response.status]
        challenge = strongest(response.all(asked))
        if challenge is None or (request.get(answered) and not challenge.stale):
            return None
        return answered, self.proof(challenge, request.method, request.uri)

    def proof(self, challenge: Challenge, method: str, uri: str, cnonce: str = "") -> str:
        """The value of the Authorization header (RFC 7616 section 3.4)."""
        hashed = _HASHES[challenge.algorithm]

        def digest(*parts: str) -> str:
            return hashed(":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

        secret = digest(self.user, challenge.realm, self.password)
        wanted = digest(method, uri)
        fields = {"username": self.user, "realm": challenge.realm, "nonce": challenge.nonce}
        fields |= {"uri": uri, "opaque": challenge.opaque}
        plain = {"algorithm": challenge.algorithm}
        if challenge.qop:
            cnonce = cnonce or secrets.token_hex(8)
            fields["cnonce"] = cnonce
            plain |= {"qop": "auth", "nc": "00000001"}
            response = digest(secret, challenge.nonce, "00000001", cnonce, "auth", wanted)
        else:
            response = digest(secret, challenge.nonce, wanted)
        fields["response"] = response
        quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items() if value]
        return "Digest " + ", ".join([*quoted, *(f"{k}={v}" for k, v in plain.items())])


def strongest(values: tuple[str, ...]) -> Challenge | None:
    """The strongest of several challenges that this phone can answer."""
    usable = [challenge for value in values if (challenge := _challenge(value))]
    return min(usable, key=lambda c: list(_HASHES).index(c.algorithm), default=None)


def _challenge(value: str) -> Challenge | None:
    scheme, _, rest = value.strip().partition(" ")
    found = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PARAMETER.finditer(rest)}
    algorithm = found.get("algorithm", "MD5").upper()
    qops = [qop.strip().lower() for qop in found.get("qop", "").split(",")]
    answerable = scheme.lower() == "digest" and algorithm in _HASHES
    if not answerable or not found.get("nonce") or ("qop" in found and "auth" not in qops):
        return None
    return Challenge(
        realm=_unescaped(found.get("realm", "")),
        nonce=_unescaped(found["nonce"]),
        algorithm=algorithm,
        opaque=_unescaped(found.get("opaque", "")),
        qop="auth" in qops,
        stale=found.get("stale", "").lower() == "true",
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)
