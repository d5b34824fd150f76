"""Mails that users send to the system itself: each address does one thing (NOTIFY-06)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from vm_ari.domain.entries import address_key
from vm_ari.domain.site_mails import Doubtful, SiteMail, Trust, sender_of, without_detail
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    MailNotQueued,
    NoticeBookUnavailable,
    Notices,
    NotNow,
)

log = structlog.get_logger("vm_ari.site_mails")

REFRESH = timedelta(minutes=15)
"""So old what is known of mail addresses can be."""
NOT_SOONER = timedelta(minutes=1)
"""However many mails of strangers come, everybody is listed no more often."""
PATIENCE = 20.0
"""Seconds that a mail server waits for one mail."""
_AWAY = (DirectoryUnavailable, NoticeBookUnavailable)

Handler = Callable[[User], Awaitable[None]]
"""Done when it returns; whatever it raises, the mail is offered again later."""


class Senders:
    """Who has which mail address."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._ids: Mapping[str, Sequence[str]] = {}
        self._looked: datetime | None = None
        self._looking = asyncio.Lock()

    async def with_address(self, address: str) -> User | None:
        """The only user who has it now. Raises `DirectoryUnavailable`."""
        key = address_key(address)
        async with self._looking:
            if self._is_old(known=key in self._ids):
                await self._look()
        ids = self._ids.get(key, ())
        user = await self._directory.user_by_id(ids[0]) if len(ids) == 1 else None
        return user if user and address_key(user.mail) == key else None

    def _is_old(self, *, known: bool) -> bool:
        if self._looked is None:
            return True
        return self._clock.now() - self._looked >= (REFRESH if known else NOT_SOONER)

    async def _look(self) -> None:
        users = await self._directory.all_users()
        self._ids = await asyncio.to_thread(_ids, users)
        self._looked = self._clock.now()


def _ids(users: Sequence[User]) -> Mapping[str, Sequence[str]]:
    """Of whoever has the address, by address."""
    found: dict[str, list[str]] = {}
    for user in users:
        if user.mail:
            found.setdefault(address_key(user.mail), []).append(user.id)
    return found


@dataclass(frozen=True)
class LampOff:
    """The address that switches the sender's own lamp off, until the next message."""

    switch: Handler
    notices: Notices
    clock: Clock
    confirm: bool = False
    """Is that answered by a mail, to the user's own address and no other?"""

    async def __call__(self, user: User) -> None:
        """See `Handler`; one answer an hour, whoever writes how often in somebody's name."""
        await self.switch(user)
        if not (self.confirm and user.mail):
            return
        now = self.clock.now()
        hour = now.strftime("%Y-%m-%dT%H")
        try:
            await self.notices.tell(user, SystemMail.LAMP_OFF, {"when": now}, occasion=hour)
        except MailNotQueued as error:
            log.warning("mail not answered", user=user.id, reason=str(error))


@dataclass(frozen=True)
class SiteMails:
    """`ports.MailDesk`: a table of what each address does."""

    senders: Senders
    handlers: Mapping[str, Handler]
    """By `domain.site_mails.without_detail`."""
    trust: Trust = field(default_factory=Trust)

    def knows(self, address: str) -> bool:
        """See `MailDesk`."""
        return without_detail(address) in self.handlers

    async def take(self, mail: SiteMail) -> None:
        """See `MailDesk`."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._take(mail)
        except (*_AWAY, TimeoutError) as error:
            log.warning("mail to the system comes later", reason=str(error) or "slow")
            raise NotNow("not now, please try again") from None

    async def _take(self, mail: SiteMail) -> None:
        """What is doubtful is dropped: a refusal would be sent to whoever was forged."""
        try:
            address = sender_of(mail, self.trust)
        except Doubtful as doubt:
            log.warning("mail to the system ignored", reason=str(doubt))
            return
        user = await self.senders.with_address(address)
        if user is None:
            log.warning("mail to the system ignored", reason="its sender is not one user")
            return
        for place in dict.fromkeys(without_detail(one) for one in mail.recipients):
            if place in self.handlers:
                await self._handle(place, user)

    async def _handle(self, place: str, user: User) -> None:
        try:
            await self.handlers[place](user)
        except _AWAY:
            raise
        except Exception as error:
            log.exception("mail to the system not acted upon", to=place, user=user.id)
            raise NotNow("not now, please try again") from error
        log.info("mail to the system", to=place, user=user.id)
