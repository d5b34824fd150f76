"""Mails and faxes as sound: what is said of them, made while it is heard (INBOX-10)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.domain.mail_speech.speaking import notice
from vm_ari.domain.mail_speech.utterances import About, Utterance
from vm_ari.domain.messages import MessageKind
from vm_ari.ports import FaxPage, FaxReader, FaxUnreadable, MailReader, NoOcr, Voice
from vm_ari.services.mail_clips import SpokenClip, clips

log = structlog.get_logger("vm_ari.inbox")

MOST_OF_A_MAIL = 1_000_000
"""Bytes that are read aloud: text comes first in nearly every mail, and this is hours of it."""
MOST_OF_A_FAX = 24_000_000
"""Bytes of a mail in which a fax is looked for."""


@dataclass(frozen=True)
class Readings:
    """Reads messages aloud."""

    mails: MailReader
    faxes: FaxReader
    voice: Voice
    languages: Sequence[str]
    """In which texts are spoken."""

    def most_of(self, kind: MessageKind) -> int:
        """So many bytes of a message of that kind are needed."""
        return MOST_OF_A_FAX if kind is MessageKind.FAX else MOST_OF_A_MAIL

    def clips(
        self, mail: Path, kind: MessageKind, language: str
    ) -> AsyncGenerator[SpokenClip, None]:
        """What is heard of it; notices in the listener's own *language*. To be closed (aclosing).

        Raises `VoiceUnavailable`, also after some clips.
        """
        spoken = (language, *(code for code in self.languages if code != language))
        if kind is MessageKind.FAX:
            return clips(self._fax(mail, spoken), self.voice)
        return clips(self._mail(mail, spoken), self.voice)

    async def _mail(self, mail: Path, languages: Sequence[str]) -> AsyncGenerator[Utterance, None]:
        async with aclosing(self.mails.read(mail, languages)) as lines:
            async for one in lines:
                yield one
        if await asyncio.to_thread(_size, mail) >= MOST_OF_A_MAIL:
            for one in notice(languages[0], "perhaps_more"):
                yield one

    async def _fax(self, mail: Path, languages: Sequence[str]) -> AsyncGenerator[Utterance, None]:
        """Sender and subject, and then the pages."""
        async with aclosing(self.mails.read(mail, languages)) as heading:
            async for one in heading:
                if one.about in {About.SENDER, About.SUBJECT}:
                    yield one
        number = 0
        try:
            async with aclosing(self.faxes.pages(mail)) as pages:
                async for page in pages:
                    number = page.number
                    async with aclosing(self._page(page, languages)) as said:
                        async for one in said:
                            yield one
        except (FaxUnreadable, NoOcr) as error:
            log.warning("fax not read", reason=str(error))
            for one in notice(languages[0], "fax_broken" if number else "fax_unreadable"):
                yield one

    async def _page(
        self, page: FaxPage, languages: Sequence[str]
    ) -> AsyncGenerator[Utterance, None]:
        """As the text of a mail, which a stranger may have written, too."""
        which = "page_of" if page.of and page.number == 1 else "page"
        for one in notice(languages[0], which, number=page.number, count=page.of):
            yield one
        said = False
        async with aclosing(self.mails.read(_LETTER + page.text.encode(), languages)) as lines:
            async for one in lines:
                if one.about is About.TEXT:
                    said = True
                    yield one
        if not said:
            for one in notice(languages[0], "empty_page"):
                yield one


def _size(mail: Path) -> int:
    try:
        return mail.stat().st_size
    except OSError:
        return 0


_LETTER = b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
