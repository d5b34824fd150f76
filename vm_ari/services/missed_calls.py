"""Users are told by mail of calls that they did not answer (MISSED).

Each call that rang phones is written down first, and decided a little later, when a voice message
that the caller has left is known. Whoever decides holds the call for a while, so that of several
controllers one does it; should that one die, the next look decides again, and a mail that was
queued already is not queued twice.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from traceback import extract_tb
from typing import Protocol

import structlog

from vm_ari.domain.contacts import Contact
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.missed_call_records import Case, Fate
from vm_ari.domain.missed_calls import (
    Around,
    Decision,
    MissedCallRules,
    NotFor,
    Outcome,
    RungUser,
    decide,
    rung_users,
    same_call,
)
from vm_ari.domain.numbers import normalise, readable
from vm_ari.domain.ringing import RungCall
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import (
    CallLogUnavailable,
    Clock,
    Contacts,
    ContactsUnavailable,
    Directory,
    DirectoryUnavailable,
    MailNotQueued,
    Notices,
)
from vm_ari.services.missed_call_mails import MailWriting

log = structlog.get_logger("vm_ari.missed_calls")

LOOK_AGAIN = 30.0
"""Seconds: another controller may have written something down and died."""
JUST_AFTER = 0.1
"""Seconds: clocks do not run alike."""
BREATHE = 30.0
"""Seconds after the log of calls could not be used."""
SWEEP_EVERY = 3600.0
HELD = timedelta(minutes=2)
"""So long a call is in the hands of whoever decides."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=30)
WAITS_FOR_CONTACTS = timedelta(hours=12)
"""So long after a call its mail waits to know whether there is contact data."""
GIVES_UP = timedelta(days=2)
PATIENCE = 2.0
"""Seconds that following calls waits until one is written down."""
MOST_UNKEPT = 1000

Journal = Callable[[RungCall, Decision, str], Awaitable[None]]
"""Hears of each missed call: for whom, and who has answered instead (empty: nobody)."""


class CallLog(Protocol):
    """What is remembered of calls, by all nodes. Every method raises `CallLogUnavailable`."""

    async def remember(self, call: RungCall, due: datetime) -> None:
        """Durably, to be decided from *due* on; harmless for one that is known."""
        ...

    async def take(self, now: datetime, until: datetime) -> Sequence[Case]:
        """Some that are due: nobody else takes them until that time."""
        ...

    async def postpone(self, key: str, due: datetime) -> None:
        """It cannot be decided before that time."""
        ...

    async def finish(self, case: Case, fates: Sequence[Fate]) -> None:
        """It is decided."""
        ...

    async def last_told(self, caller: str, user_ids: Collection[str]) -> Mapping[str, datetime]:
        """When the calls of that caller began of which these users were told last."""
        ...

    async def last_logins(self, user_ids: Collection[str]) -> Mapping[str, datetime]:
        """When they were signed in last."""
        ...

    async def note_login(self, user_id: str, at: datetime) -> None:
        """The user was signed in."""
        ...

    async def note_message(self, facts: CallFacts, user_id: str) -> None:
        """A caller has left that message for the user; harmless for one that is known."""
        ...

    async def message_for(self, call: RungCall) -> frozenset[str]:
        """For which users the caller has left a voice message in that call."""
        ...

    async def calls_before(self, call: RungCall) -> Sequence[RungCall]:
        """Those of which *call*, which reached a mailbox, may be the end."""
        ...

    async def sweep(self, before: datetime) -> None:
        """Forget calls that began before that time."""
        ...


class _NotYet(Exception):
    """A call cannot be decided now. The text says why."""


@dataclass(frozen=True)
class Timing:
    """When things are done."""

    wait: timedelta = timedelta(seconds=10)
    """From the end of a call until it is decided."""
    kept: timedelta = timedelta(days=30)


async def no_journal(_call: RungCall, _decision: Decision, _answered_by: str) -> None:
    """Nobody keeps one."""


