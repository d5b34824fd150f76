"""Filters over users: what they mean, and that nothing but `BadCondition` comes out of bad ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.conditions import BadCondition, Condition, parse_conditions
from vm_ari.domain.entries import PIN, Entry
from vm_ari.domain.preferences import Layers
from vm_ari.domain.user_fields import Surroundings

ANNA = Entry(
    "anna",
    "Anna Große",
    "101",
    ("+4930555101", "+4915112345678"),
    "anna@example.org",
    organisation="R and D",
    settings={"language": "de"},
    sealed={PIN: "v1.x"},
    pin_failures=3,
    units=("Berlin", "people"),
)
SITE = Surroundings(Layers(ANNA.settings, {}, {"language": "fr", "takes_messages": "no"}), 3)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("id=ANNA", True),
        ("id=ann", False),
        ("id=a*", True),
        ("id!=a*", False),
        ("name=*GROSSE", True),
        ('name="Anna *"', True),
        ("numbers=+4915*", True),
        ("numbers!=+4915*", False),
        ("mailbox=10?", True),
        ("units=berlin", True),
        ('organisation="r and d" and language=de', True),
        ("organisation=R* AND language=en", False),
        ("pin=yes and locked=yes and pin_failures=3", True),
        ("language=de and own.language=de", True),
        ("takes_messages=no", True),
        ("own.takes_messages=", True),
        ("given= and surname=", True),
        ("given!=", False),
    ],
)
def test_conditions_hold_or_not(text: str, holds: bool) -> None:
    conditions = parse_conditions(text)
    assert all(one.fits(ANNA, SITE) for one in conditions) is holds


def test_the_parts_are_read() -> None:
    assert parse_conditions(' id=and  and mail!="a b" and name= ') == (
        Condition("id", "and"),
        Condition("mail", "a b", matches=False),
        Condition("name", ""),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "at its end"),
        ("id", "at “id”"),
        ("id = a", "at “id = a”"),
        ("id=a or id=b", "at “or id=b”"),
        ("id=a and", "at “and”"),
        ("name=Anna Berg", "at “Berg”"),
        ('name="Anna', "at “name="),
        ("langage=de", "did you mean language?"),
        ("own.langage=de", "no field or setting “own.langage”"),
        ("sealed=v1*", "no field or setting “sealed”"),
        ("id=" + "a" * 2000, "longer than 1000"),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(BadCondition) as error:
        parse_conditions(text)
    assert told in str(error.value)


@given(st.text(max_size=50) | st.text('id=!*" andmil.', max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        conditions = parse_conditions(text)
    except BadCondition:
        return
    for one in conditions:
        one.fits(ANNA, SITE)
