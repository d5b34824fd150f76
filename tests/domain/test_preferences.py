"""Settings: whose value counts, what can be set, and the user that calls see."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.telephone_sites import BERLIN
from vm_ari.domain import preferences
from vm_ari.domain.entries import (
    BadNumber,
    Entry,
    Organisation,
    address_key,
    clean_numbers,
    effective_user,
    entry_of,
    problems_of,
    site_texts,
    sort_apart,
)
from vm_ari.domain.preferences import (
    ACCESS,
    FOLDER,
    LANGUAGE,
    NUMBER_STYLE,
    SETTINGS,
    Access,
    BadSetting,
    Effective,
    Layers,
    Origin,
    Setting,
    all_effective,
    checked,
    effective,
    setting_named,
)
from vm_ari.domain.profiles import CHOOSABLE
from vm_ari.domain.profiles import ProfileName as P
from vm_ari.domain.settings import NumberStyle, Rules
from vm_ari.domain.users import User

ANNA = Entry("anna", "Anna Berg", "101", ("+4930555101",), "anna@example.org", "Anna", "Berg")
SALES = Organisation("sales", settings={"language": "fr", "voice_mail_enabled": "no"})
SITE = {"language": "de", "time_zone": "Europe/Vienna"}
layer = st.dictionaries(st.sampled_from(["language", "folder", "access"]), st.text(max_size=8))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (Layers({"language": "de"}, {"language": "fr"}, {"language": "es"}), ("de", Origin.USER)),
        (Layers({}, {"language": "fr"}, {"language": "es"}), ("fr", Origin.ORGANISATION)),
        (Layers({"language": ""}, {"language": "  "}, {"language": "es"}), ("es", Origin.SITE)),
        (Layers(), ("en", Origin.DEFAULT)),
    ],
)
@pytest.mark.feature_part("DIR-03", "the nearest value counts, and its origin is known")
def test_the_nearest_value_counts(layers: Layers, expected: tuple[str, Origin]) -> None:
    assert effective(LANGUAGE, layers) == Effective(*expected)


def test_a_value_that_cannot_be_read_is_passed_over_and_named() -> None:
    layers = Layers({"access": "everything"}, {"access": "\0"}, {"access": "profiles"})
    found = effective(ACCESS, layers)
    assert (found.value, found.origin) == (Access.PROFILES, Origin.SITE)
    assert [problem.split(":")[0] for problem in found.problems] == ["user", "organisation"]
    assert "“everything” is not possible; write none or profiles or full" in found.problems[0]


@given(layer, layer, layer)
def test_no_text_in_a_directory_stops_a_call(
    user: dict[str, str], organisation: dict[str, str], site: dict[str, str]
) -> None:
    found = all_effective(Layers(user, organisation, site))
    assert set(found) == set(SETTINGS)
    effective_user(replace(ANNA, settings=user), Organisation("x", settings=organisation), site)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.key)
def test_every_setting_can_be_written_and_read_and_is_explained(setting: object) -> None:
    known = setting_named(getattr(setting, "key"))  # noqa: B009
    assert known.parse(known.format(known.default)) == known.default
    assert known.doc.endswith((".", "?"))
    with pytest.raises(BadSetting, match=f"{known.key}: .* is not possible; write "):
        known.parse("/\t/")


@pytest.mark.parametrize(
    ("key", "text", "stored"),
    [
        ("language", " DE ", "de"),
        ("voice_mail_enabled", "On", "yes"),
        ("takes_messages", "0", "no"),
        ("access", "FULL", "full"),
        ("number_style", "International", "international"),
        ("time_zone", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("folder", "INBOX/Größe", "INBOX/Größe"),
        ("imap_server", "mail2.example.org:1993", "mail2.example.org:1993"),
        ("profile", "Custom-1", "custom-1"),
        ("profile_until", "2026-03-14", "2026-03-14"),
        ("profile_until", "2026-03-15T00:00", "2026-03-14"),
        ("profile_until", "2026-03-14 12:30", "2026-03-14T12:30"),
        ("profile_until", "None", "none"),
        ("office_hours", "Mon-Fri 9:00-17:00", "mon-fri 09:00-17:00"),
        ("office_hours", "always", "always"),
        ("off_hours_profile", "HOME", "home"),
        ("break_profile", "none", "none"),
        ("holiday_region", "de-by", "DE-BY"),
        ("holidays", "12-24,2026-12-28", "12-24, 2026-12-28"),
        ("greeting_type", "Personalised", "personalised"),
        ("greeting_language", "caller", "caller"),
        ("transfer_custom_1", "+49 (0)30 / 555-102", "+49 (0)30 / 555-102"),
        ("transfer_internal", "none", "none"),
        ("takes_messages_vacation", "off", "no"),
        ("takes_messages_work", "same", "same"),
        ("transfer_offer", "SYSTEM", "system"),
        ("transfer_seconds", "040", "40"),
        ("transfer_screening", "yes", "yes"),
        ("operator", "102", "102"),
        ("transcribe", "off", "no"),
    ],
)
def test_what_people_write_is_stored_in_one_way(key: str, text: str, stored: str) -> None:
    assert checked(key, text) == stored
    assert checked(key, stored) == stored


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("language", "German"),
        ("language", ""),
        ("voice_mail_enabled", "perhaps"),
        ("access", "admin"),
        ("time_zone", "Europe"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "/etc/localtime"),
        ("folder", "/INBOX"),
        ("imap_server", "imaps://mail"),
        ("imap_server", "mail:port"),
        ("imap_server", "-mail"),
        ("folder", "INBOX\r\nX"),
        ("folder", "x" * 201),
        ("profile", "internal"),
        ("profile", "none"),
        ("profile_until", "14.3.2026"),
        ("profile_until", "2026-02-30"),
        ("profile_until", "9999-12-31"),
        ("profile_until", "2026-03-14T12:30+01:00"),
        ("office_hours", "nine to five"),
        ("off_hours_profile", "internal"),
        ("holiday_region", "Bavaria"),
        ("holidays", "Christmas"),
        ("greeting_language", "de"),
        ("transfer_work", "anna"),
        ("transfer_work", "()"),
        ("transfer_work", "1" * 41),
        ("transfer_work", "sip:102@evil.example"),
        ("takes_messages_work", "perhaps"),
        ("transfer_seconds", "4"),
        ("transfer_seconds", "1" * 7),
        ("transfer_seconds", "٣٠"),
        ("operator", "*21#"),
    ],
)
def test_what_is_not_possible_is_refused(key: str, text: str) -> None:
    with pytest.raises(BadSetting, match=f"^{key}: “.*” is not possible; write "):
        checked(key, text)


def test_every_setting_can_be_had_from_one_place() -> None:
    offered = [getattr(preferences, name) for name in preferences.__all__]
    tables = [one for one in offered if isinstance(one, dict) and one is not SETTINGS]
    found = [*offered, *(one for table in tables for one in table.values())]
    assert {one.key for one in found if isinstance(one, Setting)} == set(SETTINGS)


def test_an_unknown_setting_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadSetting, match="did you mean language"):
        checked("langauge", "de")
    with pytest.raises(BadSetting, match="there are language, time_zone"):
        checked("\x1b[2Jx", "de")


def test_the_user_is_what_the_layers_make_of_the_entry() -> None:
    entry = replace(ANNA, settings={"access": "none", "language": "it", "colour": "blue"})
    assert effective_user(entry, SALES, SITE) == User(
        id="anna",
        name="Anna Berg",
        mailbox="101",
        numbers=("+4930555101",),
        mail="anna@example.org",
        language="it",
        time_zone="Europe/Vienna",
        voice_mail_enabled=False,
        takes_messages=True,
        access=Access.NONE,
    )
    assert effective_user(ANNA, None, {}) == User(
        "anna", "Anna Berg", "101", ("+4930555101",), "anna@example.org"
    )


def test_who_may_do_anything_by_telephone_may_log_in() -> None:
    def user(access: str) -> User:
        return effective_user(replace(ANNA, settings={"access": access}), None, {})

    modes = ("full", "profiles", "none", "")
    assert [user(access).may_log_in for access in modes] == [True, True, False, True]
    assert user("profiles").access is Access.PROFILES


def test_a_name_is_made_where_there_is_none() -> None:
    assert effective_user(replace(ANNA, name=""), None, {}).name == "Anna Berg"


def test_the_sites_rules_are_the_sites_layer() -> None:
    layers = Layers(site=site_texts(Rules(language="de", number_style=NumberStyle.INTERNATIONAL)))
    assert effective(LANGUAGE, layers) == Effective("de", Origin.SITE)
    assert effective(NUMBER_STYLE, layers) == Effective(NumberStyle.INTERNATIONAL, Origin.SITE)


def test_secrets_and_counters_are_no_settings_and_do_not_show() -> None:
    stored = sort_apart({"pin": "v1.k.SECRET", "pin_failures": "3", "language": "de", "new": "x"})
    assert (stored.settings, stored.pin_failures) == ({"language": "de", "new": "x"}, 3)
    assert stored.sealed == {"pin": "v1.k.SECRET"}
    assert "SECRET" not in repr(stored) + repr(replace(ANNA, sealed=stored.sealed))


@pytest.mark.parametrize("text", ["", "-1", "x", "٣", "9" * 40])
def test_a_broken_counter_counts_nothing(text: str) -> None:
    assert sort_apart({"pin_failures": text}).pin_failures == 0


def test_numbers_are_cleaned_in_their_order() -> None:
    texts = ["030 555 102", "101", "+49 (0)30 555102"]
    assert clean_numbers(texts, BERLIN) == ("+4930555102", "+4930555101")
    with pytest.raises(BadNumber, match="“anna” is not a telephone number"):
        clean_numbers(["101", "anna"], BERLIN)


def test_addresses_are_compared_as_servers_do() -> None:
    assert address_key(" Anna@Example.ORG ") == address_key("anna@example.org")


def test_a_good_entry_has_no_problems() -> None:
    assert problems_of(ANNA) == ()


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        (replace(ANNA, id=""), "needs an id"),
        (replace(ANNA, mail="anna"), "“anna” is not a mail address"),
        (replace(ANNA, mail="a@b\r\nBcc: c@d"), "not a mail address"),
        (replace(ANNA, mail="anna@" + "x" * 260), "not a mail address"),
        (replace(ANNA, settings={"folder": "/"}), "folder"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(entry: Entry, hint: str) -> None:
    assert any(hint in problem for problem in problems_of(entry)), problems_of(entry)


def test_defaults_are_those_of_a_user() -> None:
    plain = User("anna", "Anna", "101", (), "")
    own = {field.name for field in fields(User)} & SETTINGS.keys()
    apart = {"id", "name", "mailbox", "numbers", "mail", "transfers", "takes_messages_in"}
    assert {field.name for field in fields(User)} - own == apart
    assert {key: getattr(plain, key) for key in own} == {key: SETTINGS[key].default for key in own}
    assert FOLDER.default == "INBOX"


def test_what_is_decided_for_a_profile_is_told_from_what_is_not() -> None:
    group = Organisation(
        "sales",
        settings={"transfer_work": "102", "transfer_home": "103", "takes_messages_home": "no"},
    )
    entry = replace(ANNA, settings={"transfer_work": "none", "takes_messages_home": "same"})
    user = effective_user(entry, group, {})
    assert [user.transfer_in(P.WORK), user.transfer_in(P.HOME)] == ["", "103"]
    assert user.transfer_in(P.MOBILE) is None
    assert user.may_leave_message(P.HOME) is None
    assert effective_user(ANNA, group, {}).may_leave_message(P.HOME) is False
    broken = replace(ANNA, settings={"transfer_mobile": "anna"})
    assert effective_user(broken, None, {}).transfer_in(P.MOBILE) is None


@given(st.data())
def test_a_user_can_be_written_down_and_made_again(data: st.DataObject) -> None:
    values = {
        "language": st.sampled_from(["de", "en"]),
        "profile": st.sampled_from(CHOOSABLE),
        "profile_until": st.none() | st.datetimes(datetime(2001, 1, 1), datetime(2999, 1, 1)),
        "off_hours_profile": st.none() | st.sampled_from(CHOOSABLE),
        "number_style": st.sampled_from(NumberStyle),
        "access": st.sampled_from(Access),
        "transfer_seconds": st.integers(5, 120),
        "transfers": st.sampled_from([(), ((P.WORK, ""), (P.HOME, "102"))]),
        "takes_messages_in": st.sampled_from([(), ((P.WORK, False), (P.INTERNAL, True))]),
    }
    drawn: dict[str, Any] = {name: data.draw(strategy) for name, strategy in values.items()}
    if drawn["profile_until"]:
        drawn["profile_until"] = drawn["profile_until"].replace(second=0, microsecond=0)
    user = replace(User("anna", "Anna Berg", "101", ("+4930555101",), "a@b.example"), **drawn)
    assert effective_user(entry_of(user), None, SITE) == replace(user, time_zone="Europe/Vienna")
    assert hash(user)
