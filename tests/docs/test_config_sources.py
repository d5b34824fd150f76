"""Where settings come from, who wins, and how a mistake is told: by place, never by value."""

import tomllib
from pathlib import Path

import pytest

from vm_ari.config import BadConfig, Config, judged, load, sources
from vm_ari.config.keys import expected, field_at, form_at, meant, tables, words_of
from vm_ari.config.lines import lines_of
from vm_ari.config.mail import WelcomeSettings

MAIN = '[asterisk]\npassword = "s3cret"\n'


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VM_ARI__LOG_LEVEL", raising=False)


@pytest.fixture
def main(tmp_path: Path) -> Path:
    file = tmp_path / "vm-ari.toml"
    file.write_text(MAIN)
    (tmp_path / "conf.d").mkdir()
    return file


def piece(main: Path, name: str, text: str) -> Path:
    file = main.parent / "conf.d" / name
    file.write_text(text)
    return file


def secret(main: Path, name: str, text: str, mode: int = 0o600) -> Path:
    file = main.parent / name
    file.write_text(text)
    file.chmod(mode)
    return file


def complaint(main: Path) -> str:
    with pytest.raises(BadConfig) as caught:
        load(main)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


# --- who wins


def test_pieces_are_read_in_order_of_name_and_the_environment_wins(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece(main, "20-late.toml", "[calls]\nlongest_seconds = 20\nsilence_seconds = 5\n")
    piece(main, "10-early.toml", '[calls]\nlongest_seconds = 10\n[site]\nregion = "AT"\n')
    piece(main, ".hidden.toml", "this is nothing")
    piece(main, "note.txt", "nor is this")
    monkeypatch.setenv("VM_ARI__CALLS__SILENCE_SECONDS", "7")
    given = sources(main)
    config = judged(given)
    assert (config.calls.longest_seconds, config.calls.silence_seconds) == (20, 7)
    assert (config.site.region, config.asterisk.password.get_secret_value()) == ("AT", "s3cret")
    assert given.said(("calls", "longest_seconds")) == f"{main.parent}/conf.d/20-late.toml:2"
    assert given.said(("calls", "silence_seconds")) == "environment VM_ARI__CALLS__SILENCE_SECONDS"
    assert given.said(("asterisk", "password")) == f"{main}:2"
    assert given.said(("calls", "review")) == ""


def test_lists_and_tables_of_the_environment_are_json_or_toml(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VM_ARI__MENUS__HIDDEN", '["transfer"]')
    monkeypatch.setenv("VM_ARI__DEFAULTS", '{ language = "fr" }')
    monkeypatch.setenv("VM_ARI__SITES", '[{"name": "Bonn", "base_number": "+49228555"}]')
    monkeypatch.setenv("VM_ARI__ORGANISATIONS__SALES__NAME", "Sales = 5")
    config = load(main)
    assert (len(config.menus.hidden), config.defaults["language"]) == (1, "fr")
    assert config.sites[0].base_number == "+49228555"
    assert config.organisations["sales"].name == "Sales = 5", "one text is taken as it is"


def test_secrets_come_from_files_and_from_systemd(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(main.parent / "credentials"))
    (main.parent / "credentials").mkdir()
    secret(main, "credentials/asterisk.password", "of systemd\n", 0o444)
    secret(main, "credentials/tls.key", "of somebody else")
    given = sources(main)
    assert judged(given).asterisk.password.get_secret_value() == "of systemd"
    assert given.said(("asterisk", "password")) == "credential asterisk.password"
    monkeypatch.setenv("VM_ARI__ASTERISK__PASSWORD_FILE", str(secret(main, "pw", "of a file\n")))
    assert load(main).asterisk.password.get_secret_value() == "of a file"
    secret(main, "pw", "of a file\n", 0o644)
    assert f"VM_ARI__ASTERISK__PASSWORD_FILE: everybody may read {main.parent}/pw" in complaint(
        main
    )
    monkeypatch.setenv("VM_ARI__ASTERISK__PASSWORD_FILE", "/nowhere")
    assert "/nowhere: No such file or directory" in complaint(main)


def test_the_nearer_one_of_password_and_password_file_counts(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '[mail.smtp]\nhost = "h"\nuser = "u"\npassword_file = "{}"\n'
    piece(main, "mail.toml", table.format(secret(main, "pw", "below")))
    monkeypatch.setenv("VM_ARI__MAIL__SMTP__PASSWORD", "above")
    smtp = load(main).mail.smtp
    assert smtp
    assert smtp.account_password() == "above"


def test_a_container_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = tmp_path / "vm-ari.toml"
    assert "there is no such configuration file" in complaint(nowhere)
    monkeypatch.setenv("VM_ARI__ASTERISK__PASSWORD", "x")
    assert load(nowhere).asterisk.password.get_secret_value() == "x"


# --- mistakes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[calls]\n\nlongest = 5", "conf.d/a.toml:3: calls.longest: unknown key; remove it or"),
        ("[call]\nreview = true", "a.toml:1: call: unknown key; remove it or correct its spelling"
         ": did you mean “calls”?"),
        ('[site]\nmaildir = "/x"', "a.toml:2: site.maildir: unknown key; remove it or correct its "
         "spelling: did you mean it for [store]?"),
        ('[calls]\nlongest_seconds = "s3cret"', "a.toml:2: calls.longest_seconds: “"),
        ("[calls]\nsilence_seconds = 500", "a.toml:2: calls.silence_seconds: 500 does not fit; "
         "write a whole number from 2 to 60, such as silence_seconds = 8"),
        ('[calls]\nreview = "maybe"', "“maybe” does not fit; write true or false, such as review"),
        ("[spool]\ndirectory = 5", "5 does not fit; write a path in quotes, such as directory = "),
        ('[web]\nhosts = "a"', "“a” does not fit; write a list, such as hosts = [\"localhost\", "),
        ("[site]\ndefault_recipient = 5", "5 does not fit; a text is needed; put it in quotes"),
        ('log_level = "warn"', "a.toml:1: log_level: “warn” does not fit: did you mean “warning”"),
        ("[asterisk]\npassword = 12345", "asterisk.password: a text is needed; put it in quotes"),
        ("calls = 5", "a.toml:1: calls: 5 does not fit; write a table"),
        ('[site]\nregion = "de"', "site.region: “de”: write two capital letters"),
        ('[[sites]]\nname = "A"\nbase_number = "+493"\n[[sites]]\nname = 5', "a.toml:5: sites.1."),
        ('[directory.ldap]\nservers = [\n "ldaps://a",\n "b"]\n', "a.toml:2: directory.ldap.serv"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_an_example(main: Path, text: str, told: str) -> None:
    piece(main, "a.toml", text)
    if "s3cret" in text:  # a password in the wrong line is shown to whoever wrote it there
        with pytest.raises(BadConfig, match="write a whole number from 5 to 3600"):
            load(main)
        return
    assert told in complaint(main)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "password = s3cret\n",
            ':1: write texts in quotes: key = "text"; correct this line, which is no TOML',
        ),
        ('[asterisk]\npassword = "s3cret\n', ":2: close the quotes in the same line"),
        ('[asterisk]\npassword = "s3cret"\npassword = "x"\n', ":3: this key is there twice"),
        ("[asterisk]\n[asterisk]\n", ":2: this table is there twice: put the keys together"),
        ("[asterisk\n", ":1: expected ']' at the end of a table declaration"),
        ('[asterisk]\npassword = ["s3cret"\n', ":2: close the bracket"),
        ("[asterisk]\nurl: 5\n", ":2: write key = value; texts stand in quotes"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line_but_without_it(
    main: Path, text: str, told: str
) -> None:
    main.write_text(text)
    assert told in complaint(main)


def test_what_cannot_be_read_is_told(main: Path) -> None:
    main.write_bytes(b"a = 1\nb = '\xff'")
    assert f"{main}:2: this is no UTF-8" in complaint(main)
    main.write_bytes(b"#" * 1_000_001)
    assert "larger than a configuration can be" in complaint(main)
    main.unlink()
    main.mkdir()
    assert "Is a directory" in complaint(main)
    main.rmdir()
    main.write_bytes(b"\xef\xbb\xbf" + MAIN.replace("\n", "\r\n").encode())
    assert load(main).asterisk.password.get_secret_value() == "s3cret", "of an editor of Windows"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("VM_ARI__ASTERISK__PASWORD", "there is no key asterisk.pasword; correct or remove it: "
         "did you mean “password”?"),
        ("VM_ARI__NOTHING__KEY", "there is no key nothing.key"),
        ("VM_ARI__ASTERISK__MOST_CALLS", "asterisk.most_calls: “s3cre” does not fit; write"),
        ("VM_ARI__CALLS__REVIEW_FILES", "there is no key calls.review_files"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_environment_is_told_by_its_name(
    main: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.setenv(name, "s3cre")
    assert f"environment {name}: {told}" in complaint(main)


def test_a_credential_that_no_key_is_for_is_told(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(main.parent))
    secret(main, "asterisk.pass", "x")
    assert "credential asterisk.pass: there is no key asterisk.pass" in complaint(main)


# --- what is known of keys


def test_every_key_can_be_named_and_told() -> None:
    """Whatever models are added: no form is without words."""
    for where, model in tables(Config):
        for name, field in model.model_fields.items():
            form = form_at(Config, (*where, name))
            assert form is not None
            assert expected(form, field) != "something else", (where, name)


def test_what_is_meant_and_what_the_source_says() -> None:
    assert meant(Config, ("calls", "key_mapp")) == "did you mean “key_map”?"
    assert meant(Config, ("calls", "xyzzy")) == ""
    assert field_at(Config, ("calls", "nothing")) is None
    assert words_of(WelcomeSettings)["link"] == "“portal”, “imap-password” or “none”."


def test_lines_are_found_in_everything_that_toml_has() -> None:
    text = (
        '# one\na.b = 1\n[t]\nx = """\n[no]\ny = 1\n"""\nz = [\n  1, # ]\n  2]\n'
        'in = { p = 1, "q r" = [2] }\n[[l]]\nn = 1\n[l.sub]\nm = 1\n[[l]]\nn = 2\n'
        '["d.e".f]\ng = 1\n'
    )
    tomllib.loads(text)
    lines = lines_of(text)
    wanted = {
        ("a", "b"): 2, ("t",): 3, ("t", "x"): 4, ("t", "z", 1): 8, ("t", "in", "q r", 0): 11,
        ("l", 0, "n"): 13, ("l", 0, "sub", "m"): 15, ("l", 1, "n"): 17, ("d.e", "f", "g"): 19,
    }  # fmt: skip
    assert {path: lines.get(path) for path in wanted} == wanted
    assert ("no",) not in lines


def test_the_mistakes_of_the_documentation_are_told_like_that(
    main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "install.md").read_text(encoding="utf-8")
    [_, after] = page.split("never with a password:\n\n```text\n")
    shown = after.partition("```")[0].splitlines()
    main.write_text(MAIN + "\n" * 8 + "[calls]\nlongest_second = 5\n")
    piece(main, "20-mail.toml", '[mail.smtp]\nhost = "localhost"\nport = "smtp"\n')
    monkeypatch.setenv("VM_ARI__STORE__KIND", "maildir")
    told = complaint(main).replace(str(main.parent), "/etc/vm-ari").splitlines()
    assert sorted(told) == sorted(shown)
