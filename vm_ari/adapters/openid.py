"""An OpenID Connect provider: authorisation code flow with PKCE (OpenID Connect Core 1.0, 3.1)."""

import hmac
import json
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from vm_ari.domain.openid import Errand, OpenIdRefused

PATIENCE = 8.0
"""Seconds for one answer of the provider."""
LONGEST_ANSWER = 1_000_000
REMEMBER_SECONDS = 3600.0
"""So long addresses and keys of the provider count."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "EdDSA"]
_LEEWAY = 60
"""Seconds by which clocks may differ."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class ProviderSettings:
    """Which provider, and who we are there."""

    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    claim: str = "preferred_username"
    name: str = ""
    ca_file: Path | None = None


class OpenIdProvider:
    """See `web.openid.OpenId`."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self.claim = settings.claim
        self.name = settings.name or str(urlsplit(settings.issuer).hostname)
        self._tls = ssl.create_default_context(cafile=settings.ca_file)
        self._found: dict[str, tuple[float, Any]] = {}

    async def begin(self, back: str) -> Errand:
        """Where a browser goes to sign in. Raises `OpenIdRefused`."""
        addresses = await self._addresses()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        start = addresses["authorization_endpoint"]
        joint = "&" if "?" in start else "?"
        return Errand(state, nonce, verifier, f"{start}{joint}{urlencode(asked)}")

    async def finish(
        self, errand: Errand, back: str, answer: Mapping[str, str]
    ) -> Mapping[str, object]:
        """The claims that the provider vouches for. Raises `OpenIdRefused`."""
        if not hmac.compare_digest(errand.state.encode(), answer.get("state", "").encode()):
            raise OpenIdRefused("the answer belongs to another errand")
        if "error" in answer or not answer.get("code"):
            raise OpenIdRefused(f"the provider says {answer.get('error', 'nothing')[:80]!r}")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise OpenIdRefused("the answer is another provider's (RFC 9207)")
        tokens = await self._tokens(errand, back, answer["code"])
        return await self._claims(str(tokens.get("id_token", "")), errand)

    async def _tokens(self, errand: Errand, back: str, code: str) -> Mapping[str, Any]:
        addresses = await self._addresses()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self._settings.client_id,
            "code_verifier": errand.verifier,
        }
        return await self._asked(addresses["token_endpoint"], form)

    async def _claims(self, token: str, errand: Errand) -> Mapping[str, object]:
        """With a key that we know; keys are read again once, for providers change them."""
        for fresh in (False, True):
            keys = await self._keys(fresh=fresh)
            try:
                claims = jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
                return self._checked(claims, errand)
            except (JoseError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"[:200]
        raise OpenIdRefused(f"the ID token is not good: {reason}")

    def _checked(self, claims: dict[str, Any], errand: Errand) -> Mapping[str, object]:
        """Of whom, for whom, for which errand, until when (Core 1.0, 3.1.3.7)."""
        must = {
            "iss": {"essential": True, "value": self._settings.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "sub": {"essential": True},
            "nonce": {"essential": True, "value": errand.nonce},
        }
        params = {"nonce": errand.nonce, "client_id": self._settings.client_id}
        try:
            CodeIDToken(claims, {}, options=must, params=params).validate(
                now=int(time.time()), leeway=_LEEWAY
            )
        except Exception as error:  # the library's own errors have no common class of their own
            raise ValueError(str(error)) from error
        return claims

    async def _addresses(self) -> Mapping[str, str]:
        """From the discovery document, whose issuer must be ours."""
        where = f"{self._settings.issuer}/.well-known/openid-configuration"
        found = await self._remembered(where)
        if found.get("issuer", "").rstrip("/") != self._settings.issuer:
            raise OpenIdRefused("the discovery document is another issuer's")
        for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            parts = urlsplit(str(found.get(key, "")))
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise OpenIdRefused(f"{key} of the provider is not https")
        return {key: str(value) for key, value in found.items()}

    async def _keys(self, *, fresh: bool) -> KeySet:
        where = (await self._addresses())["jwks_uri"]
        if fresh:
            self._found.pop(where, None)
        try:
            return KeySet.import_key_set(await self._remembered(where))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise OpenIdRefused(f"the provider's keys cannot be read: {error}") from error

    async def _remembered(self, where: str) -> Any:
        at, found = self._found.get(where, (0.0, None))
        if found is None or time.monotonic() - at > REMEMBER_SECONDS:
            found = await self._asked(where)
            self._found[where] = (time.monotonic(), found)
        return found

    def _login(self) -> dict[str, str]:
        """Of a client that has a secret (RFC 6749, 2.3.1)."""
        if not self._settings.secret:
            return {}
        pair = (self._settings.client_id, self._settings.secret)
        text = ":".join(quote(part, safe="") for part in pair)
        return {"authorization": f"Basic {b64encode(text.encode()).decode()}"}

    async def _asked(
        self,
        where: str,
        form: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A JSON document of the provider; redirections are not followed."""
        method, timeout = ("POST" if form else "GET"), aiohttp.ClientTimeout(total=PATIENCE)
        login = self._login() if form else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.request(
                    method, where, data=form, headers=login, ssl=self._tls, allow_redirects=False
                ) as response,
            ):
                content = await response.content.read(LONGEST_ANSWER)
                if response.status != 200:
                    raise OpenIdRefused(f"{urlsplit(where).hostname} answers {response.status}")
                document = json.loads(content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise OpenIdRefused(f"{urlsplit(where).hostname}: {reason}") from error
        if not isinstance(document, dict):
            raise OpenIdRefused("the provider's answer is no JSON object")
        return document
