"""A thousand callers who do anything: every call ends, and nobody is told what is not so."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, BERT, PIN, Exchange, message, tell
from tests.dialogues.own_menus import IN_MENUS, WITH_A_NEW_PIN
from tests.dialogues.reading_site import put
from tests.fake_channel import FakeChannel
from tests.fake_voice import said
from tests.phone import Phone, Told
from vm_ari.domain.journal import Result
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.preferences import Access
from vm_ari.domain.recording import Ending, Take, worth_keeping
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P

CALLS = 1000
LONGEST = 3600.0
"""Seconds: nobody keeps a line busy longer with 30 things to do."""
USERS = (
    ANNA,
    BERT,
    replace(ANNA, id="otto", mailbox="103", numbers=("103",), voice_mail_enabled=False),
    replace(ANNA, id="anne", mailbox="104", numbers=("104",), takes_messages=False),
    replace(ANNA, id="max", mailbox="105", numbers=("105",), access=Access.NONE),
)
SENSIBLE = ("0", "#", "1", "1", "2", "3", "4", "4", "6", "7", "9", "9", "11", "77", f"{PIN}#")
RARE = {P.FALLBACK_GREETING, P.WARNING_BEEP, P.NOT_DONE}
"""By the dialplan alone, as a whisper, when the disk is full just then."""
CONNECTING = {
    *(P.PLEASE_HOLD, P.NOT_REACHED, P.DESTINATION_BUSY, P.CALL_FROM, P.CALL_FROM_UNKNOWN),
    *(P.TO_ACCEPT, P.TO_LEAVE_A_MESSAGE, P.TO_BE_CONNECTED, P.FOR_THE_OPERATOR),
    *(P.MAILBOX_OF, P.RECORDING_CALL, P.YOUR_NAME, P.GLOBAL_GREETING, P.MESSAGE_CALL),
    *(P.TO_CALL_BACK, P.NUMBER_IS, P.NUMBER_NOT_KNOWN),
    *(P.NOTICE_CALL, P.TO_BE_CALLED_LATER, P.FOR_NO_CALLS_TODAY, P.NO_MORE_CALLS_TODAY),
    P.SPOKEN_MESSAGE,
}
"""Nobody here has set up a transfer, a name or a call by the system, or signed a message."""
LISTENING_ONLY = {
    *(P.MESSAGE_GONE, P.NEW_MESSAGE_ARRIVED, P.MESSAGE_RESTORED, P.MESSAGE_KEPT_NEW, P.TO_GO_ON),
    *(P.TO_REWIND, P.TO_FORWARD, P.TO_PLAY_SLOWER, P.TO_PLAY_FASTER, P.TO_SKIP_THE_REST),
    *(P.FROM_NAME, P.KIND_MAIL, P.KIND_FAX),
}
"""Of messages that others change, of a pause and of named senders: `test_inbox_walk.py`."""
IN_CONFERENCES = {prompt for prompt in P if prompt.name.startswith("CONFERENCE_")} | {
    *(P.TONE_JOINED, P.TONE_LEFT),
}
"""Nobody walks into a room alone: `test_conference.py`."""
SENDING_ONLY = {
    *(P.TO_SEND_A_MESSAGE, P.TO_REPLY, P.TO_SEND_ON, P.NO_REPLY_POSSIBLE, P.TOO_MANY_NAMES),
    *(P.CANNOT_SEND_THERE, P.THE_LIST, P.THE_NUMBER, P.AS_FAX, P.AS_VOICE, P.MESSAGE_SENT),
    *(P.TOO_MANY_RECIPIENTS, P.NO_MORE_TODAY, P.MESSAGE_TOO_LARGE),
    *(P.TO_RECORD_COMMENT, P.TO_SEND_WITHOUT_COMMENT),
}
"""Nothing can be sent from here: `test_send_message.py`, `test_reply_and_forward.py`."""
SOME_UNHEARD = 3
LISTENING = "/listening/"
LETTER = "Please have a look at the paper with the number {}."
NOT_ALL_READ_ALOUD = {
    *(P.FOR_NEW_MAILS, P.FOR_NEW_FAXES, P.FOR_READ_MAILS, P.FOR_READ_FAXES, P.KIND_TEXT),
    P.CANNOT_READ_ALOUD,
}
"""Where a site reads only some kinds aloud, or the voice fails: `test_reading.py`."""


@dataclass
class Stranger:
    """Somebody who does up to 30 things, at random."""

    dice: random.Random
    site: Exchange
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Last prompt and key of everything pressed."""
    meddled: bool = False
    """Somebody else changed the mailbox, or something was down."""

    async def calls(self, phone: Phone) -> None:
        await self._begins(phone)
        for _ in range(self.dice.randint(0, 30)):
            if phone.is_over():
                return
            await self._does_something(phone)
        if self.dice.random() < 0.5:
            phone.hangs_up()
        await phone.hears_the_end()

    async def _begins(self, phone: Phone) -> None:
        """Owners log in, callers say something after the tone, others just begin."""
        match self.dice.randrange(4):
            case 0 | 1:
                self._press(phone, self.dice.choice((f"*{PIN}#", f"101#{PIN}#", f"{PIN}#")))
                await phone.waits(3)
            case 2:
                self._press(phone, "0")
                await phone.waits(1)
                await phone.talks(4)
                self._press(phone, "#")
            case _:
                pass

    async def _does_something(self, phone: Phone) -> None:
        match self.dice.choices(range(6), weights=(40, 10, 30, 12, 2, 6))[0]:
            case 0:
                self._press(phone, self.dice.choice(SENSIBLE))
                await phone.waits(self.dice.choice((0, 1, 5, 20, 20)))
            case 1:
                self._press(phone, self.dice.choice("0123456789*#"))
            case 2:
                await phone.waits(self.dice.choice((0.1, 1, 5, 20)) * self.dice.random())
            case 3:
                await phone.talks(self.dice.choice((0.5, 3, 12)) * self.dice.random())
            case 4:
                phone.hangs_up()
            case _:
                self._meddle()

    def _press(self, phone: Phone, keys: str) -> None:
        before = phone.heard_names()[-1:] or ["silence"]
        self.keys += [(before[0].removeprefix("en/").removeprefix("de/"), key) for key in keys]
        phone.presses(keys)

    def _meddle(self) -> None:
        self.meddled = True
        match self.dice.randrange(5):
            case 0:
                self.site.directory.unavailable ^= True
            case 1:
                self.site.mailboxes.unavailable ^= True
            case 2 | 3:
                self.site.mailboxes.lose(ANNA, self.dice.choice("abcd"))
            case _:
                self.site.spool.refuses ^= {self.dice.choice(("begin", "keep", "inspect"))}


