"""``vm-ari schema``: what a server needs, and whether it has it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.cli.ldap_site import ldap_table, on_servers
from tests.cli.site import CliSite
from tests.slapd import ADMIN, READER, ROOT, Slapd, slapd

ANNA = f"uid=anna,{PEOPLE}"
BERT = f"uid=bert,{PEOPLE}"
SMALL = """\
attributetype ( 2.25.1.1 NAME 'smallText' EQUALITY caseExactMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{100} SINGLE-VALUE )
attributetype ( 2.25.1.2 NAME 'oddText' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 2.25.1.3 NAME 'oddUser' SUP top AUXILIARY MAY ( smallText $ oddText ) )
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    file = tmp_path_factory.mktemp("schema") / "odd.schema"
    file.write_text(SMALL)
    people = (
        unit("people")
        + person("anna", objectClass="inetOrgPerson", description="Somebody; in Sales")
        + person("bert", vmAriSetting=("language=de", "revision=3"))
    )
    with slapd(people, schema=[file]) as running:
        yield running


@pytest.mark.feature_part("DIR-01", "a schema of our own for OpenLDAP, printed")
def test_the_schema_is_printed_as_it_is_shipped(site: CliSite) -> None:
    assert site.run("schema", "openldap").stdout == (ROOT / "schema/vm-ari.schema").read_text()
    ldif = site.run("schema", "openldap", "--ldif").stdout
    assert ldif == (ROOT / "schema/vm-ari.ldif").read_text()


def test_active_directory_gets_a_delegation_for_one_attribute(site: CliSite) -> None:
    words = ("--account", "ACME\\voice", "--unit", "OU=Staff,DC=acme,DC=example")
    text = site.run("schema", "ad", *words).stdout
    granted = '"OU=Staff,DC=acme,DC=example" /I:S /G "ACME\\voice:RPWP;extensionAttribute10;user"'
    assert f"dsacls {granted}\n" in text
    assert "${" not in text
    assert "RPWP;info;user" in site.run("schema", "ad", "--attribute", "info").stdout


@pytest.mark.feature_part("DIR-01", "does a server's schema take what we store")
def test_sizes_values_and_rules_of_each_attribute_are_told(tmp_path: Path, server: Slapd) -> None:
    found = on_servers(tmp_path, server).ask("schema", "test")
    assert {line["result"] for line in found} == {"ok"}
    told = {line["what"] for line in found}
    assert "vmAriSetting: 4096 characters, many values, can be compared." in told
    assert "vmAriMailbox: 32 characters, one value, can be compared." in told


@pytest.mark.feature_part("DIR-01", "does a server's schema take what we store")
@pytest.mark.parametrize(
    ("attributes", "line"),
    [
        ('settings = "vmSettings"', "vmSettings: the server does not know it."),
        ('numbers = ["facsimileTelephoneNumber"]', "A search for it finds nobody"),
        ('settings = "oddText"', "oddText: a value cannot be compared"),
        ('settings = "smallText"', "smallText takes one value only, and each setting needs one."),
        (
            'settings = "smallText"\nform = "one-string"',
            "smallText takes 100 characters, and up to 1024 would be written.",
        ),
        (
            'settings = "smallText"\nform = "one-string"\nlimit = 100',
            "smallText takes 100 characters; a sealed password needs 160.",
        ),
        ('own_class = "noUser"', "The server does not know the object class noUser."),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, server: Slapd, attributes: str, line: str
) -> None:
    more = f"[directory.ldap.attributes]\n{attributes}\n"
    assert line in on_servers(tmp_path, server, more=more).run("schema", "test", code=1).stdout


def everything_of(server: Slapd, dn: str) -> list[list[str]]:
    return [
        sorted(server.read(dn, name)) for name in ("vmAriSetting", "description", "objectClass")
    ]


@pytest.mark.feature_part("DIR-03", "any attribute of text is tried out by writing to it")
@pytest.mark.parametrize(
    "attributes",
    ["", '[directory.ldap.attributes]\nsettings = "description"\nform = "one-string"\n'],
    ids=["own schema", "one string"],
)
def test_a_probe_is_written_only_when_asked_for_and_leaves_nothing(
    tmp_path: Path, server: Slapd, attributes: str
) -> None:
    site = on_servers(tmp_path, server, account=ADMIN, more=attributes)
    before = everything_of(server, ANNA), everything_of(server, BERT)
    stamps = server.read(ANNA, "modifyTimestamp"), server.read(ANNA, "entryCSN")
    site.run("schema", "test", "--user", "anna")
    assert (server.read(ANNA, "modifyTimestamp"), server.read(ANNA, "entryCSN")) == stamps
    for user in ("anna", "bert"):
        shown = site.run("schema", "test", "--write", "--user", user).stdout
        assert re.search(rf"ok .*written to \w+ of uid={user},.*and removed again", shown)
    assert server.read(ANNA, "entryCSN") != stamps[1], "something was written"
    assert (everything_of(server, ANNA), everything_of(server, BERT)) == before


def test_a_probe_that_is_refused_is_named(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server, account=READER)
    shown = site.run("schema", "test", "--write", code=1).stdout
    assert f"We may not write vmAriSetting of {ANNA}." in shown
    gone = site.run("schema", "test", "--write", "--user", "nobody", code=1).stdout
    assert "There is no user to write to." in gone


def test_no_server_and_no_ldap_have_codes_of_their_own(tmp_path: Path) -> None:
    site = CliSite(tmp_path)
    site.configure(ldap_table(tmp_path, "ldap://localhost:9"))
    assert "localhost:9" in site.run("schema", "test", code=4).stdout
    site.configure()
    assert "directory.kind" in site.run("schema", "test", code=3).stderr
