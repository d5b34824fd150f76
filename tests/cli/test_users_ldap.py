"""``vm-ari users`` on a real OpenLDAP: the same commands, and what only LDAP has."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.cli.ldap_site import on_servers
from tests.cli.site import BASE, CliSite
from tests.slapd import ADMIN, READER, SUFFIX, Slapd, slapd
from vm_ari.cli.users.each import Report, Result, for_each
from vm_ari.domain.entries import Entry
from vm_ari.services.user_selection import Selection
from vm_ari.services.users import Users

BERLIN = f"ou=Berlin,{PEOPLE}"
LDIF = f"""dn: uid=anna,{BERLIN}
objectClass: inetOrgPerson
uid: anna
cn: Anna Neu
sn: anna
vmAriSetting: language=fr
vmAriSetting: pin=135792

dn: uid=dora,{PEOPLE}
uid: dora
cn: Dora Dietz
vmAriNumber: 030 555-104
"""


@pytest.fixture
def server() -> Iterator[Slapd]:
    people = [
        unit("people"),
        unit("Berlin", PEOPLE),
        person("anna", BERLIN, telephoneNumber=f"{BASE}101", o="Sales"),
        person("bert", telephoneNumber=f"{BASE}102", vmAriSetting="language=de"),
    ]
    with slapd("".join(people)) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, server: Slapd) -> CliSite:
    return on_servers(tmp_path, server, account=ADMIN)


def ids(site: CliSite, *words: str) -> list[str]:
    return [user["id"] for user in site.ask("users", "list", *words)]


def test_units_and_organisations_choose(site: CliSite) -> None:
    assert ids(site) == ["anna", "bert"]
    assert ids(site, "--ou", "berlin") == ids(site, "--ou", "sales") == ["anna"]
    assert ids(site, "--ou", "people", "--filter", "language=de") == ["bert"]
    assert site.ask("users", "show", "anna")[0]["units"] == ["Berlin", "people"]


def test_changes_arrive_in_the_directory(site: CliSite, server: Slapd) -> None:
    site.run("users", "set", "--ou", "Berlin", "language=fr", "given=Änne")
    assert "language=fr" in server.read(f"uid=anna,{BERLIN}", "vmAriSetting")
    site.run("users", "distribute", "--all", "-k", "takes_messages")
    assert "takes_messages=yes" in server.read(f"uid=bert,{PEOPLE}", "vmAriSetting")
    again = site.run("users", "distribute", "--all", "-k", "takes_messages").stdout
    assert again == "2 unchanged\n"


@pytest.mark.feature("DIR-06")
def test_ldif_is_imported_wholly_or_not_at_all(site: CliSite, server: Slapd) -> None:
    file = site.base / "people.ldif"
    file.write_text(LDIF.replace("030 555-104", "030 555-102"))
    error = site.run("users", "import", "--update", file, code=1).stderr
    assert "line 9: 102 belongs to user bert." in error
    assert ids(site) == ["anna", "bert"]
    assert server.read(f"uid=anna,{BERLIN}", "cn") == ["Anna"]
    file.write_text(LDIF)
    dry = site.run("users", "import", "--update", file, "-n").stdout.splitlines()
    assert dry[0] == "anna: name Anna → Anna Neu, language - → fr, pin - → set"
    assert ids(site) == ["anna", "bert"]
    told = site.run("users", "import", "--update", file).stdout
    assert told == "1 users added, 1 changed, 0 unchanged\n"
    assert server.read(f"uid=anna,{BERLIN}", "cn") == ["Anna Neu"]
    assert server.read(f"uid=dora,{PEOPLE}", "vmAriNumber") == [f"{BASE}104"]
    (dora,) = site.ask("users", "show", "104")
    assert (dora["id"], dora["mailbox"]) == ("dora", "104")
    exported = site.run("users", "export", "-", "-f", "ldif", "--base", PEOPLE).stdout
    assert "vmAriSetting: language=fr" in exported


def test_a_directory_that_takes_no_changes_fails_for_each(tmp_path: Path, server: Slapd) -> None:
    site = on_servers(tmp_path, server, account=READER)
    result = site.run("users", "set", "--all", "folder=INBOX/A", code=1)
    assert "anna: " in result.stderr
    assert "2 of 2 users failed." in result.stderr
    assert server.read(f"uid=anna,{BERLIN}", "vmAriSetting") == []


def test_a_directory_that_goes_away_has_its_own_code(site: CliSite, server: Slapd) -> None:
    server.stop()
    assert "cannot be used" in site.run("users", "list", code=4).stderr
    assert SUFFIX not in site.run("users", "unlock", "--all", code=4).stdout


def test_what_was_done_before_it_went_away_is_told(
    site: CliSite, server: Slapd, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "".join(f"u{n},U {n},+4930555{200 + n}\n" for n in range(4))
    (site.base / "more.csv").write_text(f"id,name,numbers\n{more}")
    site.run("users", "import", site.base / "more.csv")
    worked: list[str] = []

    async def work(desk: Users, entry: Entry) -> Result:
        if entry.id == "bert":
            server.stop()
        worked.append(entry.id)
        await desk.register.change_settings(entry.id, {"language": "fr"})
        return Result("changed")

    with pytest.raises(SystemExit) as ended:
        for_each(site.config, Selection(everybody=True), Report("json"), work)
    assert ended.value.code == 5
    told = capsys.readouterr()
    results = [(row["user"], row["result"]) for row in json.loads(told.out)]
    others = ["bert", "u0", "u1", "u2", "u3"]
    assert results == [("anna", "changed"), *((other, "failed") for other in others)]
    assert worked == ["anna", "bert", "u0", "u1"], "nobody waits for the others"
    assert "5 of 6 users failed." in told.err
    server.start()
    assert "language=fr" in server.read(f"uid=anna,{BERLIN}", "vmAriSetting")
