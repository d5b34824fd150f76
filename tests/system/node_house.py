"""A house of two nodes: two Asterisks, two controllers, what they share, and Kamailio before them.

They share PostgreSQL, Dovecot, and slapd or the embedded directory in PostgreSQL.

Each node has an address of loopback of its own, as Kamailio, the telephones and the trunk have.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.system.node_kamailio import REALM, Address, Kamailio
from tests.system.node_postgres import MortalPostgres
from vm_ari.adapters.asterisk.configuration import shipped_configuration
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.softphone import Softphone
from vm_ari.config import load
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.people import Person
from vm_ari.demo.world import ControllerFailed, World
from vm_ari.domain.entries import entry_of
from vm_ari.wiring.directories import ConfiguredDirectory, open_register

NAMES = ("a", "b")
NODE_IPS = {"a": "127.0.1.1", "b": "127.0.1.2"}
KAMAILIO_IP, TRUNK_IP = "127.0.1.9", "127.0.1.5"
TRUNK: Address = (TRUNK_IP, 5060)
TOLD = "102"
"""The phone that does not ask for its lamp."""

_PATIENCE = 30.0
_SETTINGS = """
[greetings]
store = "database"
[journal]
node = "{node}"
url = ""
[calls]
review = false
[welcome]
enabled = false
[logins]
failures_before_lock = 4
"""
"""All databases are that of ``directory.url``, also where the users are on LDAP."""


class SharedUsers:
    """`UsersPart` of one node: LDAP, or the embedded directory in PostgreSQL; the same keys."""

    def __init__(self, house: "House", node: str) -> None:
        self._house, self._node = house, node

    async def start(self) -> None:
        """The house has started it."""

    async def stop(self) -> None:
        """The house ends it."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """See `UsersPart`; each node has a cache of its own."""
        house, table = self._house, dict[str, Any]()
        if house.slapd:
            table = house.slapd.tables()["directory"]
            table["ldap"]["cache"] = str(house.place / self._node / "directory-cache.db")
        return {
            "directory": {**table, "url": house.postgres.url, "keys": str(house.place / "keys")}
        }

    async def add(self, config: Path, *people: Person) -> None:
        """See `UsersPart`; the first node adds all of the house, the others wait for that."""
        if self._node == NAMES[0]:
            async with _register(config) as register:
                for person in self._house.people:
                    await register.add_entry(entry_of(person.user), person.pin)
            self._house.inhabited.set()
        await self._house.inhabited.wait()


@asynccontextmanager
async def _register(config: Path) -> AsyncIterator[ConfiguredDirectory]:
    """As a command has it."""
    settings = load(config)
    register = open_register(settings, KeyRing(settings.directory.keys))
    try:
        yield register
    finally:
        await register.close()


class SharedStore:
    """`StorePart`: the one mail server, which no node starts or ends."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def start(self) -> None:
        """The house has started it."""

    async def stop(self) -> None:
        """The house ends it."""

    def add(self, *people: Person) -> None:
        """The house has added everybody."""

    def tables(self) -> dict[str, dict[str, Any]]:
        """See `StorePart`."""
        return self._server.tables()

    def look(self, person: Person) -> str:
        """See `StorePart`."""
        return self._server.look(person)

    async def mails(self, person: Person, *, deleted: bool = False) -> Sequence[bytes]:
        """See `StorePart`."""
        return await self._server.mails(person, deleted=deleted)


