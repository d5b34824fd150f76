"""Calling back who has left a message: whom, and how often in a day (INBOX-09)."""

import secrets
from dataclasses import dataclass, field, replace
from enum import Enum

import structlog

from vm_ari.domain.access import Proof
from vm_ari.domain.call_back import CallBackRules, NoCallBack, judge_call_back, shown
from vm_ari.domain.callers import Caller
from vm_ari.domain.daily_count import counted
from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.rights import Outgoing, Why
from vm_ari.domain.users import User
from vm_ari.ports import Clock, DirectoryUnavailable, LoginRecords, UnknownUser
from vm_ari.services.rights import Rights

log = structlog.get_logger("vm_ari.calls")


class Counted(Enum):
    """Is one more call back counted?"""

    YES = "yes"
    ENOUGH = "enough"
    """There were as many today as are allowed."""
    NOBODY_CAN = "nobody can"
    """Just now; so it is not made."""


@dataclass(frozen=True)
class CallBacks:
    """What the site allows, and the count of what was done with that."""

    records: LoginRecords
    clock: Clock
    rules: CallBackRules = field(default_factory=CallBackRules)
    sites: tuple[Site, ...] = (Site(),)
    rights: Rights | None = None
    """What the user may at all, and how much of it in a day; None: there are no limits."""

    def judge(
        self, message: StoredMessage, owner: User, proof: Proof | None
    ) -> Allowed | NoCallBack:
        """May the sender be called back now?"""
        return judge_call_back(message, owner, proof, self.rules, self.sites)

    def shown(self, owner: User, destination: Allowed) -> Caller:
        """Who calls, for the display of who is called."""
        return shown(owner, destination, self.rules, self.sites)

    async def count(self, owner: User, destination: Allowed) -> Counted:
        """One more call to the outside, durably."""
        if destination.kind is Kind.INTERNAL:
            return Counted.YES
        if self.rights:
            occasion = f"call-back {secrets.token_hex(12)}"
            refused = await self.rights.take(owner, Outgoing.VOICE, destination, occasion)
            if refused:
                return Counted.NOBODY_CAN if refused.why is Why.UNCOUNTED else Counted.ENOUGH
        return await self._one_of_today(owner)

    async def _one_of_today(self, owner: User) -> Counted:
        """By the site's own limit of call-backs."""
        if not self.rules.per_day:
            return Counted.YES
        try:
            change = await self.records.change_login(owner.id, self._one_more)
        except (DirectoryUnavailable, UnknownUser, Unstorable) as error:
            log.warning("call back not counted, so not made", user=owner.id, reason=str(error))
            return Counted.NOBODY_CAN
        if change.before == change.after:
            log.warning("too many call backs today", user=owner.id, most=self.rules.per_day)
            return Counted.ENOUGH
        return Counted.YES

    def _one_more(self, state: LoginState) -> LoginState:
        record = counted(state.called_back, self.clock.now().date(), self.rules.per_day)
        return state if record is None else replace(state, called_back=record)
