"""People are found by the letters on the keys of a telephone (INBOX-13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.keypad_names import MOST_FOUND, NameIndex, spellings
from vm_ari.domain.users import User

NAMES = (
    "Anna Größe-Weber",
    "Ana de la Cruz",
    "Bert O’Brien",
    "Dr. Carla Berg",
    "Berg, Dora",
    "Émile Zola",
    "Øyvind Ås",
    "Иван Петров",
)
INDEX = NameIndex(User(name, name, "1", (), "") for name in NAMES)


def found(keys: str) -> list[str]:
    return [user.name for user in INDEX.begins_with(keys)]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ("2374", ["Berg, Dora", "Dr. Carla Berg"]),
        ("2374227", ["Dr. Carla Berg"]),
        ("23743", ["Berg, Dora"]),
        ("47677", ["Anna Größe-Weber"]),  # groß…
        ("476377", ["Anna Größe-Weber"]),  # groess…
        ("93237", ["Anna Größe-Weber"]),
        ("2662", ["Anna Größe-Weber"]),
        ("2789", ["Ana de la Cruz"]),
        ("522789", ["Ana de la Cruz"]),
        ("627436", ["Bert O’Brien"]),
        ("0237401227", ["Dr. Carla Berg"]),
        ("9652", ["Émile Zola"]),
        ("36453", ["Émile Zola"]),
        ("22763", ["Øyvind Ås"]),
        ("639", ["Øyvind Ås"]),
        ("37", []),
        ("", []),
        ("01", []),
        ("*#x", []),
    ],
)
def test_by_surname_or_given_name_with_umlauts_in_two_ways(keys: str, names: list[str]) -> None:
    assert found(keys) == names


def test_who_is_found_by_the_surname_comes_first() -> None:
    index = NameIndex(
        User(name, name, "1", (), "") for name in ("Adams Zoe", "Zoe Adams", "Bert Zoe")
    )
    assert [user.name for user in index.begins_with("963")][-1] == "Zoe Adams"


def test_of_too_many_one_more_is_told_than_there_are_keys() -> None:
    index = NameIndex(User(str(n), f"Anna Berg {n}", str(n), (), "") for n in range(40))
    assert len(index.begins_with("2")) == MOST_FOUND == 10


@given(st.text(max_size=80))
def test_any_name_can_be_typed_or_not_at_all(name: str) -> None:
    index = NameIndex([User("x", name, "1", (), "")])
    for keys, _ in spellings(name):
        assert set(keys) <= set("23456789")
        assert len(index.begins_with(keys)) == 1
