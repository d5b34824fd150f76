"""What was said and promised during a torture, and the judge who compares it with what is found.

Pure: no judge here knows how the product works, only what it promises (docs/reliability.md).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.system.callers import likeness
from vm_ari.adapters.ear import RATE, Audio

SHORTEST = 2.0
"""Seconds: the documented minimum of what is kept (`calls.shortest_seconds`)."""
MARGIN = 0.3
"""Seconds by which a caller on a busy machine may misjudge when he spoke."""
LOST = 0.1
LOST_BY_DIALPLAN = 0.5
"""Seconds: Record() cuts a quarter of a second and more before a #."""
LOST_WITH_ASTERISK = 2.4
"""Seconds: Asterisk writes 32 KiB at a time, 2.05 s of 8 kHz audio, and reads in packets."""
LOST_AT_A_RESTART = 0.7
ALIKE = 0.95


class Part(StrEnum):
    """What is killed."""

    CONTROLLER = "controller"
    ASTERISK = "Asterisk"
    SLAPD = "slapd"
    DOVECOT = "Dovecot"
    SMTP = "SMTP server"


class Way(StrEnum):
    """How it is made to fail."""

    KILL = "SIGKILL"
    TERM = "SIGTERM"
    FREEZE = "SIGSTOP"


@dataclass(frozen=True)
class Outage:
    """One of them, *begun* … *ended* in monotonic seconds."""

    part: Part
    way: Way
    begun: float
    ended: float


@dataclass(frozen=True)
class Said:
    """What one caller can tell about the message that he left, or did not leave."""

    number: str
    """The caller's; nobody else has it."""
    words: Audio
    begun: float | None = None
    """When he began to speak behind the tone; None: there was no tone."""
    ended: float = 0.0
    """When he had said everything, or fell silent because the line was dead."""
    over: float = 0.0
    """When he had put the receiver down."""
    thanked: bool = False
    """Was he told that it is kept?"""
    by_dialplan: bool = False
    """Was there no controller, when he called?"""


@dataclass(frozen=True)
class Sent:
    """What a user sent to somebody, known by what was said in it."""

    sender: str
    """Number."""
    to: str
    """Extension of a colleague; a telephone number where it went out by mail."""
    words: Audio
    confirmed: bool
    """Was the user told that it goes there?"""


@dataclass(frozen=True)
class Found:
    """A voice message that lies somewhere in the end."""

    place: str
    """Extension of the mailbox, or the number that a mail was sent to."""
    message_id: str
    caller: str
    """The number in our own header; empty in mails for outside."""
    audio: Audio
    deleted: bool = False
    new: bool = False


@dataclass
class Book:
    """Everything that happened."""

    said: list[Said] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    """How often calls went which way."""
    diary: list[str] = field(default_factory=list)
    """How calls ended that ended early, for whoever looks for a fault."""
    complaints: list[str] = field(default_factory=list)
    """What was seen to be wrong while it went on."""


@dataclass(frozen=True)
class Judgement:
    """What came of it."""

    confirmed: int
    """Messages of which the words have to be there."""
    found: int
    """Of these."""
    duplicates: int
    repeated_mails: int
    """Copies of one Message-ID outside, where nobody can ask whether it is there already."""
    violations: Sequence[str]


def judge(book: Book, found: Sequence[Found], outside: Sequence[Found]) -> Judgement:
    """Is everything there that was promised, and nothing twice?"""
    by_number: dict[str, list[Found]] = {}
    for one in found:
        by_number.setdefault(one.caller, []).append(one)
    needed = [(said, need) for said in book.said if (need := owed(said, book.outages)) is not None]
    wrong = [
        f"{why}; meanwhile: {_meanwhile(said, book.outages) or 'nothing'}"
        for said, need in needed
        if (why := _missing(said, need, by_number))
    ]
    promised = [sent for sent in book.sent if sent.confirmed]
    counts = {id(sent): _copies(sent, by_number, outside) for sent in book.sent}
    lost = [f"{_name(sent)}: confirmed, and not there" for sent in promised if not counts[id(sent)]]
    twice = [*_twice(book.said, by_number), *_doubles(found)]
    twice += [f"{_name(s)}: there {counts[id(s)]} times" for s in book.sent if counts[id(s)] > 1]
    return Judgement(
        confirmed=len(needed) + len(promised),
        found=len(needed) + len(promised) - len(wrong) - len(lost),
        duplicates=len(twice),
        repeated_mails=len(outside) - len({one.message_id for one in outside}),
        violations=[*book.complaints, *wrong, *lost, *twice],
    )


