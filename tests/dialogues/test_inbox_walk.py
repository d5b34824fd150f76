"""A user walks through the messages at random while others change the mailbox (INBOX-02).

The user's own knowledge is the judge: whoever has heard which message this is, and has not moved
since, can only delete this one.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, BERT, PIN, Exchange, message, tell
from tests.dialogues.sending_site import SendingSite
from tests.phone import Phone, Told
from vm_ari.domain.callers import Caller
from vm_ari.domain.playback import Speed
from vm_ari.domain.settings import Deletion, InformationOrder, Rules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P

STEPS, STEPS_OF_A_CALL = 10_000, 250
DELETE = "7"
STAYING = "12790358"
"""Keys after which the user is still at the same message."""
KEYS = "1122344444555666667777778899000000#*"
SURPRISES = {f"en/{P.MESSAGE_GONE}", f"en/{P.NEW_MESSAGE_ARRIVED}"}
HEADING = f"en/{P.MESSAGE_NUMBER}"
IN_THE_LIST = {P.TO_REPEAT, P.PLEASE_CHOOSE, P.KEY_NOT_USED, P.TO_UNDELETE, P.TO_GO_ON}
ELSEWHERE = {P.FOR_NEW_VOICE_MESSAGES, P.NO_MORE_MESSAGES, P.NO_NEW_MESSAGES, P.NO_HEARD_MESSAGES}
OTHER_MENUS = {
    *(P.TRANSFER_IS, P.NO_TRANSFER, P.FOR_LANGUAGE, P.FOR_NAME, P.PROFILE_IS_ACTIVE),
    *(P.ENTER_DESTINATION, P.ENTER_NAME, P.TO_CONTINUE, P.SPEAK_AFTER_TONE, P.TO_DISCARD),
}
FORWARDING = ("*", "1102##1", "1102##1", "1102##*", "177#*", "1999#*", "1102##3")
"""At the question to whom a message is forwarded; the last one records silence."""

Stored = tuple[frozenset[str], frozenset[str]]
"""Uids in the inbox and among the deleted ones."""


async def names(_listener: User, caller: Caller) -> Path:
    """Every message has a sender of its own, so that a heading tells which it is."""
    who = "colleague" if caller.number in {*ANNA.numbers, *BERT.numbers} else "sender"
    return Path(f"/{who}/{caller.number}")


async def faster_files(recording: Path, speed: Speed) -> Path | None:
    if int(recording.stem) % 2:
        return None  # these cannot be prepared
    return recording.with_stem(f"{recording.stem}-{round(speed.value * 100)}")


def last_heard(phone: Phone) -> str:
    """What is heard now, or was last."""
    return (phone.heard_names() or [""])[-1]


@dataclass
class Walker:
    """One call of up to so many steps."""

    dice: random.Random
    site: Exchange
    counted: Counter[str]
    steps: int
    at: str = ""
    """Uid of the message that the user knows to be at; empty where he cannot know."""
    seen: int = 0
    """So many sounds have been looked at."""
    arrived: int = 0
    last_keys: list[str] = field(default_factory=list)

    async def walks(self, phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        for _ in range(self.steps):
            if phone.is_over():
                return
            await self._step(phone)
            self.counted["steps"] += 1
        phone.hangs_up()

    async def _step(self, phone: Phone) -> None:
        await phone.waits(self.dice.choice((0.0, 0.2, 0.7, 1.0, 2.3, 5.1, 12.0, 12.0)))
        if self.dice.random() < 0.25:
            self._meddle()
        self._look(phone)
        keys = self._keys(phone)
        surprised = last_heard(phone) in SURPRISES
        before, at = self._stored(), self.at
        self._moves(keys)
        self.last_keys = [*self.last_keys[-9:], keys]
        phone.presses(keys)
        await phone.waits(0.01)
        if f"en/{P.GOODBYE}" not in phone.heard_names():  # what is deleted for good goes at the end
            self._judge(before, keys, at, surprised=surprised)

    def _judge(self, before: Stored, keys: str, at: str, *, surprised: bool) -> None:
        """Nothing else may have happened than what the user can have meant."""
        now = self._stored()
        struck = (before[0] ^ now[0]) | (before[1] ^ now[1])
        self.counted["struck"] += len(struck)
        if DELETE not in keys:
            assert not struck, f"{keys} deleted {struck}; {self.last_keys}"
        elif keys == DELETE and surprised:
            assert not struck, f"a surprised user deleted {struck}; {self.last_keys}"
        elif keys == DELETE and at:
            assert struck <= {at}, f"at {at}, but {struck} was deleted; {self.last_keys}"
            there = at in before[0] | before[1]
            self.counted["known strikes"] += bool(struck)
            self.counted["struck in vain"] += not (struck or there)
        assert len(struck) <= keys.count(DELETE)

    def _look(self, phone: Phone) -> None:
        """What do the sounds since the last look tell?"""
        heard = phone.heard_names()
        for name in heard[self.seen :]:
            folder, _, uid = name.rpartition("/")
            if folder in {"/sender", "/listening"}:
                self.at = uid.partition("-")[0]
            elif name == HEADING or name in SURPRISES:
                self.at = ""
            self.counted[name.removeprefix("en/")] += 1
        self.seen = len(heard)

    def _moves(self, keys: str) -> None:
        if not set(keys) <= set(STAYING):
            self.at = ""

    def _keys(self, phone: Phone) -> str:
        """In the list anything, sometimes several at once; from elsewhere back into it."""
        place = self._place(phone)
        if place in ELSEWHERE:
            return self.dice.choice("12")
        if place is P.FOR_NUMBER_OR_LIST:
            return self.dice.choice(FORWARDING)
        if place in OTHER_MENUS:
            return "*"
        if last_heard(phone).startswith("/listening") and self.dice.random() < 0.5:
            return self.dice.choice("0003589")
        many = 1 if self.dice.random() < 0.85 else self.dice.randint(2, 4)
        return "".join(self.dice.choices(KEYS, k=many))

    def _place(self, phone: Phone) -> P | None:
        places = (*IN_THE_LIST, *ELSEWHERE, *OTHER_MENUS, P.FOR_NUMBER_OR_LIST)
        known = {f"en/{one}": one for one in places}
        return next((known[n] for n in reversed(phone.heard_names()) if n in known), None)

    def _stored(self) -> Stored:
        boxes = self.site.mailboxes
        inbox, deleted = boxes.inboxes.get(ANNA.id, {}), boxes.deleted.get(ANNA.id, {})
        return frozenset(inbox), frozenset(deleted)

    def _meddle(self) -> None:
        """What mail programs and callers do meanwhile."""
        inbox, deleted = self._stored()
        match self.dice.randrange(5):
            case 0 | 4 if self.arrived < 60:
                self._arrive()
            case 1 if inbox:
                self.site.mailboxes.lose(ANNA, self.dice.choice(sorted(inbox)))
            case 2 if inbox:
                uid = self.dice.choice(sorted(inbox))
                stored = self.site.mailboxes.inboxes[ANNA.id]
                stored[uid] = replace(stored[uid], new=not stored[uid].new)
            case 3 if deleted:
                self.site.mailboxes.lose(ANNA, self.dice.choice(sorted(deleted)))
            case _:
                pass

    def _arrive(self) -> None:
        self.arrived += 1
        uid, urgent = str(500 + self.arrived), self.dice.random() < 0.2
        self.site.put(message(uid, minutes_ago=0, number=uid, urgent=urgent))


def walk(seed: int, steps: int, counted: Counter[str]) -> Told:
    """One call; everything about it follows from the seed."""
    dice = random.Random(seed)
    rules = Rules(
        options_after_message=dice.random() < 0.7,
        information_order=dice.choice(list(InformationOrder)),
        deletion=dice.choice(list(Deletion)),
    )
    site = SendingSite(rules=rules)
    site.desk = replace(site.desk, sender_name=names, at_speed=faster_files)
    line = site.line()
    for number in range(200, 200 + dice.randint(0, 12)):
        new, urgent = dice.random() < 0.7, dice.random() < 0.2
        uid, ago = str(number), dice.randint(1, 999)
        site.put(message(uid, minutes_ago=ago, new=new, urgent=urgent, number=uid))
        line.lengths[f"/listening/{uid}"] = dice.choice((4.0, 20.0, 60.0))
    walker = Walker(dice, site, counted, steps)
    told = tell(site.call(walker.walks, purpose="login", line=line))
    assert not site.spool.open
    counted["sent"] += len(site.sent)
    if rules.deletion is Deletion.FOR_GOOD:
        assert not site.mailboxes.deleted.get(ANNA.id)
    return told


@pytest.mark.feature_part("INBOX-02", "10,000 steps while others change the mailbox")
@pytest.mark.feature_part("INBOX-05", "every key at any time")
def test_ten_thousand_random_steps_never_strike_the_wrong_message(logs: Logs) -> None:
    counted: Counter[str] = Counter()
    seed = 0
    while counted["steps"] < STEPS:
        steps = min(STEPS_OF_A_CALL, STEPS - counted["steps"])
        try:
            told = walk(seed, steps, counted)
            assert told.channel.left in (None, ("SUCCESS", ""))
            assert not [entry for entry in logs if entry["event"] == "call failed"]
        except BaseException as error:
            error.add_note(f"walk {seed}")
            raise
        seed += 1
    print(f"{seed} calls, {counted['steps']} steps, {counted['struck']} deleted or restored")
    assert counted["sent"] >= counted[P.SENT_TO]
    for wanted in (
        *("known strikes", "struck in vain", P.MESSAGE_GONE, P.NEW_MESSAGE_ARRIVED, P.TO_GO_ON),
        *(P.NO_REPLY_POSSIBLE, P.SPEAK_AFTER_TONE, P.SENT_TO, P.NOT_SENT),
        *(P.MESSAGE_RESTORED, P.NO_EARLIER_MESSAGE, P.NO_MORE_MESSAGES, P.NOT_POSSIBLE_NOW),
    ):
        assert counted[wanted] >= 5, f"never came to it: {wanted}"


def test_the_judge_can_condemn() -> None:
    site = Exchange()
    site.put(message("a"), message("b"))
    walker = Walker(random.Random(0), site, Counter(), 1)
    before = walker._stored()
    site.mailboxes.lose(ANNA, "b")
    for keys, at, surprised in (("7", "a", False), ("7", "", True), ("6", "b", False)):
        with pytest.raises(AssertionError):
            walker._judge(before, keys, at, surprised=surprised)
    walker._judge(before, "7", "b", surprised=False)
