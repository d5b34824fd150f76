"""``vm-ari check``: each thing that can be wrong beside the directory, said with its remedy."""

import asyncio
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.adapters.smtp_server import PASSWORD, USER, Postbox, mail_server
from tests.adapters.web_server import WebSite, web_site
from tests.cli.site import CliSite
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.imap_proxy import imap_proxy
from tests.patience import AT_MOST
from tests.private_ca import Identity, PrivateCa

Lines = list[dict[str, str]]
ACCOUNT = f'account = "{ADMIN}"\npassword = "{ADMIN_PASSWORD}"\n'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Dovecot]:
    with dovecot("anna", "bert", identity=authority.identity()) as running:
        for name in ("anna", "bert"):
            with running.mail_program(name):
                pass
        yield running


def checked(site: CliSite, *parts: str, code: int = 0) -> Lines:
    only = ("--only", ",".join(parts)) if parts else ()
    found: Lines = json.loads(site.run("check", *only, "-o", "json", code=code).stdout)
    return found


def problems(found: Lines) -> list[tuple[str, str]]:
    """What is wrong, and what to do."""
    return [(one["what"], one["what to do"]) for one in found if one["result"] == "problem"]


# --- IMAP


def with_imap(people: CliSite, url: str, more: str) -> CliSite:
    people.configure(f'[store]\nkind = "imap"\n[imap]\nserver = "{url}"\n{more}')
    return people


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for mail servers")
@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_good_mail_server_is_one_line(
    people: CliSite, server: Dovecot, authority: PrivateCa, scheme: str
) -> None:
    url = server.tls_url if scheme == "imaps" else server.url
    site = with_imap(people, url, f'ca_file = "{authority.file}"\n{ACCOUNT}')
    [line] = checked(site, "imap")
    assert line["result"] == "ok"
    assert line["part"] == "imap"
    assert re.search(r"\(TLS, certificate good for \d+ days\)", line["what"])
    assert f"INBOX of anna opens as {ADMIN} for anna after " in line["what"]
    made = "deleted messages go to Deleted voice messages, made when it is needed."
    assert line["what"].endswith(made)


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for mail servers")
def test_what_is_wrong_with_a_mail_server_is_said(
    people: CliSite, server: Dovecot, authority: PrivateCa, tmp_path: Path
) -> None:
    found = checked(with_imap(people, "imaps://localhost:1", ACCOUNT), "imap", code=4)
    assert problems(found) == [
        (
            "The mailbox of anna: localhost:1: no connection: Connection refused.",
            "Is it running, and are host and port right?",
        )
    ]
    other = PrivateCa(tmp_path, "Other CA").file
    site = with_imap(people, server.tls_url, f'ca_file = "{other}"\n{ACCOUNT}')
    [(what, todo)] = problems(checked(site, "imap", code=4))
    assert "its certificate is not accepted" in what
    assert "imap.ca_file" in todo
    wrong = f'plaintext = true\naccount = "{ADMIN}"\npassword = "veiled"\n'
    [(what, todo)] = problems(checked(with_imap(people, server.url, wrong), "imap", code=1))
    assert "AUTHENTICATIONFAILED" in what
    assert "veiled" not in what
    assert "Does the server let this account act for others?" in todo


def test_a_certificate_that_ends_soon_is_a_problem(people: CliSite, authority: PrivateCa) -> None:
    soon = authority.identity(valid=timedelta(days=5))
    with dovecot("anna", "bert", identity=soon) as ending:
        site = with_imap(people, ending.tls_url, f'ca_file = "{authority.file}"\n{ACCOUNT}')
        [(what, todo)] = problems(checked(site, "imap", code=1))
    assert "ends in 4 days" in what
    assert todo.startswith("Renew it")


def test_a_poor_server_is_good_enough_and_told_as_poor(people: CliSite, server: Dovecot) -> None:
    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = True
        found = checked(with_imap(people, proxy.url, f"plaintext = true\n{ACCOUNT}"), "imap")
    assert len(found) == 4
    told = " ".join(line["what"] for line in found)
    assert "lacks MOVE" in told
    assert "lacks UIDPLUS" in told
    assert "keeps no keywords" in told


