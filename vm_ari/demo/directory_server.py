"""The demo's users on a directory server: a private slapd with the schema of vm_ari (DIR-03)."""

import secrets
import shlex
import shutil
from pathlib import Path
from typing import Any

from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load, shared_files
from vm_ari.demo.people import Person
from vm_ari.demo.private_server import PrivateServer, ServerFailed, ServerMissing, program
from vm_ari.domain.entries import entry_of
from vm_ari.wiring.directories import open_register

PACKAGES = ("slapd", "ldap-utils")
SUFFIX = "dc=demo,dc=example"
PEOPLE = f"ou=people,{SUFFIX}"
ACCOUNT = f"cn=vm-ari,{SUFFIX}"
_SCHEMA = Path("/etc/ldap/schema")
_STANDARD = ("core", "cosine", "inetorgperson")


class DirectoryServer:
    """`demo.parts.UsersPart` on OpenLDAP."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._server = PrivateServer("slapd", directory)
        self._password = secrets.token_urlsafe(12)
        self._password_file = directory / "ldap-password"

    async def start(self) -> None:
        """Empty but for the account of the controller. Raises `ServerMissing`, `ServerFailed`."""
        slapd, slapadd = (program(name, PACKAGES[0]) for name in ("slapd", "slapadd"))
        self._password_file.write_text(self._password + "\n")
        self._password_file.chmod(0o600)
        self._server.make_directory()
        self._write()
        self._server.give_away()
        file = self._server.base / "slapd.conf"
        done = await self._server.run([slapadd, "-q", "-f", file], self._first_entries().encode())
        if done.returncode:
            raise ServerFailed(f"slapadd: {done.stderr.decode(errors='replace')}")
        await self._server.start(
            lambda port: [slapd, "-h", f"ldap://127.0.0.1:{port}", "-d", "0", "-f", file]
        )

    async def stop(self) -> None:
        """End it."""
        await self._server.stop()

    @property
    def is_running(self) -> bool:
        """Is its process there?"""
        return self._server.is_running

    def tables(self) -> dict[str, dict[str, Any]]:
        """For the controller's configuration."""
        return {
            "directory": {
                "kind": "ldap",
                "keys": str(self._directory / "keys"),
                "ldap": {
                    "servers": [f"ldap://127.0.0.1:{self._server.port}"],
                    "plaintext": True,
                    "bases": [PEOPLE],
                    "account": ACCOUNT,
                    "password_file": str(self._password_file),
                    "cache": str(self._directory / "directory-cache.db"),
                },
            }
        }

    async def add(self, config: Path, *people: Person) -> None:
        """As ``vm-ari users add`` does it."""
        settings = load(config)
        register = open_register(settings, KeyRing(settings.directory.keys))
        assert isinstance(register, LdapDirectory)
        try:
            for person in people:
                await register.add_entry(entry_of(person.user), person.pin)
        finally:
            await register.close()

    def look(self, person: Person) -> str:
        """The command that shows somebody's entry."""
        words = ["ldapsearch", "-x", "-LLL", "-H", f"ldap://127.0.0.1:{self._server.port}"]
        words += ["-D", ACCOUNT, "-y", str(self._server.base / "account-password")]
        return shlex.join([*words, "-b", PEOPLE, f"uid={person.user.id}"])

    async def entry(self, person: Person) -> str:
        """What the directory holds, for people."""
        command = shlex.split(self.look(person))
        command[0] = program(command[0], PACKAGES[1])
        done = await self._server.run(command)
        if done.returncode:
            raise ServerFailed(f"ldapsearch: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def _write(self) -> None:
        base = self._server.base
        (base / "db").mkdir()
        # without a line end: ldapsearch would take it for part of the password
        (base / "account-password").write_text(self._password)
        (base / "account-password").chmod(0o600)
        files = [_SCHEMA / f"{name}.schema" for name in _STANDARD]
        includes = []
        for file in [*files, shared_files() / "schema" / "vm-ari.schema"]:
            if not file.exists():
                raise ServerMissing(f"{file} is missing; apt-get install {PACKAGES[0]} brings it")
            shutil.copy(file, base / file.name)
            includes.append(f"include {base / file.name}")
        (base / "slapd.conf").write_text(_configuration(base, "\n".join(includes)))

    def _first_entries(self) -> str:
        return f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: demo
o: Demo

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {ACCOUNT}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: vm-ari
userPassword: {self._password}
"""


def _configuration(base: Path, includes: str) -> str:
    return f"""\
{includes}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {base}/slapd.pid
loglevel none
threads 4
database mdb
suffix "{SUFFIX}"
directory {base}/db
index objectClass,uid,vmAriNumber,vmAriMailbox,telephoneNumber,mail eq
limits dn.exact="{ACCOUNT}" size=unlimited

access to attrs=userPassword
  by anonymous auth
  by * none
access to attrs=vmAriSetting,vmAriNumber,vmAriMailbox
  by dn.exact="{ACCOUNT}" write
  by * none
access to dn.subtree="{PEOPLE}"
  by dn.exact="{ACCOUNT}" write
  by users read
  by anonymous auth
access to *
  by users read
  by anonymous auth
"""
