"""``vm-ari explain`` on a real database and real recordings, and the rules of the configuration."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.cli.site import CliSite
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source

EVENING, MORNING = "2026-11-24T20:00", "2026-11-24T10:00"


@pytest.fixture
def shop(people: CliSite) -> CliSite:
    """Anna has office hours; her greetings lie below the site."""
    configure(people)
    people.run(
        "users", "set", "anna", "language=de", "office_hours=mon-fri 09:00-17:00 12:00-13:00",
        "off_hours_profile=home", "transfer_home=0171 1234567", "takes_messages_home=no",
    )  # fmt: skip
    return people


def configure(site: CliSite, more: str = "") -> None:
    site.configure(f'{more}\n[greetings]\ndirectory = "{site.base}/greetings"\n')


def record(
    site: CliSite, owner: str, slot: Slot, language: str, expires: datetime | None = None
) -> None:
    """Something that the store takes for speech."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 8000)
    file = site.base / "tone.wav"
    soundfile.write(file, tone, 8000)

    async def keep() -> None:
        store = FileGreetings(site.base / "greetings")
        key = GreetingKey(owner, slot, language)
        await store.keep(key, file, Source.UPLOAD, expires=expires)
        await store.set_global_mode(GlobalMode.IF_NONE)
        await store.close()

    asyncio.run(keep())


