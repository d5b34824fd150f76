"""Voice messages as they lie in mailboxes and at the SMTP server in the end."""

import email.policy
import json
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile

from tests.torture.book import Found
from vm_ari.adapters.ear import Audio

INBOX = "INBOX"


def in_mailbox(raw: bytes, place: str, *, deleted: bool, new: bool) -> Sequence[Found]:
    """The voice message in a mail, if it is one of ours."""
    mail = _parsed(raw)
    if str(mail["Message-Context"] or "") != "voice-message":
        return []
    caller, message_id = str(mail["X-VM-ARI-Caller"] or ""), str(mail["Message-ID"])
    return [Found(place, message_id, caller, _audio(mail), deleted, new)]


def taken_by_smtp(directory: Path) -> Sequence[Found]:
    """Mails with audio, by the number that the address of the recipient begins with."""
    found = []
    for path in sorted(directory.glob("*.json")):
        letter = json.loads(path.read_text())
        mail = _parsed(letter["mail"].encode("latin-1"))
        if _audio_parts(mail):
            place = letter["to"][0].partition("@")[0]
            found.append(Found(place, str(mail["Message-ID"]), "", _audio(mail)))
    return found


def _parsed(raw: bytes) -> EmailMessage:
    mail = BytesParser(policy=email.policy.default).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    return mail


def _audio_parts(mail: EmailMessage) -> list[EmailMessage]:
    return [
        part
        for part in mail.walk()
        if part.get_content_maintype() == "audio" and isinstance(part, EmailMessage)
    ]


def _audio(mail: EmailMessage) -> Audio:
    """All of it, one behind the other; 8 kHz."""
    pieces = [np.zeros(1, np.float32)]
    for part in _audio_parts(mail):
        samples, rate = soundfile.read(BytesIO(part.get_content()), dtype="float32")
        assert rate == 8000
        pieces.append(np.asarray(samples, np.float32))
    return np.concatenate(pieces)
