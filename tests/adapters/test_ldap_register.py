"""What an admin does with the users of a real OpenLDAP."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.adapters.directory_contract import PIN
from tests.adapters.ldap_people import (
    OPENLDAP,
    PEOPLE,
    UserDirectory,
    on_ldap,
    person,
    settings_of,
    unit,
)
from tests.slapd import ADMIN, Slapd, slapd
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import IMAP_PASSWORD, Entry, Organisation
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import (
    DirectoryReadOnly,
    DirectoryUnavailable,
    MailTaken,
    NumberTaken,
    Resealed,
    UnknownUser,
    UserExists,
    UserRegister,
)

NEW = [
    Entry(
        f"new{n}",
        f"Nina New{n}",
        str(200 + n),
        (f"+498142479{200 + n}",),
        f"new{n}@example.org",
        given="Nina",
        surname=f"New{n}",
        organisation="Sales",
        settings={"language": "de"},
    )
    for n in range(3)
]


@pytest.fixture
def server() -> Iterator[Slapd]:
    people = [
        unit("people"),
        person("anna", telephoneNumber="+498142479101", o="Sales"),
        person("bert", telephoneNumber="+498142479102"),
    ]
    with slapd("".join(people)) as running:
        yield running


def test_it_is_a_register(server: Slapd, tmp_path: Path) -> None:
    directory = LdapDirectory(settings_of(server), KeyRing(tmp_path))
    register: UserRegister = directory
    assert register is directory


def test_new_users_are_as_they_were_given(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        done: list[int] = []
        await directory.add_entries(NEW, done.append)
        assert sum(done) == 3
        assert (await directory.all_entries())[2:] == NEW
        await directory.remove_user("new1")
        await directory.add_entry(NEW[1], PIN)
        assert await directory.check_pin("new1", PIN) is PinCheck.RIGHT

    on_ldap(settings_of(server, dn=ADMIN), tmp_path, story)


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        ({"id": "anna"}, UserExists, "a user anna already"),
        ({"id": "NEW0"}, UserExists, "a user NEW0 already"),
        ({"numbers": ("+498142479101",)}, NumberTaken, r"\+498142479101 belongs to user anna"),
        ({"numbers": NEW[0].numbers}, NumberTaken, r"\+498142479200 belongs to user new0"),
        ({"mailbox": "200"}, NumberTaken, "200 belongs to user new0"),
        ({"mail": "ANNA@example.org"}, MailTaken, "is the address of user anna"),
        ({"mail": "new0@example.org"}, MailTaken, "is the address of user new0"),
        ({"settings": {"x": "\n"}}, Unstorable, "visible characters"),
        ({"mail": "größe@example.org"}, DirectoryUnavailable, "invalidAttributeSyntax"),
    ],
)
def test_of_several_new_users_all_are_added_or_none(
    server: Slapd, tmp_path: Path, bad: dict[str, object], error: type[Exception], says: str
) -> None:
    async def story(directory: UserDirectory) -> None:
        with pytest.raises(error, match=says):
            await directory.add_entries([*NEW[:2], replace(NEW[2], **bad)])  # type: ignore[arg-type]
        assert [entry.id for entry in await directory.all_entries()] == ["anna", "bert"]

    on_ldap(settings_of(server, dn=ADMIN), tmp_path, story)


def test_details_change(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        details = {"name": "Anna Neu", "mail": "neu@example.org", "organisation": ""}
        await directory.change_details("anna", details)
        await directory.change_details("anna", {"given": "Änne", "mail": "NEU@example.org"})
        entry = await directory.entry_by_number("+498142479101")
        assert entry
        assert (entry.name, entry.given, entry.organisation) == ("Anna Neu", "Änne", "")
        assert entry.mail == "NEU@example.org"
        with pytest.raises(MailTaken, match="address of user bert"):
            await directory.change_details("anna", {"mail": "Bert@Example.org"})
        with pytest.raises(UnknownUser):
            await directory.change_details("nobody", {"name": "x"})

    on_ldap(settings_of(server, dn=ADMIN), tmp_path, story)


def test_a_detail_without_an_attribute_is_refused(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        with pytest.raises(DirectoryReadOnly, match="to hold the organisation"):
            await directory.change_details("anna", {"organisation": "Sales"})

    settings = settings_of(server, mapping=replace(OPENLDAP, organisation=""))
    on_ldap(settings, tmp_path, story)


def test_numbers_change_hands_but_never_have_two_owners(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        with pytest.raises(NumberTaken, match=r"\+498142479101 belongs to user anna"):
            await directory.set_numbers("bert", ["+498142479103", "+498142479101"], "103")
        assert await directory.user_by_number("+498142479103") is None
        own = "+498142479102"
        await directory.set_numbers("bert", ["+498142479103", "+498142479104", own], "103")
        await directory.set_numbers("bert", ["+498142479104", own], "104")
        found = await directory.user_by_number("+498142479104")
        assert found
        assert (found.id, found.mailbox) == ("bert", "104")
        assert found.numbers == ("+498142479104", own)
        assert await directory.user_by_number("+498142479103") is None
        with pytest.raises(Unstorable, match="stands in telephoneNumber"):
            await directory.set_numbers("bert", ["+498142479104"], "104")
        with pytest.raises(UnknownUser):
            await directory.set_numbers("nobody", ["+498142479105"], "")

    on_ldap(settings_of(server), tmp_path, story)
    assert server.read(f"uid=bert,{PEOPLE}", "vmAriNumber") == ["+498142479104"]


def test_pins_are_not_set_like_settings(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for key in ("pin", "pin_failures", "mailbox"):
            with pytest.raises(Unstorable, match="own commands"):
                await directory.change_settings("anna", {key: "1"})

    on_ldap(settings_of(server), tmp_path, story)


@pytest.mark.feature_part("LOGIN-08", "rotation of the keys of secrets in LDAP")
def test_a_rotation_seals_everything_again(server: Slapd, tmp_path: Path) -> None:
    async def before(directory: UserDirectory) -> None:
        await directory.set_pin("anna", PIN)
        password = directory._keys.seal("secret", owner="anna", attribute=IMAP_PASSWORD)
        await directory._change("anna", lambda _id, _texts: {IMAP_PASSWORD: password})
        await directory.set_pin("bert", PIN)
        sealed = directory.seal_pin("anna", "999999")
        await directory._change("bert", lambda _id, _texts: {IMAP_PASSWORD: sealed})

    async def after(directory: UserDirectory) -> None:
        done: list[int] = []
        assert await directory.reseal(done.append) == Resealed(2, 0, ("bert",))
        assert sum(done) == 2
        assert await directory.reseal() == Resealed(0, 2, ("bert",))
        for user_id in ("anna", "bert"):
            assert await directory.check_pin(user_id, PIN) is PinCheck.RIGHT
        entry = await directory.entry_by_id("anna")
        assert entry
        assert all(directory._keys.is_current(text) for text in entry.sealed.values())

    on_ldap(settings_of(server), tmp_path, before)
    KeyRing(tmp_path).rotate()
    on_ldap(settings_of(server), tmp_path, after)


def test_an_organisation_decides_where_the_user_does_not(server: Slapd, tmp_path: Path) -> None:
    sales = Organisation("Sales", "Sales", {"language": "fr", "time_zone": "Europe/Paris"})

    async def story(directory: LdapDirectory) -> None:
        assert await directory.organisations() == [sales]
        await directory.change_settings("anna", {"language": "de"})
        anna, bert = await directory.all_users()
        assert (anna.language, anna.time_zone) == ("de", "Europe/Paris")
        assert (bert.language, bert.time_zone) == ("es", "Europe/Berlin")

    make = partial(UserDirectory, organisations={"Sales": sales}, defaults={"language": "es"})
    on_ldap(settings_of(server), tmp_path, story, make=make)
