"""Users are told by mail that a greeting or a profile of theirs was good until now (GREET-10)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from vm_ari.domain.active_profile import chosen_profile
from vm_ari.domain.callers import Caller
from vm_ari.domain.greeting_choice import (
    DisabledNotice,
    GlobalGreeting,
    NoMailboxNotice,
    OwnGreeting,
    PersonalisedGreeting,
    Plays,
    choose_greeting,
)
from vm_ari.domain.greeting_ends import PROFILE, End, greeting_ends, has_ended, profile_end
from vm_ari.domain.greetings import SITE
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.settings import Rules
from vm_ari.domain.situation import Situation
from vm_ari.domain.system_mails import SystemMail, letter_id
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    Greetings,
    GreetingsUnavailable,
    MailNotQueued,
    Notices,
    Tellings,
    TellingsUnavailable,
)

log = structlog.get_logger("vm_ari.greetings")

EVERY = timedelta(hours=1)
TRY_AGAIN = timedelta(minutes=5)
"""After something was away."""
NO_NEWS = timedelta(days=7)
"""What ended longer ago is not told any more."""

_MARGIN = 0.1
"""Seconds: timers may end a moment too early."""
_AWAY = (DirectoryUnavailable, GreetingsUnavailable, TellingsUnavailable, MailNotQueued)


@dataclass(frozen=True)
class Site:
    """What decides beside the owner's own settings what callers hear."""

    rules: Rules = field(default_factory=Rules)
    calendar: Calendar = no_calendar
    spoken: tuple[str, ...] = ("en",)
    """Languages that the system speaks."""
    needs_address: bool = False
    """Do mails reach only users who have a mail address?"""


@dataclass(frozen=True)
class EndedGreetings:
    """Tells each owner once, over restarts and however many nodes look."""

    directory: Directory
    greetings: Greetings
    notices: Notices
    tellings: Tellings
    clock: Clock
    site: Site = field(default_factory=Site)

    async def run(self) -> None:
        """List what ends once an hour, and wait for what ends before the next time."""
        while True:
            begun = self.clock.now()
            try:
                for end in await self.look():
                    await self._sleep_until(end.at)
                    await self._careful(end)
                await self._sleep_until(begun + EVERY)
            except _AWAY as error:
                log.warning("nobody is told what has ended", reason=str(error))
                await asyncio.sleep(TRY_AGAIN.total_seconds())
            except Exception:  # calls go on, whatever this is
                log.exception("nobody is told what has ended")
                await asyncio.sleep(EVERY.total_seconds())

    async def look(self) -> Sequence[End]:
        """Tell what is over, each once; what ends within an hour, soonest first.

        Raises `DirectoryUnavailable`, `GreetingsUnavailable`, `TellingsUnavailable`.
        """
        now = self.clock.now()
        oldest = max(await self.tellings.begun(now), now - NO_NEWS)
        found = await self._ends(oldest, now + EVERY)
        settled = await self.tellings.settled({_occasion(end) for end in found})
        news = [end for end in found if _occasion(end) not in settled]
        told = [await self._careful(end) for end in news if end.at <= now]
        if any(told):
            log.info("ended greetings told", users=told.count(True))
        await self.tellings.sweep(now)
        return sorted((end for end in news if end.at > now), key=lambda end: end.at)

    async def _ends(self, after: datetime, until: datetime) -> list[End]:
        users = await self.directory.all_users()
        recordings = await self.greetings.ending([one.id for one in users], after, until)
        profiles = await asyncio.to_thread(lambda: [profile_end(user) for user in users])
        return [
            *greeting_ends(recordings),
            *(end for end in profiles if end and after < end.at <= until),
        ]

    async def _careful(self, end: End) -> bool | None:
        """None: it failed, and the next look tries again."""
        try:
            return await self._tell(end)
        except _AWAY as error:
            log.warning("user not told", user=end.user_id, ended=end.what, reason=str(error))
        except Exception:  # one that breaks must not hide the others
            log.exception("user not told", user=end.user_id, ended=end.what)
        return None

    async def _tell(self, end: End) -> bool:
        """Who dies between claim and mail claims it again; a mail that is queued is not again."""
        user = await self.directory.user_by_id(end.user_id)
        if user is None or not user.voice_mail_enabled:
            return False
        if self.site.needs_address and not user.mail:
            return False
        own, now = await self.greetings.of(user.id), self.clock.now()
        if not has_ended(end, user, own, now):
            return False  # changed meanwhile
        values = await self._values(end, user, now)
        if values is None or not await self.tellings.claim(_occasion(end), now):
            return False
        await self.notices.tell(user, SystemMail.GREETING_ENDED, values, occasion=end.occasion)
        await self.tellings.tell(_occasion(end))
        return True

    async def _values(self, end: End, user: User, now: datetime) -> Mapping[str, object] | None:
        """For the template; None where callers hear nothing of the user."""
        plays = await self._heard(user, now)
        if isinstance(plays, NoMailboxNotice | DisabledNotice):
            return None
        local = now.astimezone(ZoneInfo(user.time_zone))
        after = chosen_profile(user, self.site.rules, local).profile
        hears, of_profile = _in_short(plays)
        return {
            "ended": user.profile.value if end.what == PROFILE else end.what,
            "is_profile": end.what == PROFILE,
            "languages": list(end.languages),
            "when": end.at,
            "after": after.value if after else "",
            "hears": hears,
            "of_profile": of_profile,
        }

    async def _heard(self, user: User, now: datetime) -> Plays:
        """What callers from outside hear now."""
        own = {**await self.greetings.of(user.id), **await self.greetings.of(SITE)}
        situation = Situation(
            user=user,
            dialled=user.mailbox,
            caller=Caller("", ""),
            at=now,
            rules=self.site.rules,
            greetings=own,
            global_mode=await self.greetings.global_mode(),
            spoken=self.site.spoken,
            calendar=self.site.calendar,
        )
        return choose_greeting(situation).plays

    async def _sleep_until(self, when: datetime) -> None:
        """A clock that was set meanwhile makes it late by an hour at most."""
        seconds = (when - self.clock.now()).total_seconds()
        await asyncio.sleep(min(max(seconds, 0.0) + _MARGIN, EVERY.total_seconds()))


def _occasion(end: End) -> str:
    return letter_id(SystemMail.GREETING_ENDED, end.user_id, end.occasion)


def _in_short(plays: Plays) -> tuple[str, str]:
    """What it is, and of which profile."""
    match plays:
        case OwnGreeting(profile=profile):
            return "own", profile.value
        case PersonalisedGreeting(profile=profile):
            return "name", profile.value
        case GlobalGreeting():
            return "global", ""
        case _:
            return "default", ""
