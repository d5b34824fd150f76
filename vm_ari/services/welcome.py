"""The welcome mail: sent at the first call to a mailbox, or when an admin wants it (WELCOME)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from vm_ari.domain.access import LoginRules
from vm_ari.domain.callers import printable
from vm_ari.domain.login_state import LoginState, stamp, unlocked
from vm_ari.domain.numbers import Site, international, normalise
from vm_ari.domain.system_mails import Letter, SystemMail
from vm_ari.domain.users import User
from vm_ari.domain.welcome import (
    WelcomeRules,
    asked_again,
    is_due,
    is_ours,
    named_number,
    needs_new_pin,
    rights_of,
    with_mail,
)
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    LoginRecords,
    MailNotQueued,
    RawAttributes,
    UnknownUser,
)
from vm_ari.services.logins import random_pin
from vm_ari.services.system_mails import SystemMails

log = structlog.get_logger("vm_ari.welcome")

AT_ONCE = 4
"""Users who are looked after side by side."""
MOST_WAITING = 1000
"""More are left to their next call: nobody is forgotten."""
GRACE = timedelta(seconds=60)
"""So long somebody may still be at work on a mail that is kept back."""
LOOK_AGAIN = 60.0
"""Seconds between looks for mails that a crash has left kept back."""
_TRIES = 3


class Outcome(StrEnum):
    """What became of the wish to send a welcome mail."""

    QUEUED = "queued"
    NOT_DUE = "not due"
    SWITCHED_OFF = "welcome mails are switched off"
    NO_MAILBOX = "voice mail is switched off for this user"
    NO_ADDRESS = "the user has no mail address"
    UNREADABLE_PIN = "the PIN cannot be opened with our keys; give a new one"
    BUSY = "somebody else is changing the same user; try again"


@dataclass
class WelcomeMails:
    """Welcome mails of one site."""

    records: LoginRecords
    directory: Directory
    attributes: RawAttributes
    post: SystemMails
    clock: Clock
    rules: WelcomeRules
    site: Site = field(default_factory=Site)
    needs_address: bool = False
    """Mails go to the users' mail addresses, and not into a store of ours."""
    login_rules: LoginRules = field(default_factory=LoginRules)
    """Which PINs are good."""
    _under_way: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    # --- calls

    def called(self, user: User, dialled: str) -> None:
        """A call has reached that user's mailbox: send the mail if it is due.

        The call does not wait for it, and is never hurt by it. What does not come to its end now
        is done at the next call.
        """
        if not self.rules.enabled or user.id in self._under_way:
            return
        if len(self._under_way) >= MOST_WAITING:
            log.warning("welcome mail left to the next call", user=user.id)
            return
        task = asyncio.create_task(self._look_after(user, dialled), name=f"welcome {user.id}")
        self._under_way[user.id] = task
        task.add_done_callback(lambda _task: self._under_way.pop(user.id, None))

    async def _look_after(self, user: User, dialled: str) -> None:
        async with self._turns:
            try:
                outcome = await self.send(user, dialled)
            except (DirectoryUnavailable, UnknownUser) as error:
                log.info("nobody knows whether a welcome mail is due", reason=str(error))
            except MailNotQueued as error:
                log.warning("welcome mail not sent yet", user=user.id, reason=str(error))
            except Exception:
                log.exception("welcome mail not sent yet", user=user.id)
            else:
                if outcome is not Outcome.NOT_DUE:
                    log.info("welcome mail", user=user.id, outcome=outcome.value)

    async def settle(self) -> None:
        """Wait for what calls have set off."""
        await asyncio.gather(*self._under_way.values())

    async def stop(self) -> None:
        """End what calls have set off; what is half done is made good by `recover`."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one user

    async def send(self, user: User, dialled: str = "") -> Outcome:
        """Send the mail if it is due; queued durably when this returns.

        Raises `DirectoryUnavailable`, `UnknownUser`, `MailNotQueued`.
        """
        if not self.rules.enabled:
            return Outcome.SWITCHED_OFF
        for _ in range(_TRIES):
            state = await self.records.login_state(user.id)
            if (obstacle := self._obstacle(user, state)) is not None:
                return obstacle
            if await self._sent_from(state, user, dialled):
                return Outcome.QUEUED
        return Outcome.BUSY

    async def ask_again(
        self, user: User, *, new_pin: bool = False, unlock: bool = False, now: bool = False
    ) -> Outcome | None:
        """Send the mail once more: with the next call (None), or *now* (WELCOME-05).

        *new_pin*: with a new PIN; until the mail leaves, the present one holds. *unlock* acts at
        once. Raises as `send`.
        """
        await self.records.change_login(
            user.id, lambda state: asked_again(state, new_pin=new_pin, unlock=unlock)
        )
        return await self.send(user) if now else None

    async def unlock(self, user: User) -> bool:
        """Forget the wrong PINs at once; were there any? Raises as `send`."""
        change = await self.records.change_login(user.id, unlocked)
        return change.before.failures > 0

    def _obstacle(self, user: User, state: LoginState) -> Outcome | None:
        if not is_due(state):
            return Outcome.NOT_DUE
        if not user.voice_mail_enabled:
            return Outcome.NO_MAILBOX
        if self.needs_address and not user.mail:
            return Outcome.NO_ADDRESS
        if rights_of(user).telephone and state.unopened and not needs_new_pin(state):
            return Outcome.UNREADABLE_PIN
        return None

    async def _sent_from(self, state: LoginState, user: User, dialled: str) -> bool:
        """Write it down, remember in the directory that it goes out, then let it go.

        A crash before the second step leaves it due; one after that is made good by `recover`.
        """
        tells_pin = rights_of(user).telephone
        fresh = self._new_pin(user, state) if tells_pin and needs_new_pin(state) else ""
        letter = await self._written(user, state, fresh, dialled)
        await self.post.letters.prepare(letter)
        change = await self.records.change_login(
            user.id,
            lambda now: with_mail(
                now, state, fresh, letter.written, one_time=self.rules.one_time_pin
            ),
        )
        if change.before == change.after:
            await self.post.letters.drop(letter.id)
            return False
        await self.post.letters.release(letter.id)
        self.post.wake()
        return True

    def _new_pin(self, user: User, state: LoginState) -> str:
        own = (*user.numbers, user.mailbox, user.mobile)
        return random_pin(self.login_rules, own, (state.pin, *state.previous))

    async def preview(self, user: User, pin: str, dialled: str = "") -> Letter:
        """The mail as it would be, with that PIN in it. Raises as `send`."""
        return await self._written(user, LoginState(pin=pin), "", dialled)

    async def _written(self, user: User, state: LoginState, fresh: str, dialled: str) -> Letter:
        now = self.clock.now().replace(microsecond=0)
        tells_pin = rights_of(user).telephone
        one_time = self.rules.one_time_pin if fresh else state.must_change
        values = {
            **await self.facts(user, dialled),
            "pin": (fresh or state.pin) if tells_pin else "",
            "one_time": one_time and tells_pin,
        }
        return await self.post.write(
            user, SystemMail.WELCOME, values, occasion=stamp(now), at=now, dialled=dialled
        )

    async def facts(self, user: User, dialled: str = "") -> Mapping[str, object]:
        """What the mail says of the mailbox, but for the PIN. Raises as `send`."""
        rights, names = rights_of(user), self.rules.number.attributes
        attributes = await self.attributes.attributes(user.id, names) if names else {}
        otherwise = normalise(dialled, self.site) or next(iter(user.numbers), user.mailbox)
        number = named_number(self.rules.number, attributes, self.site, otherwise)
        return {
            "mailbox_number": printable(international(number)),
            "telephone": rights.telephone,
            "messages": rights.messages,
            "login_number": self.rules.login_number,
            "login_key": self.rules.login_key,
            "link": self.rules.link.value,
            "address": self.rules.address,
            "guide": self.rules.guide and rights.telephone,
            "closing": _closing(self.rules.closing, user.language),
        }

    # --- after a crash

    async def run(self) -> None:
        """Make good what a crash has left half done, until cancelled."""
        while True:
            try:
                await self.recover(self.clock.now() - GRACE)
            except (DirectoryUnavailable, MailNotQueued) as error:
                log.warning("kept back mails are not judged yet", reason=str(error))
            except Exception:
                log.exception("kept back mails are not judged yet")
            await asyncio.sleep(LOOK_AGAIN)

    async def recover(self, before: datetime) -> None:
        """Judge mails that were written before that time and are still kept back.

        Raises `DirectoryUnavailable`, `MailNotQueued`.
        """
        for letter in await self.post.letters.prepared():
            if letter.written >= before or letter.recipient.user_id in self._under_way:
                continue
            if letter.kind is SystemMail.WELCOME:
                await self._judge(letter)
            else:
                await self._let_go(letter)  # a notice is kept back only for a moment

    async def _judge(self, letter: Letter) -> None:
        user_id = letter.recipient.user_id
        try:
            state = await self.records.login_state(user_id)
        except UnknownUser:
            await self.post.letters.drop(letter.id)
            return
        if is_ours(state, letter.written):
            await self._let_go(letter)
            return
        await self.post.letters.drop(letter.id)
        user = await self.directory.user_by_id(user_id)
        if user is not None:
            await self.send(user, letter.dialled)

    async def _let_go(self, letter: Letter) -> None:
        log.info("kept back mail goes out", mail=letter.kind.value, id=letter.id)
        await self.post.letters.release(letter.id)
        self.post.wake()


def _closing(texts: Mapping[str, str], language: str) -> list[str]:
    """The site's own words in the user's language, as paragraphs; else none."""
    primary = language.replace("_", "-").partition("-")[0].lower()
    text = texts.get(language) or texts.get(primary) or texts.get("") or ""
    return [line.strip() for line in text.splitlines() if line.strip()]
