"""The portal as an ASGI application: routes from the pages, and what happens around them."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from vm_ari.web import page as pages_
from vm_ari.web.api.routes import api_routes
from vm_ari.web.door import Door, problem
from vm_ari.web.guard import Guard
from vm_ari.web.page import Page
from vm_ari.web.pages import all_pages
from vm_ari.web.parts import Parts
from vm_ari.web.rendering import STATIC

log = structlog.get_logger("vm_ari.portal")

Endpoint = Callable[[Request], Awaitable[Response]]
OWN, ACTING = "/me/", "/users/{user}/"


def application(parts: Parts) -> ASGIApp:
    """Everything that a browser can ask for."""
    door = Door(parts, [page for page in all_pages() if page.menu])
    app = Starlette(
        routes=[
            *api_routes(parts),
            *routes(door),
            Mount(STATIC, _Static(directory=parts.rendering.static)),
        ],
        exception_handlers={
            HTTPException: _not_there(door),
            Exception: _broken(door),
        },
    )
    return Guard(app, parts.settings.hosts)


def routes(door: Door) -> list[BaseRoute]:
    """One of each page of the house, two of each page of a user."""
    found: list[BaseRoute] = []
    for page in all_pages():
        if page.scope is pages_.Scope.OWN:
            found.append(_route(door, page, OWN, acting=False))
            found.append(_route(door, page, ACTING, acting=True))
        else:
            found.append(_route(door, page, "/", acting=False))
    return found


def _route(door: Door, page: Page, prefix: str, *, acting: bool) -> Route:
    async def endpoint(request: Request) -> Response:
        return await door.enter(page, request, acting=acting)

    return Route(f"{prefix}{page.path}", endpoint, methods=list(page.methods))


class _Static(StaticFiles):
    """Files whose address has their version in it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == HTTPStatus.OK:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def _not_there(door: Door) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        key = "not-there" if status is HTTPStatus.NOT_FOUND else "unreadable"
        return problem(door.stranger(request), status, key)

    return answer


def _broken(door: Door) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Starlette raises the error again after this, so that it is in the log."""

    async def answer(request: Request, error: Exception) -> Response:
        route = request.scope.get("route")  # not the address, which may hold a one-time link
        page = route.path if isinstance(route, Route) else ""
        log.error("a page is broken", page=page, error=type(error).__name__)
        try:
            return problem(door.stranger(request), HTTPStatus.INTERNAL_SERVER_ERROR, "broken")
        except Exception:  # the template of that very page may be what is broken
            return PlainTextResponse("This page is broken.", HTTPStatus.INTERNAL_SERVER_ERROR)

    return answer
