"""What the portal needs of an OpenID Connect provider."""

from collections.abc import Mapping
from typing import Protocol

from vm_ari.domain.openid import Errand


class OpenId(Protocol):
    """The provider. Every method raises `OpenIdRefused`, also where it does not answer."""

    name: str
    """As the button says it."""
    claim: str
    """What names the user."""

    async def begin(self, back: str) -> Errand:
        """Send a browser there; it returns to the address *back*."""
        ...

    async def finish(
        self, errand: Errand, back: str, answer: Mapping[str, str]
    ) -> Mapping[str, object]:
        """The claims of the verified ID token; *answer* are the parameters that came back."""
        ...
