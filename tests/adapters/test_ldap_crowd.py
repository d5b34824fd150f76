"""Finding one of 10,000 people, whatever is dialled, on real OpenLDAP servers."""

import functools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.ldap_people import (
    OPENLDAP,
    PEOPLE,
    SITE,
    UserDirectory,
    crowd,
    number_of,
    on_ldap,
    person,
    settings_of,
    unit,
)
from tests.adapters.test_ldap_filters import HOSTILE
from tests.slapd import ADMIN, READER, SIZE_LIMIT, SUFFIX, Slapd, slapd
from vm_ari.adapters.ldap.mapping import PRESETS, Numbers, Preset
from vm_ari.domain.numbers import Site
from vm_ari.ports import DirectoryIncomplete, DirectoryUnavailable

SIZE = 10_000
SALES, LAB = f"ou=sales,{SUFFIX}", f"ou=lab,{SUFFIX}"
ACTIVE_DIRECTORY = PRESETS[Preset.ACTIVE_DIRECTORY]
FAX = replace(
    OPENLDAP,
    numbers=(Numbers("facsimileTelephoneNumber"),),
    number_filter="(facsimileTelephoneNumber=${UMS})",
)


def staff() -> str:
    """A crowd, some in units of their own, two with the same number."""
    return "".join(
        [
            unit("people"),
            unit("sales"),
            unit("lab"),
            crowd(SIZE),
            person("sonja", SALES, telephoneNumber="+49 8142 479 301", o="Sales"),
            person("lars", LAB, telephoneNumber="+49 8142 479 302"),
            person("fay", LAB, facsimileTelephoneNumber="+498142479303"),
            person("one", LAB, telephoneNumber="+49 8142 479-304"),
            person("two", SALES, telephoneNumber="08142 479304"),
            person("zoe", LAB, vmAriMailbox="77", vmAriNumber="+442071234567"),
            person("none", LAB, employeeNumber="E1"),
        ]
    )


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with slapd(staff()) as running:
        yield running


