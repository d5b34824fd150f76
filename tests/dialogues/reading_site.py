"""A user whose mails and faxes are read to her."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.dialogues.exchange import ANNA, START, Exchange
from tests.fake_voice import FakeFaxes, FakeVoice, StepsReader
from tests.phone import Told
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.services.reading import Readings

LANGUAGES = ("en", "de", "fr")
GERMAN = "Guten Morgen Anna, die Besprechung ist heute erst um drei. Viele Grüße"


def stored(
    uid: str, kind: MessageKind = MessageKind.MAIL, *, minutes_ago: int = 10, **more: Any
) -> StoredMessage:
    """As a list shows it."""
    return StoredMessage(
        uid=uid,
        kind=kind,
        received=START - timedelta(minutes=minutes_ago),
        caller=Caller(name="Carla Weber"),
        **more,
    )


def written(text: str, *, subject: str = "Lunch", sender: str = "Carla Weber") -> bytes:
    """A mail."""
    return (
        f"From: {sender} <carla@example.org>\r\nSubject: {subject}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


def put(
    site: Exchange, uid: str, text: str = "At noon?", user: User = ANNA, **more: Any
) -> StoredMessage:
    """A mail lies in the user's mailbox."""
    one = stored(uid, **more)
    site.mailboxes.put(user, one, mail=written(text))
    return one


def site_of(
    voice: FakeVoice | None = None, faxes: FakeFaxes | None = None, **rules: Any
) -> Exchange:
    """A site that reads aloud."""
    site = Exchange(rules=Rules(**rules))
    readings = Readings(StepsReader(), faxes or FakeFaxes(), voice or FakeVoice(), LANGUAGES)
    site.desk = replace(site.desk, readings=readings)
    return site


def heard(told: Told) -> list[str]:
    """What was read aloud, in order, without its language."""
    names = told.phone.heard_names()
    return [name.split("/", 3)[3] for name in names if name.startswith("/spoken/")]
