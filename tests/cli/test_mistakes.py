"""The mistakes of docs/mistakes.md: configuration, files, speech, portal, databases (MAIL-07)."""

import json
import os
import shlex
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from time_machine import TimeMachineFixture

from tests.cli.site import CliSite
from tests.mistakes import Line, compare, refused, said
from tests.private_ca import PrivateCa
from vm_ari.config import shared_files

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another account, too")
pytestmark = pytest.mark.feature_part("MAIL-07", "each mistake has one line with its next step")

# --- configuration

CONFIGURATION = {
    "An unknown key": "[calls]\nlongest_second = 60\n",
    "A value of the wrong type": '[calls]\nlongest_seconds = "long"\n',
    "A time zone that does not exist": '[defaults]\ntime_zone = "Europe/Berlinn"\n',
    "A dialling rule that cannot be read": '[dialling]\nrules = ["allow everything"]\n',
    "A table that is missing": '[store]\nkind = "imap"\n',
    "A secret file that is missing": (
        '[store]\nkind = "imap"\n[imap]\nserver = "imaps://mail.example.org"\n'
        'account = "vm-ari"\npassword_file = "/etc/vm-ari/imap-password"\n'
    ),
    "Not TOML": "[calls\n",
}


@pytest.mark.parametrize("title", CONFIGURATION)
def test_mistakes_in_the_configuration(site: CliSite, title: str) -> None:
    site.configure(CONFIGURATION[title])
    compare("Configuration", title, refused(site, "check", code=3), srv=site.base)


def test_no_configuration_at_all(site: CliSite) -> None:
    site.config.unlink()
    compare("Configuration", "No configuration", refused(site, "check", code=3), srv=site.base)


def test_a_secret_file_that_others_may_read(site: CliSite) -> None:
    secret = site.base / "imap-password"
    secret.write_text("secret\n")
    secret.chmod(0o644)
    site.configure(
        '[store]\nkind = "imap"\n[imap]\nserver = "imaps://mail.example.org"\n'
        f'account = "vm-ari"\npassword_file = "{secret}"\n'
    )
    line = refused(site, "check", code=3)
    compare("Configuration", "A secret file that everybody may read", line, srv=site.base)


def test_a_configuration_with_passwords_that_others_may_read(site: CliSite) -> None:
    site.config.chmod(0o644)
    line = said(site, "configuration", code=1)
    compare("Files and disks", "A configuration that everybody may read", line, srv=site.base)
    fixed = site.run("check", "--only", "configuration", "--fix")
    assert fixed.stderr.startswith("fix: chmod 640 ")
    assert site.config.stat().st_mode & 0o777 == 0o640


def test_a_rule_that_is_never_reached(site: CliSite) -> None:
    site.configure('[dialling]\nrules = ["deny +49", "allow +4930"]\n')
    line = said(site, "dialling", code=1)
    compare("Configuration", "A dialling rule that is never reached", line)


# --- files and disks


def test_keys(site: CliSite) -> None:
    site.run("users", "add", "anna", "--number", "101")
    [key] = (site.base / "keys").glob("*.key")
    key.chmod(0o644)
    line = said(site, "keys", code=1)
    compare("Files and disks", "A key that others may read", line, srv=site.base)
    assert "fix: chmod 600" in site.run("check", "--only", "keys", "--fix").stderr
    whole = key.read_bytes()
    key.write_bytes(whole[:10])
    line = said(site, "keys", code=1)
    compare("Files and disks", "A key that is broken", line, srv=site.base)
    key.unlink()
    line = said(site, "keys", code=1)
    compare("Files and disks", "The keys are gone", line, srv=site.base)
    assert not list((site.base / "keys").glob("*.key")), "a look makes no key"


def test_a_look_leaves_nothing_behind(site: CliSite) -> None:
    site.run("check", "--only", "keys,directory,notices,journal,store", code=0)
    assert sorted(one.name for one in site.base.iterdir()) == ["vm-ari.toml"]


def let_others_in(base: Path) -> None:
    """Directories of pytest are closed to others."""
    for one in (base, *base.parents):
        if not one.stat().st_mode & stat.S_IXOTH:
            one.chmod(0o755)