@pytest.mark.feature("SITE-02")
@pytest.mark.feature_part("DIR-02", "the adapter")
def test_everybody_is_found_however_the_number_is_written(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        chosen = [0, 1, 2, 3, *random.Random(1).sample(range(SIZE), 60)]
        for user in chosen:
            found = await directory.user_by_number(number_of(user))
            assert found is not None, user
            assert (found.id, found.numbers) == (f"u{user:05}", (number_of(user),))
            assert (found.mailbox, found.language) == (str(10000 + user), "de")
        assert await directory.user_by_number("+49814247920000") is None

    on_ldap(settings_of(server), tmp_path, story)


@pytest.mark.parametrize("number", [*HOSTILE, "", "+", "+49", "+0", "u00001", "()", "*" * 256])
def test_what_is_dialled_finds_nobody_else_and_never_fails(
    server: Slapd, tmp_path: Path, number: str
) -> None:
    async def story(directory: UserDirectory) -> None:
        dialled = [number, f"+{number}", f"{number_of(1)}{number}", f"{number}{number_of(1)}"]
        for text in dialled:
            assert await directory.user_by_number(text) is None or text == number_of(1)
            # without the guard before it
            search = functools.partial(directory.people.with_number, number=text)
            found = await directory.servers.ask(search)
            assert [entry.text("uid") for entry in found] in ([], ["u00001"])
            assert await directory.user_by_id(text) is None or text == "u00001"

    with capture_logs() as lines:
        on_ldap(settings_of(server), tmp_path, story)
    assert not [line for line in lines if line["log_level"] in {"error", "warning"}]


def test_a_number_of_two_people_is_nobodys_and_the_admin_is_told(
    server: Slapd, tmp_path: Path
) -> None:
    async def story(directory: UserDirectory) -> None:
        with capture_logs() as lines:
            assert await directory.user_by_number("+498142479304") is None
        [line] = [line for line in lines if line["log_level"] == "error"]
        assert line["asked"] == "+498142479304"
        assert sorted(line["entries"]) == [f"uid=one,{LAB}", f"uid=two,{SALES}"]

    on_ldap(settings_of(server, bases=(SUFFIX,)), tmp_path, story)


@pytest.mark.feature_part("DIR-02", "the adapter")
def test_only_the_chosen_units_are_searched(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> list[str]:
        found = [await directory.user_by_number(f"+49814247930{n}") for n in (1, 2)]
        return [user.id for user in found if user]

    for bases, expected in (
        ((SALES,), ["sonja"]),
        ((LAB, SALES), ["sonja", "lars"]),
        ((SUFFIX, LAB, LAB.upper()), ["sonja", "lars"]),
    ):
        assert on_ldap(settings_of(server, bases=bases), tmp_path, story) == expected


def test_somebody_has_a_mailbox_and_a_foreign_number(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for number in ("77", "+442071234567"):
            found = await directory.user_by_number(number)
            assert found
            assert (found.id, found.mailbox, found.numbers) == ("zoe", "77", ("+442071234567",))

    on_ldap(settings_of(server, bases=(LAB,)), tmp_path, story)


def test_all_users_come_page_by_page(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        users = await directory.all_users()
        assert [user.id for user in users] == [f"u{n:05}" for n in range(SIZE)]

    on_ldap(settings_of(server), tmp_path, story)


def test_who_has_no_number_has_no_mailbox(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        assert "none" not in [user.id for user in await directory.all_users()]
        assert "none" in [entry.id for entry in await directory.all_entries()]

    on_ldap(settings_of(server, bases=(LAB,)), tmp_path, story)


def test_who_has_no_stable_name_is_no_user(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        assert await directory.user_by_number("+498142479302") is None
        assert [entry.id for entry in await directory.all_entries()] == ["E1"]

    mapping = replace(OPENLDAP, id="employeeNumber")
    on_ldap(settings_of(server, bases=(LAB,), mapping=mapping), tmp_path, story)


def test_a_limit_of_the_server_is_reported(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        with pytest.raises(DirectoryIncomplete, match=rf"gave {SIZE_LIMIT} entries.*{READER}"):
            await directory.all_users()
        assert await directory.user_by_number(number_of(7))

    on_ldap(settings_of(server, dn=READER), tmp_path, story)


def test_a_base_that_is_not_there_is_named(server: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        with pytest.raises(DirectoryUnavailable, match="has no ou=gone"):
            await directory.user_by_number(number_of(7))

    on_ldap(settings_of(server, bases=(f"ou=gone,{SUFFIX}",)), tmp_path, story)


def test_fax_numbers_cannot_be_found_on_openldap(server: Slapd, tmp_path: Path) -> None:
    """The trap that our own presets avoid; `check` tells about it."""

    async def story(directory: UserDirectory) -> None:
        assert await directory.user_by_number("+498142479303") is None

    on_ldap(settings_of(server, bases=(LAB,), mapping=FAX), tmp_path, story)


# --- A directory that names and compares like Active Directory


def account(name: str, *, control: int = 512, **attributes: str) -> str:
    return person(
        name,
        objectClass=("inetOrgPerson", "user"),
        sAMAccountName=name,
        objectCategory="person",
        userAccountControl=str(control),
        displayName=name.title(),
        **attributes,
    )


@pytest.fixture(scope="module")
def windows() -> Iterator[Slapd]:
    accounts = [
        account("anna", facsimileTelephoneNumber="+49 (8142) 479-101", company="Acme"),
        account("bert", telephoneNumber="08142/479 102"),
        account("cora", proxyAddresses="IXI:+49 8142 479103"),
        account("dora", telephoneNumber="+49 8142 479104", control=514),
        account("emil", telephoneNumber="+49 8142 479 105"),
    ]
    schema = [Path(__file__).parents[1] / "active_directory_like.schema"]
    with slapd(unit("people") + "".join(accounts), schema=schema, searchable_fax=True) as running:
        yield running


@pytest.mark.feature("DIR-01")
def test_accounts_are_found_as_in_active_directory(windows: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        for extension, name in (("101", "anna"), ("102", "bert"), ("103", "cora"), ("105", "emil")):
            found = await directory.user_by_number(f"+498142479{extension}")
            assert found is not None, name
            assert (found.id, found.mailbox) == (name, extension)
            assert found.numbers == (f"+498142479{extension}",)
        assert await directory.user_by_number("+498142479104") is None, "is disabled"
        await directory.change_settings("anna", {"language": "en", "folder": "INBOX"})
        await directory.set_pin("anna", "246813")
        entry = await directory.entry_by_id("ANNA")
        assert entry is not None
        assert (entry.settings["language"], entry.organisation) == ("en", "Acme")

    settings = settings_of(windows, dn=ADMIN, mapping=ACTIVE_DIRECTORY)
    on_ldap(settings, tmp_path, story, site=replace(SITE, shortest_extension=3))
    [text] = windows.read(f"uid=anna,{PEOPLE}", "extensionAttribute10")
    assert text.startswith("language=en;folder=INBOX;pin=v1.")


def test_users_are_not_created_in_active_directory(windows: Slapd, tmp_path: Path) -> None:
    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("anna")
        assert entry is not None
        with pytest.raises(DirectoryUnavailable, match="not created"):
            await directory.add_entry(replace(entry, id="new"))

    settings = settings_of(windows, dn=ADMIN, mapping=ACTIVE_DIRECTORY)
    on_ldap(settings, tmp_path, story, site=Site())
