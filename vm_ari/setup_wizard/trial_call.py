"""The end of the wizard: a message is left, delivered and heard, through Asterisk as it is."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile

from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ear import RATE, Audio, Bank, identify, read
from vm_ari.adapters.findings import sentence
from vm_ari.adapters.maildir_tree import Folder, store_name
from vm_ari.adapters.prompt_texts import BadTexts, read_texts
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.config import Config
from vm_ari.domain.entries import effective_user
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, Mailbox, MailboxUnavailable
from vm_ari.setup_wizard.delivered import delivered_mail
from vm_ari.setup_wizard.talk import Talk
from vm_ari.setup_wizard.test_line import CallFailed, Event, TestLine, open_line
from vm_ari.wiring.asterisk import asterisk_address
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.organisations import organisations_now
from vm_ari.wiring.store import MessageStore, open_store

CALLER = '"vm-ari init" <>'
_SPOKEN = "demo/caller-1"
_LONGEST_DIALOGUE = 30.0
"""Seconds between two events: longer than any prompt."""
_DELIVERY = 30.0
_LOOK = 0.3
_CLOCKS = timedelta(seconds=5)
"""The store's clock may be a little behind ours."""


@dataclass(frozen=True)
class Trial:
    """Whose mailbox, on which configuration."""

    talk: Talk
    config: Config
    number: str
    pin: str = ""
    """Empty: the message is left and not heard."""

    async def run(self) -> bool:
        """Tell each step; did everything happen? Raises nothing that a server can cause."""
        try:
            async with self._store() as (user, store):
                self._say_files()
                began = datetime.now(UTC) - _CLOCKS
                await self._leave(user)
                self._show(user, await self._arrived(store, user, began))
            if self.pin:
                await self._hear(user)
        except (CallFailed, MailboxUnavailable, DirectoryUnavailable, KeysUnusable) as error:
            self.talk.bad(sentence(error))
            return False
        except OSError as error:
            self.talk.bad(f"{error.filename or 'the call'}: {error.strerror or error}.")
            return False
        except (AriError, AriUnavailable) as error:
            self.talk.bad(f"Asterisk refuses: {error}.")
            return False
        return True

    async def _leave(self, user: User) -> None:
        """Speak as soon as it is recorded, and hang up like most callers."""
        self.talk.say(f"  A call to {self.number} …")
        async with open_line(asterisk_address(self.config)) as line:
            await line.dial(self.number, "vm-ari", CALLER)
            async for event in self._told(line, user.language):
                match event["type"]:
                    case "RecordingStarted" if _channel_of(event) == line.called:
                        await line.say(str(self._spoken.with_suffix("")))
                        self.talk.good("the caller hears the tone and speaks")
                    case "PlaybackFinished" if _channel_of(event) == line.caller:
                        await line.hang_up()
                        self.talk.good("the caller hangs up")
                        return
        raise CallFailed("the call ended before a message could be left")

    async def _hear(self, user: User) -> None:
        """Log in, hear the message, and compare it with what was spoken."""
        self.talk.say(f"  A call to hear it, as {user.name} …")
        typed = False
        async with open_line(asterisk_address(self.config)) as line:
            await line.dial(self.number, "vm-ari-login", CALLER)
            async for event in self._told(line, user.language):
                match event["type"], _sound(event):
                    case "PlaybackStarted", sound if sound.endswith("/enter-pin"):
                        if typed:  # a third wrong one could lock the login
                            raise CallFailed("the PIN is not accepted")
                        await line.press(f"{self.pin}#")
                        typed = True
                    case "PlaybackStarted", sound if sound.endswith("/you-have"):
                        await line.press("1")
                        await line.listen()
                    case "PlaybackFinished", _ if self._is_message(event, line):
                        break
            else:
                raise CallFailed("the call ended before the message was heard")
            await line.hang_up()
            self._compare(await _written_down(line))

    def _is_message(self, event: Event, line: TestLine) -> bool:
        """Everything else that is played is one of our prompts."""
        sound = _sound(event)
        ours = f"sound:{self.config.sounds}/"
        return _channel_of(event) == line.called and bool(sound) and not sound.startswith(ours)

    async def _told(self, line: TestLine, language: str) -> AsyncIterator[Event]:
        """Events until the call ends; what is said to the caller is shown, by sentences."""
        words, sentence_so_far = self._words(language), list[str]()
        while True:
            event = await line.event(_LONGEST_DIALOGUE)
            if _channel_of(event) == line.called and event["type"] == "PlaybackStarted":
                sentence_so_far += words.get(_sound(event), [])
            elif sentence_so_far and event["type"] == "PlaybackFinished":
                self.talk.say(f"    “{' '.join(sentence_so_far)}”")
                sentence_so_far = []
            yield event
            if event["type"] in {"StasisEnd", "ChannelDestroyed"}:
                return

    def _words(self, language: str) -> dict[str, list[str]]:
        """By the sound that is played."""
        folder = Path(self.config.sounds) / language
        try:
            texts = read_texts(folder)
        except (BadTexts, OSError):
            return {}
        return {f"sound:{folder}/{one.id}": [one.words] for one in texts.values()}

    def _compare(self, wav: bytes) -> None:
        samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
        bank = Bank({"message": self._audio})
        if rate != RATE or not identify(np.asarray(samples, np.float32), bank, min_score=0.7):
            raise CallFailed("the message that was heard is not the one that was spoken")
        self.talk.good("the message is heard, and it is what was spoken")

    def _show(self, user: User, message: StoredMessage) -> None:
        when = message.received.astimezone().strftime("%H:%M:%S")
        self.talk.good(f"delivered at {when}: a message of {message.seconds:.1f} s")
        for line in delivered_mail(self.config, user):
            self.talk.say(f"    {line}")

    def _say_files(self) -> None:
        if not self._spoken.is_file():
            raise CallFailed(f"there is no recording to speak: {self._spoken} is missing")

    @cached_property
    def _spoken(self) -> Path:
        """Somebody who speaks; not each language has one."""
        sounds = Path(self.config.sounds)
        found = [sounds / code / f"{_SPOKEN}.wav" for code in (self.config.site.language, "en")]
        return next((path for path in found if path.is_file()), found[-1])

    @cached_property
    def _audio(self) -> Audio:
        return read(self._spoken)

    async def _arrived(self, store: MessageStore, user: User, since: datetime) -> StoredMessage:
        """A Maildir is made by the first delivery: whoever runs the wizard must not own it."""
        local = self.config.store.kind == "local"
        folder = Folder(self.config.store.maildir / store_name(user)) if local else None
        with suppress(TimeoutError):
            async with asyncio.timeout(_DELIVERY):
                while folder and not folder.is_complete():
                    await asyncio.sleep(_LOOK)
                async with store.mailboxes.open(user) as box:
                    return await _newer(box, since)
        raise CallFailed(
            f"no message arrived within {_DELIVERY:.0f} s: vm-ari outbox list says what became "
            "of it"
        )

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[tuple[User, MessageStore]]:
        """The store, and who is called. Raises `CallFailed`, `DirectoryUnavailable`."""
        keys = KeyRing(self.config.directory.keys)
        register = open_register(self.config, keys)
        try:
            entry = await register.entry_by_number(self.number)
            if entry is None:
                raise CallFailed(f"nobody has the number {self.number}")
            groups = await organisations_now(self.config, register)
            user = effective_user(
                entry, groups.get(entry.organisation), self.config.user_defaults()
            )
            place = self.config.spool.directory / "listening"
            store = open_store(self.config, keys, register, place)
            try:
                yield user, store
            finally:
                await store.close()
        finally:
            await register.close()


async def _newer(box: Mailbox, since: datetime) -> StoredMessage:
    """Wait for it."""
    while True:
        there: Sequence[StoredMessage] = await box.messages(MessageKind.VOICE, new=True)
        for message in there:
            if message.received >= since:
                return message
        await asyncio.sleep(_LOOK)


async def _written_down(line: TestLine) -> bytes:
    """The recording ends with the call, a moment later."""
    while True:
        event = await line.event(10)
        over = event["type"] in {"RecordingFinished", "RecordingFailed"}
        if over and event["recording"]["name"] == line.recording:
            return await line.heard()


def _channel_of(event: Event) -> str:
    """Whose event it is, by what it is about."""
    for kind in ("playback", "recording"):
        if kind in event:
            return str(event[kind].get("target_uri", "")).removeprefix("channel:")
    return str(event.get("channel", {}).get("id", ""))


def _sound(event: Event) -> str:
    return str(event.get("playback", {}).get("media_uri", ""))
