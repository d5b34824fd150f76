"""Sending by telephone: who can get it, and keeping what is said until it is sent."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.daily_count import counted
from vm_ari.domain.dialling import Denied
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.messages import CallFacts, MessageKind, StoredMessage
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.recording import Limits
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    DistributionList,
    Errand,
    Line,
    Quoted,
    Recipient,
    Sending,
    Telephone,
    is_outside,
)
from vm_ari.domain.sending_rules import SendingRules, telephone
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    LoginRecords,
    Spool,
    SpoolFull,
    UnknownUser,
)
from vm_ari.services.drafts import Draft
from vm_ari.services.inbox import Inbox
from vm_ari.services.people import People

log = structlog.get_logger("vm_ari.sending")

HEADER = 64 * 1024
"""Octets of a message that tell whom to answer."""


class TooManySendings(SpoolFull):
    """More recipients, or more sendings in a day, than the site allows."""


class OriginalTooLarge(SpoolFull):
    """A mail is larger than can be forwarded."""


def _nobody(_header: Path) -> str | None:
    """Where no mail can be answered."""
    return None


class Dispatch(Draft):
    """Something being said that somebody else will get."""

    def __init__(
        self, spool: Spool, facts: CallFacts, limits: Limits, on_kept: Callable[[], None]
    ) -> None:
        super().__init__(spool, facts, limits)
        self._on_kept = on_kept

    async def send(self) -> bool:
        """Keep it to be sent, a forward also without a word; False: there is nothing.

        Raises `SpoolFull`: then what was said stays in the spool, for a later try.
        """
        if self._goes_wordless:
            await self._keep_wordless()
        else:
            await self.close()
            if not self.has_take:
                return False
        self._on_kept()
        return True

    async def drop(self) -> None:
        """Forget it; harmless after `send`. Raises `SpoolFull`."""
        if not self._closed:
            self._closed, self._best = True, None
            await self._spool.discard(self._facts.id)

    @property
    def _goes_wordless(self) -> bool:
        sending = self._facts.sending
        forwards = sending is not None and sending.errand is Errand.FORWARD
        return forwards and not self.has_take and not self._closed

    async def _keep_wordless(self) -> None:
        await self._spool.keep(self._facts, None, partial=False)
        self._closed = True


@dataclass(frozen=True)
class Sendings:
    """What users can send, and to whom, by the rules of the site."""

    spool: Spool
    directory: Directory
    records: LoginRecords
    people: People
    clock: Clock
    limits: Limits
    """Of recordings."""
    rules: SendingRules = field(default_factory=SendingRules)
    sites: tuple[Site, ...] = (Site(),)
    host: str = ""
    """Right side of the Message-IDs."""
    on_kept: Callable[[], None] = lambda: None
    """Tells the outbox that there is something to deliver."""
    reply_address: Callable[[Path], str | None] = _nobody
    """From the header of a mail, who may be answered; blocking."""

    # -- who

    async def colleague(self, typed: str) -> User | None:
        """The owner of an internal number or mailbox as typed. Raises `DirectoryUnavailable`."""
        numbers = [normalise(typed, site, dialled=True) for site in self.sites]
        for number in dict.fromkeys((*numbers, typed)):
            user = await self.directory.user_by_number(number) if number else None
            if user is not None and user.voice_mail_enabled:
                return user
        return None

    def outside(self, typed: str, line: Line) -> Telephone | Denied | None:
        """Who answers at a typed number; None: the site has no gateway for that line."""
        return telephone(typed, line, self.rules, self.sites, dialled=True)

    def list_at(self, typed: str) -> DistributionList | None:
        """The list that has that number on the keypad."""
        return next((one for one in self.rules.lists if one.number == typed), None)

    async def members(self, listed: DistributionList) -> tuple[Recipient, ...]:
        """Who is on a list; who cannot be reached is left out, with a line in the log.

        Raises `DirectoryUnavailable`.
        """
        found = [(text, await self._member(text)) for text in listed.members]
        if strangers := [text for text, member in found if member is None]:
            log.warning("not everybody on a list", number=listed.number, unknown=len(strangers))
        return tuple(dict.fromkeys(member for _, member in found if member))

    async def named(self, keys: str) -> Sequence[User]:
        """People whose name begins with these keys of a telephone, at most ten.

        Raises `DirectoryUnavailable`.
        """
        return await self.people.named(keys)

    async def answer_to(
        self, owner: User, inbox: Inbox, message: StoredMessage
    ) -> Recipient | None:
        """Who gets a reply; None: nobody can, or may.

        What only claims to come from somebody leads to no telephone outside. Raises
        `DirectoryUnavailable`, `MailboxUnavailable`, `MessageGone`.
        """
        if message.kind is MessageKind.VOICE:
            number = message.caller.number
            return await self._at_number(number, vouched=message.genuine) if number else None
        header = await inbox.mail(message, most=HEADER)
        address = await asyncio.to_thread(self.reply_address, header)
        return await self._at_address(address) if address else None

    async def _member(self, text: str) -> Recipient | None:
        if "@" in text:
            user = await self.people.with_mail(text)
            if user is not None:
                return Colleague(user.id)
            return Correspondent(text) if self.rules.outside else None
        user = await self.directory.user_by_id(text) or await self.colleague(text)
        if user is not None:
            return Colleague(user.id) if user.voice_mail_enabled else None
        return _reachable(telephone(text, Line.VOICE, self.rules, self.sites))

    async def _at_number(self, number: str, *, vouched: bool) -> Recipient | None:
        user = await self.directory.user_by_number(number)
        if user is not None and user.voice_mail_enabled:
            return Colleague(user.id)
        if not vouched:
            return None
        return _reachable(telephone(number, Line.VOICE, self.rules, self.sites))

    async def _at_address(self, address: str) -> Recipient | None:
        if user := await self.people.with_mail(address):
            return Colleague(user.id)
        search = self.rules.search_address
        if search and (found := search.number_in(address, self.sites[0])):
            return await self._at_number(found[0], vouched=True)  # by the site's own gateway
        return Correspondent(address) if self.rules.outside else None

    # -- sending

    async def begin(
        self,
        *,
        channel_id: str,
        owner: User,
        sending: Sending,
        inbox: Inbox | None = None,
        message: StoredMessage | None = None,
    ) -> Dispatch:
        """All that is needed to send what is going to be said is on the disk when this returns.

        *message*, of *inbox*, is answered or forwarded: it is copied. Raises `SpoolFull`, also as
        `TooManySendings` and `OriginalTooLarge`; `MailboxUnavailable`, `MessageGone`.
        """
        await self._count(owner, sending)
        facts = self._facts(channel_id, owner, sending, message)
        await self.spool.begin(facts)
        dispatch = Dispatch(self.spool, facts, self.limits, self.on_kept)
        if inbox is not None and message is not None:
            try:
                original = await self._original(inbox, message, sending.errand)
                await self.spool.attach(facts.id, original)
            except Exception:
                await dispatch.drop()
                raise
        return dispatch

    def _facts(
        self, channel_id: str, owner: User, sending: Sending, message: StoredMessage | None
    ) -> CallFacts:
        name = secrets.token_hex(12)
        own_number = (*owner.numbers, owner.mailbox)[0]
        sending = replace(sending, reply_to=owner.mail)
        if message is not None:
            quoted = Quoted(message.caller, message.received)
            sending = replace(sending, original=message.kind, quoted=quoted)
        return CallFacts(
            id=name,
            message_id=f"<{name}@{self.host}>",
            channel_id=channel_id,
            called=owner.mailbox,
            user_id=owner.id,
            caller=Caller(normalise(own_number, self.sites[0]) or "", printable(owner.name)),
            started=self.clock.now(),
            sending=sending,
        )

    async def _original(self, inbox: Inbox, message: StoredMessage, errand: Errand) -> Path:
        """What is needed of it, as `Sending` says. Raises `OriginalTooLarge`."""
        if errand is Errand.REPLY:
            return await inbox.mail(message, most=HEADER)
        if message.kind is MessageKind.VOICE:
            return await inbox.audio(message)
        largest = self.rules.largest_mail
        mail = await inbox.mail(message, most=largest + 1)
        if (await asyncio.to_thread(mail.stat)).st_size > largest:
            raise OriginalTooLarge(f"the mail is larger than {largest} octets")
        return mail

    async def _count(self, owner: User, sending: Sending) -> None:
        """One more of today's. Raises `TooManySendings`."""
        if not 0 < len(sending.recipients) <= self.rules.most_recipients:
            raise TooManySendings(
                f"{len(sending.recipients)} recipients; up to {self.rules.most_recipients} are "
                "possible (sending.most_recipients)"
            )
        if not self.rules.per_day:
            return
        try:
            change = await self.records.change_login(owner.id, self._one_more)
        except (DirectoryUnavailable, UnknownUser, Unstorable) as error:
            log.warning("sending not counted", user=owner.id, reason=str(error))
            if any(map(is_outside, sending.recipients)):
                raise TooManySendings("nobody can count it, so nothing leaves the house") from error
            return
        if change.before == change.after:
            raise TooManySendings(
                f"user {owner.id} has sent {self.rules.per_day} times today (sending.per_day)"
            )

    def _one_more(self, state: LoginState) -> LoginState:
        record = counted(state.sent, self.clock.now().date(), self.rules.per_day)
        return state if record is None else replace(state, sent=record)


def _reachable(found: Telephone | Denied | None) -> Telephone | None:
    return found if isinstance(found, Telephone) else None
