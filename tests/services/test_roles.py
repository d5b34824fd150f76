"""Roles by the directory, which may be away, and by organisations that others change (UM-02)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from vm_ari.domain.organisations import Agreement, OrganisationRecord
from vm_ari.domain.portal_rights import DirectoryRoles, Feature, Role
from vm_ari.ports import DirectoryUnavailable, PortalUnavailable
from vm_ari.services.organisations import STALE as ORGANISATIONS_STALE
from vm_ari.services.organisations import Organisations
from vm_ari.services.roles import LAPSED, STALE, Roles

NORTH = OrganisationRecord("north", "North", administrators=("adam",))


@dataclass
class World:
    """What is outside, and can be away: clock, directory and database."""

    at: datetime = datetime(2026, 3, 4, 12, tzinfo=UTC)
    given: DirectoryRoles | None = field(default_factory=DirectoryRoles)
    kept: list[OrganisationRecord] | None = field(default_factory=list)
    asked: int = 0

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at

    async def roles(self) -> DirectoryRoles:
        """See `RoleSource`."""
        self.asked += 1
        if self.given is None:
            raise DirectoryUnavailable("no server answers")
        return self.given

    async def all(self) -> Sequence[OrganisationRecord]:
        """See `OrganisationRows`."""
        if self.kept is None:
            raise PortalUnavailable("the database is away")
        return self.kept

    async def write(self, record: OrganisationRecord) -> bool:
        """See `OrganisationRows`."""
        raise NotImplementedError


def roles_in(world: World) -> Roles:
    organisations = Organisations({"north": NORTH}, world, world, lambda _found: None)
    return Roles(frozenset({"olga"}), organisations, world, world)


def test_roles_of_the_directory_count_until_it_takes_them_away() -> None:
    async def story() -> None:
        world = World(given=DirectoryRoles(frozenset({"otto"}), {"north": frozenset({"nina"})}))
        roles = roles_in(world)
        rights = roles.rights(frozenset(Feature))
        assert rights.role_of("otto") is Role.USER
        await asyncio.gather(*(roles.keep_known() for _ in range(5)))
        assert world.asked == 1
        assert rights.role_of("otto") is rights.role_of("olga") is Role.OPERATOR
        assert rights.may_act_in("nina", "north")
        assert rights.administrators["north"] == {"adam", "nina"}
        assert rights.operators - {"otto"} == {"olga"}
        assert not rights.may_act_as("adam", "otto")
        world.given = DirectoryRoles()
        world.at += STALE
        await roles.keep_known()
        assert rights.role_of("otto") is Role.USER
        assert not rights.may_act_in("nina", "north")
        assert rights.may_act_in("adam", "north")

    asyncio.run(story())


def test_a_directory_that_is_away_gives_no_role_for_ever() -> None:
    async def story() -> None:
        world = World(given=DirectoryRoles(frozenset({"otto"})))
        roles = roles_in(world)
        rights = roles.rights(frozenset(Feature))
        await roles.keep_known()
        world.given = None
        world.at += LAPSED - timedelta(seconds=1)
        await roles.keep_known()
        assert rights.role_of("otto") is Role.OPERATOR
        world.at += STALE
        await roles.keep_known()
        assert rights.role_of("otto") is Role.USER
        assert rights.role_of("olga") is Role.OPERATOR

    asyncio.run(story())


def test_what_another_process_keeps_counts_soon_and_a_database_away_changes_nothing() -> None:
    async def story() -> None:
        world = World()
        roles = roles_in(world)
        rights = roles.rights(frozenset(Feature))
        await roles.keep_known()
        assert not rights.may_act_in("olga", "north")
        agreed = replace(NORTH, agreement=Agreement(date(2026, 1, 15), "olga"), version=1)
        world.kept = [agreed, OrganisationRecord("west", administrators=("wim",), version=1)]
        world.at += ORGANISATIONS_STALE
        await roles.keep_known()
        assert rights.may_act_in("olga", "north")
        assert rights.agreements.get("north") == date(2026, 1, 15)
        assert rights.role_of("wim") is Role.ADMINISTRATOR
        world.kept = None
        world.at += ORGANISATIONS_STALE
        await roles.keep_known()
        assert rights.may_act_in("wim", "west")

    asyncio.run(story())
