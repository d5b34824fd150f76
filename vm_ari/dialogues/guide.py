"""The menus as a guide to print: made of the very tables that are spoken, so it is never stale."""

from collections.abc import Iterator, Sequence

from vm_ari.dialogues import (
    choosing,
    conference,
    conference_menu,
    greetings_menu,
    inbox,
    leave_message,
    listening,
    main_menu,
    recipients,
    record_greeting,
    send_review,
    transfer_menu,
)
from vm_ari.dialogues import personal_menu as personal
from vm_ari.domain.guide import Chapter, Guide, Line
from vm_ari.speech.catalogue import P
from vm_ari.telephony.menu import Action, Item, KeyMap

CALLING: Sequence[Item] = (
    Item(Action.LOG_IN),
    Item(Action.QUICK_MESSAGE),
    Item(Action.LEAVE_MESSAGE, P.TO_LEAVE_A_MESSAGE),
    Item(Action.CONNECT, P.TO_BE_CONNECTED),
)
"""During a greeting; the operator's key only counts where the site has one."""
MESSAGES: Sequence[Sequence[Item]] = (listening.PLAYING, inbox.OPTIONS)
"""For users who hear messages by telephone."""
SENDING: Sequence[Sequence[Item]] = (recipients.SOMEBODY_CHOSEN, send_review.SEND_REVIEW)
"""For those who can send some, too."""
SETTINGS: Sequence[Sequence[Item]] = (
    greetings_menu.GREETINGS_MENU,
    greetings_menu.GREETING_MENU,
    record_greeting.REVIEW,
    greetings_menu.TYPE_MENU,
    choosing.PROFILE_MENU,
    transfer_menu.SOMEBODY,
    personal.PERSONAL_MENU,
    personal.GREETING_LANGUAGE_MENU,
)
LEAVING: Sequence[Sequence[Item]] = (leave_message.REVIEW, CALLING)
"""What callers of other mailboxes can press."""
CONFERENCE: Sequence[Sequence[Item]] = (
    conference_menu.CONFERENCE_MENU,
    conference_menu.PARTICIPANT_MENU,
)
"""For all who come into a conference room, whoever has it."""
MENU_OF_CONFERENCE = "conference.menu"
"""The key that opens it, for texts: no key map moves it."""


def guide(
    keys: KeyMap, *, messages: bool = True, sending: bool = True, login_number: str = ""
) -> Guide:
    """The guide for these keys; hidden items are not in it.

    *messages*: the user hears messages by telephone, or only changes settings (LOGIN-01).
    *sending*: the site lets users send messages.
    """
    main = main_menu.MAIN_MENU if messages else main_menu.SETTINGS_MENU
    of_messages = (*MESSAGES, *(SENDING if sending else ())) if messages else ()
    menus = (main, *of_messages, *SETTINGS, *LEAVING, *CONFERENCE)
    chapters = tuple(_chapters([_possible(menu, sending=sending) for menu in menus], keys))
    by_action = {action.value: keys[action] for action in Action}
    by_action[MENU_OF_CONFERENCE] = conference.MENU_KEY
    return Guide(chapters, by_action, login_number)


def _possible(menu: Sequence[Item], *, sending: bool) -> Sequence[Item]:
    sends = {Action.SEND_MESSAGE, Action.REPLY, Action.FORWARD_MESSAGE}
    return menu if sending else [item for item in menu if item.action not in sends]


def _chapters(menus: Sequence[Sequence[Item]], keys: KeyMap) -> Iterator[Chapter]:
    """A menu of which nothing is left is no chapter."""
    for menu in menus:
        lines = tuple(_line(item, keys) for item in keys.offered(menu))
        if lines:
            yield Chapter(lines[0].action.partition(".")[0], lines)


def _line(item: Item, keys: KeyMap) -> Line:
    prompt = item.offer.value if isinstance(item.offer, P) else ""
    return Line(keys[item.action], item.action.value, prompt)
