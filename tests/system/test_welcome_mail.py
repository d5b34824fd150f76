"""The first call to a mailbox, and the mail that it brings: on real Asterisk, store and server."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.adapters.smtp_server import PASSWORD, USER, Postbox, mail_server, rude_server
from tests.patience import AT_MOST
from tests.private_ca import PrivateCa
from tests.system.callers import BEEP, babble, calling, side_by_side
from tests.system.mails import Mail, mails
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.demo.world import Person, World
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.preferences import Access

SETTINGS = """
[mail]
system_sender = "office@demo.example"
system_sender_name = "The Office"
[welcome]
enabled = true
link = "portal"
address = "https://voicemail.demo.example/"
closing = { de = "Viel Freude damit!", en = "Have fun!" }
"""
WITHIN = AT_MOST


@pytest.fixture(scope="module")
def welcoming(new_world: NewWorld) -> Iterator[World]:
    """A world that sends welcome mails, with users of their own for each test."""
    one = new_world(settings=SETTINGS)
    asyncio.run(one.__aenter__())
    yield one
    asyncio.run(one.__aexit__(None, None, None))


@asynccontextmanager
async def directory_of(world: World) -> AsyncIterator[EmbeddedDirectory]:
    keys = KeyRing(world.directory / "keys")
    directory = EmbeddedDirectory(f"sqlite:///{world.directory / 'directory.db'}", keys)
    try:
        yield directory
    finally:
        await directory.close()


async def without_pin(world: World, language: str = "de", **settings: object) -> Person:
    person = await somebody(world, language, **settings)
    async with directory_of(world) as directory:
        await directory.set_pin(person.user.id, None)
    return person


async def call(world: World, person: Person) -> None:
    """Leave a short message."""
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, person.language) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(babble(2.5, 1))


async def until(true: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            while not true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited in vain: {what}") from None


def welcomes(world: World, person: Person) -> list[Mail]:
    return [mail for mail in mails(world, person) if not mail.caller and not mail["Content-Class"]]


def voices(world: World, person: Person) -> list[Mail]:
    return [mail for mail in mails(world, person) if mail["Content-Class"]]


async def called(world: World, person: Person) -> Mail:
    """The welcome mail of the first call."""
    await call(world, person)
    await until(lambda: bool(welcomes(world, person)), "the welcome mail")
    await until(lambda: bool(voices(world, person)), "the message")
    [mail] = welcomes(world, person)
    return mail


def pin_in(mail: Mail) -> str:
    [line] = [line for line in mail.text("plain").splitlines() if line.startswith("PIN: ")]
    return line.removeprefix("PIN: ")


def guide(mail: Mail) -> str:
    pages = PdfReader(BytesIO(mail.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.feature("WELCOME-01", "WELCOME-03")
@pytest.mark.feature("LANG-01")
def test_the_first_call_brings_a_mail_that_opens_the_mailbox(welcoming: World) -> None:
    world = welcoming

    async def german() -> str:
        person = await without_pin(world)
        mail = await called(world, person)
        pin = pin_in(mail)
        await _opens(world, replace(person, pin=pin))
        await call(world, person)
        await until(lambda: len(voices(world, person)) == 2, "the second message")
        assert len(welcomes(world, person)) == 1
        _says_everything(mail, person)
        return pin

    async def english() -> str:
        other = await somebody(world, "en")
        second = await called(world, other)
        assert pin_in(second) == other.pin, "the PIN that there is"
        assert second["Subject"].startswith("Your mailbox ")
        assert "Have fun!" in second.text("plain")
        assert "Main menu" in guide(second)
        return other.pin

    async def story() -> None:
        pins = await side_by_side((german(), english()))
        log = world.controller_log.read_text()
        assert [pin for pin in pins if pin in log] == []

    asyncio.run(story())


async def _opens(world: World, person: Person) -> None:
    """The PIN of the mail; what the owner hears is one voice message and one other."""
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, person.language) as caller,
    ):
        await caller.presses(f"*{person.pin}#", ms=60)
        await caller.hears("you-have", "new-voice-message/one", "and", "new-other-message/one")


def _says_everything(mail: Mail, person: Person) -> None:
    assert mail["From"] == "The Office <office@demo.example>"
    assert mail["To"] == f"{person.name} <{person.user.mail}>"
    assert mail["Subject"].startswith("Ihre Mailbox +49 30 5550")
    assert mail["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        text = mail.text(kind)
        assert text.replace(" ", "").count(person.number) == 1
        for part in (pin_in(mail), "Taste *", "https://voicemail.demo.example/", "Viel Freude"):
            assert part in text
        assert text.index("https://") < text.index("Viel Freude damit!")
    assert mail.attachment.get_content_type() == "application/pdf"
    assert "Hauptmenü 1 neue Sprachnachrichten" in guide(mail)


@pytest.mark.feature("WELCOME-02")
def test_who_may_not_log_in_gets_no_pin(welcoming: World) -> None:
    world = welcoming

    async def nobody_logs_in() -> None:
        person = await without_pin(world, access=Access.NONE)
        mail = await called(world, person)
        for kind in ("plain", "html"):
            assert person.extension in mail.text(kind)
            assert "PIN" not in mail.text(kind)
            assert "Taste" not in mail.text(kind)
        assert list(mail.message.iter_attachments()) == []

    async def settings_only() -> None:
        mail = await called(world, await without_pin(world, access=Access.PROFILES))
        assert pin_in(mail)
        assert "neue Sprachnachrichten" not in guide(mail)

    asyncio.run(side_by_side((nobody_logs_in(), settings_only())))


@pytest.mark.feature("WELCOME-07")
def test_the_site_switches_the_mails_on_and_off(new_world: NewWorld) -> None:
    async def story() -> None:
        async with new_world(settings="[welcome]\nenabled = false") as world:
            person = await without_pin(world)
            await call(world, person)
            await until(lambda: bool(voices(world, person)), "the message")
            await world.stop_controller()  # whatever was under way has ended
            assert welcomes(world, person) == []
            async with directory_of(world) as directory:
                assert not (await directory.login_state(person.user.id)).has_pin
            world.configure(SETTINGS)
            await world.start_controller()
            assert pin_in(await called(world, person))

    asyncio.run(story())


ACTIONS: dict[str, tuple[tuple[str, ...], bool, bool, bool]] = {
    # command, without the user; unlocked; a new PIN; another mail
    "resend": (("welcome", "send"), False, False, True),
    "resend now": (("welcome", "send", "--now"), False, False, True),
    "new PIN": (("welcome", "send", "--new-pin"), False, True, True),
    "unlock": (("users", "unlock"), True, False, False),
    "unlock, resend": (("welcome", "send", "--unlock"), True, False, True),
    "all now": (("welcome", "send", "--unlock", "--new-pin", "--now"), True, True, True),
}


@pytest.mark.feature("WELCOME-05")
def test_what_an_admin_can_do_for_one_user(welcoming: World) -> None:
    world = welcoming

    async def after(name: str) -> None:
        command, unlocked, new_pin, mailed = ACTIONS[name]
        person = await somebody(world)
        await called(world, person)
        await _lock(world, person)
        await asyncio.to_thread(_command, world, *command, person.user.id)
        if "--now" not in command:
            assert len(welcomes(world, person)) == 1, name
            await call(world, person)
        await _has(world, person, 2 if mailed else 1)
        *_, last = sorted(welcomes(world, person), key=lambda mail: mail.path.name)
        assert (pin_in(last) != person.pin) is new_pin, name
        right = PinCheck.RIGHT if unlocked else PinCheck.LOCKED
        async with directory_of(world) as directory:
            assert await directory.check_pin(person.user.id, pin_in(last)) is right, name

    asyncio.run(side_by_side(map(after, ACTIONS), at_once=3))


async def _has(world: World, person: Person, count: int) -> None:
    await until(lambda: len(welcomes(world, person)) == count, f"{count} welcome mails")


async def _lock(world: World, person: Person) -> None:
    async with directory_of(world) as directory:
        for _ in range(5):
            await directory.check_pin(person.user.id, "000000")
        check = await directory.check_pin(person.user.id, person.pin)
    assert check is PinCheck.LOCKED


def _command(world: World, *words: str) -> None:
    command = [sys.executable, "-m", "vm_ari", *words, "-c", str(world.config)]
    subprocess.run(command, check=True, capture_output=True, timeout=AT_MOST)


@pytest.mark.feature_part("MAIL-05", "a mail outlives a hung server and a killed controller")
def test_a_mail_outlives_a_hung_server_and_a_killed_controller(
    new_world: NewWorld, tmp_path: Path
) -> None:
    ca, box = PrivateCa(tmp_path), Postbox()

    async def story() -> None:
        asked = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()

        async with AsyncExitStack() as hung:
            port = await hung.enter_async_context(rude_server(silent))
            async with new_world(settings=_by_smtp(port, ca)) as world:
                person = await without_pin(world)
                await call(world, person)
                await until(asked.is_set, "a try to send the mail")
                world.kill_controller()
                await hung.aclose()
                async with mail_server(box, ca.identity(), account=True, at=port):
                    await world.start_controller()
                    await until(lambda: bool(box.mails), "the mail")
                    await world.stop_controller()
                assert not list((world.spool / "system-mails" / "new").iterdir())
        _arrived_once(box, person)

    asyncio.run(story())


def _by_smtp(port: int, ca: PrivateCa) -> str:
    return (
        f'{SETTINGS}[mail.smtp]\nhost = "127.0.0.1"\nport = {port}\n'
        f'user = "{USER}"\npassword = "{PASSWORD}"\nca_file = "{ca.file}"\n'
    )


def _arrived_once(box: Postbox, person: Person) -> None:
    [(sender, recipients, content)] = box.mails
    assert (sender, recipients) == ("office@demo.example", [person.user.mail])
    assert box.tls == [True]
    message = BytesParser(policy=default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    assert "PIN: " in body.get_content()