@dataclass(frozen=True)
class MissedCalls:
    """Decides and tells; `run` works on what `over` has written down."""

    log: CallLog
    directory: Directory
    contacts: Contacts
    notices: Notices
    clock: Clock
    rules: MissedCallRules
    writing: MailWriting
    timing: Timing = field(default_factory=Timing)
    needs_address: bool = False
    """Can mails go to users with a mail address only?"""
    journal: Journal = no_journal
    _stir: asyncio.Event = field(default_factory=asyncio.Event)
    _unkept: deque[RungCall] = field(default_factory=lambda: deque(maxlen=MOST_UNKEPT))
    """Calls that the log did not take; oldest first."""
    _running: set["asyncio.Task[None]"] = field(default_factory=set)

    async def over(self, call: RungCall) -> None:
        """A call is over: write it down. Never raises, and waits for a few seconds at most."""
        if not all(ring.answered for ring in call.rings):
            await self._keep(call)

    def nothing_said(self, call: RungCall) -> None:
        """A caller has said nothing in a mailbox (CALL-06); returns at once."""
        self._beside(self._keep(call))

    async def _keep(self, call: RungCall) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._remember(call)
        except (CallLogUnavailable, TimeoutError) as error:
            log.error("a call is not written down yet", call=call.id, reason=_said(error))
            self._unkept.append(call)
        wait = self.timing.wait.total_seconds() + JUST_AFTER
        asyncio.get_running_loop().call_later(wait, self._stir.set)

    def signed_in(self, user: User) -> None:
        """A user has logged in; returns at once."""
        self._beside(self.log.note_login(user.id, self.clock.now()))

    def message_left(self, facts: CallFacts, user: User) -> None:
        """A caller's message is about to be delivered; returns at once."""
        self._beside(self.log.note_message(facts, user.id))

    async def run(self) -> None:
        """Decide what is due, until cancelled."""
        sweep_at = 0.0
        while True:
            self._stir.clear()
            pause = LOOK_AGAIN
            try:
                await self.decide_what_is_due()
                if (now := asyncio.get_running_loop().time()) >= sweep_at:
                    sweep_at = now + SWEEP_EVERY
                    await self.log.sweep(self.clock.now() - self.timing.kept)
            except CallLogUnavailable as error:
                log.error("nobody is told of missed calls now", reason=str(error))
                pause = BREATHE
            except Exception as error:  # calls go on, whatever this is
                log.error("nobody is told of missed calls now", why=_place(error))
                pause = BREATHE
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stir.wait()

    async def decide_what_is_due(self) -> None:
        """Each of them once. Raises `CallLogUnavailable`."""
        while self._unkept:
            await self._remember(self._unkept[0])
            self._unkept.popleft()
        while True:
            now = self.clock.now()
            cases = await self.log.take(now, now + HELD)
            for case in cases:
                await self._work_on(case)
            if not cases:
                return

    async def settle(self) -> None:
        """Wait for what goes on beside."""
        await asyncio.gather(*self._running)

    # --- one call

    async def preview(self, call: RungCall) -> Sequence[Decision]:
        """What would come of a call now. Raises as the ports do."""
        rung = await self._rung(call)
        return decide(call, rung, self.rules, await self._around(call, rung))

    async def values(
        self, call: RungCall, one: RungUser, contact: Contact | None, *, left: bool = False
    ) -> Mapping[str, object]:
        """For the templates of the mail. Raises `DirectoryUnavailable`."""
        answered_by = await self._answerer(call)
        return await asyncio.to_thread(
            self.writing.values, call, one, contact, answered_by=answered_by, message_left=left
        )

    def recipient(self, user: User) -> User:
        """The user as the mail is written for: perhaps in the site's language."""
        language = self.writing.style.language
        return replace(user, language=language) if language else user

    async def _remember(self, call: RungCall) -> None:
        await self.log.remember(call, self.clock.now() + self.timing.wait)

    async def _work_on(self, case: Case) -> None:
        try:
            decisions = await self._decided(case)
        except CallLogUnavailable:
            raise
        except (_NotYet, DirectoryUnavailable, MailNotQueued) as error:
            await self._later(case, str(error))
        except Exception as error:  # whatever breaks on this call must not stop the others
            await self._later(case, _place(error))
        else:
            await self.log.finish(case, [Fate(d.rung.user.id, d.outcome) for d in decisions])
            for one in decisions:
                about = {"call": case.call.id, "user": one.rung.user.id}
                log.info("missed call", **about, outcome=one.outcome.value)

    async def _later(self, case: Case, reason: str) -> None:
        """It is tried again, or given up for everybody."""
        if self.clock.now() - case.call.ended > GIVES_UP:
            log.error("a missed call is given up", call=case.call.id, reason=reason)
            await self.log.finish(case, [Fate("", Outcome.GIVEN_UP)])
            return
        pause = min(FIRST_PAUSE * 2 ** min(case.tries - 1, 10), LONGEST_PAUSE)
        log.warning("a missed call is not decided yet", call=case.call.id, reason=reason)
        await self.log.postpone(case.key, self.clock.now() + pause)

    async def _decided(self, case: Case) -> Sequence[Decision]:
        """Tell whoever is to be told; again harmless. Raises `_NotYet` and as the ports do."""
        call = case.call
        rung = await self._rung(call)
        around = await self._around(call, rung)
        decisions = decide(call, rung, self.rules, around)
        if any(decision.told for decision in decisions):
            contact, sure = await self._contact(call)
            if not sure and self._must_know(call):
                raise _NotYet("it is not known whether there is contact data of the caller")
            known = contact is not None or not sure
            decisions = decide(call, rung, self.rules, replace(around, known=known))
            for decision in decisions:
                if decision.told:
                    await self._tell(case, decision.rung, contact, around)
        await self._note(call, decisions)
        return decisions

    def _must_know(self, call: RungCall) -> bool:
        """Is the mail kept back until a source of contacts answers?"""
        waited = self.clock.now() - call.ended
        return NotFor.UNKNOWN in self.rules.not_for and waited < WAITS_FOR_CONTACTS

    async def _tell(
        self, case: Case, one: RungUser, contact: Contact | None, around: Around
    ) -> None:
        left = one.user.id in around.message_for
        values = await self.values(case.call, one, contact, left=left)
        user = self.recipient(one.user)
        await self.notices.tell(user, SystemMail.MISSED_CALL, values, occasion=case.key)

    async def _note(self, call: RungCall, decisions: Sequence[Decision]) -> None:
        """Into the journal, for those who want it there (MISSED-04)."""
        wanted = [d for d in decisions if d.missed and d.rung.user.missed_calls_journal]
        answered_by = await self._answerer(call) if wanted else ""
        for decision in wanted:
            await self.journal(call, decision, answered_by)

    async def _rung(self, call: RungCall) -> Sequence[RungUser]:
        if not call.silent_for:
            return rung_users(call, await self._owners(call))
        user = await self.directory.user_by_id(call.silent_for)
        return [RungUser(user, ())] if user else []

    async def _owners(self, call: RungCall) -> Mapping[str, User]:
        """By the numbers of the phones, as the call has them."""
        numbers = dict.fromkeys([ring.number for ring in call.rings])
        if call.answered_by:
            numbers[call.answered_by] = None
        found = {number: await self._owner(number) for number in numbers if number}
        return {number: user for number, user in found.items() if user}

    async def _owner(self, number: str) -> User | None:
        """Phones are known by extensions, users by whole numbers, or the other way round."""
        whole = normalise(number, self.rules.sites[0]) or number
        user = await self.directory.user_by_number(whole)
        return user if user or whole == number else await self.directory.user_by_number(number)

    async def _around(self, call: RungCall, rung: Sequence[RungUser]) -> Around:
        """What the log knows; the contact is asked for later, and only if it matters."""
        users = [one.user for one in rung]
        ids = [user.id for user in users]
        caller = call.caller.number
        without = [user.id for user in users if self.needs_address and not user.mail]
        return Around(
            message_for=await self.log.message_for(call),
            last_told=await self.log.last_told(caller, ids) if caller and ids else {},
            last_login=await self.log.last_logins(ids) if ids else {},
            without_address=frozenset(without),
            phones_rang=bool(call.silent_for) and await self._phones_rang(call),
        )

    async def _phones_rang(self, silent: RungCall) -> bool:
        """Those of users? Then their rings count, and it is one call only."""
        calls = [one for one in await self.log.calls_before(silent) if same_call(silent, one)]
        return any([await self._owners(one) for one in calls])

    async def _contact(self, call: RungCall) -> tuple[Contact | None, bool]:
        """The caller's, and is that sure?"""
        if not call.caller.number:
            return None, True
        try:
            return await self.contacts.contact_of(call.caller.number), True
        except ContactsUnavailable as error:
            log.warning("no contact for a missed call", call=call.id, reason=str(error))
            return None, False

    async def _answerer(self, call: RungCall) -> str:
        """Who has answered instead, as a person reads it; empty for nobody."""
        if not call.answered_by:
            return ""
        number = readable(call.answered_by, self.rules.sites[0])
        user = await self._owner(call.answered_by)
        return f"{user.name} ({number})" if user and user.name else number

    # --- beside

    def _beside(self, work: Awaitable[None]) -> None:
        task = asyncio.create_task(_careful(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _careful(work: Awaitable[None]) -> None:
    """What is lost here costs a mail too many, or one too few."""
    try:
        await work
    except CallLogUnavailable as error:
        log.warning("not remembered for missed calls", reason=str(error))


def _said(error: BaseException) -> str:
    return str(error) or "no answer in time"


def _place(error: BaseException) -> str:
    """Kind and place of a fault: its text could hold who has called."""
    frames = extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
