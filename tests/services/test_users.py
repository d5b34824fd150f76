"""What an admin does with users: the decisions, without a directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.entries import Entry
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import BadSetting
from vm_ari.domain.user_fields import Surroundings
from vm_ari.services.distribution import distributed, inheriting, site_values
from vm_ari.services.user_import import changes_between
from vm_ari.services.user_selection import Selection
from vm_ari.services.users import (
    Change,
    House,
    Refused,
    completed,
    conflicts,
    new_pin,
    plan,
    renumbered,
    switched,
    with_fields,
    without,
)

SITE = Site(base_number="+4930555")
ANNA = Entry(
    "anna",
    "Anna",
    "101",
    ("+4930555101", "+4915112345678"),
    "anna@example.org",
    settings={"language": "de"},
)


def test_only_what_becomes_different_is_a_change() -> None:
    wanted = {"language": "DE", "name": " Änne ", "folder": ""}
    assert plan(ANNA, wanted) == (Change("name", "Anna", "Änne"),)
    assert plan(ANNA, {"language": ""}) == (Change("language", "de", ""),)
    assert switched(ANNA, on=False) == (Change("voice_mail_enabled", "", "no"),)


@pytest.mark.parametrize(
    "wanted",
    [{"id": "x"}, {"pin": "1"}, {"numbers": "1"}, {"mail": "x"}, {"mailbox": "a"},
     {"name": "a\nb"}, {"sealed": "x"}, {"": "x"}],
)  # fmt: skip
def test_what_cannot_be_set_is_refused(wanted: dict[str, str]) -> None:
    with pytest.raises(Refused):
        plan(ANNA, wanted)


def test_a_bad_value_is_refused() -> None:
    with pytest.raises(BadSetting, match="yes or no"):
        plan(ANNA, {"takes_messages": "perhaps"})


def test_fields_and_settings_find_their_places() -> None:
    entry = with_fields(ANNA, {"name": "Änne", "folder": "INBOX/Voice"})
    assert entry.name == "Änne"
    assert entry.settings == {"language": "de", "folder": "INBOX/Voice"}


def test_a_new_user_is_completed() -> None:
    house = House(SITE, address_template="${given}.${surname}@example.org")
    bare = Entry("b", "", given="Bert", surname="Groß", numbers=("030 555-102",))
    made = completed(bare, house, {"bert.gross@example.org"})
    assert (made.name, made.mail) == ("Bert Groß", "bert.gross2@example.org")
    assert (made.mailbox, made.numbers) == ("102", ("+4930555102",))
    assert completed(made, house) == made


def test_a_mailbox_that_was_a_number_goes_with_it() -> None:
    assert renumbered(ANNA, ["+4915112345678"], SITE).mailbox == "+4915112345678"
    assert renumbered(ANNA, ["0151 12345678", "101"], SITE).mailbox == "101"
    assert renumbered(ANNA, [], SITE).mailbox == ""
    own = Entry("c", "C", "999", ("+4930555101",))
    assert renumbered(own, ["102"], SITE).mailbox == "999"


def test_only_own_numbers_can_be_taken() -> None:
    assert without(ANNA.numbers, ["+4930555101"]) == ("+4915112345678",)
    with pytest.raises(Refused, match="not among"):
        without(ANNA.numbers, ["+4930555199"])


def test_conflicts_are_found_also_among_the_new_ones() -> None:
    new = [
        Entry("b", "B", "102", ("+4930555102",), "b@example.org"),
        Entry("c", "C", "", ("+4930555102",)),
        Entry("d", "D", "", (), "ANNA@example.org"),
        Entry("b", "B again"),
        Entry("e", "E", "105", ("105",)),
    ]
    assert [(entry.name, reason) for entry, reason in conflicts(new, [ANNA])] == [
        ("C", "+4930555102 belongs to user b."),
        ("D", "anna@example.org is the address of user anna."),
        ("B again", "There is a user b already."),
    ]


@given(st.integers(4, 12))
def test_a_new_pin_is_none_that_is_tried_first(digits: int) -> None:
    pin = new_pin(digits)
    assert len(pin) == digits
    assert pin.isdecimal()
    up = "01234567890123456789"
    assert pin not in up
    assert pin not in up[::-1]
    assert len(set(pin)) > 1


def test_saying_nothing_is_no_selection() -> None:
    assert not Selection()
    assert Selection().fits(ANNA, Surroundings())
    for one in (
        Selection(named=("anna",)),
        Selection(patterns=("*",)),
        Selection(units=("sales",)),
        Selection(everybody=True),
    ):
        assert one


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_selection_by_any_text_is_harmless(pattern: str, unit: str) -> None:
    Selection(patterns=(pattern,), units=(unit,)).fits(ANNA, Surroundings())


def test_defaults_are_written_or_followed() -> None:
    house = House(SITE, defaults={"language": "fr", "takes_messages": "no"})
    assert site_values(house) == {"language": "fr", "takes_messages": "no"}
    assert site_values(house, ["folder"]) == {"folder": "INBOX"}
    with pytest.raises(BadSetting, match="did you mean language"):
        site_values(house, ["langage"])
    values = site_values(house)
    changes = (Change("language", "de", "fr"), Change("takes_messages", "", "no"))
    assert distributed(ANNA, values) == changes
    assert inheriting(ANNA, values) == (Change("language", "de", ""),)


def test_secrets_are_not_among_what_is_shown() -> None:
    old = Entry("a", "A", sealed={"pin": "v1.1.old", "imap_password": "v1.1.same"})
    new = Entry("a", "A", sealed={"pin": "v1.1.new", "imap_password": "v1.1.same"})
    assert changes_between(old, new) == (Change("pin", "set", "set"),)
    assert changes_between(Entry("a", "A"), new)[0] == Change("pin", "", "set")
    assert "v1." not in str(changes_between(Entry("a", ""), new))
