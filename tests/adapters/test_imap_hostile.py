"""Mail that anybody may have sent: listed, skipped, and never in the way of the next message."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.imap_store import deliver, imap_store, in_box
from tests.adapters.mailbox_contract import message
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import imap_proxy
from tests.patience import AT_MOST
from tests.recordings import spoken, wav
from vm_ari.adapters.imap.mailbox import ImapMailbox
from vm_ari.adapters.session_files import NoPlayableAudio
from vm_ari.domain.messages import Counts, MessageKind, VoiceMessage
from vm_ari.ports import MessageGone


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot("anna") as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    running.empty("anna")
    return running


@pytest.fixture
def voice(tmp_path: Path) -> VoiceMessage:
    return message(tmp_path / "recording.wav")


def attached(audio: bytes, *, kind: str = "audio/x-wav", encoding: str = "base64") -> bytes:
    body = base64.encodebytes(audio).replace(b"\n", b"\r\n") if encoding == "base64" else audio
    return (
        b"From: Eve <eve@example.org>\r\nMessage-Context: voice-message\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHi.\r\n--b\r\n'
        + f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
        + body
        + b"\r\n--b--\r\n"
    )


def test_a_long_recording_is_fetched_in_pieces(server: Dovecot) -> None:
    said = wav(spoken(90.0))
    with server.mail_program("anna") as client:
        client.append("INBOX", attached(said))

    async def story(box: ImapMailbox) -> bytes:
        [one] = await box.messages(MessageKind.VOICE, new=True)
        return (await box.audio(one.uid)).read_bytes()

    with imap_proxy(server.port) as proxy:
        heard = in_box(imap_store(server, url=proxy.url), story)
        fetched = [c for c in proxy.plan.commands if b"BODY.PEEK[2]<" in c]
        assert not [c for c in proxy.plan.commands if b"BODY[" in c or b"BODY.PEEK[]" in c]
    assert len(fetched) == 8
    assert heard[-10_000:] == said[-10_000:]


def bomb(depth: int) -> bytes:
    inner = b"Content-Type: text/plain\r\n\r\nhi\r\n"
    for level in range(depth):
        mark = f"m{level}".encode()
        inner = (
            b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark + b"\r\n"
            + inner + b"\r\n--" + mark + b"--\r\n"
        )  # fmt: skip
    return b"Message-Context: voice-message\r\n" + inner


HOSTILE = {
    "nothing": b"Message-Context: voice-message\r\n\r\nno audio\r\n",
    "no-audio-at-all": attached(b"this is no sound" * 100),
    "empty": attached(b""),
    "broken-base64": attached(b"!!!!\r\n=====", encoding="base64x"),
    "nested-30": bomb(30),
    "nested-900": bomb(900),
    "huge-subject": b"Message-Context: voice-message\r\nSubject: "
    + b"=?utf-8?q?a?= " * 20_000
    + b"\r\n\r\nx",
    "long-from": b"Message-Context: voice-message\r\nFrom: " + b"(" * 200_000 + b"\r\n\r\nx",
    "odd-bytes": b"Message-Context: voice-message\r\nFrom: \xff\xfe\x80 <a@b>\r\n\r\n\xff\xfe",
    "many-parts": b"Message-Context: voice-message\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    b"\r\n" + b"--b\r\n\r\nx\r\n" * 5_000 + b"--b--\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_listed_and_has_no_audio_and_the_next_one_is_heard(
    server: Dovecot, voice: VoiceMessage, name: str
) -> None:
    with server.mail_program("anna") as client:
        client.append("INBOX", HOSTILE[name])
    deliver(imap_store(server), voice)

    async def story(box: ImapMailbox) -> None:
        began = time.monotonic()
        assert await box.counts() == Counts(new_voice=2)
        listed = await box.messages(MessageKind.VOICE, new=True)
        for one in listed:
            if one.caller.number:
                assert (await box.audio(one.uid)).exists()
                continue
            with pytest.raises((NoPlayableAudio, MessageGone)):
                await box.audio(one.uid)
            await box.mark(one.uid, new=False)
        assert await box.counts() == Counts(new_voice=1, heard_voice=1)
        assert time.monotonic() - began < AT_MOST

    in_box(imap_store(server), story)


@pytest.mark.parametrize("answer", [b"(" * 3000 + b")" * 3000, b'("AUDIO" {99999999', b"\\"])
def test_a_structure_that_breaks_the_parser_is_a_message_without_audio(
    server: Dovecot, voice: VoiceMessage, answer: bytes
) -> None:
    deliver(imap_store(server), voice)

    async def story(box: ImapMailbox) -> None:
        [one] = await box.messages(MessageKind.VOICE, new=True)
        with pytest.raises(NoPlayableAudio):
            await box.audio(one.uid)
        proxy.plan.rewrite = None
        assert (await box.audio(one.uid)).exists()

    with imap_proxy(server.port) as proxy:
        proxy.plan.rewrite = lambda data: re.sub(
            rb"BODYSTRUCTURE \(.*\)\r\n", lambda _: b"BODYSTRUCTURE " + answer + b")\r\n", data
        )
        in_box(imap_store(server, url=proxy.url), story)
