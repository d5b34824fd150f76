"""``vm-ari test imap``: each thing that can be wrong with a mailbox is said, with what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.cli.ldap_site import ldap_table
from tests.cli.site import BASE, CliSite
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot, password_of
from tests.slapd import slapd
from vm_ari.adapters.sealing import KeyRing

TABLE = """
[store]
kind = "imap"
[imap]
server = "{url}"
plaintext = true
"""
ADMINISTRATOR = f'account = "{ADMIN}"\npassword = "{ADMIN_PASSWORD}"\n'


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        with running.mail_program("anna") as client:
            client.append("INBOX", b"Message-Context: voice-message\r\n\r\n")
        yield running


def on_server(people: CliSite, server: Dovecot, more: str = ADMINISTRATOR) -> CliSite:
    people.configure(TABLE.format(url=server.url) + more)
    return people


@pytest.mark.feature_part("MAIL-04", "the test command")
def test_it_says_how_a_mailbox_is_opened_and_what_is_in_it(
    people: CliSite, server: Dovecot
) -> None:
    [told] = on_server(people, server).ask("test", "imap", "101")
    assert told["opened_ms"] > 0
    assert told["quota"].endswith(" of 102400 KiB")
    assert {key: told[key] for key in told if key not in {"opened_ms", "quota"}} == {
        "server": f"localhost:{server.port}",
        "chosen_by": "the usual server",
        "protection": "NONE",
        "login": f"{ADMIN} for anna",
        "folder": "INBOX",
        "new_voice": 1,
        "heard_voice": 0,
        "new_other": 0,
        "lacks": "",
        "problem": "",
        "advice": "",
    }


def test_a_wrong_password_is_told_with_advice(people: CliSite, server: Dovecot) -> None:
    wrong = f'account = "{ADMIN}"\npassword = "wrong"\n'
    result = on_server(people, server, wrong).run("test", "imap", "anna", code=1)
    assert "AUTHENTICATIONFAILED" in result.output
    assert "Does the server let this account act for others?" in result.output


def test_a_server_that_is_not_there_is_told_with_advice(people: CliSite) -> None:
    people.configure(TABLE.format(url="imap://localhost:1") + ADMINISTRATOR)
    result = people.run("test", "imap", "anna", code=1)
    assert "Connection refused" in result.output
    assert "Is it running, and are host and port right?" in result.output


def test_who_has_stored_no_password_is_told(people: CliSite, server: Dovecot) -> None:
    result = on_server(people, server, 'access = "individual"\n').run(
        "test", "imap", "anna", code=1
    )
    assert "anna has stored no password" in result.output


def test_without_mail_servers_the_configuration_says_so(people: CliSite) -> None:
    result = people.run("test", "imap", "anna", code=3)
    assert "imap: there is no such table" in result.output


def test_nobody_is_told_from_somebody(people: CliSite, server: Dovecot) -> None:
    result = on_server(people, server).run("test", "imap", "nobody", code=1)
    assert "There is no user nobody." in result.output


@pytest.mark.feature("MAIL-03")
@pytest.mark.feature_part("MAIL-04", "servers by an attribute of the directory")
def test_a_sealed_password_opens_the_mailbox_on_the_server_of_an_attribute(
    tmp_path: Path, server: Dovecot
) -> None:
    keys = KeyRing(tmp_path / "keys")
    sealed = keys.seal(password_of("anna"), owner="anna", attribute="imap_password")
    stolen = keys.seal(password_of("anna"), owner="anna", attribute="imap_password")
    people = unit("people") + "".join(
        [
            person("anna", vmAriSetting=[f"imap_password={sealed}"], o="cn=localhost,O=domain",
                   telephoneNumber=f"{BASE}101"),
            person("bert", vmAriSetting=[f"imap_password={stolen}"], o="cn=localhost,O=domain"),
            person("carla", o="cn=evil,O=domain"),
        ]
    )  # fmt: skip
    with slapd(people) as directory:
        site = CliSite(tmp_path)
        site.configure(
            ldap_table(tmp_path, directory.url, people=PEOPLE)
            + TABLE.format(url=f"imap://usual.example.org:{server.port}")
            + 'access = "individual"\nserver_attribute = "o"\n'
            + 'server_search = "^cn=(.*),O=domain$"\nserver_replace = "\\\\1"\n'
            + 'server_hosts = ["localhost"]\n'
        )
        [told] = site.ask("test", "imap", "anna")
        assert (told["server"], told["login"]) == (f"localhost:{server.port}", "anna")
        assert told["chosen_by"] == "the attribute o: “cn=localhost,O=domain”"
        assert told["new_voice"] == 1
        result = site.run("test", "imap", "bert", code=1)
        assert "bert has stored no password" in result.output, "that of anna opens only for anna"
        result = site.run("test", "imap", "carla", code=1)
        assert "mail server evil is not among the allowed ones" in result.output


@pytest.mark.feature_part("MAIL-04", "per user, by a setting")
def test_a_setting_of_the_user_names_the_server(people: CliSite, server: Dovecot) -> None:
    people.configure(
        TABLE.format(url="imap://usual.example.org") + ADMINISTRATOR + 'server_hosts = ["local*"]\n'
    )
    people.run("users", "set", "anna", f"imap_server=localhost:{server.port}")
    [told] = people.ask("test", "imap", "anna")
    assert told["server"] == f"localhost:{server.port}"
    assert told["chosen_by"] == "the setting imap_server"
    people.run("users", "set", "anna", "imap_server=evil.net")
    refused = people.run("test", "imap", "anna", code=1).output
    assert "mail server evil.net is not among the allowed ones" in refused


@pytest.mark.feature("MAIL-04")
def test_several_servers_by_attribute_by_setting_and_by_referral(tmp_path: Path) -> None:
    """Anna's is named by her entry, Bert's by his setting; Carla's mailbox was moved."""
    with dovecot("bert", "carla") as other:
        elsewhere = f"nologin=y host=localhost port={other.port}"
        moved = f"carla:{{PLAIN}}{password_of('carla')}::::::{elsewhere}\n"
        users = [
            person("anna", o="cn=localhost,O=domain"),
            person("bert", vmAriSetting=[f"imap_server=localhost:{other.port}"], o="elsewhere"),
            person("carla"),
            person("eve", vmAriSetting=["imap_server=evil.net"]),
        ]
        with (
            dovecot("anna", nologin=moved) as usual,
            slapd(unit("people") + "".join(users)) as directory,
        ):
            site = CliSite(tmp_path)
            site.configure(
                ldap_table(tmp_path, directory.url, people=PEOPLE)
                + TABLE.format(url=f"imap://127.0.0.1:{usual.port}")
                + ADMINISTRATOR
                + 'server_attribute = "o"\nserver_search = "^cn=(.*),O=domain$"\n'
                + 'server_replace = "\\\\1"\nserver_hosts = ["localhost"]\n'
            )
            told = {who: site.ask("test", "imap", who)[0] for who in ("anna", "bert", "carla")}
            refused = site.run("test", "imap", "eve", code=1).output
    assert {who: (one["server"], one["chosen_by"]) for who, one in told.items()} == {
        "anna": (f"localhost:{usual.port}", "the attribute o: “cn=localhost,O=domain”"),
        "bert": (f"localhost:{other.port}", "the setting imap_server"),
        "carla": (f"localhost:{other.port}", "the usual server"),
    }
    assert {one["login"] for one in told.values()} == {f"{ADMIN} for {who}" for who in told}
    assert "the mail server evil.net is not among the allowed ones" in refused