class House:
    """``async with House(install, place) as house``: everything runs."""

    def __init__(self, install: AsteriskInstall, place: Path, *, ldap: bool = True) -> None:
        self.place = place
        self.inhabited = asyncio.Event()
        self.people = (
            Person("Anna", "101", "de"),
            Person("Ben", TOLD, "de"),
            Person("Carla", "103", "de"),
        )
        self.postgres = MortalPostgres()
        self.mail = MailServer(place)
        self.slapd = DirectoryServer(place) if ldap else None
        self._sip = {
            name: (NODE_IPS[name], free_port(socket.SOCK_DGRAM, NODE_IPS[name])) for name in NAMES
        }
        self.kamailio = Kamailio(
            place / "kamailio",
            KAMAILIO_IP,
            nodes=list(self._sip.values()),
            trunks=[TRUNK],
            phones={person.extension: person.phone_password for person in self.people},
        )
        self.nodes = {name: self._node(install, name) for name in NAMES}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "House":
        async with AsyncExitStack() as stack:
            parts: list[MortalPostgres | MailServer | DirectoryServer] = [self.postgres, self.mail]
            parts += [self.slapd] if self.slapd else []
            for part in parts:
                stack.push_async_callback(part.stop)
            await asyncio.gather(*(part.start() for part in parts))
            self.mail.add(*self.people)
            stack.push_async_callback(self.kamailio.stop)
            await self.kamailio.start()
            await asyncio.gather(*(stack.enter_async_context(node) for node in self.nodes.values()))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes.values():
            await node.stop_controller()
            await node.asterisk.kill()  # it would wait 15 s for channels that somebody has left
        await self._stack.aclose()

    @asynccontextmanager
    async def directory(self) -> AsyncIterator[ConfiguredDirectory]:
        """As an administrator's command has it."""
        async with _register(self.nodes[NAMES[0]].config) as register:
            yield register

    async def calls_go_to(self, *names: str) -> None:
        """To these nodes only, from now on."""
        await self.kamailio.offers_to(*(self._sip[name] for name in names))

    async def is_whole(self) -> None:
        """Start what a story has left dead; wait until Kamailio has seen that both nodes live."""
        for node in self.nodes.values():
            await node.asterisk.start()
            try:
                await node.controller_is_back()
            except ControllerFailed:
                await node.start_controller()
        async with asyncio.timeout(_PATIENCE):
            while (await self.kamailio.command("dispatcher.list")).count("FLAGS: AP") < len(NAMES):
                await asyncio.sleep(0.1)

    def phone_of(self, person: Person) -> Softphone:
        """A SIP phone that may register with Kamailio."""
        return self._phone(user=person.extension, password=person.phone_password)

    def trunk_phone(self) -> Softphone:
        """Somebody outside; his calls come by the trunk."""
        return self._phone(user="outside", local_ip=TRUNK_IP)

    def stranger(self) -> Softphone:
        """Neither phone nor trunk."""
        return self._phone(user="stranger", password="guessed")

    def _phone(self, **how: Any) -> Softphone:
        ip, port = self.kamailio.address
        return Softphone(server=(ip, port), **how)

    # --- the nodes

    def _node(self, install: AsteriskInstall, name: str) -> World:
        settings = _SETTINGS.format(node=name)
        ip, port = self._sip[name]
        node = World(
            install,
            self.place / name,
            sip_port=port,
            settings=settings,
            address=ip,
            phones=(),
            trunk_context=None,
            language="de",
            extra_configuration=self._configuration(name),
        )
        node.users, node.store = SharedUsers(self, name), SharedStore(self.mail)
        node.anna, node.ben = self.people[:2]
        return node

    def _configuration(self, name: str) -> Mapping[str, str]:
        """What an administrator writes by hand, as the shipped samples say."""
        shipped = shipped_configuration() / "kamailio"
        nodes_conf = shipped / "pjsip_vm_ari_nodes.conf"
        return {
            "asterisk.conf": f"entityid = 02:00:00:00:00:0{NAMES.index(name) + 1}\n",
            "pjsip.conf": f'#include "{nodes_conf}"\n{self._sip_of(name, nodes_conf)}',
            "extensions.conf": (
                f'#include "{shipped / "extensions_vm_ari_nodes.conf"}"\n'
                "[globals](+)\n"
                "VM_ARI_FROM_PHONES=vm-ari-phones\n"
                "VM_ARI_FROM_TRUNK=vm-ari-trunk\n"
            ),
        }

    def _sip_of(self, name: str, shipped: Path) -> str:
        """The samples in the comments of that file, with our addresses."""
        proxy, peer, *_ = samples(shipped)
        [other] = [one for one in NAMES if one != name]
        words = {
            "KAMAILIO-IP": KAMAILIO_IP,
            "KAMAILIO": "{}:{}".format(*self.kamailio.address),
            "OTHER-IP": NODE_IPS[other],
            "OTHER-ADDRESS": "{}:{}".format(*self._sip[other]),
            "OWN-ADDRESS": "{}:{}".format(*self._sip[name]),
            "OTHER": f"node-{other}",
            "OWN": f"node-{name}",
        }
        text = proxy + peer + "".join(self._lamp_of(person) for person in self.people)
        return re.sub("|".join(words), lambda found: words[found[0]], text)

    def _lamp_of(self, person: Person) -> str:
        number = person.extension
        if number != TOLD:
            return f"[{number}]\ntype = aor\nmailboxes = {number}@vm-ari\n"
        return (
            f"[{number}](vm-ari-phone)\naors = {number}\nmailboxes = {number}@vm-ari\n"
            "from_domain = KAMAILIO\n"
            f"[{number}]\ntype = aor\ncontact = sip:{number}@KAMAILIO\n"
        )


def samples(file: Path) -> Sequence[str]:
    """What its comments show, indented by five: block by block."""
    blocks, block = [], ""
    for line in [*file.read_text().splitlines(), ""]:
        if line.startswith(";     "):
            block += line.removeprefix(";     ") + "\n"
        elif block:
            blocks.append(block)
            block = ""
    return blocks[1:]  # the first says how to include the file


__all__ = ["NAMES", "REALM", "TRUNK_IP", "House", "samples"]
