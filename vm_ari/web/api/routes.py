"""The API as a part of the portal's application: one route of each address."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from vm_ari.web.api.door import ApiDoor
from vm_ari.web.api.openapi import description
from vm_ari.web.api.operation import PREFIX, Operation
from vm_ari.web.api.operations import all_operations
from vm_ari.web.api.parts import api_parts
from vm_ari.web.api.problems import Problem, answer_to
from vm_ari.web.parts import Parts

log = structlog.get_logger("vm_ari.portal")

Endpoint = Callable[[Request], Awaitable[Response]]
Offered = Mapping[str, tuple[Operation, bool]]
"""By method: the operation, and whether somebody acts for the owner."""


def api_routes(parts: Parts) -> list[BaseRoute]:
    """To be put before the pages; empty where the API is switched off."""
    api = api_parts(parts)
    if api is None:
        return []
    door = ApiDoor(parts, api)
    by_address: dict[str, dict[str, tuple[Operation, bool]]] = defaultdict(dict)
    for operation in all_operations():
        for address, acting in operation.addresses:
            by_address[address][operation.method] = (operation, acting)
    routes = [
        Route(address, _endpoint(door, offered), methods=list(offered))
        for address, offered in by_address.items()
    ]
    published = Route("/openapi.json", _described, methods=["GET"])
    app = Starlette(
        routes=[published, *routes],
        exception_handlers={HTTPException: _no_route, Exception: _broken},
    )
    app.router.redirect_slashes = False
    mount = Mount(PREFIX, app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)  # also of coded line ends
    return [mount]


def _endpoint(door: ApiDoor, offered: Offered) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation, acting = offered[method]
        return await door.enter(operation, request, acting=acting)

    return endpoint


async def _described(_request: Request) -> Response:
    return Response(description(), media_type="application/json")


async def _no_route(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        text = "There is such an address, but not with this method: see Allow."
        return answer_to(Problem("wrong-method", text, headers=error.headers))
    return answer_to(Problem("not-there", "There is nothing at this address: see /api."))


async def _broken(request: Request, error: Exception) -> Response:
    """Starlette raises the error again after this, so that it is in the log."""
    route = request.scope.get("route")
    where = route.path if isinstance(route, Route) else ""
    log.error("an operation is broken", operation=where, error=type(error).__name__)
    text = "That is a fault of ours; it is in the log. Please tell your administrator."
    return answer_to(Problem("broken", text))
