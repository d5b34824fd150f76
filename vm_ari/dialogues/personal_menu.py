"""Personal options: the languages of menus and greetings, and the PIN (LANG-01, -02, LOGIN-05)."""

from vm_ari.dialogues.choosing import choose, choose_language, done
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.pin_menu import choose_new_pin
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import languages
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action, Item

PERSONAL_MENU = (
    Item(Action.LANGUAGE, P.FOR_LANGUAGE),
    Item(Action.GREETING_LANGUAGE, P.FOR_GREETING_LANGUAGE),
    Item(Action.PIN, P.FOR_PIN),
    Item(Action.PERSONAL_BACK, P.TO_GO_BACK),
)
GREETING_LANGUAGE_MENU = (
    Item(Action.ALWAYS_OWN, P.FOR_OWN_LANGUAGE),
    Item(Action.BY_CALLER, P.FOR_CALLERS_LANGUAGE),
    Item(Action.CALLER_CHOOSES, P.FOR_CALLERS_CHOICE),
    Item(Action.GREETING_LANGUAGE_BACK, P.TO_GO_BACK),
)
_MODES = {
    Action.ALWAYS_OWN: LanguageMode.FIXED,
    Action.BY_CALLER: LanguageMode.CALLER,
    Action.CALLER_CHOOSES: LanguageMode.MENU,
}
_SAID = {
    LanguageMode.FIXED: P.IN_OWN_LANGUAGE,
    LanguageMode.CALLER: P.IN_CALLERS_LANGUAGE,
    LanguageMode.MENU: P.IN_CHOSEN_LANGUAGE,
}


async def personal_menu(call: Call, desk: Desk, owner: User) -> User:
    """Until the back key. The owner as he is then."""
    while True:
        match await choose(call, desk, PERSONAL_MENU):
            case Action.LANGUAGE:
                owner = await _language(call, desk, owner)
            case Action.GREETING_LANGUAGE:
                owner = await _greeting_language(call, desk, owner)
            case Action.PIN:
                await choose_new_pin(call, desk, owner)
            case _:
                return owner


async def _language(call: Call, desk: Desk, owner: User) -> User:
    """It is spoken from now on, too."""
    code = await choose_language(call, desk, languages())
    if code is Back.BACK:
        return owner
    new = await done(call, desk.own_settings.set_language(owner, code))
    if new:
        call.language = desk.language_of(new)
        await call.say(P.LANGUAGE_SET)
    return new or owner


async def _greeting_language(call: Call, desk: Desk, owner: User) -> User:
    action = await choose(call, desk, GREETING_LANGUAGE_MENU, _SAID[owner.greeting_language])
    if action not in _MODES:
        return owner
    new = await done(call, desk.own_settings.set_greeting_language(owner, _MODES[action]))
    if new:
        await call.say(_SAID[new.greeting_language])
    return new or owner