@ROOT_ONLY
def test_places_that_the_controller_may_not_write(site: CliSite) -> None:
    """Root may always; the controller's account is that of the keys."""
    site.run("users", "add", "anna", "--number", "101")
    for path in (site.base / "keys", *(site.base / "keys").iterdir()):
        os.chown(path, 65534, 65534)
    let_others_in(site.base)
    places = {"spool": "vm-ari", "maildir": "mail"}
    for name in places.values():
        (site.base / name).mkdir()
    (site.base / "vm-ari").chmod(0o2775)
    site.configure(
        f'[spool]\ndirectory = "{site.base}/vm-ari"\n[store]\nmaildir = "{site.base}/mail"\n'
        f'[greetings]\ndirectory = "{site.base}/greetings"\n[speech]\ncache = "{site.base}/said"\n'
    )
    os.chown(site.base / "directory.db", 65534, 65534)
    line = said(site, "spool", code=1)
    compare("Files and disks", "No right to write in the spool", line, srv=site.base)
    os.chown(site.base, 65534, 65534)
    line = said(site, "store", code=1)
    compare("Files and disks", "No right to write in the message store", line, srv=site.base)
    os.chown(site.base, 0, 0)
    os.chown(site.base / "mail", 65534, 65534)
    (site.base / "greetings").mkdir()
    site.config.write_text(
        site.config.read_text().replace(f"{site.base}/directory.db", f"{site.base}/db/users.db")
    )
    (site.base / "db").mkdir()
    os.chown(site.base / "db", 65534, 65534)
    line = said(site, "store", code=1)
    compare("Files and disks", "No right to write greetings", line, srv=site.base)


@ROOT_ONLY
def test_what_is_missing_is_made(site: CliSite) -> None:
    """As root, for the controller's account."""
    site.run("users", "add", "anna", "--number", "101")
    for path in (site.base / "keys", *(site.base / "keys").iterdir()):
        os.chown(path, 65534, 65534)
    let_others_in(site.base)
    spool = site.base / "asterisk" / "vm-ari"
    site.configure(f'[spool]\ndirectory = "{spool}"\n')
    line = said(site, "spool", code=1)
    compare("Files and disks", "A directory that nobody has made", line, srv=site.base)
    assert (
        "fix: install -d -o nobody -m 2770" in site.run("check", "--only", "spool", "--fix").stderr
    )
    about = spool.stat()
    assert (about.st_uid, about.st_mode & 0o7777) == (65534, 0o2770)


@ROOT_ONLY
def test_a_full_disk(site: CliSite) -> None:
    disk = site.base / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "vm-ari-test", str(disk)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        (disk / "vm-ari").mkdir(mode=0o2770)
        (disk / "vm-ari").chmod(0o2770)
        site.configure(f'[spool]\ndirectory = "{disk}/vm-ari"\n')
        line = said(site, "spool", code=1)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    compare("Files and disks", "A disk that is full", line, srv=site.base)


def test_a_file_where_a_directory_should_be(site: CliSite) -> None:
    (site.base / "vm-ari").write_text("")
    site.configure(f'[spool]\ndirectory = "{site.base}/vm-ari"\n')
    line = said(site, "spool", code=1)
    compare("Files and disks", "A file where a directory should be", line, srv=site.base)


def test_messages_that_were_refused_for_good(site: CliSite) -> None:
    (site.base / "vm-ari" / "hold" / "one").mkdir(parents=True)
    (site.base / "vm-ari").chmod(0o2770)
    site.configure(f'[spool]\ndirectory = "{site.base}/vm-ari"\n')
    line = said(site, "spool", code=1)
    compare("Files and disks", "Messages that a server refused for good", line, srv=site.base)


