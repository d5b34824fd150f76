"""What is said of mails and faxes, as far as it is the same for every voice."""

import asyncio
from pathlib import Path

import pytest

from tests.dialogues.reading_site import LANGUAGES, written
from tests.fake_voice import FakeFaxes, FakeVoice, StepsReader
from vm_ari.domain.messages import MessageKind
from vm_ari.services.reading import MOST_OF_A_FAX, MOST_OF_A_MAIL, Readings


def heard(mail: Path, kind: MessageKind, faxes: FakeFaxes, language: str = "en") -> list[str]:
    readings = Readings(StepsReader(), faxes, FakeVoice(), LANGUAGES)

    async def listen() -> list[str]:
        clips = readings.clips(mail, kind, language)
        return [clip.utterance.text async for clip in clips]

    return asyncio.run(listen())


@pytest.mark.feature_part("INBOX-10", "of a large mail the beginning is read")
@pytest.mark.parametrize("more", [0, 1])
def test_of_a_mail_that_was_cut_there_may_be_more(more: int, tmp_path: Path) -> None:
    mail = tmp_path / "mail"
    parts = (
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nPlease call.\r\n"
        "--x\r\nContent-Type: image/jpeg; name=pictures\r\n\r\n"
    )
    mail.write_bytes(parts.encode().ljust(MOST_OF_A_MAIL - 1 + more, b"."))
    told = heard(mail, MessageKind.MAIL, FakeFaxes())
    assert told[0] == "Please call."
    assert "pictures" in told[1]
    assert told[2:] == ["There may be more attachments."] * more


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_fax_says_where_its_pages_begin(language: str, tmp_path: Path) -> None:
    mail = tmp_path / "mail"
    mail.write_bytes(written("See the attachment."))
    texts = heard(mail, MessageKind.FAX, FakeFaxes(["Please call.", "", "Thank you."]), language)
    page = {"de": "Seite"}.get(language, "Page")
    assert texts[:2] == ["Carla Weber", "Lunch"]
    assert [text for text in texts if text.startswith(page)][1:] == [f"{page} 2.", f"{page} 3."]
    assert texts.count("See the attachment.") == 0
    assert len(texts) == 8


def test_of_a_fax_more_is_needed_than_of_a_mail() -> None:
    readings = Readings(StepsReader(), FakeFaxes(), FakeVoice(), LANGUAGES)
    sizes = {kind: readings.most_of(kind) for kind in MessageKind}
    assert sizes[MessageKind.FAX] == MOST_OF_A_FAX > sizes[MessageKind.MAIL]
