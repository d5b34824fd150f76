"""Roles by attribute or group of a real directory; and one address is one user's (UM-02, UM-03)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, SITE, person, settings_of, unit
from tests.cli.ldap_site import on_servers
from tests.slapd import ADMIN, SERVICE, SUFFIX, Slapd, ldif, slapd
from tests.web.portal_house import HouseClock
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.roles import Givers, LdapRoles, RoleRules
from vm_ari.adapters.mail_change_database import MailChangeDatabase
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config.directory import LdapRolesTable
from vm_ari.domain.mail_changes import Outcome
from vm_ari.domain.portal_rights import DirectoryRoles
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailTaken
from vm_ari.services.mail_changes import MailChanges
from vm_ari.wiring.organisations import role_rules

GROUPS = f"ou=groups,{SUFFIX}"
OPERATORS = f"cn=operators,{GROUPS}"
NORTH = f"cn=north,{GROUPS}"
OUTSIDE = f"uid=outsider,ou=others,{SUFFIX}"
HOSTILE = ("voicemail operator*", "*", "voicemail-operator)(uid=*", "voicemail-operator\\00")


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    people = [
        person("anna", employeeType="Voicemail-Operator"),
        person("bert", employeeType=("staff", "voicemail-north")),
        person("cora"),
        person("dora"),
        person("hans", employeeType=HOSTILE),
    ]
    members = (
        f"uid=cora,{PEOPLE}",
        f"uid=gone,{PEOPLE}",
        f"cn=no person,{GROUPS}",
        OUTSIDE,
        ADMIN,
        PEOPLE,
    )
    groups = [
        ldif(OPERATORS, {"objectClass": "groupOfNames", "cn": "operators", "member": members}),
        ldif(
            NORTH,
            {
                "objectClass": "groupOfUniqueNames",
                "cn": "north",
                "uniqueMember": f"UID=Dora, {PEOPLE}",
            },
        ),
    ]
    others = unit("others") + person("outsider", f"ou=others,{SUFFIX}")
    with slapd(unit("people") + "".join(people) + others + unit("groups") + "".join(groups)) as one:
        yield one


def on_directory(
    server: Slapd, home: Path, story: Callable[[LdapDirectory], Awaitable[None]]
) -> None:
    async def run() -> None:
        directory = LdapDirectory(settings_of(server), KeyRing(home / "keys"), site=SITE)
        try:
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


@pytest.mark.feature_part("UM-02", "roles by an attribute or a group of the directory")
def test_an_attribute_and_groups_give_roles_to_users_and_nobody_else(
    server: Slapd, tmp_path: Path
) -> None:
    table = LdapRolesTable(
        attribute="employeeType",
        operators=("voicemail-operator",),
        administrators={"north": ("voicemail-north",), "south": HOSTILE[1:2]},
        operator_groups=(OPERATORS,),
        administrator_groups={"north": (NORTH,), "west": (f"cn=none,{GROUPS}",)},
    )

    async def story(directory: LdapDirectory) -> None:
        assert await LdapRoles(directory, role_rules(table)).roles() == DirectoryRoles(
            frozenset({"anna", "cora"}),
            {
                "north": frozenset({"bert", "dora"}),
                "south": frozenset({"hans"}),  # who has just that value, and not everybody
                "west": frozenset(),
            },
        )
        none = RoleRules("", Givers(), {})
        assert await LdapRoles(directory, none).roles() == DirectoryRoles()

    on_directory(server, tmp_path, story)


def test_the_examination_counts_roles_and_names_organisations_that_are_not_there(
    server: Slapd, tmp_path: Path
) -> None:
    table = (
        '[directory.ldap.roles]\nattribute = "employeeType"\noperators = ["voicemail-operator"]\n'
        '[directory.ldap.roles.administrators]\nnorth = ["voicemail-north"]\n'
    )
    site = on_servers(tmp_path, server, more=table)
    told = site.run("check", "--only", "ldap", code=1).stdout
    assert "makes 1 operators and 1 administrators" in told
    assert "there is no organisation north" in told


def test_a_directory_that_is_away_is_said(server: Slapd, tmp_path: Path) -> None:
    rules = RoleRules("employeeType", Givers(("x",)))

    async def story(directory: LdapDirectory) -> None:
        server.stop()
        try:
            with pytest.raises(DirectoryUnavailable):
                await LdapRoles(directory, rules).roles()
        finally:
            server.start()

    on_directory(server, tmp_path, story)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"operators": ["x"]}, "attribute: is missing"),
        ({"attribute": "employeeType", "operators": [" "]}, "an empty value"),
        ({"operator_groups": ["operators"]}, "write a distinguished name"),
        ({"attribute": "a)(b"}, "names have letters"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(table: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        LdapRolesTable.model_validate(table)


@pytest.mark.feature_part("UM-03", "two who take the same address of a directory at once")
def test_of_two_who_take_an_address_at_the_same_moment_at_most_one_keeps_it(
    server: Slapd, tmp_path: Path
) -> None:
    async def story(one: LdapDirectory, other: LdapDirectory) -> None:
        takers = ((one, "cora"), (other, "dora"))
        for number in range(15):
            wanted = {"mail": f"shared{number}@example.org", "given": f"G{number}"}
            ended = await asyncio.gather(
                *(directory.change_details(user, wanted) for directory, user in takers),
                return_exceptions=True,
            )
            taken = [isinstance(one, MailTaken) for one in ended]
            assert [one for one in ended if one] == [
                one for one in ended if isinstance(one, MailTaken)
            ]
            found = [await directory.entry_by_id(user) for directory, user in takers]
            has = [one is not None and one.mail == wanted["mail"] for one in found]
            assert has == [not one for one in taken], "who is refused has what he had"
            assert has.count(True) <= 1

    async def run() -> None:
        settings = settings_of(server, dn=ADMIN)
        pair = [LdapDirectory(settings, KeyRing(tmp_path / "keys"), site=SITE) for _ in range(2)]
        try:
            await story(*pair)
        finally:
            for directory in pair:
                await directory.close()

    asyncio.run(run())


@dataclass
class Told:
    """Notices that are only remembered."""

    mails: list[tuple[SystemMail, str, Mapping[str, object]]] = field(default_factory=list)

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """See `Notices`."""
        self.mails.append((mail, user.mail, values))


@pytest.mark.feature_part("UM-03", "by code on a directory server, also one that refuses it")
@pytest.mark.parametrize(
    ("account", "outcome"), [(ADMIN, Outcome.CHANGED), (SERVICE, Outcome.READ_ONLY)]
)
def test_an_address_of_a_directory_is_changed_by_code_where_it_takes_that(
    server: Slapd, tmp_path: Path, account: str, outcome: Outcome
) -> None:
    async def story(directory: LdapDirectory, rows: MailChangeDatabase) -> None:
        told = Told()
        changes = MailChanges(rows, directory, HouseClock(), [b"key"], told)
        user = await directory.user_by_id("anna")
        assert user
        assert await changes.begin(user, "BERT@example.org") is Outcome.TAKEN
        assert await changes.begin(user, "anna.a@example.org") is Outcome.SENT
        assert await changes.confirm(user, str(told.mails[-1][2]["code"])) is outcome
        entry = await directory.entry_by_id("anna")
        assert entry
        changed = outcome is Outcome.CHANGED
        assert entry.mail == ("anna.a@example.org" if changed else "anna@example.org")
        assert [mail for mail, *_ in told.mails[1:]] == (
            [SystemMail.MAIL_CHANGED, SystemMail.MAIL_NEW] if changed else []
        )
        if changed:
            await changes.by_admin(replace(user, mail=entry.mail), user.mail, by="olga")

    async def run() -> None:
        settings = settings_of(server, dn=account)
        directory = LdapDirectory(settings, KeyRing(tmp_path / "keys"), site=SITE)
        rows = MailChangeDatabase(f"sqlite:///{tmp_path}/portal.db")
        try:
            await story(directory, rows)
        finally:
            await rows.close()
            await directory.close()

    asyncio.run(run())
