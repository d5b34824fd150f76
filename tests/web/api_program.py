"""A program that uses the API of the portal's house."""

from typing import Any

import httpx
from starlette.types import ASGIApp

from tests.web.portal_house import HOST, House
from vm_ari.domain.api_tokens import ApiToken, Reach, Scope
from vm_ari.services.api_tokens import ApiTokens
from vm_ari.web.api.operation import PREFIX
from vm_ari.web.api.parts import api_parts

OPERATOR = Scope(Reach.OPERATOR)


class Program:
    """With a token, or without one."""

    def __init__(self, app: ASGIApp, token: str = "", address: str = "192.0.2.7") -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        base = f"{HOST}{PREFIX}"
        self.http = httpx.AsyncClient(transport=transport, base_url=base, headers=headers)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """GET, with headers whose names are written with underscores."""
        return await self.sends("GET", path, **headers)

    async def sends(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Any method; the *body* as JSON, bytes as they are."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if isinstance(body, bytes):
            return await self.http.request(method, path, content=body, headers=named)
        return await self.http.request(method, path, json=body, headers=named)


def tokens_of(house: House) -> ApiTokens:
    """The service behind the portal."""
    found = api_parts(house.portal.parts)
    assert found
    return found.tokens


async def token(
    house: House, user_id: str, scope: Scope = OPERATOR, days: int = 90
) -> tuple[str, ApiToken]:
    """Another one of that user, which leaves him all his rights if nothing is said."""
    return await tokens_of(house).make(user_id, "a test", scope, days)


async def program(house: House, user_id: str, scope: Scope = OPERATOR) -> Program:
    """With a token of that user."""
    text, _ = await token(house, user_id, scope)
    return Program(house.app, text)
