"""Menus are tables, keys are data: what is offered, spoken and printed comes from one place."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Part, Sentence


class Action(StrEnum):
    """What a key can mean: ``<menu>.<action>`` of a key map file."""

    QUICK_MESSAGE = "greeting.quick_message"
    LOG_IN = "greeting.log_in"
    OPERATOR = "greeting.operator"
    LEAVE_MESSAGE = "greeting.leave_message"
    CONNECT = "greeting.connect"
    SEND = "review.send"
    HEAR = "review.hear"
    REDO = "review.redo"
    URGENT = "review.urgent"
    NEW_VOICE = "main.new_voice"
    HEARD_VOICE = "main.heard_voice"
    NEW_MAIL = "main.new_mail"
    READ_MAIL = "main.read_mail"
    REPEAT_MENU = "main.repeat"
    GREETINGS = "main.greetings"
    PROFILE = "main.profile"
    TRANSFER = "main.transfer"
    PERSONAL = "main.personal"
    SEND_MESSAGE = "main.send_message"
    END = "main.end"
    REPEAT = "message.repeat"
    KEEP_NEW = "message.keep_new"
    REPLY = "message.reply"
    FORWARD_MESSAGE = "message.forward"
    PREVIOUS = "message.previous"
    NEXT = "message.next"
    DELETE = "message.delete"
    DETAILS = "message.details"
    CALL_BACK = "message.call_back"
    OPTIONS = "message.options"
    BACK = "message.back"
    SKIP = "message.skip"
    PAUSE = "playing.pause"
    REWIND = "playing.rewind"
    FORWARD = "playing.forward"
    SLOWER = "playing.slower"
    FASTER = "playing.faster"
    BY_NUMBER = "recipients.number"
    BY_NAME = "recipients.name"
    HEAR_RECIPIENTS = "recipients.hear"
    REMOVE_LAST = "recipients.remove"
    RECIPIENTS_DONE = "recipients.done"
    RECIPIENTS_BACK = "recipients.back"
    MORE_LETTERS = "names.more"
    NAMES_BACK = "names.back"
    AS_FAX = "line.fax"
    AS_VOICE = "line.voice"
    LINE_BACK = "line.back"
    DISPATCH = "sending.dispatch"
    HEAR_SPOKEN = "sending.hear"
    SPEAK = "sending.speak"
    SENDING_URGENT = "sending.urgent"
    DISCARD = "sending.discard"
    OF_PROFILE = "greetings.profile"
    NAME = "greetings.name"
    GREETING_TYPE = "greetings.type"
    DELETE_ALL = "greetings.delete_all"
    GREETINGS_BACK = "greetings.back"
    HEAR_GREETING = "recording.hear"
    RECORD = "recording.record"
    DELETE_GREETING = "recording.delete"
    RECORDING_BACK = "recording.back"
    KEEP_GREETING = "greeting_review.keep"
    HEAR_TAKE = "greeting_review.hear"
    REDO_GREETING = "greeting_review.redo"
    DISCARD_GREETING = "greeting_review.back"
    INDIVIDUAL = "type.individual"
    PERSONALISED = "type.personalised"
    TYPE_BACK = "type.back"
    CONFIRM = "confirm.yes"
    CONFIRM_BACK = "confirm.back"
    WORK = "profiles.work"
    MOBILE = "profiles.mobile"
    HOME = "profiles.home"
    VACATION = "profiles.vacation"
    CUSTOM_1 = "profiles.custom_1"
    CUSTOM_2 = "profiles.custom_2"
    INTERNAL = "profiles.internal"
    PROFILES_BACK = "profiles.back"
    SET_TRANSFER = "transfer.set"
    REMOVE_TRANSFER = "transfer.remove"
    TRANSFER_BACK = "transfer.back"
    LANGUAGE = "personal.language"
    GREETING_LANGUAGE = "personal.greeting_language"
    PIN = "personal.pin"
    PERSONAL_BACK = "personal.back"
    ALWAYS_OWN = "greeting_language.fixed"
    BY_CALLER = "greeting_language.caller"
    CALLER_CHOOSES = "greeting_language.menu"
    GREETING_LANGUAGE_BACK = "greeting_language.back"
    LANGUAGES_BACK = "languages.back"
    MUTE_MYSELF = "conference.mute"
    HEAR_PARTICIPANTS = "conference.participants"
    LOCK_CONFERENCE = "conference.lock"
    MUTE_ALL = "conference.mute_all"
    RECORD_CONFERENCE = "conference.record"
    END_CONFERENCE = "conference.end"
    CONFERENCE_BACK = "conference.back"
    MUTE_PARTICIPANT = "participant.mute"
    NEXT_PARTICIPANT = "participant.next"
    REMOVE_PARTICIPANT = "participant.remove"
    PARTICIPANT_BACK = "participant.back"


_SHIPPED = files("vm_ari.telephony") / "keymaps"


class BadKeyMap(Exception):
    """A key map file is wrong; the text says what, where and how to mend it."""


@dataclass(frozen=True)
class KeyMap:
    """Which key stands for which action, and which items of menus the site hides (MENU-01)."""

    name: str
    keys: Mapping[str, str]
    hidden: frozenset[Hideable] = frozenset()

    def hiding(self, items: Iterable[Hideable]) -> "KeyMap":
        """The same keys; those items, and no others, are neither spoken nor accepted."""
        return replace(self, hidden=frozenset(items))

    def offered(self, menu: Sequence["Item"]) -> Sequence["Item"]:
        """What is left of a menu: every menu goes through here before it is spoken or asked."""
        return [item for item in menu if item.hideable not in self.hidden]

    def __getitem__(self, action: Action) -> str:
        return self.keys[action]

    def choices(self, actions: Sequence[Action]) -> dict[str, Action]:
        """Key to action, for `Call.ask`."""
        return {self[action]: action for action in actions}


@dataclass(frozen=True)
class Item:
    """One line of a menu: an action and the words that offer it; without words it is silent."""

    action: Action
    offer: Part | None = None
    hideable: Hideable | None = None
    """Under which name a site can hide it."""


def spoken(menu: Sequence[Item], keys: KeyMap) -> Sentence:
    """The menu as a sentence: "For new voice messages, press one." …"""
    sentence: Sentence = ()
    for item in keys.offered(menu):
        if item.offer is not None:
            sentence += (item.offer, P.PRESS, Digits(keys[item.action]))
    return sentence


def choices(menu: Sequence[Item], keys: KeyMap) -> dict[str, Action]:
    """The menu as keys: what `Call.ask` accepts."""
    return keys.choices([item.action for item in keys.offered(menu)])


def parse_key_map(text: str) -> KeyMap:
    """Read a key map. Raises `BadKeyMap` naming the table, the action and the key.

    One that is ``like`` a shipped one tells only what is different.
    """
    name, data = _read(text)
    keys = {
        f"{menu}.{action}": _checked_key(key, f"{name}, [{menu}]: {action}")
        for menu, table in data.items()
        for action, key in _checked_table(table, name, menu).items()
    }
    if missing := [action for action in Action if action not in keys]:
        raise BadKeyMap(f"key map {name}: no key for {', '.join(missing)}; add a line for each")
    _refuse_doubles(name, data)
    return KeyMap(name, keys)


def load_key_map(name: str = "default") -> KeyMap:
    """A shipped key map by its name, or a site's by the path of its file. Raises `BadKeyMap`."""
    if "/" not in name:
        return parse_key_map(_shipped(name))
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyMap(f"the key map {name} cannot be read: {error}") from None
    try:
        return parse_key_map(text)
    except BadKeyMap as error:
        raise BadKeyMap(f"{name}: {error}") from None


