"""What cannot be meant in a configuration is refused, with the key and what to do."""

from pathlib import Path

import pytest

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.mapping import PRESETS, Numbers, Preset, queries
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.trust import Security
from vm_ari.config import BadConfig, Config, load
from vm_ari.domain.directory_text import ManyValues, OneString
from vm_ari.domain.numbers import Site
from vm_ari.domain.settings import Hideable
from vm_ari.wiring.directories import ConfiguredDirectory, ldap_settings, open_register

LDAP = """
[directory]
kind = "ldap"
[directory.ldap]
servers = ["ldaps://one.example.org", "ldap://two.example.org:1389"]
bases = ["dc=example,dc=org"]
account = "cn=vm-ari,dc=example,dc=org"
password = "secret"
"""


def configured(base: Path, text: str) -> Config:
    file = base / "vm-ari.toml"
    file.write_text(f'[asterisk]\npassword = "x"\n{text}')
    return load(file)


def register(base: Path, text: str) -> ConfiguredDirectory:
    return open_register(configured(base, text), KeyRing(base / "keys"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"asterisk: is missing; add the table \[asterisk\] \(docs/asterisk.md shows one\)"),
        ("[asterisk]", "asterisk.password: is missing; add it"),
    ],
)
def test_what_is_missing_is_named_with_where_it_is_shown(
    tmp_path: Path, text: str, complaint: str
) -> None:
    file = tmp_path / "vm-ari.toml"
    file.write_text(text)
    with pytest.raises(BadConfig, match=complaint):
        load(file)


def test_the_configuration_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "asterisk.md").read_text(encoding="utf-8")
    _before, shown = text.split("    # vm-ari.toml\n")
    lines = [line[4:] for line in shown.split("\n\n")[0].splitlines()]
    file = tmp_path / "vm-ari.toml"
    file.write_text("\n".join(lines))
    config = load(file)
    assert config.asterisk.user == "vm-ari"
    assert config.spool.directory.name == "vm-ari"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[directory]\nkind = "ldap"', "directory: kind is “ldap”, but there is no table"),
        (LDAP.replace('kind = "ldap"', ""), "directory: ldap: this table counts only with kind"),
        (LDAP + "serves = 1", "directory.ldap.serves: unknown key; remove it or correct"),
        (LDAP + "plaintext = 1.5", "directory.ldap.plaintext"),
        (LDAP.replace("ldaps://one", "http://one"), "directory.ldap.servers: “http://one"),
        (LDAP.replace("ldaps://one.example.org", "one"), "write ldaps://host, or ldap://host"),
        (LDAP.replace("dc=example,dc=org", "example.org"), "directory.ldap.bases: “example.org”"),
        (LDAP.replace('password = "secret"', ""), "password_file or password: is missing"),
        (LDAP.replace("account =", "#"), "account: is missing; account and password go together"),
        (LDAP + 'password_file = "{base}/none"', "directory.ldap: password: there is a password_f"),
        (LDAP + 'ca_file = "{base}/none"', "ca_file: there is no file"),
        (LDAP + "second_server_after = 9", "second_server_after: must be shorter than"),
        (
            LDAP.replace("ldap://two", "ldaps://two") + "plaintext = true",
            "plaintext: all servers are ldaps://",
        ),
        (LDAP + 'preset = "exchange"', "directory.ldap.preset"),
        (LDAP + "attributes = { numbers = [] }", "directory.ldap.attributes.numbers"),
        (LDAP + 'attributes = { numbers = ["a b c"] }', "write an attribute, or one and a prefix"),
        (LDAP + 'attributes = { numbers = ["a)b"] }', "write an attribute, or one and a prefix"),
        (LDAP + 'attributes = { mailbox = "a=b" }', "directory.ldap.attributes.mailbox: “a=b”"),
        (LDAP + 'attributes = { id = "" }', "directory.ldap.attributes.id"),
        (LDAP + 'attributes = { form = "two-strings" }', "directory.ldap.attributes.form"),
        ('[[sites]]\nbase_number = "+4989555"', "sites.0.name"),
        ('[[sites]]\nname = "Bonn"\nregion = "XX"', "'XX' is no country"),
        ('[[sites]]\nname = "Bonn"\nbase_number = "+43155"', "Site Bonn, base number: must begin"),
        ('[[sites]]\nname = "Bonn"', "sites, Bonn: another site has the base number “”, too"),
        (
            '[[sites]]\nname = "A"\nbase_number = "+49301"\n'
            '[[sites]]\nname = "A"\nbase_number = "+49302"',
            "sites: two are called A",
        ),
        ("[organisations.sales]\nsettings = { lang = 1 }", "There is no setting “lang”; did you"),
        ('[organisations.sales.settings]\naccess = "maybe"', "organisations.sales.settings: acc"),
        ("[logins]\nfailures_before_lock = -1", "logins.failures_before_lock"),
        (
            '[menus]\nhidden = ["transfers"]',
            "menus.hidden.0: “transfers” does not fit: did you mean “transfer”",
        ),
    ],
)
def test_what_cannot_be_meant_is_named_when_it_is_read(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        configured(tmp_path, text.replace("{base}", str(tmp_path)))
    assert complaint in str(caught.value), caught.value
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (LDAP + 'user_filter = "(uid=*"', "directory.ldap.user_filter: There should be a )"),
        (LDAP + 'number_filter = "(uid=5)"', "directory.ldap.number_filter: The filter for numb"),
        (LDAP + 'local_settings = "/var/db"', "directory.ldap.local_settings: Could not parse"),
        (LDAP.replace("ldaps://one.example.org", "ldap://one/x"), "directory.ldap.servers: "),
        ('[directory]\nurl = "mysql3://x"', "directory.url: "),
    ],
)
def test_what_an_adapter_cannot_use_is_named_when_it_is_made(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadConfig) as caught:
        register(tmp_path, text)
    assert complaint in str(caught.value), caught.value


