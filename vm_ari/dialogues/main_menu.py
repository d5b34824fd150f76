"""The main menu: what is there, and where to go."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from vm_ari.dialogues.choosing import choose
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.greetings_menu import greetings_menu
from vm_ari.dialogues.inbox import listen, read
from vm_ari.dialogues.personal_menu import personal_menu
from vm_ari.dialogues.profiles_menu import profiles_menu
from vm_ari.dialogues.send_message import send_message
from vm_ari.dialogues.transfer_menu import transfer_menu
from vm_ari.domain.messages import Counts, MessageKind
from vm_ari.domain.settings import Hideable
from vm_ari.domain.users import User
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item

SETTINGS_MENU: Sequence[Item] = (
    Item(Action.GREETINGS, P.FOR_GREETINGS),
    Item(Action.PROFILE, P.FOR_PROFILES),
    Item(Action.TRANSFER, P.FOR_TRANSFER, Hideable.TRANSFER),
    Item(Action.PERSONAL, P.FOR_PERSONAL_OPTIONS),
    Item(Action.REPEAT_MENU, P.TO_REPEAT_THE_MENU),
    Item(Action.END, P.TO_END),
)
"""For users whose login does not open their messages (LOGIN-01)."""
MAIN_MENU: Sequence[Item] = (
    Item(Action.NEW_VOICE, P.FOR_NEW_VOICE_MESSAGES),
    Item(Action.HEARD_VOICE, P.FOR_HEARD_VOICE_MESSAGES),
    Item(Action.NEW_MAIL, P.FOR_NEW_MAILS_AND_FAXES),
    Item(Action.READ_MAIL, P.FOR_READ_MAILS_AND_FAXES),
    Item(Action.SEND_MESSAGE, P.TO_SEND_A_MESSAGE),
    *SETTINGS_MENU,
)
SETTINGS: Mapping[Action, Callable[[Call, Desk, User], Awaitable[User]]] = {
    Action.GREETINGS: greetings_menu,
    Action.PROFILE: profiles_menu,
    Action.TRANSFER: transfer_menu,
    Action.PERSONAL: personal_menu,
}


async def main_menu(call: Call, inbox: Inbox, desk: Desk) -> None:
    """Say what is new, then serve the user until the end key."""
    owner = inbox.user
    kinds = owner.read_aloud if desk.readings else ()
    await call.say(*what_is_there(await inbox.counts(), kinds))
    while True:
        match await choose(call, desk, main_items(desk, kinds)):
            case Action.NEW_VOICE:
                await listen(call, inbox, desk, new=True)
            case Action.HEARD_VOICE:
                await listen(call, inbox, desk, new=False)
            case Action.NEW_MAIL:
                await read(call, inbox, desk, new=True)
            case Action.READ_MAIL:
                await read(call, inbox, desk, new=False)
            case Action.SEND_MESSAGE:
                await send_message(call, desk, owner)
            case Action.REPEAT_MENU:
                await call.say(*what_is_there(await inbox.counts(), kinds))
            case Action.END:
                await call.last_words(P.GOODBYE)
                return
            case setting:
                owner = await SETTINGS[setting](call, desk, owner)


BOTH = (MessageKind.MAIL, MessageKind.FAX)


def main_items(desk: Desk, kinds: Collection[MessageKind] = BOTH) -> Sequence[Item]:
    """The main menu without what is not possible here; these *kinds* are read aloud."""
    left_out = set() if desk.sendings else {Action.SEND_MESSAGE}
    reading = {item.action: item for item in _reading_items(kinds if desk.readings else ())}
    items = (reading.get(i.action) if i.action in _READING else i for i in MAIN_MENU)
    return [item for item in items if item and item.action not in left_out]


_READING = {Action.NEW_MAIL, Action.READ_MAIL}


def _reading_items(kinds: Collection[MessageKind]) -> Sequence[Item]:
    """In words that name what there is."""
    match MessageKind.MAIL in kinds, MessageKind.FAX in kinds:
        case True, True:
            new, old = P.FOR_NEW_MAILS_AND_FAXES, P.FOR_READ_MAILS_AND_FAXES
        case True, False:
            new, old = P.FOR_NEW_MAILS, P.FOR_READ_MAILS
        case False, True:
            new, old = P.FOR_NEW_FAXES, P.FOR_READ_FAXES
        case _:
            return ()
    return (Item(Action.NEW_MAIL, new), Item(Action.READ_MAIL, old))


async def settings_menu(call: Call, desk: Desk, owner: User) -> None:
    """Serve a user whose messages stay closed, until the end key."""
    while True:
        match await choose(call, desk, SETTINGS_MENU):
            case Action.REPEAT_MENU:
                pass
            case Action.END:
                await call.last_words(P.GOODBYE)
                return
            case setting:
                owner = await SETTINGS[setting](call, desk, owner)


def what_is_there(counts: Counts, kinds: Collection[MessageKind] = BOTH) -> Sentence:
    """ "You have two new voice messages and one other new message."

    Old ones are counted for those who have no new ones; of the others those of these *kinds*.
    """
    sentence: Sentence = (P.YOU_HAVE, Counted(counts.new_voice, Noun.NEW_VOICE_MESSAGE))
    if counts.heard_voice and not counts.new_voice:
        sentence += (P.AND, Counted(counts.heard_voice, Noun.HEARD_VOICE_MESSAGE))
    if others := counts.new_among(kinds):
        sentence += (P.AND, Counted(others, Noun.NEW_OTHER_MESSAGE))
    return sentence
