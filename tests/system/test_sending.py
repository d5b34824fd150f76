"""Messages are forwarded, answered and sent by telephone, and arrive where they should."""

import asyncio
import email.policy
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from io import BytesIO

import numpy as np
import pytest
import soundfile

from tests import faxes
from tests.adapters.smtp_server import Postbox, mail_server
from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, assert_kept, babble, calling, digits, new_number
from tests.system.mails import Mail, arrived, mails, on_their_way
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.ear import Audio, read
from vm_ari.adapters.softphone import Softphone
from vm_ari.adapters.speech_synthesis import Synthesis
from vm_ari.adapters.telephone_voice import TelephoneVoice
from vm_ari.demo.world import Person, World

SETTINGS = """
[mail.smtp]
host = "127.0.0.1"
port = {}
security = "none"
[sending]
voice_address = "$(phonenumber)@$(addrtype).example.org"
fax_address = "$(phonenumber)@$(addrtype).example.org"
[[sending.lists]]
number = "77"
name = "Everybody"
members = ["101", "103"]
"""
LETTER = b"""From: Carla <carla@demo.example>
Subject: Hello
Date: Wed, 4 Mar 2020 10:00:00 +0100

This is no voice message.
"""
AS_FAX = "103012345678#11"
"""A number, as fax, confirmed."""
PAGE = faxes.tiff([faxes.page(("Hello Ben,", "this is a fax."))])
WEBER = Person("Weber", "103", "en")


@pytest.fixture(scope="module")
def smtp_port() -> int:
    """Where mails for outside go."""
    return free_port()


@pytest.fixture(scope="module")
def office(new_world: NewWorld, smtp_port: int) -> Iterator[World]:
    """Anna (101), Ben (102), who speaks English, Weber (103), a list, and a way out."""
    shared = new_world(settings=SETTINGS.format(smtp_port))
    asyncio.run(shared.__aenter__())
    asyncio.run(shared.add(WEBER))
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


@pytest.fixture
def world(office: World) -> World:
    """The same, and nobody has a message."""
    for person in (*office.people, WEBER):
        shutil.rmtree(office.mail_directory(person), ignore_errors=True)
    return office


async def speaks(caller: Caller, words: Audio, end: str = "#1") -> None:
    """Behind the tone; the invitation is skipped."""
    await caller.hears(BEEP)
    await caller.speaks(words)
    await caller.presses(end)


@pytest.mark.feature("INBOX-13")
@pytest.mark.feature("INBOX-07", "INBOX-08")
@pytest.mark.feature_part("INBOX-04", "reply and forward")
def test_what_is_sent_to_colleagues_is_in_their_mailboxes(world: World) -> None:
    anna, ben = world.anna, world.ben
    said, comment, to_all, by_name, answer = (babble(2.2, seed) for seed in range(5))

    async def forwards(caller: Caller) -> None:
        await caller.hears_audio(said)
        await caller.hears("to-repeat")
        await caller.presses(f"81{WEBER.extension}##3#")
        await speaks(caller, comment)
        await caller.hears("sent-to")

    async def sends(caller: Caller) -> None:
        await caller.presses("*9177###")
        await speaks(caller, to_all)
        await caller.hears("sent-to", "the-list")
        await caller.hears_audio(await spoken(world, "Everybody"))
        await caller.presses("922662#")  # Anna
        await caller.hears("press", "digits/1")
        await caller.presses("1##")
        await speaks(caller, by_name)
        await caller.hears("sent-to")

    async def story() -> None:
        async with world.phone_of(anna) as phone:
            await leave(world, phone, said, anna.extension)
        await arrived(world, ben)
        async with logged_in(world, ben, "1#") as caller:
            await forwards(caller)
            await sends(caller)
            await caller.presses("2##3#")
            await caller.hears(BEEP)
            await caller.speaks(answer)
            await caller.hangs_up()
        await asyncio.gather(arrived(world, WEBER, 2), arrived(world, anna, 3))

    asyncio.run(story())
    for person, heard in ((WEBER, [comment, to_all]), (anna, [to_all, by_name, answer])):
        for words, mail in zip(heard, in_order(world, person), strict=True):
            assert_kept(words, mail.audio)
            assert (mail.caller, mail.new) == (ben.number, True)
    forwarded, *_ = in_order(world, WEBER)
    assert_kept(said, forwarded.audio)
    assert_kept(comment, forwarded.audio)
    *_, reply = in_order(world, anna)
    [original] = mails(world, ben)
    assert reply["In-Reply-To"] == original["Message-ID"]


