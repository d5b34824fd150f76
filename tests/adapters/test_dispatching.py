"""What users send goes to whom it is for, each once, and nobody stops the others."""

import asyncio
from email.message import EmailMessage
from pathlib import Path

import pytest
import soundfile

from tests.adapters.sample_mail import text_of
from tests.adapters.sending_house import ANNA, BERT, CARLA, House, at
from tests.adapters.smtp_server import Postbox
from tests.patience import AT_MOST
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.sending import Colleague, Correspondent, Errand, Line, Telephone

TO_BERT, TO_CARLA, GHOST = Colleague("bert"), Colleague("carla"), Colleague("ghost")
DORA = Correspondent("dora@elsewhere.example")
JOERG = Caller("+49891234567", "Jörg <b>")
LETTER = (
    b"From: Dora <dora@elsewhere.example>\r\nTo: anna@example.org\r\n"
    b"Subject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\r\nMessage-ID: <first@elsewhere.example>\r\n"
    b"References: <zero@elsewhere.example>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n"
    b"Return-Path: <dora@elsewhere.example>\r\nContent-Type: text/plain\r\n\r\nHello Anna\r\n"
)


def attached(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.iter_attachments()]


@pytest.mark.feature_part("INBOX-13", "a message for several people reaches each of them once")
def test_a_new_message_reaches_everybody_once_and_says_who_has_sent_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.send(TO_BERT, TO_CARLA, DORA, TO_BERT)
        for user in (BERT, CARLA):
            async with house.listening(user) as (inbox, [message]):
                assert message.caller == Caller("+4930555101", "Anna Berg")
                assert message.genuine
                info = soundfile.info(await inbox.audio(message))
                assert info.duration == pytest.approx(3, abs=0.05)
        [(to, mail)] = house.outside()
        assert (to, mail["Reply-To"]) == ("dora@elsewhere.example", "anna@example.org")
        assert mail["From"] == '"Anna Berg (101)" <voicemail@example.org>'
        assert attached(mail) == ["audio/x-wav"]
        assert not [name for name in mail if name.lower().startswith("x-vm-ari")]
        ids = {m["Message-ID"] for m in (*house.mails_of(BERT), *house.mails_of(CARLA), mail)}
        assert len(ids) == 3
        assert len(house.lies("done")) == 4

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-13", "the sender is told what could not be sent")
def test_who_cannot_be_reached_stops_nobody_and_the_sender_is_told_once(tmp_path: Path) -> None:
    box = Postbox(answers={"dora@elsewhere.example": "550 no such user"})

    async def story(house: House) -> None:
        await house.send(GHOST, DORA, TO_BERT)
        assert len(house.mails_of(BERT)) == 1
        told = sorted(str(mail["Subject"]) for mail in await house.told())
        assert told == [
            "Not delivered: message to dora@elsewhere.example",
            "Not delivered: message to ghost",
        ]
        [about_dora] = [mail for mail in await house.told() if "dora" in mail["Subject"]]
        assert "550 no such user" in text_of(about_dora)
        held = house.lies("hold")
        assert len(held) == 2
        await house.spool.release(held[0])
        await house.settled()
        assert len(await house.told()) == 2
        assert len(house.mails_of(BERT)) == 1

    at(tmp_path, story, postbox=box)


