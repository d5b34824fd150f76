"""Packages as pure rules (UM-01)."""

from dataclasses import replace

import pytest

from vm_ari.domain.entries import MOST_NUMBERS, Entry
from vm_ari.domain.packages import (
    SWITCHES,
    PackageLimits,
    Service,
    Stock,
    added_by,
    numbers_fault,
    package_of,
    shortage,
    stock_of,
)
from vm_ari.domain.preferences import Layers

ANNA = Entry("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
MANY = replace(ANNA, numbers=tuple(f"+493055510{n}" for n in range(5)))


def test_a_package_is_a_user_with_an_address_services_and_numbers() -> None:
    one = package_of(ANNA, Layers())
    assert (one.user_id, one.mail, one.numbers) == ("anna", "anna@example.org", ANNA.numbers)
    assert one.services == (Service.VOICEMAIL,)
    assert package_of(ANNA, Layers({"voice_mail_enabled": "no"})).services == ()
    assert not one.has_too_many_numbers
    assert package_of(MANY, Layers()).has_too_many_numbers
    assert set(SWITCHES) == set(Service)
    assert len(Service) == 3


@pytest.mark.feature_part("UM-01", "fax and conference count as services where a number has them")
def test_services_are_counted_from_the_settings_of_numbers() -> None:
    def services(**settings: str) -> tuple[Service, ...]:
        return package_of(ANNA, Layers({"voice_mail_enabled": "no", **settings})).services

    assert services(fax_numbers="+4930555101") == (Service.FAX,)
    assert services(fax_on_voice_number="yes") == (Service.FAX,)
    assert services(conference_numbers="+4930555101") == (Service.CONFERENCE,)
    assert services(fax_numbers="none") == ()
    all_three = {"fax_numbers": "+4930555101", "conference_numbers": "101"}
    assert package_of(ANNA, Layers(site=all_three)).services == tuple(Service)


def test_what_is_left_and_what_is_missing() -> None:
    limits = PackageLimits(10, {"north": 3})
    used = {"": 4, "north": 2, "south": 3}
    assert stock_of("north", used, limits) == Stock(2, 3)
    assert stock_of("south", used, limits).free is None
    assert shortage(used, limits, {"north": 1}) is None
    missing = shortage(used, limits, {"north": 2})
    assert missing
    assert "All 3 packages of organisation north" in str(missing)
    assert "vm-ari organisations set north packages=4" in str(missing)
    whole = shortage(used, limits, {"south": 2})
    assert whole
    assert "All 10 packages of this installation" in str(whole)
    assert not PackageLimits(0, {"north": 0})


def test_who_moves_takes_a_package_there_and_none_of_the_sites() -> None:
    limits, used = PackageLimits(5, {"north": 3}), {"": 2, "north": 3}
    moved = added_by((), [(ANNA, replace(ANNA, organisation="north"))])
    assert moved == {"north": 1, "": -1}
    assert shortage(used, limits, moved)
    assert shortage({"": 3, "north": 2}, limits, moved) is None
    assert shortage({"": 1, "north": 9}, limits, {"north": -1, "": 1}) is None  # too many before
    renamed = added_by((), [(ANNA, replace(ANNA, name="A."))])
    assert not any(renamed.values())


@pytest.mark.feature_part("UM-01", "more than three numbers are refused, and those of before stay")
def test_three_numbers_are_possible_and_those_of_before_stay() -> None:
    four = replace(ANNA, numbers=MANY.numbers[:4])
    assert numbers_fault(replace(ANNA, numbers=MANY.numbers[:MOST_NUMBERS])) == ""
    assert "anna would have 4 numbers; 3 are possible: take one away" in numbers_fault(four)
    assert numbers_fault(four, MANY) == ""
    assert numbers_fault(MANY, MANY) == ""
    assert numbers_fault(MANY, four)
