"""An OpenLDAP server of our own on loopback, without root's rights, for the tests that want one."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.patience import AT_MOST
from tests.private_ca import Identity
from vm_ari.adapters.asterisk.ports import free_port

ROOT = Path(__file__).parent.parent
SUFFIX = "dc=example,dc=org"
ADMIN = f"cn=admin,{SUFFIX}"
"""May do everything."""
SERVICE = f"cn=vm-ari,{SUFFIX}"
"""The account of docs/ldap.md: reads everybody, writes settings."""
READER = f"cn=reader,{SUFFIX}"
"""Reads, and only as many entries as the server's default limit."""
PASSWORD = "Pass-W0rd-of-the-directory"
SIZE_LIMIT = 500
_ACCOUNT = "nobody"
_PATIENCE = AT_MOST
SCHEMA_FILES = [
    Path(f"/etc/ldap/schema/{name}.schema") for name in ("core", "cosine", "inetorgperson")
]
_MODULES = Path("/usr/lib/ldap")

Attributes = Mapping[str, str | Iterable[str]]


@dataclass
class Slapd:
    """One server; its files lie below *base*."""

    base: Path
    port: int = 0
    tls_port: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Plain, or StartTLS."""
        return f"ldap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        """TLS from the beginning."""
        return f"ldaps://localhost:{self.tls_port}"

    def start(self) -> None:
        """Listen; on the same ports as before, if there were any."""
        for _ in range(10):
            self.port, self.tls_port = self.port or free_port(), self.tls_port or free_port()
            if self._started():
                return
            self.port = self.tls_port = 0  # somebody else was faster
        raise AssertionError(f"slapd does not start: {self._log()}")

    def freeze(self) -> None:
        """Connections are still accepted by the kernel, and nothing answers."""
        self._signal(signal.SIGSTOP)
        assert self.process
        while not _is_stopped(self.process.pid):  # on a busy machine that takes a while
            time.sleep(0.001)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, frozen or not."""
        if self.process:
            self._signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def add(self, text: str) -> None:
        """Add LDIF offline; only while it is stopped."""
        command: list[str | Path] = [program("slapadd"), "-q", "-f", self.base / "slapd.conf"]
        subprocess.run(command, input=text.encode(), check=True, user=_user(), capture_output=True)

    def modify(self, text: str, *, dn: str = ADMIN) -> None:
        """Change entries as another program would (LDIF change records)."""
        command = ["ldapmodify", "-x", "-H", self.url, "-D", dn, "-w", PASSWORD]
        subprocess.run(command, input=text.encode(), check=True, capture_output=True)

    def read(self, dn: str, attribute: str) -> list[str]:
        """The values that are really there."""
        command = ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.url]
        command += ["-D", ADMIN, "-w", PASSWORD, "-b", dn, "-s", "base", attribute]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = [line.partition(": ") for line in output.splitlines()]
        return [value for name, _, value in lines if name.lower() == attribute.lower()]

    def _started(self) -> bool:
        addresses = f"ldap://127.0.0.1:{self.port}"
        if "TLSCertificateFile" in (self.base / "slapd.conf").read_text():
            addresses += f" ldaps://127.0.0.1:{self.tls_port}"
        command: list[str | Path] = [program("slapd"), "-h", addresses, "-d", "0"]
        command += ["-f", self.base / "slapd.conf"]
        with (self.base / "log").open("wb") as log:
            self.process = subprocess.Popen(command, user=_user(), cwd=self.base, stderr=log)
        end = time.monotonic() + _PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.01)
        self.stop()
        return False

    def _signal(self, number: signal.Signals) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    def _log(self) -> str:
        return (self.base / "log").read_text(errors="replace")[-500:]


