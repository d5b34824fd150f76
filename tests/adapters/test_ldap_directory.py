"""Users of a real OpenLDAP server: the contract of every directory, and what is LDAP's own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.directory_contract import DirectoryContract
from tests.adapters.directory_contract import Story as ContractStory
from tests.adapters.ldap_people import OPENLDAP, on_ldap, settings_of, unit
from tests.slapd import ADMIN, SUFFIX, Slapd, slapd
from vm_ari.adapters.ldap.mapping import PRESETS, Mapping, Preset
from vm_ari.domain.directory_text import OneString
from vm_ari.domain.numbers import Site

FRUGAL = replace(PRESETS[Preset.FREE], new_classes=("inetOrgPerson",))
"""No schema of our own: everything lies in ordinary attributes."""
ONE_STRING = replace(
    OPENLDAP, settings="description", form=OneString(), new_classes=("inetOrgPerson", "vmAriUser")
)


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with slapd(unit("people")) as running:
        yield running


class OnLdap(DirectoryContract):
    """Each story has an organisational unit of its own."""

    mapping: Mapping

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, server: Slapd, request: pytest.FixtureRequest) -> None:
        self.base, self.server, self.number = tmp_path, server, 0

    def on_directory(self, story: ContractStory, **options: Any) -> None:
        self.number += 1
        name = f"{type(self).__name__}-{self.base.name}-{self.number}".lower()
        self.server.modify(unit(name).replace("\nobjectClass", "\nchangetype: add\nobjectClass", 1))
        settings = settings_of(
            self.server, dn=ADMIN, bases=(f"ou={name},{SUFFIX}",), mapping=self.mapping
        )
        on_ldap(settings, self.base / "keys", story, site=Site(), **options)


class TestOwnSchema(OnLdap):
    """The contract, with vm_ari's schema."""

    mapping = OPENLDAP


class TestFrugal(OnLdap):
    """The contract, with nothing but standard attributes."""

    mapping = FRUGAL


class TestOneString(OnLdap):
    """The contract, with all settings in one string.

    An attribute of Active Directory takes 1,024 characters: enough for what people set, but not for
    every setting at once.
    """

    mapping = replace(ONE_STRING, form=OneString(limit=2048))
