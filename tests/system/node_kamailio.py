"""Kamailio before the nodes: the configuration that is shipped, with addresses of our own."""

import asyncio
import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from vm_ari.adapters.asterisk.configuration import shipped_configuration
from vm_ari.adapters.asterisk.ports import free_port

Address = tuple[str, int]

REALM = "nodes.example"
PING_SECONDS = 1
CONFERENCES = "^\\+49305550103$"
"""Numbers whose callers all meet on one node."""
_PATIENCE = 15.0
_TRIES = 3
_QUESTION = (
    "OPTIONS sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP {me};rport;branch=z9hG4bKready{n}\r\n"
    "From: <sip:test@{me}>;tag=1\r\nTo: <sip:{to}>\r\nCall-ID: ready{n}@{me}\r\n"
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n"
)


def kamailio_program() -> str | None:
    """Where it is; Debian keeps it out of an ordinary user's PATH."""
    return shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")


class Kamailio:
    """Its files lie below *place*; *phones* are passwords by number."""

    def __init__(
        self,
        place: Path,
        ip: str,
        *,
        nodes: Sequence[Address],
        trunks: Sequence[Address],
        phones: Mapping[str, str],
    ) -> None:
        self.place = place
        self.address: Address = (ip, free_port(socket.SOCK_DGRAM, ip))
        self._nodes, self._trunks, self._phones = nodes, trunks, phones
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it has to say."""
        return self.place / "log"

    async def start(self) -> None:
        """Write its files, start it and wait until it answers."""
        for _ in range(_TRIES):
            self._write()
            self._process = self._spawn()
            if await asyncio.to_thread(self._answers):
                return
            await self.stop()
        raise AssertionError(f"Kamailio does not start:\n{self.log.read_text()[-2000:]}")

    async def stop(self) -> None:
        """End it with its processes; a dead one stays dead."""
        if self._process:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, _PATIENCE)
            self._process = None

    async def offers_to(self, *nodes: Address) -> None:
        """From now on calls go to these nodes only, as an administrator says before an update."""
        for ip, port in self._nodes:
            state = "ap" if (ip, port) in nodes else "d"
            await self.command("dispatcher.set_state", state, "1", f"sip:{ip}:{port}")

    async def command(self, *words: str) -> str:
        """What an administrator types behind ``kamcmd``."""
        program = shutil.which("kamcmd") or "/usr/sbin/kamcmd"
        asked = await asyncio.create_subprocess_exec(
            *(program, "-s", f"unixs:{self.place}/kamailio_ctl", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return (await asked.communicate())[0].decode(errors="replace")

    def _write(self) -> None:
        self.place.mkdir(exist_ok=True)
        shipped, phones = shipped_configuration() / "kamailio", self.place / "phones"
        phones.mkdir(exist_ok=True)
        for name in ("kamailio.cfg", "phones/version"):
            shutil.copyfile(shipped / name, self.place / name)
        header = (shipped / "phones" / "subscriber.sample").read_text().splitlines()[0]
        rows = [self._row(n, *one) for n, one in enumerate(self._phones.items(), start=1)]
        (phones / "subscriber").write_text("".join(f"{line}\n" for line in [header, *rows]))
        sets = [(1, node) for node in self._nodes] + [(2, trunk) for trunk in self._trunks]
        lines = [f"{group} sip:{ip}:{port} 0 0\n" for group, (ip, port) in sets]
        (self.place / "nodes.list").write_text("".join(lines))
        (self.place / "vm_ari_local.cfg").write_text(self._local(phones))

    def _local(self, phones: Path) -> str:
        ip, port = self.address
        return (
            f"listen=udp:{ip}:{port}\n"
            f'#!define REALM "{REALM}"\n'
            f'#!define NODE_LIST "{self.place / "nodes.list"}"\n'
            f'#!define USERS "text://{phones}"\n'
            f"#!define PING_SECONDS {PING_SECONDS}\n"
            f'#!define CONFERENCES "{CONFERENCES}"\n'
        )

    @staticmethod
    def _row(number: int, name: str, password: str) -> str:
        ha1 = hashlib.md5(f"{name}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()
        return f"{number}:{name}:{ha1}"

    def _spawn(self) -> "subprocess.Popen[bytes]":
        """It ends when we die."""
        program, setpriv = kamailio_program(), shutil.which("setpriv")
        assert program
        bound = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        command = ["-DD", "-E", "-m", "32", "-f", str(self.place / "kamailio.cfg")]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*bound, program, *command, "-Y", str(self.place), "-w", str(self.place)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        """Somebody unknown is told that he may not ask: then it lives."""
        end, tries = time.monotonic() + _PATIENCE, 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.1)
            me = "{}:{}".format(*probe.getsockname())
            while self._process and self._process.poll() is None and time.monotonic() < end:
                tries += 1
                to = "{}:{}".format(*self.address)
                probe.sendto(_QUESTION.format(to=to, me=me, n=tries).encode(), self.address)
                try:
                    return probe.recv(2000).startswith(b"SIP/2.0 403")
                except OSError:
                    time.sleep(0.05)
        return False
