"""A small OpenID Connect provider on loopback: it signs everybody in who comes."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "vm-ari", "a-secret-of-the-client"


@dataclass
class Provider:
    """What it says can be made wrong by *lies*, which replace claims."""

    key: RSAKey = field(repr=False)
    """That is published."""
    issuer: str = ""
    person: Mapping[str, object] = field(default_factory=dict)
    lies: dict[str, object] = field(default_factory=dict)
    signs_with: RSAKey | None = None
    """Another one, where that is said."""
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def configuration(self, _request: web.Request) -> web.Response:
        """Discovery."""
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorise",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def keys(self, _request: web.Request) -> web.Response:
        """Public ones."""
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def authorise(self, request: web.Request) -> web.Response:
        """Sends the browser back with a code."""
        asked = request.query
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    async def token(self, request: web.Request) -> web.Response:
        """A code, once, for who can prove that he has asked."""
        form = await request.post()
        asked = self.codes.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        login = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = request.headers.get("authorization") == f"Basic {login}"
        if not asked or proof != asked["code_challenge"] or not known:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"id_token": self._signed(asked), "token_type": "Bearer"})

    def _signed(self, asked: Mapping[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "4711",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.lies,
        }
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.signs_with or self.key)


@asynccontextmanager
async def provider(**person: object) -> AsyncIterator[Provider]:
    """One that listens."""
    one = Provider(await asyncio.to_thread(new_key), person=person)
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", one.configuration)
    app.router.add_get("/keys", one.keys)
    app.router.add_get("/authorise", one.authorise)
    app.router.add_post("/token", one.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    one.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield one
    finally:
        await runner.cleanup()


def new_key() -> RSAKey:
    """Always of the same name. Blocking."""
    return RSAKey.generate_key(2048, {"kid": "1"})
