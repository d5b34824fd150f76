"""The door of every operation: whose token it is, about whom it asks, and may it? (UM-02)

The rights are those of the pages (`web.door.Door`), of which the token's scope leaves some. Cookies
count for nothing here, so that no other site's page can use a browser that is signed in.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus

import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from vm_ari.domain.api_tokens import ApiToken, narrowed
from vm_ari.domain.login_budget import Pace
from vm_ari.domain.portal_sessions import Method, Session
from vm_ari.ports import DirectoryReadOnly
from vm_ari.services.portal_sign_in import network_of
from vm_ari.web.api.bodies import body_of, query_of
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.parts import ApiParts
from vm_ari.web.api.problems import Problem, answer_to
from vm_ari.web.door import NOT_NOW, Door, Refusal
from vm_ari.web.parts import Parts
from vm_ari.web.texts import FALLBACK_LANGUAGE, Words
from vm_ari.web.visit import Visit, Visitor

log = structlog.get_logger("vm_ari.portal")
failed_logins = structlog.get_logger("vm_ari.login")

_SCHEME = "bearer "
_CHALLENGE = {"www-authenticate": 'Bearer realm="vm-ari"'}
_TRY_AGAIN = {"retry-after": "60"}


@dataclass(frozen=True)
class ApiDoor:
    """Lets requests in, or not."""

    parts: Parts
    api: ApiParts

    async def enter(self, operation: Operation, request: Request, *, acting: bool) -> Response:
        """Answer one request."""
        try:
            async with asyncio.timeout(operation.patience):
                token = await self._token(request)
                with self.api.rates.running(token.id):
                    visit = await self._visit(operation, request, token, acting)
                    return await self._answered(operation, visit)
        except Problem as problem:
            return answer_to(problem)
        except Refusal as refusal:
            return answer_to(_problem_of(refusal, self._words))
        except DirectoryReadOnly as error:
            return answer_to(Problem("directory-read-only", str(error)))
        except NOT_NOW as error:
            log.warning("not possible now", operation=operation.name, reason=str(error) or "time")
            text = self._words("problem.away.text")
            return answer_to(Problem("away", text, headers=_TRY_AGAIN))

    @property
    def _words(self) -> Words:
        """Programs decide by codes: the texts are English."""
        return self.parts.texts.words([FALLBACK_LANGUAGE])

    async def _token(self, request: Request) -> ApiToken:
        """The one that is shown, if it may do anything now. Raises `Problem`."""
        given = request.headers.get("authorization", "")
        if given[: len(_SCHEME)].lower() != _SCHEME:
            text = "Send “Authorization: Bearer <token>”; “vm-ari api-token create” makes one."
            raise Problem("no-token", text, where="header.authorization", headers=_CHALLENGE)
        client = network_of(request.client.host if request.client else "")
        if self.api.failures.pace(client, self.parts.clock) is Pace.REFUSED:
            raise Problem(
                "too-many", "Too many wrong tokens; wait some minutes.", headers=_TRY_AGAIN
            )
        token = await self.api.tokens.find(given[len(_SCHEME) :].strip()[:100])
        if token is None:
            raise self._not_good(request)
        if seconds := self.api.rates.wait(token.id, self.parts.clock.now()):
            text = f"Too many requests with this token; try again in {seconds} s."
            raise Problem("too-many", text, headers={"retry-after": str(seconds)})
        return token

    def _not_good(self, request: Request) -> Problem:
        """Counted, and in the log of failed logins."""
        address = request.client.host if request.client else ""
        self.api.failures.begin(network_of(address), self.parts.clock)
        failed_logins.warning("portal sign-in failed", address=address, reason="api token")
        return _bad_token()

    async def _visit(
        self, operation: Operation, request: Request, token: ApiToken, acting: bool
    ) -> Visit:
        """As it is allowed. Raises `Refusal`, `Problem`, `DirectoryUnavailable`."""
        if self.parts.keep_known:
            await self.parts.keep_known()
        rights = narrowed(self.parts.rights, token.user_id, token.scope)
        parts = replace(self.parts, rights=rights)
        visit = Visit(operation.page, request, parts, self._words, "")
        visit = replace(visit, visitor=await self._visitor(parts, token))
        door = Door(parts)
        door.must_have_role(visit, acting)
        visit = await door.owned(visit, acting)
        if operation.changes and token.scope.read_only:
            raise Problem("read-only-token", "This token was made for reading only.")
        if operation.changes and visit.owned and not visit.may_change:
            raise Refusal(HTTPStatus.FORBIDDEN, "fixed")
        if operation.changes:
            log.info("by token", token=token.id, by=token.user_id, operation=operation.name)
        return visit

    async def _visitor(self, parts: Parts, token: ApiToken) -> Visitor:
        """The token's owner, who is still there and has voice mail. Raises `Problem`."""
        entry = await parts.users.register.entry_by_id(token.user_id)
        if entry is None:
            await self.api.tokens.end_all(token.user_id)
            raise _bad_token()
        user = await parts.user_of(entry)
        if not user.voice_mail_enabled:
            log.info("token of a disabled user refused", user=entry.id, token=token.id)
            raise _bad_token()
        now = parts.clock.now()
        session = Session(
            "", entry.id, Method.TOKEN, began=token.made, used=now, confirmed=token.made
        )
        return Visitor(entry, user, parts.rights.role_of(entry.id), session)

    async def _answered(self, operation: Operation, visit: Visit) -> Response:
        query = query_of(operation, visit.request)
        body = await body_of(operation, visit.request)
        ask = Ask(visit, body, query)
        if operation.state is None:
            return _response(operation, await operation.handle(ask))
        if not operation.changes:
            return _unless_known(operation, await operation.handle(ask), visit.request)
        async with self.api.alone(_what(visit)):
            ask = await ask.fresh()
            await _must_match(operation, ask)
            return _response(operation, await operation.handle(ask))


