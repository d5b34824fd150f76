"""What a walk through the menus has seen: questions, the keys that led out of them, what was heard.

Menus are known from the tables of the dialogues alone, so that a new one is asked for by itself.
"""

import asyncio
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import vm_ari
import vm_ari.dialogues
from vm_ari.domain.recording import Ending, Limits
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, InLanguage, Part, Recorded, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Matcher
from vm_ari.telephony.line import NoAnswer
from vm_ari.telephony.menu import Action, Item, load_key_map, spoken
from vm_ari.telephony.playback import Controls

T = TypeVar("T")
Option = tuple[Action, Part | None]
"""What a key does, and the words that offer it."""

SILENCE, MISTAKES, TYPED = "silence", "useless keys", "an answer"
IN_A_ROOM = "in a conference"
"""No question: whoever is silent there listens."""
KEYS = load_key_map()
BY_KIND = {Hideable.FORWARD_VOICE, Hideable.FORWARD_OTHER}
"""One option: whether it is hidden is decided by the kind of the message."""


@cache
def tables() -> Mapping[str, Sequence[Item]]:
    """Every menu of the dialogues, by module and name."""
    found: dict[str, Sequence[Item]] = {}
    for module in pkgutil.iter_modules(vm_ari.dialogues.__path__):
        names = vars(importlib.import_module(f"vm_ari.dialogues.{module.name}"))
        for name, value in names.items():
            menu = isinstance(value, Sequence) and value and isinstance(value[0], Item)
            if menu and value not in found.values():
                found[f"{module.name}.{name}"] = value
    return found


@cache
def options() -> frozenset[Option]:
    """Everything that any menu offers."""
    return frozenset((item.action, item.offer) for menu in tables().values() for item in menu)


@cache
def hideable() -> Mapping[Action, frozenset[Hideable | None]]:
    """Under which names an action can be hidden; None: in some menu it cannot."""
    names: dict[Action, set[Hideable | None]] = {}
    for item in (item for menu in tables().values() for item in menu):
        names.setdefault(item.action, set()).add(item.hideable)
    whole = {
        action: kinds | (BY_KIND if kinds & BY_KIND else set()) for action, kinds in names.items()
    }
    return {action: frozenset(kinds) for action, kinds in whole.items()}


@cache
def spoken_by_calls() -> frozenset[P]:
    """Prompts that the program names anywhere but in the catalogue."""
    root = Path(vm_ari.__file__).parent
    files = [file for file in root.rglob("*.py") if file.name != "catalogue.py"]
    text = "\n".join(file.read_text() for file in files)
    named = set(re.findall(r"\bP\.([A-Z0-9_]+)", text))
    kinds = tuple(re.findall(r"\bP\(f\"([a-z-]+/)", text))
    return frozenset(one for one in P if one.name in named or one.value.startswith(kinds))


@dataclass
class Question:
    """One that is asked just now."""

    node: str
    prompt: P
    """It begins with that."""
    keys: Mapping[str, Any]
    """What is accepted, and what each key means."""
    offers: Mapping[str, Part]
    """What is spoken, by key."""
    length: int
    """Clips that it takes to speak it."""
    pressed: int = 0
    """Keys since it was asked."""


def option_of(question: Question, key: str) -> Option | None:
    """What that key is in the tables; some questions have answers of their own besides."""
    meaning, words = question.keys.get(key), question.offers.get(key)
    if isinstance(meaning, Action):
        return meaning, words
    menu = tables().get(question.node, ())
    alike = (one for one in menu if words and one.offer == words and KEYS[one.action] == key)
    return next(((one.action, one.offer) for one in alike), None)


@dataclass
class Notes:
    """Of a whole walk."""

    ways: dict[str, Counter[str]] = field(default_factory=dict)
    """By question: how often each key, or silence, led out of it."""
    chosen: Counter[Option] = field(default_factory=Counter)
    actions: Counter[Action] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    """Prompts, whatever the language."""
    broken: list[str] = field(default_factory=list)
    """Promises of the menus that were not kept."""
    counts: Counter[str] = field(default_factory=Counter)

    def reached(self, question: Question, hidden: Collection[Hideable]) -> None:
        """Somebody is asked that."""
        self.ways.setdefault(question.node, Counter())
        for key, offer in question.offers.items():
            if key not in question.keys:
                self.broken.append(f"{question.node}: {offer} is offered and not accepted")
        for action in question.keys.values():
            names = hideable().get(action) if isinstance(action, Action) else None
            if names and names <= set(hidden):
                self.broken.append(f"{question.node}: {action} is hidden and accepted")

    def leads(self, question: Question, key: str) -> None:
        """That led out."""
        self.ways[question.node][key] += 1
        if option := option_of(question, key):
            self.actions[option[0]] += 1
            self.chosen[option] += 1

    def dead_ends(self) -> list[str]:
        """Questions that nothing led out of, or not silence alone."""
        return [node for node, ways in self.ways.items() if not ways[SILENCE]]

    def visited(self) -> set[str]:
        """Tables of which something was asked, or chosen."""
        return {name for name, menu in tables().items() if any(map(self._was_met, menu))}

    def _was_met(self, item: Item) -> bool:
        return self.chosen[item.action, item.offer] > 0

    def never_chosen(self) -> set[Option]:
        """Options of the tables."""
        return {option for option in options() if not self.chosen[option]}

    def never_heard(self) -> set[P]:
        """Prompts that a call can speak."""
        return {prompt for prompt in spoken_by_calls() if not self.heard[prompt.value]}


