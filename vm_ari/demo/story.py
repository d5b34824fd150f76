"""The demo call: a message is left, mailed, announced, heard and deleted, over real SIP and RTP."""

import asyncio
import email.policy
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from io import BytesIO

import numpy as np
import soundfile

from vm_ari.adapters.ear import Audio, Bank, read, wait_for
from vm_ari.adapters.softphone.call import OutgoingCall
from vm_ari.config import shared_files
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.world import Person, Report, World

CALLER_NUMBER, CALLER_NAME = "+493098765432", "Carla Weber"
SPOKEN = "demo/caller-1"


class DemoFailed(Exception):
    """Something did not happen that should have; the text says what."""


def _bank(language: str) -> Bank:
    sounds = shared_files() / "sounds"
    files = [*sounds.glob(f"{language}/**/*.wav"), *sounds.glob("tones/*.wav")]
    return Bank.of_files(sorted(files), under=sounds)


class Listener:
    """Follows what a caller hears, prompt by prompt."""

    def __init__(self, call: OutgoingCall, bank: Bank, language: str) -> None:
        self._call = call
        self._bank = bank
        self._language = language
        self._heard_until = 0.0

    async def hears(self, *prompts: str, within: float = 60.0) -> None:
        """Wait for these prompts, one after the other."""
        for prompt in prompts:
            name = prompt if prompt.startswith("tones/") else f"{self._language}/{prompt}"
            hit = await wait_for(
                self._call, self._bank, name, after=self._heard_until, within=within
            )
            self._heard_until = hit.end

    async def hears_audio(self, audio: Audio, within: float = 60.0) -> None:
        """Wait for a recording."""
        bank = Bank({"recording": audio})
        hit = await wait_for(self._call, bank, "recording", after=self._heard_until, within=within)
        self._heard_until = hit.end


async def tell(world: World, report: Report) -> str:
    """Play the whole story; returns the last line. Raises `DemoFailed`."""
    started = time.monotonic()
    try:
        seconds = await _story(world, report)
    except TimeoutError as error:
        raise DemoFailed(str(error) or "something took too long") from error
    took = time.monotonic() - started
    return (
        f"demo ok: a message of {seconds:.1f} s was left, mailed, announced, heard and deleted "
        f"in {took:.0f} s"
    )


async def _story(world: World, report: Report) -> float:
    anna = world.anna
    bank = await asyncio.to_thread(_bank, anna.language)
    async with world.phone_of(anna) as phone:
        await phone.register()
        report(f"{anna.name}'s phone {anna.extension} is registered")
        await _show_servers(world, report)
        await _leave_message(world, bank, report)
        mail = await _new_mail(world, anna)
        audio = _show_mail(mail, report)
        await phone.lamp(new=1)
        report(f"the lamp of {anna.name}'s phone is on: 1 new message (SIP NOTIFY)")
        call = await phone.call("*98")
        await _inquire(call, bank, anna, audio, report)
        await phone.lamp(new=0)
        report("the lamp is off")
        await _show_what_is_left(world, report)
    return len(audio) / 8000


async def _leave_message(world: World, bank: Bank, report: Report) -> None:
    anna = world.anna
    async with world.outside_phone() as outside:
        call = await outside.call(
            anna.number, from_number=CALLER_NUMBER, from_name=CALLER_NAME, within=10
        )
        report(f"{CALLER_NAME} ({CALLER_NUMBER}) calls {anna.number} through the trunk")
        listener = Listener(call, bank, anna.language)
        digits = [f"digits/{digit}" for digit in anna.extension]
        await listener.hears("you-have-reached", *digits, "leave-a-message")
        waited = ((call.first_audio_at or 0) - call.invited_at) * 1000
        report(f"she hears the greeting, {waited:.0f} ms after her call was sent")
        await listener.hears("tones/beep")
        report("she hears the tone and speaks")
        await call.speak(read(shared_files() / "sounds" / anna.language / f"{SPOKEN}.wav"))
        await call.hang_up()
        report("she hangs up")


async def _inquire(
    call: OutgoingCall, bank: Bank, anna: Person, audio: Audio, report: Report
) -> None:
    listener = Listener(call, bank, anna.language)
    await listener.hears("enter-pin")
    report(f"{anna.name} dials *98 and is asked for her PIN")
    await call.press(f"{anna.pin}#")
    await listener.hears("you-have", "new-voice-message/one")
    report("“You have one new voice message.”")
    await call.press("1")
    await listener.hears("message-number")
    await listener.hears_audio(audio)
    report("she hears the message, exactly as it was spoken")
    await call.press("7")
    await listener.hears("message-deleted")
    report("she deletes it")
    await call.hang_up()


async def _show_servers(world: World, report: Report) -> None:
    """Where users and messages are, if they are on real servers."""
    anna = world.anna
    if isinstance(world.users, DirectoryServer):
        entry = await world.users.entry(anna)
        report(f"she is an entry of the directory server: {entry.splitlines()[0]}")
    if isinstance(world.store, MailServer):
        report(f"her mailbox is on the mail server: {world.store.look(anna)}")


async def _show_what_is_left(world: World, report: Report) -> None:
    """On the mail server: the deleted message, and the welcome mail that came by SMTP."""
    if not isinstance(world.store, MailServer):
        return
    [deleted] = await world.store.mails(world.anna, deleted=True)
    report(f"on the mail server it lies among the deleted ones: {_parsed(deleted)['Subject']}")
    mail = await _mail_where(world, world.anna, lambda mail: not _is_voice(mail))
    report(f"the mail of her first call has come by SMTP ({world.store.smtp}):")
    report(f"    Subject: {mail['Subject']}")


async def _new_mail(world: World, person: Person) -> EmailMessage:
    """Wait for a voice message in the person's mailbox."""
    return await _mail_where(world, person, _is_voice)


async def _mail_where(
    world: World, person: Person, fits: Callable[[EmailMessage], bool], within: float = 60.0
) -> EmailMessage:
    async with asyncio.timeout(within):
        while True:
            for raw in await world.store.mails(person):
                if fits(mail := _parsed(raw)):
                    return mail
            await asyncio.sleep(0.05)


def _is_voice(mail: EmailMessage) -> bool:
    return str(mail["Message-Context"]) == "voice-message"


def _parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


def _show_mail(mail: EmailMessage, report: Report) -> Audio:
    """Print what a mail client shows, and return the attached audio."""
    report("the message is in her mailbox, as a mail:")
    for header in ("From", "To", "Subject", "Date"):
        report(f"    {header}: {mail[header]}")
    for part in mail.iter_attachments():
        content = part.get_content()
        samples, rate = soundfile.read(BytesIO(content), dtype="float32")
        seconds = len(samples) / rate
        report(f"    attached: {part.get_filename()}, {seconds:.1f} s, {len(content):,} bytes")
        return np.asarray(samples, np.float32)
    raise DemoFailed("the mail has no attachment")