def _what(visit: Visit) -> str:
    """What is changed: everything of one user counts as one."""
    return visit.owner.id if visit.owned else visit.page_.path


async def _must_match(operation: Operation, ask: Ask) -> None:
    """Is it still as the program has seen it (RFC 9110, 13.1.1)? Raises `Problem`."""
    wanted = ask.visit.request.headers.get("if-match", "")
    if not wanted:
        if operation.needs_match:
            text = "Read it first, and send its ETag as If-Match; “*” changes it in any state."
            raise Problem("needs-if-match", text, where="header.if-match")
        return
    assert operation.state
    now = await operation.state(ask)
    if "*" not in (tags := _tags(wanted)) and tag_of(now) not in tags:
        text = "It is different now: read it again, and decide anew."
        raise Problem("changed-meanwhile", text, where="header.if-match")


def _unless_known(operation: Operation, answer: Answer, request: Request) -> Response:
    """Without content where the program has it already (RFC 9110, 13.1.2)."""
    known = _tags(request.headers.get("if-none-match", ""))
    if isinstance(answer, BaseModel) and tag_of(answer) in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": tag_of(answer)})
    return _response(operation, answer)


def tag_of(answer: Answer) -> str:
    """The ETag of a state."""
    assert isinstance(answer, BaseModel)
    return f'"{sha256(answer.model_dump_json().encode()).hexdigest()[:32]}"'


def _tags(header: str) -> frozenset[str]:
    """Weak ones count as strong ones: nothing here is compressed on its way."""
    return frozenset(one.strip().removeprefix("W/") for one in header[:2000].split(","))


def _response(operation: Operation, answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    headers: Mapping[str, str] = {"etag": tag_of(answer)} if operation.state else {}
    return Response(answer.model_dump_json(), operation.status, headers, "application/json")


def _bad_token() -> Problem:
    """Nobody's, revoked, over, of a removed or disabled user: all alike."""
    text = "This token is not good (any more): it is over or revoked, or its user is gone."
    return Problem("bad-token", text, where="header.authorization", headers=_CHALLENGE)


def _problem_of(refusal: Refusal, words: Words) -> Problem:
    code = refusal.key if refusal.key in {"forbidden", "not-yours", "fixed"} else "forbidden"
    return Problem(code, words(f"problem.{refusal.key}.text"))
