"""The demo's mailboxes on a mail server: a private Dovecot, and an SMTP server before it."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from vm_ari.demo.people import DOMAIN, Person
from vm_ari.demo.post_office import PostOffice
from vm_ari.demo.private_server import PrivateServer, ServerFailed, program

# the library would write what it fetches: a welcome mail brings a PIN
logging.getLogger("imapclient").setLevel(logging.WARNING)

PACKAGES = ("dovecot-imapd",)
ADMIN = "vm-ari"
_DELETED = "Deleted voice messages"
_SECONDS = 60


class MailServer:
    """`demo.parts.StorePart` on Dovecot."""

    def __init__(self, directory: Path) -> None:
        self._server = PrivateServer("dovecot", directory)
        self._post = PostOffice(self._deliver)
        self._password = secrets.token_urlsafe(12)
        self._password_file = directory / "imap-password"
        self._people: list[Person] = []

    async def start(self) -> None:
        """Nobody has a mailbox yet. Raises `ServerMissing`, `ServerFailed`."""
        dovecot = program("dovecot", PACKAGES[0])
        program("dovecot-lda", PACKAGES[0])
        await _need_known_version(dovecot)
        self._password_file.write_text(self._password + "\n")
        self._password_file.chmod(0o600)
        self._server.make_directory()
        self._write_users()
        await self._server.start(lambda port: self._command(dovecot, port), b"* OK")
        await self._post.start()

    async def stop(self) -> None:
        """End both."""
        await self._post.stop()
        await self._server.stop()

    @property
    def is_running(self) -> bool:
        """Is its process there?"""
        return self._server.is_running

    def tables(self) -> dict[str, dict[str, Any]]:
        """For the controller's configuration."""
        return {
            "store": {"kind": "imap", "deleted_folder": _DELETED},
            "imap": {
                "server": f"imap://127.0.0.1:{self._server.port}",
                "plaintext": True,
                "account": ADMIN,
                "password_file": str(self._password_file),
            },
            "mail": {
                "sender": f"voicemail@{DOMAIN}",
                "smtp": {"host": "127.0.0.1", "port": self._post.port, "security": "none"},
            },
            "welcome": {"enabled": True},
        }

    def add(self, *people: Person) -> None:
        """They have mailboxes from now on."""
        self._people += people
        self._write_users()

    def look(self, person: Person) -> str:
        """Where a mail program finds somebody's mailbox."""
        return f"imap://{person.user.id}@127.0.0.1:{self._server.port}/"

    @property
    def smtp(self) -> str:
        """Where mails are taken."""
        return f"127.0.0.1:{self._post.port}"

    async def mails(self, person: Person, *, deleted: bool = False) -> Sequence[bytes]:
        """All mails of the INBOX, or of the folder of deleted messages, the oldest first."""
        folder = _DELETED if deleted else "INBOX"
        return await asyncio.to_thread(self._read, person, folder)

    def _read(self, person: Person, folder: str) -> Sequence[bytes]:
        with IMAPClient("127.0.0.1", self._server.port, ssl=False, timeout=_SECONDS) as client:
            client.login(person.user.id, person.mail_password)
            if not client.folder_exists(folder):
                return []
            client.select_folder(folder, readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
            return [bytes(one[b"BODY[]"]) for _, one in sorted(found.items())]

    async def _deliver(self, mail: bytes, sender: str, recipient: str) -> str:
        """Into the recipient's mailbox, by Dovecot's own program; why not, or nothing."""
        addresses = {person.user.mail: person.user.id for person in self._people}
        if recipient.lower() not in addresses:
            return f"550 5.1.1 there is no {recipient} here"
        lda = program("dovecot-lda", PACKAGES[0])
        words = [lda, "-c", str(self._server.base / "dovecot.conf")]
        done = await self._server.run(
            [*words, "-d", addresses[recipient.lower()], "-f", sender], mail
        )
        return f"451 4.3.0 not delivered now ({done.returncode})" if done.returncode else ""

    def _write_users(self) -> None:
        base = self._server.base
        rows = [f"{p.user.id}:{{PLAIN}}{p.mail_password}::::::\n" for p in self._people]
        (base / "users").write_text("".join(rows))
        (base / "administrators").write_text(f"{ADMIN}:{{PLAIN}}{self._password}\n")
        self._server.give_away()

    def _command(self, dovecot: str, port: int) -> Sequence[str | Path]:
        server = self._server
        if not server.user.isprintable() or " " in server.user:
            raise ServerFailed(f"“{server.user}” cannot be written into Dovecot's configuration")
        text = _configuration(server.base, server.user, server.group, port)
        (server.base / "dovecot.conf").write_text(text)
        return [dovecot, "-F", "-c", server.base / "dovecot.conf"]


async def _need_known_version(dovecot: str) -> None:
    """Configurations of 2.4 are written otherwise."""
    asked = await asyncio.create_subprocess_exec(
        dovecot, "--version", stdout=asyncio.subprocess.PIPE
    )
    version = (await asked.communicate())[0].decode(errors="replace").strip()
    if not version.startswith("2.3."):
        raise ServerFailed(f"the demo's mail server is Dovecot 2.3, and here is {version[:40]}")


def unprivileged(base: Path, user: str, group: str, port: int, tls_port: int = 0) -> str:
    """The part of a configuration that lets an ordinary user run Dovecot 2.3 below *base*.

    IMAP is on loopback; *tls_port* 0 is none. Each user of the mailboxes has a Maildir there.
    """
    chroots = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in ("stats", "ipc"))
    return f"""\
base_dir = {base}/run
state_dir = {base}/state
instance_name = {base.name}
log_path = {base}/log
protocols = imap
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
{chroots}service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
service auth-worker {{
  user = {user}
}}
mail_location = maildir:~/Maildir
mail_home = {base}/mail/%u
mail_uid = {user}
mail_gid = {group}
auth_username_format = %Lu
"""


def _configuration(base: Path, user: str, group: str, port: int) -> str:
    return f"""\
{unprivileged(base, user, group, port)}
ssl = no
postmaster_address = postmaster@{DOMAIN}
namespace inbox {{
  inbox = yes
  separator = /
}}
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  master = yes
  args = username_format=%u {base}/administrators
  result_success = continue
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {base}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {base}/users
  override_fields = uid={user} gid={group} home={base}/mail/%u
}}
"""
