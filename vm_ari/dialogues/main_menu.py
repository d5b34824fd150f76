"""The main menu: what is there, and where to go."""

from collections.abc import Sequence

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.inbox import listen
from vm_ari.domain.messages import Counts
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, choices, spoken

MAIN_MENU: Sequence[Item] = (
    Item(Action.NEW_VOICE, P.FOR_NEW_VOICE_MESSAGES),
    Item(Action.HEARD_VOICE, P.FOR_HEARD_VOICE_MESSAGES),
    Item(Action.REPEAT_MENU, P.TO_REPEAT_THE_MENU),
    Item(Action.END, P.TO_END),
)


async def main_menu(call: Call, inbox: Inbox, desk: Desk) -> None:
    """Say what is new, then serve the user until the end key."""
    await call.say(*what_is_there(await inbox.counts()))
    while True:
        match await call.ask(spoken(MAIN_MENU, desk.keys), choices(MAIN_MENU, desk.keys)):
            case Action.NEW_VOICE:
                await listen(call, inbox, desk, new=True)
            case Action.HEARD_VOICE:
                await listen(call, inbox, desk, new=False)
            case Action.REPEAT_MENU:
                await call.say(*what_is_there(await inbox.counts()))
            case _:
                await call.last_words(P.GOODBYE)
                return


def what_is_there(counts: Counts) -> Sentence:
    """ "You have two new voice messages and one other new message."

    Old ones are counted for those who have no new ones.
    """
    sentence: Sentence = (P.YOU_HAVE, Counted(counts.new_voice, Noun.NEW_VOICE_MESSAGE))
    if counts.heard_voice and not counts.new_voice:
        sentence += (P.AND, Counted(counts.heard_voice, Noun.HEARD_VOICE_MESSAGE))
    if counts.new_other:
        sentence += (P.AND, Counted(counts.new_other, Noun.NEW_OTHER_MESSAGE))
    return sentence
