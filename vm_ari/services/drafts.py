"""A message while the caller is still making it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Ending, Limits, worth_keeping
from vm_ari.domain.users import User
from vm_ari.ports import Clock, RecordingUnreadable, Spool


class Draft:
    """Takes of one message; the last one worth keeping becomes the message.

    A take that the caller wanted to redo is still kept when the new one comes to nothing:
    better a message that was meant to be better than none.
    """

    def __init__(self, spool: Spool, facts: CallFacts, limits: Limits, takes: int = 0) -> None:
        self._spool = spool
        self._facts = facts
        self._limits = limits
        self._take = takes
        self._best: int | None = None
        self._partial = False
        self._closed = False
        self._faulty = False
        self._unsure = False

    @property
    def has_take(self) -> bool:
        """Is there a take worth keeping?"""
        return self._best is not None

    @property
    def faulty(self) -> bool:
        """Did a fault, not the caller, spoil the newest take?"""
        return self._faulty

    @property
    def facts(self) -> CallFacts:
        """What is known of the message."""
        return self._facts

    @property
    def partial(self) -> bool:
        """Is what was kept cut by a fault?"""
        return self._partial

    @property
    def called(self) -> str:
        """The number that was dialled."""
        return self._facts.called

    @property
    def urgent(self) -> bool:
        """Has the caller marked it?"""
        return self._facts.urgent

    @property
    def audio(self) -> str:
        """Where the last good take lies, as Asterisk plays it: without extension."""
        if self._best is None:
            raise LookupError("nothing has been recorded yet")
        return str(self._spool.recording_path(self._facts.id, self._best))

    def next_take(self) -> str:
        """The name under which to record now."""
        self._take += 1
        return self.newest

    @property
    def newest(self) -> str:
        """The name under which the newest take is being recorded."""
        return self._spool.recording_name(self._facts.id, self._take)

    async def judge(self, ending: Ending) -> bool:
        """Is the take just recorded worth keeping? Raises `SpoolFull`."""
        self._faulty = ending.is_fault
        self._unsure |= ending is Ending.UNANSWERED
        try:
            found = await self._spool.inspect(self._facts.id, self._take)
        except RecordingUnreadable as error:
            await self._spool.set_aside(self._facts, self._take, str(error))
            self._faulty = True
            return False
        if self._spool.was_cut(self._facts.id, self._take):
            self._faulty, ending = True, Ending.FAULT
        if found is None or not worth_keeping(found, self._limits, ending):
            return False
        self._best, self._partial = self._take, self._faulty
        return True

    async def holds_a_message(self) -> bool:
        """Is any of its takes worth keeping? Raises `SpoolFull`."""
        for take in range(self._take, 0, -1):
            try:
                found = await self._spool.inspect(self._facts.id, take)
            except RecordingUnreadable:
                continue  # the adoption sets it aside
            if found is not None and worth_keeping(found, self._limits, Ending.HANG_UP):
                return True
        return False

    async def toggle_urgent(self) -> None:
        """Mark or unmark; on disk when this returns. Raises `SpoolFull`."""
        facts = replace(self._facts, urgent=not self._facts.urgent)
        await self._spool.begin(facts)
        self._facts = facts

    async def close(self) -> VoiceMessage | None:
        """Keep the best take, or forget everything; harmless when done already: None then, too.

        What may be a take that goes on, for all we know, is left to the adoption. Raises
        `SpoolFull`: then what was said stays in the spool, for a later try.
        """
        message = None
        if self._closed:
            return message
        if self._best is not None:
            message = await self._spool.keep(self._facts, self._best, partial=self._partial)
        elif not self._unsure:
            await self._spool.discard(self._facts.id)
        self._closed = True
        return message


@dataclass(frozen=True)
class Drafts:
    """Begins and ends drafts."""

    spool: Spool
    clock: Clock
    limits: Limits
    host: str
    """Right side of the Message-IDs."""
    on_kept: Callable[[VoiceMessage], None]
    """Gives the outbox something to deliver."""

    async def begin(
        self, *, channel_id: str, called: str, user: User | None, caller: Caller
    ) -> Draft:
        """The facts are on the disk when this returns. Raises `SpoolFull`."""
        name = secrets.token_hex(12)
        facts = CallFacts(
            id=name,
            message_id=f"<{name}@{self.host}>",
            channel_id=channel_id,
            called=called,
            user_id=user.id if user else None,
            caller=caller,
            started=self.clock.now(),
        )
        await self.spool.begin(facts)
        return Draft(self.spool, facts, self.limits)

    async def left_behind(self, channel_id: str) -> Draft | None:
        """What an earlier controller was recording on that channel. Raises `SpoolFull`."""
        for facts, takes in await self.spool.unfinished():
            if facts.channel_id == channel_id and takes:
                return Draft(self.spool, facts, self.limits, takes=max(takes))
        return None

    async def close(self, draft: Draft) -> bool:
        """Keep what was said; False if there is nothing. Raises `SpoolFull`."""
        if message := await draft.close():
            self.on_kept(message)
        return draft.has_take