def explained(site: CliSite, *words: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """The greeting, and the facts with their reasons."""
    (told,) = site.ask("explain", *words)
    return told["greeting"], {
        fact["fact"]: (fact["value"], fact["reason"]) for fact in told["facts"]
    }


def test_the_greeting_follows_the_clock_and_the_recordings(shop: CliSite) -> None:
    record(shop, "anna", Slot.HOME, "de")
    record(shop, SITE, Slot.GLOBAL, "en")
    greeting, facts = explained(shop, "101", "--at", EVENING)
    assert greeting == "greeting for off-hours or breaks"
    assert facts["profile"][0] == "home"
    assert facts["office hours"] == ("off-hours", "It is off-hours (the user's setting).")
    assert facts["transfer"][0] == "0171 1234567"
    assert facts["message"][0] == "no"
    greeting, facts = explained(shop, "101", "--at", MORNING)
    assert greeting == "global greeting, if there is none"
    assert (facts["profile"][0], facts["message"][0]) == ("work", "yes")
    shown = shop.run("explain", "101", "--at", MORNING).stdout
    assert "It plays in en, for there is none in de." in shown


def test_an_end_date_of_a_greeting_counts(shop: CliSite) -> None:
    record(shop, "anna", Slot.HOME, "de", datetime(2026, 11, 24, 19, 30, tzinfo=UTC))
    assert explained(shop, "101", "--at", EVENING)[0] == "greeting for off-hours or breaks"
    later = explained(shop, "101", "--at", "2026-11-24T20:30")[0]
    assert later == "default greeting"


def test_a_holiday_of_the_region_is_off_hours(shop: CliSite) -> None:
    shop.run("users", "set", "anna", "holiday_region=DE-BY")
    _, facts = explained(shop, "101", "--at", "2027-01-06T10:00")
    assert facts["office hours"] == ("off-hours", "It is a holiday: Heilige Drei Könige.")
    assert facts["profile"][0] == "home"
    shop.run("users", "set", "anna", "holiday_region=DE-ZZ")
    result = shop.run("explain", "101", "--at", "2027-01-06T10:00", "-o", "json")
    assert "no public holidays are known" in result.stderr
    assert json.loads(result.stdout)


@pytest.mark.feature_part("SITE-01", "callers of every site are internal")
def test_an_internal_caller_of_any_site(shop: CliSite) -> None:
    configure(shop, '[[sites]]\nname = "Graz"\nregion = "AT"\nbase_number = "+43316877"')
    for caller in ("102", "+43316877102"):
        _, facts = explained(shop, "101", "--from", caller, "--at", EVENING)
        assert facts["profile"][0] == "internal"
        assert facts["transfer"][0] == "0171 1234567", "as for others, where nothing is decided"
    site_rules(shop, "internal_profile = false")
    assert explained(shop, "101", "--from", "102", "--at", EVENING)[1]["profile"][0] == "home"


def test_a_call_to_the_common_number_means_where_it_was_before(shop: CliSite) -> None:
    _, facts = explained(shop, "500", "--redirected-from", "030/555-101", "--at", EVENING)
    assert facts["redirected from"] == ("+4930555101", "The call means the mailbox of Anna Größe.")
    assert facts["profile"][0] == "home"
    greeting, facts = explained(shop, "500", "--redirected-from", "177")
    assert greeting.endswith("no such mailbox")
    assert facts["redirected from"][1] == "Nobody has that number."
    _, facts = explained(shop, "102", "--redirected-from", "101")
    assert "has a mailbox of its own" in facts["redirected from"][1]
    assert (
        "not a telephone number"
        in shop.run("explain", "500", "--redirected-from", "*)(uid=*", code=1).stderr
    )


@pytest.mark.feature_part("LOGIN-01", "no telephone login")
def test_the_login_is_explained(shop: CliSite) -> None:
    login = explained(shop, "101", "--from", "0171 999")[1]["login"]
    assert login[0] == "ask PIN"
    shop.run("users", "set", "anna", "login_office=no-pin")
    assert explained(shop, "101", "--from", "101")[1]["login"][0] == "admit"
    assert explained(shop, "101", "--from", "102")[1]["login"][0] == "ask PIN"
    shop.run("users", "set", "anna", "access=none")
    assert explained(shop, "101", "--from", "101")[1]["login"][0] == "refuse"
    assert explained(shop, "177")[1]["login"] == ("refuse", "Nobody owns this mailbox.")


def test_recordings_that_cannot_be_read_are_reported(shop: CliSite) -> None:
    (shop.base / "greetings").write_text("a file where the directory should be")
    result = shop.run("explain", "101", "-o", "json")
    assert "Recorded greetings cannot be read" in result.stderr
    assert '"default greeting"' in result.stdout


def test_a_time_must_be_one(shop: CliSite) -> None:
    for text in ("tomorrow", "0001-01-01", "9999-12-31", "2026-11-24T25:00"):
        assert "is no time" in shop.run("explain", "101", "--at", text, code=2).stderr


# --- The site's rules


def site_rules(people: CliSite, site: str = "", **tables: str) -> None:
    """A configuration whose table [site] and others hold more."""
    more = "".join(f"[{name.replace('__', '.')}]\n{text}\n" for name, text in tables.items())
    people.configure(more)
    whole = people.config.read_text().replace("[site]\n", f"[site]\n{site}\n")
    people.config.write_text(whole)


@pytest.mark.feature_part("CALL-04", "voice mail off for everybody, by configuration")
def test_voice_mail_can_be_off_for_everybody(people: CliSite) -> None:
    site_rules(people, "voice_mail = false")
    assert explained(people, "101")[0] == "notice that the mailbox is disabled"


@pytest.mark.feature_part("CALL-12", "the operator of the site, and of the user")
def test_the_operator_of_the_site_and_of_a_user(people: CliSite) -> None:
    assert explained(people, "101")[1]["operator"][0] == "none"
    site_rules(people, calls='operator_key = true\noperator = "100"')
    assert explained(people, "101")[1]["operator"] == (
        "100",
        "A key leads there (the site's setting).",
    )
    people.run("users", "set", "anna", "operator=102")
    people.run("users", "set", "bert", "operator=none")
    assert explained(people, "101")[1]["operator"][0] == "102"
    assert explained(people, "102")[1]["operator"][0] == "none"


@pytest.mark.feature_part("LANG-02", "the table of countries can be edited")
def test_the_table_of_countries_can_be_edited(people: CliSite) -> None:
    people.run("users", "set", "--all", "greeting_language=caller", "language=de")
    call = ("101", "--from", "+33142681234")
    site_rules(people, 'country_languages = {"33" = "en"}')
    assert explained(people, *call)[1]["language"][0] == "en"
    site_rules(people, 'country_languages = {"33" = ""}')
    assert "not in the table" in explained(people, *call)[1]["language"][1]


@pytest.mark.feature("GREET-01")
@pytest.mark.parametrize(
    ("rules", "tables", "told"),
    [
        (
            'profiles = ["work"]',
            {"defaults": 'off_hours_profile = "home"'},
            "site.profiles: home cannot be left out, for defaults.off_hours_profile uses it",
        ),
        (
            'profiles = ["work"]',
            {"organisations__sales__settings": 'break_profile = "mobile"'},
            "mobile cannot be left out, for organisations.sales.settings.break_profile uses it",
        ),
        ("profiles = []", {}, "site.profiles"),
        ('profiles = ["work", "internal"]', {}, "nobody activates internal"),
        ('country_languages = {"+33" = "fr"}', {}, "without +"),
        ('country_languages = {"33" = "French"}', {}, "write a language such as de"),
        ("", {"calls": 'operator = "anna"'}, "write a number such as"),
        ("", {"menus": 'hidden = ["everything"]'}, "menus.hidden"),
    ],
)
def test_what_cannot_be_is_named(
    people: CliSite, rules: str, tables: dict[str, Any], told: str
) -> None:
    site_rules(people, rules, **tables)
    error = people.run("explain", "101", code=3).stderr
    assert told in error
    assert str(Path(people.config)) in error


def test_what_is_used_nowhere_can_be_withdrawn(people: CliSite) -> None:
    site_rules(
        people,
        'profiles = ["work", "home"]',
        defaults='off_hours_profile = "home"\nbreak_profile = "none"',
    )
    people.run("users", "set", "anna", "profile=vacation")
    _, facts = explained(people, "101")
    assert "the site does not offer vacation, so it is work" in facts["profile"][1]
