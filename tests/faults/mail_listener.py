"""A user who presses keys at random while a mail program works on the mailbox, and his judge."""

import random
import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dialogues.exchange import PIN
from tests.faults.mail_programs import (
    DELETED,
    INBOX,
    Change,
    Lab,
    Ledger,
    do_anything,
    number_heard,
)
from tests.phone import Phone
from vm_ari.domain.callers import Caller
from vm_ari.domain.playback import Speed
from vm_ari.domain.settings import Deletion
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P

BETWEEN_KEYS, BETWEEN_COMMANDS = 0.15, 0.02
"""How often the mail program does something."""
DELETE, KEEP_NEW = "7", "2"
STAYING, PLAYING = "12790358", "0003358999"
KEYS = "1122344444555666667777777778899000000#*"
WAITS = (0.013, 0.217, 0.713, 1.017, 2.311, 5.119, 12.107)
"""Seconds before a key; never just when a timer of a call is over."""
RECORDING_SECONDS = 60.0
LONGEST_END = 300.0
"""Seconds on the virtual clock, from the wish to end a call to its end."""
FILE_OPERATIONS = {"open", "os.listdir", "os.scandir", "os.rename", "os.remove"}
HEADING = f"en/{P.MESSAGE_NUMBER}"
SURPRISES = {f"en/{P.MESSAGE_GONE}", f"en/{P.NEW_MESSAGE_ARRIVED}"}
IN_THE_LIST = {P.MESSAGE_NUMBER, P.TO_REPEAT, P.PLEASE_CHOOSE, P.KEY_NOT_USED}
IN_THE_LIST |= {P.TO_UNDELETE, P.TO_GO_ON}
ELSEWHERE = {P.FOR_NEW_VOICE_MESSAGES, P.NO_MORE_MESSAGES, P.NO_NEW_MESSAGES, P.NO_HEARD_MESSAGES}
ELSEWHERE |= {P.NO_READ_MAILS}
OTHER_MENUS = {P.TRANSFER_IS, P.NO_TRANSFER, P.FOR_LANGUAGE, P.FOR_NAME, P.PROFILE_IS_ACTIVE}
PLACES = {f"en/{one}": one for one in (*IN_THE_LIST, *ELSEWHERE, *OTHER_MENUS)}


@dataclass
class Watch:
    """Sees what this process does, before it is done: `sys.addaudithook` cannot be undone."""

    on_event: Callable[[str, tuple[Any, ...]], None] | None = None

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        if self.on_event is not None and (event == "imaplib.send" or event in FILE_OPERATIONS):
            act, self.on_event = self.on_event, None  # the mail program is in this process, too
            try:
                act(event, details)
            finally:
                self.on_event = act


WATCH = Watch()


async def names(_listener: User, caller: Caller) -> Path:
    """Every message has a sender of its own, so that a heading tells which it is."""
    return Path(f"/sender/{int(caller.number[-6:])}")


async def some_faster(sound: Path, _speed: Speed) -> Path | None:
    """Every second recording cannot be prepared; what is read aloud can."""
    is_recording = sound.stem == "message"
    return None if is_recording and number_heard(sound) % 2 else sound