def test_a_ca_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(BadConfig, match=r"directory.ldap: CA file .*ca.pem"):
        register(tmp_path, LDAP + f'ca_file = "{tmp_path}/ca.pem"')


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        ("", 0o600, "the first line of .* is empty"),
        ("x\n", 0o644, "everybody may read .*; chmod 600 it"),
        (None, 0, "No such file"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: str | None, mode: int, complaint: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    text = LDAP.replace('password = "secret"', f'password_file = "{file}"')
    with pytest.raises(BadConfig, match=f"directory.ldap: password_file: .*{complaint}"):
        configured(tmp_path, text)


def test_the_password_comes_from_file_table_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def password(text: str) -> str:
        config = configured(tmp_path, text)
        assert config.directory.ldap
        assert "veiled" not in repr(config)
        return ldap_settings(config.directory.ldap, config).account.password

    file = tmp_path / "password"
    file.write_text("veiled-äö\nnothing else counts\n")
    file.chmod(0o640)
    assert password(LDAP.replace('"secret"', '"veiled 1"')) == "veiled 1"
    without = LDAP.replace('password = "secret"', "")
    assert password(f'{without}password_file = "{file}"\n') == "veiled-äö"
    monkeypatch.setenv("VM_ARI__DIRECTORY__LDAP__PASSWORD", "veiled 2")
    assert password(without) == "veiled 2"


def test_the_embedded_directory_is_the_default(tmp_path: Path) -> None:
    assert isinstance(register(tmp_path, ""), EmbeddedDirectory)
    made = register(tmp_path, LDAP)
    assert isinstance(made, LdapDirectory)
    assert made.settings.mapping == PRESETS[Preset.OPENLDAP]
    secured = [(server.port, server.security) for server in made.settings.servers]
    assert secured == [(636, Security.TLS), (1389, Security.START_TLS)]


def test_the_preset_holds_where_nothing_else_is_said(tmp_path: Path) -> None:
    made = register(
        tmp_path,
        LDAP
        + 'preset = "active-directory"\nconnections = 9\nconnect_seconds = 1\n'
        + '[directory.ldap.attributes]\nsettings = "info"\nlimit = 500\n'
        + 'numbers = ["telephoneNumber", "proxyAddresses IXI:"]\n',
    )
    assert isinstance(made, LdapDirectory)
    mapping, usual = made.settings.mapping, PRESETS[Preset.ACTIVE_DIRECTORY]
    assert (mapping.id, mapping.user_filter) == (usual.id, usual.user_filter)
    assert (mapping.settings, mapping.form) == ("info", OneString(limit=500))
    assert mapping.numbers == (Numbers("telephoneNumber"), Numbers("proxyAddresses", "IXI:"))
    where = queries(mapping, Site()).by_number("900").encoded()
    assert b"telephoneNumber\x04\x03900" in where, "it looks where numbers are"
    assert b"proxyAddresses\x04\x07IXI:900" in where
    assert b"facsimile" not in where
    assert (made.settings.connections, made.settings.patience.connect) == (9, 1.0)


def test_a_mailbox_without_an_attribute_is_looked_for_among_the_settings(tmp_path: Path) -> None:
    text = LDAP + 'attributes = { mailbox = "", form = "many-values", prefix = "(vm)" }\n'
    made = register(tmp_path, text)
    assert isinstance(made, LdapDirectory)
    assert made.settings.mapping.form == ManyValues(prefix="(vm)")
    where = made.people.queries.by_number("900").encoded()
    assert b"vmAriSetting\x04\x0f(vm)mailbox=900" in where


def test_sites_and_organisations_reach_those_who_decide(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        '[site]\nbase_number = "+4930555"\n'
        '[[sites]]\nname = "Wien"\nregion = "AT"\nbase_number = "+431555"\n'
        '[organisations.sales]\nname = "Sales"\nsettings = { takes_messages = false }\n',
    )
    assert [(site.name, site.region) for site in config.all_sites()] == [("", "DE"), ("Wien", "AT")]
    [sales] = config.known_organisations().values()
    assert (sales.id, sales.name, sales.settings) == ("sales", "Sales", {"takes_messages": "no"})


@pytest.mark.feature_part("MENU-01", "the site names what is hidden")
def test_what_menus_hide_is_named_in_the_configuration(tmp_path: Path) -> None:
    config = configured(tmp_path, '[menus]\nhidden = ["transfer", "call-back"]')
    assert config.rules().hidden == {Hideable.TRANSFER, Hideable.CALL_BACK}
    assert configured(tmp_path, "").rules().hidden == frozenset()