def test_missing_rights_in_other_peoples_mailboxes_are_named(
    people: CliSite, server: Dovecot
) -> None:
    acl = server.base / "acl"
    before = acl.read_text()
    site = with_imap(people, server.url, f'plaintext = true\nway = "other-users"\n{ACCOUNT}')
    try:
        acl.write_text(f"* user={ADMIN} lrsk\n* owner lrwstipekxa\n")
        [(some, todo)] = problems(checked(site, "imap", code=1))
        acl.write_text(f"* user={ADMIN} lr\n* owner lrwstipekxa\n")
        [(reading, _)] = problems(checked(site, "imap", code=1))
    finally:
        acl.write_text(before)
    assert some == "Our account lacks the rights “eitw” in user/anna."
    assert "lrswite" in todo
    assert reading.endswith("our account may only read this folder.")


def test_users_without_a_stored_password_are_counted(people: CliSite, server: Dovecot) -> None:
    individual = 'plaintext = true\naccess = "individual"\n'
    found = checked(with_imap(people, server.url, individual), "imap")
    assert [line["what"] for line in found] == [
        "2 of 2 users have stored no password for the mail server.",
        f"localhost:{server.port} answers (without protection), but there is no mailbox to try.",
        "Welcome and other mails wait for each user's own password.",
    ]
    welcome = individual + "[welcome]\nenabled = true\n"
    [(_, todo)] = problems(checked(with_imap(people, server.url, welcome), "imap", code=1))
    assert "[mail.smtp]" in todo


def test_users_on_several_servers_have_each_of_them_tried(people: CliSite, server: Dovecot) -> None:
    more = f'plaintext = true\nserver_hosts = ["localhost"]\n{ACCOUNT}'
    site = with_imap(people, f"imap://127.0.0.1:{server.port}", more)
    people.run("users", "set", "bert", f"imap_server=localhost:{server.port}")
    assert [line["what"].split()[0] for line in checked(site, "imap")] == [
        f"127.0.0.1:{server.port}",
        f"localhost:{server.port}",
    ]
    people.run("users", "set", "bert", "imap_server=evil.net")
    [(what, _)] = problems(checked(site, "imap", code=1))
    assert what.startswith("Users without a way into their mailbox: 1; the mail server evil.net")


# --- SMTP


@contextmanager
def sending(box: Postbox, identity: Identity | None, *, account: bool = False) -> Iterator[int]:
    """A mail server in a thread of its own; its port."""
    started, port = threading.Event(), 0
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        nonlocal port
        async with mail_server(box, identity, account=account) as port:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(AT_MOST)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def with_smtp(people: CliSite, authority: PrivateCa, port: int, more: str = "") -> CliSite:
    people.configure(
        '[mail]\nsender = "voicemail@example.org"\n[mail.smtp]\nhost = "localhost"\n'
        f'port = {port}\nca_file = "{authority.file}"\ncalled = "pbx.example.org"\n{more}'
    )
    return people


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for sending")
def test_a_good_sending_server_is_one_line_and_gets_no_mail(
    people: CliSite, authority: PrivateCa
) -> None:
    box = Postbox()
    with sending(box, authority.identity(), account=True) as port:
        site = with_smtp(people, authority, port, f'user = "{USER}"\npassword = "{PASSWORD}"\n')
        [line] = checked(site, "smtp")
    assert line["result"] == "ok"
    assert line["what"].startswith(f"localhost:{port} (TLS, certificate good for ")
    assert line["what"].endswith("takes mails for voicemail@example.org.")
    assert (box.attempts, box.mails) == (1, [])


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for sending")
def test_what_is_wrong_with_a_sending_server_is_said(
    people: CliSite, authority: PrivateCa, tmp_path: Path
) -> None:
    site = with_smtp(people, authority, 1)
    [(what, todo)] = problems(checked(site, "smtp", code=4))
    assert "localhost:1: " in what
    assert "Is it running" in todo
    box = Postbox()
    with sending(box, authority.identity(), account=True) as port:
        site = with_smtp(people, authority, port, f'user = "{USER}"\npassword = "nonsense"\n')
        [(what, todo)] = problems(checked(site, "smtp", code=1))
        assert "535" in what
        assert "nonsense" not in what
        assert todo == "Correct user and password of [mail.smtp]."
    with sending(box, authority.identity()) as port:
        strange = with_smtp(people, PrivateCa(tmp_path, "Other"), port)
        [(what, todo)] = problems(checked(strange, "smtp", code=1))
        assert "ertificate" in what
        assert "mail.smtp.ca_file" in todo
        site = with_smtp(people, authority, port)
        box.to_sender = "553 not yours"
        [(what, todo)] = problems(checked(site, "smtp", code=1))
        assert "553 not yours" in what
        assert "mail.sender" in todo
        box.to_sender, box.to_recipient = "", "550 nobody"
        [(what, todo)] = problems(checked(site, "smtp", code=1))
        assert "550 nobody" in what
    with sending(box, None) as port:
        [(what, _)] = problems(checked(with_smtp(people, authority, port), "smtp", code=4))
        assert "STARTTLS" in what


