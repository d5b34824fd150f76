"""One who goes through the menus by telephone, where nobody has been for the longest time."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.dialogues.walker_watch import (
    IN_A_ROOM,
    KEYS,
    SILENCE,
    Notes,
    Question,
    Watched,
    option_of,
    tables,
)
from tests.fake_channel import FakeChannel
from tests.phone import Phone
from vm_ari.speech.catalogue import P
from vm_ari.telephony.menu import Action

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
    line: FakeChannel
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
            self._ends()
        await self._is_let_go()

    def _ends(self) -> None:
        """Also as a fax machine, for which somebody listens perhaps."""
        if self.dice.random() < 0.1:
            self.phone.sends_fax_tone()
        self.phone.hangs_up()

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
        if asked.node == IN_A_ROOM:
            await self._listens_to_others()
        elif asked.node == "recording":
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

    async def _listens_to_others(self) -> None:
        """And wants the menu, at last."""
        await self.phone.waits(self.dice.choice((0.1, 2.0, 15.0)))
        self.phone.presses("*")
        await self.phone.waits(0.2)

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
