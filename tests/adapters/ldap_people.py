"""Directories full of people for the tests of LDAP."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tests.slapd import PASSWORD, SERVICE, SUFFIX, Attributes, Slapd, ldif
from vm_ari.adapters.ldap.address import LDAP, Account, Patience
from vm_ari.adapters.ldap.directory import LdapDirectory, LdapSettings
from vm_ari.adapters.ldap.mapping import PRESETS, Mapping, Preset
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import entry_of
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User

T = TypeVar("T")
Story = Callable[["UserDirectory"], Awaitable[T]]

OPENLDAP = PRESETS[Preset.OPENLDAP]
PEOPLE = f"ou=people,{SUFFIX}"
SITE = Site(region="DE", base_number="+498142479", area="8142")
SPELLINGS = ("+498142479{0}", "+49 8142 479{0}", "+49 (8142) 479-{0}", "08142/479{0}")
"""How people write the numbers of their colleagues."""


class UserDirectory(LdapDirectory):
    """One that takes the effective users of the contract tests."""

    async def add_user(self, user: User, pin: str | None = None) -> None:
        """Store a user whose every setting is its own."""
        await self.add_entry(entry_of(user), pin)


def unit(name: str, below: str = SUFFIX) -> str:
    """An organisational unit."""
    return ldif(f"ou={name},{below}", {"objectClass": "organizationalUnit", "ou": name})


def person(user_id: str, below: str = PEOPLE, **attributes: str | Iterable[str]) -> str:
    """Somebody who may have a mailbox."""
    base: Attributes = {
        "objectClass": ("inetOrgPerson", "vmAriUser"),
        "uid": user_id,
        "cn": user_id.capitalize(),
        "sn": user_id,
        "mail": f"{user_id}@example.org",
    }
    return ldif(f"uid={user_id},{below}", {**base, **attributes})


def crowd(size: int, below: str = PEOPLE) -> str:
    """Users ``u00000`` and so on, whose extension is 10000 and so on, written in four ways."""
    return "".join(
        person(
            f"u{number:05}",
            below,
            telephoneNumber=SPELLINGS[number % 4].format(10000 + number),
            vmAriSetting=("language=de", "time_zone=Europe/Berlin"),
        )
        for number in range(size)
    )


def number_of(user: int) -> str:
    """The number of one of the crowd."""
    return f"+498142479{10000 + user}"


def settings_of(
    *servers: Slapd,
    dn: str = SERVICE,
    bases: tuple[str, ...] = (PEOPLE,),
    mapping: Mapping = OPENLDAP,
    local_settings: str = "",
    patience: Patience | None = None,
) -> LdapSettings:
    """To reach servers that have no TLS."""
    return LdapSettings(
        servers=tuple(LDAP.server_at(server.url, plaintext=True) for server in servers),
        bases=bases,
        account=Account(dn, PASSWORD),
        mapping=mapping,
        local_settings=local_settings,
        patience=patience or Patience(),
    )


def on_ldap(
    settings: LdapSettings,
    keys: Path,
    story: Story[T],
    *,
    make: Callable[..., UserDirectory] = UserDirectory,
    **options: Any,
) -> T:
    """Run a story on a directory, and close it."""

    async def run() -> T:
        directory = make(settings, KeyRing(keys), **{"site": SITE, **options})
        try:
            return await story(directory)
        finally:
            await directory.close()

    return asyncio.run(run())


def with_changes(settings: LdapSettings, **changes: object) -> LdapSettings:
    """The same directory, with another mapping."""
    return replace(settings, mapping=replace(settings.mapping, **changes))  # type: ignore[arg-type]
