"""The people of the portal, as configured: roles, organisations, changed addresses."""

import asyncio
from dataclasses import dataclass

from vm_ari.adapters.mail_change_database import MailChangeDatabase
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import Config
from vm_ari.domain.portal_rights import Rights
from vm_ari.ports import Clock, Notices, UserRegister
from vm_ari.services.mail_changes import MailChanges
from vm_ari.services.roles import Roles
from vm_ari.web.people_parts import PeopleParts
from vm_ari.wiring.directories import ConfiguredDirectory
from vm_ari.wiring.organisations import OpenOrganisations, open_organisations, open_role_source

_ROLES_EVERY = 5.0
"""Seconds; what was asked just now is not asked again."""


@dataclass(frozen=True)
class OpenPeople:
    """What the portal has opened."""

    parts: PeopleParts
    roles: Roles
    rights: Rights
    organisations: OpenOrganisations
    mail_changes: MailChangeDatabase

    async def run(self) -> None:
        """Keep roles and organisations known, and finish what another process has left."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.parts.mail_changes.run(), name="changed addresses")
            tasks.create_task(self._keep_known(), name="roles")

    async def close(self) -> None:
        """Let go of the databases."""
        await self.mail_changes.close()
        await self.organisations.close()

    async def _keep_known(self) -> None:
        while True:
            await self.roles.keep_known()
            await asyncio.sleep(_ROLES_EVERY)


def open_people(
    config: Config,
    keys: KeyRing,
    clock: Clock,
    register: UserRegister,
    notices: Notices | None,
) -> OpenPeople:
    """Nothing is connected yet; to be closed by the caller."""
    assert isinstance(register, ConfiguredDirectory)
    organisations = open_organisations(config, register, clock)
    source = open_role_source(config, register)
    roles = Roles(frozenset(config.web.operators), organisations.service, clock, source)
    database = MailChangeDatabase(config.web.url or config.directory.url)
    changes = MailChanges(database, register, clock, keys.signing_keys("mail change"), notices)
    parts = PeopleParts(changes, organisations.service, organisations.limits)
    rights = roles.rights(frozenset(config.web.may_change))
    return OpenPeople(parts, roles, rights, organisations, database)
