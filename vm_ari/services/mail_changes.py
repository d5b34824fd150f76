"""Changing one's mail address with a code that is sent to the present one (UM-03).

The change is durable at every step. Once the right code is typed, it is marked; whoever finds a
marked change whose process died (`resume`) sees by the directory whether it was made, and sends the
mails that are still due. The same mail is never sent twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry, address_key, problems_of
from vm_ari.domain.login_state import stamp
from vm_ari.domain.mail_changes import (
    LASTS,
    MailChange,
    Outcome,
    is_proven,
    new_code,
    proof_of,
    typed_code,
    written_code,
)
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    DirectoryReadOnly,
    DirectoryUnavailable,
    MailNotQueued,
    MailTaken,
    Notices,
    PortalUnavailable,
    UnknownUser,
)

log = structlog.get_logger("vm_ari.mail_changes")

RESUME_EVERY = timedelta(minutes=1)
_SETTLED = timedelta(minutes=2)
"""So old is a marked change before another process takes it for abandoned."""


class MailChangeRows(Protocol):
    """Where open changes are kept. Every method raises `PortalUnavailable`."""

    async def begin(self, change: MailChange, now: datetime) -> bool:
        """In place of the user's earlier one; False: the user was sent codes too often."""
        ...

    async def open_one(self, user_id: str, now: datetime) -> MailChange | None:
        """The one that a code can still be typed for."""
        ...

    async def count_try(self, user_id: str, now: datetime) -> MailChange | None:
        """The same with one try more, counted durably; None: it cannot be tried any more."""
        ...

    async def mark(self, change: MailChange, now: datetime) -> bool:
        """It is about to be made, by us alone; False: another change to that address is, too."""
        ...

    async def marked(self, before: datetime) -> Sequence[MailChange]:
        """Those that were marked by then and have not ended."""
        ...

    async def unmark(self, change: MailChange) -> None:
        """It could not be made now; its code still counts."""
        ...

    async def end(self, change: MailChange) -> None:
        """Forget it; how many codes were sent is remembered."""
        ...


class MailRegister(Protocol):
    """What of a directory is used here. Methods raise `DirectoryUnavailable`."""

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        ...

    async def entry_by_mail(self, mail: str) -> Entry | None:
        """Whose address that is."""
        ...

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """See `UserRegister`. Raises `MailTaken`, `UnknownUser`, `DirectoryReadOnly`."""
        ...

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        ...