def test_a_clock_that_is_years_behind(site: CliSite, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(datetime(2021, 3, 4, tzinfo=UTC))
    line = said(site, "clock", code=1)
    compare("Files and disks", "A clock that is years behind", line)


# --- speech and texts


def test_sounds_are_missing(site: CliSite) -> None:
    sounds = site.base / "sounds"
    sounds.mkdir()
    for one in (shared_files() / "sounds").iterdir():
        if one.name != "fr":
            (sounds / one.name).symlink_to(one)
    site.config.write_text(f'sounds = "{sounds}"\n' + site.config.read_text())
    line = said(site, "sounds", code=1)
    compare("Speech and texts", "The prompts of a language are missing", line, srv=site.base)


def test_no_voice(site: CliSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One language that Pico does not speak, and no eSpeak on the path."""
    monkeypatch.setenv("PATH", str(site.base))
    site.configure(f'[inbox]\nlanguages = ["nl"]\n[speech]\ncache = "{site.base}/said"\n')
    found = json.loads(site.run("check", "--only", "voice", "-o", "json", code=1).stdout)
    [line] = [one for one in found if " nl" in one["what"] and one["result"] == "problem"]
    told = Line(line["what"], line["what to do"])
    compare("Speech and texts", "No voice for a language", told, srv=site.base)


def test_a_voice_of_ones_own_that_fails(site: CliSite) -> None:
    program = shlex.join([sys.executable, "-c", "raise SystemExit('the licence has expired')"])
    site.configure(
        f'[speech]\ncache = "{site.base}/said"\nengine = "command"\n'
        f"command = {json.dumps(program + ' {out} {text_file}')}\n"
    )
    found = json.loads(site.run("check", "--only", "voice", "-o", "json", code=1).stdout)
    line = next(one for one in found if one["result"] == "problem")
    told = Line(line["what"], line["what to do"])
    compare("Speech and texts", "A program that speaks, and fails", told, python=sys.executable)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("A mail's text that cannot be read", "{{ name }\n"),
        ("A mail's text with a name that nobody knows", "Hello {{ frist_name }}\n"),
    ],
)
def test_texts_of_mails(site: CliSite, title: str, text: str) -> None:
    texts = site.base / "texts"
    (texts / "receipt" / "de").mkdir(parents=True)
    (texts / "receipt" / "de" / "subject.txt").write_text(text)
    site.config.write_text(f'templates = "{texts}"\n' + site.config.read_text())
    line = said(site, "mail-texts", code=1)
    compare("Speech and texts", title, line, srv=site.base, shipped=shared_files())


# --- portal and databases


def portal(site: CliSite, more: str) -> None:
    site.configure(f'[web]\nenabled = true\ndirectory = "{site.base}/web"\n{more}')


def _another_program(taken: socket.socket) -> None:
    with suppress(OSError):
        while True:
            somebody, _ = taken.accept()
            somebody.sendall(b"SSH-2.0-another program\r\n")
            somebody.close()


def test_the_port_of_the_portal_is_taken(site: CliSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threading.Thread(target=_another_program, args=(taken,), daemon=True).start()
        portal(site, f"port = {taken.getsockname()[1]}\n")
        line = said(site, "portal", code=1)
    compare("Portal and databases", "The portal's port is another program's", line)


def test_the_portal_does_not_run(site: CliSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    portal(site, f"port = {port}\n")
    line = said(site, "portal", code=1)
    compare("Portal and databases", "The portal does not run", line)


def test_a_certificate_of_the_portal(site: CliSite) -> None:
    authority = PrivateCa(site.base)
    expired = authority.identity(valid=timedelta(days=-3))
    other = authority.identity()

    def with_files(certificate: Path, key: Path) -> Line:
        portal(site, f'port = 0\ntls = "files"\ncertificate = "{certificate}"\nkey = "{key}"\n')
        return said(site, "portal", code=1)

    line = with_files(expired.certificate, expired.key)
    names = {"srv": site.base, "portal": expired.certificate.stem}
    compare("Portal and databases", "The portal's certificate has expired", line, **names)
    line = with_files(other.certificate, expired.key)
    names = {"srv": site.base, "portal": other.certificate.stem}
    compare("Portal and databases", "A key that is another certificate's", line, **names)


def test_an_operator_who_is_nobody(site: CliSite) -> None:
    portal(site, 'port = 0\noperators = ["olga"]\n')
    line = said(site, "portal", code=1)
    compare("Portal and databases", "An operator who is no user", line)


def test_a_database_of_a_newer_program(site: CliSite) -> None:
    site.run("users", "add", "anna", "--number", "101")
    with closing(sqlite3.connect(site.base / "directory.db")) as db, db:
        db.execute("UPDATE state SET value = 99 WHERE name = 'schema'")
    line = said(site, "directory", code=4)
    compare("Portal and databases", "A database that a newer vm-ari has changed", line)


def test_a_database_that_is_locked(site: CliSite) -> None:
    site.run("users", "add", "anna", "--number", "101")
    with closing(sqlite3.connect(site.base / "directory.db")) as db:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        line = said(site, "directory", code=4)
    compare(
        "Portal and databases", "A database that another program has locked", line, srv=site.base
    )


def test_a_database_that_is_none(site: CliSite) -> None:
    (site.base / "directory.db").write_bytes(b"this is no database" * 100)
    line = said(site, "directory", code=4)
    compare("Portal and databases", "A database that is broken", line, srv=site.base)


def test_no_database_server(site: CliSite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = site.config.read_text()
    there = f"postgresql+psycopg://vm-ari:secret@127.0.0.1:{port}/vm-ari?connect_timeout=3"
    site.config.write_text(text.replace(f"sqlite:///{site.base}/directory.db", there))
    line = said(site, "directory", code=4)
    assert "secret" not in line.what
    compare("Portal and databases", "A database server that does not run", line, PORT=port)


def test_an_archive_that_is_missing(site: CliSite) -> None:
    site.configure(f'[journal]\nurl = "sqlite:///{site.base}/j.db"\narchive = "{site.base}/old"\n')
    site.run("journal", "list")
    line = said(site, "journal", code=1)
    compare("Portal and databases", "The journal's archive is missing", line, srv=site.base)
