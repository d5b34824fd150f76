"""Somebody walks through every menu for a month: ``python -m tests.dialogues.walker --days N``.

Everything follows from the seed; the report tells which questions were asked, which options were
chosen, which prompts were heard, and where somebody could not get out any more.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog
from structlog.testing import capture_logs

from tests.clock import run_virtually
from tests.dialogues.exchange import CALLER
from tests.dialogues.test_spoken_call import BACK, SCRIPT, Ordered
from tests.dialogues.walker_month import BUSY, PEOPLE, WalkedSite, sites
from tests.dialogues.walker_person import Walker
from tests.dialogues.walker_rooms import WalkedRoom, rooms
from tests.dialogues.walker_watch import (
    MISTAKES,
    SILENCE,
    Notes,
    Watched,
    options,
    spoken_by_calls,
    tables,
)
from tests.fake_channel import FakeChannel
from tests.phone import Phone
from vm_ari.dialogues.call_back_call import serve_call_back_call
from vm_ari.dialogues.desk import Visit
from vm_ari.dialogues.notice_call import serve_notice_call
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.dialogues.reception import receive
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.dialogues.spoken_call import serve_spoken_call
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import SITE, GreetingKey, Slot
from vm_ari.domain.notice_call import NoticeCall
from vm_ari.domain.playing_call import PlayingCall
from vm_ari.domain.settings import Hideable
from vm_ari.speech.language import language, languages
from vm_ari.telephony.call import CallerHungUp

Story = Callable[[], Awaitable[None]]

CALLS_A_DAY = 14
CONFERENCES = 0.1
"""Of the calls, a conference of several people instead."""
SHARES = (5, 4, 4, 3, 2, 1)
"""Of the calls, by site."""


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
        places, meetings = sites(self.dice), rooms(self.dice)
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
                if self.dice.random() < CONFERENCES:
                    await self._meet(self.dice.choice(meetings))
                    continue
                [place] = self.dice.choices(places, weights=SHARES)
                await place.happens()
                await self._is_called(place)

    async def _is_called(self, place: WalkedSite) -> None:
        mailbox = self.dice.choice((*BUSY, *BUSY, *(user.mailbox for user in PEOPLE), "999"))
        user = next((user for user in PEOPLE if user.mailbox == mailbox), PEOPLE[0])
        surprise = partial(place.surprises, user.mailbox)
        walker = self._somebody(place.line(), place.pin(user), surprise, place.hidden)
        await self._calls(walker, self._story(place, walker.call, mailbox), mailbox)

    async def _meet(self, room: WalkedRoom) -> None:
        """Several call the same conference room."""
        async with room.meets() as pins, asyncio.TaskGroup() as parties:
            for pin in pins:
                walker = self._somebody(room.site.line(), pin, room.surprises)
                story = partial(room.enters, walker.line, walker.call)
                parties.create_task(self._comes_later(walker, story))
        self.notes.broken += room.leftovers()
        self.notes.heard.update(_prompt(clip.name) for clip in room.heard.heard)

    async def _comes_later(self, walker: Walker, story: Story) -> None:
        await asyncio.sleep(self.dice.uniform(0, 30))
        await self._calls(walker, story, "a conference")

    def _somebody(
        self,
        line: FakeChannel,
        pin: str,
        surprise: Callable[[], None],
        hidden: Collection[Hideable] = (),
    ) -> Walker:
        call = Watched(line, language("en"))
        call.notes, call.hidden = self.notes, hidden
        phone = Phone(line, language("en"))
        return Walker(self.dice, phone, call, line, pin, self.notes, surprise)

    async def _calls(self, walker: Walker, story: Story, what: str) -> None:
        """Both sides of it."""
        self.notes.counts["calls"] += 1
        async with asyncio.TaskGroup() as both:
            both.create_task(_served(walker.line, story))
            both.create_task(walker.walks())
        if not walker.line.gone:
            self.notes.broken.append(f"the line of a call to {what} is left open")
        heard = (*walker.phone.heard_names(), *walker.phone.whispered_names())
        self.notes.heard.update(map(_prompt, heard))
        for leg in walker.line.legs:
            self.notes.heard.update(_prompt(clip.name) for clip in leg.heard)

    def _story(self, place: WalkedSite, call: Watched, mailbox: str) -> Story:
        """What the call is for."""
        desk, dice = place.site.desk, self.dice
        caller = dice.choice((CALLER, Caller("102"), Caller("")))
        exits = dice.choice(("", "", "o", "oa"))
        user = next((user for user in PEOPLE if user.mailbox == mailbox), PEOPLE[0])
        inbox = [one.uid for one in place.site.mailboxes.of(user)]
        wanted = PlayingCall(user.id, dice.choice([*inbox, "gone"]), "102")
        match dice.choices(range(9), weights=(34, 50, 6, 4, 3, 3, 3, 3, 1))[0]:
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
                return lambda: serve_playing_call(call, desk, wanted)
            case 5:
                return lambda: serve_call_back_call(call, desk, wanted)
            case 6:
                return lambda: serve_spoken_call(call, desk, _ordered(dice), "a1-1")
            case 7:
                return lambda: receive(call, "fax", Visit(caller, mailbox), desk)
        owner, slot = (user.id, dice.choice(list(Slot)))
        key = GreetingKey(SITE if slot is Slot.GLOBAL else owner, slot, dice.choice(languages()))
        return lambda: serve_recording_call(call, desk, key)


def _ordered(dice: random.Random) -> Ordered:
    """Somebody sends a spoken message, or has thought better of it."""
    sender = dice.choice((SCRIPT.sender, Caller("")))
    script = replace(
        SCRIPT,
        sender=sender,
        name=dice.choice((SCRIPT.name, None)),
        confirm=dice.random() < 0.5,
        back=dice.choice((BACK, None)),
    )
    wanted = script if dice.random() < 0.9 else None
    return Ordered(wanted, away=dice.random() < 0.1)


def _prompt(clip: str) -> str:
    """Its name, whatever the language."""
    return clip if clip.startswith("tones/") else clip.partition("/")[2]


async def _served(line: FakeChannel, story: Story) -> None:
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
        *(f"NEVER VISITED: {name}" for name in sorted(set(tables()) - notes.visited())),
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
