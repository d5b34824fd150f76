"""The wizard on a machine with servers: mistakes are told, and at the end a message is heard."""

import asyncio
import email.policy
import secrets
import stat
import sys
import tomllib
from collections.abc import Sequence
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.patience import AT_MOST
from tests.system.asterisk_houses import PLAIN, House
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.config.problems import toml
from vm_ari.demo.directory_server import ACCOUNT, PEOPLE, DirectoryServer
from vm_ari.demo.mail_server import ADMIN, MailServer
from vm_ari.demo.people import BASE_NUMBER, Person

ROOT = Path(__file__).parents[2]
ANNA = Person("Anna", "101", "de")
WRONG = "not-the-password"


class Machine:
    """What an administrator finds: Asterisk, a directory server, a mail server."""

    def __init__(self, install: AsteriskInstall, base: Path) -> None:
        self.base = base
        self.config = base / "etc" / "vm-ari.toml"
        self.answers = base / "answers.toml"
        self.users, self.mail = DirectoryServer(base), MailServer(base)
        self.asterisk = House(install, base / "asterisk", PLAIN)
        self.asterisk.lay_out(secrets.token_hex(8))

    async def start(self) -> None:
        """Anna is there already, with a PIN that the keys of the new installation seal."""
        await self.users.start()
        await self.mail.start()
        await self.asterisk.start()
        tables = self.users.tables()
        tables["directory"]["keys"] = str(self.config.parent / "data" / "keys")
        early = self.base / "early.toml"
        early.write_text(
            f'[asterisk]\npassword = "x"\n[site]\nbase_number = "{BASE_NUMBER}"\n'
            f'[directory]\nkind = "ldap"\nkeys = "{tables["directory"]["keys"]}"\n'
            f"[directory.ldap]\n{_toml(tables['directory']['ldap'])}"
        )
        Path(tables["directory"]["keys"]).parent.mkdir(parents=True)
        self.mail.add(ANNA)
        await self.users.add(early, ANNA)

    async def stop(self) -> None:
        for part in (self.asterisk, self.mail, self.users):
            await part.stop()

    def spawn(self, *words: str, config: Path | None = None) -> "pexpect.spawn[str]":
        command = ["-m", "vm_ari", "init", "-c", str(config or self.config)]
        etc, console = str(self.asterisk.instance.etc), self.asterisk.console
        return pexpect.spawn(
            sys.executable,
            [*command, "--asterisk-directory", etc, "--asterisk-command", console, *words],
            cwd=str(ROOT),
            encoding="utf-8",
            timeout=AT_MOST,
            dimensions=(60, 200),
        )

    @property
    def secrets(self) -> tuple[str, str]:
        """Of the directory, and of the mail server."""
        tables = {**self.users.tables()["directory"]["ldap"], **self.mail.tables()["imap"]}
        ldap = Path(self.users.tables()["directory"]["ldap"]["password_file"])
        return ldap.read_text().strip(), Path(tables["password_file"]).read_text().strip()


@pytest.mark.feature("OPS-06")
def test_a_first_installation_ends_with_a_message_that_was_heard(
    asterisk_install: AsteriskInstall, tmp_path: Path
) -> None:
    asyncio.run(_story(Machine(asterisk_install, tmp_path)))


async def _story(machine: Machine) -> None:
    await machine.start()
    try:
        told = await asyncio.to_thread(_first_time, machine)
        assert WRONG not in told
        await _what_was_left(machine)
        _what_was_written(machine)
        await asyncio.to_thread(_once_more, machine)
        await asyncio.to_thread(_by_answers, machine)
    finally:
        await machine.stop()