class Sounds(dict[str, float]):
    """How long each clip takes, asked for when it begins: then its file can be looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}
        """Of the messages that were heard, by name of the clip."""

    def get(self, name: str, otherwise: Any = None) -> Any:
        if not name.endswith("/message"):
            return otherwise
        self.numbers[name] = number_heard(Path(f"{name}.wav"))
        return RECORDING_SECONDS


@dataclass
class Walker:
    """One call, in which everything but the server follows from the dice."""

    dice: random.Random
    lab: Lab
    ledger: Ledger
    counted: Counter[str]
    numbers: Mapping[str, int]
    steps: int
    deletion: Deletion
    at: int = 0
    """Number of the message that the user knows to be at; 0 where he cannot know."""
    sounds: int = 0
    """So many have been looked at."""
    heard: set[int] = field(default_factory=set)
    """Messages of which the user knows."""
    deleted: set[int] = field(default_factory=set)
    """What he has deleted, and nobody has brought back."""
    last_keys: list[str] = field(default_factory=list)
    last_sounds: list[str] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    async def walks(self, phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        keys, at, surprised = "", 0, False
        for _ in range(self.steps):
            await self._waits(phone, self.dice.choice(WAITS))
            self._looks(phone, keys)
            self.judge(keys, at, surprised=surprised, over=self._is_over(phone))
            if self._is_over(phone):
                return await phone.hears_the_end()
            if self.dice.random() < BETWEEN_KEYS:
                self._meddle()
            keys = self._keys(phone)
            at, surprised = self.at, self._last(phone) in SURPRISES
            self.at = self.at if set(keys) <= set(STAYING) else 0
            self.last_keys = [*self.last_keys[-9:], keys]
            phone.presses(keys)
            self.counted["steps"] += 1
        await self._waits(phone, 0.01)
        self._looks(phone, keys)
        self.judge(keys, at, surprised=surprised, over=self._is_over(phone))
        await self._leaves(phone)

    def ends(self, *, broken: bool) -> None:
        """After the call: what was deleted for good is removed, unless the connection *broke*."""
        self.judge("", 0, surprised=False, over=True)
        if self.deletion is Deletion.FOR_GOOD and not broken:
            # what somebody has marked to be removed is gone for us
            stock = self.ledger.known.items()
            lying = {n for n, one in stock if one.folder == DELETED and not one.dying}
            left = (self.deleted & lying) - self.ledger.touched
            assert not left, {n: self.ledger.known[n] for n in left}

    async def _leaves(self, phone: Phone) -> None:
        """Hang up, or go home by the back key and end the call: there is no dead end."""
        if self.dice.random() < 0.5:
            phone.hangs_up()
            return
        begun = phone.now()
        while not phone.is_over():
            assert phone.now() - begun < LONGEST_END, f"a dead end: {phone.heard_names()[-20:]}"
            phone.presses("*" if self._place(phone) not in ELSEWHERE else "#")
            await self._waits(phone, 10.0)
        self._looks(phone)
        self.judge("", 0, surprised=False, over=True)

    async def _waits(self, phone: Phone, seconds: float) -> None:
        """The mail program may do something before every command of ours."""
        WATCH.on_event = self._between_commands
        try:
            await phone.waits(seconds)
        finally:
            WATCH.on_event = None

    def _between_commands(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "imaplib.send":
            self.counted["commands"] += 1
            if details[0].state == "SELECTED" and self.dice.random() < self.lab.cuts:
                self.counted["connections broken"] += 1
                how = self.dice.choice((socket.SHUT_RD, socket.SHUT_RDWR))
                details[0].sock.shutdown(how)
                return
        elif not str(details[0]).startswith(str(self.lab.root)):
            return
        if self.dice.random() < BETWEEN_COMMANDS:
            self.counted["between commands"] += 1
            self._meddle()

    def _meddle(self) -> None:
        try:
            if self.dice.random() < 0.45:
                self.lab.deliver(self.dice, self.ledger)
            else:
                with self.ledger.others():
                    self.counted[do_anything(self.lab.program, self.dice)] += 1
        except Exception as error:
            self.troubles.append(error)

    def _looks(self, phone: Phone, keys: str = "") -> None:
        """What do the sounds since the last look, after those *keys*, tell?

        Which of several keys was the last before a sound, the user cannot know.
        """
        sounds = phone.heard_names()
        for name in sounds[self.sounds :]:
            folder, _, last = name.rpartition("/")
            if folder == "/sender":
                self.at = int(last)
            elif folder.startswith("/spoken/"):
                self.at = int(last.rstrip(".").rpartition(" ")[2])
                self.counted["read aloud"] += 1
            elif last == "message":
                self.at = self.numbers[name]
            elif name == HEADING or name in SURPRISES:
                self.at = 0
            self.heard.add(self.at)
            self.counted[name.removeprefix("en/")] += 1
        self.sounds, self.last_sounds = len(sounds), sounds[-5:]
        if len(keys) > 1 and not set(keys) <= set(STAYING):
            self.at = 0

    def judge(self, keys: str, at: int, *, surprised: bool, over: bool = False) -> None:
        """What we have done since the last keys is what the user can have meant by them.

        When the call is *over*, what he has deleted may be removed for good.
        """
        assert not self.troubles, self.troubles
        changes = self.ledger.take_ours()
        told = f"at {at}, {keys!r} did {changes}; {self.last_keys}; heard {self.last_sounds}"
        moved = []
        for change in changes:
            if over and self._is_purge(change, keys, at):
                continue
            if change.moved:
                self._judge_move(change, keys, told)
                moved.append(change)
            else:
                self._judge_mark(change, keys, told)
        if DELETE not in keys or (keys == DELETE and surprised):
            assert not moved, told
        elif keys == DELETE and at:
            assert {change.number for change in moved} <= {at}, told
            self.counted["known strikes"] += bool(moved)
        assert len(moved) <= keys.count(DELETE), told
        self.counted["blind strikes"] += bool(moved and not at)

    def _judge_mark(self, change: Change, keys: str, told: str) -> None:
        """Heard is what was heard; new again only what the user wants to keep so."""
        assert change.before, f"it came from nowhere: {told}"
        assert change.after, f"it is lost: {told}"
        assert change.before.dying == change.after.dying, told
        if change.after.seen:
            assert change.number in self.heard, told
        else:
            assert KEEP_NEW in keys, told
            self.counted["kept as new"] += 1

    def _is_purge(self, change: Change, keys: str, at: int) -> bool:
        """Is that one removed for good, as the user wants it, perhaps by his very last keys?

        On a mail server it takes two commands: mark, and expunge.
        """
        if self.deletion is not Deletion.FOR_GOOD or change.before is None:
            return False
        self.counted["removed for good"] += change.after is None
        if change.before.folder == INBOX:
            return change.after is None and DELETE in keys and at in {0, change.number}
        return change.before.folder == DELETED and change.number in self.deleted

    def _judge_move(self, change: Change, keys: str, told: str) -> None:
        """Into the folder of deleted messages, or back; never lost, never anywhere else."""
        assert change.before, f"it came from nowhere: {told}"
        assert change.after, f"it is lost: {told}"
        if change.before.seen != change.after.seen:
            self._judge_mark(change, keys, told)
        assert change.before.dying == change.after.dying, told
        match change.before.folder, change.after.folder:
            case "INBOX", "Deleted voice messages":
                self.deleted.add(change.number)
                self.counted["deleted"] += 1
            case "Deleted voice messages", "INBOX":
                assert change.number in self.deleted, told
                self.deleted.discard(change.number)
                self.counted["restored"] += 1
            case _:
                raise AssertionError(told)

    def _is_over(self, phone: Phone) -> bool:
        """Or nearly: the mailbox has been closed."""
        last_words = {f"en/{P.GOODBYE}", f"en/{P.MAILBOX_UNAVAILABLE}"}
        return phone.is_over() or bool(last_words.intersection(phone.heard_names()))

    def _keys(self, phone: Phone) -> str:
        """In the list anything, sometimes several at once; from elsewhere back into it."""
        place = self._place(phone)
        if place in ELSEWHERE:
            return self.dice.choice("112234")
        if place in OTHER_MENUS:
            return "*"
        if self._last(phone).endswith("/message") and self.dice.random() < 0.8:
            return self.dice.choice(PLAYING)
        many = 1 if self.dice.random() < 0.85 else self.dice.randint(2, 4)
        return "".join(self.dice.choices(KEYS, k=many))

    def _place(self, phone: Phone) -> P | None:
        sounds = reversed(phone.heard_names())
        return next((PLACES[name] for name in sounds if name in PLACES), None)

    def _last(self, phone: Phone) -> str:
        return (phone.heard_names() or [""])[-1]
