"""The mail that a call becomes: what it says, in which format, and whoever calls."""

import asyncio
import re
import urllib.parse
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile
import soxr

from tests.system.callers import BEEP, assert_kept, babble, calling, likeness
from tests.system.listening import voice
from tests.system.mails import Mail, arrived, mails
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import RATE, Audio
from vm_ari.demo.world import Person, World


async def leave(world: World, person: Person, said: Audio, **who: Any) -> str:
    """Leave a message without listening to the greeting; the caller's number."""
    async with world.outside_phone() as phone, calling(phone, person.number, **who) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        await caller.hangs_up()
        return caller.number


@pytest.mark.feature("CALL-11")
def test_the_mail_says_who_called_when_and_how_long(world: World) -> None:
    zone = ZoneInfo("America/St_Johns")  # no whole hours from UTC

    async def scenario() -> tuple[Person, Mail]:
        person = await somebody(world, "de", time_zone=zone.key)
        said = voice("de", 1)
        number = await leave(world, person, said, number="+498912345678", from_name="Jörg Weiß")
        [mail] = await arrived(world, person)
        assert number == mail.caller == "+498912345678"
        assert_kept(said, mail.audio)
        return person, mail

    person, mail = asyncio.run(scenario())
    when = parsedate_to_datetime(mail["Date"])
    assert when.utcoffset() == datetime.now(zone).utcoffset()
    assert abs(datetime.now(zone) - when) < timedelta(seconds=60)
    seconds = len(mail.audio) / RATE
    assert mail["Subject"] == "Sprachnachricht von Jörg Weiß (+49 89 12345678), 0:06 min"
    assert mail["From"] == "Jörg Weiß <voicemail@demo.example>"
    assert mail["To"] == f"{person.name} <{person.user.mail}>"
    assert re.fullmatch(r"<[0-9a-f]{24}@[^@>]+>", mail["Message-ID"])
    assert {
        name: mail[name]
        for name in (
            *("Message-Context", "Content-Class", "Content-Duration", "Auto-Submitted"),
            *("X-CallingTelephoneNumber", "X-VoiceMessageDuration", "X-VoiceMessageSenderName"),
            *("X-VM-ARI-Caller", "X-VM-ARI-Caller-Name", "X-VM-ARI-Called", "X-VM-ARI-Mailbox"),
            *("X-VM-ARI-Duration", "X-VM-ARI-Partial", "X-VM-ARI-Urgent", "Importance"),
        )
    } == {
        "Message-Context": "voice-message",
        "Content-Class": "voice-ca",
        "Content-Duration": f"{seconds:.0f}",
        "Auto-Submitted": "auto-generated",
        "X-CallingTelephoneNumber": "+498912345678",
        "X-VoiceMessageDuration": f"{seconds:.0f}",
        "X-VoiceMessageSenderName": "Jörg Weiß",
        "X-VM-ARI-Caller": "+498912345678",
        "X-VM-ARI-Caller-Name": "Jörg Weiß",
        "X-VM-ARI-Called": person.number,
        "X-VM-ARI-Mailbox": person.extension,
        "X-VM-ARI-Duration": f"{seconds:.1f}",
        "X-VM-ARI-Partial": "no",
        "X-VM-ARI-Urgent": "no",
        "Importance": "",
    }
    assert mail.attachment.get_content_type() == "audio/x-wav"
    assert mail.attachment.get_filename() == f"voicemail-{when:%Y-%m-%d-%H%M}-+498912345678.wav"
    information = soundfile.info(BytesIO(mail.content))
    assert (information.format, information.subtype) == ("WAV", "PCM_16")
    assert (information.samplerate, information.channels) == (8000, 1)
    for kind in ("plain", "html"):
        text = " ".join(re.sub("<[^>]+>", " ", mail.text(kind)).split())
        for part in ("Jörg Weiß", "+49 89 12345678", f"{when.year}", f"{when:%H:%M}", "6 Sekunden"):
            assert part in text
        assert f"Mailbox {person.extension}" in text


