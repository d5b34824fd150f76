"""A private Dovecot for tests: plain, STARTTLS and IMAPS on loopback, all below one directory.

Every way into a mailbox that `docs/mail-server.md` names works on it: users' own passwords, the
administrator for others (authorisation id, ``user*vm-ari``, namespace ``user/`` with ACL), tokens.
"""

import base64
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.patience import AT_MOST
from tests.private_ca import Identity
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.demo.mail_server import unprivileged
from vm_ari.demo.private_server import ServerMissing, account, program

ADMIN = "vm-ari"
ADMIN_PASSWORD = "Pass-W0rd-of-the-mail-administrator"
TOKEN_KEY = b"a key of thirty-two characters !"
"""Tokens signed with it (JWT, HS256) are good."""
_ACCOUNT = "nobody"
_PATIENCE = AT_MOST


def password_of(user: str) -> str:
    """Everybody's own."""
    return f"{user}-own-pässword"


@dataclass
class Dovecot:
    """One server; its files lie below *base*."""

    base: Path
    users: Sequence[str]
    settings: str = ""
    port: int = 0
    tls_port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Plain, or STARTTLS."""
        return f"imap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        """TLS from the beginning."""
        return f"imaps://localhost:{self.tls_port}"

    def start(self) -> None:
        """Listen; on the same ports as before, if there were any."""
        for _ in range(10):
            self.port, self.tls_port = self.port or free_port(), self.tls_port or free_port()
            self._write_configuration()
            if self._started():
                return
            self.port = self.tls_port = 0  # somebody else was faster
        raise AssertionError(f"Dovecot does not start: {self.log()}")

    def stop(self) -> None:
        """End it with all its processes, as a restart does; frozen or not."""
        if self.process:
            with suppress(ProcessLookupError):
                self.thaw()
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
            with suppress(ProcessLookupError):  # those that still serve somebody
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Connections are still accepted by the kernel, and nothing answers."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGCONT)

    @contextmanager
    def mail_program(self, user: str, folder: str = "INBOX") -> Iterator[Any]:
        """A mail program of that user, with a folder open."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=AT_MOST)
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.plain_login(user, password_of(user))
        try:
            client.select_folder(folder)
            yield client
        finally:
            client.logout()

    def mail_directory(self, user: str) -> Path:
        """The user's Maildir."""
        return self.base / "mail" / user

    def empty(self, user: str) -> None:
        """As if the user had never had mail; while nobody is logged in."""
        shutil.rmtree(self.mail_directory(user), ignore_errors=True)

    def log(self) -> str:
        """The last words."""
        files = [self.base / "stderr", self.base / "log"]
        return "".join(f.read_text(errors="replace")[-1500:] for f in files if f.exists())

    def _started(self) -> bool:
        shutil.rmtree(self.base / "run", ignore_errors=True)  # a stale socket there costs 5 s
        command: list[str | Path] = [
            program("dovecot", "dovecot-imapd"),
            "-F",
            "-c",
            self.base / "dovecot.conf",
        ]
        with (self.base / "stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=self.base, stderr=errors, start_new_session=True, **_as_whom()
            )
        end = time.monotonic() + _PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            if _greets(self.port):
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _write_configuration(self) -> None:
        text = _configuration(self)
        (self.base / "dovecot.conf").write_text(text)
        _give_away(self.base / "dovecot.conf")


@contextmanager
def dovecot(
    *users: str, identity: Identity | None = None, settings: str = "", nologin: str = ""
) -> Iterator[Dovecot]:
    """A running server with mailboxes of *users*; without an *identity* there is no TLS.

    *settings* are further lines of the configuration; *nologin* are further lines of users.
    Skips the test where Dovecot is not installed.
    """
    need_dovecot()
    base = Path(mkdtemp(prefix="vm-ari-dovecot-", dir="/tmp"))
    for name in ("mail", "tls", "tokens/default/HS256"):
        (base / name).mkdir(parents=True)
    if identity:
        shutil.copy(identity.certificate, base / "tls" / "server.pem")
        shutil.copy(identity.key, base / "tls" / "server.key")
    rows = [f"{user}:{{PLAIN}}{password_of(user)}::::::\n" for user in users]
    (base / "users").write_text("".join(rows) + nologin)
    (base / "administrators").write_text(f"{ADMIN}:{{PLAIN}}{ADMIN_PASSWORD}\n")
    (base / "users-and-administrator").write_text(
        "".join(rows) + f"{ADMIN}:{{PLAIN}}{ADMIN_PASSWORD}::::::\n" + nologin
    )
    (base / "acl").write_text(f"* user={ADMIN} lrwstipekxa\n* owner lrwstipekxa\n")
    (base / "tokens/default/HS256/default").write_bytes(base64.b64encode(TOKEN_KEY))
    (base / "tokens.conf").write_text(
        "introspection_mode = local\n"
        f"local_validation_key_dict = fs:posix:prefix={base}/tokens/\n"
        "username_attribute = sub\n"
    )
    for path in (base, *base.rglob("*")):
        _give_away(path)
    server = Dovecot(base, users, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(base)


def need_dovecot() -> None:
    """Skip the test where Dovecot is not installed."""
    try:
        program("dovecot", "dovecot-imapd")
    except ServerMissing:
        pytest.skip("DOVECOT IS MISSING, so nothing of IMAP is tested: install dovecot-imapd")


def _configuration(server: Dovecot) -> str:
    base, (user, group) = server.base, account()
    has_tls = (base / "tls" / "server.pem").exists()
    tls = (
        f"ssl = yes\nssl_cert = <{base}/tls/server.pem\nssl_key = <{base}/tls/server.key"
        if has_tls
        else "ssl = no"
    )
    tls_port = server.tls_port if has_tls else 0
    return f"""\
{unprivileged(base, user, group, server.port, tls_port)}
service imap-login {{
  service_count = 0
}}
service imap {{
  service_count = 100
}}
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = /
  prefix =
  mailbox Bin {{
    special_use = \\Trash
  }}
}}
namespace others {{
  type = shared
  separator = /
  prefix = user/%%u/
  location = maildir:{base}/mail/%%u/Maildir
  subscriptions = no
  list = children
}}
mail_plugins = acl quota
protocol imap {{
  mail_plugins = $mail_plugins imap_acl imap_quota
}}
plugin {{
  acl = vfile:{base}/acl
  acl_shared_dict = file:{base}/shared-mailboxes.db
  quota = count:User quota
  quota_rule = *:storage=100M
  quota_vsizes = yes
}}
auth_mechanisms = plain login xoauth2
auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = username_format=%u {base}/administrators
  result_success = continue
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {base}/tokens.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%u {base}/users-and-administrator
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {base}/users-and-administrator
  override_fields = uid={user} gid={group} home={base}/mail/%u
}}
{tls}
{server.settings}
"""


def _greets(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(("127.0.0.1", port))
            return probe.recv(4) == b"* OK"
        except OSError:
            return False


def _give_away(path: Path) -> None:
    """Dovecot runs as somebody who may not even read the test's files."""
    if user := _user():
        shutil.chown(path, user, "nogroup")


def _as_whom() -> dict[str, Any]:
    return {"user": _ACCOUNT, "group": "nogroup", "extra_groups": []} if _user() else {}


def _user() -> str | None:
    return _ACCOUNT if os.getuid() == 0 else None