@dataclass(frozen=True)
class Outcome:
    """A finished call."""

    stranger: Stranger
    line: FakeChannel
    told: Told
    before: Sequence[StoredMessage]
    owner: User | None

    @property
    def site(self) -> Exchange:
        return self.stranger.site

    @property
    def heard(self) -> Counter[str]:
        """Prompts without their language."""
        names = self.told.phone.heard_names()
        return Counter(name.removeprefix("en/").removeprefix("de/") for name in names)

    def said_something(self) -> bool:
        limits = self.site.rules.limits
        return any(worth_keeping(take, limits, Ending.KEY) for take in self.line.recorded)


def random_call(seed: int) -> Outcome:
    """Everything about it follows from the seed."""
    dice = random.Random(seed)
    rules = Rules(
        default_recipient=dice.choice(("", "desk@site.example")),
        options_after_message=dice.random() < 0.8,
        caller_may_review=dice.random() < 0.9,
    )
    site = Exchange(users=USERS, rules=rules)
    for uid in "abcd"[: dice.randint(0, 4)]:
        old, urgent = dice.random() < 0.4, dice.random() < 0.3
        site.put(
            message(
                uid,
                minutes_ago=dice.randint(1, 9999),
                new=not old,
                urgent=urgent,
                number=dice.choice(("", "102", "+4989123")),
            )
        )
    for uid in "xyz"[: dice.randint(0, 3)]:
        kind = dice.choice((MessageKind.MAIL, MessageKind.FAX))
        put(site, uid, LETTER.format(uid), new=dice.random() < 0.7, kind=kind)
    site.directory.failures[ANNA.id] = dice.choice((0, 0, 0, 4, 5))
    before, line, stranger = site.mailboxes.of(ANNA), site.line(), Stranger(dice, site)
    purpose = dice.choice(("leave", "leave", "login"))
    dialled = dice.choice(("101", "101", "101", "102", "103", "104", "105", "199", ""))

    async def whole() -> Told:
        async with asyncio.timeout(LONGEST):
            return await site.call(
                stranger.calls,
                purpose=purpose,
                dialled=dialled,
                exits=dice.choice(("", "o", "oa")),
                line=line,
            )

    told = tell(whole())
    owner = next((user for user in USERS if user.mailbox == dialled), None)
    return Outcome(stranger, line, told, before, owner)


# --- what must be so after every call


def the_line_is_free(call: Outcome) -> None:
    assert call.line.gone
    status = call.line.left[0] if call.line.left else "hung up"
    allowed = {"hung up", "SUCCESS", "NOMAILBOX", "USEREXIT"} | (
        {"FAILED"} if call.stranger.meddled else set()
    )
    assert status in allowed
    assert bool(call.heard["technical-problem"]) <= call.stranger.meddled