@dataclass(frozen=True)
class MailChanges:
    """Begins, proves and makes changes of addresses.

    Every method raises `PortalUnavailable` and `DirectoryUnavailable`.
    """

    rows: MailChangeRows
    register: MailRegister
    clock: Clock
    keys: Sequence[bytes] = field(repr=False)
    """The first signs, all verify."""
    notices: Notices | None
    """None: no mails leave."""

    def sends_codes(self, address: str) -> bool:
        """Can a code go to that present address?"""
        return self.notices is not None and bool(address)

    async def begin(self, user: User, wanted: str) -> Outcome:
        """Send the code to the present address."""
        new = wanted.strip()
        if refused := await self._refusal(user, new):
            return refused
        if self.notices is None or not self.sends_codes(user.mail):
            return Outcome.NOWHERE
        code, now = new_code(), self.clock.now()
        proof = proof_of(self.keys[0], user.id, user.mail, new, code)
        change = MailChange(user.id, user.mail, new, proof, now + LASTS)
        if not await self.rows.begin(change, now):
            return Outcome.TOO_OFTEN
        values = {"code": written_code(code), "new": new, "ends": change.ends, "lasts": LASTS}
        try:
            await self.notices.tell(
                user, SystemMail.MAIL_CHANGE_CODE, values, occasion=change.occasion
            )
        except MailNotQueued as error:
            log.error("no code for another address is sent", user=user.id, reason=str(error))
            await self.rows.end(change)
            return Outcome.NOT_SENT
        log.info("code for another address sent", user=user.id)
        return Outcome.SENT

    async def open_one(self, user: User) -> MailChange | None:
        """The change of that user that waits for its code."""
        change = await self.rows.open_one(user.id, self.clock.now())
        return change if change and change.old == user.mail else None

    async def confirm(self, user: User, typed: str) -> Outcome:
        """Judge a code, counted before, and make the change."""
        change = await self.rows.count_try(user.id, self.clock.now())
        if change is None or change.old != user.mail:
            return Outcome.OVER
        if not is_proven(change, self.keys, typed_code(typed)):
            log.warning("wrong code for another address", user=user.id, left=change.tries_left)
            return Outcome.WRONG if change.tries_left else Outcome.OVER
        if not await self.rows.mark(change, self.clock.now()):
            return Outcome.TAKEN
        return await self._make(user, change)

    async def give_up(self, user: User) -> None:
        """The user does not want it any more."""
        if change := await self.rows.open_one(user.id, self.clock.now()):
            await self.rows.end(change)

    async def by_admin(self, user: User, wanted: str, *, by: str) -> Outcome:
        """Change it without a code, as administrators may; *by* is whose id is logged."""
        new = wanted.strip()
        if refused := await self._refusal(user, new):
            return refused
        try:
            await self.register.change_details(user.id, {"mail": new})
        except (MailTaken, DirectoryReadOnly, UnknownUser, Unstorable) as error:
            return _refused(user.id, error)
        log.info("address changed", user=user.id, by=by)
        await self.tell_changed(user, new)
        return Outcome.CHANGED

    async def tell_changed(self, user: User, new: str) -> None:
        """An administrator has changed the address: *user* is as before. Mails may fail."""
        now = self.clock.now()
        try:
            occasion = f"{stamp(now)} {new}"
            await self._tell(user, new, when=now, by_admin=True, occasion=occasion)
        except MailNotQueued as error:
            log.error("nobody is told of another address", user=user.id, reason=str(error))

    async def run(self) -> None:
        """Go on with what another process has left, until cancelled."""
        while True:
            try:
                await self.resume()
            except (PortalUnavailable, DirectoryUnavailable) as error:
                log.warning("changed addresses are not looked after", reason=str(error))
            except Exception:  # the portal goes on, whatever this is
                log.exception("changed addresses are not looked after")
            await asyncio.sleep(RESUME_EVERY.total_seconds())

    async def resume(self) -> None:
        """Send the mails of changes that were made, and forget those that were not."""
        for change in await self.rows.marked(self.clock.now() - _SETTLED):
            user = await self.register.user_by_id(change.user_id)
            made = user is not None and user.mail == change.new
            if not (made and user) or await self._told(user, change):
                await self.rows.end(change)

    async def _refusal(self, user: User, new: str) -> Outcome | None:
        if not new or problems_of(Entry("x", "", mail=new)):
            return Outcome.NO_ADDRESS
        if new == user.mail:
            return Outcome.SAME
        owner = await self.register.entry_by_mail(new)
        if owner and owner.id != user.id and address_key(owner.mail) == address_key(new):
            return Outcome.TAKEN
        return None

    async def _make(self, user: User, change: MailChange) -> Outcome:
        try:
            await self.register.change_details(user.id, {"mail": change.new})
        except DirectoryReadOnly as error:
            await self.rows.end(change)
            return _refused(user.id, error)
        except DirectoryUnavailable:
            await self.rows.unmark(change)
            raise
        except (MailTaken, UnknownUser, Unstorable) as error:
            await self.rows.end(change)
            return _refused(user.id, error)
        log.info("address changed", user=user.id, by=user.id)
        if await self._told(user, change):  # else it stays marked, and `resume` tries again
            await self.rows.end(change)
        return Outcome.CHANGED

    async def _told(self, user: User, change: MailChange) -> bool:
        """Are the mails about a change that was made on their way?"""
        before, now = replace(user, mail=change.old), self.clock.now()
        try:
            await self._tell(before, change.new, when=now, by_admin=False, occasion=change.occasion)
        except MailNotQueued as error:
            log.error("nobody is told of another address", user=user.id, reason=str(error))
            return False
        return True

    async def _tell(
        self, user: User, new: str, *, when: datetime, by_admin: bool, occasion: str
    ) -> None:
        """To the old address that it is none any more, to the new one that it is. `MailNotQueued`.

        Without mails, the change still counts.
        """
        if self.notices is None:
            return
        values = {"new": new, "when": when, "by_admin": by_admin}
        if user.mail:
            await self.notices.tell(user, SystemMail.MAIL_CHANGED, values, occasion=occasion)
        if new:
            after = replace(user, mail=new)
            await self.notices.tell(after, SystemMail.MAIL_NEW, values, occasion=occasion)


def _refused(user_id: str, error: Exception) -> Outcome:
    log.warning("address not changed", user=user_id, reason=str(error))
    match error:
        case MailTaken():
            return Outcome.TAKEN
        case DirectoryReadOnly():
            return Outcome.READ_ONLY
    return Outcome.OVER
