"""Senders are called back, and messages played on telephones that we call: real phones."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
import soundfile

from tests.patience import AT_MOST, STORY
from tests.system.callers import Caller, babble, digits, new_number
from tests.system.mails import Mail, arrived, mails
from tests.system.test_remote_inquiry import leave, logged_in
from tests.system.transfer_site import ears, hears_tone, tone
from tests.system.worlds import somebody
from vm_ari.adapters.ear import RATE
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import Person, World


def forged(world: World, person: Person, number: str) -> None:
    """A mail that calls itself a voice message, from a number that somebody wishes to be called."""
    audio = io.BytesIO()
    soundfile.write(audio, babble(1.0, 9), RATE, format="WAV", subtype="PCM_16")
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "Voice mail <voicemail@demo.example>", "Voice message"
    mail["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=1))
    mail["Message-Context"], mail["X-CallingTelephoneNumber"] = "voice-message", number
    mail["X-VM-ARI-Caller"], mail["X-VM-ARI-Duration"] = number, "1.0"
    mail.add_attachment(audio.getvalue(), maintype="audio", subtype="x-wav", filename="voice.wav")
    folder = world.mail_directory(person)
    (folder / "tmp" / "forged").write_bytes(mail.as_bytes())
    (folder / "tmp" / "forged").rename(folder / "new" / "1774745970.M1P1.forged")


async def later(seconds: float, deed: Awaitable[None]) -> None:
    """The order of messages is that of whole seconds."""
    await asyncio.sleep(seconds)
    await deed


@asynccontextmanager
async def phone_of_ben(world: World) -> AsyncIterator[Softphone]:
    """On the desk, and registered."""
    async with world.phone_of(world.ben) as phone:
        await phone.register()
        yield phone


async def in_next_message(anna: Caller) -> None:
    """Over the heading and the content to what can be done with it."""
    await anna.presses("##")
    await anna.hears("to-repeat")


async def has_called(anna: Caller, extension: str) -> None:
    """She presses the key, hears the number, confirms it."""
    await anna.presses("5")
    await anna.hears("number-is", *digits(extension), "to-confirm")
    await anna.presses("1")
    await anna.hears("please-hold")


@pytest.mark.feature("INBOX-09", "MENU-01", "SITE-03")
@pytest.mark.feature_part("INBOX-04", "call back")
def test_a_sender_is_called_back_and_the_user_is_in_the_message_again(world: World) -> None:
    """A number of the trunk is not called, nor one that only a forged mail tells."""

    async def scenario() -> None:
        person = await somebody(world, "en")
        await asyncio.gather(
            leave(world, person, babble(2.2, 1), world.ben.number),
            later(1.5, leave(world, person, babble(2.2, 2), "+498912345678")),
        )
        await arrived(world, person, 2)
        forged(world, person, world.ben.number)
        async with phone_of_ben(world) as desk, logged_in(world, person, "1") as anna:
            await in_next_message(anna)
            await anna.presses("5")
            await anna.hears("number-not-allowed", "to-repeat")
            await anna.presses("6")
            await in_next_message(anna)

            await has_called(anna, "102")
            rings = await desk.next_call()
            assert f"<sip:{person.extension}@" in rings.request.get("from")
            rings.answer()
            await asyncio.gather(
                anna.speaks(tone(1000, 2)),
                rings.speak(tone(1700, 2)),
                hears_tone(rings, 1000),
                hears_tone(anna.call, 1700),
            )
            await rings.hang_up()
            await anna.hears("to-repeat")

            await has_called(anna, "102")
            (await desk.next_call()).reject(486)
            await anna.hears("destination-busy", "to-repeat")

            await has_called(anna, "102")
            rings = await desk.next_call()
            await anna.presses("*")
            await asyncio.wait_for(rings.ended.wait(), AT_MOST)
            await anna.hears("to-repeat")

            await anna.presses("6")
            await in_next_message(anna)
            await anna.presses("5")
            await anna.hears("key-not-used", "to-repeat")

    asyncio.run(asyncio.wait_for(scenario(), STORY))


# --- play on phone


async def command(world: World, *words: str) -> asyncio.subprocess.Process:
    """Start one."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vm_ari", "message", *words, "-c", str(world.config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )


async def ends(process: asyncio.subprocess.Process, code: int = 0) -> tuple[str, str]:
    """What it said on standard output and standard error."""
    output, errors = await process.communicate()
    assert process.returncode == code, errors.decode()
    return output.decode(), errors.decode()


def from_number(world: World, person: Person, number: str) -> Mail:
    """The message that came from there."""
    [found] = [mail for mail in mails(world, person) if mail.caller == number]
    return found


async def has_arrived(world: World, person: Person, number: str) -> str:
    """Its name, when it lies in that mailbox."""
    async with asyncio.timeout(AT_MOST):
        while number not in {mail.caller for mail in mails(world, person)}:
            await asyncio.sleep(0.1)
    return from_number(world, person, number).path.name.partition(":")[0]


@pytest.mark.feature_part("INBOX-14", "the system calls the user's phone and plays the message")
def test_a_message_is_played_on_a_telephone_that_we_call(world: World) -> None:
    async def scenario() -> None:
        ben, said, number = world.ben, babble(2.5, 3), new_number()
        other = await somebody(world, "en")
        await asyncio.gather(*(leave(world, one, said, number) for one in (ben, other)))
        asked = ("play", ben.extension, await has_arrived(world, ben, number))
        async with phone_of_ben(world) as desk:
            process = await command(world, *asked)
            rings = await desk.next_call(within=AT_MOST)
            rings.answer()
            await ears(rings).hears("message-call", "to-hear")
            await rings.hang_up()
            assert "nobody pressed the key" in (await ends(process, 1))[1]
            assert from_number(world, ben, number).new

            process = await command(world, *asked)
            rings = await desk.next_call(within=AT_MOST)
            rings.answer()
            listener = ears(rings)
            await listener.hears("message-call")
            await listener.presses("1")
            await listener.hears_audio(said[RATE // 2 : -RATE // 2])
            await listener.hears("to-repeat")
            await listener.presses("*")
            await listener.hears("goodbye")
            await listener.is_hung_up_on()
            assert "was heard" in (await ends(process))[1]
            assert not from_number(world, ben, number).new

            uid = await has_arrived(world, other, number)
            process = await command(world, "play", other.number, uid, "--phone", ben.extension)
            rings = await desk.next_call(within=AT_MOST)
            rings.answer()
            listener = ears(rings)
            await listener.hears("message-call")
            await listener.presses("1")
            await listener.hears("enter-pin")
            await listener.presses(f"{other.pin}##", ms=60)
            await listener.hears_audio(said[RATE // 2 : -RATE // 2])
            process.send_signal(2)
            await listener.is_hung_up_on()
            await process.communicate()
            assert process.returncode != 0

    asyncio.run(asyncio.wait_for(scenario(), STORY))