@pytest.mark.feature("INBOX-07", "INBOX-08")
def test_what_is_sent_outside_goes_to_the_mail_server(world: World, smtp_port: int) -> None:
    ben, postbox = world.ben, Postbox()
    said, by_mail, by_gateway = (babble(2.2, seed) for seed in range(5, 8))
    number = new_number()

    async def reads(caller: Caller) -> None:
        await caller.hears("message-number", "digits/1", "kind/mail")
        await caller.presses("###")  # to the end of date, heading and text
        await caller.hears("to-repeat")
        await caller.presses("3#")
        await speaks(caller, by_mail)
        await caller.hears("message-sent")
        await caller.presses(f"8{AS_FAX}177##1")
        await caller.hears("sent-to")
        await caller.presses("6")
        await caller.hears("kind/fax")
        await caller.presses("###")
        await caller.hears("to-repeat")
        await caller.presses(f"8{AS_FAX}#1")
        await caller.hears("sent-to")

    async def answers_a_caller(caller: Caller) -> None:
        await caller.presses("*1##3")
        await caller.hears("message-goes-to", "the-number", *digits(number))
        await caller.presses("1#")
        await speaks(caller, by_gateway)
        await caller.hears("message-sent")

    async def story() -> None:
        put(world, ben, fax())
        put(world, ben, LETTER)
        async with (
            mail_server(postbox, at=smtp_port),
            world.outside_phone() as phone,
            logged_in(world, ben, "3") as caller,
        ):
            await asyncio.gather(leave(world, phone, said, number), reads(caller))
            await answers_a_caller(caller)
            async with asyncio.timeout(AT_MOST):
                while len(postbox.mails) < 4 or on_their_way(world):
                    await asyncio.sleep(0.1)

    asyncio.run(story())
    sent = [(to, parsed(content)) for _, [to], content in postbox.mails]
    [answer] = [mail for to, mail in sent if to == "carla@demo.example"]
    [answer_by_gateway] = [mail for to, mail in sent if to == f"{number}@voice.example.org"]
    as_fax = [mail for to, mail in sent if to == "+493012345678@fax.example.org"]
    assert_kept(by_mail, audio_in(answer))
    assert_kept(by_gateway, audio_in(answer_by_gateway))
    [of_mail] = [mail for mail in as_fax if "This is no voice message." in texts_in(mail)]
    [of_fax] = [mail for mail in as_fax if mail is not of_mail]
    [page] = [
        part.get_content() for part in of_fax.walk() if part.get_content_maintype() == "image"
    ]
    assert page == PAGE
    for person in (WEBER, world.anna):
        [forwarded] = [mail for mail in mails(world, person) if "Hello" in mail["Subject"]]
        assert "This is no voice message." in texts_in(forwarded.message)


def fax() -> bytes:
    """A mail that a fax gateway has made, long ago."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Fax <fax@demo.example>", "A fax"
    mail["Date"], mail["Message-Context"] = "Tue, 3 Mar 2020 10:00:00 +0100", "fax-message"
    mail.set_content("See the attachment.")
    mail.add_attachment(PAGE, maintype="image", subtype="tiff", filename="fax.tif")
    return mail.as_bytes()


def put(world: World, person: Person, mail: bytes) -> None:
    """As a mail server does."""
    folder, name = world.mail_directory(person), f"{len(mail)}.host"
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "tmp" / name).write_bytes(mail)
    (folder / "tmp" / name).rename(folder / "new" / name)


async def spoken(world: World, text: str) -> Audio:
    """As the machine says it on the telephone."""
    voice = TelephoneVoice(Synthesis(world.directory / "speech"))
    return read((await voice.spoken(text, "en")).with_suffix(".wav"))


def in_order(world: World, person: Person) -> list[Mail]:
    """As they were sent."""
    return sorted(mails(world, person), key=lambda mail: parsedate_to_datetime(mail["Date"]))


async def leave(world: World, phone: Softphone, words: Audio, number: str) -> None:
    """A message for Ben."""
    async with calling(phone, world.ben.number, "en", number=number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(words)


def parsed(content: bytes) -> EmailMessage:
    """A mail as its recipient reads it."""
    mail = BytesParser(policy=email.policy.default).parsebytes(content)
    assert isinstance(mail, EmailMessage)
    return mail


def texts_in(mail: EmailMessage) -> str:
    """All of them, also those of a mail in it."""
    parts = (part for part in mail.walk() if part.get_content_maintype() == "text")
    return "".join(str(part.get_content()) for part in parts)


def audio_in(mail: EmailMessage) -> Audio:
    """The recording, 8 kHz."""
    [part] = [part for part in mail.walk() if part.get_content_maintype() == "audio"]
    content = part.get_content()
    assert isinstance(content, bytes)
    samples, rate = soundfile.read(BytesIO(content), dtype="float32")
    assert rate == 8000
    return np.asarray(samples, np.float32)
