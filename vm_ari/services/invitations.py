"""Who was sent an invitation records the global greeting, once, and nothing else (GREET-07)."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from vm_ari.domain.invitations import (
    CODE_LENGTH,
    CODE_SIGNS,
    LASTS,
    VISIT,
    Invitation,
    key_of,
    proof_of,
    written_code,
)
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Notices

log = structlog.get_logger("vm_ari.invitations")

LONGEST_TOKEN = 100


class InvitationRows(Protocol):
    """Where invitations are kept. Every method raises `PortalUnavailable`."""

    async def add(self, invitation: Invitation) -> None:
        """Durable when it returns."""
        ...

    async def waiting(self, key: str, now: datetime) -> Invitation | None:
        """One that can still be opened."""
        ...

    async def begin_visit(
        self, key: str, proof: str, visit: str, now: datetime, ends: datetime
    ) -> bool:
        """Open it, once; a wrong proof is counted. False: it stays closed."""
        ...

    async def visited(self, visit: str, now: datetime) -> Invitation | None:
        """The one that was opened by that visit, while it lasts."""
        ...

    async def count_call(self, visit: str) -> bool:
        """Another call; False: there were enough."""
        ...

    async def end(self, key: str) -> None:
        """Forget it."""
        ...


class NotInvited(Exception):
    """Nobody can be invited by that address. The text says why."""


@dataclass(frozen=True)
class Post:
    """How invitations leave."""

    notices: Notices
    base_url: str
    """Of the portal."""
    reaches: Callable[[str], str | None]
    """A mail address as it can be used; None: it is none, or no mail leaves the house."""
    needs_address: bool
    """A user's own mailbox is not reached without one."""
    language: str
    """Of mails to those who are no users, as is the *time_zone*."""
    time_zone: str


@dataclass(frozen=True)
class Invitations:
    """Sends them, and opens them. Every method raises `PortalUnavailable`."""

    rows: InvitationRows
    clock: Clock
    find: Callable[[str], Awaitable[User | None]]
    """By id or mail address. Raises `DirectoryUnavailable`."""
    post: Post

    async def invite(self, whom: str, language: str) -> str:
        """A user's id, or any mail address; back comes the address to which the mail goes.

        Raises `NotInvited`, `DirectoryUnavailable`, `MailNotQueued`.
        """
        user = await self.find(whom) or self._outsider(whom)
        if self.post.needs_address and not user.mail:
            raise NotInvited(f"{user.id} has no mail address.")
        link, code = secrets.token_urlsafe(32), _new_code()
        invitation = Invitation(
            key=key_of(link),
            proof=proof_of(link, code),
            address=user.mail or user.id,
            language=language,
            ends=self.clock.now() + LASTS,
        )
        await self.rows.add(invitation)
        values = {
            "address": f"{self.post.base_url}/invitation/{link}",
            "code": written_code(code),
            "language": language,
            "ends": invitation.ends,
        }
        occasion = invitation.key
        await self.post.notices.tell(user, SystemMail.INVITATION, values, occasion=occasion)
        log.info("invited to record the global greeting", user=user.id, language=language)
        return invitation.address

    async def can_be_opened(self, link: str) -> bool:
        """Looking at a link does not use it up."""
        return await self.rows.waiting(key_of(link[:LONGEST_TOKEN]), self.clock.now()) is not None

    async def open(self, link: str, code: str) -> str:
        """What the browser has from now on; empty: wrong, used, or over."""
        link, visit, now = link[:LONGEST_TOKEN], secrets.token_urlsafe(32), self.clock.now()
        proof = proof_of(link, code)
        opened = await self.rows.begin_visit(key_of(link), proof, key_of(visit), now, now + VISIT)
        log.info("invitation opened" if opened else "invitation not opened")
        return visit if opened else ""

    async def visited(self, visit: str) -> Invitation | None:
        """By what the browser has."""
        if not visit:
            return None
        return await self.rows.visited(key_of(visit[:LONGEST_TOKEN]), self.clock.now())

    async def may_call(self, invitation: Invitation) -> bool:
        """Counted, before a telephone is called."""
        return await self.rows.count_call(invitation.visit)

    async def end(self, invitation: Invitation) -> None:
        """The greeting is as it shall be."""
        await self.rows.end(invitation.key)

    def _outsider(self, address: str) -> User:
        """Somebody without a mailbox. Raises `NotInvited`."""
        usable = self.post.reaches(address)
        if usable is None:
            raise NotInvited(
                f"“{address[:100]}” is no user, and no mail address to which mails can be sent: "
                "those who have no mailbox here are reached by [mail.smtp] only."
            )
        return User(
            id="",
            name="",
            mailbox="",
            numbers=(),
            mail=usable,
            language=self.post.language,
            time_zone=self.post.time_zone,
        )


def _new_code() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))