@pytest.mark.feature_part("CALL-11", "in the user's language; the caller's name by the directory")
def test_the_mail_is_in_the_users_language_and_names_a_colleague(world: World) -> None:
    async def scenario() -> tuple[Person, Mail]:
        person = await somebody(world, "en", time_zone="UTC")
        colleague = await somebody(world, "de")
        claimed = {"number": colleague.number, "from_name": "The Chancellor"}
        await leave(world, person, babble(2.5, 1), language="en", **claimed)
        [mail] = await arrived(world, person)
        return colleague, mail

    colleague, mail = asyncio.run(scenario())
    name = re.escape(colleague.name)
    assert re.fullmatch(rf"Voice message from {name} \(.*\), 0:03 min", mail["Subject"])
    assert mail["X-VoiceMessageSenderName"] == colleague.name
    when = parsedate_to_datetime(mail["Date"])
    assert when.utcoffset() == timedelta(0)
    assert f"{when:%A, %B} {when.day}, {when.year}" in mail.text("plain")
    assert "The message is attached" in mail.text("plain")


FORMATS = {  # setting: media type, suffix, format and subtype of the file, least likeness
    "wav49": ("audio/x-wav", ".wav", "WAV", "GSM610", 0.85),
    "mp3": ("audio/mpeg", ".mp3", "MP3", "MPEG_LAYER_III", 0.95),
    "opus": ("audio/ogg", ".ogg", "OGG", "OPUS", 0.85),
}


@pytest.mark.feature_part("CALL-11", "MP3, Opus or GSM-WAV by setting")
def test_the_audio_comes_in_the_format_of_the_setting(new_world: NewWorld) -> None:
    async def scenario() -> dict[str, Mail]:
        received = {}
        async with new_world() as world:
            for setting in FORMATS:
                await world.stop_controller()
                world.configure(f'[mail]\naudio_format = "{setting}"\n')
                await world.start_controller()
                person = await somebody(world)
                await leave(world, person, voice("de", 1, 3.0))
                [received[setting]] = await arrived(world, person)
                received[setting].content  # noqa: B018  # read while it is there
        return received

    for setting, mail in asyncio.run(scenario()).items():
        media_type, suffix, container, codec, least = FORMATS[setting]
        assert mail.attachment.get_content_type() == media_type
        assert str(mail.attachment.get_filename()).endswith(suffix)
        information = soundfile.info(BytesIO(mail.content))
        assert (information.format, information.subtype) == (container, codec)
        samples, rate = soundfile.read(BytesIO(mail.content), dtype="float32")
        heard = np.asarray(soxr.resample(samples, rate, RATE), np.float32)
        seconds, alike = likeness(voice("de", 1, 3.0), heard)
        assert seconds > 2.9
        assert alike > least, setting


@pytest.mark.parametrize("setting", ["withheld", "anonymous"])
def test_a_withheld_number_is_told_to_nobody(world: World, setting: str) -> None:
    asserted = ("P-Asserted-Identity", '"Verena Versteckt" <sip:+4989123123@localhost>')
    how: dict[str, Any] = {"headers": [("Privacy", "id"), asserted], "from_name": "Verena"}
    if setting == "anonymous":
        how = {"from_header": '"Anonymous" <sip:anonymous@anonymous.invalid>'}

    async def scenario() -> tuple[Mail, str]:
        person = await somebody(world)
        async with world.outside_phone() as phone:
            async with calling(phone, person.number, number="+4989123123", **how) as caller:
                await caller.presses("0")
                await caller.hears(BEEP)
                await caller.speaks(babble(2.5, 1))
            async with calling(phone, person.number, number="+4989123123", **how) as caller:
                await caller.presses(f"*{person.pin}#1")
                await caller.hears("message-number", "digits/1", "from-unknown")
        [mail] = await arrived(world, person)
        return mail, world.controller_log.read_text()

    mail, log = asyncio.run(scenario())
    assert (mail.caller, mail["X-VM-ARI-Caller-Name"], mail["X-CallingTelephoneNumber"]) == (
        "",
    ) * 3
    assert mail["Subject"] == "Sprachnachricht von unbekannt, 0:03 min"
    for trace in ("4989123", "89 123", "Verena"):
        assert trace not in mail.raw.decode()
        assert trace not in log


