"""``vm-ari check`` and ``vm-ari test ldap``, on real directory servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, crowd, person, unit
from tests.cli.ldap_site import ldap_table, on_servers
from tests.cli.site import CliSite
from tests.private_ca import PrivateCa
from tests.slapd import PASSWORD, READER, SIZE_LIMIT, SUFFIX, Slapd, slapd

CHECK = ("check", "--only", "directory")
DEAD = "ldap://localhost:9"
FEW = f"ou=few,{SUFFIX}"
ENTRIES = (
    unit("people")
    + person("anna", telephoneNumber="+49 30 555-101")
    + person("bert", vmAriNumber="+4930555102", vmAriMailbox="102")
    + person("twin1", telephoneNumber="+49 30 555 103")
    + person("twin2", telephoneNumber="+49 (30) 555-103", vmAriNumber="+4930555103")
    + crowd(SIZE_LIMIT)
    + unit("few")
    + person("carl", FEW)
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Slapd]:
    with slapd(ENTRIES, identity=authority.identity()) as running:
        yield running


def protected(base: Path, server: Slapd, authority: PrivateCa) -> CliSite:
    """As it should be: TLS, a certificate that is checked, an account with the rights."""
    site = CliSite(base)
    more = f'ca_file = "{authority.file}"\n'
    table = ldap_table(base, server.tls_url, server.url, more=more)
    site.configure(table.replace("plaintext = true\n", ""))
    return site


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the directory")
def test_all_is_well(tmp_path: Path, server: Slapd, authority: PrivateCa) -> None:
    site = protected(tmp_path, server, authority)
    found = site.ask("check", "--only", "ldap")
    assert {line["result"] for line in found} == {"ok"}
    assert [line["what"] for line in found][-1] == "Settings can be written to vmAriSetting."
    lines = site.run("check", "--only", "ldap", "-o", "tsv").stdout.splitlines()
    assert lines[0] == "part\tresult\twhat\twhat to do"
    assert len(lines) == len(found) + 1, "one line for each finding"


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the directory")
def test_what_is_wrong_is_said_with_its_remedy(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server, account=READER)
    shown = site.run("check", "--only", "ldap", code=1).stdout
    assert "We may not write vmAriSetting." in shown
    assert "nothing protects the connection" in shown
    assert "use ldaps://, or StartTLS" in shown
    assert PASSWORD not in shown


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the directory")
def test_no_server_no_configuration_and_no_ldap_have_codes_of_their_own(tmp_path: Path) -> None:
    site = CliSite(tmp_path)
    site.configure(ldap_table(tmp_path, DEAD))
    assert "Is it running, and is the port right?" in site.run(*CHECK, code=4).stdout
    site.configure()
    assert "kind = “ldap”" in site.run("check", "--only", "ldap", code=3).stderr
    assert "0 users" in site.run(*CHECK).stdout
    site.configure('kind = "ldap"\n')
    assert "no table [directory.ldap]" in site.run(*CHECK, code=3).stderr


def test_a_server_that_hangs_is_waited_for_only_so_long(tmp_path: Path, server: Slapd) -> None:
    more = "receive_seconds = 1\n"
    table = ldap_table(tmp_path, server.tls_url, more=more).replace("plaintext = true\n", "")
    site = CliSite(tmp_path)
    site.configure(table)
    server.freeze()
    try:
        assert "Is it running" in site.run(*CHECK, code=4).stdout
        assert site.run("test", "ldap", "101", code=4).stdout.count("localhost") > 1
        assert "localhost" in site.run("schema", "test", code=4).stdout
        assert "cannot be used" in site.run("users", "show", "anna", code=4).stderr
    finally:
        server.thaw()


def test_a_controller_says_what_in_its_configuration_cannot_be(tmp_path: Path) -> None:
    site = CliSite(tmp_path)
    site.configure(ldap_table(tmp_path, DEAD, more='number_filter = "(uid=${NUM})"\n'))
    done = site.start("run")
    assert done.returncode == 3
    assert done.stderr.startswith("directory.ldap.number_filter: ")
    assert len(done.stderr.splitlines()) == 1


def test_every_server_is_timed_and_says_who_has_a_number(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server, server)
    first, second = site.ask("test", "ldap", "030 555-101")
    assert (first["user"], first["found_by"], first["problem"]) == (
        ["anna"],
        ["telephoneNumber"],
        "",
    )
    assert min(first[name] for name in ("connect_ms", "bind_ms", "search_ms")) > 0
    assert second["server"] == first["server"] == f"localhost:{server.port}"
    own, _ = site.ask("test", "ldap", "102")
    assert (own["user"], own["found_by"]) == (["bert"], ["vmAriNumber", "vmAriMailbox"])
    assert site.ask("test", "ldap")[0]["user"] == []


def test_a_number_of_nobody_or_of_two_is_a_failure(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server)
    assert "twin1 twin2" in site.run("test", "ldap", "103", code=1).stdout
    assert "reach nobody" in site.run("test", "ldap", "103", code=1).stdout
    site.run("test", "ldap", "199", code=1)
    assert "not a telephone number" in site.run("test", "ldap", "*)(uid=*", code=1).stderr


def test_a_server_that_fails_is_named_beside_those_that_work(tmp_path: Path, server: Slapd) -> None:
    site = CliSite(tmp_path)
    site.configure(ldap_table(tmp_path, DEAD, server.url))
    shown = site.run("test", "ldap", "101", "-o", "tsv", code=1).stdout.splitlines()
    dead, alive = (line.split("\t") for line in shown[1:])
    assert (dead[0], dead[4]) == ("localhost:9", "")
    assert "localhost:9" in dead[-1]
    assert (alive[4], alive[-1]) == ("anna", "")


def test_users_are_managed_on_the_servers_too(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server)
    told = site.run("users", "set", "anna", "language=de", "--new-pin").stdout
    pin = told.split("PIN is ")[1].split()[0]
    values = server.read(f"uid=anna,{PEOPLE}", "vmAriSetting")
    assert "language=de" in values
    assert pin not in " ".join(values)
    assert [value for value in values if value.startswith("pin=v1.")]
    assert "1 secrets sealed anew" in site.run("keys", "rotate").stdout


def test_a_change_that_the_directory_does_not_take_is_no_outage(
    tmp_path: Path, server: Slapd
) -> None:
    site = on_servers(tmp_path, server, account=READER, people=FEW)
    assert "refuses the change" in site.run("users", "set", "carl", "language=de", code=1).stderr
    refused = site.run("users", "assign", "carl", "030 555-107", code=1).stderr
    assert "The directory does not take this change" in refused


def test_a_directory_that_keeps_users_back_is_no_outage(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server, account=READER)
    refused = site.run("users", "list", code=1).stderr
    assert f"gave {SIZE_LIMIT} entries, and kept back the others" in refused


def test_settings_of_an_organisation_come_from_the_configuration(
    tmp_path: Path, server: Slapd
) -> None:
    server.modify(f"dn: uid=bert,{PEOPLE}\nchangetype: modify\nreplace: o\no: sales\n")
    site = on_servers(tmp_path, server)
    site.config.write_text(
        site.config.read_text() + '[organisations.sales]\nsettings = { time_zone = "Asia/Tokyo" }\n'
    )
    shown = site.run("users", "effective", "bert", "-o", "tsv").stdout
    [zone] = [line for line in shown.splitlines() if line.startswith("time_zone\t")]
    assert zone.split("\t")[1:3] == ["Asia/Tokyo", "organisation"]
