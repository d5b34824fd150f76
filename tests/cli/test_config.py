"""``vm-ari config``: shown with secrets masked and origins, checked, changed in one step."""

import json
import os
import stat
import tomllib

import jsonschema
import pytest

from tests.cli.site import CliSite

LONG = "[calls]\nlongest_seconds = 99  # as the works council wants it\n"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VM_ARI__LOG_LEVEL", raising=False)


def test_what_differs_is_shown_with_its_origin_and_no_secret(site: CliSite) -> None:
    site.configure(LONG + '[journal]\nurl = "postgresql+psycopg://vm:geheim@db/journal"\n')
    shown = site.run("config", "show", "-n", "--origin").stdout
    assert f'password = "********"  # {site.config}:2' in shown
    assert f"longest_seconds = 99  # {site.config}:9" in shown
    assert 'url = "postgresql+psycopg://vm:********@db/journal"' in shown
    assert "geheim" not in shown
    assert "silence_seconds" not in shown
    assert tomllib.loads(shown)["site"] == {"base_number": "+4930555"}


def test_all_of_it_is_toml_and_json(site: CliSite) -> None:
    site.configure('[[sites]]\nname = "A"\nbase_number = "+4989"\n[organisations.x]\nname = "X"\n')
    whole = site.run("config", "show", "--origin").stdout
    tables = tomllib.loads(whole)
    assert (tables["calls"]["longest_seconds"], tables["sites"][0]["name"]) == (180, "A")
    assert "longest_seconds = 180  # default" in whole
    told = json.loads(site.run("config", "show", "-o", "json").stdout)
    assert told["organisations"]["x"]["name"] == "X"
    assert told["asterisk"]["password"] == "********"


def test_a_key_is_changed_and_the_comments_stay(site: CliSite) -> None:
    site.configure(LONG)
    site.config.chmod(0o600)
    done = site.run("config", "set", "calls.longest_seconds", "60")
    assert f"calls.longest_seconds is written ({site.config}:9)" in done.stdout
    text = site.config.read_text()
    assert "longest_seconds = 60  # as the works council wants it" in text
    site.run("config", "set", "menus.hidden", "transfer", "call-back")
    site.run("config", "set", "log_level", "debug")
    site.run("config", "set", "mail.smtp.host", "localhost")
    site.run("config", "set", "site.area", "30")
    tables = tomllib.loads(site.config.read_text())
    assert tables["menus"]["hidden"] == ["transfer", "call-back"]
    assert (tables["log_level"], tables["mail"]["smtp"]["host"]) == ("debug", "localhost")
    assert tables["site"]["area"] == "30", "a text, though it looks like a number"
    site.run("config", "set", "calls.longest_seconds", "--default")
    assert "longest" not in site.config.read_text()
    assert stat.S_IMODE(site.config.stat().st_mode) == 0o600
    assert [name.name for name in site.base.iterdir() if "new" in name.name] == []


def test_what_cannot_be_used_changes_nothing(site: CliSite) -> None:
    site.configure(LONG)
    before = site.config.read_text()
    done = site.run("config", "set", "calls.longest_seconds", "9999", code=3)
    assert "write a whole number from 5 to 3600" in done.stderr
    done = site.run("config", "set", "calls.longest", "9", code=1)
    assert "there is no such key; did you mean “longest_seconds”?" in done.stderr
    done = site.run("config", "set", "calls", "9", code=1)
    assert "this is a table; name a key in it, such as calls.longest_seconds" in done.stderr
    done = site.run("config", "set", "store.kind", "imap", code=3)
    assert "there is no table [imap]" in done.stderr
    assert site.config.read_text() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_file_stays_its_owners(site: CliSite) -> None:
    site.configure()
    os.chown(site.config, 65534, 65534)
    site.run("config", "set", "log_level", "debug")
    assert (site.config.stat().st_uid, site.config.stat().st_gid) == (65534, 65534)


def test_a_password_is_read_from_standard_input(site: CliSite) -> None:
    site.configure()
    site.config.chmod(0o644)
    done = site.run("config", "set", "asterisk.password", typed="pass = word\n")
    assert "pass = word" not in done.output
    assert "everybody may read it: chmod 600" in done.stderr
    assert tomllib.loads(site.config.read_text())["asterisk"]["password"] == "pass = word"


def test_who_says_otherwise_is_told(site: CliSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.configure()
    monkeypatch.setenv("VM_ARI__LOG_LEVEL", "error")
    done = site.run("config", "set", "log_level", "debug")
    assert "log_level is written, but environment VM_ARI__LOG_LEVEL says something else" in (
        done.stdout
    )


def test_files_are_judged_without_being_used(site: CliSite) -> None:
    site.configure()
    assert site.run("config", "validate").stdout == f"{site.config}: ok\n"
    (site.base / "conf.d").mkdir()
    piece = site.base / "conf.d" / "x.toml"
    piece.write_text("[calls]\nreview = 5\n")
    assert (
        f"{piece}:2: calls.review: 5 does not"
        in site.run("config", "validate", piece, code=3).stderr
    )
    other = site.base / "other" / "vm-ari.toml"
    other.parent.mkdir()
    other.write_text(
        '[asterisk]\npassword = "x"\n[directory]\nkind = "ldap"\n[directory.ldap]\n'
        'servers = ["ldaps://a"]\nbases = ["dc=a"]\nuser_filter = "(uid="\n'
    )
    assert "directory.ldap.user_filter" in site.run("config", "validate", other, code=3).stderr


def test_the_schema_takes_what_the_program_takes(site: CliSite) -> None:
    site.configure(LONG + '[[sites]]\nname = "A"\nbase_number = "+4989"\n')
    schema = json.loads(site.run("config", "schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(site.config.read_text()), schema)
    told = schema["$defs"]["StoreSettings"]["properties"]["overdue_hours"]["description"]
    assert told.startswith("The default recipient is told")
    with pytest.raises(jsonschema.ValidationError, match="longest_second"):
        jsonschema.validate({"asterisk": {"password": "x"}, "calls": {"longest_second": 1}}, schema)
