"""The mail about what a mailbox can do, and what admins read out where no mails leave (STORE-03).

A mailing has a name, its *occasion*: nobody gets two mails of the same one, so a mailing that was
broken off is simply sent again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog

from vm_ari.domain.access import expires
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.pin import is_locked
from vm_ari.domain.system_mails import Letter, SystemMail, letter_id
from vm_ari.domain.users import User
from vm_ari.services.welcome import WelcomeMails

log = structlog.get_logger("vm_ari.mail")


class Outcome(StrEnum):
    """What became of the wish to send it to somebody."""

    QUEUED = "queued"
    SENT_BEFORE = "sent before"
    SWITCHED_OFF = "information mails are switched off"
    NO_MAILBOX = "voice mail is switched off for this user"
    NO_ADDRESS = "the user has no mail address"


@dataclass(frozen=True)
class ReadOut:
    """What a user needs to know, for somebody who says it."""

    facts: Mapping[str, object]
    """As the welcome mail has them."""
    login: str
    """With which the user signs in to the portal."""
    portal: str
    """Its address; empty where there is none."""
    state: LoginState
    locked: bool
    ends: str = ""
    """Day on which the PIN ends; empty: never."""

    @property
    def telephone(self) -> bool:
        """May the user log in by telephone?"""
        return bool(self.facts["telephone"])


@dataclass(frozen=True)
class InformationMails:
    """For one site. Methods raise `DirectoryUnavailable`, `UnknownUser`, `MailNotQueued`."""

    welcome: WelcomeMails
    portal: str = ""
    """Address of the portal; empty: there is none."""
    transfers: bool = True
    """Can users have callers connected with somebody else?"""

    @property
    def wanted(self) -> bool:
        """Does the site want such mails at all?"""
        return SystemMail.INFORMATION not in self.welcome.post.silent

    async def send(self, user: User, occasion: str) -> Outcome:
        """Queue it durably, once for each *occasion*."""
        if (obstacle := self._obstacle(user)) is not None:
            return obstacle
        post = self.welcome.post
        if await post.letters.was_sent(letter_id(SystemMail.INFORMATION, user.id, occasion)):
            return Outcome.SENT_BEFORE
        values = await self._values(user)
        await post.tell(user, SystemMail.INFORMATION, values, occasion=occasion)
        return Outcome.QUEUED

    async def preview(self, user: User) -> Letter:
        """The mail as it would be."""
        welcome = self.welcome
        return await welcome.post.write(
            user,
            SystemMail.INFORMATION,
            await self._values(user),
            occasion="preview",
            at=welcome.clock.now(),
        )

    async def read_out(self, user: User) -> ReadOut:
        """What the mails would say; the PIN is in it as far as our keys open it."""
        state, rules = await self.welcome.records.login_state(user.id), self.welcome.login_rules
        end = expires(state, rules)
        return ReadOut(
            facts=await self.welcome.facts(user),
            login=user.id,
            portal=self.portal,
            state=state,
            locked=is_locked(state.failures, rules.failures_before_lock),
            ends=f"{end:%Y-%m-%d}" if end else "",
        )

    def _obstacle(self, user: User) -> Outcome | None:
        if not self.wanted:
            return Outcome.SWITCHED_OFF
        if not user.voice_mail_enabled:
            return Outcome.NO_MAILBOX
        if self.welcome.needs_address and not user.mail:
            return Outcome.NO_ADDRESS
        return None

    async def _values(self, user: User) -> Mapping[str, object]:
        """Never a PIN: who gets this mail may have one that nobody shall write down."""
        return {
            **await self.welcome.facts(user),
            "lamp": bool(user.mailbox),
            "transfers": self.transfers,
            "portal": self.portal,
        }
