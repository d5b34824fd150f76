"""Callers and owners who do anything, while everything around them dies; each notes what was so."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from tests.system.callers import BEEP, Caller, NotHeard, babble
from tests.system.listening import only
from tests.torture.book import Book, Said, Sent
from vm_ari.adapters.ear import RATE, identify
from vm_ari.adapters.softphone import IncomingCall, OutgoingCall, Softphone
from vm_ari.adapters.softphone.errors import SoftphoneError
from vm_ari.demo.world import Person, World

FALLBACK = "fallback-greeting"
PATIENCE = 15.0
"""Seconds that somebody waits for the tone, or for an answer."""
FAREWELL = 2.0
LONGEST_CALL = 120.0
KEYS = "1111222333444555666677778899000*##"
OUTSIDE_NUMBER = "+493012345678"
TYPED_OUTSIDE = "03012345678"
GOES_WRONG = (SoftphoneError, NotHeard, TimeoutError)
"""What a caller sees of a part that died."""


@dataclass(frozen=True)
class Town:
    """Who lives there, and what is noted of them."""

    world: World
    people: tuple[Person, ...]
    transferred: Person
    """Whoever calls this one may be connected with Anna."""
    book: Book
    lines: set[OutgoingCall] = field(default_factory=set)
    """Calls that are up."""

    def lines_die(self) -> None:
        """Nobody talks on for long when nothing at all is heard any more."""
        for call in tuple(self.lines):
            call.drop()


@dataclass(frozen=True)
class Errand:
    """One call: who makes it, with which dice; *number* is nobody else's."""

    town: Town
    dice: random.Random
    number: str
    seed: int
    """For the words, so that they are like no others."""


Story = Callable[[Errand], Awaitable[None]]


class Listener(Caller):
    """Who does not tell everything that he heard: to recognise it takes longer than the call."""

    def told(self) -> list[str]:
        """Only how long it was."""
        return [f"{len(self.call.heard) / RATE:.1f} s"]


@asynccontextmanager
async def on_the_line(errand: Errand, target: str) -> AsyncIterator[Caller]:
    """A call from outside; a dead line at its end is let go. Raises what `GOES_WRONG`."""
    async with errand.town.world.outside_phone() as phone:
        call = phone.dial(target, from_number=errand.number)
        errand.town.lines.add(call)
        try:
            await call.answered(PATIENCE)
            yield Listener(call, "de", errand.number)
        finally:
            errand.town.lines.discard(call)
            with contextlib.suppress(*GOES_WRONG):
                async with asyncio.timeout(FAREWELL):
                    await call.hang_up()
            call.drop()


# --- leaving messages


async def leaves_a_message(errand: Errand) -> None:
    """Skips the greeting, speaks after the tone, ends in one of the ways people do."""
    dice, book = errand.dice, errand.town.book
    seconds = dice.choice((0.4, 2.6, 3.2, 4.0, 5.0, 7.0)) + dice.uniform(0, 0.4)
    said = Said(errand.number, babble(seconds, errand.seed))
    try:
        async with on_the_line(errand, dice.choice(errand.town.people).number) as caller:
            await asyncio.sleep(dice.uniform(0, 1))
            with contextlib.suppress(*GOES_WRONG):
                said = await _speaks(caller, said)
                said = replace(said, thanked=await _ends(caller, dice, said))
            said = replace(said, by_dialplan=await asyncio.to_thread(_by_dialplan, caller))
    except GOES_WRONG as error:
        book.told[f"not connected: {type(error).__name__}"] += said.begun is None
    said = replace(said, over=time.monotonic())
    book.said.append(said)
    book.told["messages begun"] += said.begun is not None
    book.told["thanked for"] += said.thanked
    book.told["taken by the dialplan"] += said.begun is not None and said.by_dialplan


async def _speaks(caller: Caller, said: Said) -> Said:
    """After the tone, until all is said or the line is dead."""
    await caller.presses("0")
    await caller.hears(BEEP, within=PATIENCE)
    begun = time.monotonic()
    with contextlib.suppress(SoftphoneError):
        await caller.speaks(said.words)
    return replace(said, begun=begun, ended=time.monotonic())


async def _ends(caller: Caller, dice: random.Random, said: Said) -> bool:
    """Was he told that it is kept?"""
    match dice.randrange(8):
        case 0 | 1:
            await caller.presses("#1")
            await caller.hears("thank-you-goodbye", within=8)
            return True
        case 2:
            await caller.presses("#")
            await asyncio.sleep(dice.uniform(0, 4))
        case 3:
            await caller.presses("#4")
            await asyncio.sleep(dice.uniform(0, 2))
        case 4:
            await caller.presses("#2")
            await asyncio.sleep(dice.uniform(0, 2))
        case 5:
            await asyncio.sleep(dice.uniform(0, 1.5))
        case 6:
            await caller.presses("#")
        case _:
            pass
    return False


def _by_dialplan(caller: Caller) -> bool:
    return bool(identify(caller.call.heard, only("de", f"de/{FALLBACK}")))


async def hangs_up_any_time(errand: Errand) -> None:
    """Whatever is to be heard just then; what he says, if anything, is too short to count."""
    dice = errand.dice
    async with on_the_line(errand, dice.choice(errand.town.people).number) as caller:
        await asyncio.sleep(dice.uniform(0, 2))
        if dice.random() < 0.5:
            await caller.presses(dice.choice(("0", "*", "#", "0#")))
            await asyncio.sleep(dice.uniform(0, 3))