def what_was_said_is_kept_once_and_nothing_else(call: Outcome) -> None:
    kept, thanks = call.site.spool.kept, call.heard[P.THANK_YOU_GOODBYE]
    assert len(kept) <= 1
    assert thanks <= len(kept)
    assert call.site.deliveries_asked == len(kept)
    assert len(kept) <= call.said_something()
    if not call.stranger.meddled:
        assert len(kept) == call.said_something()
        assert call.site.spool.open == {}
    if call.said_something() and not kept:
        assert len(call.site.spool.takes) > 0
    if kept and call.owner and not call.stranger.meddled:
        assert kept[0].facts.user_id == call.owner.id
        assert call.owner.takes_messages
        assert call.owner.voice_mail_enabled


def the_mailbox_is_as_the_user_left_it(call: Outcome) -> None:
    now = {stored.uid: stored for stored in call.site.mailboxes.of(ANNA)}
    keys = {key for _, key in call.stranger.keys}
    for stored in call.before:
        if stored.uid not in now:
            assert "7" in keys or call.stranger.meddled
        elif stored.new and not now[stored.uid].new:
            assert call.heard[content_of(stored)]
        elif now[stored.uid].new and not stored.new:
            assert "2" in keys
    if not call.stranger.meddled:
        deleted = call.site.mailboxes.deleted.get(ANNA.id, {})
        assert len(now) + len(deleted) == len(call.before)
        voice = [stored for stored in now.values() if stored.kind is MessageKind.VOICE]
        new = sum(stored.new for stored in voice)
        assert call.site.lamps.shown in ({}, {"101": (new, len(voice) - new)})


def content_of(stored: StoredMessage) -> str:
    """The name of its content, or of the beginning."""
    match stored.kind:
        case MessageKind.VOICE:
            return LISTENING + stored.uid
        case MessageKind.FAX:
            return said("This fax cannot be read aloud.").path
        case _:
            return said(LETTER.format(stored.uid)).path


def only_who_knows_the_pin_hears_messages(call: Outcome) -> None:
    if any(name.startswith((LISTENING, "/spoken/")) for name in call.heard):
        typed = "".join(key for _, key in call.stranger.keys)
        assert PIN in typed


def the_journal_has_one_true_entry(call: Outcome) -> None:
    [entry] = call.site.noted()
    left = entry.result is Result.MESSAGE_LEFT
    assert entry.ended is not None
    assert entry.result is not Result.UNKNOWN
    assert left == bool(call.site.spool.kept)
    if left:
        assert entry.message_id == call.site.spool.kept[0].facts.message_id
    assert PIN not in repr(entry)


PROMISES = (
    the_line_is_free,
    what_was_said_is_kept_once_and_nothing_else,
    the_mailbox_is_as_the_user_left_it,
    only_who_knows_the_pin_hears_messages,
    the_journal_has_one_true_entry,
)


@pytest.mark.feature_part("CALL-07", "whatever callers do, what they said is kept exactly once")
@pytest.mark.feature_part("MENU-03", "every call ends")
def test_a_thousand_random_calls_keep_every_promise(logs: Logs) -> None:
    heard: Counter[str] = Counter()
    nodes: Counter[tuple[str, str]] = Counter()
    ends: Counter[str] = Counter()
    for seed in range(CALLS):
        logs.clear()
        try:
            call = random_call(seed)
            for promise in PROMISES:
                promise(call)
            assert not [entry for entry in logs if entry["event"] == "call failed"]
        except BaseException as error:
            error.add_note(f"call {seed}")
            raise
        heard += call.heard
        nodes.update(call.stranger.keys)
        ends["messages kept"] += len(call.site.spool.kept)
        ends[call.line.left[0] if call.line.left else "hung up"] += 1
    prompts = {prompt for prompt in P if heard[prompt.value]}
    print(f"{CALLS} random calls: {dict(ends)}; {len(prompts)} of {len(P)} prompts heard;")
    print(f"{len(nodes)} (prompt, key) nodes, {sum(nodes.values())} keys pressed")
    unheard = set(P) - prompts - RARE - CONNECTING - IN_MENUS - WITH_A_NEW_PIN - LISTENING_ONLY
    unheard -= NOT_ALL_READ_ALOUD | SENDING_ONLY | IN_CONFERENCES
    assert len(unheard) <= SOME_UNHEARD, unheard
    assert ends["messages kept"] > CALLS / 10
    assert len(nodes) > 250


def test_the_promises_can_be_broken() -> None:
    """A call that goes wrong is noticed: the checks above are not empty."""
    call = next(
        c for c in map(random_call, range(99)) if c.site.spool.kept and not c.stranger.meddled
    )
    call.line.recorded[:] = [Take(1.0, 1.0)]
    with pytest.raises(AssertionError):
        what_was_said_is_kept_once_and_nothing_else(call)
    call.site.mailboxes.inboxes[ANNA.id] = {}
    call.line.gone = False
    with pytest.raises(AssertionError):
        the_line_is_free(call)
