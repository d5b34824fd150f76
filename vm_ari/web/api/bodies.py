"""What a request brings: parameters and a JSON body in the form of the models, so much at most."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from vm_ari.web.api.operation import Operation
from vm_ari.web.api.problems import Problem, of_validation
from vm_ari.web.guard import TooMuch

_JSON = "application/json"


def query_of(operation: Operation, request: Request) -> BaseModel | None:
    """The parameters of the address. Raises `Problem`."""
    given = dict(request.query_params)
    if operation.asks is None:
        if given:
            name = next(iter(given))[:60]
            shown = name if name.isprintable() else "?"
            raise Problem(
                "invalid", f"There is no parameter “{shown}” here.", where=f"query.{shown}"
            )
        return None
    try:
        return operation.asks.model_validate(given)
    except ValidationError as error:
        raise of_validation(error, "query") from None


async def body_of(operation: Operation, request: Request) -> BaseModel | None:
    """The JSON body, where one is taken. Raises `Problem`."""
    if operation.takes is None:
        return None
    must_be(request, (_JSON,))
    raw = b"".join([piece async for piece in pieces(request, operation.most_bytes)])
    try:
        return operation.takes.model_validate_json(raw)
    except ValidationError as error:
        raise of_validation(error, "body") from None


def must_be(request: Request, possible: tuple[str, ...]) -> None:
    """Is the body of one of these media types? Raises `Problem`."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in possible:
        text = f"Send the body as {' or '.join(possible)}."
        raise Problem("wrong-type", text, where="header.content-type")


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body, piece by piece, so many octets at most. Raises `Problem`."""
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal() or len(length) > 12 or int(length) > most:
        raise _too_large(most)
    left = most
    try:
        async for piece in request.stream():
            left -= len(piece)
            if left < 0:
                raise _too_large(most)
            yield piece
    except TooMuch:
        raise _too_large(most) from None
    except ClientDisconnect:
        raise Problem("unreadable", "The body has ended too early.", where="body") from None


async def into_file(request: Request, file: Path, most: int) -> int:
    """The body as a file; how many octets there were. Raises `Problem`, OSError."""
    size = 0
    with await asyncio.to_thread(file.open, "wb") as kept:
        async for piece in pieces(request, most):
            size += await asyncio.to_thread(kept.write, piece)
    return size


def _too_large(most: int) -> Problem:
    return Problem("too-large", f"At most {most} octets are taken here.", where="body")
