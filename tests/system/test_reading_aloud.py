"""A caller hears e-mails and faxes that lie on a mail server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import faxes
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.patience import AT_MOST
from tests.system.callers import Caller
from tests.system.test_imap_calls import in_folder, remove_all
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import NewWorld
from vm_ari.adapters.ear import read
from vm_ari.adapters.fax_mails import FaxMails
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.adapters.speech_synthesis import Synthesis, VoiceSettings
from vm_ari.adapters.telephone_voice import TelephoneVoice
from vm_ari.demo.people import Person
from vm_ari.demo.world import World
from vm_ari.domain.messages import MessageKind
from vm_ari.services.mail_clips import SpokenClip
from vm_ari.services.reading import Readings

CONFIGURATION = """
[store]
kind = "imap"
[imap]
server = "{url}"
plaintext = true
account = "{account}"
password = "{password}"
[speech]
engine = "auto"
cache = "{cache}"
[[inbox.rules]]
header = "Subject"
pattern = "Fax von *"
kind = "fax"
"""
HTML = """<p>Guten Morgen Anna,<br>die <b>Besprechung</b> ist heute erst um drei.</p>
<p>Mehr unter https://www.example.org/plan?id=4711&amp;u=1</p>
<div class="gmail_quote">Am Mo., 2. März 2026 um 10:00 Uhr schrieb Anna:<br>
<blockquote type="cite">Wann treffen wir uns, und wo?<br>-- <br>Anna, Muster GmbH</blockquote></div>
"""
SAID = (
    "Jörg Müller Besprechung Guten Morgen Anna, die Besprechung ist heute erst um drei. "
    "Mehr unter Link zu example Punkt org. Der Rest zitiert eine frühere Nachricht. "
    "Mit einem Anhang: Plan.pdf."
)
ENGLISH = "Good morning Anna, the meeting has been moved to Thursday."
LANGUAGES = ("de", "en", "fr")
FAX = ("Sehr geehrte Frau Schneider,", "", "bitte rufen Sie uns heute noch an.")


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "clara") as running:
        yield running


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speech")


@pytest.fixture(scope="module")
def world(new_world: NewWorld, server: Dovecot, cache: Path) -> Iterator[World]:
    """Its users' messages are on the mail server."""
    settings = CONFIGURATION.format(
        url=server.url, account=ADMIN, password=ADMIN_PASSWORD, cache=cache
    )
    shared = new_world(settings=settings)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


def letter(subject: str, text: str, minute: int) -> EmailMessage:
    """One mail; later ones have a higher *minute*."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Jörg Müller <joerg@example.org>", subject
    mail["Date"] = f"Tue, 3 Mar 2026 10:{minute:02}:00 +0100"
    mail.set_content(text)
    return mail


def page_of_the_web() -> EmailMessage:
    """As most mails are: HTML, a link, a signature, a quote, and a file."""
    mail = letter("Besprechung", "", 3)
    mail.set_content(HTML, subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="Plan.pdf")
    return mail


def fax() -> EmailMessage:
    """By a gateway that only says so in the subject."""
    mail = letter("Fax von Muster GmbH", "See the attachment.", 1)
    content = faxes.tiff([faxes.page(FAX)])
    mail.add_attachment(content, maintype="image", subtype="tiff", filename="fax.tif")
    return mail


def put(server: Dovecot, user: str, *mails: EmailMessage) -> None:
    """They are all that lies in the user's INBOX."""
    remove_all(server, user)
    with server.mail_program(user) as client:
        for mail in mails:
            client.append("INBOX", mail.as_bytes())


@pytest.fixture
def expected(cache: Path, tmp_path: Path) -> Callable[[EmailMessage], Awaitable[list[SpokenClip]]]:
    """What Anna should hear of a mail: sender, subject, content."""
    voice = TelephoneVoice(Synthesis(cache, VoiceSettings("auto")))
    readings = Readings(MailReader(patience=60), FaxMails(FaxText(LANGUAGES)), voice, LANGUAGES)

    async def clips(mail: EmailMessage) -> list[SpokenClip]:
        path = tmp_path / "mail"
        path.write_bytes(mail.as_bytes())
        kind = MessageKind.FAX if str(mail["Subject"]).startswith("Fax") else MessageKind.MAIL
        return [clip async for clip in readings.clips(path, kind, "de")]

    return clips


async def hears_voice(caller: Caller, *clips: SpokenClip) -> None:
    for clip in clips:
        await caller.hears_audio(read(clip.sound.with_suffix(".wav")))


def said(clips: list[SpokenClip], language: str) -> str:
    """All that a voice says."""
    return " ".join(c.utterance.text for c in clips if c.utterance.language == language)


@pytest.mark.feature("INBOX-03", "INBOX-10")
@pytest.mark.feature_part("INBOX-01", "the user picks new e-mails, fax included")
@pytest.mark.feature_part("INBOX-02", "what was read is marked so on the mail server")
def test_mails_and_a_fax_are_read_to_a_caller(
    world: World,
    server: Dovecot,
    expected: Callable[[EmailMessage], Awaitable[list[SpokenClip]]],
) -> None:
    mails = (page_of_the_web(), letter("Meeting", ENGLISH, 2), fax())
    put(server, "anna", *mails)

    async def story() -> None:
        page, english, pages = [await expected(mail) for mail in mails]
        assert said(page, "de") == SAID
        assert said(english[2:], "en") == ENGLISH
        assert said(pages[2:], "de").startswith("Seite 1 von 1. Sehr geehrte Frau Schneider")
        async with logged_in(world, world.anna, "3") as caller:
            await caller.hears("message-number", "digits/1", "kind/mail", "from-name")
            await hears_voice(caller, page[0])
            await caller.hears("subject")
            await hears_voice(caller, *page[1:])
            await caller.presses("6")
            await caller.hears("kind/mail")
            await caller.presses("#")
            await hears_voice(caller, *english[2:])
            await caller.presses("6")
            await caller.hears("kind/fax")
            await caller.presses("#")
            await hears_voice(caller, *pages[2:])
            await caller.hears("to-repeat")
            flags = [found.flags for found in await asyncio.to_thread(in_folder, server, "anna")]
            assert len(flags) == 3
            assert all("\\Seen" in one for one in flags)
        await is_empty(world.spool / "listening")
        await without_faxes(world, server)

    asyncio.run(story())


async def is_empty(directory: Path) -> None:
    """Nothing of a call is left."""
    async with asyncio.timeout(AT_MOST):
        while list(directory.iterdir()):
            await asyncio.sleep(0.1)


async def without_faxes(world: World, server: Dovecot) -> None:
    """Somebody who does not want to hear any."""
    clara = Person("Clara", "150", "de", settings={"read_faxes": False})
    await world.add(clara)
    await asyncio.to_thread(put, server, "clara", fax(), letter("Meeting", ENGLISH, 2))
    async with logged_in(world, clara) as caller:
        await caller.hears("you-have", "new-voice-message/none", "and", "new-other-message/one")
        await caller.hears("for-new-mails")
        await caller.presses("3")
        await caller.hears("kind/mail")