# --- disks, prompts, Asterisk


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the disks")
def test_the_disks_are_looked_at(people: CliSite, tmp_path: Path) -> None:
    spool, mail = tmp_path / "spool" / "vm-ari", tmp_path / "mail"
    people.configure(f'[spool]\ndirectory = "{spool}"\n[store]\nmaildir = "{mail}"\n')
    first, second = checked(people, "spool", "store")
    assert first["what"] == f"The spool {spool} is made at the first start."
    assert second["what"] == f"The message store {mail} is made at the first start."
    for name in ("hold/one", "corrupt/two", "system-mails/hold/three"):
        (spool / name).mkdir(parents=True)
    spool.chmod(0o700)
    found = checked(people, "spool", code=1)
    assert found[0]["what"].endswith("MB left, and is writable.")
    told = " ".join(what + todo for what, todo in problems(found))
    for words in (
        "chmod 2770",
        "Messages refused for good, and held: 1.",
        "spool list --held",
        "Mails of the system refused for good, and held: 1.",
        "corrupt",
    ):
        assert words in told
    spool.parent.joinpath("file").write_text("")
    people.configure(f'[spool]\ndirectory = "{spool.parent}/file/vm-ari"\n')
    assert problems(checked(people, "spool", code=1))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can have a full disk of its own")
