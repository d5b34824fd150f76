"""The cookies of the portal, and the token that tells our own forms from others' (CSRF)."""

import hmac
import re
import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

SESSION = "__Host-vm-ari-session"
FORM = "__Host-vm-ari-form"
"""A random text of this browser, which every form's token belongs to."""
TOKEN_FIELD = "csrf"  # noqa: S105 - a name
TOKEN_HEADER = "x-csrf-token"  # noqa: S105
_RANDOM = re.compile("[A-Za-z0-9_-]{32,64}")


def form_secret(request: Request) -> str:
    """This browser's random text; a new one where it has none, or a strange one."""
    found = request.cookies.get(FORM, "")
    return found if _RANDOM.fullmatch(found) else secrets.token_urlsafe(32)


def token(keys: Sequence[bytes], secret: str, user_id: str) -> str:
    """For the forms of that browser and user. It outlives a session: what was typed when that
    ended can be sent again after signing in."""
    return hmac.digest(keys[0], _text(secret, user_id), "sha256").hex()


def is_ours(keys: Sequence[bytes], secret: str, user_id: str, given: str) -> bool:
    """Does the token come from one of our own pages?"""
    text = _text(secret, user_id)
    found = given.encode("utf-8", "replace")
    possible = [hmac.digest(key, text, "sha256").hex().encode() for key in keys]
    return any(hmac.compare_digest(one, found) for one in possible)


def from_elsewhere(request: Request) -> bool:
    """Does the browser say that another site's page sends this?"""
    site = request.headers.get("sec-fetch-site", "same-origin")
    return site not in {"same-origin", "none"}


def put(response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """For this host alone, over TLS alone, not for scripts; without *seconds*, until it closes."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )


def take_back(response: Response, name: str) -> None:
    """The browser forgets it."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")


def _text(secret: str, user_id: str) -> bytes:
    return f"form\0{secret}\0{user_id}".encode()
