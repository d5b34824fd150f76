"""Settings in one attribute: read, changed without hurting anybody else's values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.directory_text import (
    Change,
    ManyValues,
    OneString,
    SettingsText,
    Unstorable,
)

MANY, ONE = ManyValues(), OneString(limit=None)
SHARED = ManyValues(prefix="vm-ari-")
forms = st.sampled_from([MANY, ONE, SHARED, OneString(prefix="vm.", limit=None)])

keys = st.from_regex("[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda key: key != "revision")
texts = st.text("abc=;\\\"' äß%#", max_size=8).map(str.strip)
settings_of_a_user = st.dictionaries(keys, texts, max_size=6)
anything = st.text(
    st.characters(codec=None, exclude_characters="="), min_size=1, max_size=12
) | st.text("ab=;\\ \n\0", min_size=1, max_size=8)


class ConflictError(Exception):
    """What a directory server answers: noSuchAttribute or attributeOrValueExists."""


def applied(values: frozenset[str], change: Change) -> frozenset[str]:
    """A modify operation as servers do it: as a whole, or not at all."""
    if not change.delete <= values or change.add & (values - change.delete):
        raise ConflictError
    return (values - change.delete) | change.add


def stored(form: SettingsText, settings: dict[str, str]) -> frozenset[str]:
    return applied(frozenset(), form.change([], settings))


@given(forms, settings_of_a_user)
@pytest.mark.feature_part("DIR-03", "settings are kept in many values or in one string")
def test_what_was_stored_is_read(form: SettingsText, settings: dict[str, str]) -> None:
    assert form.read(stored(form, settings)) == settings


@given(forms, settings_of_a_user, st.dictionaries(keys, texts | st.none(), max_size=4))
def test_a_change_changes_what_it_names(
    form: SettingsText, before: dict[str, str], new: dict[str, str | None]
) -> None:
    values = stored(form, before)
    after = form.read(applied(values, form.change(values, new)))
    expected = {**before, **{k: v for k, v in new.items() if v is not None}}
    assert after == {k: v for k, v in expected.items() if new.get(k, "") is not None}


@given(st.sets(anything, max_size=4), st.dictionaries(keys, texts, min_size=1, max_size=3))
@pytest.mark.feature_part("DIR-03", "values of others stay as they are")
def test_values_of_others_are_not_touched(others: set[str], new: dict[str, str]) -> None:
    values = frozenset(others)
    foreign = {v for v in others if v.partition("=")[0].strip().lower() not in {*new, "revision"}}
    change = MANY.change(values, new)
    assert not change.delete & foreign
    after = applied(values, change)
    assert foreign <= after
    assert new.items() <= MANY.read(after).items()


@given(anything, st.dictionaries(keys, texts, min_size=1, max_size=3))
def test_text_of_others_stays_in_the_string_byte_by_byte(other: str, new: dict[str, str]) -> None:
    prefixed = OneString(prefix="vm-ari:", limit=None)
    if "vm-ari:" in other:
        return
    values = applied(frozenset({other}), prefixed.change([other], new))
    assert prefixed.read(values) == new
    gone = applied(values, prefixed.change(values, dict.fromkeys(new)))
    assert gone == {other}


def test_a_string_keeps_its_order() -> None:
    (text,) = stored(ONE, {"language": "de", "folder": "INBOX", "access": "full"})
    assert text == "language=de;folder=INBOX;access=full"
    change = ONE.change([text], {"folder": "a;b\\c", "takes_messages": "no"})
    assert change == ({text}, {"language=de;folder=a\\;b\\\\c;access=full;takes_messages=no"})


def test_what_people_typed_is_understood_and_replaced() -> None:
    typed = ["Language = de", "LANGUAGE=fr", "Room 12", "folder"]
    assert MANY.read(typed) == {"language": "de"}
    change = MANY.change(typed, {"language": "it"})
    assert change == ({"Language = de", "LANGUAGE=fr"}, {"language=it"})
    assert MANY.change(["language=de", "language=fr"], {"language": "de"}) == (
        {"language=fr"},
        set(),
    )
    assert ONE.read(["Language = de ; Room 12; call=me"]) == {"language": "de", "call": "me"}


@given(forms, settings_of_a_user)
def test_nothing_new_is_no_change(form: SettingsText, settings: dict[str, str]) -> None:
    values = stored(form, settings)
    assert form.change(values, dict(settings)) == (set(), set())
    assert form.change(values, {"not_there": None}) == (set(), set())


@pytest.mark.parametrize("form", [MANY, ONE, SHARED])
def test_removing_everything_leaves_no_setting(form: SettingsText) -> None:
    values = stored(form, {"a": "1", "b": "2"})
    assert form.read(applied(values, form.change(values, {"a": None, "b": None}))) == {}


@given(forms, settings_of_a_user, keys, texts, texts)
@pytest.mark.feature_part("DIR-03", "of two changes of the same setting at once one is told so")
def test_of_two_changes_of_one_setting_the_second_is_refused(
    form: SettingsText, before: dict[str, str], key: str, mine: str, yours: str
) -> None:
    seen = stored(form, before)
    if len({mine, yours, before.get(key)}) < 3:
        return
    first, second = form.change(seen, {key: mine}), form.change(seen, {key: yours})
    now = applied(seen, first)
    if isinstance(form, OneString) and not seen:
        assert len(first.add | second.add) == 2  # a single-valued attribute refuses the second
        return
    with pytest.raises(ConflictError):
        applied(now, second)
    assert form.read(applied(now, form.change(now, {key: yours})))[key] == yours


def test_changes_of_different_settings_that_are_there_do_not_meet() -> None:
    seen = stored(MANY, {"language": "de", "folder": "INBOX"})
    now = applied(seen, MANY.change(seen, {"language": "fr"}))
    now = applied(now, MANY.change(seen, {"folder": "Voice"}))
    assert MANY.read(now) == {"language": "fr", "folder": "Voice"}


def test_a_counter_that_two_begin_at_once_is_not_begun_twice() -> None:
    empty: frozenset[str] = frozenset({"Room 12"})
    change = MANY.change(empty, {"pin_failures": "1"})
    now = applied(empty, change)
    with pytest.raises(ConflictError):
        applied(now, change)
    assert MANY.read(now) == {"pin_failures": "1"}


def test_a_value_that_does_not_fit_is_named_with_its_size() -> None:
    with pytest.raises(Unstorable, match="folder needs 107 characters in the directory, 64 are"):
        ManyValues(limit=64).change([], {"language": "de", "folder": "x" * 100})
    with pytest.raises(Unstorable, match=r"folder needs 107 .* settings need 119, .* takes 118"):
        OneString(limit=118).change(["language=de"], {"folder": "x" * 100})
    assert OneString(limit=119).change(["language=de"], {"folder": "x" * 100}).add


def test_a_string_that_is_too_long_may_become_shorter() -> None:
    long = "language=de;folder=" + "x" * 100
    assert OneString(limit=64).change([long], {"folder": None}) == ({long}, {"language=de"})


@pytest.mark.parametrize("text", ["a\nb", "a\0", " a", "a ", "\ud800", "a\u202eb"])
@pytest.mark.parametrize("form", [MANY, ONE])
def test_only_visible_text_is_stored(form: SettingsText, text: str) -> None:
    with pytest.raises(Unstorable, match="folder may only hold visible characters"):
        form.change([], {"folder": text})


@pytest.mark.parametrize("key", ["", "Folder", "a b", "a=b", "a;b", "1a", "x" * 41])
@pytest.mark.parametrize("form", [MANY, ONE])
def test_only_plain_keys_are_stored(form: SettingsText, key: str) -> None:
    with pytest.raises(Unstorable, match="cannot be the name of a setting"):
        form.change([], {key: "1"})


def test_two_strings_are_read_but_not_changed() -> None:
    assert ONE.read(["language=de", "language=fr"]) == {"language": "fr"}
    with pytest.raises(Unstorable, match="2 values where one string was expected"):
        ONE.change(["language=de", "language=fr"], {"language": "it"})
