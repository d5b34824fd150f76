"""A mail, fax or text message is read to the user, under his control (INBOX-03, -05, -10)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.listening import piece, prompts, recorded
from vm_ari.domain.mail_speech.utterances import About
from vm_ari.domain.settings import InformationOrder
from vm_ari.ports import VoiceUnavailable
from vm_ari.services.mail_clips import SpokenClip
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action
from vm_ari.telephony.recital import Piece

log = structlog.get_logger("vm_ari.calls")


@dataclass
class Reading:
    """What is heard of one message that is read aloud."""

    call: Call
    desk: Desk
    clips: AsyncGenerator[SpokenClip, None]
    sender: Sentence = ()
    """ "From Anna Berg", as soon as it is known."""
    begun: bool = False
    """Was any of the content to be heard?"""
    _next: "asyncio.Task[SpokenClip | None] | None" = field(default=None, init=False)

    async def heading(self) -> None:
        """Who writes, where the site wants that here, and about what. Raises `VoiceUnavailable`."""
        async with aclosing(self._heading()) as pieces:
            await self.call.recite(pieces, skip=self.desk.keys[Action.SKIP])

    async def content(self) -> None:
        """Everything else. Raises `VoiceUnavailable`."""
        async with aclosing(self._content()) as pieces:
            self.begun |= await self.call.recite(pieces, skip=self.desk.keys[Action.SKIP])

    def start(self) -> None:
        """Make the first clip while something else is heard."""
        self._next = self._next or asyncio.create_task(self._made())

    async def stop(self) -> None:
        """Make nothing more."""
        if self._next:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)

    async def _made(self) -> SpokenClip | None:
        return await anext(self.clips, None)

    async def _clip(self) -> SpokenClip | None:
        """The next one, until it is taken."""
        self.start()
        return await asyncio.shield(self._next) if self._next else None

    def _take(self) -> None:
        self._next = None

    async def _heading(self) -> AsyncGenerator[Piece, None]:
        order = self.desk.rules.information_order
        while (clip := await self._clip()) and clip.utterance.about in _OF_HEADING:
            words = P.SUBJECT
            if clip.utterance.about is About.SENDER:
                words = P.FROM_NAME
                self._note_sender(clip)
            if words is P.SUBJECT or order is InformationOrder.DATE_SENDER_CONTENT:
                for one in prompts(self.call, self.desk, words):
                    yield one
                yield piece(self.desk, clip.sound)
            self._take()

    async def _content(self) -> AsyncGenerator[Piece, None]:
        """Who passes over the heading with a key has left something of it."""
        while clip := await self._clip():
            if clip.utterance.about not in _OF_HEADING:
                yield piece(self.desk, clip.sound)
                self.begun = True
            elif clip.utterance.about is About.SENDER:
                self._note_sender(clip)
            self._take()

    def _note_sender(self, clip: SpokenClip) -> None:
        self.sender = (P.FROM_NAME, recorded(clip.sound))


_OF_HEADING = {About.SENDER, About.SUBJECT}


async def read_aloud(reading: Reading, before: Sentence) -> None:
    """Say *before*, and the message behind it; the first of it is made meanwhile.

    Raises `NoAnswer` when a pause has no end.
    """
    call, skip = reading.call, reading.desk.keys[Action.SKIP]
    async with aclosing(reading.clips):
        reading.start()
        try:
            await call.say(*before, skip=skip)
            await reading.heading()
            await reading.content()
        except VoiceUnavailable as error:
            reason = str(error).partition(":")[0]  # an engine may complain in words of the mail
            log.error("message not read aloud", call=call.id, reason=reason)
            await call.say(P.CANNOT_READ_ALOUD)
        finally:
            await reading.stop()