class Watched(Call):
    """A call whose questions are noted; nothing else about it is different."""

    notes: Notes
    hidden: Collection[Hideable] = ()
    question: Question | None = None
    plays = False
    """Does a recording play that its listener controls?"""

    async def ask(
        self, question: Sentence, choices: Mapping[str, T], *, again: Sentence | None = None
    ) -> T:
        """See `Call.ask`."""
        words = (*question, *(again or ()))
        asked = _question(_node(choices, words), words, choices, self)
        answer = await self._leads(asked, super().ask(question, choices, again=again))
        key = next(key for key, value in choices.items() if value is answer or value == answer)
        self.notes.leads(asked, key)
        return answer

    async def collect(self, question: Sentence, matcher: Matcher[T]) -> T:
        """See `Call.collect`."""
        asked = _question(f"type: {question[0]}", question, {}, self)
        answer = await self._leads(asked, super().collect(question, matcher))
        self.notes.leads(asked, TYPED)
        return answer

    async def say_or_key(self, sentence: Sentence, keys: str, *, wait: float = 0.0) -> str | None:
        """See `Call.say_or_key`; last words ask nothing."""
        if not keys:
            return await super().say_or_key(sentence, keys, wait=wait)
        node = _asked_while_speaking(sentence)
        meanings = _actions_of("greeting") if node == "greeting" else {}
        accepted = {key: meanings.get(key, key) for key in keys}
        asked = _question(node, sentence, accepted, self)
        key = await self._leads(asked, super().say_or_key(sentence, keys, wait=wait))
        self.notes.leads(asked, key or SILENCE)
        return key

    async def record(self, name: str, limits: Limits, *, tone: P | None = None) -> Ending:
        """See `Call.record`."""
        asked = _question("recording", (P.BEEP,), {}, self)
        ending = await self._leads(asked, super().record(name, limits, tone=tone))
        self.notes.leads(asked, SILENCE if ending is Ending.SILENCE else ending.value)
        return ending

    async def ready(self, work: asyncio.Future[T], seconds: float) -> bool:
        """See `Call.ready`."""
        self.question = Question(IN_A_ROOM, P.CONFERENCE_TO_RETURN, {"*": "*"}, {}, 0)
        try:
            return await super().ready(work, seconds)
        finally:
            self.question = None

    async def listen(self, recording: Recorded, controls: Controls, *, skip: str = "") -> bool:
        """See `Call.listen`."""
        self.plays = True
        try:
            return await super().listen(recording, controls, skip=skip)
        finally:
            self.plays = False

    async def _leads(self, asked: Question, answer: Awaitable[T]) -> T:
        self.notes.reached(asked, self.hidden)
        self.question = asked
        try:
            return await answer
        except NoAnswer:
            self.notes.leads(asked, MISTAKES if asked.pressed else SILENCE)
            raise
        finally:
            self.question = None


@cache
def _actions_of(table: str) -> Mapping[str, Action]:
    """By key, of a table of the key map."""
    return {KEYS[one]: one for one in Action if one.value.startswith(f"{table}.")}


def _asked_while_speaking(sentence: Sentence) -> str:
    """What keys are for that end a sentence."""
    match sentence[0]:
        case InLanguage():
            return "language"
        case P.SPOKEN_MESSAGE:
            return "spoken message"
        case P.TO_CONFIRM | P.TO_REPEAT:
            return "after a spoken message"
        case _:
            return "greeting"


def _node(choices: Mapping[str, object], question: Sentence) -> str:
    """The smallest table that has all of these actions; or what is asked for."""
    actions = {value for value in choices.values() if isinstance(value, Action)}
    fits = [
        name
        for name, menu in tables().items()
        if actions and actions <= {item.action for item in menu}
    ]
    if fits:
        return min(fits, key=lambda name: (len(tables()[name]), -_alike(name, question)))
    ends = [name for name, menu in tables().items() if _ends_with(question, menu)]
    if ends:
        return max(ends, key=lambda name: len(tables()[name]))
    first = next((part for part in question if isinstance(part, P)), P.LANGUAGE_CHOICE)
    return f"ask: {first}"


def _ends_with(question: Sentence, menu: Sequence[Item]) -> bool:
    """People and languages are offered before a menu of the usual kind."""
    words = spoken(menu, KEYS)
    return question[-len(words) :] == words


def _alike(name: str, question: Sentence) -> int:
    return sum(item.offer in question for item in tables()[name] if item.offer)


def _question(node: str, question: Sentence, keys: Mapping[str, object], call: Call) -> Question:
    """Options are spoken as: words, "press", key."""
    flat: list[Part] = []
    for part in question:
        flat += part.sentence if isinstance(part, InLanguage) else (part,)
    offers = {
        key.text: flat[place - 1]
        for place, (press, key) in enumerate(pairwise(flat))
        if press is P.PRESS and isinstance(key, Digits) and place
    }
    first = next((part for part in flat if isinstance(part, P)), P.BEEP)
    return Question(node, first, keys, offers, len(call.language.clips(question)))