def shipped_key_maps() -> Sequence[str]:
    """Their names, the default first."""
    names = {Path(file.name).stem for file in _SHIPPED.iterdir() if file.name.endswith(".toml")}
    return ["default", *sorted(names - {"default"})]


def about_key_map(name: str) -> str:
    """Whose keys a shipped one has: its first sentence; empty for a site's own."""
    if "/" in name:
        return ""
    lines = _shipped(name).splitlines()
    comment = " ".join(line.strip("# ") for line in takewhile(lambda one: one[:1] == "#", lines))
    return re.split(r"[.,:] ", comment)[0].rstrip(".")


def _shipped(name: str) -> str:
    """The text of that file."""
    file = _SHIPPED / f"{name}.toml"
    if "/" in name or not file.is_file():
        known = ", ".join(shipped_key_maps())
        raise BadKeyMap(
            f"there is no key map called {name!r}: there are {known}, and your own file"
        )
    return file.read_text(encoding="utf-8")


def _read(text: str) -> tuple[str, dict[str, Any]]:
    """Name and tables."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadKeyMap(f"key map: {error}") from None
    name = str(data.pop("name", "unnamed"))
    if model := data.pop("like", ""):
        return name, _changed(_read(_shipped(str(model)))[1], data, name)
    return name, data


def _changed(data: dict[str, Any], changes: Mapping[str, object], name: str) -> dict[str, Any]:
    """The tables, with the keys that are told instead of their own."""
    for menu, table in changes.items():
        old = data.get(menu)
        if not isinstance(old, dict):
            raise BadKeyMap(f"key map {name}: there is no menu [{menu}]")
        new = _checked_table(table, name, menu)
        if unknown := [action for action in new if action not in old]:
            raise BadKeyMap(f"key map {name}, [{menu}]: there is no {', '.join(unknown)}")
        data[menu] = {**old, **new}
    return data


def _checked_table(table: object, name: str, menu: str) -> Mapping[str, object]:
    if not isinstance(table, dict):
        raise BadKeyMap(f"key map {name}: {menu} = {table!r} belongs into one of the [tables]")
    return table


def _checked_key(key: object, where: str) -> str:
    if not (isinstance(key, str) and len(key) == 1 and key in "0123456789*#"):
        raise BadKeyMap(f"key map {where} = {key!r} is not one of the keys 0-9 * #")
    return key


def _refuse_doubles(name: str, data: Mapping[str, Mapping[str, str]]) -> None:
    for menu, table in data.items():
        seen: dict[str, str] = {}
        for action, key in table.items():
            if (first := seen.setdefault(key, action)) != action:
                raise BadKeyMap(f"key map {name}, [{menu}]: {first} and {action} both use {key}")
