"""Single sign-on by OpenID Connect: what is remembered on the way, and who comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MAIL_CLAIM = "email"


class OpenIdRefused(Exception):
    """The provider does not vouch for anybody, or not as it must. The text says why."""


@dataclass(frozen=True)
class Errand:
    """A browser was sent to the provider; what it brings back must fit to this."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """Of PKCE (RFC 7636)."""
    address: str = ""
    """Of the provider, where the browser goes."""


def named_by(claims: Mapping[str, object], claim: str) -> str:
    """The id or mail address that the provider vouches for. Raises `OpenIdRefused`."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise OpenIdRefused(f"the provider says nothing about “{claim}”")
    if claim == MAIL_CLAIM and claims.get("email_verified") is not True:
        raise OpenIdRefused("the provider has not verified the mail address")
    return value.strip()