# --- owners


async def presses_anything(errand: Errand) -> None:
    """An owner logs in and presses keys at random: messages are heard, deleted, brought back."""
    dice, owner = errand.dice, errand.dice.choice(errand.town.people)
    async with on_the_line(errand, owner.number) as caller:
        await _logs_in(errand, caller, owner)
        await caller.presses(dice.choice("1112"))
        for _ in range(dice.randint(2, 14)):
            await asyncio.sleep(dice.choice((0.1, 0.6, 1.5, 3.0)) * dice.uniform(0.5, 1.5))
            await caller.presses(dice.choice(KEYS), ms=60)
            errand.town.book.told["keys pressed in mailboxes"] += 1


async def _logs_in(errand: Errand, caller: Caller, owner: Person) -> None:
    await caller.presses(f"*{owner.pin}#", ms=60)
    await caller.hears("you-have", within=PATIENCE)
    errand.town.book.told["mailboxes opened"] += 1


async def sends_a_message(errand: Errand) -> None:
    """To a colleague, or to a number outside that is reached by mail."""
    dice = errand.dice
    owner, other = dice.sample(errand.town.people, 2)
    outside = dice.random() < 0.4
    typed = f"1{TYPED_OUTSIDE}#1" if outside else f"1{other.extension}#"
    to = OUTSIDE_NUMBER if outside else other.extension
    await _sends(errand, owner, f"9{typed}##", to)


async def forwards_a_message(errand: Errand) -> None:
    """The first new one, with a comment."""
    owner, other = errand.dice.sample(errand.town.people, 2)
    await _sends(errand, owner, f"81{other.extension}##3#", other.extension, listens=True)


async def _sends(
    errand: Errand, owner: Person, keys: str, to: str, *, listens: bool = False
) -> None:
    words = babble(errand.dice.uniform(2.3, 3.5), errand.seed)
    sent = Sent(owner.number, to, words, confirmed=False)
    try:
        async with on_the_line(errand, owner.number) as caller:
            await _logs_in(errand, caller, owner)
            if listens:
                await caller.presses("1")
                await caller.hears("message-number", within=PATIENCE)
                await caller.presses("##", ms=60)
                await caller.hears("to-repeat", within=PATIENCE)
            await caller.presses(keys, ms=60)
            await caller.hears(BEEP, within=PATIENCE)
            await caller.speaks(words)
            await caller.presses("#1")
            await caller.hears("sent-to", within=8)
            sent = replace(sent, confirmed=True)
    finally:
        errand.town.book.sent.append(sent)
        errand.town.book.told["sendings confirmed"] += sent.confirmed


# --- transfer


async def is_connected(errand: Errand) -> None:
    """With Anna, who answers or does not; they talk until one hangs up."""
    dice = errand.dice
    async with on_the_line(errand, errand.town.transferred.number) as caller:
        await caller.hears("to-be-connected", within=PATIENCE)
        await caller.presses("2")
        await caller.hears("please-hold", within=PATIENCE)
        errand.town.book.told["transfers asked for"] += 1
        await asyncio.sleep(dice.uniform(0, 3))
        await caller.speaks(babble(dice.uniform(0.5, 2), errand.seed))


async def answers(phone: Softphone, dice: random.Random, book: Book) -> None:
    """Somebody at a desk: takes calls, refuses them, lets them ring, talks and hangs up."""
    async with asyncio.TaskGroup() as calls:
        while True:
            with contextlib.suppress(TimeoutError):
                ringing = await phone.next_call(within=3600)
                calls.create_task(_is_called(ringing, random.Random(dice.random()), book))


async def _is_called(call: IncomingCall, dice: random.Random, book: Book) -> None:
    await asyncio.sleep(dice.uniform(0, 1.5))
    with contextlib.suppress(*GOES_WRONG):
        match dice.randrange(4):
            case 0:
                call.reject()
            case 1:
                await asyncio.wait_for(call.ended.wait(), 8)
            case _:
                call.answer()
                book.told["transfers answered"] += 1
                await call.speak(babble(dice.uniform(0.3, 2.5), dice.randrange(10**6)))
    with contextlib.suppress(*GOES_WRONG):
        async with asyncio.timeout(FAREWELL):
            await call.hang_up()
    call.drop()


STORIES: tuple[tuple[Story, int], ...] = (
    (leaves_a_message, 60),
    (hangs_up_any_time, 8),
    (presses_anything, 16),
    (sends_a_message, 8),
    (forwards_a_message, 6),
    (is_connected, 6),
)
"""And how often each is told."""


async def lives(town: Town, seed: str, lane: int, over: asyncio.Event) -> None:
    """One call after the other, until it is *over*."""
    dice, count = random.Random(f"{seed} lane {lane}"), 0
    stories, weights = zip(*STORIES, strict=True)
    while not over.is_set():
        count += 1
        [story] = dice.choices(stories, weights) if count > 1 else [leaves_a_message]
        number = f"+49308{lane:02}{count:05}"
        errand = Errand(town, random.Random(dice.random()), number, lane * 10_000 + count)
        town.book.told["calls"] += 1
        try:
            async with asyncio.timeout(LONGEST_CALL):
                await story(errand)
        except GOES_WRONG as error:
            name = story.__name__.replace("_", " ")
            town.book.told[f"ended early: {name}: {type(error).__name__}"] += 1
            town.book.diary.append(f"{number} {name}: {error}")
        await asyncio.sleep(dice.uniform(0, 0.5))
