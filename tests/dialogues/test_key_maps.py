"""The menus by the keys of other systems: offered, accepted, and first while a message plays."""

from dataclasses import replace

import pytest

from tests.dialogues.exchange import logged_in
from tests.dialogues.listening import A, B, at_audio, at_heading, at_options, inbox_of
from tests.phone import Phone
from vm_ari.speech.catalogue import P
from vm_ari.telephony.menu import Action, load_key_map, shipped_key_maps

each_map = pytest.mark.parametrize("name", shipped_key_maps())


@pytest.mark.feature_part("MENU-02", "dialogues by other keys")
@each_map
def test_a_user_goes_through_the_mailbox_by_the_keys_of_the_map(name: str) -> None:
    site, keys = inbox_of(A, B), load_key_map(name)
    site.desk = replace(site.desk, keys=keys)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses(keys[Action.NEW_VOICE])
        await at_options(phone, A)
        phone.presses(keys[Action.DELETE])
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses(keys[Action.NEXT])
        await at_heading(phone, 2)
        phone.presses(keys[Action.PREVIOUS])
        await at_heading(phone, 1)
        await phone.hears(P.TO_UNDELETE)
        phone.presses(keys[Action.BACK])
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses(keys[Action.END])
        await phone.hears(P.GOODBYE)

    logged_in(site, caller)


@each_map
def test_while_a_message_plays_its_own_keys_go_first(name: str) -> None:
    site, keys = inbox_of(A, B), load_key_map(name)
    site.desk = replace(site.desk, keys=keys)
    line = site.line()
    line.lengths["/listening/a"] = 20.0

    async def caller(phone: Phone) -> None:
        phone.presses(keys[Action.NEW_VOICE])
        await at_audio(phone)
        await phone.waits(5)
        phone.presses(keys[Action.REWIND])
        await phone.waits(1)
        phone.presses(keys[Action.FORWARD])
        await phone.waits(1)
        phone.presses(keys[Action.NEXT])
        await at_heading(phone, 2)
        phone.hangs_up()

    logged_in(site, caller, line=line)
    assert [at for file, at in line.begun if file == "/listening/a"] == pytest.approx([0, 2, 6])