def test_a_full_disk_is_words(people: CliSite, tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "vm-ari-test", str(disk)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        (disk / "vm-ari").mkdir(mode=0o2770)
        people.configure(f'[spool]\ndirectory = "{disk}/vm-ari"\n')
        [(what, todo), *_] = problems(checked(people, "spool", code=1))
        assert "has 1 MB left" in what or "has 0 MB left" in what
        assert todo.startswith("Make room")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the embedded directory")
def test_a_directory_that_cannot_be_read_is_words(people: CliSite, tmp_path: Path) -> None:
    people.configure()
    (tmp_path / "directory.db").unlink(missing_ok=True)
    for path in tmp_path.glob("directory.db*"):
        path.unlink()
    (tmp_path / "directory.db").write_bytes(b"this is no database" * 100)
    [line] = checked(people, "directory", code=4)
    assert line["what"].startswith("The directory cannot be used: ")
    assert "Traceback" not in line["what"]


def test_prompts_and_voices_are_looked_at(people: CliSite, tmp_path: Path) -> None:
    cache = f'[speech]\ncache = "{tmp_path}/cache"\n'
    people.configure(cache)
    found = checked(people, "sounds", "voice")
    assert {line["part"] for line in found} == {"sounds", "voice"}
    assert any(line["what"].startswith("The prompts in de ") for line in found)
    empty = tmp_path / "sounds"
    empty.mkdir()
    people.config.write_text(f'sounds = "{empty}"\n' + people.config.read_text())
    assert len(problems(checked(people, "sounds", code=1))) == len(
        [one for one in found if one["part"] == "sounds"]
    )


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for Asterisk")
def test_an_asterisk_that_is_away_is_told(people: CliSite) -> None:
    people.configure()
    people.config.write_text(
        people.config.read_text().replace("[asterisk]", '[asterisk]\nurl = "http://127.0.0.1:9"')
    )
    found = checked(people, "asterisk", "lamps", code=4)
    [(what, todo)] = problems(found)
    [(what_of_lamps, _)] = problems(checked(people, "lamps", code=1))
    assert what_of_lamps.startswith("Nobody knows which ways there are")
    assert what == "Asterisk does not answer at http://127.0.0.1:9: Connection refused."
    assert "Is it running" in todo


# --- web servers that are sent requests


@pytest.mark.parametrize("part", ["sms", "webhook"])
def test_a_web_server_is_connected_to_and_sent_nothing(
    people: CliSite, authority: PrivateCa, tmp_path: Path, part: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    site = WebSite()
    other = PrivateCa(tmp_path, "Other")

    def configure(url: str, ca: PrivateCa) -> None:
        way = 'way = "http"\n' if part == "sms" else ""
        files = f'ca_file = "{ca.file}"\nsecret_file = "{secret}"\n'
        people.configure(f'[{part}]\n{way}url = "{url}/x"\n{files}')

    async def story() -> None:
        async with web_site(site, authority.identity()) as url:
            configure(url, authority)
            [line] = await asyncio.to_thread(checked, people, part)
            assert re.search(r"^127.0.0.1:\d+ \(TLS, certificate good for \d+ days", line["what"])
            configure(url, other)
            found = await asyncio.to_thread(checked, people, part, code=1)
            [(what, todo)] = problems(found)
            assert "the certificate is not good" in what
            assert f"{part}.ca_file" in todo
        [(what, todo)] = problems(await asyncio.to_thread(checked, people, part, code=4))
        assert f"{part}.url" in todo
        assert site.requests == []

    asyncio.run(story())


def test_a_gateway_that_takes_mails_is_a_matter_of_the_mail_server(people: CliSite) -> None:
    table = '[sms]\nway = "mail"\nmail_address = "$(phonenumber)@sms.example.org"\n'
    people.configure(table)
    assert "write a table [mail.smtp]" in people.run("check", "--only", "sms", code=3).stderr
    people.configure(f'{table}[mail.smtp]\nhost = "localhost"\n')
    [line] = checked(people, "sms")
    assert "look at the part smtp" in line["what"]


def test_a_part_that_does_not_exist_or_is_not_configured_is_refused(people: CliSite) -> None:
    people.configure()
    assert "write one of configuration" in people.run("check", "--only", "mail", code=2).stderr
    assert "no such table" in people.run("check", "--only", "smtp", code=3).stderr
    assert "no such table" in people.run("check", "--only", "imap", code=3).stderr
    assert "no such table" in people.run("check", "--only", "webhook", code=3).stderr
    assert "no gateway" in people.run("check", "--only", "sms", code=3).stderr


@pytest.mark.feature("MAIL-07")
def test_everything_is_examined_and_each_fault_has_its_line_and_remedy(
    people: CliSite, server: Dovecot, authority: PrivateCa, tmp_path: Path
) -> None:
    """First all is well but Asterisk, which is not here; then nothing is."""
    spool = tmp_path / "spool" / "vm-ari"
    box = Postbox()
    asterisk = '[asterisk]\nurl = "http://127.0.0.1:9"'

    def configure(url: str, port: int, sounds: str = "") -> None:
        people.configure(
            f'[spool]\ndirectory = "{spool}"\n[store]\nkind = "imap"\n[imap]\nserver = "{url}"\n'
            f'ca_file = "{authority.file}"\n{ACCOUNT}'
            f'[speech]\ncache = "{tmp_path}/cache"\n[mail]\nsender = "voicemail@example.org"\n'
            f'[mail.smtp]\nhost = "localhost"\nport = {port}\nca_file = "{authority.file}"\n'
        )
        text = people.config.read_text().replace("[asterisk]", asterisk)
        people.config.write_text(sounds + text)
        people.config.chmod(0o600)

    with sending(box, authority.identity()) as port:
        configure(server.tls_url, port)
        well = checked(people, code=4)
    parts = {"configuration", "keys", "directory", "imap", "smtp", "asterisk", "spool", "sounds"}
    assert parts <= {line["part"] for line in well}
    broken = {line["part"] for line in well if line["result"] == "problem"}
    assert broken - {"voice", "recognition"} == {"asterisk"}, "lamps only follow from it"
    (spool / "hold" / "one").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    configure("imaps://localhost:1", 1, f'sounds = "{tmp_path}/empty"\n')
    for path in tmp_path.glob("directory.db*"):
        path.unlink()
    (tmp_path / "directory.db").write_bytes(b"this is no database" * 100)
    faults = [line for line in checked(people, code=4) if line["result"] == "problem"]
    named = {"directory", "imap", "smtp", "asterisk", "spool", "sounds"}
    assert named <= {line["part"] for line in faults}
    assert all(line["what to do"] and "\n" not in line["what"] for line in faults)
