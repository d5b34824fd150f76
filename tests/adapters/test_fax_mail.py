"""The mail with a fax: what the reader sees, and that no fax machine can break it (UM-04)."""

import asyncio
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.sample_mail import ANNA, FACTS, JANE, KEY, SENDER, TEMPLATES, parsed, text_of
from tests.faxes import LETTER, page, tiff
from vm_ari.adapters.fax_attachment import fax_in
from vm_ari.adapters.fax_mail import with_faxes
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.maildir import MaildirCourier, MaildirMailboxes
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.faxes import Fax, FaxFormat, FaxQuality
from vm_ari.domain.messages import MessageKind, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User

FAX = Fax(3, "+49 89 123456", FaxQuality.FINE, 14400, t38=True, seconds=77.4)
PAGES = tiff([page(LETTER)])
PDF = b"%PDF-1.4 of the same"


@pytest.fixture(scope="module")
def fax(tmp_path_factory: pytest.TempPathFactory) -> VoiceMessage:
    path = tmp_path_factory.mktemp("fax") / "fax.tif"
    path.write_bytes(PAGES)
    path.with_suffix(".pdf").write_bytes(PDF)
    return VoiceMessage(replace(FACTS, fax=FAX), str(path), 0.0)


def other_mails(message: VoiceMessage, user: User, *, plain: bool) -> bytes:
    assert message.facts.fax is None
    assert user.mail
    return b"plain voice" if plain else b"voice"


WRITE = with_faxes(
    other_mails, sender=SENDER, templates=TEMPLATES, site=Site(base_number="+4930555"), key=KEY
)


def written(message: VoiceMessage, user: User = ANNA, *, plain: bool = False) -> bytes:
    return WRITE(message, user, plain=plain)


def changed(message: VoiceMessage, caller: Caller | None = None, **fax: object) -> VoiceMessage:
    facts = replace(message.facts, fax=replace(FAX, **fax))  # type: ignore[arg-type]
    return replace(message, facts=replace(facts, caller=caller or facts.caller))


def attached(mail: EmailMessage) -> tuple[str, str, bytes]:
    [part] = mail.iter_attachments()
    content = part.get_content()
    assert isinstance(content, bytes)
    return part.get_content_type(), part.get_filename() or "", content


def test_a_german_mail(fax: VoiceMessage) -> None:
    mail = parsed(written(fax))
    assert mail["Subject"] == "Fax von Müller, Jörg (+49 89 123456), 3 Seiten"
    assert mail["Message-ID"] == FACTS.message_id
    for subtype in ("plain", "html"):
        text = text_of(mail, subtype)
        for expected in (
            "Müller, Jörg",
            "+49 89 123456",
            "Sonntag, 29. März 2026, 01:59 Uhr",
            "3 (fein)",
            "1 Minute 17 Sekunden",
            "Anna Größe, Mailbox 101",
        ):
            assert expected in text, f"{expected} is not in {text}"
        assert "abgebrochen" not in text
        assert "Kennung" not in text  # the same as the number
    assert attached(mail) == ("application/pdf", "fax-2026-03-29-0159-+4989123456.pdf", PDF)


def test_an_english_and_a_french_one(fax: VoiceMessage) -> None:
    part = replace(changed(fax, pages=1, station="ACME", text="Dear <b>"), partial=True)
    english = parsed(written(part, JANE))
    assert english["Subject"].endswith("1 page (incomplete)")
    text = text_of(english)
    assert "Station:  ACME" in text
    assert "Dear <b>" in text
    assert "only those pages are here" in text
    assert "Dear &lt;b&gt;" in text_of(english, "html")
    french = parsed(written(changed(fax, Caller(), station=""), replace(ANNA, language="fr")))
    assert french["Subject"] == "Fax d’un expéditeur inconnu, 3 pages"


def test_tiff_where_it_is_wanted_or_no_pdf_could_be_made(fax: VoiceMessage, tmp_path: Path) -> None:
    wants_tiff = replace(ANNA, fax_format=FaxFormat.TIFF)
    assert attached(parsed(written(fax, wants_tiff)))[::2] == ("image/tiff", PAGES)
    alone = tmp_path / "fax.tif"
    alone.write_bytes(PAGES)
    mail = written(replace(fax, audio=str(alone)))
    assert attached(parsed(mail))[::2] == ("image/tiff", PAGES)
    assert fax_in(mail) == ("image/tiff", PAGES)


def test_it_is_recognised_as_a_fax_of_ours(fax: VoiceMessage) -> None:
    summary = summary_of(written(fax), [KEY])
    assert (summary.kind, summary.genuine) == (MessageKind.FAX, True)
    assert summary.caller.name == "Müller, Jörg"
    assert not summary_of(written(fax), [bytes(32)]).genuine
    mail = parsed(written(fax))
    assert (mail["Message-Context"], mail["X-FaxNumberOfPages"]) == ("fax-message", "3")


def test_the_last_resort_needs_no_template(fax: VoiceMessage) -> None:
    mail = parsed(written(changed(fax, Caller("x\r\nBcc: y", "\ud800")), plain=True))
    assert mail["Subject"] == "Fax"
    assert attached(mail) == ("image/tiff", "fax.tif", PAGES)
    assert "unknown, 3 pages" in text_of(mail)


def test_other_messages_are_left_to_others(fax: VoiceMessage) -> None:
    voice = replace(fax, facts=FACTS)
    assert (written(voice), written(voice, plain=True)) == (b"voice", b"plain voice")


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_no_caller_and_no_machine_breaks_it(
    fax: VoiceMessage, number: str, name: str, station: str, text: str
) -> None:
    hostile = changed(fax, Caller(number, printable(name)), station=station, text=text)
    mail = parsed(written(hostile))
    assert mail["Message-Context"] == "fax-message"
    assert mail["Bcc"] is None
    assert attached(mail)[2] == PDF


def test_it_lies_once_among_the_mails_of_its_owner(fax: VoiceMessage, tmp_path: Path) -> None:
    async def story() -> None:
        courier = MaildirCourier(tmp_path, WRITE)
        for _ in range(2):
            await courier.deliver(fax, ANNA)
        assert await courier.has(fax, ANNA)
        store = MaildirMailboxes(tmp_path, signing_keys=[KEY])
        async with store.open(ANNA) as mailbox:
            [stored] = await mailbox.messages(MessageKind.FAX, new=True)
            assert (stored.kind, stored.genuine) == (MessageKind.FAX, True)
            assert not await mailbox.messages(MessageKind.VOICE, new=True)
            counts = await mailbox.counts()
            assert (counts.new_fax, counts.new_voice) == (1, 0)

    asyncio.run(story())