HOSTILE: Sequence[tuple[str | bytes, str]] = [
    ("line\r\nBcc: victim@demo.example", "12\r\nBcc: victim@demo.example"),
    ("x" * 2000, "1" * 300),
    ('"quoted" \\" \\', '12"34'),
    (")(uid=*", "*)(uid=*"),
    ("../../../../../tmp/evil", "../../../../../tmp/evil"),
    ("<script>alert(1)</script>", "<b>12</b>"),
    (b"broken \xff\xfe \xc3( utf-8", "%ff%fe"),
    ("{{ 7*7 }} {% raw %}", "${EXTEN}${SHELL(id)}"),
    ("=?utf-8?q?X=0D=0ABcc:_a@b?=", "=?utf-8?q?a?="),
    ("\u202eevil\u2066 \x07\x1b[2J", "\u0661\u0662"),
]


def sender(name: str | bytes, number: str) -> bytes:
    """A From value with that name, quoted as SIP wants it, and that number."""
    raw = name if isinstance(name, bytes) else name.encode()
    raw = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r\n", b"%0d%0a")
    user = number if "%" in number else urllib.parse.quote(number, safe="")
    return b'"' + raw + b'" <sip:' + user.encode() + b"@localhost>"


def test_hostile_callers_leave_deliverable_messages_with_harmless_headers(world: World) -> None:
    said = babble(2.5, 1)
    names = re.compile(rb"^([A-Za-z0-9-]+):", re.MULTILINE)

    def headers(mail: Mail) -> list[bytes]:
        return names.findall(mail.raw.partition(b"\n\n")[0])

    async def scenario() -> tuple[Mail, Sequence[Mail], list[Path]]:
        friend, victim = await somebody(world), await somebody(world)
        await leave(world, friend, said, from_name="Carla Weber")
        [ordinary] = await arrived(world, friend)
        before = set(world.directory.rglob("*"))
        await asyncio.gather(
            *(leave(world, victim, said, from_header=sender(*who)) for who in HOSTILE)
        )
        received = await arrived(world, victim, len(HOSTILE))
        new = set(world.directory.rglob("*")) - before
        return ordinary, received, [path for path in new if path.is_file()]

    ordinary, received, files = asyncio.run(scenario())
    for mail in received:
        assert_kept(said, mail.audio)
        assert [name for name in headers(ordinary) if name in headers(mail)] == headers(mail)
        block = mail.raw.partition(b"\n\n")[0]
        assert re.fullmatch(rb"[\x20-\x7e\n]*", block), "something is not plain ASCII"
        assert max(map(len, block.split(b"\n"))) < 200
        assert mail["To"] == received[0]["To"]
        assert re.fullmatch(r"(\+?[0-9]{1,20})?", mail.caller)
        assert len(mail["X-VM-ARI-Caller-Name"]) <= 60
        shown = mail["X-VM-ARI-Caller-Name"] + mail["Subject"]
        assert re.search(r"[\r\n\x00-\x1f\u202a-\u202e\u2066-\u2069\ufffd]", shown) is None
        assert "<script" not in mail.text("html")
    names_shown = {mail["X-VM-ARI-Caller-Name"] for mail in received}
    assert {"x" * 60, "<script>alert(1)</script>", "{{ 7*7 }} {% raw %}"} < names_shown
    odd = [path for path in files if world.mail not in path.parents]
    assert [path for path in odd if (world.spool / "done") not in path.parents] == []
    assert len(mails(world, Person("", received[0]["X-VM-ARI-Mailbox"], "de"))) == len(HOSTILE)