@contextmanager
def slapd(
    people: str = "",
    *,
    identity: Identity | None = None,
    settings: str = "",
    schema: Iterable[Path] = (),
    searchable_fax: bool = False,
) -> Iterator[Slapd]:
    """A running server with the accounts above and *people* (LDIF).

    *settings* are further lines of the database; without an *identity* there is no TLS.
    *searchable_fax* gives facsimileTelephoneNumber the rule of comparison that it has elsewhere.
    Skips the test where slapd is not installed.
    """
    need_slapd()
    base = Path(mkdtemp(prefix="vm-ari-slapd-", dir="/tmp"))
    (base / "db").mkdir()
    tls = _tls(base, identity) if identity else ""
    (base / "slapd.conf").write_text(_configuration(base, tls, settings, schema))
    if searchable_fax:
        _make_fax_searchable(base / "core.schema")
    _give_away(base)
    server = Slapd(base)
    try:
        server.add(FIRST_ENTRIES + people)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(base)


def need_slapd() -> None:
    """Skip the test where slapd is not installed."""
    if not shutil.which("ldapmodify") or not Path(program("slapd")).exists():
        pytest.skip("OPENLDAP IS MISSING, so nothing of LDAP is tested: install slapd ldap-utils")


def program(name: str) -> str:
    """Where a program is: Debian keeps them out of an ordinary user's PATH."""
    return shutil.which(name) or f"/usr/sbin/{name}"


def ldif(dn: str, attributes: Attributes) -> str:
    """One record."""
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        each = [values] if isinstance(values, str) else values
        lines += [f"{name}: {value}" for value in each]
    return "\n".join([*lines, "", ""])


def documented_access() -> str:
    """The rules for slapd.conf that docs/ldap.md recommends."""
    page = (ROOT / "docs" / "ldap.md").read_text(encoding="utf-8")
    return page.partition("```slapd.conf\n")[2].partition("```")[0]


def _service(name: str) -> str:
    classes = ("organizationalRole", "simpleSecurityObject")
    attributes = {"objectClass": classes, "cn": name, "userPassword": PASSWORD}
    return ldif(f"cn={name},{SUFFIX}", attributes)


FIRST_ENTRIES = (
    ldif(SUFFIX, {"objectClass": ("dcObject", "organization"), "dc": "example", "o": "Example"})
    + _service("vm-ari")
    + _service("reader")
)


def _configuration(base: Path, tls: str, settings: str, schema: Iterable[Path]) -> str:
    includes = []
    for file in [
        *SCHEMA_FILES,
        ROOT / "schema" / "vm-ari.schema",
        *schema,
    ]:  # copied, for the server's account cannot look into everybody's directories
        shutil.copy(file, base / file.name)
        includes.append(f"include {base / file.name}")
    return "\n".join([*includes, f"""\
modulepath {_MODULES}
moduleload back_mdb
pidfile {base}/slapd.pid
loglevel none
threads 4
sizelimit {SIZE_LIMIT}
{tls}
database mdb
maxsize 1073741824
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw {PASSWORD}
directory {base}/db
dbnosync
index objectClass,uid eq
{settings}
access to attrs=vmAriSetting,vmAriNumber,vmAriMailbox
  by dn.exact="{READER}" read
  by * break
{documented_access()}
"""])  # fmt: skip


def _make_fax_searchable(core: Path) -> None:
    syntax, rule = "1.3.6.1.4.1.1466.115.121.1.22", "1.3.6.1.4.1.1466.115.121.1.15"
    head, fax, tail = core.read_text().partition("attributetype ( 2.5.4.23 ")
    tail = tail.replace(f"SYNTAX {syntax}", f"EQUALITY caseIgnoreMatch SYNTAX {rule}", 1)
    core.write_text(head + fax + tail)


def _tls(base: Path, identity: Identity) -> str:
    for file, name in ((identity.certificate, "server.pem"), (identity.key, "server.key")):
        shutil.copy(file, base / name)
    return f"TLSCertificateFile {base}/server.pem\nTLSCertificateKeyFile {base}/server.key"


def _give_away(base: Path) -> None:
    """slapd runs as somebody who may not even read the test's files."""
    if user := _user():
        for path in (base, *base.rglob("*")):
            shutil.chown(path, user)


def _user() -> str | None:
    return _ACCOUNT if os.getuid() == 0 else None


def _is_stopped(pid: int) -> bool:
    states = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state.rpartition(")")[2].split()[0] == "T" for state in states)
