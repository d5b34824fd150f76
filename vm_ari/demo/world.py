"""Asterisk, the controller, two users, two phones and a trunk, all in one directory."""

import asyncio
import dataclasses
import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import aiohttp

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import Address, HttpTransport
from vm_ari.adapters.asterisk.configuration import Instance, Phone
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone.phone import Softphone
from vm_ari.config import shared_files
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.parts import Maildirs, Part, store_part, users_part
from vm_ari.demo.people import BASE_NUMBER, Person
from vm_ari.demo.private_server import PREFIX

__all__ = ["ControllerFailed", "DirectoryInUse", "Person", "Report", "World", "describe"]

START_SECONDS = 90.0
STOP_SECONDS = 15.0
ARI_USER = "vm-ari"
MARKER = "DEMO"


class DirectoryInUse(Exception):
    """The directory holds something that is not a demo's."""


class ControllerFailed(Exception):
    """The controller did not start; carries the last lines of its log."""


class World:
    """``async with World(install, directory) as world``: everything runs; it ends with us."""

    def __init__(
        self,
        install: AsteriskInstall,
        directory: Path,
        *,
        sip_port: int = 0,
        http_port: int = 0,
        settings: str = "",
        parts: Sequence[Part] = (),
        **fields: Any,
    ) -> None:
        """*settings*: TOML for the controller, over ours; *parts*: on real servers;
        *fields*: of Asterisk's `Instance`.
        """
        self.directory = directory.resolve()
        self.users = users_part(parts, self.directory)
        self.store = store_part(parts, self.directory)
        self.anna = Person("Anna", "101", "de")
        self.ben = Person("Ben", "102", "en")
        self._settings = settings
        self._claim: TextIO | None = None
        self._controller: subprocess.Popen[bytes] | None = None
        instance = Instance(
            directory=self.directory / "asterisk",
            sip_port=sip_port or free_port(socket.SOCK_DGRAM),
            http_port=http_port or free_port(),
            ari_user=ARI_USER,
            ari_password=secrets.token_urlsafe(12),
            phones=tuple(Phone(p.extension, p.phone_password) for p in self.people),
            sounds=shared_files() / "sounds",
            language="de",
            extra_configuration={"extensions.conf": _way_out(self.people)},
        )
        self.asterisk = PrivateAsterisk(install, dataclasses.replace(instance, **fields))

    async def __aenter__(self) -> Self:
        self._claim = _make_room(self.directory)
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        for part in (self.users, self.store):
            await part.start()
        self.config.touch(mode=0o600)
        self.configure(self._settings)
        await self.add(*self.people)
        await self.asterisk.start()
        await self.start_controller()

    async def _stop(self) -> None:
        """Each, whatever happens to the others; the directory is free afterwards."""
        async with AsyncExitStack() as rest:
            rest.callback(self._release)
            for part in (self.users, self.store, self.asterisk):
                rest.push_async_callback(part.stop)
            await self.stop_controller()

    def _release(self) -> None:
        if self._claim:
            self._claim.close()
            self._claim = None

    @property
    def people(self) -> tuple[Person, Person]:
        """Both users."""
        return self.anna, self.ben

    @property
    def config(self) -> Path:
        """The controller's configuration file."""
        return self.directory / "vm-ari.toml"

    @property
    def controller_log(self) -> Path:
        """What the controller has to say."""
        return self.directory / "controller.log"

    @property
    def spool(self) -> Path:
        """The outbox, below Asterisk's recording directory."""
        return self.asterisk.instance.spool / "recording" / "vm-ari"

    @property
    def mail(self) -> Path:
        """The Maildirs, one below the other."""
        return self.directory / "mail"

    @property
    def server(self) -> tuple[str, int]:
        """Where SIP goes."""
        return ("127.0.0.1", self.asterisk.instance.sip_port)

    @property
    def controller_pid(self) -> int:
        """The controller's process. Raises `RuntimeError` while there is none."""
        if self._controller is None:
            raise RuntimeError("the controller is not running")
        return self._controller.pid

    def phone_of(self, person: Person) -> Softphone:
        """A SIP phone that may register as this person's."""
        return Softphone(user=person.extension, password=person.phone_password, server=self.server)

    def outside_phone(self) -> Softphone:
        """A phone behind the trunk."""
        return Softphone(user="outside", server=self.server)

    def mail_directory(self, person: Person) -> Path:
        """That person's Maildir."""
        return self.mail / person.extension

    async def add(self, *people: Person) -> None:
        """More users, also while the controller runs; they have no phones of their own."""
        self.store.add(*people)
        await self.users.add(self.config, *people)

    def configure(self, settings: str) -> None:
        """Other settings for the controller, from its next start on."""
        self.config.write_text(self._toml(settings), encoding="utf-8")

    async def start_controller(self) -> None:
        """Start it and wait until calls come to it. Raises `ControllerFailed`."""
        self._controller = self._spawn()
        await self._wait_for_controller()

    async def controller_is_back(self) -> None:
        """Wait until calls come to it again, after Asterisk or it was away."""
        await self._wait_for_controller()

    async def stop_controller(self) -> None:
        """Ask it to end, and wait."""
        if self._controller is None:
            return
        self._controller.terminate()
        try:
            await asyncio.to_thread(self._controller.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_controller()
        self._controller = None

    def kill_controller(self) -> None:
        """End it as a crash would."""
        if self._controller is not None:
            self._controller.kill()
            self._controller.wait()
            self._controller = None

    def signal_controller(self, number: int) -> None:
        """Send it a signal, such as SIGSTOP."""
        os.kill(self.controller_pid, number)

    def _spawn(self) -> subprocess.Popen[bytes]:
        """In a session of its own, and dying with us."""
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self.controller_log.open("ab") as log:
            return subprocess.Popen(
                [*bound, sys.executable, "-m", "vm_ari", "run", "-c", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    async def _wait_for_controller(self) -> None:
        beats_before = await self._beat()
        try:
            async with asyncio.timeout(START_SECONDS):
                while await self._beat() == beats_before:
                    if self._controller is None or self._controller.poll() is not None:
                        raise ControllerFailed(self._last_words())
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self.kill_controller()
            raise ControllerFailed(self._last_words()) from None

    async def _beat(self) -> str:
        """The last heartbeat that the dialplan has seen."""
        instance = self.asterisk.instance
        address = Address(f"http://127.0.0.1:{instance.http_port}", ARI_USER, instance.ari_password)
        async with aiohttp.ClientSession(headers=address.authorization()) as session:
            try:
                client = AriClient(HttpTransport(session, address))
                return await client.asterisk.get_global_variable("VM_ARI_BEAT")
            except (AriError, AriUnavailable):
                return ""

    def _last_words(self) -> str:
        lines = self.controller_log.read_text(errors="replace").splitlines()[-12:]
        return "\n".join(["the controller did not start; its last words:", *lines])

    def _toml(self, settings: str) -> str:
        instance = self.asterisk.instance
        tables: dict[str, Any] = {
            "asterisk": {
                "url": f"http://127.0.0.1:{instance.http_port}",
                "user": instance.ari_user,
                "password": instance.ari_password,
            },
            "spool": {"directory": str(self.spool)},
            "greetings": {"directory": str(self.directory / "greetings")},
            "journal": {"url": f"sqlite:///{self.directory / 'journal.db'}"},
            "speech": {"cache": str(self.directory / "speech")},
            "site": {"region": "DE", "base_number": BASE_NUMBER, "language": "de"},
            **self.users.tables(),
            **self.store.tables(),
        }
        for name, values in tomllib.loads(settings).items():
            tables[name] = (tables.get(name, {}) | values) if isinstance(values, dict) else values
        return "".join(_tables(name, values) for name, values in tables.items())


def _make_room(directory: Path) -> TextIO:
    """An empty directory: what an earlier demo left goes, what is not a demo's stays.

    It is ours as long as what is returned is open. Raises `DirectoryInUse` for a directory that
    holds something else, or in which a demo is running.
    """
    marker = directory / MARKER
    if directory.is_dir() and any(directory.iterdir()) and not marker.exists():
        raise DirectoryInUse(
            f"{directory} is not empty and no earlier demo's: name another one with --dir"
        )
    directory.mkdir(parents=True, exist_ok=True)
    claim = marker.open("a", encoding="utf-8")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        raise DirectoryInUse(
            f"a demo is running in {directory}: end it, or name another one with --dir"
        ) from None
    _empty(directory, but=marker)
    claim.truncate(0)
    claim.write("This directory belongs to vm-ari demo, which empties it.\n")
    claim.flush()
    return claim


def _empty(directory: Path, *, but: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != but:
            if path.is_symlink() and path.readlink().name.startswith(PREFIX):
                shutil.rmtree(path.readlink(), ignore_errors=True)  # of a demo that was killed
            path.unlink()


def _way_out(people: Sequence[Person]) -> str:
    """Where callers are connected, and greetings recorded: these telephones, and no others."""
    lines = ["[default]"]
    for person in people:
        lines.append(f"exten => {person.extension},1,Dial(PJSIP/${{EXTEN}},60)")
        lines.append(" same => n,Hangup(${HANGUPCAUSE})")
    return "\n".join([*lines, ""])


def _tables(name: str, values: Any) -> str:
    """One, or several of the same name."""
    if isinstance(values, dict):
        return _table(name, values)
    return "".join(_table(name, one).replace(f"[{name}]", f"[[{name}]]", 1) for one in values)


def _table(name: str, values: dict[str, object]) -> str:
    """A TOML table; JSON's strings, numbers, truth values and lists are TOML's."""
    inner = {key: value for key, value in values.items() if _is_table(value)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key not in inner]
    below = [_tables(f"{name}.{key}", table) for key, table in inner.items()]
    return "\n".join([f"[{name}]", *lines, "", "".join(below)])


def _is_table(value: object) -> bool:
    """Or several."""
    several = isinstance(value, list) and value and isinstance(value[0], dict)
    return isinstance(value, dict) or bool(several)


def describe(world: World) -> dict[str, object]:
    """Everything a person or a script needs to use the world, ready for JSON."""
    return {
        "directory": str(world.directory),
        "config": str(world.config),
        "sip": {"host": world.server[0], "port": world.server[1]},
        "ari": {"url": world.asterisk.ari_url, "user": ARI_USER},
        "voicemail_key": "*98",
        "trunk": "any call to one of the numbers that is not by a phone",
        "users": [
            {
                "name": person.name,
                "extension": person.extension,
                "number": person.number,
                "language": person.language,
                "pin": person.pin,
                "sip_user": person.extension,
                "sip_password": person.phone_password,
                "mailbox": world.store.look(person),
                **_access(world, person),
            }
            for person in world.people
        ],
        **_servers(world),
    }


def _servers(world: World) -> dict[str, object]:
    """How to look into those that there are."""
    told: dict[str, object] = {}
    if isinstance(world.users, DirectoryServer):
        told["ldapsearch"] = world.users.look(world.anna)
    if isinstance(world.store, MailServer):
        told["smtp"] = world.store.smtp
    return told


def _access(world: World, person: Person) -> dict[str, str]:
    """What opens the mailbox."""
    match world.store:
        case Maildirs():
            return {"maildir": str(world.mail_directory(person))}
        case _:
            return {"mail_user": person.user.id, "mail_password": person.mail_password}


Report = Callable[[str], None]
"""Takes one line for the terminal."""
