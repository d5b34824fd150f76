"""A user in the menus behind the login: how to get there, and how the site may be."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from tests.dialogues.exchange import ANNA, Exchange, logged_in
from tests.phone import Phone, Told
from vm_ari.domain.settings import Hideable, Rules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.speech.parts import Part

GREETINGS, PROFILES, TRANSFER, PERSONAL = "5", "6", "7", "8"
IN_MENUS = {
    *(P.FOR_PROFILE_GREETINGS, P.FOR_NAME, P.FOR_GREETING_TYPE, P.TO_DELETE_ALL_GREETINGS),
    *(P.TO_HEAR_GREETING, P.TO_RECORD, P.TO_DELETE_GREETING, P.NO_GREETING, P.GREETING_DELETED),
    *(P.TO_HEAR_NAME, P.TO_RECORD_NAME, P.TO_DELETE_NAME, P.NO_NAME, P.NAME_DELETED),
    *(P.RECORD_GREETING_AFTER_TONE, P.RECORD_NAME_AFTER_TONE, P.TOO_SHORT, P.TO_KEEP),
    *(P.GREETING_KEPT, P.GREETING_DISCARDED, P.SURE_TO_DELETE_ALL, P.ALL_GREETINGS_DELETED),
    *(P.FOR_INDIVIDUAL, P.FOR_PERSONALISED, P.TYPE_INDIVIDUAL, P.TYPE_PERSONALISED),
    *(P.PROFILE_IS_ACTIVE, P.BY_OFFICE_HOURS, P.PROFILE_ACTIVATED, P.ENTER_LAST_DAY),
    *(P.NO_SUCH_DATE, P.IT_ENDS, P.PROFILE_INTERNAL, P.TO_CONFIRM, P.NOT_POSSIBLE_NOW),
    *(P.TRANSFER_IS, P.NO_TRANSFER, P.TO_SET_TRANSFER, P.TO_REMOVE_TRANSFER),
    *(P.ENTER_DESTINATION, P.TRANSFER_SET, P.TRANSFER_REMOVED, P.NUMBER_NOT_ALLOWED),
    *(P.FOR_LANGUAGE, P.LANGUAGE_CHOICE, P.LANGUAGE_SET, P.FOR_GREETING_LANGUAGE),
    *(P.FOR_OWN_LANGUAGE, P.FOR_CALLERS_LANGUAGE, P.FOR_CALLERS_CHOICE),
    *(P.IN_OWN_LANGUAGE, P.IN_CALLERS_LANGUAGE, P.IN_CHOSEN_LANGUAGE),
    *(P.FOR_PIN, P.ENTER_NEW_PIN, P.DIGITS_AND_HASH),
    *(P.FOR_NUMBER_OR_LIST, P.FOR_SEARCH_BY_NAME, P.UNKNOWN_RECIPIENT, P.MESSAGE_GOES_TO),
    *(P.TO_HEAR_RECIPIENTS, P.TO_REMOVE_LAST, P.TO_CONTINUE, P.RECIPIENT_REMOVED),
    *(P.ENTER_NAME, P.NOBODY_FOUND, P.TO_ENTER_MORE_LETTERS, P.ENTER_MORE_LETTERS),
    *(P.SPEAK_AFTER_TONE, P.TO_DISCARD, P.SENT_TO, P.NOT_SENT),
}
"""What is heard nowhere else: a walk through the menus hears all of it."""
WITH_A_NEW_PIN = {
    *(P.REPEAT_NEW_PIN, P.PINS_DIFFER, P.PIN_CHANGED, P.PIN_TOO_SHORT, P.PIN_REPEATED),
    *(P.PIN_SEQUENCE, P.PIN_OWN_NUMBER, P.PIN_USED_BEFORE, P.PIN_EXPIRED, P.PIN_MUST_CHANGE),
}
"""Prompts for who types one, or must."""
Story = Callable[[Phone], Awaitable[None]]


def site_of(anna: User = ANNA, *, hidden: tuple[Hideable, ...] = (), **rules: Any) -> Exchange:
    """One user, and what the site allows her."""
    return Exchange(users=(anna,), rules=Rules(hidden=frozenset(hidden), **rules))


def anna_with(**settings: Any) -> User:
    """Anna, who has set that."""
    return replace(ANNA, **settings)


def anna_now(site: Exchange) -> User:
    """As the directory knows her."""
    return site.directory.users[ANNA.id]


def in_menu(site: Exchange, key: str, story: Story, **options: Any) -> Told:
    """A call of Anna's that goes to one of the menus; ends when the story does."""

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TO_END)
        phone.presses(key)
        await story(phone)
        phone.hangs_up()

    return logged_in(site, caller, **options)


def said(told: Told, *sentence: Part, code: str = "en") -> bool:
    """Was all of this heard, one clip directly after the other?"""
    wanted = [clip.name for clip in language(code).clips(sentence)]
    heard = told.phone.heard_names()
    return any(heard[n : n + len(wanted)] == wanted for n in range(len(heard)))


async def back_in_main_menu(phone: Phone) -> None:
    """Nothing is lost: everything is offered again."""
    await phone.hears(P.FOR_GREETINGS, P.TO_END)