def _first_time(machine: Machine) -> str:
    """Everything is asked that nobody can find out, and two mistakes are made."""
    ldap = machine.users.tables()["directory"]["ldap"]["servers"][0]
    directory_secret, mail_secret = machine.secrets
    child = machine.spawn("--write-answers", str(machine.answers))
    seen = _Seen(child)
    seen.answers(
        ("its REST interface", None),
        ("account and the dialplan of ours", "yes"),
        ("tried when our account is there", None),
        ("keep its data", ""),
        ("before the extension", "030 5550"),
        ("country's code first", None),
        ("before the extension", "+49 30 5550"),
        ("the country: DE", None),
        ("by default", "de"),
        ("How shall it be", "each"),
        ("Where are your users", "ldap"),
        ("Address of the directory server", "ldap://localhost:1"),
        ("Is it running", None),
        ("Another address", "yes"),
        ("Address of the directory server", ldap),
        ("Name the authority", None),
        ("How then", "2"),
        ("of the kind openldap", None),
        ("Where users lie", PEOPLE),
        ("distinguished name", ACCOUNT),
        ("Its password", WRONG),
        ("Correct the account", None),
        ("What now", "change"),
        ("Address of the directory server", ""),
        ("Where users lie", ""),
        ("distinguished name", ""),
        ("Its password", directory_secret),
        ("nothing protects the connection", None),
        ("1 users, 1 of them with a number", None),
        ("Settings can be written", None),
        ("What now", "keep"),
        ("Where shall messages lie", ""),
        ("Address of the mail server", machine.mail.tables()["imap"]["server"]),
        ("do without TLS", "yes"),
        ("Who opens the mailboxes", "1"),
        ("Login name of the administrator", ADMIN),
        ("Password of the administrator", mail_secret),
        ("INBOX of anna opens", None),
        ("Sender of mails", "voicemail@demo.example"),
        ("Mail server that takes them", machine.mail.smtp),
        ("takes mails for", None),
        ("Send a test mail", ANNA.user.mail),
        ("was taken by", None),
        ("Who reaches the web portal", "off"),
        ("Write .*vm-ari.toml", "yes"),
        ("readable by its owner only", None),
        ("Asterisk has read its files again", None),
        ("and knows our user", None),
        ("Leave a message now", "yes"),
        ("Number of a user", "101"),
        ("PIN of that user", ANNA.pin),
        ("a controller was started", None),
        ("nach dem Signalton", None),
        ("delivered at", None),
        ("Bitte geben Sie Ihre PIN", None),
        ("it is what was spoken", None),
        ("What comes next", None),
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, f"{seen.all}{child.before}"
    assert ANNA.pin not in seen.all
    return seen.all


class _Seen:
    """What the wizard has shown so far."""

    def __init__(self, child: "pexpect.spawn[str]") -> None:
        self._child = child
        self.all = ""

    def hears(self, *words: str) -> None:
        for each in words:
            try:
                self._child.expect(each)
            except (pexpect.TIMEOUT, pexpect.EOF):
                shown = self.all + (self._child.before or "")
                raise AssertionError(f"“{each}” was not shown:\n{shown}") from None
            self.all += f"{self._child.before}{self._child.after}"

    def answers(self, *steps: tuple[str, str | None]) -> None:
        for words, answer in steps:
            self.hears(words)
            if answer is not None:
                self.hears("]?: $")
                self._child.sendline(answer)


async def _what_was_left(machine: Machine) -> None:
    mails = [BytesParser(policy=email.policy.default).parsebytes(raw)
             for raw in await machine.mail.mails(ANNA)]  # fmt: skip
    subjects = [str(mail["Subject"]) for mail in mails]
    assert "vm-ari: a test mail" in subjects
    [voice] = [mail for mail in mails if mail["Message-Context"] == "voice-message"]
    assert [part.get_content_maintype() for part in voice.iter_attachments()] == ["audio"]


def _what_was_written(machine: Machine) -> None:
    assert stat.S_IMODE(machine.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.answers.stat().st_mode) == 0o600
    text = machine.config.read_text()
    assert "# The directory servers, and what is in them.\n[directory.ldap]" in text
    tables = tomllib.loads(text)
    assert tables["site"] == {"base_number": BASE_NUMBER, "language": "de"}
    assert tables["directory"]["ldap"]["bases"] == [PEOPLE]
    assert tables["imap"]["account"] == ADMIN
    assert tables["mail"]["smtp"]["security"] == "none"
    names = {path.name for path in machine.config.parent.iterdir()}
    assert names == {"vm-ari.toml", "data", "conf.d"}, "nothing unfinished is left"


def _by_answers(machine: Machine) -> None:
    """Another machine: nothing is asked, and the same comes out of it."""
    answers = machine.answers.read_text().replace('call = "yes"', 'call = "no"')
    machine.answers.write_text(answers)
    other = machine.base / "other" / "vm-ari.toml"
    child = machine.spawn("--answers", str(machine.answers), config=other)
    child.expect(pexpect.EOF)
    shown = child.before or ""
    child.close()
    assert child.exitstatus == 0, shown
    assert "]: " not in shown, "somebody was asked"
    made, first = (tomllib.loads(path.read_text()) for path in (other, machine.config))
    assert made.pop("asterisk").keys() == first.pop("asterisk").keys(), "a password of its own"
    assert made == first


def _once_more(machine: Machine) -> None:
    """Repeated with nothing but Enter, it leaves everything as it is."""
    machine.config.write_text("# mine\n" + machine.config.read_text())
    before = machine.config.read_text()
    child = machine.spawn()
    while True:
        found = child.expect(["]?: $", "stays as it is", "What now.*: $", pexpect.EOF])
        if found == 1:
            break
        assert found != 3, child.before
        child.sendline("keep" if found == 2 else "")
    child.expect("Leave a message now.*: $")
    child.sendline("no")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert machine.config.read_text() == before


def _toml(table: dict[str, Any]) -> str:
    lines: Sequence[str] = [f"{key} = {toml(value)}" for key, value in table.items()]
    return "\n".join([*lines, ""])
