"""Which number of a user serves what (UM-01, UM-04)."""

from dataclasses import replace

import pytest

from vm_ari.domain.number_services import numbers_for, service_of, takes_fax
from vm_ari.domain.packages import Service
from vm_ari.domain.preferences import BadSetting, checked
from vm_ari.domain.users import User

VOICE, FAX, ROOM = "+4930555101", "+4930555102", "+4930555103"
ANNA = User(
    "anna",
    "Anna Berg",
    "101",
    (VOICE, FAX, ROOM),
    "anna@example.org",
    fax_numbers=(FAX,),
    conference_numbers=(ROOM,),
)


def test_each_number_serves_what_the_settings_say() -> None:
    assert [service_of(ANNA, number) for number in ANNA.numbers] == [
        Service.VOICEMAIL,
        Service.FAX,
        Service.CONFERENCE,
    ]
    assert numbers_for(ANNA, Service.FAX) == (FAX,)
    assert numbers_for(replace(ANNA, fax_numbers=()), Service.VOICEMAIL) == (VOICE, FAX)


def test_a_number_of_somebody_else_in_the_list_changes_nothing() -> None:
    mistaken = replace(ANNA, fax_numbers=("+4930555900",), conference_numbers=("+4930555901",))
    assert service_of(mistaken, "+4930555900") is Service.VOICEMAIL
    assert service_of(mistaken, "+4930555901") is Service.VOICEMAIL
    assert not numbers_for(mistaken, Service.FAX)


def test_a_number_in_both_lists_serves_faxes() -> None:
    assert service_of(replace(ANNA, conference_numbers=(FAX, ROOM)), FAX) is Service.FAX


def test_a_voice_number_takes_faxes_only_where_that_is_switched_on() -> None:
    assert [takes_fax(ANNA, number) for number in ANNA.numbers] == [False, True, False]
    hearing = replace(ANNA, fax_on_voice_number=True)
    assert [takes_fax(hearing, number) for number in ANNA.numbers] == [True, True, False]


def test_lists_are_written_as_people_do_and_read_in_one_way() -> None:
    written = "+49 (30) 555-102,+4930555103"
    assert checked("fax_numbers", written) == "+4930555102, +4930555103"
    assert checked("conference_numbers", "None") == "none"


@pytest.mark.parametrize(
    "text", ["anna", "+49305551021, +49305551021", "1,2,3,4", "+0305551", "101,", "*21#", "٣٠"]
)
def test_what_is_no_list_of_numbers_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match=r"^fax_numbers: .* own numbers such as"):
        checked("fax_numbers", text)