def test_nobody_is_put_aside_before_the_sender_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        queue = house.config.spool.directory / "system-mails"
        queue.write_text("in the way")
        sending = asyncio.create_task(house.send(GHOST))
        async with asyncio.timeout(AT_MOST):
            while not any(tries.failed > 1 for _, tries in house.outbox.waiting()):
                await asyncio.sleep(0.01)
        assert house.lies("hold") == []
        queue.unlink()
        await sending
        assert len(house.lies("hold")) == len(await house.told()) == 1

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-08", "comment and message in one recording")
def test_a_voice_message_is_forwarded_with_a_comment_as_one_recording(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave(ANNA, JOERG, 4.0)
        await house.about(Errand.FORWARD, TO_BERT)
        [mail] = house.mails_of(BERT)
        assert mail["Subject"].startswith("Fwd: Voice message from Jörg <b> (+49 89 1234567), ")
        assert attached(mail) == ["audio/x-wav"]
        async with house.listening(BERT) as (inbox, [message]):
            assert message.caller.name == "Anna Berg"
            info = soundfile.info(await inbox.audio(message))
            assert info.duration == pytest.approx(2.5 + 0.4 + 0.25 + 0.4 + 4.0, abs=0.05)
            assert message.seconds == pytest.approx(info.duration, abs=0.1)

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-08", "or as two attachments")
def test_or_as_two_attachments(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave(ANNA, JOERG, 4.0)
        await house.about(Errand.FORWARD, TO_BERT, DORA)
        [(_, outside)] = house.outside()
        for mail in (*house.mails_of(BERT), outside):
            assert attached(mail) == ["audio/x-wav", "audio/x-wav"]

    at(tmp_path, story, 'forward_as = "two-attachments"')


def test_a_voice_message_is_forwarded_without_a_word(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave(ANNA, JOERG, 4.0)
        await house.about(Errand.FORWARD, TO_BERT, words=False)
        async with house.listening(BERT) as (inbox, [message]):
            info = soundfile.info(await inbox.audio(message))
            assert info.duration == pytest.approx(4.0, abs=0.05)

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-08", "an e-mail as it was")
@pytest.mark.parametrize("words", [True, False])
def test_a_mail_is_forwarded_as_it_was(tmp_path: Path, words: bool) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, LETTER)
        await house.about(Errand.FORWARD, TO_BERT, DORA, kind=MessageKind.MAIL, words=words)
        [(_, outside)] = house.outside()
        for mail in (*house.mails_of(BERT), outside):
            assert mail["Subject"] == "Fwd: Angebot für Sie"
            *spoken, original = mail.iter_attachments()
            assert [part.get_content_maintype() for part in spoken] == ["audio"] * words
            assert original.get_content().as_bytes().replace(b"\n", b"\r\n") == LETTER
        async with house.inboxes.open(BERT) as inbox:
            kind = MessageKind.VOICE if words else MessageKind.MAIL
            assert len(await inbox.mailbox.messages(kind, new=True)) == 1

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-07", "an e-mail is answered by voice")
def test_a_mail_is_answered_by_voice(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, LETTER)
        assert await house.answer_to(MessageKind.MAIL) == DORA
        await house.about(Errand.REPLY, DORA, kind=MessageKind.MAIL)
        [(_, mail)] = house.outside()
        assert mail["Subject"] == "Re: Angebot für Sie"
        assert mail["In-Reply-To"] == "<first@elsewhere.example>"
        assert mail["References"].split() == ["<zero@elsewhere.example>", mail["In-Reply-To"]]
        assert attached(mail) == ["audio/x-wav"]

    at(tmp_path, story)


@pytest.mark.feature_part("INBOX-08", "an e-mail as a fax")
def test_a_fax_machine_gets_the_text_and_no_words(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ANNA, LETTER)
        fax = Telephone("+493012345678", Line.FAX)
        await house.about(Errand.FORWARD, fax, kind=MessageKind.MAIL)
        [(to, mail)] = house.outside()
        assert to == "+493012345678@fax.example.org"
        [document] = mail.iter_attachments()
        assert document.get_content_type() == "text/plain"
        assert "Subject: Angebot für Sie\n\nHello Anna" in document.get_content()

    at(tmp_path, story)


@pytest.mark.feature("MAIL-06")
def test_telephone_numbers_are_mail_addresses_by_template(tmp_path: Path) -> None:
    """There and back: a message for a number, and the number of who has sent a fax."""
    fax = LETTER.replace(b"dora@elsewhere.example", b"493012345678@fax.example.org")

    async def story(house: House) -> None:
        number = Telephone("+493012345678", Line.VOICE)
        await house.leave(ANNA, Caller(number.number))
        assert await house.answer_to(MessageKind.VOICE) == number
        await house.about(Errand.REPLY, number)
        [(to, mail)] = house.outside()
        assert to == "493012345678@voice.example.org"
        assert attached(mail) == ["audio/x-wav"]
        house.receive(ANNA, b"Message-Context: fax-message\r\n" + fax)
        assert await house.answer_to(MessageKind.FAX) == number
        await house.about(Errand.FORWARD, Telephone(number.number, Line.FAX), kind=MessageKind.FAX)
        assert [to for to, _ in house.outside()][1:] == ["493012345678@fax.example.org"]

    at(tmp_path, story, 'number_form = "digits"')


def test_a_number_that_may_not_be_dialled_any_more_gets_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.send(Telephone("+493012345678", Line.VOICE))
        assert house.outside() == []
        [told] = await house.told()
        assert "may not be dialled: the rule “deny +4930” forbids it" in text_of(told)

    at(tmp_path, story, 'rules = ["deny +4930"]')


def test_a_whole_that_was_divided_before_a_crash_is_not_sent_twice(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.send(TO_BERT, DORA)
        done = house.config.spool.directory / "done"
        [whole] = [path for path in done.iterdir() if (path / "take-1.wav").is_file()]
        whole.rename(done.parent / "new" / whole.name)  # as if its end had never been written
        await house.settled()
        assert len(house.mails_of(BERT)) == 1
        assert len(house.outside()) == 1

    at(tmp_path, story)
