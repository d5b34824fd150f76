"""Asterisk, the controller, two users, two phones and a trunk, all in one directory."""

import asyncio
import dataclasses
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import Address, HttpTransport
from vm_ari.adapters.asterisk.configuration import Instance, Phone, free_port
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.softphone.phone import Softphone
from vm_ari.config import shared_files
from vm_ari.domain.users import User

BASE_NUMBER = "+49305550"
START_SECONDS = 20.0
STOP_SECONDS = 15.0
ARI_USER = "vm-ari"
MARKER = "DEMO"


class DirectoryInUse(Exception):
    """The directory holds something that is not a demo's."""


class ControllerFailed(Exception):
    """The controller did not start; carries the last lines of its log."""


@dataclass(frozen=True)
class Person:
    """A user of the demo, with everything needed to be him."""

    name: str
    extension: str
    language: str
    pin: str = field(default_factory=lambda: f"{secrets.randbelow(900_000) + 100_000}")
    phone_password: str = field(default_factory=lambda: secrets.token_hex(8))
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of the directory's `User`, where they are not the usual ones."""

    @property
    def number(self) -> str:
        """E.164."""
        return BASE_NUMBER + self.extension

    @property
    def user(self) -> User:
        """The directory's view."""
        name = self.name.lower()
        user = User(name, self.name, self.extension, (self.number,), f"{name}@demo.example")
        return dataclasses.replace(user, language=self.language, **self.settings)


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
        **fields: Any,
    ) -> None:
        """*settings*: TOML for the controller, over ours; *fields*: of Asterisk's `Instance`."""
        self.directory = directory.resolve()
        self.anna = Person("Anna", "101", "de")
        self.ben = Person("Ben", "102", "en")
        self._settings = settings
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
        _make_room(self.directory)
        await self.add(*self.people)
        self.config.touch(mode=0o600)
        self.configure(self._settings)
        await self.asterisk.start()
        try:
            await self.start_controller()
        except BaseException:
            await self.asterisk.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.stop_controller()
        finally:
            await self.asterisk.stop()

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
        database = self.directory / "directory.db"
        embedded = EmbeddedDirectory(f"sqlite:///{database}", KeyRing(self.directory / "keys"))
        try:
            for person in people:
                await embedded.add_user(person.user, person.pin)
        finally:
            await embedded.close()

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
            "directory": {
                "url": f"sqlite:///{self.directory / 'directory.db'}",
                "keys": str(self.directory / "keys"),
            },
            "store": {"maildir": str(self.mail)},
            "greetings": {"directory": str(self.directory / "greetings")},
            "mail": {"sender": "voicemail@demo.example"},
            "site": {"region": "DE", "base_number": BASE_NUMBER, "language": "de"},
        }
        for name, values in tomllib.loads(settings).items():
            tables[name] = (tables.get(name, {}) | values) if isinstance(values, dict) else values
        return "".join(_tables(name, values) for name, values in tables.items())


def _make_room(directory: Path) -> None:
    """An empty directory: what an earlier demo left goes, what is not a demo's stays.

    Raises `DirectoryInUse` for a directory that holds something else.
    """
    marker = directory / MARKER
    if directory.is_dir() and any(directory.iterdir()):
        if not marker.exists():
            raise DirectoryInUse(
                f"{directory} is not empty and no earlier demo's: name another one with --dir"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text("This directory belongs to vm-ari demo, which empties it.\n")


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
    inner = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if key not in inner]
    below = [_table(f"{name}.{key}", table) for key, table in inner.items()]
    return "\n".join([f"[{name}]", *lines, "", "".join(below)])


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
                "maildir": str(world.mail_directory(person)),
            }
            for person in world.people
        ],
    }


Report = Callable[[str], None]
"""Takes one line for the terminal."""
