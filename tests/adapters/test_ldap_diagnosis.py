"""What `check` says of a directory, on real OpenLDAP servers in several kinds of trouble."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.ldap_people import (
    OPENLDAP,
    PEOPLE,
    UserDirectory,
    crowd,
    on_ldap,
    settings_of,
    unit,
)
from tests.adapters.test_ldap_crowd import FAX
from tests.private_ca import PrivateCa
from tests.slapd import ADMIN, PASSWORD, READER, SERVICE, SIZE_LIMIT, SUFFIX, Slapd, slapd
from vm_ari.adapters.ldap.address import LDAP, Account
from vm_ari.adapters.ldap.diagnosis import examine
from vm_ari.adapters.ldap.directory import LdapSettings
from vm_ari.adapters.ldap.schema_rules import parsed
from vm_ari.domain.directory_text import ManyValues, OneString

USERS = SIZE_LIMIT + 100


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Slapd]:
    with slapd(unit("people") + unit("empty") + crowd(USERS), identity=authority.identity()) as one:
        yield one


def said(settings: LdapSettings, base: Path) -> list[str]:
    """Each finding in a line, as an admin reads it."""

    async def story(directory: UserDirectory) -> list[str]:
        findings = await examine(directory)
        return [f"{'ok' if f.good else 'BAD'} {f.text} {f.advice}".strip() for f in findings]

    return on_ldap(settings, base, story)


def well(server: Slapd, ca_file: Path | None) -> LdapSettings:
    return LdapSettings(
        (LDAP.server_at(server.tls_url), LDAP.server_at(server.url)),
        (PEOPLE,),
        Account(SERVICE, PASSWORD),
        ca_file=ca_file,
    )


@pytest.mark.feature_part("MAIL-07", "for the directory")
def test_all_is_well(server: Slapd, authority: PrivateCa, tmp_path: Path) -> None:
    assert said(well(server, authority.file), tmp_path) == [
        f"ok localhost:{server.tls_port} answers over TLS and takes our password.",
        f"ok localhost:{server.port} answers over TLS and takes our password.",
        f"ok {USERS} users, {USERS} of them with a number.",
        "ok Settings can be written to vmAriSetting.",
    ]


@pytest.mark.feature_part("MAIL-07", "for the directory")
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"mapping": FAX},
            "BAD The server cannot compare facsimileTelephoneNumber: a search for it finds nobody. "
            "Use another attribute, such as telephoneNumber.",
        ),
        (
            {"mapping": replace(OPENLDAP, number_filter="(faxNumber=${UMS})")},
            "BAD The server does not know the attribute faxNumber: it finds nobody. "
            "Load its schema, or take it out of the filter.",
        ),
        (
            {"mapping": replace(OPENLDAP, settings="vmSettings")},
            "BAD The server does not know the attribute vmSettings for settings. "
            "Load its schema (schema/vm-ari.schema), or use another one.",
        ),
        (
            {"mapping": replace(OPENLDAP, settings="displayName", form=ManyValues())},
            "BAD displayName takes one value only. "
            "Keep the settings in one string, or use another attribute.",
        ),
        (
            {"mapping": replace(OPENLDAP, form=OneString())},
            "BAD vmAriSetting takes many values, so one string is not the safest form. "
            "Keep each setting in a value of its own.",
        ),
        (
            {"account": Account(READER, PASSWORD)},
            f"BAD The server gives {SIZE_LIMIT} users only, and keeps back the others. "
            "Raise the size limit of our account there.",
        ),
        (
            {"account": Account(READER, PASSWORD)},
            "BAD We may not write vmAriSetting. "
            "Give our account that right, or keep settings locally (local_settings).",
        ),
        (
            {"account": Account(SERVICE, "wrong")},
            f"refuses the password of {SERVICE}. Correct the account's name or its password.",
        ),
        (
            {"bases": (f"ou=empty,{SUFFIX}",)},
            "BAD There are no users. "
            "Look at the bases, the filter for users, and what our account may see.",
        ),
        (
            {"bases": (f"ou=gone,{SUFFIX}",)},
            f"BAD The directory has no ou=gone,{SUFFIX}, or we may not see it. "
            "Correct the base or the account's rights.",
        ),
        (
            {"ca_file": None},
            "cannot be trusted: unable to get local issuer certificate. "
            "Name the authority's file (directory.ldap.ca_file), or the server's right name.",
        ),
    ],
)
def test_each_trouble_has_its_line(
    server: Slapd, authority: PrivateCa, tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    settings = replace(well(server, authority.file), **changes)  # type: ignore[arg-type]
    lines = said(settings, tmp_path)
    assert [each for each in lines if line in each], lines
    assert PASSWORD not in str(lines)


def test_an_unprotected_or_absent_server_is_named(server: Slapd, tmp_path: Path) -> None:
    settings = settings_of(server, dn=ADMIN)
    settings = replace(settings, servers=(*settings.servers, LDAP.server_at("ldaps://localhost:9")))
    plain, absent, *_ = said(settings, tmp_path)
    assert plain.startswith(f"BAD localhost:{server.port} answers, but nothing protects")
    assert absent.startswith("BAD localhost:9: ")
    assert absent.endswith("Is it running, and is the port right?")


def test_examining_changes_nothing(server: Slapd, authority: PrivateCa, tmp_path: Path) -> None:
    first = f"uid=u00000,{PEOPLE}"
    before = server.read(first, "vmAriSetting"), server.read(first, "modifyTimestamp")
    said(well(server, authority.file), tmp_path)
    assert (server.read(first, "vmAriSetting"), server.read(first, "modifyTimestamp")) == before


def test_rules_are_inherited_and_a_schema_without_rules_compares_all() -> None:
    openldap = parsed(
        [
            "( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3 )",
            "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )",
            "( 2.5.4.23 NAME ( 'facsimileTelephoneNumber' 'fax' ) SYNTAX 1.3 )",
            "( 2.16 NAME 'displayName' EQUALITY caseIgnoreMatch SYNTAX 1.3 SINGLE-VALUE )",
        ]
    )
    assert [openldap.can_compare(name) for name in ("CN", "commonName", "fax")] == [
        True,
        True,
        False,
    ]
    assert (openldap.is_single("displayName"), openldap.is_single("cn")) == (True, False)
    active = parsed(["( 1.2.840 NAME 'facsimileTelephoneNumber' SYNTAX '1.3' SINGLE-VALUE )"])
    assert active.can_compare("facsimileTelephoneNumber")
    assert parsed([]).knows("anything")
