"""Organisations, packages and roles, as configured (UM-01, UM-02)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from vm_ari.adapters.findings import Finding
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.roles import Givers, LdapRoles, RoleRules
from vm_ari.adapters.organisation_database import OrganisationDatabase
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import Config
from vm_ari.config.directory import LdapRolesTable
from vm_ari.domain.entries import Organisation
from vm_ari.domain.packages import PackageLimits
from vm_ari.ports import Clock, UserRegister
from vm_ari.services.limited_register import LimitedRegister, counting
from vm_ari.services.organisations import Organisations
from vm_ari.wiring.directories import ConfiguredDirectory


@dataclass(frozen=True)
class OpenOrganisations:
    """What has been opened."""

    service: Organisations
    limits: Callable[[], PackageLimits]
    database: OrganisationDatabase
    operators: frozenset[str] = frozenset()
    """Those of the configuration."""

    async def close(self) -> None:
        """Let go of the database."""
        await self.database.close()


def open_organisations(
    config: Config, register: ConfiguredDirectory, clock: Clock
) -> OpenOrganisations:
    """Nothing is connected yet; to be closed by the caller."""
    database = OrganisationDatabase(config.web.url or config.directory.url)
    service = Organisations(
        config.organisation_records(), database, clock, register.know_organisations
    )

    def limits() -> PackageLimits:
        each = {key: one.packages for key, one in service.known.items() if one.packages}
        return PackageLimits(config.users.packages, each)

    return OpenOrganisations(service, limits, database, frozenset(config.web.operators))


async def organisations_now(
    config: Config, register: ConfiguredDirectory
) -> Mapping[str, Organisation]:
    """By id, as operators keep them; the directory knows them from then on.

    Raises `DirectoryUnavailable`.
    """
    opened = open_organisations(config, register, SystemClock())
    try:
        await opened.service.keep_known()
    finally:
        await opened.close()
    return {one.id: one for one in await register.organisations()}


async def examine_roles(config: Config, register: ConfiguredDirectory) -> Sequence[Finding]:
    """Whom the directory gives a role; nothing where it gives none. `DirectoryUnavailable`."""
    source = open_role_source(config, register)
    if source is None:
        return []
    found, known = await source.roles(), await organisations_now(config, register)
    strange = sorted(set(found.administrators) - set(known))
    count = sum(len(ids) for ids in found.administrators.values())
    told = f"The directory makes {len(found.operators)} operators and {count} administrators."
    return [
        Finding(True, told),
        *(
            Finding(
                False,
                f"directory.ldap.roles: there is no organisation {one}.",
                f"Correct the id, or add it: vm-ari organisations add {one}",
            )
            for one in strange
        ),
    ]


def open_role_source(config: Config, register: ConfiguredDirectory) -> LdapRoles | None:
    """None: the directory gives no roles."""
    if config.directory.ldap is None or not isinstance(register, LdapDirectory):
        return None
    rules = role_rules(config.directory.ldap.roles)
    return LdapRoles(register, rules) if rules != RoleRules() else None


def role_rules(table: LdapRolesTable) -> RoleRules:
    """What gives which role."""
    named = {*table.administrators, *table.administrator_groups}
    return RoleRules(
        table.attribute if table.operators or table.administrators else "",
        Givers(table.operators, table.operator_groups),
        {
            key: Givers(table.administrators.get(key, ()), table.administrator_groups.get(key, ()))
            for key in sorted(named)
        },
    )


def limited(
    register: UserRegister,
    limits: Callable[[], PackageLimits],
    used: Callable[[], Awaitable[Mapping[str, int]]] | None = None,
) -> LimitedRegister:
    """Nobody gets more than there is; *used* None: everybody is looked at."""
    return LimitedRegister(register, limits, used or counting(register))
