"""Somebody walks through every menu for a month: ``python -m tests.dialogues.walker --days N``.

Everything follows from the seed; the report tells which questions were asked, which options were
chosen, which prompts were heard, and where somebody could not get out any more.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from structlog.testing import capture_logs

from tests.clock import run_virtually
from tests.dialogues.exchange import CALLER
from tests.dialogues.walker_month import BUSY, PEOPLE, WalkedSite, sites
from tests.dialogues.walker_watch import (
    KEYS,
    MISTAKES,
    SILENCE,
    Notes,
    Question,
    Watched,
    option_of,
    options,
    spoken_by_calls,
    tables,
)
from tests.fake_channel import FakeChannel
from tests.phone import Phone
from vm_ari.dialogues.desk import Visit
from vm_ari.dialogues.notice_call import serve_notice_call
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.dialogues.reception import receive
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import SITE, GreetingKey, Slot
from vm_ari.domain.notice_call import NoticeCall
from vm_ari.domain.playing_call import PlayingCall
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language, languages
from vm_ari.telephony.call import CallerHungUp
from vm_ari.telephony.menu import Action

CALLS_A_DAY = 14
SHARES = (5, 4, 4, 3, 2, 1)
"""Of the calls, by site."""
SELDOM = 10
"""The end is chosen so much more seldom than everything else."""
LONGEST_WAIT = 400.0
"""Seconds: whoever says and presses nothing is out of every call by then."""
TELEPHONE = "0123456789*#"
TYPED = {
    P.ENTER_MAILBOX: ("101#", "101#", "104#", "999#", "*"),
    P.ENTER_DESTINATION: (
        *("03012345678#", "102#", "77#", "03012345678#", "78#"),
        *("03012345678#", "101#", "0900123456#", "*"),
    ),
    P.ENTER_NAME: ("2662#", "9#", "963#", "8#", "*"),
    P.ENTER_MORE_LETTERS: ("62#", "3#", "*"),
    P.ENTER_LAST_DAY: ("#", "2412#", "0101#", "9999#", "*"),
    P.ENTER_NEW_PIN: (
        "735192#",
        "28461937#",
        "12#",
        "111111#",
        "123456#",
        "4930551047#",
        "4930551087#",
        "*",
    ),
    P.REPEAT_NEW_PIN: ("735192#", "28461937#", "11#", "*"),
}
"""Answers to questions that are no menus; a PIN the owner knows by heart."""


@dataclass
class Walker:
    """One call of somebody who goes where nobody has been for the longest time."""

    dice: random.Random
    phone: Phone
    call: Watched
    pin: str
    notes: Notes
    surprise: Callable[[], None]
    """Lets something happen that nobody on the telephone reckons with."""
    last_typed: str = ""

    async def walks(self) -> None:
        """So many answers; then he hangs up, or is silent until the call is over."""
        for _ in range(self.dice.choice((3, 20, 60, 120))):
            if not await self._is_asked():
                return
            await self._answers()
            if self.dice.random() < 0.15:
                self.surprise()
        if self.dice.random() < 0.5:
            self.phone.hangs_up()
        await self._is_let_go()

    async def _is_asked(self) -> bool:
        """Wait for a question; meanwhile a recording plays, perhaps."""
        begun = self.phone.now()
        while not self.phone.is_over() and self.call.question is None:
            if self.call.plays and self.dice.random() < 0.5:
                await self._controls()
            await self.phone.waits(self.dice.choice((0.3, 3.0)))
            self._must_end(begun)
        return not self.phone.is_over()

    def _must_end(self, begun: float) -> None:
        if self.phone.now() - begun > LONGEST_WAIT:
            names = self.phone.heard_names()[-5:]
            self.notes.broken.append(f"nothing happens after {names}")
            self.phone.hangs_up()

    async def _controls(self) -> None:
        item = min(tables()["listening.PAUSED"], key=lambda one: self.notes.actions[one.action])
        self.notes.actions[item.action] += 1
        self.notes.chosen[item.action, item.offer] += 1
        self.phone.presses(KEYS[item.action])
        if item.action is Action.PAUSE and self.dice.random() < 0.3:
            await self.phone.waits(32.0)

    async def _answers(self) -> None:
        asked = self.call.question
        assert asked
        if self.dice.random() < 0.8:
            await self._listens(asked)
        if self.call.question is not asked:
            return
        if asked.node == "recording":
            await self._speaks()
        elif (way := self._way(asked)) == SILENCE:
            await self._is_silent(asked)
        else:
            asked.pressed += len(way)
            self.phone.presses(way)
            await self.phone.waits(0.05)

    async def _listens(self, asked: Question) -> None:
        """To the end of what is asked."""
        await self.phone.waits(asked.length)

    def _way(self, asked: Question) -> str:
        """Keys that have led out of there least often, useless ones, or silence."""
        ways = self.notes.ways[asked.node]
        if ways[SILENCE] == 0 or self.dice.random() < 0.005:
            return SILENCE
        if asked.prompt is P.ENTER_PIN:
            return self.dice.choice((f"{self.pin}#",) * 9 + ("*", "000000#"))
        if asked.prompt is P.REPEAT_NEW_PIN and self.dice.random() < 0.7:
            return self.last_typed
        if not asked.keys:
            answers = TYPED.get(asked.prompt, ("1#", "*"))
            self.last_typed = answers[self.notes.counts[asked.prompt] % len(answers)]
            self.notes.counts[asked.prompt] += 1
            return self.last_typed
        if self.dice.random() < 0.06:
            return self.dice.choice(TELEPHONE)
        if self.dice.random() < 0.4:
            return self.dice.choice(list(asked.keys))
        return min(asked.keys, key=lambda key: (self._how_often(asked, key), self.dice.random()))

    def _how_often(self, asked: Question, key: str) -> int:
        """As this option in these words, wherever; options without words by their question."""
        option = option_of(asked, key)
        often = self.notes.chosen[option] if option else self.notes.ways[asked.node][key]
        return often * SELDOM if option and option[0] is Action.END else often

    async def _speaks(self) -> None:
        match self.dice.randrange(12):
            case 0:
                await self.phone.waits(20.0)
            case 1:
                await self.phone.talks(0.5)
                self.phone.presses("#")
            case 2:
                self.phone.hangs_up()
            case 3:
                await self.phone.talks(200.0)
            case _:
                await self.phone.talks(5.0)
                self.phone.presses("#")
        await self.phone.waits(0.5)

    async def _is_silent(self, asked: Question) -> None:
        begun = self.phone.now()
        while self.call.question is asked and not self.phone.is_over():
            await self.phone.waits(6.0)
            self._must_end(begun)

    async def _is_let_go(self) -> None:
        begun = self.phone.now()
        while not self.phone.is_over():
            await self.phone.waits(15.0)
            self._must_end(begun)


@dataclass
class Month:
    """Some sites, and the calls that they get."""

    seed: str
    notes: Notes = field(default_factory=Notes)
    logs: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    async def passes(self, days: int, most: int = 0) -> None:
        """Calls at any time of the day; on to the day *most*, until every option was chosen."""
        places = sites(self.dice)
        for place in places:
            await place.prepare()
        for day in range(max(days, most)):
            if day >= days and not self.notes.never_chosen():
                return
            self.notes.counts["days"] += 1
            times = sorted(self.dice.uniform(0, 86_000) for _ in range(CALLS_A_DAY))
            for when in times:
                now = asyncio.get_running_loop().time()
                await asyncio.sleep(max(0.0, day * 86_400 + when - now))
                [place] = self.dice.choices(places, weights=SHARES)
                await place.happens()
                await self._is_called(place)

    async def _is_called(self, place: WalkedSite) -> None:
        line = place.line()
        mailbox = self.dice.choice((*BUSY, *BUSY, *(user.mailbox for user in PEOPLE), "999"))
        call = Watched(line, language("en"))
        call.notes, call.hidden = self.notes, place.hidden
        user = next((user for user in PEOPLE if user.mailbox == mailbox), PEOPLE[0])
        phone = Phone(line, language("en"))
        surprise = partial(place.surprises, user.mailbox)
        walker = Walker(self.dice, phone, call, place.pin(user), self.notes, surprise)
        self.notes.counts["calls"] += 1
        async with asyncio.TaskGroup() as both:
            both.create_task(_served(line, self._story(place, call, mailbox)))
            both.create_task(walker.walks())
        if not line.gone:
            self.notes.broken.append(f"the line of a call to {mailbox} is left open")
        self.notes.heard.update(
            name if name.startswith("tones/") else name.partition("/")[2]
            for name in (*phone.heard_names(), *phone.whispered_names())
        )
        for leg in line.legs:
            self.notes.heard.update(clip.name.partition("/")[2] for clip in leg.heard)

    def _story(
        self, place: WalkedSite, call: Watched, mailbox: str
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """What the call is for."""
        desk, dice = place.site.desk, self.dice
        caller = dice.choice((CALLER, Caller("102"), Caller("")))
        exits = dice.choice(("", "", "o", "oa"))
        user = next((user for user in PEOPLE if user.mailbox == mailbox), PEOPLE[0])
        match dice.choices(range(6), weights=(34, 50, 6, 4, 3, 3))[0]:
            case 0:
                return lambda: receive(call, "leave", Visit(caller, mailbox, exits), desk)
            case 1:
                dialled = mailbox if dice.random() < 0.9 else ""
                return lambda: receive(call, "login", Visit(caller, dialled), desk)
            case 2:
                return lambda: receive(call, "common", Visit(caller, "500"), desk)
            case 3:
                phone = dice.choice(("102", mailbox))
                return lambda: serve_notice_call(call, desk, NoticeCall(user.id, phone))
            case 4:
                inbox = [one.uid for one in place.site.mailboxes.of(user)]
                uid = dice.choice([*inbox, "gone"])
                return lambda: serve_playing_call(call, desk, PlayingCall(user.id, uid, "102"))
        owner, slot = (user.id, dice.choice(list(Slot)))
        key = GreetingKey(SITE if slot is Slot.GLOBAL else owner, slot, dice.choice(languages()))
        return lambda: serve_recording_call(call, desk, key)


async def _served(line: FakeChannel, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await story()
    except CallerHungUp:
        pass
    finally:
        await line.hang_up()


def walk(days: int, seed: str, most: int = 0) -> Notes:
    """The whole time, as `Month.passes`; faults of ours count as broken promises."""
    month = Month(seed)
    with capture_logs() as logs:
        run_virtually(month.passes(days, most))
    failed = [entry for entry in logs if entry["event"] == "call failed"]
    month.notes.broken += [f"a call failed: {entry}" for entry in failed]
    return month.notes


def report(notes: Notes, seed: str, seconds: float) -> str:
    """For people."""
    speakable = spoken_by_calls()
    pressed = sum(sum(ways.values()) for ways in notes.ways.values())
    days, calls = notes.counts["days"], notes.counts["calls"]
    lines = [
        f"seed {seed}: {days} days, {calls} calls in {seconds:.1f} s",
        f"{len(notes.visited())} of {len(tables())} menus, {len(notes.ways)} questions, "
        f"{pressed} answers",
        f"{len(options()) - len(notes.never_chosen())} of {len(options())} options chosen",
        f"{len(speakable) - len(notes.never_heard())} of {len(speakable)} prompts heard",
        f"{sum(ways[SILENCE] for ways in notes.ways.values())} times out by silence, "
        f"{sum(ways[MISTAKES] for ways in notes.ways.values())} times by useless keys",
        *(f"DEAD END: {node}: {dict(notes.ways[node])}" for node in notes.dead_ends()),
        *(f"NEVER CHOSEN: {action}: {offer}" for action, offer in notes.never_chosen()),
        f"NEVER HEARD: {' '.join(sorted(notes.never_heard()))}",
        *(f"BROKEN: {one}" for one in notes.broken),
    ]
    return "\n".join(lines)


def main() -> int:
    """Walk and report; 1 if a promise was broken."""
    options_ = argparse.ArgumentParser(prog="python -m tests.dialogues.walker", description=__doc__)
    options_.add_argument("--days", type=int, default=30)
    options_.add_argument("--seed", default=str(random.SystemRandom().randrange(1_000_000)))
    chosen = options_.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    begun = time.perf_counter()
    notes = walk(chosen.days, chosen.seed)
    print(report(notes, chosen.seed, time.perf_counter() - begun))
    return 1 if notes.broken or notes.dead_ends() else 0


if __name__ == "__main__":
    sys.exit(main())
