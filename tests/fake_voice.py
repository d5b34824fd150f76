"""Reading aloud in memory, for tests on the virtual clock: the real words, and no sound."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vm_ari.adapters.mail_reader_steps import utterances_of
from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.ports import FaxPage, FaxUnreadable, Unspeakable, VoiceUnavailable
from vm_ari.speech.parts import Recorded


class StepsReader:
    """`ports.MailReader` without the process: what the worker does, done here."""

    async def read(
        self, mail: Path | bytes, languages: Sequence[str]
    ) -> AsyncGenerator[Utterance, None]:
        """See `ports.MailReader`."""
        content = mail if isinstance(mail, bytes) else mail.read_bytes()
        for one in utterances_of(content, languages):
            yield one


@dataclass
class FakeVoice:
    """`ports.Voice`: a file that is not there says each text; `said` is its name."""

    seconds: float = 0.0
    """That it takes to make one."""
    missing: bool = False
    fails_at: str = ""
    """A text that it breaks down at."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Language and text."""

    async def spoken(self, text: str, language: str) -> Path:
        """See `ports.Voice`."""
        self.asked.append((language, text))
        await asyncio.sleep(self.seconds)
        if self.missing or (self.fails_at and self.fails_at in text):
            raise VoiceUnavailable("the test says so")
        if not any(sign.isalnum() for sign in text):
            raise Unspeakable(text)
        return Path(f"{said(text, language).path}.wav")


@dataclass
class FakeFaxes:
    """`ports.FaxReader`: any mail is a fax of these pages."""

    texts: Sequence[str] = ()
    seconds: float = 0.0
    """That each page takes."""
    trouble: str = ""
    """Of the rest."""

    async def pages(self, mail: Path) -> AsyncGenerator[FaxPage, None]:
        """See `ports.FaxReader`."""
        assert mail.exists()
        for number, text in enumerate(self.texts, start=1):
            await asyncio.sleep(self.seconds)
            yield FaxPage(number, text, len(self.texts) if not self.trouble else None)
        if self.trouble or not self.texts:
            raise FaxUnreadable(self.trouble or "there is no fax")


def said(text: str, language: str = "en") -> Recorded:
    """What is heard of a text."""
    return Recorded(f"/spoken/{language}/{text.replace('/', '|')}")
