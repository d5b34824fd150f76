"""What stands in for the reading of mails in tests keeps the promises of the real parts."""

import asyncio
from pathlib import Path

import pytest

from tests import faxes
from tests.adapters.test_fax_mails import mail as fax_mail
from tests.adapters.test_mail_reader import ENGLISH, GERMAN
from tests.fake_voice import FakeFaxes, FakeVoice, StepsReader
from tests.services.test_mail_clips import needs_pico
from vm_ari.adapters.fax_mails import FaxMails
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.adapters.speech_synthesis import Synthesis
from vm_ari.adapters.telephone_voice import TelephoneVoice
from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.ports import FaxReader, FaxUnreadable, Unspeakable, Voice
from vm_ari.ports import MailReader as Reader

LETTER = f"From: Eve <eve@x.org>\r\nSubject: Lunch\r\n\r\n{GERMAN}\r\n\r\n{ENGLISH}\r\n"


def said(reader: Reader, mail: Path | bytes) -> list[Utterance]:
    async def collected() -> list[Utterance]:
        return [one async for one in reader.read(mail, ("en", "de"))]

    return asyncio.run(collected())


def test_the_steps_say_what_the_worker_says(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    for content in (LETTER.encode(), b""):
        path.write_bytes(content)
        real = said(MailReader(patience=60.0), path)
        assert said(StepsReader(), path) == said(StepsReader(), content) == real != []


@pytest.mark.parametrize("kind", ["fake", pytest.param("real", marks=needs_pico)])
def test_a_voice_makes_one_file_for_a_text_and_none_without_words(
    kind: str, tmp_path: Path
) -> None:
    voice: Voice = FakeVoice() if kind == "fake" else TelephoneVoice(Synthesis(tmp_path / "cache"))

    async def story() -> None:
        german, english = [await voice.spoken("Hallo", code) for code in ("de", "en")]
        assert german != english
        assert await voice.spoken("Hallo", "de") == german
        with pytest.raises(Unspeakable):
            await voice.spoken("...", "en")

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_without_pages_a_fax_is_unreadable(kind: str, tmp_path: Path) -> None:
    reader: FaxReader = FakeFaxes() if kind == "fake" else FaxMails(FaxText(("en",)), patience=60)
    path = tmp_path / "mail"
    path.write_bytes(fax_mail((faxes.tiff([faxes.page(["a"])]), "application/zip", "fax.zip")))

    async def story() -> None:
        with pytest.raises(FaxUnreadable):
            await anext(reader.pages(path))

    asyncio.run(story())
