"""What users may send, and how much of it today: asked by everything that sends (UM-05)."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.numbers import Site
from vm_ari.domain.rights import (
    Caps,
    Limits,
    Outgoing,
    Refused,
    Used,
    Why,
    limits_of,
    may_send,
    scope_of,
)
from vm_ari.domain.rights_settings import Scope
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.ports.rights import Counts, CountsUnavailable

log = structlog.get_logger("vm_ari.rights")

REMEMBERED = timedelta(days=62)


@dataclass(frozen=True)
class Today:
    """What somebody may do, and has done."""

    what: Outgoing
    limits: Limits
    used: Used


@dataclass(frozen=True)
class Rights:
    """The limits of all users. A day is the user's own, from midnight to midnight."""

    counts: Counts
    clock: Clock
    caps: Caps = field(default_factory=Caps)
    sites: tuple[Site, ...] = (Site(),)

    def judge(self, user: User, what: Outgoing, to: Allowed, pages: int = 0) -> Refused | None:
        """Whatever has left today, may that ever leave?"""
        return may_send(user, what, to, self.caps, self.sites, pages=pages)

    async def look(self, user: User, what: Outgoing, to: Allowed, pages: int = 0) -> Refused | None:
        """May it leave now? Nothing is counted."""
        limits = limits_of(user, what, self.caps)
        used = None
        if limits.counts:
            try:
                used = await self.counts.used(user.id, self._today(user), what)
            except CountsUnavailable as error:
                return self._uncounted(user, what, to, error)
        return may_send(user, what, to, self.caps, self.sites, pages=pages, used=used)

    async def take(
        self, user: User, what: Outgoing, to: Allowed, occasion: str, pages: int = 0
    ) -> Refused | None:
        """It leaves now, and counts, durably; the same *occasion* once. Else why it may not."""
        if refused := self.judge(user, what, to, pages):
            return self._said(user, refused)
        if scope_of(user, to, self.sites) is Scope.INTERNAL:
            return None

        def fits(used: Used) -> Refused | None:
            return may_send(user, what, to, self.caps, self.sites, pages=pages, used=used)

        day, more = self._today(user), Used(1, pages)
        try:
            refused = await self.counts.take(occasion, user.id, day, what, more, fits)
        except CountsUnavailable as error:
            return self._uncounted(user, what, to, error)
        return self._said(user, refused)

    async def give_back(self, occasion: str) -> None:
        """It has not left after all."""
        try:
            await self.counts.give_back(occasion)
        except CountsUnavailable as error:
            log.warning("counted, though it did not leave", reason=str(error))

    async def today(self, user: User) -> list[Today]:
        """For people who look. Raises `CountsUnavailable`."""
        day = self._today(user)
        return [
            Today(
                what, limits_of(user, what, self.caps), await self.counts.used(user.id, day, what)
            )
            for what in Outgoing
        ]

    async def sweep(self) -> None:
        """Forget days of long ago. Raises `CountsUnavailable`."""
        await self.counts.sweep((self.clock.now() - REMEMBERED).date())

    def _today(self, user: User) -> date:
        now = self.clock.now()
        try:
            return now.astimezone(ZoneInfo(user.time_zone)).date()
        except (ZoneInfoNotFoundError, ValueError):
            return now.date()

    def _uncounted(
        self, user: User, what: Outgoing, to: Allowed, error: CountsUnavailable
    ) -> Refused | None:
        """Who has no limit is not stopped by a database that does not answer."""
        log.error("daily limits cannot be counted", user=user.id, what=what, reason=str(error))
        free = scope_of(user, to, self.sites) is Scope.INTERNAL
        if free or not limits_of(user, what, self.caps).counts:
            return self.judge(user, what, to)
        return Refused(Why.UNCOUNTED, what)

    def _said(self, user: User, refused: Refused | None) -> Refused | None:
        if refused:
            log.warning("refused", user=user.id, what=refused.what.value, why=refused.why.value)
        return refused
