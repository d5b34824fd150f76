"""Keys are data: every key map that is shipped works, and a bad one says what to mend."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from vm_ari.dialogues.choosing import LANGUAGES_END, PROFILE_MENU
from vm_ari.dialogues.conference_menu import CONFERENCE_MENU, PARTICIPANT_MENU
from vm_ari.dialogues.dial_by_name import NAMES_END
from vm_ari.dialogues.greetings_menu import (
    CONFIRM_MENU,
    GREETING_MENU,
    GREETINGS_MENU,
    NAME_MENU,
    NO_GREETING_MENU,
    NO_NAME_MENU,
    TYPE_MENU,
)
from vm_ari.dialogues.inbox import MORE, OPTIONS, OPTIONS_DELETED
from vm_ari.dialogues.leave_message import REVIEW, REVIEW_URGENT
from vm_ari.dialogues.listening import PAUSED, PLAYING
from vm_ari.dialogues.main_menu import MAIN_MENU, SETTINGS_MENU
from vm_ari.dialogues.personal_menu import GREETING_LANGUAGE_MENU, PERSONAL_MENU
from vm_ari.dialogues.recipients import LINE_MENU, NOBODY_YET, SOMEBODY_CHOSEN
from vm_ari.dialogues.record_greeting import REVIEW as GREETING_REVIEW
from vm_ari.dialogues.send_review import NOTHING_SPOKEN, SEND_REVIEW, WITHOUT_COMMENT
from vm_ari.dialogues.transfer_menu import NOBODY, SOMEBODY
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits
from vm_ari.telephony.menu import (
    Action,
    BadKeyMap,
    Item,
    choices,
    load_key_map,
    parse_key_map,
    shipped_key_maps,
    spoken,
)

SHIPPED = sorted(
    file.name.removesuffix(".toml")
    for file in (files("vm_ari.telephony") / "keymaps").iterdir()
    if file.name.endswith(".toml")
)
DEFAULT = (files("vm_ari.telephony") / "keymaps" / "default.toml").read_text(encoding="utf-8")
GREETING = (
    *(Item(Action.QUICK_MESSAGE), Item(Action.LOG_IN), Item(Action.OPERATOR)),
    *(Item(Action.LEAVE_MESSAGE), Item(Action.CONNECT)),
)
MENUS: tuple[Sequence[Item], ...] = (
    *(GREETING, REVIEW, REVIEW_URGENT, MAIN_MENU, SETTINGS_MENU, OPTIONS, OPTIONS_DELETED, MORE),
    *(PLAYING, PAUSED),
    *(NOBODY_YET, SOMEBODY_CHOSEN, LINE_MENU, NAMES_END),
    *(SEND_REVIEW, WITHOUT_COMMENT, NOTHING_SPOKEN),
    *(GREETINGS_MENU, GREETING_MENU, NO_GREETING_MENU, NAME_MENU, NO_NAME_MENU),
    *(TYPE_MENU, CONFIRM_MENU, GREETING_REVIEW),
    *(PROFILE_MENU, SOMEBODY, NOBODY, PERSONAL_MENU, GREETING_LANGUAGE_MENU, LANGUAGES_END),
    *(CONFERENCE_MENU, PARTICIPANT_MENU),
)


@pytest.mark.feature_part("MENU-02", "the shipped key maps")
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_key_map_has_one_key_for_each_action(name: str) -> None:
    keys = load_key_map(name)
    assert keys.name == name
    for action in Action:
        assert keys[action] in set("0123456789*#")


@pytest.mark.feature_part("MENU-02", "the shipped key maps")
@pytest.mark.parametrize("name", SHIPPED)
def test_no_key_does_two_things_in_one_menu(name: str) -> None:
    keys = load_key_map(name)
    for menu in MENUS:
        assert len(choices(menu, keys)) == len(menu)


@pytest.mark.feature_part("INBOX-05", "keys of their own while a message plays")
@pytest.mark.parametrize(
    ("name", "as_there"),
    [
        ("default", set()),
        ("comedian", {Action.BACK}),
        ("unity", {Action.KEEP_NEW, Action.PREVIOUS}),
        ("ova", {Action.REPEAT, Action.PREVIOUS}),
    ],
)
def test_what_is_done_with_every_message_works_while_it_plays(
    name: str, as_there: set[Action]
) -> None:
    """Only what can wait for its end gives its key away, and what does so at the model, too."""
    assert name in SHIPPED
    keys = load_key_map(name)
    later = {Action.REPLY, Action.FORWARD_MESSAGE, Action.CALL_BACK, *as_there}
    waits = {Action.OPTIONS, Action.DETAILS, *later}
    at_once = {keys[item.action] for item in OPTIONS if item.action not in waits}
    assert not at_once & set(choices(PLAYING, keys))


def test_the_default_is_shipped_and_comes_first() -> None:
    assert sorted(shipped_key_maps()) == SHIPPED
    assert shipped_key_maps()[0] == "default"


@pytest.mark.feature_part("MENU-02", "the keys that users of other systems know")
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("comedian", {Action.REPEAT: "5", Action.DELETE: "7", Action.FORWARD: "#"}),
        ("comedian", {Action.NEXT: "6", Action.FORWARD_MESSAGE: "8", Action.END: "#"}),
        ("unity", {Action.REPEAT: "1", Action.DELETE: "3", Action.REWIND: "7"}),
        ("unity", {Action.NEW_VOICE: "1", Action.HEARD_VOICE: "3", Action.SEND_MESSAGE: "2"}),
        ("ova", {Action.PAUSE: "2", Action.DELETE: "7", Action.NEXT: "#"}),
        ("ova", {Action.NEW_VOICE: "1", Action.NEW_MAIL: "2", Action.REPLY: "8"}),
    ],
)
def test_another_system_s_users_find_their_keys(name: str, keys: dict[Action, str]) -> None:
    assert {action: load_key_map(name)[action] for action in keys} == keys


OWN = 'name = "ours"\nlike = "unity"\n[main]\nend = "#"\n'


@pytest.mark.feature_part("MENU-02", "a site's own key map")
def test_a_site_s_own_file_tells_only_what_is_different(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(OWN)
    ours, unity = load_key_map(str(file)), load_key_map("unity")
    assert ours.name == "ours"
    assert {action for action in Action if ours[action] != unity[action]} == {Action.END}
    assert ours[Action.END] == "#"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("unity", "unitiy"), "no key map called 'unitiy'"),
        (OWN.replace("unity", "../keymaps/unity"), "no key map called"),
        (OWN.replace("[main]", "[mian]"), r"no menu \[mian\]"),
        (OWN.replace("end", "ende"), r"\[main\]: there is no ende"),
        (OWN.replace('"#"', '"1"'), r"\[main\]: new_voice and end both use 1"),
        (OWN.replace("[main]", "main = 3\n[line]"), "main = 3 belongs into one of the"),
    ],
)
def test_a_mistake_in_a_site_s_file_is_named_with_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(BadKeyMap, match=said) as raised:
        load_key_map(str(file))
    assert str(raised.value).startswith(str(file))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadKeyMap, match=r"no\.toml cannot be read"):
        load_key_map(str(tmp_path / "no.toml"))


def test_every_action_is_in_some_menu() -> None:
    assert {item.action for menu in MENUS for item in menu} == set(Action)


@pytest.mark.feature_part("MENU-01", "what is not offered is not accepted, and the reverse")
def test_what_a_menu_speaks_is_what_it_accepts() -> None:
    keys = load_key_map()
    for menu in MENUS:
        offered = {part.text for part in spoken(menu, keys) if isinstance(part, Digits)}
        assert offered == {keys[item.action] for item in menu if item.offer}
        assert offered <= set(choices(menu, keys))


def test_a_menu_is_spoken_in_its_order() -> None:
    keys = load_key_map()
    assert spoken(MAIN_MENU[:2], keys) == (
        *(P.FOR_NEW_VOICE_MESSAGES, P.PRESS, Digits("1")),
        *(P.FOR_HEARD_VOICE_MESSAGES, P.PRESS, Digits("2")),
    )


@pytest.mark.feature_part("MENU-02", "keys can be changed")
def test_another_key_is_spoken_and_accepted() -> None:
    keys = parse_key_map(DEFAULT.replace('send = "1"', 'send = "9"'))
    assert choices(REVIEW, keys)["9"] is Action.SEND
    assert "1" not in choices(REVIEW, keys)
    assert spoken(REVIEW, keys)[:3] == (P.TO_SEND, P.PRESS, Digits("9"))


@pytest.mark.feature_part("MENU-02", "a bad key map says what to mend")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('send = "1"', 'send = "2"', ["default", "[review]", "send", "hear", "2"]),
        ('send = "1"', "", ["default", "review.send"]),
        ('send = "1"', 'send = "12"', ["default", "[review]", "send", "'12'"]),
        ('send = "1"', 'send = "A"', ["default", "[review]", "send", "'A'"]),
        ('send = "1"', 'send = ""', ["default", "[review]", "send", "''"]),
        ('send = "1"', "send = 1", ["default", "[review]", "send", "1"]),
        ('send = "1"', "send = [1]", ["default", "[review]", "send", "[1]"]),
        ('send = "1"', "[review.send]", ["default", "[review]", "send"]),
        ("[greeting]", 'send = "1"\n[greeting]', ["default", "send", "'1'", "[tables]"]),
        ("[review]", "[revue]", ["default", "review.send", "review.urgent"]),
        ("[review]", "[review", ["line"]),
        ('redo = "3"', 'redo = "1"\nmore = "3"', ["default", "[review]", "send", "redo", "1"]),
    ],
)
def test_a_bad_key_map_names_table_action_and_key(old: str, new: str, said: list[str]) -> None:
    assert old in DEFAULT
    with pytest.raises(BadKeyMap) as raised:
        parse_key_map(DEFAULT.replace(old, new))
    for word in said:
        assert word in str(raised.value)


@pytest.mark.parametrize("name", ["", "nosuch", "default.toml"])
def test_a_key_map_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(BadKeyMap, match=f"'{name}'"):
        load_key_map(name)


def test_actions_are_named_by_menu() -> None:
    """A table of a key map that no action names would be a slip that nobody notices."""
    menus = {str(action).split(".", maxsplit=1)[0] for action in Action}
    assert menus == tomllib.loads(DEFAULT).keys() - {"name"}