def owed(said: Said, outages: Iterable[Outage]) -> float | None:
    """Seconds of the words that have to be there; None: none need be."""
    if said.begun is None:
        return None
    spoken = min(said.ended - said.begun, len(said.words) / RATE)
    lost = LOST_BY_DIALPLAN if said.by_dialplan else LOST
    deaths = [one for one in outages if one.part is Part.ASTERISK]
    death = next((one for one in deaths if _meets(one, said.begun, said.over)), None)
    if death and not said.thanked:
        spoken = min(spoken, death.begun - said.begun - MARGIN)
        lost += LOST_WITH_ASTERISK if death.way is Way.KILL else LOST_AT_A_RESTART
    need = spoken - lost
    thanked = said.thanked and not said.by_dialplan  # who cannot know how short it was
    return need if need >= SHORTEST or thanked else None


def _meets(outage: Outage, begun: float, over: float) -> bool:
    """An Asterisk that is asked to end may go on for seconds before it cuts calls off."""
    return outage.begun <= over + MARGIN and outage.ended >= begun


def _missing(said: Said, need: float, found: Mapping[str, Sequence[Found]]) -> str:
    """Why it is not as it should be; empty if it is."""
    there = found.get(said.number, ())
    if not there:
        return f"{said.number}: {need:.1f} s of words are owed, and no message is there"
    seconds, alike = likeness(said.words, there[0].audio)
    if alike < ALIKE:
        return f"{said.number}: the message holds another sound ({alike:.2f} alike)"
    if seconds < need - MARGIN:
        return f"{said.number}: only {seconds:.2f} of {need:.2f} s are there"
    return ""


def _meanwhile(said: Said, outages: Iterable[Outage]) -> str:
    """What failed around it, in seconds since the first word."""
    begun = said.begun or 0.0
    near = [one for one in outages if one.begun < said.over + 5 and one.ended > begun - 5]
    told = [
        f"{one.part} {one.way} {one.begun - begun:.1f} … {one.ended - begun:.1f}" for one in near
    ]
    return ", ".join([f"spoke until {said.ended - begun:.1f}", *told])


def _twice(said: Iterable[Said], found: Mapping[str, Sequence[Found]]) -> Iterable[str]:
    for one in said:
        if (count := len(found.get(one.number, ()))) > 1:
            yield f"{one.number}: the message is there {count} times"


def _doubles(found: Iterable[Found]) -> Iterable[str]:
    """One Message-ID is one message, in one mailbox."""
    counts = Counter((one.place, one.message_id) for one in found)
    for (place, message_id), count in counts.items():
        if count > 1:
            yield f"{place}: {message_id} is there {count} times"


def _copies(sent: Sent, found: Mapping[str, Sequence[Found]], outside: Iterable[Found]) -> int:
    """How many different mails bring these words to that recipient."""
    candidates = [*found.get(sent.sender, ()), *outside]
    return len(
        {
            one.message_id
            for one in candidates
            if one.place == sent.to and holds(one.audio, sent.words)
        }
    )


def holds(audio: Audio, words: Audio) -> bool:
    """Are all these words in it?"""
    seconds, alike = likeness(words, audio)
    return alike > ALIKE and seconds >= len(words) / RATE - LOST - MARGIN


def _name(sent: Sent) -> str:
    return f"{len(sent.words) / RATE:.2f} s from {sent.sender} to {sent.to}"
